/* Pages for everybody: caches a hart in front of the buddy allocator, reference counts, accounting,
 * and the checks that catch a freed page being freed again or written to. */
#include "kernel/vm/pmm.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/vm/pmm_internal.h"

#define CACHE_BATCH 32u /* pages moved between a cache and the buddy allocator at once */
#define CACHE_MAX   64u
#define ZEROED_MAX  8u /* pages of a cache that are known to be zeroed */

#define CHECKS_MAX   10000u /* tries of pmm_check to catch a moment in which nothing moves */
#define FILL_PATTERN 0x6bfeed6b6bfeed6bul

struct page *page_array;
uint64_t page_base_pfn;

/* One a hart. The lock is almost never contended: others come only when memory has run out. */
struct page_cache {
    struct spinlock lock;
    uint32_t count;
    uint32_t count_zeroed;
    struct list_node pages;  /* most recently freed first */
    struct list_node zeroed; /* the same, contents all 0 */
    /* Pages given out less pages taken back by this hart: only sums over the harts mean something.
     * Atomic. */
    int64_t count_by_kind[PAGE_KIND_COUNT];
} __attribute__((aligned(64)));

static struct page_cache caches[MAX_HARTS];
static uint64_t count_total;
static uint64_t count_reserved_at_boot;
struct page *pmm_zero_page_ptr;

static struct page_cache *this_cache(void)
{
    return &caches[arch_hart_index()];
}

static void account(enum page_kind kind, int64_t count_pages)
{
    atomic_fetch_add_relaxed(&this_cache()->count_by_kind[kind], count_pages);
}

/* ---- Contents of free memory
 * --------------------------------------------------------------------- */

#ifdef DEBUG
static void contents_retire(struct page *page, uint64_t count_pages)
{
    uint64_t *words = phys_to_virt(page_to_paddr(page));

    for (uint64_t i = 0; i < count_pages * PAGE_SIZE_BYTES / sizeof(*words); i++)
        words[i] = FILL_PATTERN;
    page->flags |= PAGE_FLAG_FILLED;
    arch_memory_poison(words, count_pages * PAGE_SIZE_BYTES);
}

static void contents_check(const struct page *page, const uint64_t *words, uint64_t count_words)
{
    if ((page->flags & PAGE_FLAG_FILLED) == 0)
        return;
    for (uint64_t i = 0; i < count_words; i++) {
        if (words[i] != FILL_PATTERN)
            panic("free memory at %#lx was written to: %#lx", virt_to_phys(&words[i]), words[i]);
    }
}
#else
static void contents_retire(struct page *page, uint64_t count_pages)
{
    arch_memory_poison(phys_to_virt(page_to_paddr(page)), count_pages * PAGE_SIZE_BYTES);
}

static void contents_check(const struct page *page, const uint64_t *words, uint64_t count_words)
{
    (void)page;
    (void)words;
    (void)count_words;
}
#endif

static void contents_prepare(struct page *page, uint64_t count_pages, uint32_t flags)
{
    char *memory = phys_to_virt(page_to_paddr(page));

    arch_memory_unpoison(memory, count_pages * PAGE_SIZE_BYTES);
    contents_check(page, (uint64_t *)memory, count_pages * PAGE_SIZE_BYTES / sizeof(uint64_t));
    for (uint64_t i = 0; (flags & PMM_ZERO) != 0 && i < count_pages; i++)
        arch_page_zero(memory + i * PAGE_SIZE_BYTES);
}

/* struct page.kind_order_flags */
#define PAGE_DESCRIPTION(kind, order, flags)                                                       \
    ((uint32_t)(kind) | (uint32_t)(order) << 8 | (uint32_t)(flags) << 16)

static void describe(struct page *page, unsigned order, enum page_kind kind)
{
    page->refs = 1;
    page->count = 0;
    page->kind_order_flags = PAGE_DESCRIPTION(kind, order, PAGE_FLAG_HEAD);
    list_init(&page->node);
}

/* ---- Caches
 * --------------------------------------------------------------------------------------- */

