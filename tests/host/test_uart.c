// The serial drivers against register-level models of the 8250, the DesignWare UART and the SiFive
// UART. The models complain about everything that real devices punish: accesses of the wrong width,
// a full transmitter written to, an empty receiver read, a changed baud rate.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "arch/arch.h"
#include "drivers/uart/uart.h"

#define FIFO_8250   16u
#define FIFO_SIFIVE 8u
#define WIRE_BYTES  32768u

// The device, and the wire on both sides of it. Time passes with every register access: every
// `ticks_per_char` accesses one character leaves the transmitter.
static struct {
    struct uart_config config;
    uint32_t fifo_bytes;
    uint32_t ticks_per_char;
    uint32_t ticks;
    bool stuck; // transmits nothing

    char tx_fifo[FIFO_8250];
    uint32_t tx_used;
    char wire[WIRE_BYTES]; // what was transmitted
    size_t wire_used;

    char rx_fifo[FIFO_8250];
    uint8_t rx_error[FIFO_8250]; // LSR error bits that come with it
    uint32_t rx_used;

    // 8250 and DesignWare
    uint32_t ier, lcr, mcr, fcr;
    uint32_t divisor;
    bool thre_pending;
    bool timeout_pending; // character timeout without a character
    bool busy_detect;
    uint32_t busy_reads; // reads of USR that still say busy: a character arrives
    uint32_t surprises;  // times that one begins to arrive right after USR said idle
    bool always_busy;    // the line is held down by a device without power
    uint32_t lcr_ignored;
    uint32_t usr_reads;

    // SiFive
    uint32_t txctrl, rxctrl, ie;
} dev;

static void dev_send_one(void)
{
    if (dev.tx_used == 0 || dev.stuck) {
        return;
    }
    assert_true(dev.wire_used < WIRE_BYTES);
    dev.wire[dev.wire_used++] = dev.tx_fifo[0];
    memmove(dev.tx_fifo, dev.tx_fifo + 1, --dev.tx_used);
    dev.thre_pending |= dev.tx_used == 0;
}

static void dev_tick(void)
{
    if (++dev.ticks % dev.ticks_per_char == 0) {
        dev_send_one();
    }
}

static void dev_accept(uint32_t value)
{
    assert_true(dev.tx_used < dev.fifo_bytes); // overrun of the transmitter
    dev.tx_fifo[dev.tx_used++] = (char)value;
}

static uint32_t dev_take(void)
{
    uint32_t value = (uint8_t)dev.rx_fifo[0];
    memmove(dev.rx_fifo, dev.rx_fifo + 1, --dev.rx_used);
    memmove(dev.rx_error, dev.rx_error + 1, dev.rx_used);
    return value;
}

static void dev_receive(const char *text, uint8_t error)
{
    for (; *text != 0; text++) {
        assert_true(dev.rx_used < dev.fifo_bytes);
        dev.rx_error[dev.rx_used] = error;
        dev.rx_fifo[dev.rx_used++] = *text;
    }
}

static bool is_dw(void)
{
    return dev.config.kind == UART_KIND_DW_APB;
}

// ---- 8250 registers ----

// Sending or receiving: USR says so, and LCR cannot be written.
static bool dw_is_busy(void)
{
    return is_dw() && (dev.always_busy || dev.busy_reads > 0 || dev.tx_used > 0);
}

static uint32_t ns_iir(void)
{
    uint32_t fifo = (dev.fcr & 1) != 0 ? 0xc0 : 0;
    if (dev.busy_detect) {
        return fifo | 0x7;
    }
    if ((dev.ier & 1) != 0 && dev.rx_used > 0) {
        return fifo | 0x4;
    }
    if ((dev.ier & 1) != 0 && dev.timeout_pending) {
        return fifo | 0xc;
    }
    if ((dev.ier & 2) != 0 && dev.thre_pending) {
        return fifo | 0x2;
    }
    return fifo | 0x1;
}

