#include "kernel/lib/panic.h"

#include "arch/arch.h"
#include "kernel/lib/log.h"

static uint32_t panicking_hart; /* index + 1 of the first hart that panicked */
static const struct panic_hooks *hooks;

void panic_set_hooks(const struct panic_hooks *new_hooks)
{
    hooks = new_hooks;
}

NORETURN static void stop_machine(void)
{
    if (hooks != NULL)
        hooks->stop();
    arch_irq_disable();
    for (;;)
        arch_wait_for_interrupt();
}

void panic(const char *fmt, ...)
{
    uint32_t nobody = 0, self = arch_hart_index() + 1;
    char text[256];
    va_list args;

    arch_irq_disable();
    if (!__atomic_compare_exchange_n(&panicking_hart, &nobody, self, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)) {
        if (nobody == self)
            stop_machine(); /* the panic's own output went wrong */
        for (;;) {          /* another hart is printing and will stop this one */
            arch_ipi_poll();
            arch_cpu_relax();
        }
    }
    va_start(args, fmt);
    kernel_vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    arch_halt_others();
    if (hooks != NULL)
        hooks->enter();
    log_enter_panic();
    kprintf("KERNEL PANIC on hart %u: %s", self - 1, text);
    arch_print_state();
    kprintf("KERNEL PANIC: the machine stops here");
    stop_machine();
}
