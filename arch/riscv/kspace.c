/* The kernel's half of every address space: linear map, struct page, device registers. All entries
 * of the root are made at boot, so user roots copy them once and never need to follow. */
#include "arch/riscv/kspace.h"

#include "arch/riscv/boot_tables.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"
#include "arch/riscv/sv39.h"
#include "arch/riscv/thread.h"
#include "arch/riscv/tlb.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/vm/pmm.h"

extern char image_start[], rodata_end[];

uint64_t kernel_root[PTES_PER_TABLE] __attribute__((aligned(4096)));
uint64_t kernel_map_generation;

/* Where boot-time tables come from. */
struct carver {
    paddr_t (*carve)(void *ctx, size_t count_pages);
    void *ctx;
};

uint64_t kernel_satp(void)
{
    return (uint64_t)SATP_MODE_SV39 << SATP_MODE_SHIFT |
           arch_image_paddr(kernel_root) >> PAGE_SHIFT;
}

struct ram_range arch_ram_window(void)
{
    return (struct ram_range){LINEAR_BASE - riscv_linear_offset, LINEAR_BYTES};
}

/* ---- Boot ---- */

/* The entry of |level| for |va|, with tables made on the way. */
static uint64_t *boot_entry(vaddr_t va, unsigned level, const struct carver *carver)
{
    uint64_t *table = kernel_root;

    for (unsigned at = LEVEL_ROOT; at > level; at--) {
        uint64_t *entry = &table[pte_index(va, at)];
        if ((*entry & PTE_V) == 0)
            pte_store(entry, pte_make(carver->carve(carver->ctx, 1), PTE_V));
        ASSERT(!pte_is_leaf(*entry));
        table = pte_table(*entry);
    }
    return &table[pte_index(va, level)];
}

/* Maps a page-aligned range with the largest pages that fit. */
static void boot_map(vaddr_t va, paddr_t pa, uint64_t len_bytes, uint64_t bits,
                     const struct carver *carver)
{
    while (len_bytes > 0) {
        unsigned level = LEVEL_ROOT;
        while (level > 0 &&
               (!is_aligned(va | pa, LEVEL_BYTES(level)) || len_bytes < LEVEL_BYTES(level)))
            level--;
        pte_store(boot_entry(va, level, carver), pte_make(pa, bits));
        va += LEVEL_BYTES(level);
        pa += LEVEL_BYTES(level);
        len_bytes -= LEVEL_BYTES(level);
    }
}

/* The part of [base, end) inside [from, to) goes into the linear map. */
static void map_linear(paddr_t base, paddr_t end, paddr_t from, paddr_t to, uint64_t bits,
                       const struct carver *carver)
{
    base = MAX(base, from);
    end = MIN(end, to);
    if (base < end)
        boot_map((vaddr_t)phys_to_virt(base), base, end - base, bits, carver);
}

static void map_bank(const struct ram_range *bank, const struct carver *carver)
{
    struct ram_range window = arch_ram_window();
    paddr_t fixed = arch_image_paddr(image_start), fixed_end = arch_image_paddr(rodata_end);
    paddr_t base = round_up(bank->base, PAGE_SIZE_BYTES);
    paddr_t end = round_down(bank->base + bank->len_bytes, PAGE_SIZE_BYTES);

    if (bank->base < window.base || bank->len_bytes > window.len_bytes ||
        bank->base - window.base > window.len_bytes - bank->len_bytes)
        panic("memory at %#lx, %#lx bytes, is outside the kernel's window", bank->base,
              bank->len_bytes);
    map_linear(base, end, 0, fixed, PTE_KERNEL_RW, carver);
    map_linear(base, end, fixed, fixed_end, PTE_KERNEL_RO, carver);
    map_linear(base, end, fixed_end, UINT64_MAX, PTE_KERNEL_RW, carver);
}

void arch_vm_init(const struct ram_range *banks, size_t count_banks,
                  paddr_t (*carve)(void *ctx, size_t count_pages), void *ctx)
{
    const struct carver carver = {carve, ctx};
    irq_state_t irq;

    kernel_root[pte_index(KERNEL_IMAGE_BASE, LEVEL_ROOT)] =
        pte_make(arch_image_paddr(boot_image_table), PTE_V);
    for (size_t i = 0; i < count_banks; i++)
        map_bank(&banks[i], &carver);
    for (uint64_t at = 0; at < KERNEL_STACKS_BYTES; at += LEVEL_BYTES(LEVEL_ROOT))
        boot_entry(KERNEL_STACKS_BASE + at, 1, &carver);
    for (uint64_t at = 0; at < KERNEL_MMIO_BYTES; at += LEVEL_BYTES(LEVEL_ROOT))
        boot_entry(KERNEL_MMIO_BASE + at, 1, &carver);

    irq = arch_irq_save();
    csr_write(satp, kernel_satp());
    sfence_all();
    asid_init_hart(this_hart());
    arch_irq_restore(irq);
}

