/* Kernel stacks: each in a slot of its own, below it a guard as large as the stack. Some stay
 * mapped when they are freed, because unmapping must interrupt every hart. */
#include "arch/riscv/hart.h"
#include "arch/riscv/kspace.h"
#include "arch/riscv/sv39.h"
#include "arch/riscv/tlb.h"
#include "kernel/lib/panic.h"
#include "kernel/vm/pmm.h"

#define SLOT_BYTES      (2 * KERNEL_STACK_BYTES)
#define COUNT_SLOTS     (KERNEL_STACKS_BYTES / SLOT_BYTES)
#define PAGES_PER_STACK (KERNEL_STACK_BYTES / PAGE_SIZE_BYTES)

/* While no more than this many stacks are mapped, a freed one is kept for the next thread. */
#define STACKS_KEPT 32

/* A bit a slot, set while anything of it is mapped. In .bss: 16 KiB. */
static uint64_t slots_used[COUNT_SLOTS / 64];

static struct {
    struct spinlock lock; /* of slots_used too */
    uint32_t first_word;  /* no free bit in a word before */
    uint32_t count_mapped;
    uint32_t count_kept;
    void *kept[STACKS_KEPT];
} stacks = {.lock = SPINLOCK_INIT(LOCK_RANK_KSPACE)};

/* ---- Slots, lock held ---- */

/* The lowest free slot, or COUNT_SLOTS. */
static uint64_t take_slot_locked(void)
{
    for (uint64_t word = stacks.first_word; word < ARRAY_COUNT(slots_used); word++) {
        if (slots_used[word] != UINT64_MAX) {
            unsigned bit = (unsigned)__builtin_ctzll(~slots_used[word]);
            slots_used[word] |= 1ul << bit;
            stacks.first_word = (uint32_t)word;
            return word * 64 + bit;
        }
    }
    return COUNT_SLOTS;
}

static void put_slot_locked(uint64_t slot)
{
    slots_used[slot / 64] &= ~(1ul << slot % 64);
    stacks.first_word = MIN(stacks.first_word, (uint32_t)(slot / 64));
}

/* ---- Tables, lock held ---- */

static uint64_t *large_entry(vaddr_t va)
{
    return &pte_table(kernel_root[pte_index(va, LEVEL_ROOT)])[pte_index(va, 1)];
}

/* Puts |pages| at |va|. *spare_table is used, and becomes NULL, if there is no table yet. */
static void map_stack_locked(vaddr_t va, struct page *const *pages, struct page **spare_table)
{
    uint64_t *large = large_entry(va);

    if ((*large & PTE_V) == 0) {
        (*spare_table)->count = 0;
        pte_store(large, pte_make(page_to_paddr(*spare_table), PTE_V));
        *spare_table = NULL;
    }
    uint64_t *ptes = &pte_table(*large)[pte_index(va, 0)];
    for (unsigned i = 0; i < PAGES_PER_STACK; i++)
        pte_store(&ptes[i], pte_make(page_to_paddr(pages[i]), PTE_KERNEL_RW));
    page_from_paddr(pte_paddr(*large))->count += PAGES_PER_STACK;
    atomic_fetch_add(&kernel_map_generation, 1);
}

/* Takes the pages at |va|, and a table that becomes empty, into |out|. */
static void unmap_stack_locked(vaddr_t va, struct list_node *out)
{
    uint64_t *large = large_entry(va);
    struct page *table = page_from_paddr(pte_paddr(*large));
    uint64_t *ptes = &pte_table(*large)[pte_index(va, 0)];

    for (unsigned i = 0; i < PAGES_PER_STACK; i++) {
        list_push_back(out, &page_from_paddr(pte_paddr(ptes[i]))->node);
        pte_store(&ptes[i], 0);
    }
    table->count -= PAGES_PER_STACK;
    if (table->count == 0) {
        pte_store(large, 0);
        list_push_back(out, &table->node);
    }
}

/* ---- Making and destroying ---- */

static void *stack_create(void)
{
    struct page *pages[PAGES_PER_STACK];
    struct page *spare_table;
    unsigned count = 0;
    uint64_t slot;
    vaddr_t va = 0;
    irq_state_t irq;

    spare_table = pmm_alloc_page(PAGE_TABLE, PMM_ZERO);
    if (spare_table == NULL)
        return NULL;
    for (; count < PAGES_PER_STACK; count++) {
        pages[count] = pmm_alloc_page(PAGE_STACK, 0);
        if (pages[count] == NULL)
            goto out;
    }
    irq = spin_lock_irqsave(&stacks.lock);
    slot = take_slot_locked();
    if (slot < COUNT_SLOTS) {
        va = KERNEL_STACKS_BASE + slot * SLOT_BYTES + (SLOT_BYTES - KERNEL_STACK_BYTES);
        map_stack_locked(va, pages, &spare_table);
        stacks.count_mapped++;
        count = 0;
        kspace_catch_up();
    }
    spin_unlock_irqrestore(&stacks.lock, irq);
out:
    while (count > 0)
        page_put(pages[--count]);
    if (spare_table != NULL)
        page_put(spare_table);
    return (void *)va;
}

static void stack_destroy(void *stack)
{
    struct list_node pages = LIST_INIT(pages);
    irq_state_t irq = spin_lock_irqsave(&stacks.lock);

    unmap_stack_locked((vaddr_t)stack, &pages);
    stacks.count_mapped--;
    spin_unlock_irqrestore(&stacks.lock, irq);

    tlb_fence_kernel();
    pmm_put_list(&pages);

    irq = spin_lock_irqsave(&stacks.lock);
    put_slot_locked(((vaddr_t)stack - KERNEL_STACKS_BASE) / SLOT_BYTES);
    spin_unlock_irqrestore(&stacks.lock, irq);
}

/* Keeps |stack| for later if few enough are mapped. */
static bool stack_keep(void *stack)
{
    irq_state_t irq = spin_lock_irqsave(&stacks.lock);
    bool keep = stacks.count_mapped <= STACKS_KEPT;

    if (keep)
        stacks.kept[stacks.count_kept++] = stack;
    spin_unlock_irqrestore(&stacks.lock, irq);
    return keep;
}

static void *stack_take_kept(void)
{
    irq_state_t irq = spin_lock_irqsave(&stacks.lock);
    void *stack = stacks.count_kept > 0 ? stacks.kept[--stacks.count_kept] : NULL;

    spin_unlock_irqrestore(&stacks.lock, irq);
    return stack;
}

/* Maps all stacks that will be kept anyway, so that their pages never come and go. */
static void fill_kept(void)
{
    static uint32_t is_filled;

    if (LIKELY(atomic_load_relaxed(&is_filled) != 0) || atomic_exchange(&is_filled, 1) != 0)
        return;
    for (unsigned i = 0; i < STACKS_KEPT; i++) {
        void *stack = stack_create();
        if (stack == NULL)
            return;
        if (!stack_keep(stack))
            stack_destroy(stack);
    }
}

void *arch_kernel_stack_alloc(void)
{
    void *stack;

    fill_kept();
    stack = stack_take_kept();
    return stack != NULL ? stack : stack_create();
}

void arch_kernel_stack_free(void *stack)
{
    if (stack == NULL || stack_keep(stack))
        return;
    stack_destroy(stack);
}
