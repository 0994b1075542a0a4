// The 8250 family: ns16550a, and the DesignWare APB UART with its differences.
//
// Sources: National Semiconductor PC16550D data sheet (June 1995), section 8 "Registers";
// Synopsys DesignWare DW_apb_uart databook, chapters "Registers" (USR, IIR) and "Functional
// description" (busy functionality); bindings serial/8250.yaml and serial/snps-dw-apb-uart.yaml.
#include "arch/arch.h"
#include "drivers/uart/uart_internal.h"
#include "kernel/lib/bits.h"

// Registers by number; their spacing is 1 << reg_shift.
#define REG_RBR 0x00u // read: receiver buffer (DLAB = 0)
#define REG_THR 0x00u // write: transmitter holding (DLAB = 0)
#define REG_IER 0x01u // interrupt enable (DLAB = 0)
#define REG_IIR 0x02u // read: interrupt identification
#define REG_FCR 0x02u // write: FIFO control
#define REG_LCR 0x03u // line control
#define REG_MCR 0x04u // modem control
#define REG_LSR 0x05u // line status
#define REG_MSR 0x06u // modem status
#define REG_USR UART_DW_REG_USR

#define IER_RX BIT(0) // received data available, and character timeout
#define IER_TX BIT(1) // transmitter holding register empty

#define IIR_ID_MASK      0x0fu
#define IIR_MODEM        0x00u
#define IIR_NONE         0x01u
#define IIR_TX_EMPTY     0x02u
#define IIR_RX_DATA      0x04u
#define IIR_LINE_STATUS  0x06u
#define IIR_BUSY_DETECT  0x07u // DW_apb_uart: LCR was written while busy
#define IIR_RX_TIMEOUT   0x0cu
#define IIR_FIFO_ENABLED 0xc0u // both bits: FIFOs on and working

#define FCR_FIFO_ENABLE BIT(0) // trigger level bits 0: interrupt for each character

#define LCR_DLAB BIT(7)

#define MCR_DTR  BIT(0)
#define MCR_RTS  BIT(1)
#define MCR_OUT2 BIT(3) // gates the interrupt line on PC-style wiring
#define MCR_LOOP BIT(4)

#define LSR_DATA_READY BIT(0)
#define LSR_OVERRUN    BIT(1)
#define LSR_PARITY     BIT(2)
#define LSR_FRAMING    BIT(3)
#define LSR_BREAK      BIT(4)
#define LSR_THR_EMPTY  BIT(5)
#define LSR_TX_IDLE    BIT(6)
#define LSR_BAD_CHAR   (LSR_PARITY | LSR_FRAMING | LSR_BREAK)

#define USR_BUSY BIT(0)

#define FIFO_BYTES_16550 16u

// Passes through the interrupt causes in one call, and characters taken per pass: a device that
// keeps its line raised gets its turn again at the next interrupt instead of keeping the hart.
#define SERVICE_PASSES 64u
#define RX_BURST       256u

// Writes to LCR before giving up.
#define LCR_TRIES 4u

static volatile uint8_t *reg_addr(const struct uart *uart, uint32_t reg)
{
    return uart->regs + ((size_t)reg << uart->config.reg_shift);
}

static uint32_t reg_read(const struct uart *uart, uint32_t reg)
{
    volatile uint8_t *addr = reg_addr(uart, reg);
    switch (uart->config.io_width_bytes) {
    case 4:
        return arch_mmio_read32(addr);
    case 2:
        return arch_mmio_read16(addr);
    default:
        return arch_mmio_read8(addr);
    }
}

static void reg_write(const struct uart *uart, uint32_t reg, uint32_t value)
{
    volatile uint8_t *addr = reg_addr(uart, reg);
    switch (uart->config.io_width_bytes) {
    case 4:
        arch_mmio_write32(addr, value);
        break;
    case 2:
        arch_mmio_write16(addr, value);
        break;
    default:
        arch_mmio_write8(addr, value);
        break;
    }
}

// A write to LCR while the DesignWare UART is busy is ignored and raises busy detect.
static void wait_not_busy(struct uart *uart)
{
    if (uart->config.kind != UART_KIND_DW_APB) {
        return;
    }
    for (uint32_t polls = UART_POLL_LIMIT; polls > 0; polls--) {
        if ((reg_read(uart, REG_USR) & USR_BUSY) == 0) {
            return;
        }
    }
}

static bool tx_idle_8250(struct uart *uart)
{
    return (reg_read(uart, REG_LSR) & LSR_TX_IDLE) != 0;
}

