/* The physical memory manager against a bitmap, over banks with holes and reserved ranges. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/bits.h"
#include "kernel/vm/pmm.h"
#include "tests/host/fake_arch.h"
#include "tests/host/test_random.h"

#define MIB          (1ul << 20)
#define ARENA_BYTES  (48 * MIB)
#define FRAME_COUNT  (ARENA_BYTES / PAGE_SIZE_BYTES)
#define MAX_LIVE     4096
#define KEPT_AT_BOOT 0x5a

/* What the test knows of each frame. */
static enum frame_state { OUTSIDE, USABLE, USED } model[FRAME_COUNT];

struct allocation {
    struct page *page;
    uint64_t count;
    enum page_kind kind;
    bool is_block;
    unsigned order;
};
static struct allocation live[MAX_LIVE];
static unsigned count_live;
static uint64_t used_by_kind[PAGE_KIND_COUNT];

static const struct ram_range test_banks[] = {
    {FAKE_PHYS_BASE + 0x5000, 7 * MIB - 0x5000},    {FAKE_PHYS_BASE + 9 * MIB + 0x3000, 4 * MIB},
    {FAKE_PHYS_BASE + 16 * MIB, 21 * MIB + 0x9000}, {FAKE_PHYS_BASE + 40 * MIB, 0x1000},
    {FAKE_PHYS_BASE + 44 * MIB - 0x1000, 0x2000},
};
static const struct ram_range test_reserved[] = {
    {FAKE_PHYS_BASE + 2 * MIB + 0x123, 0x2000}, {FAKE_PHYS_BASE, 0x7000},
    {FAKE_PHYS_BASE + 6 * MIB, 4 * MIB},        {FAKE_PHYS_BASE + 20 * MIB, MIB},
    {FAKE_PHYS_BASE + 30 * MIB - 0x3000, 1},    {FAKE_PHYS_BASE + 1000 * MIB, MIB},
};

static uint64_t frame_of(paddr_t pa)
{
    return (pa - FAKE_PHYS_BASE) / PAGE_SIZE_BYTES;
}

static void model_set(paddr_t base, paddr_t end, enum frame_state value)
{
    for (paddr_t pa = base; pa < end; pa += PAGE_SIZE_BYTES)
        model[frame_of(pa)] = value;
}

static int boot(void **state)
{
    struct pmm_stats stats;
    uint64_t usable = 0;

    (void)state;
    fake_arena_create(ARENA_BYTES);
    /* In an order that has to be sorted. */
    for (size_t i = ARRAY_COUNT(test_banks); i-- > 0;)
        pmm_boot_add_bank(test_banks[i].base, test_banks[i].len_bytes);
    for (size_t i = 0; i < ARRAY_COUNT(test_reserved); i++) {
        if (pmm_boot_reserve(test_reserved[i].base, test_reserved[i].len_bytes) != ZX_OK)
            return -1;
    }
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *memory = phys_to_virt(pmm_boot_carve(NULL, 2));
        for (unsigned at = 0; at < 2 * PAGE_SIZE_BYTES; at++) {
            if (memory[at] != 0)
                return -1;
        }
        memset(memory, KEPT_AT_BOOT, 2 * PAGE_SIZE_BYTES);
    }
    pmm_init();
    pmm_check();
    for (size_t i = 0; i < ARRAY_COUNT(test_banks); i++)
        model_set(test_banks[i].base, test_banks[i].base + test_banks[i].len_bytes, USABLE);
    for (size_t i = 0; i < ARRAY_COUNT(test_reserved) - 1; i++)
        model_set(round_down(test_reserved[i].base, PAGE_SIZE_BYTES),
                  test_reserved[i].base + test_reserved[i].len_bytes, OUTSIDE);
    for (uint64_t i = 0; i < FRAME_COUNT; i++)
        usable += model[i] == USABLE;
    pmm_get_stats(&stats);
    /* Besides: 6 carved pages, the zero page, and struct page. */
    if (stats.count_total * sizeof(struct page) / PAGE_SIZE_BYTES + 5 + 7 <
        usable - stats.count_by_kind[PAGE_FREE])
        return -1;
    return usable > stats.count_by_kind[PAGE_FREE] + 7 ? 0 : -1;
}

