/* The region tree against a sorted array: same contents, same neighbours, same gaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/vm/region_tree.h"
#include "tests/host/test_random.h"

#define SPACE_PAGES 4096u
#define BASE        0x200000ul

static struct test_random random_state = {1};

static uint64_t random_below(uint64_t limit)
{
    return test_random_below(&random_state, limit);
}

/* The model: the regions sorted by base. */
static struct region *model[SPACE_PAGES];
static size_t model_count;

static vaddr_t page_addr(uint64_t page)
{
    return BASE + page * PAGE_SIZE_BYTES;
}

static size_t model_lower_bound(vaddr_t addr)
{
    size_t i = 0;
    while (i < model_count && region_end(model[i]) <= addr)
        i++;
    return i;
}

static bool model_is_free(vaddr_t base, uint64_t size_bytes)
{
    size_t i = model_lower_bound(base);
    return i == model_count || model[i]->base >= base + size_bytes;
}

static void model_insert(struct region *region)
{
    size_t i = model_lower_bound(region->base);
    memmove(&model[i + 1], &model[i], (model_count - i) * sizeof(model[0]));
    model[i] = region;
    model_count++;
}

static void model_remove(size_t i)
{
    model_count--;
    memmove(&model[i], &model[i + 1], (model_count - i) * sizeof(model[0]));
}

static void add(struct region_tree *tree, vaddr_t base, uint64_t size_bytes)
{
    struct region *region = calloc(1, sizeof(*region));
    assert_non_null(region);
    region->base = base;
    region->size_bytes = size_bytes;
    region_tree_insert(tree, region);
    model_insert(region);
}

static void drop(struct region_tree *tree, size_t i)
{
    struct region *region = model[i];
    model_remove(i);
    region_tree_remove(tree, region);
    free(region);
}

static void drop_all(struct region_tree *tree)
{
    while (model_count > 0)
        drop(tree, random_below(model_count));
    assert_null(tree->root);
    assert_int_equal(tree->count, 0);
}

/* Tries each aligned address in turn. */
static uint64_t model_places(const struct gap_request *request, uint64_t nth, vaddr_t *out)
{
    uint64_t count = 0;
    for (vaddr_t at = round_up(request->first, request->align_bytes);
         at + request->size_bytes <= request->end; at += request->align_bytes) {
        if (!model_is_free(at, request->size_bytes))
            continue;
        if (count == nth)
            *out = at;
        count++;
    }
    return count;
}

static void compare_places(const struct region_tree *tree)
{
    uint64_t from = random_below(SPACE_PAGES), to = from + random_below(SPACE_PAGES - from) + 1;
    struct gap_request request = {
        .first = page_addr(from),
        .end = page_addr(to),
        .size_bytes = (1 + random_below(1u << random_below(9))) * PAGE_SIZE_BYTES,
        .align_bytes = PAGE_SIZE_BYTES << random_below(random_below(4) == 0 ? 8 : 2),
    };
    uint64_t count = model_places(&request, UINT64_MAX, NULL);
    vaddr_t want = 0, got = 1;
    assert_int_equal(region_tree_count_places(tree, &request), count);
    assert_int_equal(region_tree_lowest_place(tree, &request, &got), count > 0);
    if (count > 0) {
        model_places(&request, 0, &want);
        assert_int_equal(got, want);
        uint64_t nth = random_below(count);
        model_places(&request, nth, &want);
        assert_true(region_tree_nth_place(tree, &request, nth, &got));
        assert_int_equal(got, want);
    } else {
        assert_int_equal(got, 1);
    }
    assert_false(region_tree_nth_place(tree, &request, count, &got));
}

static void compare_lookups(const struct region_tree *tree)
{
    vaddr_t addr = page_addr(random_below(SPACE_PAGES)) + random_below(PAGE_SIZE_BYTES);
    size_t i = model_lower_bound(addr);
    struct region *bound = i < model_count ? model[i] : NULL;
    assert_ptr_equal(region_tree_lower_bound(tree, addr), bound);
    bool inside = bound != NULL && bound->base <= addr;
    assert_ptr_equal(region_tree_find(tree, addr), inside ? bound : NULL);
    if (bound != NULL) {
        assert_ptr_equal(region_prev(bound), i > 0 ? model[i - 1] : NULL);
        assert_ptr_equal(region_next(bound), i + 1 < model_count ? model[i + 1] : NULL);
    }
    uint64_t size_bytes = (1 + random_below(16)) * PAGE_SIZE_BYTES;
    assert_int_equal(region_tree_is_free(tree, addr, size_bytes), model_is_free(addr, size_bytes));
    if (!inside) {
        vaddr_t first = BASE, end = page_addr(SPACE_PAGES);
        region_tree_gap_around(tree, addr, &first, &end);
        assert_int_equal(first, i > 0 ? region_end(model[i - 1]) : BASE);
        assert_int_equal(end, bound != NULL ? bound->base : page_addr(SPACE_PAGES));
    }
}

