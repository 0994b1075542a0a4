/* Caches of equal objects in slabs of 1 to 8 pages, and kmalloc on top of them.
 *
 * In front of the slabs each hart has a magazine a cache: a few free objects that it can hand out
 * without meeting other harts. Whoever wants to know what is in use drains them first.
 *
 * What is known of a slab is in the struct page of its first frame; the frames behind it only say
 * which order the slab has. A slab's objects are numbered. Free ones form a list through their
 * first byte; those that were never used are behind |slab_carved| and cost nothing until they are.
 * A slab with no object in use goes back to the pmm at once, so the number of free pages tells of
 * leaks.
 *
 * Debug builds put a guard word behind each object, which says whether it is in use, and fill free
 * objects with a pattern: overruns, double frees and writes to freed objects are found. */
#include "kernel/vm/kheap.h"

#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/sync/spinlock.h"
#include "kernel/vm/pmm.h"

#define MAX_CACHES     48u
#define MAX_SLAB_ORDER 3u
#define SLAB_NONE      255u /* also the largest number of objects in a slab */

struct kcache {
    struct spinlock lock;
    struct list_node partial; /* slabs with a free object: struct page.node */
    const char *name;
    uint32_t object_bytes; /* as asked for */
    uint32_t stride_bytes; /* from object to object */
    uint32_t inverse;      /* ceil(2^32 / stride_bytes): divides offsets in a slab exactly */
    uint8_t slab_order;
    uint8_t slab_capacity;
    uint8_t index; /* in caches */
    uint64_t count_objects;
    uint64_t count_slabs;
};

/* A line of the cache. */
#define MAGAZINE_OBJECTS 6u
struct magazine {
    struct spinlock lock; /* whoever drains it may be another hart */
    uint32_t count;
    void *objects[MAGAZINE_OBJECTS];
} __attribute__((aligned(64)));

/* Of each hart, by the index of the cache; NULL: it has none. */
static struct magazine *magazines[MAX_HARTS];

static struct kcache caches[MAX_CACHES];
static uint32_t count_caches; /* atomic: grows when the new one is complete */

static const uint16_t size_classes[] = {16,  32,  48,  64,  96,   128,  192,
                                        256, 384, 512, 768, 1024, 1360, 2048};
#define KMALLOC_MAX 2048u
static struct kcache *class_caches[ARRAY_COUNT(size_classes)];
static uint8_t class_of_units[KMALLOC_MAX / 16 + 1]; /* by size in units of 16 bytes */

static uint64_t count_large_pages; /* atomic */
static uint64_t count_large;       /* atomic */

/* ---- Debug aids
 * ---------------------------------------------------------------------------------- */

#ifdef DEBUG
#define GUARD_BYTES 8u
#define GUARD_LIVE  0x11fe0b1ec711fe0bul
#define GUARD_FREE  0xf4eef4eeb10cf4eeul
#define FREE_BYTE   0x6b

static uint32_t guard_offset(const struct kcache *cache)
{
    return (uint32_t)round_up(cache->object_bytes, GUARD_BYTES);
}

static uint64_t *guard_of(const struct kcache *cache, char *object)
{
    return (uint64_t *)(object + guard_offset(cache));
}

static void object_set_guard(const struct kcache *cache, char *object, uint64_t value)
{
    *guard_of(cache, object) = value;
}

static void object_retire(const struct kcache *cache, char *object)
{
    arch_memory_unpoison(object, cache->stride_bytes);
    if (*guard_of(cache, object) == GUARD_FREE)
        panic("kheap: %s %p is freed twice", cache->name, (void *)object);
    if (*guard_of(cache, object) != GUARD_LIVE)
        panic("kheap: %s %p was written to past its end", cache->name, (void *)object);
    object_set_guard(cache, object, GUARD_FREE);
    memset(object, FREE_BYTE, guard_offset(cache));
    arch_memory_poison(object, cache->stride_bytes);
}

/* The first byte is the link of the free list. */
static void object_check_free(const struct kcache *cache, char *object)
{
    if (*guard_of(cache, object) != GUARD_FREE)
        panic("kheap: %s %p was written to past its end while free", cache->name, (void *)object);
    for (uint32_t i = 1; i < guard_offset(cache); i++) {
        if (object[i] != FREE_BYTE)
            panic("kheap: %s %p was written to after it was freed", cache->name, (void *)object);
    }
    object[0] = FREE_BYTE;
}
#else
#define GUARD_BYTES 0u
#define GUARD_LIVE  0u

