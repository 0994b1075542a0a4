/* The fake machine's page tables: three levels in pages of the pmm, as Sv39 has them, with 4 KiB
 * and 2 MiB leaves. */
#include "kernel/lib/panic.h"
#include "kernel/vm/pmm.h"
#include "tests/host/fake_arch.h"

#define PTE_VALID      0x40ul
#define PTE_TABLE      0x80ul
#define PTE_FLAGS_MASK ((uint64_t)(MMU_PERM_MASK | MMU_CACHE_MASK))
#define PTE_PA_MASK    (~PAGE_MASK)

#define ENTRIES    512u
#define TOP_LEVEL  2u
#define LARGE_SIZE (1ul << 21)

static struct spinlock tables_lock = SPINLOCK_INIT(LOCK_RANK_PAGE_TABLE);

static uint64_t level_bytes(unsigned level)
{
    return 1ul << (PAGE_SHIFT + 9 * level);
}

static uint64_t *pte_table(uint64_t pte)
{
    return phys_to_virt(pte & PTE_PA_MASK);
}

static bool pte_is_table(uint64_t pte)
{
    return (pte & (PTE_VALID | PTE_TABLE)) == (PTE_VALID | PTE_TABLE);
}

static bool pte_is_leaf(uint64_t pte)
{
    return (pte & (PTE_VALID | PTE_TABLE)) == PTE_VALID;
}

static uint64_t *slot_in(uint64_t *table, vaddr_t va, unsigned level)
{
    return &table[(va >> (PAGE_SHIFT + 9 * level)) % ENTRIES];
}

static struct page *table_page(const uint64_t *slot)
{
    return page_from_paddr(virt_to_phys(slot) & PTE_PA_MASK);
}

/* Changes an entry, keeping its table's count of valid ones. */
static void pte_set(uint64_t *slot, uint64_t pte)
{
    if ((*slot & PTE_VALID) == 0 && (pte & PTE_VALID) != 0)
        table_page(slot)->count++;
    if ((*slot & PTE_VALID) != 0 && (pte & PTE_VALID) == 0)
        table_page(slot)->count--;
    *slot = pte;
}

/* The lowest existing slot for |va|, no lower than |level|. */
static uint64_t *walk(const struct arch_aspace *aspace, vaddr_t va, unsigned level,
                      unsigned *out_level)
{
    unsigned at = TOP_LEVEL;
    uint64_t *slot = slot_in(aspace->root, va, at);

    while (at > level && pte_is_table(*slot)) {
        at--;
        slot = slot_in(pte_table(*slot), va, at);
    }
    *out_level = at;
    return slot;
}

static void check_range(vaddr_t va, uint64_t len_bytes)
{
    if (!user_range_is_valid(va, len_bytes) || !is_aligned(va | len_bytes, PAGE_SIZE_BYTES))
        panic("mmu: bad range %#lx + %#lx", va, len_bytes);
}

static void check_flags(uint32_t flags)
{
    if ((flags & ~(uint32_t)PTE_FLAGS_MASK) != 0 ||
        (flags & (MMU_PERM_READ | MMU_PERM_WRITE)) == MMU_PERM_WRITE)
        panic("mmu: bad flags %#x", flags);
}

/* ---- Tables -----------------------------------------------------------------------------------
 */

zx_status_t mmu_aspace_init(struct arch_aspace *aspace)
{
    struct page *page = pmm_alloc_page(PAGE_TABLE, PMM_ZERO);

    if (page == NULL)
        return ZX_ERR_NO_MEMORY;
    page->count = 0;
    *aspace = (struct arch_aspace){
        .root = phys_to_virt(page_to_paddr(page)),
        .count_tables = 1,
    };
    return ZX_OK;
}

void mmu_aspace_destroy(struct arch_aspace *aspace)
{
    ASSERT(atomic_load(&aspace->active_harts) == 0);
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint64_t top = aspace->root[i];
        if (!pte_is_table(top))
            continue;
        for (unsigned j = 0; j < ENTRIES; j++) {
            uint64_t middle = pte_table(top)[j];
            ASSERT(!pte_is_leaf(middle));
            if (!pte_is_table(middle))
                continue;
            ASSERT(table_page(pte_table(middle))->count == 0);
            page_put(table_page(pte_table(middle)));
        }
        page_put(table_page(pte_table(top)));
    }
    page_put(table_page(aspace->root));
    aspace->root = NULL;
}

size_t mmu_count_tables(const struct arch_aspace *aspace)
{
    return aspace->count_tables;
}

static void fill_split_table(uint64_t *table, uint64_t large_pte)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        table[i] = large_pte + i * PAGE_SIZE_BYTES;
    table_page(table)->count = ENTRIES;
}

static void install_table(struct arch_aspace *aspace, uint64_t *slot, struct page *page)
{
    uint64_t *table = phys_to_virt(page_to_paddr(page));

    page->count = 0;
    if (pte_is_leaf(*slot))
        fill_split_table(table, *slot);
    pte_set(slot, page_to_paddr(page) | PTE_VALID | PTE_TABLE);
    aspace->count_tables++;
}