static uint32_t ns_read(uint32_t reg)
{
    switch (reg) {
    case 0:
        assert_int_equal(dev.lcr & 0x80, 0);
        if (dev.rx_used == 0) {
            assert_true(dev.timeout_pending); // otherwise a bus error on some devices
            dev.timeout_pending = false;
            return 0;
        }
        return dev_take();
    case 1:
        return dev.ier;
    case 2: {
        uint32_t iir = ns_iir();
        if ((iir & 0xf) == 0x2) {
            dev.thre_pending = false;
        }
        return iir;
    }
    case 3:
        return dev.lcr;
    case 4:
        return dev.mcr;
    case 5: {
        uint32_t lsr = dev.tx_used == 0 ? 0x60 : 0;
        if (dev.rx_used > 0) {
            lsr |= 0x01 | dev.rx_error[0];
        }
        return lsr;
    }
    case 6:
        return 0;
    case 0x1f:
        assert_true(is_dw());
        dev.busy_detect = false;
        dev.usr_reads++;
        if (dev.busy_reads > 0) {
            dev.busy_reads--;
            return 1;
        }
        if (dw_is_busy()) {
            return 1;
        }
        if (dev.surprises > 0) {
            dev.surprises--;
            dev.busy_reads = 3;
        }
        return 0;
    default:
        fail_msg("read of register %u", reg);
        return 0;
    }
}

static void ns_write(uint32_t reg, uint32_t value)
{
    switch (reg) {
    case 0:
        assert_int_equal(dev.lcr & 0x80, 0); // would change the baud rate
        dev.thre_pending = false;
        dev_accept(value);
        break;
    case 1:
        assert_int_equal(dev.lcr & 0x80, 0);
        dev.thre_pending |= (value & 2) != 0 && (dev.ier & 2) == 0 && dev.tx_used == 0;
        dev.ier = value;
        break;
    case 2:
        assert_int_equal(dev.tx_used, 0); // switching FIFOs loses what is in them
        dev.fcr = value;
        dev.fifo_bytes = (value & 1) != 0 ? FIFO_8250 : 1;
        break;
    case 3:
        if (dw_is_busy()) {
            dev.busy_detect = true; // ignored, and an interrupt until USR is read
            dev.lcr_ignored++;
        } else {
            dev.lcr = value;
        }
        break;
    case 4:
        dev.mcr = value;
        break;
    default:
        fail_msg("write of register %u", reg);
    }
}

// ---- SiFive registers ----

static uint32_t sifive_ip(void)
{
    uint32_t tx = dev.tx_used < ((dev.txctrl >> 16) & 7) ? 1 : 0;
    uint32_t rx = dev.rx_used > ((dev.rxctrl >> 16) & 7) ? 2 : 0;
    return tx | rx;
}

static uint32_t sifive_read(uint32_t off)
{
    switch (off) {
    case 0x00:
        return dev.tx_used == FIFO_SIFIVE ? 0x80000000u : 0;
    case 0x04:
        return dev.rx_used == 0 ? 0x80000000u : dev_take();
    case 0x08:
        return dev.txctrl;
    case 0x0c:
        return dev.rxctrl;
    case 0x14:
        return sifive_ip();
    default:
        fail_msg("read of offset %u", off);
        return 0;
    }
}

static void sifive_write(uint32_t off, uint32_t value)
{
    switch (off) {
    case 0x00:
        assert_int_equal(dev.txctrl & 1, 1);
        dev_accept(value);
        break;
    case 0x08:
        dev.txctrl = value;
        break;
    case 0x0c:
        dev.rxctrl = value;
        break;
    case 0x10:
        dev.ie = value;
        break;
    default:
        fail_msg("write of offset %u", off);
    }
}

// ---- The bus ----

static uint8_t *const window = (uint8_t *)0x10000000; // never dereferenced

