/* Power-off and reboot. */
#include "arch/arch.h"
#include "arch/riscv/sbi.h"

void arch_power(enum power_action action)
{
    sbi_system_reset(action == POWER_OFF ? SBI_SRST_SHUTDOWN : SBI_SRST_COLD_REBOOT);
}
