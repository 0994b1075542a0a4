/* The page tree against a sorted array. Its pages are only pointers to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/vm/kheap.h"
#include "kernel/vm/page_tree.h"
#include "kernel/vm/pmm.h"
#include "tests/host/fake_arch.h"
#include "tests/host/test_random.h"

#define INDEX_MAX ((1ul << 52) - 1)
#define MODEL_MAX 2000

struct entry {
    uint64_t index;
    struct page *page;
};
static struct entry model[MODEL_MAX];
static unsigned model_count;
static uintptr_t next_page = 0x1000;

static int boot(void **state)
{
    (void)state;
    fake_boot(16ul << 20);
    return 0;
}

static uint64_t live_objects(void)
{
    struct kheap_stats stats;

    kheap_get_stats(&stats);
    return stats.count_objects;
}

/* The first entry at or above |index|. */
static unsigned model_find(uint64_t index)
{
    unsigned i = 0;

    while (i < model_count && model[i].index < index)
        i++;
    return i;
}

static bool model_has(uint64_t index)
{
    unsigned i = model_find(index);
    return i < model_count && model[i].index == index;
}

static struct page *fresh_page(void)
{
    next_page += 16;
    return (struct page *)next_page;
}

static void model_insert(uint64_t index, struct page *page)
{
    unsigned i = model_find(index);

    memmove(&model[i + 1], &model[i], (model_count - i) * sizeof(model[0]));
    model[i] = (struct entry){index, page};
    model_count++;
}

static void model_erase(unsigned i)
{
    model_count--;
    memmove(&model[i], &model[i + 1], (model_count - i) * sizeof(model[0]));
}

struct visit {
    unsigned at, stop_at;
};

static zx_status_t visit(void *ctx, uint64_t index, struct page *page)
{
    struct visit *v = ctx;

    assert_true(v->at < model_count);
    assert_int_equal(index, model[v->at].index);
    assert_ptr_equal(page, model[v->at].page);
    return v->at++ == v->stop_at ? ZX_ERR_STOP : ZX_OK;
}

static void check_range(const struct page_tree *tree, uint64_t first, uint64_t end)
{
    struct visit v = {.at = model_find(first), .stop_at = UINT32_MAX};
    unsigned last = model_find(end);
    uint64_t found = 42;
    struct page *page = page_tree_next(tree, first, end, &found);

    if (first < end && v.at < last) {
        assert_ptr_equal(page, model[v.at].page);
        assert_int_equal(found, model[v.at].index);
        v.stop_at = v.at + (last - v.at) / 2;
        assert_int_equal(page_tree_for_each(tree, first, end, visit, &v), ZX_ERR_STOP);
        assert_int_equal(v.at, v.stop_at + 1);
        v = (struct visit){.at = model_find(first), .stop_at = UINT32_MAX};
        assert_int_equal(page_tree_for_each(tree, first, end, visit, &v), ZX_OK);
        assert_int_equal(v.at, last);
    } else {
        assert_null(page);
        assert_int_equal(found, 42);
    }
}

static void expect_next(void *ctx, struct page *page)
{
    unsigned *at = ctx;

    assert_ptr_equal(page, model[*at].page);
    model_erase(*at);
}

/* Indexes near each other, near powers of 64, and anywhere. */
static uint64_t random_index(struct test_random *random)
{
    uint64_t index;

    switch (test_random_below(random, 4)) {
    case 0:
        return test_random_below(random, 70);
    case 1:
        index = 1ul << 6 * test_random_below(random, 9);
        return index + test_random_below(random, 3) - 1;
    case 2:
        return INDEX_MAX - test_random_below(random, 100);
    default:
        return test_random_next(random) & INDEX_MAX >> test_random_below(random, 53);
    }
}

static void step(struct page_tree *tree, struct test_random *random, bool growing)
{
    uint64_t index = random_index(random), end = random_index(random);
    unsigned i = model_find(index);

    if (!model_has(index) && growing && model_count < MODEL_MAX) {
        struct page *page = fresh_page();
        assert_null(page_tree_lookup(tree, index));
        assert_int_equal(page_tree_insert(tree, index, page), ZX_OK);
        model_insert(index, page);
    } else if (model_has(index) && test_random_below(random, 3) == 0) {
        struct page *page = fresh_page();
        assert_ptr_equal(page_tree_replace(tree, index, page), model[i].page);
        model[i].page = page;
    } else if (!growing && model_count > 0) {
        i = (unsigned)test_random_below(random, model_count);
        assert_ptr_equal(page_tree_remove(tree, model[i].index), model[i].page);
        assert_null(page_tree_remove(tree, model[i].index));
        model_erase(i);
    }
    check_range(tree, index, end);
    if (test_random_below(random, 100) == 0) {
        i = model_find(index);
        end = MIN(end, index + test_random_below(random, 1ul << 20));
        page_tree_remove_range(tree, index, end, expect_next, &i);
        check_range(tree, index, end);
    }
    assert_int_equal(tree->count_pages, model_count);
}

