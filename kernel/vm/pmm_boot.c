/* What RAM there is and which parts of it are taken, before there is an allocator. */
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/vm/pmm_internal.h"

#define MAX_RESERVED 128

/* Sorted, disjoint and not even touching ranges. */
struct range_set {
    struct ram_range *ranges;
    size_t count, max;
};

static struct ram_range bank_ranges[PMM_MAX_BANKS + 1];
static struct ram_range reserved_ranges[MAX_RESERVED + 1];
static struct range_set banks = {bank_ranges, 0, PMM_MAX_BANKS};
static struct range_set reserved = {reserved_ranges, 0, MAX_RESERVED};

static paddr_t range_end(const struct ram_range *range)
{
    return range->base + range->len_bytes;
}

/* Adds [base, end), joining it with what it touches. False: no room; nothing changed. */
static bool range_set_add(struct range_set *set, paddr_t base, paddr_t end)
{
    size_t first = 0, last;

    while (first < set->count && range_end(&set->ranges[first]) < base)
        first++;
    for (last = first; last < set->count && set->ranges[last].base <= end; last++) {
        base = MIN(base, set->ranges[last].base);
        end = MAX(end, range_end(&set->ranges[last]));
    }
    if (first == last && set->count == set->max)
        return false;
    memmove(&set->ranges[first + 1], &set->ranges[last],
            (set->count - last) * sizeof(set->ranges[0]));
    set->ranges[first] = (struct ram_range){.base = base, .len_bytes = end - base};
    set->count = set->count + 1 - (last - first);
    return true;
}

/* The range that contains |at|, or else the first one above it; NULL: none. */
static const struct ram_range *range_set_find(const struct range_set *set, paddr_t at)
{
    for (size_t i = 0; i < set->count; i++) {
        if (at < range_end(&set->ranges[i]))
            return &set->ranges[i];
    }
    return NULL;
}

static bool range_set_covers(const struct range_set *set, paddr_t base, uint64_t len_bytes)
{
    const struct ram_range *range = range_set_find(set, base);
    return range != NULL && range->base <= base && len_bytes <= range_end(range) - base;
}

void pmm_boot_add_bank(paddr_t base, uint64_t len_bytes)
{
    /* The last page of the address space stays out, so that ends never wrap. */
    paddr_t end = len_bytes > UINT64_MAX - PAGE_MASK - base ? UINT64_MAX : base + len_bytes;

    end = round_down(end, PAGE_SIZE_BYTES);
    if (!round_up_checked(base, PAGE_SIZE_BYTES, &base) || base >= end)
        return;
    if (!range_set_add(&banks, base, end))
        kprintf("pmm: too many banks, memory at %#lx + %#lx is not used", base, end - base);
}

zx_status_t pmm_boot_reserve(paddr_t base, uint64_t len_bytes)
{
    paddr_t end = len_bytes > UINT64_MAX - base ? UINT64_MAX : base + len_bytes;

    if (len_bytes == 0)
        return ZX_OK;
    base = round_down(base, PAGE_SIZE_BYTES);
    if (!round_up_checked(end, PAGE_SIZE_BYTES, &end))
        end = round_down(UINT64_MAX, PAGE_SIZE_BYTES);
    if (base >= end)
        return ZX_OK;
    return range_set_add(&reserved, base, end) ? ZX_OK : ZX_ERR_NO_RESOURCES;
}

size_t pmm_boot_banks(const struct ram_range **out)
{
    *out = bank_ranges;
    return banks.count;
}

bool pmm_boot_is_ram(paddr_t base, uint64_t len_bytes)
{
    return range_set_covers(&banks, base, len_bytes);
}

bool pmm_boot_is_reserved(paddr_t base, uint64_t len_bytes)
{
    return range_set_covers(&reserved, base, len_bytes);
}

void pmm_boot_clip(paddr_t limit)
{
    for (size_t i = 0; i < banks.count; i++) {
        struct ram_range *bank = &bank_ranges[i];
        if (range_end(bank) <= limit)
            continue;
        kprintf("pmm: memory above %#lx is not used", MAX(bank->base, limit));
        bank->len_bytes = bank->base < limit ? limit - bank->base : 0;
        banks.count = bank->len_bytes == 0 ? i : i + 1;
    }
}

/* The lowest fitting address in the free run [first, end). */
static bool fit(paddr_t first, paddr_t end, uint64_t len_bytes, uint64_t align_bytes,
                uint64_t congruent, paddr_t *out)
{
    uint64_t skip = (congruent - first) & (align_bytes - 1);

    if (skip > end - first || len_bytes > end - first - skip)
        return false;
    *out = first + skip;
    return true;
}

struct take {
    uint64_t len_bytes, align_bytes, congruent;
    paddr_t found;
    bool done;
};

static void try_run(void *ctx, uint64_t first, uint64_t end, uint64_t bank_first, uint64_t bank_end)
{
    struct take *take = ctx;

    (void)bank_first;
    (void)bank_end;
    if (!take->done)
        take->done = fit(first << PAGE_SHIFT, end << PAGE_SHIFT, take->len_bytes, take->align_bytes,
                         take->congruent, &take->found);
}

bool pmm_boot_take(uint64_t count_pages, uint64_t align_bytes, uint64_t congruent, paddr_t *out)
{
    struct take take = {
        .len_bytes = count_pages << PAGE_SHIFT,
        .align_bytes = align_bytes,
        .congruent = congruent,
    };

    pmm_boot_for_each_run(try_run, &take);
    if (!take.done || !range_set_add(&reserved, take.found, take.found + take.len_bytes))
        return false;
    *out = take.found;
    return true;
}

paddr_t pmm_boot_carve(void *ctx, size_t count_pages)
{
    paddr_t base;

    (void)ctx;
    if (!pmm_boot_take(count_pages, PAGE_SIZE_BYTES, 0, &base))
        panic("no memory to boot with: %zu contiguous pages wanted", count_pages);
    for (size_t i = 0; i < count_pages; i++)
        arch_page_zero(phys_to_virt(base + i * PAGE_SIZE_BYTES));
    return base;
}

void pmm_boot_for_each_run(pmm_run_fn fn, void *ctx)
{
    for (size_t i = 0; i < banks.count; i++) {
        paddr_t at = bank_ranges[i].base;
        paddr_t bank_end = range_end(&bank_ranges[i]);
        while (at < bank_end) {
            const struct ram_range *taken = range_set_find(&reserved, at);
            paddr_t end = taken == NULL ? bank_end : MIN(MAX(taken->base, at), bank_end);
            if (end > at)
                fn(ctx, at >> PAGE_SHIFT, end >> PAGE_SHIFT, bank_ranges[i].base >> PAGE_SHIFT,
                   bank_end >> PAGE_SHIFT);
            at = taken == NULL ? bank_end : MIN(range_end(taken), bank_end);
        }
    }
}