/* Gives the cached pages of all harts back, so that they can merge and be had by anybody. */
static NOINLINE void drain_all_caches(void)
{
    struct list_node pages = LIST_INIT(pages);

    for (unsigned i = 0; i < MAX_HARTS; i++) {
        irq_state_t irqs = spin_lock_irqsave(&caches[i].lock);
        list_splice_back(&pages, &caches[i].pages);
        list_splice_back(&pages, &caches[i].zeroed);
        caches[i].count = 0;
        caches[i].count_zeroed = 0;
        spin_unlock_irqrestore(&caches[i].lock, irqs);
    }
    buddy_give_pages(&pages);
}

/* Interrupts are off. */
static NOINLINE struct page *refill(struct page_cache *cache)
{
    struct list_node pages = LIST_INIT(pages);
    size_t count = buddy_take_pages(&pages, CACHE_BATCH);
    struct list_node *first = list_pop_front(&pages);

    if (first == NULL)
        return NULL;
    spin_lock(&cache->lock);
    list_splice_back(&cache->pages, &pages);
    cache->count += (uint32_t)count - 1;
    spin_unlock(&cache->lock);
    return list_entry(first, struct page, node);
}

/* Takes the first page of a list of this hart's cache, |*count| long. NULL: it is empty. The lock
 * is held. */
static inline struct page *cache_pop_locked(struct list_node *list, uint32_t *count)
{
    struct list_node *node = list->next;

    if (*count == 0)
        return NULL;
    node->next->prev = list;
    list->next = node->next;
    *count -= 1;
    return list_entry(node, struct page, node);
}

/* A page that this hart counts as one of |kind| from now on, if it is at hand at once. */
static inline struct page *cache_try_take(enum page_kind kind)
{
    irq_state_t irqs = arch_irq_save();
    struct page_cache *cache = this_cache();
    struct page *page = NULL;

    if (LIKELY(spin_trylock(&cache->lock))) {
        page = cache_pop_locked(&cache->pages, &cache->count);
        if (page != NULL)
            atomic_fetch_add_relaxed(&cache->count_by_kind[kind], 1);
        spin_unlock(&cache->lock);
    }
    arch_irq_restore(irqs);
    return page;
}

/* The same if there is any in the cache or the buddy allocator. *zeroed: one whose contents are all
 * 0 is welcome; tells whether it is one. NULL: no memory. */
static struct page *cache_take(enum page_kind kind, bool *zeroed)
{
    irq_state_t irqs = arch_irq_save();
    struct page_cache *cache = this_cache();
    struct page *page = NULL;

    spin_lock(&cache->lock);
    if (*zeroed)
        page = cache_pop_locked(&cache->zeroed, &cache->count_zeroed);
    *zeroed = page != NULL;
    if (page == NULL)
        page = cache_pop_locked(&cache->pages, &cache->count);
    spin_unlock(&cache->lock);
    if (page == NULL)
        page = refill(cache);
    if (page != NULL)
        account(kind, 1);
    arch_irq_restore(irqs);
    return page;
}

/* Gives the oldest pages of a cache that has too many back. Interrupts are off. */
static NOINLINE void cache_trim(struct page_cache *cache)
{
    struct list_node surplus = LIST_INIT(surplus);

    spin_lock(&cache->lock);
    for (unsigned i = 0; i < CACHE_BATCH && cache->count > 0; i++) {
        struct list_node *oldest = cache->pages.prev;
        list_remove(oldest);
        list_push_back(&surplus, oldest);
        cache->count--;
    }
    spin_unlock(&cache->lock);
    buddy_give_pages(&surplus);
}

/* Takes a page back that counted as one of |kind|. */
static void cache_give(struct page *page, enum page_kind kind)
{
    irq_state_t irqs = arch_irq_save();
    struct page_cache *cache = this_cache();
    uint32_t count;

    spin_lock(&cache->lock);
    list_push_front(&cache->pages, &page->node);
    count = ++cache->count;
    spin_unlock(&cache->lock);
    atomic_fetch_add_relaxed(&cache->count_by_kind[kind], -1);
    if (UNLIKELY(count > CACHE_MAX))
        cache_trim(cache);
    arch_irq_restore(irqs);
}