/* The slot for |va| at |level|, with the tables above it made and large leaves in the way split.
 * NULL: no memory, nothing changed. */
static uint64_t *make_slot(struct arch_aspace *aspace, vaddr_t va, unsigned level)
{
    struct page *fresh[TOP_LEVEL] = {NULL};
    unsigned at;
    uint64_t *slot = walk(aspace, va, level, &at);

    for (unsigned i = level; i < at; i++) {
        fresh[i] = pmm_alloc_page(PAGE_TABLE, PMM_ZERO);
        if (fresh[i] == NULL) {
            while (i-- > level)
                page_put(fresh[i]);
            return NULL;
        }
    }
    while (at > level) {
        install_table(aspace, slot, fresh[--at]);
        slot = slot_in(pte_table(*slot), va, at);
    }
    return slot;
}

/* ---- Batches ----------------------------------------------------------------------------------
 */

static void batch_add_range(struct tlb_batch *batch, vaddr_t va, uint64_t count_pages)
{
    struct tlb_range *last =
        batch->count_ranges == 0 ? NULL : &batch->ranges[batch->count_ranges - 1];

    if (batch->everything)
        return;
    if (last != NULL && last->base + last->count_pages * PAGE_SIZE_BYTES == va) {
        last->count_pages += (uint32_t)count_pages;
    } else if (batch->count_ranges < TLB_BATCH_RANGES) {
        batch->ranges[batch->count_ranges++] =
            (struct tlb_range){.base = va, .count_pages = (uint32_t)count_pages};
    } else {
        batch->everything = true;
    }
}

/* ---- Mapping ----------------------------------------------------------------------------------
 */

zx_status_t mmu_map_page(struct arch_aspace *aspace, vaddr_t va, paddr_t pa, uint32_t flags,
                         struct tlb_batch *batch)
{
    irq_state_t irqs;
    uint64_t *slot;

    check_range(va, PAGE_SIZE_BYTES);
    check_flags(flags);
    ASSERT((flags & MMU_PERM_MASK) != 0 && is_aligned(pa, PAGE_SIZE_BYTES));
    irqs = spin_lock_irqsave(&tables_lock);
    slot = make_slot(aspace, va, 0);
    if (slot != NULL) {
        uint64_t old = *slot;
        uint64_t pte = pa | flags | PTE_VALID;
        if (pte_is_leaf(old) && ((old & PTE_PA_MASK) != pa || (old & ~pte & PTE_FLAGS_MASK) != 0))
            batch_add_range(batch, va, 1);
        pte_set(slot, pte);
    }
    spin_unlock_irqrestore(&tables_lock, irqs);
    return slot == NULL ? ZX_ERR_NO_MEMORY : ZX_OK;
}

bool mmu_try_map_page(struct arch_aspace *aspace, vaddr_t va, paddr_t pa, uint32_t flags)
{
    irq_state_t irqs;
    unsigned level;
    uint64_t *slot;
    bool is_free;

    check_range(va, PAGE_SIZE_BYTES);
    check_flags(flags);
    irqs = spin_lock_irqsave(&tables_lock);
    slot = walk(aspace, va, 0, &level);
    is_free = level == 0 && (*slot & PTE_VALID) == 0;
    if (is_free)
        pte_set(slot, pa | flags | PTE_VALID);
    spin_unlock_irqrestore(&tables_lock, irqs);
    return is_free;
}

size_t mmu_map_pages(struct arch_aspace *aspace, vaddr_t va, const paddr_t *pa, size_t count_pages,
                     uint32_t flags)
{
    irq_state_t irqs;
    size_t done;

    check_range(va, count_pages * PAGE_SIZE_BYTES);
    check_flags(flags);
    irqs = spin_lock_irqsave(&tables_lock);
    for (done = 0; done < count_pages; done++) {
        vaddr_t at = va + done * PAGE_SIZE_BYTES;
        unsigned level;
        uint64_t *slot = walk(aspace, at, 0, &level);
        if (pte_is_leaf(*slot))
            continue;
        slot = make_slot(aspace, at, 0);
        if (slot == NULL)
            break;
        pte_set(slot, pa[done] | flags | PTE_VALID);
    }
    spin_unlock_irqrestore(&tables_lock, irqs);
    return done;
}

/* Whether |pte| only adds permissions to the leaf |old|. */
static bool is_upgrade(uint64_t old, uint64_t pte)
{
    return pte_is_leaf(old) && ((old ^ pte) & ~(uint64_t)MMU_PERM_MASK) == 0 &&
           (old & ~pte & MMU_PERM_MASK) == 0;
}

zx_status_t mmu_map_large(struct arch_aspace *aspace, vaddr_t va, paddr_t pa, uint32_t flags)
{
    zx_status_t status = ZX_OK;
    irq_state_t irqs;
    uint64_t *slot;

    check_range(va, LARGE_SIZE);
    check_flags(flags);
    ASSERT(is_aligned(va | pa, LARGE_SIZE));
    irqs = spin_lock_irqsave(&tables_lock);
    slot = make_slot(aspace, va, 1);
    if (slot == NULL)
        status = ZX_ERR_NO_MEMORY;
    else if ((*slot & PTE_VALID) != 0 && !is_upgrade(*slot, pa | flags | PTE_VALID))
        status = ZX_ERR_ALREADY_EXISTS;
    else
        pte_set(slot, pa | flags | PTE_VALID);
    spin_unlock_irqrestore(&tables_lock, irqs);
    return status;
}

