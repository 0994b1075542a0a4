#include "kernel/devices.h"

#include "arch/mmu.h"
#include "drivers/clock/gate.h"
#include "drivers/power/sifive_test.h"
#include "drivers/random/trng.h"
#include "drivers/watchdog/sp805.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/object/console.h"
#include "kernel/object/power.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/timer.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/lock_rank.h"

/* Guarded by the console's lock (kernel/object/console.h). */
static struct uart uart;
static bool has_uart;

static struct plic *plics[BOOT_MAX_PLICS];
static struct plic plic_storage[BOOT_MAX_PLICS];

/* Where a hart's external interrupts come from; NULL: nowhere. */
static struct {
    struct plic *plic;
    uint32_t context;
} hart_contexts[MAX_HARTS];

/* The console's interrupt goes to the first hart that comes up at the console's PLIC: a machine
 * with a PLIC for each NUMA node may boot on a hart of another node. */
static uint32_t console_wants_hart;

static volatile void *test_device;

/* ---- Console ---- */

static void write_uart(void *ctx, const char *text, size_t len_bytes)
{
    (void)ctx;
    uart_write(&uart, text, len_bytes);
}

static void write_firmware(void *ctx, const char *text, size_t len_bytes)
{
    (void)ctx;
    arch_early_console_write(text, len_bytes);
}

void devices_start_early_console(void)
{
    console_set_output(write_firmware, NULL);
    log_set_output(console_write_log, NULL);
}

void devices_start_console(const struct boot_info *info)
{
    const struct uart_config *config = &info->console.uart;

    if (config->kind == UART_KIND_NONE) {
        kprintf("console: the firmware's, output only");
        return;
    }
    volatile void *mmio = arch_mmio_map(config->base, config->size_bytes);
    if (mmio == NULL || uart_init(&uart, config, mmio) != ZX_OK) {
        kprintf("console: UART at %#lx unusable, staying with the firmware's", config->base);
        return;
    }
    has_uart = true;
    console_set_output(write_uart, NULL);
    kprintf("console: UART at %#lx, interrupt %u", config->base, config->irq);
}

static void receive(void *ctx, char c)
{
    (void)ctx;
    console_input_locked(c);
}

static void service_uart(void *ctx)
{
    (void)ctx;
    uart_irq(&uart);
}

static void console_interrupt(void *ctx, uint32_t irq)
{
    (void)irq;
    console_with_lock(service_uart, ctx);
}

static void enable_uart_interrupts(void *ctx)
{
    (void)ctx;
    uart_enable_irq(&uart, receive, NULL);
}

static void flush_uart(void *ctx)
{
    (void)ctx;
    uart_flush(&uart);
}

/* ---- Interrupts ---- */

static void start_plics(const struct boot_info *info)
{
    for (uint32_t i = 0; i < info->plic_count; i++) {
        const struct plic_config *config = &info->plics[i].config;
        volatile void *mmio = arch_mmio_map(config->base, config->size_bytes);
        if (mmio == NULL || plic_init(&plic_storage[i], config, mmio) != ZX_OK) {
            kprintf("plic: controller at %#lx unusable", config->base);
            continue;
        }
        plics[i] = &plic_storage[i];
        kprintf("plic: %u sources, %u contexts at %#lx", config->source_count,
                config->context_count, config->base);
    }
}

static void route_console(const struct boot_info *info, const struct boot_hart *hart)
{
    if (hart->plic != info->console.plic || atomic_exchange(&console_wants_hart, 0) == 0)
        return;
    (void)plic_enable(plics[hart->plic], hart->plic_context, info->console.uart.irq);
}

void devices_init_hart(const struct boot_info *info, uint64_t hart_id)
{
    for (uint32_t i = 0; i < info->hart_count; i++) {
        const struct boot_hart *hart = &info->harts[i];
        if (hart->id != hart_id || hart->plic >= info->plic_count || plics[hart->plic] == NULL)
            continue;
        struct plic *plic = plics[hart->plic];
        if (plic_init_context(plic, hart->plic_context) != ZX_OK)
            continue;
        hart_contexts[arch_hart_index()].context = hart->plic_context;
        hart_contexts[arch_hart_index()].plic = plic;
        route_console(info, hart);
    }
}

static void start_console_interrupt(const struct boot_info *info)
{
    uint32_t irq = info->console.uart.irq;
    struct plic *plic = info->console.plic < info->plic_count ? plics[info->console.plic] : NULL;

    if (!has_uart || irq == 0 || plic == NULL) {
        kprintf("console: no interrupt, so no input");
        return;
    }
    if (plic_set_handler(plic, irq, console_interrupt, NULL) != ZX_OK) {
        kprintf("console: interrupt %u out of range, so no input", irq);
        return;
    }
    console_with_lock(enable_uart_interrupts, NULL);
    atomic_store(&console_wants_hart, 1);
}

void devices_start_interrupts(const struct boot_info *info)
{
    start_plics(info);
    start_console_interrupt(info);
    devices_init_hart(info, info->harts[info->boot_hart].id);
    if (atomic_load(&console_wants_hart) != 0)
        kprintf("console: no input before a hart of its interrupt controller is up");
}

