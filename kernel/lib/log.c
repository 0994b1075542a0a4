#include "kernel/lib/log.h"

#include "arch/arch.h"

static struct {
    uint32_t lock;
    bool in_panic;
    printf_sink sink;
    void *ctx;
    uint64_t (*now_us)(void);
    char line[LOG_LINE_BYTES];
} the_log;

/* kernel/sync is above this folder, so the log has a lock of its own: innermost, never nested. */
static void log_lock(void)
{
    while (!the_log.in_panic && __atomic_exchange_n(&the_log.lock, 1, __ATOMIC_ACQUIRE) != 0) {
        arch_ipi_poll();
        arch_cpu_relax();
    }
}

static void log_unlock(void)
{
    __atomic_store_n(&the_log.lock, 0, __ATOMIC_RELEASE);
}

static void log_line_locked(const char *fmt, va_list args)
{
    uint64_t us = the_log.now_us != NULL ? the_log.now_us() : 0;
    int used = kernel_snprintf(the_log.line, sizeof(the_log.line), "[%5lu.%06lu] ",
                               (unsigned long)(us / 1000000), (unsigned long)(us % 1000000));
    int room = LOG_LINE_BYTES - used;
    int len = kernel_vsnprintf(the_log.line + used, (size_t)room, fmt, args);
    used += MIN(len, room - 2);
    the_log.line[used++] = '\n';
    the_log.sink(the_log.ctx, the_log.line, (size_t)used);
}

void kprintf(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    irq_state_t irq = arch_irq_save();
    log_lock();
    if (the_log.sink != NULL)
        log_line_locked(fmt, args);
    log_unlock();
    arch_irq_restore(irq);
    va_end(args);
}

void log_set_output(printf_sink sink, void *ctx)
{
    irq_state_t irq = arch_irq_save();
    log_lock();
    the_log.sink = sink;
    the_log.ctx = ctx;
    log_unlock();
    arch_irq_restore(irq);
}

void log_set_clock(uint64_t (*now_us)(void))
{
    the_log.now_us = now_us;
}

void log_enter_panic(void)
{
    the_log.in_panic = true;
}
