/* Free blocks of 2^order frames, aligned to their size.
 *
 * struct page is set up only where it is looked at. The rule that makes this safe: for every block,
 * free or given out, the first frame of its buddy is described, and the same holds for each larger
 * block that it can merge into; and so is the frame that follows a free block (inside its bank).
 * Splitting keeps the rule because it describes both halves; buddy_init establishes it at the edges
 * of what was free at boot. */
#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/vm/pmm_internal.h"

#define ORDER_COUNT (PMM_MAX_ORDER + 1)

static struct spinlock buddy_lock = SPINLOCK_INIT(LOCK_RANK_PMM);
static struct list_node free_lists[ORDER_COUNT];
static uint32_t nonempty_orders; /* bit n: free_lists[n] is not empty */

static uint64_t pfn_of(const struct page *page)
{
    return (uint64_t)(page - page_array) + page_base_pfn;
}

static struct page *page_at(uint64_t pfn)
{
    return &page_array[pfn - page_base_pfn];
}

static bool is_free_block(const struct page *page, unsigned order)
{
    return (page->free_state & FREE_STATE_ORDER_MASK) == order + 1;
}

static void describe_taken(struct page *page)
{
    *page = (struct page){.kind = PAGE_RESERVED};
}

/* Puts a block in its list as it is. */
static void list_block(struct page *page, unsigned order, bool filled)
{
    page->kind = PAGE_FREE;
    page->order = (uint8_t)order;
    page->flags = PAGE_FLAG_HEAD;
    page->refs = 0;
    page->free_state = (order + 1) | (filled ? FREE_STATE_FILLED : 0);
    list_push_front(&free_lists[order], &page->node);
    nonempty_orders |= 1u << order;
}

/* Takes a block out of its list. Returns whether it is filled. */
static bool unlist_block(struct page *page, unsigned order)
{
    bool filled = (page->free_state & FREE_STATE_FILLED) != 0;

    list_remove(&page->node);
    page->free_state = 0;
    if (list_is_empty(&free_lists[order]))
        nonempty_orders &= ~(1u << order);
    return filled;
}

/* Frame numbers of a bank. */
struct bank {
    uint64_t first, end;
};

static bool bank_has(const struct bank *bank, uint64_t pfn)
{
    return pfn - bank->first < bank->end - bank->first;
}

/* The bank around |pfn|: merging never leaves it, and outside there may be no struct page. */
static struct bank find_bank(uint64_t pfn)
{
    const struct ram_range *banks;
    size_t count = pmm_boot_banks(&banks);

    for (size_t i = 0; i < count; i++) {
        struct bank bank = {banks[i].base >> PAGE_SHIFT,
                            (banks[i].base + banks[i].len_bytes) >> PAGE_SHIFT};
        if (bank_has(&bank, pfn))
            return bank;
    }
    panic("frame %#lx is not RAM", pfn);
}

/* |bank|: of the block before, which may be another one. */
static void give_locked(struct bank *bank, struct page *page, unsigned order, bool filled)
{
    uint64_t pfn = pfn_of(page);

    if (!bank_has(bank, pfn))
        *bank = find_bank(pfn);
    ASSERT(is_aligned(pfn, 1ul << order));
    ASSERT((page->free_state & FREE_STATE_ORDER_MASK) == 0);
    for (; order < PMM_MAX_ORDER; order++) {
        uint64_t buddy_pfn = pfn ^ (1ul << order);
        struct page *buddy;
        if (!bank_has(bank, buddy_pfn))
            break;
        buddy = page_at(buddy_pfn);
        if (!is_free_block(buddy, order))
            break;
        filled = unlist_block(buddy, order) && filled;
        /* The upper half stops being the start of a block. */
        page_at(MAX(pfn, buddy_pfn))->kind = PAGE_FREE;
        page_at(MAX(pfn, buddy_pfn))->flags = 0;
        page_at(MAX(pfn, buddy_pfn))->refs = 0;
        pfn = MIN(pfn, buddy_pfn);
    }
    list_block(page_at(pfn), order, filled);
}

void buddy_give_block(struct page *page, unsigned order)
{
    irq_state_t irqs = spin_lock_irqsave(&buddy_lock);
    struct bank bank = {0, 0};

    give_locked(&bank, page, order, (page->flags & PAGE_FLAG_FILLED) != 0);
    spin_unlock_irqrestore(&buddy_lock, irqs);
}