void upcall_external_interrupt(void)
{
    unsigned hart = arch_hart_index();

    if (hart_contexts[hart].plic == NULL)
        return;
    unsigned ranks = lock_rank_enter_interrupt();
    uint32_t unknown = plic_dispatch(hart_contexts[hart].plic, hart_contexts[hart].context);
    lock_rank_exit_interrupt(ranks);
    if (unknown != 0)
        kprintf("plic: interrupt %u has no handler, turned off", unknown);
}

/* ---- Randomness ---- */

/* Maps a device and the controller of its clocks; false without either. */
static bool map_gated(const struct boot_device *device, uint64_t bytes_used,
                      const struct clock_gate *gate, volatile void **regs,
                      volatile void **gate_regs)
{
    if (device->size_bytes < bytes_used || !clock_gate_is_valid(gate))
        return false;
    *gate_regs = arch_mmio_map(gate->base, gate->size_bytes);
    *regs = arch_mmio_map(device->base, device->size_bytes);
    return *gate_regs != NULL && *regs != NULL;
}

bool devices_read_random(const struct boot_info *info, void *out, size_t len_bytes)
{
    volatile void *regs, *gate_regs;

    if (!map_gated(&info->trng, TRNG_WINDOW_BYTES, &info->trng_gate, &regs, &gate_regs))
        return false;
    /* Said first: what can go wrong here on a machine that is not quite as described is a bus that
     * does not answer, and then this is the last line. */
    kprintf("random: generator at %#lx", info->trng.base);
    volatile void *bus_regs = arch_mmio_map(info->trng_bus.base, info->trng_bus.size_bytes);
    zx_status_t status = ZX_ERR_NO_MEMORY;
    if (bus_regs != NULL && clock_gate_is_valid(&info->trng_bus))
        status = clock_gate_open(&info->trng_bus, bus_regs);
    if (status == ZX_OK)
        status = clock_gate_open(&info->trng_gate, gate_regs);
    if (status == ZX_OK)
        status = trng_read(regs, out, len_bytes);
    if (status != ZX_OK)
        kprintf("random: the generator does not work (%d)", status);
    return status == ZX_OK;
}

/* ---- Watchdog ---- */

#define WATCHDOG_FEED_MIN_NS ZX_MSEC(10)
#define WATCHDOG_FEED_MAX_NS ZX_SEC(1)

static volatile void *watchdog;
static zx_duration_t watchdog_feed_ns;

static void feed_watchdog(struct timer *timer, void *ctx)
{
    (void)ctx;
    sp805_feed(watchdog);
    timer_set(timer, clock_monotonic_ns() + watchdog_feed_ns);
}

void devices_start_watchdog(const struct boot_info *info)
{
    static struct timer timer;
    volatile void *gate_regs;

    if (!map_gated(&info->watchdog, SP805_WINDOW_BYTES, &info->watchdog_gate, &watchdog,
                   &gate_regs) ||
        !clock_gate_is_open(&info->watchdog_gate, gate_regs) || !sp805_is_running(watchdog))
        return;
    zx_duration_t half = (zx_duration_t)sp805_period_ns(watchdog, info->watchdog_hz) / 2;
    watchdog_feed_ns = MAX(WATCHDOG_FEED_MIN_NS, MIN(half, WATCHDOG_FEED_MAX_NS));
    kprintf("watchdog: the firmware has started it, fed every %ld ms", watchdog_feed_ns / 1000000);
    timer_init(&timer, feed_watchdog, NULL);
    irq_state_t irq = arch_irq_save();
    feed_watchdog(&timer, NULL);
    arch_irq_restore(irq);
}

/* ---- Power ---- */

static void stop_machine(enum power_action action, uint8_t status)
{
    if (has_uart)
        console_with_lock(flush_uart, NULL);
    if (test_device != NULL && action == POWER_OFF)
        sifive_test_exit(test_device, status);
    arch_power(action);
    if (test_device != NULL)
        sifive_test_reset(test_device);
}

/* ---- Panic ---- */

static void enter_panic(void)
{
    console_enter_panic();
    if (has_uart)
        uart_set_synchronous(&uart);
}

static void stop_after_panic(void)
{
    if (has_uart)
        uart_flush(&uart);
    if (test_device != NULL)
        sifive_test_exit(test_device, 1);
}

static const struct panic_hooks panic_hooks = {.enter = enter_panic, .stop = stop_after_panic};

void devices_start_early_power(const struct boot_info *info)
{
    struct ram_range window = arch_ram_window();

    if (info->test.size_bytes >= 4 && info->test.base >= window.base &&
        info->test.base - window.base <= window.len_bytes - info->test.size_bytes)
        test_device = phys_to_virt(info->test.base);
    panic_set_hooks(&panic_hooks);
}

void devices_stop_early_power(void)
{
    test_device = NULL;
}

void devices_start_power(const struct boot_info *info)
{
    if (info->test.size_bytes >= 4)
        test_device = arch_mmio_map(info->test.base, info->test.size_bytes);
    power_set_hook(stop_machine);
    panic_set_hooks(&panic_hooks);
}
