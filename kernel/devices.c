#include "kernel/devices.h"

#include "arch/mmu.h"
#include "drivers/power/sifive_test.h"
#include "kernel/lib/log.h"
#include "kernel/panic.h"
#include "kernel/sync/spinlock.h"

#define RX_BATCH 64

static struct {
    struct spinlock lock; /* guards uart and rx; innermost but for nothing */
    struct uart uart;
    bool has_uart;
    void (*input)(char c);
    char rx[RX_BATCH]; /* received under the lock, delivered after it */
    uint32_t count_rx;
} console = {.lock = SPINLOCK_INIT(LOCK_RANK_CONSOLE)};

static struct plic *plics[BOOT_MAX_PLICS];
static struct plic plic_storage[BOOT_MAX_PLICS];

/* Where a hart's external interrupts come from; NULL: nowhere. */
static struct {
    struct plic *plic;
    uint32_t context;
} hart_contexts[MAX_HARTS];

static volatile void *test_device;

/* ---- Console ---- */

static void write_locked(const char *text, size_t len_bytes)
{
    size_t from = 0;

    for (size_t i = 0; i < len_bytes; i++) {
        if (text[i] != '\n')
            continue;
        uart_write(&console.uart, text + from, i - from);
        uart_write(&console.uart, "\r\n", 2);
        from = i + 1;
    }
    uart_write(&console.uart, text + from, len_bytes - from);
}

void devices_console_write(const char *text, size_t len_bytes)
{
    if (!console.has_uart) {
        arch_early_console_write(text, len_bytes);
        return;
    }
    irq_state_t irq = spin_lock_irqsave(&console.lock);
    write_locked(text, len_bytes);
    spin_unlock_irqrestore(&console.lock, irq);
}

static void log_sink(void *ctx, const char *text, size_t len_bytes)
{
    (void)ctx;
    devices_console_write(text, len_bytes);
}

/* Panics write past the lock: whoever holds it will not run again. */
static void panic_sink(void *ctx, const char *text, size_t len_bytes)
{
    (void)ctx;
    if (!console.has_uart) {
        arch_early_console_write(text, len_bytes);
        return;
    }
    uart_set_synchronous(&console.uart);
    write_locked(text, len_bytes);
}

void devices_start_console(const struct boot_info *info)
{
    const struct uart_config *config = &info->console.uart;

    panic_set_output(panic_sink, NULL);
    if (config->kind == UART_KIND_NONE) {
        kprintf("console: the firmware's, output only");
        return;
    }
    volatile void *mmio = arch_mmio_map(config->base, config->size_bytes);
    if (mmio == NULL || uart_init(&console.uart, config, mmio) != ZX_OK) {
        kprintf("console: UART at %#lx unusable, staying with the firmware's", config->base);
        return;
    }
    console.has_uart = true;
    log_set_output(log_sink, NULL);
    kprintf("console: UART at %#lx, interrupt %u", config->base, config->irq);
}

static void receive_locked(void *ctx, char c)
{
    (void)ctx;
    if (console.count_rx < RX_BATCH)
        console.rx[console.count_rx++] = c;
}

static void console_interrupt(void *ctx, uint32_t irq_number)
{
    char received[RX_BATCH];
    uint32_t count;

    (void)ctx;
    (void)irq_number;
    irq_state_t irq = spin_lock_irqsave(&console.lock);
    console.count_rx = 0;
    uart_irq(&console.uart);
    count = console.count_rx;
    for (uint32_t i = 0; i < count; i++)
        received[i] = console.rx[i];
    spin_unlock_irqrestore(&console.lock, irq);
    for (uint32_t i = 0; i < count; i++)
        console.input(received[i]);
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
    }
}

void devices_start_interrupts(const struct boot_info *info, void (*input)(char c))
{
    uint32_t irq = info->console.uart.irq;

    start_plics(info);
    devices_init_hart(info, info->harts[info->boot_hart].id);
    struct plic *plic = hart_contexts[0].plic;
    if (!console.has_uart || irq == 0 || plic == NULL ||
        info->console.plic != info->harts[info->boot_hart].plic) {
        kprintf("console: no interrupt, so no input");
        return;
    }
    console.input = input;
    if (plic_set_handler(plic, irq, console_interrupt, NULL) != ZX_OK) {
        kprintf("console: interrupt %u out of range, so no input", irq);
        return;
    }
    irq_state_t state = spin_lock_irqsave(&console.lock);
    uart_enable_irq(&console.uart, receive_locked, NULL);
    spin_unlock_irqrestore(&console.lock, state);
    (void)plic_enable(plic, hart_contexts[0].context, irq);
}

void upcall_external_interrupt(void)
{
    unsigned hart = arch_hart_index();

    if (hart_contexts[hart].plic == NULL)
        return;
    uint32_t unknown = plic_dispatch(hart_contexts[hart].plic, hart_contexts[hart].context);
    if (unknown != 0)
        kprintf("plic: interrupt %u has no handler, turned off", unknown);
}

/* ---- Power ---- */

/* Lets the last words leave the wire. */
static void flush_console(void)
{
    if (console.has_uart)
        uart_flush(&console.uart);
}

static void stop_after_panic(void)
{
    flush_console();
    if (test_device != NULL)
        sifive_test_exit(test_device, 1);
}

void devices_start_power(const struct boot_info *info)
{
    if (info->test.size_bytes >= 4)
        test_device = arch_mmio_map(info->test.base, info->test.size_bytes);
    panic_set_stop(stop_after_panic);
}

void devices_power_off(uint8_t status)
{
    irq_state_t irq = arch_irq_save();

    flush_console();
    if (test_device != NULL)
        sifive_test_exit(test_device, status);
    arch_power(POWER_OFF);
    arch_irq_restore(irq);
}

void devices_reboot(void)
{
    irq_state_t irq = arch_irq_save();

    flush_console();
    arch_power(POWER_REBOOT);
    if (test_device != NULL)
        sifive_test_reset(test_device);
    arch_irq_restore(irq);
}
