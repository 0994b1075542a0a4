/* The kernel's half of every address space. */
#pragma once

#include "arch/mmu.h"

/* The page tables of kernel threads and the model for the upper half of user roots. */
extern uint64_t kernel_root[];

/* Its satp value. */
uint64_t kernel_satp(void);

/* Called in boot.c once the linear offset is known. */
void kspace_init_window(paddr_t image_pa);

/* Goes up when something becomes mapped in the kernel's half. A hart that has seen an older value
 * fences before it relies on the new mapping; harts may cache the absence of a translation
 * (Privileged spec, "Supervisor Memory-Management Fence Instruction"). */
extern uint64_t kernel_map_generation;

/* Fences this hart if the kernel's half has grown since it last did. Interrupts off. */
void kspace_catch_up(void);

/* True if the kernel's tables allow |access| (one of MMU_PERM_*) at |va|, so that a fault there
 * came from a translation older than the mapping. */
bool kspace_allows(vaddr_t va, uint32_t access);