void buddy_give_pages(struct list_node *list)
{
    irq_state_t irqs = spin_lock_irqsave(&buddy_lock);
    struct bank bank = {0, 0};
    struct list_node *node;

    while ((node = list_pop_front(list)) != NULL) {
        struct page *page = list_entry(node, struct page, node);
        give_locked(&bank, page, 0, (page->flags & PAGE_FLAG_FILLED) != 0);
    }
    spin_unlock_irqrestore(&buddy_lock, irqs);
}

static struct page *take_locked(unsigned order)
{
    uint32_t fitting = nonempty_orders & ~((1u << order) - 1);
    unsigned at;
    struct page *page;
    bool filled;

    if (fitting == 0)
        return NULL;
    at = lowest_bit(fitting);
    page = list_entry(free_lists[at].next, struct page, node);
    filled = unlist_block(page, at);
    while (at > order) {
        at--;
        list_block(page + (1ul << at), at, filled);
    }
    page->flags = filled ? PAGE_FLAG_FILLED : 0;
    return page;
}

struct page *buddy_take_block(unsigned order)
{
    irq_state_t irqs = spin_lock_irqsave(&buddy_lock);
    struct page *page = take_locked(order);
    spin_unlock_irqrestore(&buddy_lock, irqs);
    return page;
}

/* Puts the frames of a block that was taken at the end of |list|, each one a free page. */
static void spread_block(struct page *page, unsigned order, struct list_node *list)
{
    uint16_t flags = page->flags;

    for (struct page *end = page + (1ul << order); page < end; page++) {
        page->kind = PAGE_FREE;
        page->refs = 0;
        page->flags = flags;
        page->free_state = 0;
        list_push_back(list, &page->node);
    }
}

size_t buddy_take_pages(struct list_node *list, size_t count)
{
    irq_state_t irqs = spin_lock_irqsave(&buddy_lock);
    size_t done = 0;

    /* The smallest block there is, but no more of it than wanted. */
    while (done < count && nonempty_orders != 0) {
        unsigned order = MIN((unsigned)lowest_bit(nonempty_orders), log2_floor(count - done));
        spread_block(take_locked(order), order, list);
        done += 1ul << order;
    }
    spin_unlock_irqrestore(&buddy_lock, irqs);
    return done;
}

/* ---- Ranges that are not one block -------------------------------------------------------------
 */

/* Order of the first block when [first, end) is cut into the largest aligned blocks. */
static unsigned first_block_order(uint64_t first, uint64_t end)
{
    unsigned order = log2_floor(end - first);

    if (first != 0)
        order = MIN(order, lowest_bit(first));
    return MIN(order, (unsigned)PMM_MAX_ORDER);
}

/* Lists [first, end), part of what was one free block and so unable to merge with anything. */
static void list_range(uint64_t first, uint64_t end, bool filled)
{
    while (first < end) {
        unsigned order = first_block_order(first, end);
        list_block(page_at(first), order, filled);
        first += 1ul << order;
    }
}

/* Takes [first, end), which free blocks from |at| on cover, and lists again what sticks out. */
static void cut_run(uint64_t at, uint64_t first, uint64_t end)
{
    while (at < end) {
        struct page *block = page_at(at);
        unsigned order = (block->free_state & FREE_STATE_ORDER_MASK) - 1;
        uint64_t block_end = at + (1ul << order);
        bool filled = unlist_block(block, order);
        for (uint64_t pfn = MAX(at, first); pfn < MIN(block_end, end); pfn++) {
            describe_taken(page_at(pfn));
            page_at(pfn)->flags = filled ? PAGE_FLAG_FILLED : 0;
        }
        if (at < first)
            list_range(at, first, filled);
        if (end < block_end)
            list_range(end, block_end, filled);
        at = block_end;
    }
}

/* True if the frames from the free block at |at| on are free up to |end|. */
static bool run_reaches(uint64_t at, uint64_t end)
{
    if (end > find_bank(at).end)
        return false;
    while (at < end) {
        uint32_t state = page_at(at)->free_state & FREE_STATE_ORDER_MASK;
        if (state == 0)
            return false;
        at += 1ul << (state - 1);
    }
    return true;
}