/* Takes every free page once: afterwards the model knows exactly which frames the allocator has. */
static void test_exhaust_and_learn(void **state)
{
    uint64_t count_free = pmm_count_free(), count = 0;
    struct list_node pages = LIST_INIT(pages);
    struct page *page;

    (void)state;
    for (uint64_t i = 0; i < FRAME_COUNT; i++)
        assert_true(model[i] == OUTSIDE || model[i] == USABLE);
    while ((page = pmm_alloc_page(PAGE_VMO, 0)) != NULL) {
        uint64_t frame = frame_of(page_to_paddr(page));
        assert_int_equal(model[frame], USABLE);
        model[frame] = USED;
        list_push_back(&pages, &page->node);
        count++;
    }
    assert_int_equal(count, count_free);
    assert_int_equal(pmm_count_free(), 0);
    assert_null(pmm_alloc_block(0, PAGE_VMO, 0));
    assert_null(pmm_alloc_block(3, PAGE_VMO, 0));
    assert_null(pmm_alloc_contiguous(1, 12, PAGE_VMO, 0));
    pmm_put_list(&pages);
    pmm_check();
    assert_int_equal(pmm_count_free(), count_free);
    for (uint64_t i = 0; i < FRAME_COUNT; i++)
        model[i] = model[i] == USED ? USABLE : OUTSIDE;
}

/* True if the model has |count| free frames in a row, the first one aligned; none across banks. */
static bool model_has_run(uint64_t count, uint64_t align_frames)
{
    for (size_t b = 0; b < ARRAY_COUNT(test_banks); b++) {
        uint64_t first = frame_of(test_banks[b].base);
        uint64_t end = first + test_banks[b].len_bytes / PAGE_SIZE_BYTES;
        /* The physical base is aligned better than anything that is asked for. */
        for (uint64_t start = round_up(first, align_frames); start + count <= end;
             start += align_frames) {
            uint64_t n = 0;
            while (n < count && model[start + n] == USABLE)
                n++;
            if (n == count)
                return true;
        }
    }
    return false;
}

static void stamp(const struct allocation *a, bool check)
{
    for (uint64_t i = 0; i < a->count; i++) {
        uint64_t *words = phys_to_virt(page_to_paddr(a->page + i));
        if (check) {
            assert_int_equal(words[0], (uintptr_t)a->page + i);
            assert_int_equal(words[511], ~((uintptr_t)a->page + i));
        }
        words[0] = (uintptr_t)a->page + i;
        words[511] = ~((uintptr_t)a->page + i);
    }
}

static void model_add(struct allocation a, uint64_t align_frames, bool zeroed)
{
    uint64_t frame = frame_of(page_to_paddr(a.page));

    assert_int_equal(frame % align_frames, 0);
    for (uint64_t i = 0; i < a.count; i++) {
        const uint64_t *words = phys_to_virt(page_to_paddr(a.page + i));
        assert_int_equal(model[frame + i], USABLE);
        model[frame + i] = USED;
        for (unsigned n = 0; zeroed && n < 512; n++)
            assert_int_equal(words[n], 0);
        if (!a.is_block) {
            assert_int_equal(a.page[i].refs, 1);
            assert_int_equal(a.page[i].kind, a.kind);
        }
    }
    stamp(&a, false);
    used_by_kind[a.kind] += a.count;
    live[count_live++] = a;
}