static uint32_t bus_reg(const volatile void *addr, uint32_t width)
{
    assert_int_equal(width, dev.config.io_width_bytes);
    uint64_t off = (uint64_t)((const volatile uint8_t *)addr - window);
    assert_true(off >= dev.config.reg_offset && off + width <= dev.config.size_bytes);
    off -= dev.config.reg_offset;
    if (dev.config.kind == UART_KIND_SIFIVE) {
        return (uint32_t)off;
    }
    assert_int_equal(off & ((1u << dev.config.reg_shift) - 1), 0);
    return (uint32_t)(off >> dev.config.reg_shift);
}

static uint32_t bus_read(const volatile void *addr, uint32_t width)
{
    uint32_t reg = bus_reg(addr, width);
    uint32_t value = dev.config.kind == UART_KIND_SIFIVE ? sifive_read(reg) : ns_read(reg);
    dev_tick();
    return value;
}

static void bus_write(const volatile void *addr, uint32_t value, uint32_t width)
{
    uint32_t reg = bus_reg(addr, width);
    if (dev.config.kind == UART_KIND_SIFIVE) {
        sifive_write(reg, value);
    } else {
        ns_write(reg, value);
    }
    dev_tick();
}

uint32_t arch_mmio_read8(const volatile void *addr)
{
    return bus_read(addr, 1);
}

uint32_t arch_mmio_read16(const volatile void *addr)
{
    return bus_read(addr, 2);
}

uint32_t arch_mmio_read32(const volatile void *addr)
{
    return bus_read(addr, 4);
}

void arch_mmio_write8(volatile void *addr, uint32_t value)
{
    bus_write(addr, value, 1);
}

void arch_mmio_write16(volatile void *addr, uint32_t value)
{
    bus_write(addr, value, 2);
}

void arch_mmio_write32(volatile void *addr, uint32_t value)
{
    bus_write(addr, value, 4);
}

static bool irq_line(void)
{
    if (dev.config.kind == UART_KIND_SIFIVE) {
        return (sifive_ip() & dev.ie) != 0;
    }
    return (ns_iir() & 0xf) != 0x1;
}

// ---- Set-up ----

static const struct uart_config configs[] = {
    {.kind = UART_KIND_8250, .base = 0x10000000, .size_bytes = 0x100, .io_width_bytes = 1},
    {.kind = UART_KIND_8250,
     .base = 0x10000000,
     .size_bytes = 0x100,
     .reg_offset = 0x40,
     .reg_shift = 1,
     .io_width_bytes = 2},
    {.kind = UART_KIND_DW_APB,
     .base = 0x10000000,
     .size_bytes = 0x10000,
     .reg_shift = 2,
     .io_width_bytes = 4},
    {.kind = UART_KIND_DW_APB,
     .base = 0x10000000,
     .size_bytes = 0x10000,
     .reg_shift = 2,
     .io_width_bytes = 1},
    {.kind = UART_KIND_SIFIVE, .base = 0x10010000, .size_bytes = 0x1000, .io_width_bytes = 4},
};

static struct uart uart;
static char received[256];
static size_t received_used;

static void on_rx(void *ctx, char c)
{
    assert_ptr_equal(ctx, &received_used);
    assert_true(received_used < sizeof(received));
    received[received_used++] = c;
}

static void device_reset(const struct uart_config *config)
{
    memset(&dev, 0, sizeof(dev));
    dev.config = *config;
    dev.fifo_bytes = config->kind == UART_KIND_SIFIVE ? FIFO_SIFIVE : FIFO_8250;
    dev.ticks_per_char = 3;
    dev.lcr = 0x03;
    dev.ier = 0x05; // the firmware may leave interrupts on
    dev.mcr = 0x10 | 0x20;
    dev.txctrl = 0x3;
    dev.ie = 3;
    received_used = 0;
}