static void test_against_model(void **state)
{
    struct test_random random = {2024};
    struct page_tree tree;
    uint64_t objects = live_objects();
    unsigned zero = 0;

    (void)state;
    page_tree_init(&tree);
    for (unsigned round = 0; round < 6; round++) {
        for (unsigned i = 0; i < 3000; i++)
            step(&tree, &random, i < 1500);
        for (unsigned i = 0; i < model_count; i++)
            assert_ptr_equal(page_tree_lookup(&tree, model[i].index), model[i].page);
        if (round % 2 == 1) {
            page_tree_remove_range(&tree, 0, INDEX_MAX + 1, expect_next, &zero);
            assert_int_equal(model_count, 0);
            assert_null(tree.root);
            assert_int_equal(live_objects(), objects);
        }
    }
}

static void test_small_trees_need_no_node(void **state)
{
    struct page_tree tree;
    uint64_t objects = live_objects(), index;
    struct page *page = fresh_page();

    (void)state;
    page_tree_init(&tree);
    assert_null(page_tree_lookup(&tree, 0));
    assert_null(page_tree_remove(&tree, INDEX_MAX));
    assert_int_equal(page_tree_insert(&tree, 0, page), ZX_OK);
    assert_int_equal(live_objects(), objects);
    assert_null(page_tree_lookup(&tree, 1));
    assert_null(page_tree_next(&tree, 1, INDEX_MAX, &index));
    assert_null(page_tree_next(&tree, 0, 0, &index));
    /* The farthest index, and back. */
    assert_int_equal(page_tree_insert(&tree, INDEX_MAX, page), ZX_OK);
    assert_int_equal(tree.height, 9);
    assert_ptr_equal(page_tree_next(&tree, 1, INDEX_MAX + 1, &index), page);
    assert_int_equal(index, INDEX_MAX);
    assert_ptr_equal(page_tree_remove(&tree, INDEX_MAX), page);
    assert_int_equal(live_objects(), objects);
    assert_ptr_equal(page_tree_replace(&tree, 0, fresh_page()), page);
    assert_non_null(page_tree_remove(&tree, 0));
    assert_int_equal(tree.count_pages, 0);
}

static void test_failure_changes_nothing(void **state)
{
    static const uint64_t before[] = {0, 5, 64, 1ul << 30};
    static const uint64_t added[] = {1, 70, 4096, 1ul << 40, INDEX_MAX};
    uint64_t objects = live_objects();

    (void)state;
    for (unsigned count = 0; count <= ARRAY_COUNT(before); count++) {
        for (unsigned a = 0; a < ARRAY_COUNT(added); a++) {
            struct page_tree tree;
            unsigned n;
            page_tree_init(&tree);
            for (unsigned i = 0; i < count; i++)
                assert_int_equal(page_tree_insert(&tree, before[i], fresh_page()), ZX_OK);
            for (n = 1;; n++) {
                struct page_tree copy = tree;
                uint64_t objects_now = live_objects();
                fake_fail_after(n);
                zx_status_t status = page_tree_insert(&tree, added[a], (struct page *)&tree);
                if (!fake_fail_stop()) {
                    assert_int_equal(status, ZX_OK);
                    break;
                }
                assert_int_equal(status, ZX_ERR_NO_MEMORY);
                assert_memory_equal(&copy, &tree, sizeof(tree));
                assert_int_equal(live_objects(), objects_now);
                assert_null(page_tree_lookup(&tree, added[a]));
            }
            assert_ptr_equal(page_tree_remove(&tree, added[a]), (struct page *)&tree);
            for (unsigned i = 0; i < count; i++)
                assert_non_null(page_tree_remove(&tree, before[i]));
            assert_int_equal(live_objects(), objects);
        }
    }
    pmm_check();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_trees_need_no_node),
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_failure_changes_nothing),
    };

    return cmocka_run_group_tests_name("page tree", tests, boot, NULL);
}