#ifdef DEBUG
/* Debug builds fill free memory with a pattern. */
static bool cache_give_zeroed(struct page *page)
{
    (void)page;
    return false;
}
#else
/* Keeps a page whose contents are all 0 apart. False: there are enough of them. */
static bool cache_give_zeroed(struct page *page)
{
    irq_state_t irqs = arch_irq_save();
    struct page_cache *cache = this_cache();
    bool is_kept;

    spin_lock(&cache->lock);
    is_kept = cache->count_zeroed < ZEROED_MAX;
    if (is_kept) {
        arch_memory_poison(phys_to_virt(page_to_paddr(page)), PAGE_SIZE_BYTES);
        list_push_front(&cache->zeroed, &page->node);
        cache->count_zeroed++;
    }
    spin_unlock(&cache->lock);
    arch_irq_restore(irqs);
    return is_kept;
}
#endif

/* ---- Allocation
 * ------------------------------------------------------------------------------------ */

static NOINLINE struct page *alloc_page_slow(enum page_kind kind, uint32_t flags)
{
    bool wants_zeroed = kind == PAGE_TABLE && (flags & PMM_ZERO) != 0, zeroed = wants_zeroed;
    struct page *page = cache_take(kind, &zeroed);

    if (page == NULL) {
        drain_all_caches();
        zeroed = wants_zeroed;
        page = cache_take(kind, &zeroed);
        if (page == NULL)
            return NULL;
    }
    contents_prepare(page, 1, zeroed ? flags & ~PMM_ZERO : flags);
    describe(page, 0, kind);
    return page;
}

struct page *pmm_alloc_page(enum page_kind kind, uint32_t flags)
{
    struct page *page = NULL;

    if (arch_inject_failure())
        return NULL;
    if (kind != PAGE_TABLE)
        page = cache_try_take(kind);
    if (UNLIKELY(page == NULL))
        return alloc_page_slow(kind, flags);
    contents_prepare(page, 1, flags);
    describe(page, 0, kind);
    return page;
}

struct page *pmm_try_alloc_pages(unsigned order, enum page_kind kind, uint32_t flags)
{
    uint64_t count = 1ul << order;
    struct page *page = buddy_take_block(order); /* that it fails means nothing to the callers */

    if (page == NULL)
        return NULL;
    contents_prepare(page, count, flags);
    for (uint64_t i = 0; i < count; i++) {
        page[i].free_state = 0;
        describe(&page[i], 0, kind);
    }
    account(kind, (int64_t)count);
    return page;
}

struct page *pmm_alloc_block(unsigned order, enum page_kind kind, uint32_t flags)
{
    struct page *page;

    if (order == 0)
        return pmm_alloc_page(kind, flags);
    if (order > PMM_MAX_ORDER || arch_inject_failure())
        return NULL;
    page = buddy_take_block(order);
    if (page == NULL) {
        drain_all_caches();
        page = buddy_take_block(order);
        if (page == NULL)
            return NULL;
    }
    contents_prepare(page, 1ul << order, flags);
    describe(page, order, kind);
    account(kind, (int64_t)1 << order);
    return page;
}

struct page *pmm_alloc_contiguous(size_t count_pages, unsigned align_log2, enum page_kind kind,
                                  uint32_t flags)
{
    unsigned align_order = align_log2 < PAGE_SHIFT ? 0 : align_log2 - PAGE_SHIFT;
    struct page *page;

    if (count_pages == 0 || count_pages > count_total || align_log2 >= 64 || arch_inject_failure())
        return NULL;
    page = buddy_take_run(count_pages, align_order);
    if (page == NULL) {
        drain_all_caches();
        page = buddy_take_run(count_pages, align_order);
        if (page == NULL)
            return NULL;
    }
    for (size_t i = 0; i < count_pages; i++) {
        contents_prepare(&page[i], 1, flags);
        describe(&page[i], 0, kind);
    }
    account(kind, (int64_t)count_pages);
    return page;
}

/* The last reference is gone, of no ordinary page of a VMO. */
static NOINLINE void release_any(struct page *page)
{
    unsigned order = page->order;
    enum page_kind kind = (enum page_kind)page->kind;
    bool is_zeroed = order == 0 && (page->flags & PAGE_FLAG_ZEROED) != 0;

    ASSERT(kind != PAGE_FREE && kind < PAGE_KIND_COUNT);
    ASSERT((page->flags & PAGE_FLAG_HEAD) != 0);
    ASSERT(page != pmm_zero_page_ptr);
    if (kind == PAGE_RESERVED)
        return;
    page->kind_order_flags = PAGE_DESCRIPTION(PAGE_FREE, order, 0);
    if (is_zeroed && cache_give_zeroed(page)) {
        account(kind, -1);
        return;
    }
    contents_retire(page, 1ul << order);
    if (order == 0) {
        cache_give(page, kind);
    } else {
        account(kind, -((int64_t)1 << order));
        buddy_give_block(page, order);
    }
}

