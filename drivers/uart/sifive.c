// SiFive UART, binding sifive,uart0.
//
// Source: SiFive FU540-C000 Manual v1p4, chapter 13 "Universal Asynchronous Receiver/Transmitter".
#include "arch/arch.h"
#include "drivers/uart/uart_internal.h"
#include "kernel/lib/bits.h"

// Register offsets in bytes, 32-bit accesses only (table 13.2).
#define REG_TXDATA 0x00u
#define REG_RXDATA 0x04u
#define REG_TXCTRL 0x08u
#define REG_RXCTRL 0x0cu
#define REG_IE     0x10u
#define REG_IP     0x14u
// The divisor register at 0x18 is never written: the firmware's baud rate stays.

#define TXDATA_FULL  BIT(31)
#define RXDATA_EMPTY BIT(31)

#define TXCTRL_ENABLE   BIT(0)
#define TXCTRL_STOP     BIT(1)       // number of stop bits, kept
#define TXCTRL_COUNT(n) ((n) << 16u) // interrupt while fewer than n entries are queued

#define RXCTRL_ENABLE   BIT(0)
#define RXCTRL_COUNT(n) ((n) << 16u) // interrupt while more than n entries are queued

#define IRQ_TX BIT(0) // transmit watermark, in ie and ip
#define IRQ_RX BIT(1) // receive watermark

#define FIFO_BYTES 8u   // both directions
#define RX_BURST   256u // characters taken in one call

static uint32_t reg_read(const struct uart *uart, uint32_t reg)
{
    return arch_mmio_read32(uart->regs + reg);
}

static void reg_write(const struct uart *uart, uint32_t reg, uint32_t value)
{
    arch_mmio_write32(uart->regs + reg, value);
}

static zx_status_t init_sifive(struct uart *uart)
{
    uart->fifo_bytes = FIFO_BYTES;
    reg_write(uart, REG_IE, 0);
    uint32_t stop = reg_read(uart, REG_TXCTRL) & (uint32_t)TXCTRL_STOP;
    reg_write(uart, REG_TXCTRL, (uint32_t)TXCTRL_ENABLE | stop | TXCTRL_COUNT(1u));
    reg_write(uart, REG_RXCTRL, (uint32_t)RXCTRL_ENABLE | RXCTRL_COUNT(0u));
    return ZX_OK;
}

static uint32_t tx_room_sifive(struct uart *uart)
{
    return (reg_read(uart, REG_TXDATA) & TXDATA_FULL) == 0 ? 1 : 0;
}

static void tx_put_sifive(struct uart *uart, char c)
{
    reg_write(uart, REG_TXDATA, (uint8_t)c);
}

// The queue is empty when the watermark of 1 is pending. The shift register cannot be observed.
static bool tx_idle_sifive(struct uart *uart)
{
    return (reg_read(uart, REG_IP) & IRQ_TX) != 0;
}

static void set_irqs_sifive(struct uart *uart, bool rx, bool tx)
{
    reg_write(uart, REG_IE, (rx ? (uint32_t)IRQ_RX : 0) | (tx ? (uint32_t)IRQ_TX : 0));
}

static void service_sifive(struct uart *uart)
{
    for (uint32_t count = 0; count < RX_BURST; count++) {
        uint32_t value = reg_read(uart, REG_RXDATA); // reading takes the character
        if ((value & RXDATA_EMPTY) != 0) {
            return;
        }
        uart_rx_deliver(uart, (char)value);
    }
}

const struct uart_ops uart_sifive_ops = {
    .init = init_sifive,
    .tx_room = tx_room_sifive,
    .tx_put = tx_put_sifive,
    .tx_idle = tx_idle_sifive,
    .set_irqs = set_irqs_sifive,
    .service = service_sifive,
};
