/* Fencing this hart and others. */
#pragma once

#include "arch/mmu.h"
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

/* In aspace->asids: generation << ASID_GENERATION_SHIFT | ASID. */
#define ASID_GENERATION_SHIFT 16

/* asid.c: how many ASIDs this hart has (satp keeps only the bits that exist). Interrupts off. */
void asid_init_hart(struct hart *hart);

/* The ASID for |aspace| on |hart|, which is about to load it; 0 if the hart has none. *out_fence:
 * the hart must fence everything once satp is written. Interrupts off. */
uint64_t asid_for_switch(struct hart *hart, struct arch_aspace *aspace, bool *out_fence);

/* The ASID under which |hart| may have translations of |aspace|, or -1: it can have none.
 * Interrupts off. */
int64_t asid_lookup(const struct hart *hart, const struct arch_aspace *aspace);
