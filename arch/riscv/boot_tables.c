/* The page tables that the kernel wakes up in. This file runs before translation is on: its
 * addresses are physical because the code is relative to the pc, and it uses no data that holds an
 * address (no switch statements either: they may become tables of addresses). */
#include "arch/riscv/boot_tables.h"

#include "arch/riscv/csr.h"
#include "arch/riscv/sv39.h"

extern char image_start[], text_end[], rodata_end[], image_end[];
extern char boot_stack_guard[], boot_stack[], boot_tables[], boot_tables_end[];

uint64_t boot_root[PTES_PER_TABLE] __attribute__((aligned(4096)));
uint64_t boot_image_table[PTES_PER_TABLE] __attribute__((aligned(4096)));

/* The window of physical memory that LINEAR_BASE shows: from 0 if the image lies low enough that
 * everything near it does too, else from 64 GiB below the image. */
static paddr_t window_base(paddr_t image_pa)
{
    if (image_pa < LINEAR_BYTES / 2)
        return 0;
    return round_down(image_pa - (64ul << 30), LEVEL_BYTES(LEVEL_ROOT));
}

static uint64_t section_bits(const char *page)
{
    if (page < text_end)
        return PTE_KERNEL_RX;
    return page < rodata_end ? PTE_KERNEL_RO : PTE_KERNEL_RW;
}

/* Maps the image at its link address, 4 KiB at a time, without the guard page of the boot stack. */
static void map_image(paddr_t image_pa)
{
    vaddr_t link_va = KERNEL_LINK_ADDRESS;
    uint64_t *table = (uint64_t *)boot_tables;
    vaddr_t large = 0;

    for (char *page = image_start; page < image_end; page += PAGE_SIZE_BYTES) {
        uint64_t offset = (uint64_t)(page - image_start);
        vaddr_t va = link_va + offset;

        if (large != round_down(va, LARGE_PAGE_BYTES)) {
            if (large != 0)
                table += PTES_PER_TABLE;
            large = round_down(va, LARGE_PAGE_BYTES);
            boot_image_table[pte_index(va, 1)] = pte_make((paddr_t)table, PTE_V);
        }
        if (page < boot_stack_guard || page >= boot_stack)
            table[pte_index(va, 0)] = pte_make(image_pa + offset, section_bits(page));
    }
}

uint64_t boot_tables_build(paddr_t image_pa)
{
    paddr_t window = window_base(image_pa);

    map_image(image_pa);
    boot_root[pte_index(KERNEL_IMAGE_BASE, LEVEL_ROOT)] =
        pte_make((paddr_t)boot_image_table, PTE_V);
    for (uint64_t offset = 0; offset < LINEAR_BYTES; offset += LEVEL_BYTES(LEVEL_ROOT))
        boot_root[pte_index(LINEAR_BASE + offset, LEVEL_ROOT)] =
            pte_make(window + offset, PTE_KERNEL_RW);
    riscv_linear_offset = LINEAR_BASE - window;
    riscv_image_offset = KERNEL_LINK_ADDRESS - image_pa;
    return (uint64_t)SATP_MODE_SV39 << SATP_MODE_SHIFT | (paddr_t)boot_root >> PAGE_SHIFT;
}