/* A free block in which, or from which on, the wanted run begins. */
static bool find_run(uint64_t count_pages, unsigned align_order, uint64_t *out_at,
                     uint64_t *out_first)
{
    for (unsigned order = ORDER_COUNT; order-- > 0;) {
        list_for_each (node, &free_lists[order]) {
            uint64_t at = pfn_of(list_entry(node, struct page, node));
            uint64_t first = round_up(at, 1ul << align_order);
            if (first < at + (1ul << order) && run_reaches(at, first + count_pages)) {
                *out_at = at;
                *out_first = first;
                return true;
            }
        }
    }
    return false;
}

struct page *buddy_take_run(uint64_t count_pages, unsigned align_order)
{
    unsigned order = MAX(log2_ceil(count_pages), align_order);
    struct page *page = NULL;
    irq_state_t irqs = spin_lock_irqsave(&buddy_lock);
    uint32_t fitting = order <= PMM_MAX_ORDER ? nonempty_orders & ~((1u << order) - 1) : 0;
    uint64_t at, first;

    if (fitting != 0) {
        at = pfn_of(list_entry(free_lists[lowest_bit(fitting)].next, struct page, node));
        cut_run(at, at, at + count_pages);
        page = page_at(at);
    } else if (find_run(count_pages, align_order, &at, &first)) {
        cut_run(at, first, first + count_pages);
        page = page_at(first);
    }
    spin_unlock_irqrestore(&buddy_lock, irqs);
    return page;
}

void buddy_give_run(struct page *page, uint64_t count_pages)
{
    uint64_t first = pfn_of(page), end = first + count_pages;
    bool filled = (page->flags & PAGE_FLAG_FILLED) != 0;
    irq_state_t irqs = spin_lock_irqsave(&buddy_lock);
    struct bank bank = {0, 0};

    while (first < end) {
        unsigned order = first_block_order(first, end);
        give_locked(&bank, page_at(first), order, filled);
        first += 1ul << order;
    }
    spin_unlock_irqrestore(&buddy_lock, irqs);
}

/* ---- Boot and checks ---------------------------------------------------------------------------
 */

/* First pass: describes what merging and walking may look at beside each run. */
static void describe_edges(void *ctx, uint64_t first, uint64_t end, uint64_t bank_first,
                           uint64_t bank_end)
{
    (void)ctx;
    if (end < bank_end)
        describe_taken(page_at(end));
    while (first < end) {
        unsigned order = first_block_order(first, end);
        uint64_t buddy = first ^ (1ul << order);
        if (buddy >= bank_first && buddy < bank_end)
            describe_taken(page_at(buddy));
        first += 1ul << order;
    }
}

static void list_run(void *ctx, uint64_t first, uint64_t end, uint64_t bank_first,
                     uint64_t bank_end)
{
    uint64_t *count = ctx;

    (void)bank_first;
    (void)bank_end;
    arch_memory_poison(phys_to_virt(first << PAGE_SHIFT), (end - first) << PAGE_SHIFT);
    list_range(first, end, false);
    *count += end - first;
}

uint64_t buddy_init(void)
{
    uint64_t count = 0;

    for (unsigned order = 0; order < ORDER_COUNT; order++)
        list_init(&free_lists[order]);
    pmm_boot_for_each_run(describe_edges, NULL);
    pmm_boot_for_each_run(list_run, &count);
    return count;
}

static void check_block(struct page *page, unsigned order)
{
    uint64_t pfn = pfn_of(page), buddy = pfn ^ (1ul << order);
    struct bank bank = find_bank(pfn);

    ASSERT(is_free_block(page, order));
    ASSERT(page->kind == PAGE_FREE && page->order == order && page->refs == 0);
    ASSERT(is_aligned(pfn, 1ul << order) && pfn + (1ul << order) <= bank.end);
    if (order < PMM_MAX_ORDER && bank_has(&bank, buddy))
        ASSERT(!is_free_block(page_at(buddy), order));
}

uint64_t buddy_check(void)
{
    uint64_t count = 0;
    irq_state_t irqs = spin_lock_irqsave(&buddy_lock);

    for (unsigned order = 0; order < ORDER_COUNT; order++) {
        ASSERT(list_is_empty(&free_lists[order]) == ((nonempty_orders >> order & 1) == 0));
        list_for_each (node, &free_lists[order]) {
            ASSERT(node->next->prev == node && node->prev->next == node);
            check_block(list_entry(node, struct page, node), order);
            count += 1ul << order;
        }
    }
    spin_unlock_irqrestore(&buddy_lock, irqs);
    return count;
}