static void object_set_guard(const struct kcache *cache, char *object, uint64_t value)
{
    (void)cache;
    (void)object;
    (void)value;
}

static void object_retire(const struct kcache *cache, char *object)
{
    arch_memory_poison(object, cache->stride_bytes);
}

static void object_check_free(const struct kcache *cache, char *object)
{
    (void)cache;
    (void)object;
}
#endif

/* ---- Slabs
 * ----------------------------------------------------------------------------------------- */

static char *slab_object(const struct kcache *cache, const struct page *slab, uint32_t number)
{
    return (char *)phys_to_virt(page_to_paddr(slab)) + number * cache->stride_bytes;
}

/* The slab that |object| is in; panics if there is none. */
static struct page *slab_of(const void *object)
{
    struct page *page = page_from_paddr(virt_to_phys(object));

    if (page->kind != PAGE_HEAP || (page->flags & PAGE_FLAG_SLAB) == 0)
        panic("kheap: %p is not an object", object);
    if ((page->flags & PAGE_FLAG_HEAD) == 0) {
        paddr_t pa = page_to_paddr(page);
        page = page_from_paddr(round_down(pa, PAGE_SIZE_BYTES << page->order));
    }
    return page;
}

static uint32_t slab_number_of(const struct kcache *cache, const struct page *slab,
                               const void *object)
{
    uint32_t offset = (uint32_t)(virt_to_phys(object) - page_to_paddr(slab));
    uint32_t number = (uint32_t)((uint64_t)offset * cache->inverse >> 32);

    if (number * cache->stride_bytes != offset || number >= slab->slab_carved)
        panic("kheap: %p is not the start of an object of %s", object, cache->name);
    return number;
}

/* A new slab with no object in use, in no list. NULL: no memory. */
static struct page *slab_create(struct kcache *cache)
{
    struct page *slab = pmm_alloc_block(cache->slab_order, PAGE_HEAP, 0);

    if (slab == NULL)
        return NULL;
    slab->flags |= PAGE_FLAG_SLAB;
    slab->slab_in_use = 0;
    slab->slab_carved = 0;
    slab->slab_free = SLAB_NONE;
    slab->slab_cache = cache->index;
    for (uint32_t i = 1; i < 1u << cache->slab_order; i++) {
        slab[i].slab_cache = cache->index;
        slab[i].kind = PAGE_HEAP;
        slab[i].flags = PAGE_FLAG_SLAB;
        slab[i].order = cache->slab_order;
    }
    arch_memory_poison(phys_to_virt(page_to_paddr(slab)), PAGE_SIZE_BYTES << cache->slab_order);
    return slab;
}

static void slab_destroy(struct kcache *cache, struct page *slab)
{
    /* Frames inside a free block must not look like part of a slab. */
    for (uint32_t i = 1; i < 1u << cache->slab_order; i++)
        slab[i].flags = 0;
    arch_memory_unpoison(phys_to_virt(page_to_paddr(slab)), PAGE_SIZE_BYTES << cache->slab_order);
    pmm_free_block(slab, cache->slab_order);
}

/* Gets a free object ready for its user. */
static void object_issue(const struct kcache *cache, char *object)
{
    arch_memory_unpoison(object, cache->stride_bytes);
    object_set_guard(cache, object, GUARD_LIVE);
    arch_memory_poison(object + cache->object_bytes, cache->stride_bytes - cache->object_bytes);
}

static char *slab_take(struct kcache *cache, struct page *slab)
{
    char *object;

    if (slab->slab_free == SLAB_NONE) {
        object = slab_object(cache, slab, slab->slab_carved++);
    } else {
        object = slab_object(cache, slab, slab->slab_free);
        arch_memory_unpoison(object, cache->stride_bytes);
        slab->slab_free = (uint8_t)object[0];
        object_check_free(cache, object);
    }
    slab->slab_in_use++;
    return object;
}

/* ---- Caches
 * ----------------------------------------------------------------------------------------- */