bool mmu_has_small_table(struct arch_aspace *aspace, vaddr_t va)
{
    irq_state_t irqs = spin_lock_irqsave(&tables_lock);
    unsigned level;

    (void)walk(aspace, va, 0, &level);
    spin_unlock_irqrestore(&tables_lock, irqs);
    return level == 0;
}

/* Splits the large leaf, if any, that [.., va) and [va, ..) share. */
static zx_status_t split_at(struct arch_aspace *aspace, vaddr_t va)
{
    unsigned level;
    uint64_t *slot = walk(aspace, va, 0, &level);

    if (!pte_is_leaf(*slot) || is_aligned(va, level_bytes(level)))
        return ZX_OK;
    return make_slot(aspace, va, 0) == NULL ? ZX_ERR_NO_MEMORY : ZX_OK;
}

static zx_status_t split_edges(struct arch_aspace *aspace, vaddr_t va, size_t len_bytes)
{
    zx_status_t status = split_at(aspace, va);
    if (status == ZX_OK && va + len_bytes < USER_TOP)
        status = split_at(aspace, va + len_bytes);
    return status;
}

/* Takes empty tables above |va| out of the tree. */
static void prune(struct arch_aspace *aspace, vaddr_t va, struct tlb_batch *batch)
{
    for (unsigned level = 1; level <= TOP_LEVEL; level++) {
        unsigned at;
        uint64_t *slot = walk(aspace, va, level, &at);
        if (at != level || !pte_is_table(*slot))
            continue;
        struct page *page = table_page(pte_table(*slot));
        if (page->count != 0)
            continue;
        pte_set(slot, 0);
        aspace->count_tables--;
        tlb_batch_add_page(batch, page);
    }
}

zx_status_t mmu_unmap(struct arch_aspace *aspace, vaddr_t va, size_t len_bytes, bool keep_tables,
                      struct tlb_batch *batch)
{
    vaddr_t end = va + len_bytes;
    zx_status_t status;
    irq_state_t irqs;

    check_range(va, len_bytes);
    irqs = spin_lock_irqsave(&tables_lock);
    status = split_edges(aspace, va, len_bytes);
    while (status == ZX_OK && va < end) {
        unsigned level;
        uint64_t *slot = walk(aspace, va, 0, &level);
        vaddr_t next = MIN(round_down(va, level_bytes(level)) + level_bytes(level), end);
        if (pte_is_leaf(*slot)) {
            pte_set(slot, 0);
            batch_add_range(batch, va, (next - va) >> PAGE_SHIFT);
        }
        if (!keep_tables && (next == end || is_aligned(next, LARGE_SIZE)))
            prune(aspace, va, batch);
        va = next;
    }
    spin_unlock_irqrestore(&tables_lock, irqs);
    return status;
}

zx_status_t mmu_protect(struct arch_aspace *aspace, vaddr_t va, size_t len_bytes, uint32_t flags,
                        struct tlb_batch *batch)
{
    vaddr_t end = va + len_bytes;
    zx_status_t status;
    irq_state_t irqs;

    check_range(va, len_bytes);
    check_flags(flags);
    if ((flags & MMU_PERM_MASK) == 0)
        return mmu_unmap(aspace, va, len_bytes, true, batch);
    irqs = spin_lock_irqsave(&tables_lock);
    status = split_edges(aspace, va, len_bytes);
    while (status == ZX_OK && va < end) {
        unsigned level;
        uint64_t *slot = walk(aspace, va, 0, &level);
        vaddr_t next = MIN(round_down(va, level_bytes(level)) + level_bytes(level), end);
        if (pte_is_leaf(*slot)) {
            uint64_t old = *slot;
            uint64_t perms = flags & MMU_PERM_MASK & old;
            if ((old & ~perms & MMU_PERM_MASK) != 0)
                batch_add_range(batch, va, (next - va) >> PAGE_SHIFT);
            pte_set(slot, perms != 0 ? (old & ~(uint64_t)MMU_PERM_MASK) | perms : 0);
        }
        va = next;
    }
    spin_unlock_irqrestore(&tables_lock, irqs);
    return status;
}

bool mmu_query(struct arch_aspace *aspace, vaddr_t va, paddr_t *out_pa, uint32_t *out_flags)
{
    irq_state_t irqs = spin_lock_irqsave(&tables_lock);
    unsigned level;
    uint64_t pte = *walk(aspace, va, 0, &level);

    spin_unlock_irqrestore(&tables_lock, irqs);
    if (!pte_is_leaf(pte))
        return false;
    if (out_pa != NULL)
        *out_pa = (pte & PTE_PA_MASK) + round_down(va & (level_bytes(level) - 1), PAGE_SIZE_BYTES);
    if (out_flags != NULL)
        *out_flags = (uint32_t)(pte & PTE_FLAGS_MASK);
    return true;
}
