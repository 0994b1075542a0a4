// What all serial ports share: the transmit ring, waiting, and switching between polled and
// interrupt-driven output.
#include "drivers/uart/uart.h"

#include "drivers/uart/uart_internal.h"

zx_status_t uart_init(struct uart *uart, const struct uart_config *config, volatile void *mmio)
{
    if (!uart_config_is_valid(config)) {
        return ZX_ERR_NOT_SUPPORTED;
    }
    *uart = (struct uart){
        .config = *config,
        .regs = (volatile uint8_t *)mmio + config->reg_offset,
        .ops = config->kind == UART_KIND_SIFIVE ? &uart_sifive_ops : &uart_8250_ops,
        .fifo_bytes = 1,
    };
    return uart->ops->init(uart);
}

void uart_rx_deliver(struct uart *uart, char c)
{
    if (uart->rx != NULL) {
        uart->rx(uart->rx_ctx, c);
    }
}

static uint32_t ring_used(const struct uart *uart)
{
    // A ring that was caught in the middle of an update (panic) must not be overrun.
    uint32_t used = uart->tx_head - uart->tx_tail;
    return used <= UART_TX_RING_BYTES ? used : 0;
}

static char ring_take(struct uart *uart)
{
    return uart->tx_ring[uart->tx_tail++ % UART_TX_RING_BYTES];
}

static void tx_irq_set(struct uart *uart, bool on)
{
    if (uart->tx_irq != on) {
        uart->tx_irq = on;
        uart->ops->set_irqs(uart, true, on);
    }
}

// Moves bytes from the ring to the device as far as it takes them, without waiting; the transmit
// interrupt is on exactly while bytes remain.
static void tx_fill(struct uart *uart)
{
    uint32_t used = ring_used(uart);
    while (used > 0) {
        uint32_t room = MIN(uart->ops->tx_room(uart), used);
        if (room == 0) {
            break;
        }
        for (uint32_t i = 0; i < room; i++) {
            uart->ops->tx_put(uart, ring_take(uart));
        }
        used -= room;
    }
    if (uart->interrupts && !uart->synchronous) {
        tx_irq_set(uart, used > 0);
    }
}

// Waits for room in the transmitter. After one failure the device counts as dead and is asked once
// per byte only, so that a missing UART does not stop the system.
static uint32_t tx_wait(struct uart *uart)
{
    uint32_t polls = uart->dead ? 1 : UART_POLL_LIMIT;
    for (; polls > 0; polls--) {
        uint32_t room = uart->ops->tx_room(uart);
        if (room > 0) {
            uart->dead = false;
            return room;
        }
    }
    uart->dead = true;
    return 0;
}

static void write_polled(struct uart *uart, const char *text, size_t len_bytes)
{
    while (len_bytes > 0) {
        size_t room = tx_wait(uart);
        if (room == 0) {
            uart->tx_dropped++;
            text++;
            len_bytes--;
            continue;
        }
        size_t count = MIN(room, len_bytes);
        for (size_t i = 0; i < count; i++) {
            uart->ops->tx_put(uart, text[i]);
        }
        text += count;
        len_bytes -= count;
    }
}

// Empties the ring by polling.
static void ring_drain(struct uart *uart)
{
    while (ring_used(uart) > 0) {
        char c = ring_take(uart);
        write_polled(uart, &c, 1);
    }
}

static bool uses_ring(const struct uart *uart)
{
    return uart->interrupts && !uart->synchronous;
}

static size_t ring_put(struct uart *uart, const char *text, size_t len_bytes)
{
    size_t count = MIN((size_t)(UART_TX_RING_BYTES - ring_used(uart)), len_bytes);
    for (size_t i = 0; i < count; i++) {
        uart->tx_ring[(uart->tx_head + i) % UART_TX_RING_BYTES] = text[i];
    }
    uart->tx_head += (uint32_t)count;
    return count;
}

void uart_write(struct uart *uart, const char *text, size_t len_bytes)
{
    if (!uses_ring(uart)) {
        write_polled(uart, text, len_bytes);
        return;
    }
    for (;;) {
        size_t count = ring_put(uart, text, len_bytes);
        tx_fill(uart);
        text += count;
        len_bytes -= count;
        if (len_bytes == 0) {
            return;
        }
        char c = ring_take(uart); // the ring is full: wait for one place
        write_polled(uart, &c, 1);
    }
}

size_t uart_try_write(struct uart *uart, const char *text, size_t len_bytes)
{
    if (uses_ring(uart)) {
        size_t count = ring_put(uart, text, len_bytes);
        tx_fill(uart);
        return count;
    }
    size_t count = MIN((size_t)uart->ops->tx_room(uart), len_bytes);
    for (size_t i = 0; i < count; i++) {
        uart->ops->tx_put(uart, text[i]);
    }
    return count;
}

size_t uart_write_room(struct uart *uart)
{
    return uses_ring(uart) ? UART_TX_RING_BYTES - ring_used(uart) : uart->ops->tx_room(uart);
}

void uart_enable_irq(struct uart *uart, void (*rx)(void *ctx, char c), void *ctx)
{
    uart->rx = rx;
    uart->rx_ctx = ctx;
    uart->interrupts = true;
    uart->tx_irq = false;
    uart->ops->set_irqs(uart, true, false);
}

void uart_irq(struct uart *uart)
{
    uart->ops->service(uart);
    if (uses_ring(uart)) {
        tx_fill(uart);
    }
}

void uart_poll(struct uart *uart)
{
    uart_irq(uart);
}

void uart_set_synchronous(struct uart *uart)
{
    if (uart->synchronous || uart->ops == NULL) {
        return;
    }
    uart->synchronous = true;
    uart->ops->set_irqs(uart, false, false);
    ring_drain(uart);
}

void uart_flush(struct uart *uart)
{
    if (uart->ops == NULL) {
        return;
    }
    ring_drain(uart);
    for (uint32_t polls = UART_POLL_LIMIT; polls > 0 && !uart->ops->tx_idle(uart); polls--) {
    }
}
