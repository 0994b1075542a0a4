/* Fencing this hart and others. */
#pragma once

#include "arch/mmu.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"

/* Notes that the translations of |count_pages| pages from |va| were removed or narrowed. */
void tlb_batch_add_range(struct tlb_batch *batch, vaddr_t va, uint64_t count_pages);

/* Notes that an entry that is no leaf changed: "If software modifies a non-leaf PTE, it should
 * execute SFENCE.VMA with rs1=x0" (Privileged spec). */
void tlb_batch_add_everything(struct tlb_batch *batch);

/* Makes all started harts forget every translation of the kernel's half and waits for them. No
 * spinlock held. */
void tlb_fence_kernel(void);

/* Serves what other harts have asked of this one. Interrupts off. */
void tlb_serve_inbox(struct hart *hart);

/* In aspace->asids: generation << ASID_GENERATION_SHIFT | ASID. A hart that has no ASIDs never
 * writes its entries, and no generation is 0. */
#define ASID_GENERATION_SHIFT 16
#define SATP_ASID_BITS        16

/* asid.c: how many ASIDs this hart has (satp keeps only the bits that exist). Interrupts off. */
void asid_init_hart(struct hart *hart);

/* The ASID for |aspace| on |hart|, which is about to load it; 0 if the hart has none. *out_fence:
 * the hart must fence everything once satp is written. Interrupts off. */
uint64_t asid_for_switch(struct hart *hart, struct arch_aspace *aspace, bool *out_fence);

/* The ASID under which |hart| may have translations of |aspace|, or -1: it can have none.
 * Interrupts off. */
int64_t asid_lookup(const struct hart *hart, const struct arch_aspace *aspace);

/* The satp value of a user's root under an ASID. */
static inline uint64_t tlb_satp(const struct arch_aspace *aspace, uint64_t asid)
{
    return aspace->satp | asid << (64 - SATP_ASID_BITS) >> (64 - SATP_ASID_BITS - SATP_ASID_SHIFT);
}

/* Second half of a switch of address spaces, once satp is |next|'s. */
static inline void tlb_leave(struct hart *hart, struct arch_aspace *next, unsigned hart_index)
{
    struct arch_aspace *prev = hart->aspace;

    hart->aspace = next;
    /* Whoever sees the bit gone may reuse pages that this hart has written to. */
    if (prev != NULL)
        atomic_fetch_and_release(&prev->active, ~((hart_mask_t)1 << hart_index));
}

/* A switch for which tlb_switch_fast has no time. The hart has been announced in next->active. */
void tlb_switch_slow(struct hart *hart, struct arch_aspace *next);

/* Makes |next| the address space of this hart if that needs no fence and no new ASID. False:
 * tlb_switch_slow has to. Interrupts off. */
static inline bool tlb_switch_fast(struct hart *hart, struct arch_aspace *next, unsigned hart_index)
{
    hart_mask_t self = (hart_mask_t)1 << hart_index;
    uint64_t asid;

    if (UNLIKELY(next == NULL))
        return false;
    asid = next->asids[hart_index];
    atomic_fetch_or_relaxed(&next->active, self);
    atomic_fence();
    if (UNLIKELY(
            asid >> ASID_GENERATION_SHIFT != hart->asid_generation ||
            ((atomic_load_relaxed(&next->tlb_stale) | atomic_load_relaxed(&next->icache_stale)) &
             self) != 0))
        return false;
    __asm__ volatile("csrw satp, %0" : : "r"(tlb_satp(next, asid)) : "memory");
    tlb_leave(hart, next, hart_index);
    return true;
}