static void choose_slab_order(struct kcache *cache)
{
    for (uint32_t order = 0; order <= MAX_SLAB_ORDER; order++) {
        uint32_t bytes = (uint32_t)PAGE_SIZE_BYTES << order;
        uint32_t capacity = MIN(bytes / cache->stride_bytes, SLAB_NONE);
        if (capacity == 0)
            continue;
        cache->slab_order = (uint8_t)order;
        cache->slab_capacity = (uint8_t)capacity;
        if ((bytes - capacity * cache->stride_bytes) * 8 <= bytes)
            return;
    }
}

struct kcache *kcache_create(const char *name, size_t object_bytes, size_t align_bytes)
{
    uint32_t index = atomic_load_relaxed(&count_caches);
    struct kcache *cache = &caches[index];

    if (index == MAX_CACHES)
        panic("kheap: more than %u caches", MAX_CACHES);
    ASSERT(is_power_of_two(align_bytes) && align_bytes <= 64);
    ASSERT(object_bytes > 0 && object_bytes <= PAGE_SIZE_BYTES);
    spinlock_init(&cache->lock, LOCK_RANK_KHEAP);
    list_init(&cache->partial);
    cache->name = name;
    cache->object_bytes = (uint32_t)object_bytes;
    cache->stride_bytes =
        (uint32_t)round_up(round_up(object_bytes, 8) + GUARD_BYTES, MAX(align_bytes, 8ul));
    cache->inverse = (uint32_t)(((1ull << 32) + cache->stride_bytes - 1) / cache->stride_bytes);
    cache->index = (uint8_t)index;
    choose_slab_order(cache);
    atomic_store_release(&count_caches, index + 1);
    return cache;
}

static void *slab_alloc(struct kcache *cache)
{
    struct page *slab;
    irq_state_t irqs = spin_lock_irqsave(&cache->lock);
    char *object;

    if (list_is_empty(&cache->partial)) {
        spin_unlock_irqrestore(&cache->lock, irqs);
        slab = slab_create(cache);
        if (slab == NULL)
            return NULL;
        irqs = spin_lock_irqsave(&cache->lock);
        cache->count_slabs++;
        list_push_front(&cache->partial, &slab->node);
    }
    slab = list_entry(cache->partial.next, struct page, node);
    object = slab_take(cache, slab);
    if (slab->slab_in_use == cache->slab_capacity)
        list_remove(&slab->node);
    cache->count_objects++;
    spin_unlock_irqrestore(&cache->lock, irqs);
    return object;
}

/* |object| is retired. */
static void slab_free(struct kcache *cache, void *object)
{
    struct page *slab = slab_of(object);
    irq_state_t irqs = spin_lock_irqsave(&cache->lock);
    uint32_t number = slab_number_of(cache, slab, object);
    bool is_empty;

    arch_memory_unpoison(object, 1);
    *(uint8_t *)object = slab->slab_free;
    arch_memory_poison(object, 1);
    slab->slab_free = (uint8_t)number;
    if (slab->slab_in_use-- == cache->slab_capacity)
        list_push_front(&cache->partial, &slab->node);
    is_empty = slab->slab_in_use == 0;
    if (is_empty) {
        list_remove(&slab->node);
        cache->count_slabs--;
    }
    cache->count_objects--;
    spin_unlock_irqrestore(&cache->lock, irqs);
    if (is_empty)
        slab_destroy(cache, slab);
}

/* ---- Magazines ------------------------------------------------------------------------------- */

void kheap_init_hart(unsigned hart_index)
{
    struct magazine *mine;

    if (magazines[hart_index] != NULL)
        return;
    mine = kzalloc(MAX_CACHES * sizeof(*mine));
    for (unsigned i = 0; mine != NULL && i < MAX_CACHES; i++)
        spinlock_init(&mine[i].lock, LOCK_RANK_KHEAP);
    atomic_store_release(&magazines[hart_index], mine);
}

/* Interrupts off. */
static inline struct magazine *magazine_of(const struct kcache *cache)
{
    struct magazine *mine = magazines[arch_hart_index()];
    return LIKELY(mine != NULL) ? &mine[cache->index] : NULL;
}