// Ends the access to the baud rate that firmware may have left open. A character that begins to
// arrive between the look at USR and the write makes the write vanish: then once more. False when
// it cannot be done: any other register would change the baud rate.
static bool close_divisor_latch(struct uart *uart)
{
    for (uint32_t tries = LCR_TRIES; tries > 0; tries--) {
        uint32_t lcr = reg_read(uart, REG_LCR);
        if ((lcr & LCR_DLAB) == 0) {
            return true;
        }
        wait_not_busy(uart);
        reg_write(uart, REG_LCR, lcr & ~(uint32_t)LCR_DLAB);
    }
    return (reg_read(uart, REG_LCR) & LCR_DLAB) == 0;
}

static zx_status_t init_8250(struct uart *uart)
{
    // Switching the FIFOs on empties them, so what the firmware printed has to leave first.
    for (uint32_t polls = UART_POLL_LIMIT; polls > 0 && !tx_idle_8250(uart); polls--) {
    }
    if (!close_divisor_latch(uart)) {
        return ZX_ERR_IO;
    }
    reg_write(uart, REG_IER, 0);
    reg_write(uart, REG_FCR, FCR_FIFO_ENABLE);
    uint32_t mcr = reg_read(uart, REG_MCR) & 0xffu & ~(uint32_t)MCR_LOOP;
    reg_write(uart, REG_MCR, mcr | MCR_DTR | MCR_RTS | MCR_OUT2);
    uint32_t iir = reg_read(uart, REG_IIR);
    if ((iir & IIR_FIFO_ENABLED) == IIR_FIFO_ENABLED) {
        uart->fifo_bytes = FIFO_BYTES_16550;
    }
    if (uart->config.kind == UART_KIND_DW_APB && (iir & IIR_ID_MASK) == IIR_BUSY_DETECT) {
        reg_read(uart, REG_USR);
    }
    return ZX_OK;
}

static uint32_t tx_room_8250(struct uart *uart)
{
    return (reg_read(uart, REG_LSR) & LSR_THR_EMPTY) != 0 ? uart->fifo_bytes : 0;
}

static void tx_put_8250(struct uart *uart, char c)
{
    reg_write(uart, REG_THR, (uint8_t)c);
}

static void set_irqs_8250(struct uart *uart, bool rx, bool tx)
{
    reg_write(uart, REG_IER, (rx ? (uint32_t)IER_RX : 0) | (tx ? (uint32_t)IER_TX : 0));
}

// Takes the received characters. RBR is read only while LSR says that there is one: reading an
// empty FIFO can be answered with a bus error by the DesignWare UART.
static void rx_drain(struct uart *uart)
{
    for (uint32_t count = 0; count < RX_BURST; count++) {
        uint32_t lsr = reg_read(uart, REG_LSR);
        if ((lsr & (LSR_OVERRUN | LSR_BAD_CHAR)) != 0) {
            uart->rx_errors++;
        }
        if ((lsr & LSR_DATA_READY) == 0) {
            return;
        }
        char c = (char)reg_read(uart, REG_RBR);
        if ((lsr & LSR_BAD_CHAR) == 0) {
            uart_rx_deliver(uart, c);
        }
    }
}

static void service_8250(struct uart *uart)
{
    for (uint32_t pass = 0; pass < SERVICE_PASSES; pass++) {
        uint32_t id = reg_read(uart, REG_IIR) & IIR_ID_MASK;
        if (id == IIR_BUSY_DETECT && uart->config.kind == UART_KIND_DW_APB) {
            reg_read(uart, REG_USR); // the only thing that clears it
            continue;
        }
        if ((id & IIR_NONE) != 0) {
            break;
        }
        if (id == IIR_MODEM) {
            reg_read(uart, REG_MSR);
        } else if (id == IIR_RX_TIMEOUT && (reg_read(uart, REG_LSR) & LSR_DATA_READY) == 0) {
            reg_read(uart, REG_RBR); // a timeout without data ends only with a read
        } else if (id == IIR_TX_EMPTY) {
            break; // reading IIR has cleared it; the caller refills the transmitter
        } else {
            rx_drain(uart);
        }
    }
    rx_drain(uart);
}

const struct uart_ops uart_8250_ops = {
    .init = init_8250,
    .tx_room = tx_room_8250,
    .tx_put = tx_put_8250,
    .tx_idle = tx_idle_8250,
    .set_irqs = set_irqs_8250,
    .service = service_8250,
};