#define PLAIN_PAGE PAGE_DESCRIPTION(PAGE_VMO, 0, PAGE_FLAG_HEAD)

/* The last reference is gone. */
static inline void release(struct page *page)
{
    if (UNLIKELY(page->kind_order_flags != PLAIN_PAGE)) {
        release_any(page);
        return;
    }
    page->kind_order_flags = PAGE_DESCRIPTION(PAGE_FREE, 0, 0);
    contents_retire(page, 1);
    cache_give(page, PAGE_VMO);
}

void pmm_free_block(struct page *page, unsigned order)
{
    uint32_t old = atomic_exchange(&page->refs, 0);

    ASSERT(old == 1 && page->order == order);
    release(page);
}

void page_put(struct page *page)
{
    uint32_t old = atomic_fetch_sub(&page->refs, 1);

    ASSERT(old != 0);
    if (old == 1)
        release(page);
}

/* Neighbouring pages of VMOs whose last references are gone. */
struct free_run {
    struct page *first;
    uint64_t count_pages;
};

/* Gives the run back: few pages to the cache, many to the buddy allocator at once. */
static void free_run_flush(struct free_run *run)
{
    if (run->count_pages == 0)
        return;
    contents_retire(run->first, run->count_pages);
    if (run->count_pages > CACHE_BATCH) {
        account(PAGE_VMO, -(int64_t)run->count_pages);
        buddy_give_run(run->first, run->count_pages);
        return;
    }
    for (uint64_t i = 0; i < run->count_pages; i++) {
        run->first[i].flags = run->first->flags;
        cache_give(&run->first[i], PAGE_VMO);
    }
}

/* |page| has lost its last reference. */
static void free_run_add(struct free_run *run, struct page *page)
{
    if (page->kind_order_flags != PLAIN_PAGE) {
        release_any(page);
        return;
    }
    if (page != run->first + run->count_pages) {
        free_run_flush(run);
        *run = (struct free_run){.first = page};
    }
    run->count_pages++;
    page->kind_order_flags = PAGE_DESCRIPTION(PAGE_FREE, 0, 0);
}

static NOINLINE void put_many(struct list_node *pages)
{
    struct free_run run = {page_array, 0};
    struct list_node *next;

    for (struct list_node *node = pages->next; node != pages; node = next) {
        struct page *page = list_entry(node, struct page, node);
        next = node->next; /* before the page may be somebody else's */
        uint32_t old = atomic_fetch_sub(&page->refs, 1);
        ASSERT(old != 0);
        if (old == 1)
            free_run_add(&run, page);
    }
    list_init(pages);
    free_run_flush(&run);
}

void pmm_put_list(struct list_node *pages)
{
    struct list_node *first = pages->next;

    if (first != pages && first->next != pages) {
        put_many(pages);
    } else if (first != pages) {
        list_init(pages);
        page_put(list_entry(first, struct page, node));
    }
}

bool pmm_adopt_reserved(paddr_t base, size_t count_pages)
{
    struct page *page = page_from_paddr(base);

    if (!is_aligned(base, PAGE_SIZE_BYTES) || count_pages > count_total ||
        !pmm_boot_is_ram(base, count_pages * PAGE_SIZE_BYTES) ||
        !pmm_boot_is_reserved(base, count_pages * PAGE_SIZE_BYTES))
        return false;
    for (size_t i = 0; i < count_pages; i++) {
        page[i].free_state = 0;
        describe(&page[i], 0, PAGE_RESERVED);
    }
    return true;
}

/* ---- Start
 * ------------------------------------------------------------------------------------------ */