static void start(const struct uart_config *config)
{
    device_reset(config);
    assert_int_equal(uart_init(&uart, config, window), ZX_OK);
}

// Lets time pass until the device is quiet, with interrupts delivered.
static void run_device(void)
{
    for (uint32_t i = 0; i < 100000 && (dev.tx_used > 0 || irq_line()); i++) {
        if (irq_line()) {
            uart_irq(&uart);
        } else {
            dev_send_one();
        }
    }
    assert_false(irq_line()); // a line that stays up is an interrupt storm
    assert_int_equal(dev.tx_used, 0);
}

static char pattern(size_t i)
{
    return (char)('!' + i % 90);
}

static char text[WIRE_BYTES];

static const char *pattern_text(size_t len)
{
    for (size_t i = 0; i < len; i++) {
        text[i] = pattern(i);
    }
    return text;
}

static void check_wire(size_t len)
{
    assert_int_equal(dev.wire_used, len);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(dev.wire[i], pattern(i));
    }
}

#define FOR_EACH_CONFIG(config)                                                                    \
    for (const struct uart_config *config = configs; config < configs + ARRAY_COUNT(configs);      \
         config++)

// ---- Tests for every port ----

static void test_init(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(config)
    {
        start(config);
        assert_false(irq_line());
        assert_int_equal(dev.lcr, 0x03);
        if (config->kind == UART_KIND_SIFIVE) {
            assert_int_equal(dev.txctrl & 0x3, 0x3); // stop bits kept
            assert_int_equal(dev.rxctrl & 1, 1);
            assert_int_equal(dev.ie, 0);
        } else {
            assert_int_equal(dev.ier, 0);
            assert_int_equal(dev.mcr, 0x20 | 0x0b); // flow control kept, loopback off
        }
    }
}

static void test_polled_write(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(config)
    {
        start(config);
        uart_write(&uart, pattern_text(1000), 1000);
        uart_flush(&uart);
        check_wire(1000);
    }
}

static void test_interrupt_write(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(config)
    {
        start(config);
        dev.ticks_per_char = 1000000; // the writer must not wait
        uart_enable_irq(&uart, on_rx, &received_used);
        assert_false(irq_line());
        uart_write(&uart, pattern_text(1000), 400);
        uart_write(&uart, text + 400, 600);
        assert_int_equal(dev.wire_used, 0);
        assert_int_equal(uart_write_room(&uart), UART_TX_RING_BYTES - 1000 + dev.tx_used);
        run_device();
        check_wire(1000);
        assert_int_equal(uart_write_room(&uart), UART_TX_RING_BYTES);
        assert_int_equal(uart.tx_dropped, 0);
    }
}

static void test_write_beyond_ring(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(config)
    {
        start(config);
        uart_enable_irq(&uart, on_rx, &received_used);
        uart_write(&uart, pattern_text(3 * UART_TX_RING_BYTES), 3 * UART_TX_RING_BYTES);
        run_device();
        check_wire(3 * UART_TX_RING_BYTES);
    }
}

static void test_try_write(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(config)
    {
        start(config);
        dev.ticks_per_char = 1000000;
        uart_enable_irq(&uart, on_rx, &received_used);
        size_t sent = 0;
        pattern_text(20000);
        for (size_t taken = 1; taken > 0; sent += taken) {
            taken = uart_try_write(&uart, text + sent, 1500);
        }
        assert_int_equal(sent, UART_TX_RING_BYTES + dev.tx_used);
        assert_int_equal(uart_write_room(&uart), 0);
        run_device();
        check_wire(sent);
    }
}

static void test_receive(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(config)
    {
        start(config);
        uart_enable_irq(&uart, on_rx, &received_used);
        dev_receive("hello", 0);
        assert_true(irq_line());
        uart_irq(&uart);
        assert_false(irq_line());
        assert_int_equal(received_used, 5);
        assert_memory_equal(received, "hello", 5);
        dev_receive("p", 0);
        uart_poll(&uart);
        assert_int_equal(received_used, 6);
    }
}

