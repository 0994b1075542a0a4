#include "kernel/lib/panic.h"

#include "arch/arch.h"
#include "kernel/devices.h"
#include "kernel/lib/log.h"
#include "kernel/sync/atomic.h"

static uint32_t panicking_hart; /* index + 1 of the first hart that panicked */

NORETURN static void stop_machine(void)
{
    devices_stop_after_panic();
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
    if (!atomic_cas(&panicking_hart, &nobody, self)) {
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
    devices_enter_panic();
    log_enter_panic();
    kprintf("KERNEL PANIC on hart %u: %s", self - 1, text);
    arch_print_state();
    kprintf("KERNEL PANIC: the machine stops here");
    stop_machine();
}
