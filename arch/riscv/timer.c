/* The timer interrupt: stimecmp of extension Sstc, or the firmware. */
#include "arch/riscv/csr.h"
#include "arch/riscv/sbi.h"
#include "arch/riscv/thread.h"

void arch_timer_set(uint64_t deadline_ticks)
{
    irq_state_t irq = arch_irq_save();

    if (deadline_ticks == UINT64_MAX) {
        /* Cheaper than telling the firmware; a deadline set before stays pending unseen. */
        csr_clear(sie, SIE_STIE);
    } else {
        if (riscv_features.sstc)
            csr_write(0x14d, deadline_ticks);
        else
            sbi_set_timer(deadline_ticks);
        csr_set(sie, SIE_STIE);
    }
    arch_irq_restore(irq);
}

void arch_irq_init_hart(void)
{
    csr_clear(sie, SIE_STIE);
    csr_set(sie, SIE_SSIE | SIE_SEIE);
}

void arch_wait_for_interrupt(void)
{
    __asm__ volatile("wfi" : : : "memory");
}