void arch_map_page_array(vaddr_t va, paddr_t pa, uint64_t len_bytes,
                         paddr_t (*carve)(void *ctx, size_t count_pages), void *ctx)
{
    const struct carver carver = {carve, ctx};

    ASSERT(va >= PAGE_ARRAY_BASE && len_bytes <= PAGE_ARRAY_MAX_BYTES &&
           va - PAGE_ARRAY_BASE <= PAGE_ARRAY_MAX_BYTES - len_bytes);
    boot_map(va, pa, round_up(len_bytes, PAGE_SIZE_BYTES), PTE_KERNEL_RW, &carver);
    sfence_all();
}

/* ---- Later ---- */

void kspace_catch_up(void)
{
    struct hart *hart = this_hart();
    uint64_t now = atomic_load_acquire(&kernel_map_generation);

    if (LIKELY(hart->kernel_map_generation == now))
        return;
    hart->kernel_map_generation = now;
    sfence_all();
}

bool kspace_allows(vaddr_t va, uint32_t access)
{
    uint64_t *table = kernel_root;

    for (unsigned level = LEVEL_ROOT;; level--) {
        uint64_t pte = atomic_load_relaxed(&table[pte_index(va, level)]);
        if ((pte & PTE_V) == 0)
            return false;
        if (pte_is_leaf(pte))
            return (access == MMU_PERM_READ && (pte & PTE_R) != 0) ||
                   (access == MMU_PERM_WRITE && (pte & PTE_W) != 0) ||
                   (access == MMU_PERM_EXEC && (pte & PTE_X) != 0);
        if (level == 0)
            return false;
        table = pte_table(pte);
    }
}

/* ---- Device registers ---- */

static struct spinlock mmio_lock = SPINLOCK_INIT(LOCK_RANK_KSPACE);
static uint64_t mmio_used; /* bytes of the range given out; under mmio_lock */

/* Each mapping has 2 MiB blocks of its own, so it shares no table with another. */
static vaddr_t mmio_reserve(paddr_t base, uint64_t end)
{
    uint64_t len = round_up(end, LARGE_PAGE_BYTES) - round_down(base, LARGE_PAGE_BYTES);
    vaddr_t va = 0;
    irq_state_t irq = spin_lock_irqsave(&mmio_lock);

    if (len <= KERNEL_MMIO_BYTES - mmio_used) {
        va = KERNEL_MMIO_BASE + mmio_used;
        mmio_used += len;
    }
    spin_unlock_irqrestore(&mmio_lock, irq);
    return va;
}

/* Maps the part of [pa, end) that lies in one 2 MiB block. False: no memory. */
static bool mmio_map_block(vaddr_t va, paddr_t pa, paddr_t end, uint64_t bits)
{
    uint64_t *root_entry = &kernel_root[pte_index(va, LEVEL_ROOT)];
    uint64_t *entry = &pte_table(*root_entry)[pte_index(va, 1)];
    struct page *table;

    if (is_aligned(pa, LARGE_PAGE_BYTES) && end - pa >= LARGE_PAGE_BYTES) {
        pte_store(entry, pte_make(pa, bits));
        return true;
    }
    table = pmm_alloc_page(PAGE_TABLE, PMM_ZERO);
    if (table == NULL)
        return false;
    uint64_t *ptes = phys_to_virt(page_to_paddr(table));
    end = MIN(end, round_down(pa, LARGE_PAGE_BYTES) + LARGE_PAGE_BYTES);
    for (; pa < end; pa += PAGE_SIZE_BYTES, va += PAGE_SIZE_BYTES)
        ptes[pte_index(va, 0)] = pte_make(pa, bits);
    pte_store(entry, pte_make(page_to_paddr(table), PTE_V));
    return true;
}

volatile void *arch_mmio_map(paddr_t base, uint64_t len_bytes)
{
    uint64_t bits = PTE_KERNEL_RW | (riscv_features.svpbmt ? PTE_PBMT_IO : 0);
    uint64_t end;
    paddr_t pa = round_down(base, PAGE_SIZE_BYTES);
    vaddr_t first, va;

    if (len_bytes == 0 || __builtin_add_overflow(base, len_bytes, &end) || end > 1ul << 56)
        return NULL;
    end = round_up(end, PAGE_SIZE_BYTES);
    first = mmio_reserve(pa, end);
    if (first == 0)
        return NULL;
    first += pa & (LARGE_PAGE_BYTES - 1);
    for (va = first; pa < end;) {
        uint64_t step = LARGE_PAGE_BYTES - (pa & (LARGE_PAGE_BYTES - 1));
        if (!mmio_map_block(va, pa, end, bits))
            return NULL;
        va += step;
        pa += step;
    }
    atomic_fetch_add(&kernel_map_generation, 1);
    irq_state_t irq = arch_irq_save();
    kspace_catch_up();
    arch_irq_restore(irq);
    return (volatile char *)first + (base & PAGE_MASK);
}
