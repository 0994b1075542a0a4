/* Address space identifiers: a hart's TLB keeps translations of several address spaces apart by
 * ASID, so that switching needs no fence. Each hart hands out its own: no lock and no agreement
 * between harts is needed. When a hart has used all its numbers it starts a new generation, fences
 * everything once, and numbers of older generations count for nothing. Number 0 is the kernel's
 * root. A hart without ASIDs (satp.ASID reads 0) fences at every switch. */
#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"
#include "arch/riscv/kspace.h"
#include "arch/riscv/tlb.h"

static uint32_t asid_limit = UINT32_MAX;

void mmu_limit_asids(uint32_t count_asids)
{
    irq_state_t irq = arch_irq_save();
    asid_limit = count_asids;
    asid_init_hart(this_hart());
    arch_irq_restore(irq);
}

void asid_init_hart(struct hart *hart)
{
    uint64_t satp = csr_read(satp);
    uint64_t bits;

    csr_write(satp, satp | (uint64_t)SATP_ASID_MASK << SATP_ASID_SHIFT);
    bits = csr_read(satp) >> SATP_ASID_SHIFT & SATP_ASID_MASK;
    csr_write(satp, satp);
    __asm__ volatile("sfence.vma x0, x0" : : : "memory");
    hart->asid_max = (uint32_t)MIN(bits, asid_limit);
    hart->asid_generation++;
    hart->asid_next = 1;
}

uint64_t asid_for_switch(struct hart *hart, struct arch_aspace *aspace, bool *out_fence)
{
    uint64_t *mine = &aspace->asids[hart - harts];

    *out_fence = false;
    if (hart->asid_max == 0) {
        *out_fence = true;
        return 0;
    }
    if (*mine >> ASID_GENERATION_SHIFT != hart->asid_generation) {
        if (hart->asid_next > hart->asid_max) {
            hart->asid_generation++;
            hart->asid_next = 1;
            *out_fence = true;
        }
        *mine = hart->asid_generation << ASID_GENERATION_SHIFT | hart->asid_next++;
    }
    return *mine & SATP_ASID_MASK;
}

int64_t asid_lookup(const struct hart *hart, const struct arch_aspace *aspace)
{
    uint64_t mine = aspace->asids[hart - harts];

    if (hart->asid_max == 0)
        return hart->aspace == aspace ? 0 : -1;
    if (mine >> ASID_GENERATION_SHIFT != hart->asid_generation)
        return -1;
    return (int64_t)(mine & SATP_ASID_MASK);
}
