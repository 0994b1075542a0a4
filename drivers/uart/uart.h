// Serial ports: one interface over the 8250 family and the SiFive UART.
//
// The caller serialises: every function on one struct uart, uart_irq included, is called with the
// same lock held and interrupts off (the console's spinlock). Nothing here sleeps, and every wait
// for the device is bounded. Line settings (baud, parity) stay as the firmware left them. Bytes go
// out as given; turning \n into \r\n is the console's business.
#pragma once

#include <stdbool.h>
#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/lib/compiler.h"

enum uart_kind {
    UART_KIND_NONE,
    UART_KIND_8250,   // ns16550a and what is compatible with it
    UART_KIND_DW_APB, // Synopsys DesignWare APB UART: an 8250 with busy detection
    UART_KIND_SIFIVE, // sifive,uart0
};

// Where a port is and how its registers are laid out.
struct uart_config {
    enum uart_kind kind;
    paddr_t base;            // physical address of the register window
    uint64_t size_bytes;     // of the window
    uint32_t reg_offset;     // bytes from base to the first register
    uint32_t reg_shift;      // registers are 1 << reg_shift bytes apart
    uint32_t io_width_bytes; // width of one access: 1, 2 or 4
    uint32_t clock_hz;       // input clock, 0 when the tree does not say; informative
    uint32_t irq;            // interrupt source at its controller, 0 when there is none
};

#define UART_TX_RING_BYTES 4096u // a power of two

struct uart;

// What a driver supplies to the common code in uart.c.
struct uart_ops {
    // Brings the device to: FIFOs on, its interrupts off, receiver and transmitter on.
    zx_status_t (*init)(struct uart *uart);
    // Number of bytes that tx_put may be called for right now; 0 when the transmitter is full.
    uint32_t (*tx_room)(struct uart *uart);
    void (*tx_put)(struct uart *uart, char c);
    // True when the last bit has left the transmitter, as far as the device can tell.
    bool (*tx_idle)(struct uart *uart);
    void (*set_irqs)(struct uart *uart, bool rx, bool tx);
    // Clears the causes of an interrupt and hands received bytes to uart_rx_deliver.
    void (*service)(struct uart *uart);
};

struct uart {
    struct uart_config config;
    volatile uint8_t *regs;
    const struct uart_ops *ops;
    uint32_t fifo_bytes; // of the transmitter

    void (*rx)(void *ctx, char c);
    void *rx_ctx;

    bool interrupts;  // uart_enable_irq was called: transmission goes through the ring
    bool synchronous; // uart_set_synchronous was called: it does not
    bool tx_irq;      // transmit interrupt is on
    bool dead;        // did not become ready within its time; no further waiting for it

    uint32_t tx_head; // bytes ever put into the ring; modulo 2^32
    uint32_t tx_tail; // bytes ever taken out
    char tx_ring[UART_TX_RING_BYTES];

    uint64_t tx_dropped; // bytes given up because the device was dead
    uint64_t rx_errors;  // framing, parity, break, overrun
};

// True when a driver exists for the configuration and its register window is large enough.
bool uart_config_is_valid(const struct uart_config *config);

// Prepares the port for polled output. `mmio` maps config->size_bytes bytes at config->base and
// stays mapped; the configuration is copied. ZX_ERR_NOT_SUPPORTED when uart_config_is_valid says
// no, ZX_ERR_IO when the port cannot be brought to a state that is safe to use. Waits, bounded, for
// what the firmware still has in the transmitter.
zx_status_t uart_init(struct uart *uart, const struct uart_config *config, volatile void *mmio);

// Turns interrupts on at the device: from now on writes go to the ring and uart_irq must be called
// for each interrupt. Received bytes are handed to rx(ctx, c), from uart_irq, under the caller's
// lock; `rx` may be null (input is dropped). `ctx` is borrowed.
void uart_enable_irq(struct uart *uart, void (*rx)(void *ctx, char c), void *ctx);

// Sends `len_bytes` bytes. With interrupts on it copies to the ring, and only waits for the device
// when the ring is full; otherwise it waits for the device to take each byte.
void uart_write(struct uart *uart, const char *text, size_t len_bytes);

// Like uart_write but never waits: returns how many bytes were taken, from the start of `text`.
size_t uart_try_write(struct uart *uart, const char *text, size_t len_bytes);

// Bytes that uart_try_write would take now.
size_t uart_write_room(struct uart *uart);

// Interrupt handler: receives what there is and refills the transmitter from the ring.
void uart_irq(struct uart *uart);

// Receives without an interrupt, for ports that have none; same effect as uart_irq.
void uart_poll(struct uart *uart);

// Sends what is in the ring, then makes every later write wait for the device, with interrupts of
// the device off. There is no way back: for panics. May be called with the lock held by nobody, on
// whatever state the ring is in.
void uart_set_synchronous(struct uart *uart);

// Waits, bounded, until everything written has left the wire: before powering off.
void uart_flush(struct uart *uart);