static void test_receive_while_sending(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(config)
    {
        start(config);
        uart_enable_irq(&uart, on_rx, &received_used);
        dev.ticks_per_char = 1000000;
        uart_write(&uart, pattern_text(300), 300);
        dev_receive("abc", 0);
        run_device();
        assert_int_equal(received_used, 3);
        check_wire(300);
    }
}

static void test_synchronous(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(config)
    {
        start(config);
        uart_enable_irq(&uart, on_rx, &received_used);
        dev.ticks_per_char = 20;
        uart_write(&uart, pattern_text(2000), 1000);
        assert_true(dev.wire_used < 1000);
        uart_set_synchronous(&uart);
        uart_write(&uart, text + 1000, 1000);
        assert_true(dev.wire_used >= 2000 - dev.fifo_bytes);
        assert_false(irq_line());
        uart_flush(&uart);
        check_wire(2000);
    }
}

static void test_dead_device(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(config)
    {
        start(config);
        dev.stuck = true;
        uart_write(&uart, pattern_text(100), 100);
        assert_int_equal(uart.tx_dropped, 100 - dev.fifo_bytes);
        uint32_t before = dev.ticks;
        uart_write(&uart, text, 100);
        assert_true(dev.ticks - before <= 200); // it is not waited for again
        dev.stuck = false;                      // and comes back when it answers
        for (uint32_t i = 0; i < FIFO_8250; i++) {
            dev_send_one();
        }
        dev.wire_used = 0;
        uart_write(&uart, text, 100);
        uart_flush(&uart);
        check_wire(100);
    }
}

// ---- What only the 8250 family has ----

static void test_init_waits_for_firmware(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(config)
    {
        if (config->kind == UART_KIND_SIFIVE) {
            continue;
        }
        device_reset(config);
        dev.lcr = 0x83; // left in the middle of setting the baud rate
        dev.busy_reads = is_dw() ? 5 : 0;
        memcpy(dev.tx_fifo, "firmware", 8);
        dev.tx_used = 8;
        assert_int_equal(uart_init(&uart, config, window), ZX_OK);
        assert_int_equal(dev.lcr, 0x03);
        assert_false(dev.busy_detect);
        assert_int_equal(dev.wire_used, 8);
        assert_memory_equal(dev.wire, "firmware", 8);
    }
}

// A character arrives between the driver's look at USR and its write of LCR.
static void test_init_while_receiving(void **state)
{
    (void)state;
    device_reset(&configs[2]);
    dev.lcr = 0x83;
    dev.surprises = 2;
    assert_int_equal(uart_init(&uart, &configs[2], window), ZX_OK);
    assert_int_equal(dev.lcr, 0x03);
    assert_int_equal(dev.lcr_ignored, 2);
    assert_false(dev.busy_detect);
    uart_enable_irq(&uart, on_rx, &received_used);
    assert_false(irq_line());
}

// The divisor latch stays open: no other register may be written, or the baud rate is gone.
static void test_init_never_idle(void **state)
{
    (void)state;
    device_reset(&configs[2]);
    dev.lcr = 0x83;
    dev.always_busy = true;
    assert_int_equal(uart_init(&uart, &configs[2], window), ZX_ERR_IO);
    assert_int_equal(dev.lcr, 0x83);
    // With the latch closed a line that is always busy does no harm.
    device_reset(&configs[2]);
    dev.always_busy = true;
    assert_int_equal(uart_init(&uart, &configs[2], window), ZX_OK);
    assert_int_equal(dev.lcr_ignored, 0);
}

static void test_without_fifo(void **state)
{
    (void)state;
    start(&configs[0]);
    uart.fifo_bytes = 1;
    dev.fifo_bytes = 1;
    uart_write(&uart, pattern_text(50), 50);
    uart_flush(&uart);
    check_wire(50);
}