static inline void *magazine_take(struct kcache *cache)
{
    irq_state_t irqs = arch_irq_save();
    struct magazine *magazine = magazine_of(cache);
    void *object = NULL;

    if (LIKELY(magazine != NULL && spin_trylock(&magazine->lock))) {
        if (LIKELY(magazine->count != 0))
            object = magazine->objects[--magazine->count];
        spin_unlock(&magazine->lock);
    }
    arch_irq_restore(irqs);
    return object;
}

/* False: it is full, or there is none. */
static inline bool magazine_put(struct kcache *cache, void *object)
{
    irq_state_t irqs = arch_irq_save();
    struct magazine *magazine = magazine_of(cache);
    bool is_in = false;

    if (LIKELY(magazine != NULL && spin_trylock(&magazine->lock))) {
        is_in = LIKELY(magazine->count < MAGAZINE_OBJECTS);
        if (is_in)
            magazine->objects[magazine->count++] = object;
        spin_unlock(&magazine->lock);
    }
    arch_irq_restore(irqs);
    return is_in;
}

/* Gives objects of a magazine back to the slabs until |keep| are left. */
static void magazine_empty(struct kcache *cache, struct magazine *magazine, uint32_t keep)
{
    void *objects[MAGAZINE_OBJECTS];
    uint32_t count = 0;
    irq_state_t irqs = spin_lock_irqsave(&magazine->lock);

    while (magazine->count > keep)
        objects[count++] = magazine->objects[--magazine->count];
    spin_unlock_irqrestore(&magazine->lock, irqs);
    while (count-- > 0)
        slab_free(cache, objects[count]);
}

bool kheap_drain(void)
{
    bool had_any = false;

    for (unsigned hart = 0; hart < MAX_HARTS; hart++) {
        struct magazine *theirs = atomic_load_acquire(&magazines[hart]);
        for (uint32_t i = 0; theirs != NULL && i < atomic_load_acquire(&count_caches); i++) {
            if (atomic_load_relaxed(&theirs[i].count) == 0)
                continue;
            magazine_empty(&caches[i], &theirs[i], 0);
            had_any = true;
        }
    }
    return had_any;
}

/* ---- Objects --------------------------------------------------------------------------------- */

NOINLINE static void *alloc_from_slab(struct kcache *cache)
{
    char *object = slab_alloc(cache);

    /* Among what other caches keep free there may be a whole slab. */
    if (object == NULL && kheap_drain())
        object = slab_alloc(cache);
    if (object != NULL)
        object_issue(cache, object);
    return object;
}

void *kcache_alloc(struct kcache *cache)
{
    char *object;

    if (arch_inject_failure())
        return NULL;
    object = magazine_take(cache);
    if (UNLIKELY(object == NULL))
        return alloc_from_slab(cache);
    object_issue(cache, object);
    return object;
}

void *kcache_zalloc(struct kcache *cache)
{
    void *object = kcache_alloc(cache);

    if (object != NULL)
        memset(object, 0, cache->object_bytes);
    return object;
}

NOINLINE static void free_to_slab(struct kcache *cache, void *object)
{
    irq_state_t irqs = arch_irq_save();
    struct magazine *magazine = magazine_of(cache);

    arch_irq_restore(irqs);
    if (magazine != NULL)
        magazine_empty(cache, magazine, MAGAZINE_OBJECTS / 2);
    slab_free(cache, object);
}

/* |object| lies in a slab of the cache. */
static inline void object_free(struct kcache *cache, void *object)
{
    object_retire(cache, object);
    if (UNLIKELY(!magazine_put(cache, object)))
        free_to_slab(cache, object);
}

void kcache_free(struct kcache *cache, void *object)
{
    const struct page *page = page_from_paddr(virt_to_phys(object));

    if (UNLIKELY(page->kind != PAGE_HEAP || (page->flags & PAGE_FLAG_SLAB) == 0 ||
                 page->slab_cache != cache->index))
        panic("kheap: %p is not an object of %s", object, cache->name);
    object_free(cache, object);
}

/* ---- kmalloc
 * ------------------------------------------------------------------------------------------ */