/* Maps memory under the struct pages of one bank. |*mapped_end|: up to where the array is there. */
static void place_page_array(const struct ram_range *bank, vaddr_t *mapped_end)
{
    uint64_t first = (bank->base >> PAGE_SHIFT) - page_base_pfn;
    uint64_t end = first + (bank->len_bytes >> PAGE_SHIFT);
    vaddr_t va = round_down((vaddr_t)&page_array[first], PAGE_SIZE_BYTES);
    vaddr_t va_end = round_up((vaddr_t)&page_array[end], PAGE_SIZE_BYTES);
    const uint64_t large = 1ul << 21;
    paddr_t pa;

    va = MAX(va, *mapped_end);
    if (va >= va_end)
        return;
    /* Where address and frame agree modulo 2 MiB it can be mapped with large pages. */
    if ((va_end - va < large || !pmm_boot_take((va_end - va) >> PAGE_SHIFT, large, va, &pa)) &&
        !pmm_boot_take((va_end - va) >> PAGE_SHIFT, PAGE_SIZE_BYTES, 0, &pa))
        panic("no memory for struct page: %lu bytes wanted", va_end - va);
    arch_map_page_array(va, pa, va_end - va, pmm_boot_carve, NULL);
    *mapped_end = va_end;
}

void pmm_init(void)
{
    const struct ram_range *banks;
    size_t count_banks = pmm_boot_banks(&banks);
    vaddr_t mapped_end = 0;
    uint64_t count_free;

    ASSERT(count_banks > 0);
    page_array = (struct page *)PAGE_ARRAY_BASE;
    page_base_pfn = banks[0].base >> PAGE_SHIFT;
    pmm_boot_clip((page_base_pfn + PAGE_ARRAY_MAX_BYTES / sizeof(struct page)) << PAGE_SHIFT);
    count_banks = pmm_boot_banks(&banks);
    for (size_t i = 0; i < count_banks; i++) {
        place_page_array(&banks[i], &mapped_end);
        count_total += banks[i].len_bytes >> PAGE_SHIFT;
    }
    for (unsigned i = 0; i < MAX_HARTS; i++) {
        spinlock_init(&caches[i].lock, LOCK_RANK_PMM);
        list_init(&caches[i].pages);
        list_init(&caches[i].zeroed);
    }
    count_free = buddy_init();
    count_reserved_at_boot = count_total - count_free;
    pmm_zero_page_ptr = pmm_alloc_page(PAGE_RESERVED, PMM_ZERO);
    ASSERT(pmm_zero_page_ptr != NULL);
    pmm_zero_page_ptr->flags |= PAGE_FLAG_IS_ZERO_PAGE;
}

/* ---- Figures
 * ----------------------------------------------------------------------------------------- */

void pmm_get_stats(struct pmm_stats *out)
{
    uint64_t used = 0;

    *out = (struct pmm_stats){.count_total = count_total};
    for (unsigned kind = 0; kind < PAGE_KIND_COUNT; kind++) {
        int64_t count = kind == PAGE_RESERVED ? (int64_t)count_reserved_at_boot : 0;
        for (unsigned i = 0; i < MAX_HARTS; i++)
            count += atomic_load_relaxed(&caches[i].count_by_kind[kind]);
        out->count_by_kind[kind] = (uint64_t)count;
        used += (uint64_t)count;
    }
    out->count_by_kind[PAGE_FREE] = count_total - used;
}

uint64_t pmm_count_free(void)
{
    struct pmm_stats stats;

    pmm_get_stats(&stats);
    return stats.count_by_kind[PAGE_FREE];
}

/* Free pages found in all lists. What moves from one to another meanwhile is counted twice, or not
 * at all. */
static uint64_t count_listed(void)
{
    uint64_t count = buddy_check();

    for (unsigned i = 0; i < MAX_HARTS; i++) {
        uint32_t in_list = 0;
        irq_state_t irqs = spin_lock_irqsave(&caches[i].lock);
        list_for_each (node, &caches[i].pages) {
            struct page *page = list_entry(node, struct page, node);
            ASSERT(page->kind == PAGE_FREE && page->refs == 0 && page->free_state == 0);
            in_list++;
        }
        ASSERT(in_list == caches[i].count);
        list_for_each (node, &caches[i].zeroed) {
            struct page *page = list_entry(node, struct page, node);
            ASSERT(page->kind == PAGE_FREE && page->refs == 0 && page->free_state == 0);
            in_list++;
        }
        ASSERT(in_list == caches[i].count + caches[i].count_zeroed);
        spin_unlock_irqrestore(&caches[i].lock, irqs);
        count += in_list;
    }
    return count;
}

void pmm_check(void)
{
    for (unsigned i = 0; count_listed() != pmm_count_free(); i++)
        ASSERT(i < CHECKS_MAX);
}