static void test_busy_detect(void **state)
{
    (void)state;
    start(&configs[2]);
    uart_enable_irq(&uart, on_rx, &received_used);
    // Somebody else (firmware's console) writes LCR while characters leave.
    dev.ticks_per_char = 1000000;
    uart_write(&uart, "abc", 3);
    assert_true(dw_is_busy());
    ns_write(3, 0x1b);
    assert_int_equal(dev.lcr, 0x03);
    assert_true(irq_line());
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ns_iir() & 0xf, 0x7); // nothing but USR ends it
        ns_read(2);
        ns_read(5);
    }
    dev_receive("x", 0);
    uint32_t before = dev.usr_reads;
    uart_irq(&uart);
    assert_int_equal(dev.usr_reads, before + 1);
    assert_false(irq_line());
    assert_int_equal(received_used, 1);
    run_device();
    assert_memory_equal(dev.wire, "abc", 3);
}

static void test_timeout_without_data(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(config)
    {
        if (config->kind == UART_KIND_SIFIVE) {
            continue;
        }
        start(config);
        uart_enable_irq(&uart, on_rx, &received_used);
        dev.timeout_pending = true;
        uart_irq(&uart);
        assert_false(irq_line());
        assert_int_equal(received_used, 0);
    }
}

static void test_line_errors(void **state)
{
    (void)state;
    start(&configs[0]);
    uart_enable_irq(&uart, on_rx, &received_used);
    dev_receive("a", 0);
    dev_receive("?", 0x10); // break
    dev_receive("?", 0x08); // framing
    dev_receive("b", 0x02); // good, but one before it was lost
    uart_irq(&uart);
    assert_int_equal(received_used, 2);
    assert_memory_equal(received, "ab", 2);
    assert_int_equal(uart.rx_errors, 3);
}

static void test_configs(void **state)
{
    (void)state;
    FOR_EACH_CONFIG(good)
    {
        assert_true(uart_config_is_valid(good));
        struct uart_config config = *good;
        config.io_width_bytes = 3;
        assert_false(uart_config_is_valid(&config));
        config = *good;
        config.size_bytes = 4;
        assert_false(uart_config_is_valid(&config));
        assert_int_equal(uart_init(&uart, &config, window), ZX_ERR_NOT_SUPPORTED);
        config = *good;
        config.reg_offset = UINT32_MAX & ~3u;
        assert_false(uart_config_is_valid(&config));
        config = *good;
        config.kind = UART_KIND_NONE;
        assert_false(uart_config_is_valid(&config));
    }
    struct uart_config config = configs[0];
    config.io_width_bytes = 4; // would touch four registers at once
    assert_false(uart_config_is_valid(&config));
    config = configs[2];
    config.size_bytes = 0x7c; // USR just outside
    assert_false(uart_config_is_valid(&config));
    static const uint32_t shifts[] = {5, 31, 63, 64, 0x400002, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_COUNT(shifts); i++) {
        config = configs[2];
        config.reg_shift = shifts[i];
        assert_false(uart_config_is_valid(&config));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_polled_write),
        cmocka_unit_test(test_interrupt_write),
        cmocka_unit_test(test_write_beyond_ring),
        cmocka_unit_test(test_try_write),
        cmocka_unit_test(test_receive),
        cmocka_unit_test(test_receive_while_sending),
        cmocka_unit_test(test_synchronous),
        cmocka_unit_test(test_dead_device),
        cmocka_unit_test(test_init_waits_for_firmware),
        cmocka_unit_test(test_init_while_receiving),
        cmocka_unit_test(test_init_never_idle),
        cmocka_unit_test(test_without_fifo),
        cmocka_unit_test(test_busy_detect),
        cmocka_unit_test(test_timeout_without_data),
        cmocka_unit_test(test_line_errors),
        cmocka_unit_test(test_configs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
