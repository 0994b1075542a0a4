#include "kernel/object/power.h"

#include "kernel/lib/log.h"

static power_hook platform_hook;

void power_set_hook(power_hook hook)
{
    platform_hook = hook;
}

void power_down(enum power_action action, uint8_t status)
{
    uint64_t boot = arch_boot_instructions();

    if (boot != 0)
        kprintf("boot: %lu instructions from the kernel's entry to user mode", boot);
    irq_state_t irq = arch_irq_save();
    if (platform_hook)
        platform_hook(action, status);
    arch_power(action);
    arch_irq_restore(irq);
    kprintf("power: neither a device nor the firmware can do that on this machine");
}