static void allocate(struct test_random *random)
{
    static const enum page_kind kinds[] = {PAGE_VMO, PAGE_TABLE, PAGE_HEAP, PAGE_STACK};
    struct allocation a = {.kind = kinds[test_random_below(random, 4)], .count = 1};
    uint32_t flags = test_random_below(random, 3) == 0 ? PMM_ZERO : 0;
    uint64_t align_frames = 1;

    switch (test_random_below(random, 8)) {
    case 0:
    case 1:
        a.order = (unsigned)test_random_below(random, test_random_below(random, 12) + 1);
        a.count = align_frames = 1ul << a.order;
        a.is_block = true;
        a.page = pmm_alloc_block(a.order, a.kind, flags);
        break;
    case 2:
        a.count = test_random_below(random, 1ul << test_random_below(random, 12)) + 1;
        align_frames = 1ul << test_random_below(random, 10);
        a.page = pmm_alloc_contiguous(a.count, 12 + log2_floor(align_frames), a.kind, flags);
        break;
    default:
        a.page = pmm_alloc_page(a.kind, flags);
        break;
    }
    if (a.page == NULL)
        assert_false(model_has_run(a.count, align_frames));
    else
        model_add(a, align_frames, flags != 0);
}

static void release_one(unsigned index)
{
    struct allocation a = live[index];
    uint64_t frame = frame_of(page_to_paddr(a.page));

    live[index] = live[--count_live];
    stamp(&a, true);
    for (uint64_t i = 0; i < a.count; i++)
        model[frame + i] = USABLE;
    used_by_kind[a.kind] -= a.count;
    if (a.is_block && a.order % 2 == 0) {
        pmm_free_block(a.page, a.order);
    } else if (a.is_block) {
        page_get(a.page);
        page_put(a.page);
        page_put(a.page);
    } else {
        for (uint64_t i = 0; i < a.count; i++)
            page_put(a.page + i);
    }
}

static void check_figures(const struct pmm_stats *before)
{
    struct pmm_stats now;
    uint64_t used = 0;

    pmm_get_stats(&now);
    for (unsigned kind = 0; kind < PAGE_KIND_COUNT; kind++) {
        if (kind == PAGE_FREE)
            continue;
        assert_int_equal(now.count_by_kind[kind], before->count_by_kind[kind] + used_by_kind[kind]);
        used += used_by_kind[kind];
    }
    assert_int_equal(now.count_by_kind[PAGE_FREE], before->count_by_kind[PAGE_FREE] - used);
    assert_int_equal(now.count_total, before->count_total);
}

static void test_against_model(void **state)
{
    struct test_random random = {12345};
    struct pmm_stats before;
    unsigned steps = 30000;

    (void)state;
    pmm_get_stats(&before);
    for (unsigned i = 0; i < steps; i++) {
        /* Waves: fill up until allocations fail, then empty again. */
        uint64_t bias = (i / 3000) % 2 == 0 ? 7 : 3;
        fake_set_hart((unsigned)test_random_below(&random, 4));
        if (count_live < MAX_LIVE && test_random_below(&random, 10) < bias)
            allocate(&random);
        else if (count_live > 0)
            release_one((unsigned)test_random_below(&random, count_live));
        if (i % 500 == 0) {
            pmm_check();
            check_figures(&before);
        }
    }
    while (count_live > 0)
        release_one(count_live - 1);
    fake_set_hart(0);
    pmm_check();
    check_figures(&before);
    /* A request that cannot be met empties the caches, and then all has merged again. */
    assert_null(pmm_alloc_block(PMM_MAX_ORDER, PAGE_VMO, 0));
    pmm_check();
    struct page *run = pmm_alloc_contiguous(7 * MIB / PAGE_SIZE_BYTES + 3, 21, PAGE_VMO, 0);
    assert_int_equal(run != NULL, model_has_run(7 * MIB / PAGE_SIZE_BYTES + 3, 512));
    assert_non_null(run);
    for (unsigned i = 0; i < 7 * MIB / PAGE_SIZE_BYTES + 3; i++)
        page_put(run + i);
}

