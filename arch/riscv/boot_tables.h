/* From the first instruction to the first page tables. */
#pragma once

#include "arch/mmu.h"

/* Where kernel.ld puts the image. A constant: while boot_tables_build runs, symbols have their
 * physical addresses. */
#define KERNEL_LINK_ADDRESS 0xffffffff80200000ul

/* Link address minus physical address of the image. */
extern uint64_t riscv_image_offset;

/* Builds the first tables from untranslated code: the image by section at its link address, and all
 * of the linear window with 1 GiB pages, devices and holes included, until arch_vm_init replaces
 * it. |image_pa| is where _start is. Returns the value for satp. */
uint64_t boot_tables_build(paddr_t image_pa);

/* The table that boot_tables_build made for the image; the final root uses it too. */
extern uint64_t boot_image_table[];

/* First C code behind translation. |instret_at_entry| is the counter as it was at _start. */
NORETURN void boot_main(uint64_t hart_id, paddr_t dtb_pa, uint64_t instret_at_entry);

/* A thread is about to enter user mode for the first time. The first one ends the count that
 * arch_boot_instructions gives. Interrupts off. */
void boot_note_user_entry(void);