void kheap_init(void)
{
    static const char *const names[] = {
        "kmalloc-16",  "kmalloc-32",  "kmalloc-48",   "kmalloc-64",  "kmalloc-96",
        "kmalloc-128", "kmalloc-192", "kmalloc-256",  "kmalloc-384", "kmalloc-512",
        "kmalloc-768", "kmalloc-1k",  "kmalloc-1.3k", "kmalloc-2k",
    };
    unsigned class = 0;

    _Static_assert(ARRAY_COUNT(names) == ARRAY_COUNT(size_classes), "a name for each class");
    for (unsigned i = 0; i < ARRAY_COUNT(size_classes); i++)
        class_caches[i] = kcache_create(names[i], size_classes[i], 16);
    for (unsigned units = 0; units <= KMALLOC_MAX / 16; units++) {
        if (units * 16 > size_classes[class])
            class ++;
        class_of_units[units] = (uint8_t) class;
    }
}

static void *alloc_large(size_t len_bytes)
{
    struct page *page;
    unsigned order;

    if (len_bytes > PAGE_SIZE_BYTES << PMM_MAX_ORDER)
        return NULL;
    order = log2_ceil((len_bytes + PAGE_MASK) >> PAGE_SHIFT);
    page = pmm_alloc_block(order, PAGE_HEAP, 0);
    if (page == NULL)
        return NULL;
    atomic_fetch_add_relaxed(&count_large_pages, 1ul << order);
    atomic_fetch_add_relaxed(&count_large, 1);
    return phys_to_virt(page_to_paddr(page));
}

void *kmalloc(size_t len_bytes)
{
    struct kcache *cache;
    void *object;

    if (len_bytes > KMALLOC_MAX)
        return alloc_large(len_bytes);
    cache = class_caches[class_of_units[(len_bytes + 15) / 16]];
    object = kcache_alloc(cache);
    if (object != NULL)
        arch_memory_poison((char *)object + len_bytes, cache->stride_bytes - len_bytes);
    return object;
}

void *kzalloc(size_t len_bytes)
{
    void *object = kmalloc(len_bytes);

    if (object != NULL)
        memset(object, 0, len_bytes);
    return object;
}

NOINLINE static void free_large(struct page *page, const void *object)
{
    if (page->kind != PAGE_HEAP || (page->flags & PAGE_FLAG_HEAD) == 0 ||
        !is_aligned((uintptr_t)object, PAGE_SIZE_BYTES))
        panic("kfree: %p was not allocated", object);
    atomic_fetch_sub(&count_large_pages, 1ul << page->order);
    atomic_fetch_sub(&count_large, 1);
    pmm_free_block(page, page->order);
}

void kfree(void *object)
{
    struct page *page;

    if (object == NULL)
        return;
    page = page_from_paddr(virt_to_phys(object));
    if (LIKELY(page->kind == PAGE_HEAP && (page->flags & PAGE_FLAG_SLAB) != 0))
        object_free(&caches[page->slab_cache], object);
    else
        free_large(page, object);
}

/* ---- Figures
 * ------------------------------------------------------------------------------------------- */

void kheap_for_each_cache(void (*fn)(void *ctx, const char *name, size_t object_bytes,
                                     uint64_t count_objects, uint64_t count_pages),
                          void *ctx)
{
    uint32_t count = atomic_load_acquire(&count_caches);

    (void)kheap_drain();
    for (uint32_t i = 0; i < count; i++) {
        struct kcache *cache = &caches[i];
        irq_state_t irqs = spin_lock_irqsave(&cache->lock);
        uint64_t count_objects = cache->count_objects;
        uint64_t count_pages = cache->count_slabs << cache->slab_order;
        spin_unlock_irqrestore(&cache->lock, irqs);
        fn(ctx, cache->name, cache->object_bytes, count_objects, count_pages);
    }
}

static void add_stats(void *ctx, const char *name, size_t object_bytes, uint64_t count_objects,
                      uint64_t count_pages)
{
    struct kheap_stats *stats = ctx;

    (void)name;
    stats->count_pages += count_pages;
    stats->count_objects += count_objects;
    stats->used_bytes += count_objects * object_bytes;
}

void kheap_get_stats(struct kheap_stats *out)
{
    uint64_t large_pages = atomic_load_relaxed(&count_large_pages);

    *out = (struct kheap_stats){
        .count_pages = large_pages,
        .count_objects = atomic_load_relaxed(&count_large),
        .used_bytes = large_pages * PAGE_SIZE_BYTES,
    };
    kheap_for_each_cache(add_stats, out);
}