static void test_odd_requests(void **state)
{
    (void)state;
    assert_null(pmm_alloc_contiguous(0, 12, PAGE_VMO, 0));
    assert_null(pmm_alloc_contiguous(1, 64, PAGE_VMO, 0));
    assert_null(pmm_alloc_contiguous(1, 63, PAGE_VMO, 0));
    assert_null(pmm_alloc_contiguous(SIZE_MAX, 12, PAGE_VMO, 0));
    assert_null(pmm_alloc_block(PMM_MAX_ORDER + 1, PAGE_VMO, 0));
    assert_true(pmm_zero_page()->flags & PAGE_FLAG_IS_ZERO_PAGE);
    const uint64_t *zeros = phys_to_virt(page_to_paddr(pmm_zero_page()));
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(zeros[i], 0);
}

static void test_adopt(void **state)
{
    paddr_t base = FAKE_PHYS_BASE + 20 * MIB;
    uint64_t free_before = pmm_count_free();

    (void)state;
    assert_true(pmm_adopt_reserved(base, 3));
    for (unsigned i = 0; i < 3; i++) {
        struct page *page = page_from_paddr(base) + i;
        assert_int_equal(page->kind, PAGE_RESERVED);
        page_put(page);
    }
    assert_int_equal(pmm_count_free(), free_before);
    assert_false(pmm_adopt_reserved(base + 1, 1));
    assert_false(pmm_adopt_reserved(FAKE_PHYS_BASE + 17 * MIB + 2 * MIB, 512));
    assert_false(pmm_adopt_reserved(FAKE_PHYS_BASE + 8 * MIB, 1));
    pmm_check();
}

static void test_failure(void **state)
{
    uint64_t free_before = pmm_count_free();

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct page *page;
        fake_fail_after(1);
        page = i == 0   ? pmm_alloc_page(PAGE_VMO, 0)
               : i == 1 ? pmm_alloc_block(2, PAGE_VMO, 0)
                        : pmm_alloc_contiguous(3, 12, PAGE_VMO, 0);
        assert_null(page);
        assert_true(fake_fail_stop());
    }
    assert_int_equal(pmm_count_free(), free_before);
}

/* ---- Misuse is caught ---------------------------------------------------------------------------
 */

static void misuse(void *arg)
{
    struct page *page = pmm_alloc_block(2, PAGE_HEAP, 0);
    volatile uint64_t *words = phys_to_virt(page_to_paddr(page));

    switch ((uintptr_t)arg) {
    case 0: /* twice */
        pmm_free_block(page, 2);
        pmm_free_block(page, 2);
        break;
    case 1: /* twice, with its buddies merged around it meanwhile */
        page_put(page);
        page_put(page);
        break;
    case 2: /* wrong order */
        pmm_free_block(page, 1);
        break;
    case 3: /* still referenced by somebody else */
        page_get(page);
        pmm_free_block(page, 2);
        break;
    case 4: /* the shared page of zeros */
        page_put(pmm_zero_page());
        break;
    case 5: /* single page twice */
        page = pmm_alloc_page(PAGE_VMO, 0);
        page_put(page);
        page_put(page);
        break;
    case 6: /* written after it was freed */
        page = pmm_alloc_page(PAGE_VMO, 0);
        words = phys_to_virt(page_to_paddr(page));
        page_put(page);
        arch_memory_unpoison((const void *)words, PAGE_SIZE_BYTES);
        words[77] = 1;
        page = pmm_alloc_page(PAGE_VMO, 0);
        break;
    case 7: /* the same in the middle of a block that was split and merged */
        words += 3 * 512;
        pmm_free_block(page, 2);
        arch_memory_unpoison((const void *)words, PAGE_SIZE_BYTES);
        words[77] = 1;
        while (pmm_alloc_page(PAGE_VMO, 0) != NULL) {
        }
        break;
    default: /* correct use does not panic */
        pmm_free_block(page, 2);
        break;
    }
}

static void test_misuse(void **state)
{
    uintptr_t count = 6;

    (void)state;
#ifdef DEBUG
    count = 8;
#endif
    for (uintptr_t i = 0; i < count; i++)
        assert_true(fake_panics(misuse, (void *)i));
    assert_true(fake_runs(misuse, (void *)100));
}