/* Moves the edges of a region to random places between its neighbours. */
static void resize(struct region_tree *tree)
{
    size_t i = random_below(model_count);
    struct region *region = model[i];
    vaddr_t low = i > 0 ? region_end(model[i - 1]) : BASE;
    vaddr_t high = i + 1 < model_count ? model[i + 1]->base : page_addr(SPACE_PAGES);
    uint64_t room = (high - low) / PAGE_SIZE_BYTES;
    uint64_t from = random_below(room), to = from + 1 + random_below(room - from);
    region->base = low + from * PAGE_SIZE_BYTES;
    region->size_bytes = (to - from) * PAGE_SIZE_BYTES;
    region_tree_update(tree, region);
}

static void one_step(struct region_tree *tree, size_t target)
{
    bool grow = random_below(2 * target) >= model_count;
    if (grow) {
        vaddr_t base = page_addr(random_below(SPACE_PAGES));
        uint64_t size_bytes = (1 + random_below(6)) * PAGE_SIZE_BYTES;
        if (base + size_bytes <= page_addr(SPACE_PAGES) && model_is_free(base, size_bytes))
            add(tree, base, size_bytes);
    } else if (random_below(4) == 0) {
        resize(tree);
    } else {
        drop(tree, random_below(model_count));
    }
}

static void test_random_operations(void **state)
{
    (void)state;
    static const size_t targets[] = {3, 12, 60, 400};
    struct region_tree tree = {0};
    for (unsigned step = 0; step < 100000; step++) {
        one_step(&tree, targets[step / 2500 % ARRAY_COUNT(targets)]);
        compare_lookups(&tree);
        if (step % 32 == 0)
            compare_places(&tree);
        if (step % 4 == 0 || model_count < 20)
            region_tree_check(&tree);
        assert_int_equal(tree.count, model_count);
    }
    drop_all(&tree);
}

static void test_in_order_stays_balanced(void **state)
{
    (void)state;
    struct region_tree tree = {0};
    for (unsigned i = 0; i < SPACE_PAGES; i++)
        add(&tree, page_addr(i), PAGE_SIZE_BYTES);
    region_tree_check(&tree);
    assert_in_range(tree.root->balance_height, 12, 18);
    assert_int_equal(tree.root->subtree_gap_bytes, 0);
    struct gap_request request = {BASE, page_addr(SPACE_PAGES), PAGE_SIZE_BYTES, PAGE_SIZE_BYTES};
    vaddr_t place;
    assert_false(region_tree_lowest_place(&tree, &request, &place));
    drop(&tree, 1234);
    assert_true(region_tree_lowest_place(&tree, &request, &place));
    assert_int_equal(place, page_addr(1234));
    drop_all(&tree);
}

static void test_empty(void **state)
{
    (void)state;
    struct region_tree tree = {0};
    struct gap_request request = {BASE, BASE + 4 * PAGE_SIZE_BYTES, 4 * PAGE_SIZE_BYTES,
                                  PAGE_SIZE_BYTES};
    vaddr_t place = 0;
    assert_null(region_tree_find(&tree, BASE));
    assert_null(region_tree_first(&tree));
    assert_int_equal(region_tree_count_places(&tree, &request), 1);
    assert_true(region_tree_lowest_place(&tree, &request, &place));
    assert_int_equal(place, BASE);
    request.size_bytes += PAGE_SIZE_BYTES;
    assert_int_equal(region_tree_count_places(&tree, &request), 0);
    assert_false(region_tree_lowest_place(&tree, &request, &place));
    region_tree_check(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations),
        cmocka_unit_test(test_in_order_stays_balanced),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests_name("region_tree", tests, NULL, NULL);
}
