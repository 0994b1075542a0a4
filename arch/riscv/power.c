/* Power-off and reboot. */
#include "arch/arch.h"
#include "arch/riscv/sbi.h"

void arch_power(enum power_action action)
{
    sbi_system_reset(action == POWER_OFF ? 0 : 1);
}