/* ---- Several harts
 * -------------------------------------------------------------------------------- */

static void *hart_main(void *arg)
{
    struct test_random random = {(uintptr_t)arg + 99};
    struct page *pages[200];
    unsigned orders[200];
    unsigned count = 0;

    fake_set_hart((unsigned)(uintptr_t)arg);
    for (unsigned i = 0; i < 4000; i++) {
        if (count < 200 && test_random_below(&random, 2) == 0) {
            orders[count] = (unsigned)(test_random_below(&random, 5) / 3);
            pages[count] = pmm_alloc_block(orders[count], PAGE_VMO, 0);
            if (pages[count] != NULL)
                *(uintptr_t *)phys_to_virt(page_to_paddr(pages[count])) = (uintptr_t)&pages[count];
            count += pages[count] != NULL;
        } else if (count > 0) {
            count--;
            if (*(uintptr_t *)phys_to_virt(page_to_paddr(pages[count])) != (uintptr_t)&pages[count])
                abort();
            pmm_free_block(pages[count], orders[count]);
        }
    }
    while (count-- > 0)
        pmm_free_block(pages[count], orders[count]);
    return NULL;
}

static void test_harts(void **state)
{
    uint64_t free_before = pmm_count_free();
    pthread_t threads[4];

    (void)state;
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hart_main, (void *)i), 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    pmm_check();
    assert_int_equal(pmm_count_free(), free_before);
}

/* ---- Boot interface, each in a process of its own
 * --------------------------------------------------- */

static void boot_bank_rules(void *arg)
{
    const struct ram_range *banks;

    (void)arg;
    pmm_boot_add_bank(0x80003000, 0x5000);
    pmm_boot_add_bank(0x80008000, 0x1800); /* touches; the odd half page is dropped */
    pmm_boot_add_bank(0x80100800, 0x1000); /* not one whole page */
    pmm_boot_add_bank(0x80001000, 0x4000); /* overlaps */
    pmm_boot_add_bank(0x90000000, 0);
    if (pmm_boot_banks(&banks) != 1 || banks[0].base != 0x80001000 || banks[0].len_bytes != 0x8000)
        abort();
    for (uint64_t i = 0; i < PMM_MAX_BANKS + 5; i++)
        pmm_boot_add_bank(0x100000000ul + i * 0x10000, 0x1000);
    if (pmm_boot_banks(&banks) != PMM_MAX_BANKS)
        abort();
    pmm_boot_add_bank(UINT64_MAX - 0x1800, UINT64_MAX);
}

static void boot_reserve_until_full(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < 100000; i++) {
        zx_status_t status = pmm_boot_reserve(0x80000000ul + i * 0x2000, 1);
        if (status == ZX_ERR_NO_RESOURCES)
            return;
        if (status != ZX_OK)
            abort();
    }
    abort();
}

static void boot_carve_too_much(void *arg)
{
    (void)arg;
    fake_arena_create(MIB);
    pmm_boot_add_bank(FAKE_PHYS_BASE, MIB);
    pmm_boot_carve(NULL, 100);
    pmm_boot_carve(NULL, 156);
    pmm_boot_carve(NULL, 1);
}

static void test_boot_rules(void **state)
{
    (void)state;
    assert_true(fake_runs(boot_bank_rules, NULL));
    assert_true(fake_runs(boot_reserve_until_full, NULL));
    assert_true(fake_panics(boot_carve_too_much, NULL));
}

int main(void)
{
    const struct CMUnitTest boot_tests[] = {
        cmocka_unit_test(test_boot_rules),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exhaust_and_learn),
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_odd_requests),
        cmocka_unit_test(test_adopt),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_harts),
    };
    int failed = cmocka_run_group_tests_name("pmm boot", boot_tests, NULL, NULL);

    return failed + cmocka_run_group_tests_name("pmm", tests, boot, NULL);
}
