/* Page trees that share nodes, against arrays that share nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/vm/kheap.h"
#include "kernel/vm/page.h"
#include "kernel/vm/page_tree.h"
#include "kernel/vm/pmm.h"
#include "tests/host/fake_arch.h"
#include "tests/host/test_random.h"

#define INDEX_MAX  ((1ul << PAGE_TREE_INDEX_BITS) - 1)
#define INDICES    360u
#define TREES      6u
#define COUNT_PAGE 4096u

/* The indices that the test uses, rising: near each other, near powers of 64, at the end. */
static uint64_t indices[INDICES];
static struct page_tree trees[TREES];
static struct page *model[TREES][INDICES];

static struct page pages[COUNT_PAGE];
static bool in_use[COUNT_PAGE];
static unsigned next_page;

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int boot(void **state)
{
    struct test_random random = {5};
    unsigned count = 0;

    (void)state;
    fake_boot(16ul << 20);
    page_tree_init_cache();
    for (uint64_t i = 0; i < 140; i++)
        indices[count++] = i;
    for (unsigned power = 2; power < 9; power++) {
        for (uint64_t i = 0; i < 5; i++)
            indices[count++] = (1ul << 6 * power) - 2 + i;
    }
    for (uint64_t i = 0; i < 70; i++)
        indices[count++] = INDEX_MAX - i;
    while (count < INDICES)
        indices[count++] = test_random_next(&random) & INDEX_MAX >> test_random_below(&random, 40);
    qsort(indices, INDICES, sizeof(indices[0]), compare);
    for (unsigned i = 1; i < INDICES; i++)
        assert_true(indices[i - 1] < indices[i]);
    return 0;
}

static uint64_t live_objects(void)
{
    struct kheap_stats stats;

    kheap_get_stats(&stats);
    return stats.count_objects;
}

static struct page *fresh_page(void)
{
    while (in_use[next_page])
        next_page = (next_page + 1) % COUNT_PAGE;
    in_use[next_page] = true;
    assert_int_equal(pages[next_page].shares, 0);
    return &pages[next_page];
}

static bool model_shows(const struct page *page)
{
    for (unsigned t = 0; t < TREES; t++) {
        for (unsigned i = 0; i < INDICES; i++) {
            if (model[t][i] == page)
                return true;
        }
    }
    return false;
}

/* After the model was changed: what was freed is exactly what no tree shows any more. */
static void take_freed(struct list_node *freed)
{
    struct list_node *node;

    while ((node = list_pop_front(freed)) != NULL) {
        struct page *page = list_entry(node, struct page, node);
        assert_true(in_use[page - pages]);
        assert_int_equal(page->shares, 0);
        assert_false(model_shows(page));
        in_use[page - pages] = false;
    }
}

static void check_nothing_lost(void)
{
    for (unsigned i = 0; i < COUNT_PAGE; i++)
        assert_int_equal(in_use[i], model_shows(&pages[i]));
}

static void check_tree(unsigned t)
{
    uint64_t count = 0, count_private = 0, at = 0, index;
    struct page *page;

    for (unsigned i = 0; i < INDICES; i++) {
        bool shared = false, model_shared = false;
        page = page_tree_find(&trees[t], indices[i], &shared);
        assert_ptr_equal(page, model[t][i]);
        if (page == NULL)
            continue;
        for (unsigned other = 0; other < TREES; other++)
            model_shared |= other != t && model[other][i] == page;
        assert_int_equal(shared, model_shared);
        count++;
        count_private += !shared;
        /* The walk meets the same ones. */
        assert_ptr_equal(page_tree_next(&trees[t], at, INDEX_MAX + 1, &index), page);
        assert_int_equal(index, indices[i]);
        at = index + 1;
    }
    assert_null(page_tree_next(&trees[t], at, INDEX_MAX + 1, &index));
    assert_int_equal(trees[t].count_pages, count);
    assert_int_equal(page_tree_count_private(&trees[t]), count_private);
}

static void check_count(unsigned t, unsigned first, unsigned end)
{
    uint64_t count = 0;

    for (unsigned i = first; i < end; i++)
        count += model[t][i] != NULL;
    assert_int_equal(page_tree_count_range(&trees[t], indices[first], indices[end]), count);
}

/* ---- Steps; each with some allocation made to fail --------------------------------------------
 */

static void step_put(unsigned t, unsigned i)
{
    struct list_node freed = LIST_INIT(freed);
    struct page *page = fresh_page();
    zx_status_t status;

    if (model[t][i] == NULL)
        status = page_tree_insert(&trees[t], indices[i], page);
    else
        status = page_tree_replace(&trees[t], indices[i], page, &freed);
    if (status == ZX_OK)
        model[t][i] = page;
    else
        in_use[page - pages] = false;
    take_freed(&freed);
}

static void step_put_reserved(unsigned t, unsigned i)
{
    struct list_node freed = LIST_INIT(freed);
    struct page_tree_reserve reserve = {.count = 0};

    if (page_tree_reserve_fill(&reserve)) {
        struct page *page = fresh_page();
        page_tree_put_reserved(&trees[t], indices[i], page, &reserve, &freed);
        model[t][i] = page;
    }
    page_tree_reserve_free(&reserve);
    take_freed(&freed);
}

static void step_remove(unsigned t, unsigned first, unsigned end)
{
    struct list_node freed = LIST_INIT(freed);
    zx_status_t status = page_tree_remove_range(&trees[t], indices[first], indices[end], &freed);

    if (status == ZX_OK)
        memset(&model[t][first], 0, (end - first) * sizeof(model[t][0]));
    else
        assert_true(list_is_empty(&freed));
    take_freed(&freed);
}

static void step_share(unsigned t, unsigned from, unsigned first, unsigned end)
{
    struct list_node freed = LIST_INIT(freed);
    zx_status_t status;

    page_tree_clear(&trees[t], &freed);
    memset(model[t], 0, sizeof(model[t]));
    take_freed(&freed);
    if (t == from)
        return;
    status = page_tree_share_range(&trees[from], indices[first], indices[end], &trees[t]);
    if (status == ZX_OK)
        memcpy(&model[t][first], &model[from][first], (end - first) * sizeof(model[t][0]));
    else
        assert_null(trees[t].root);
}

static void step(struct test_random *random)
{
    unsigned t = (unsigned)test_random_below(random, TREES);
    unsigned i = (unsigned)test_random_below(random, INDICES - 1);
    unsigned end = i + (unsigned)test_random_below(random, INDICES - i);

    if (test_random_below(random, 4) == 0)
        fake_fail_after(1 + test_random_below(random, 12));
    switch (test_random_below(random, 16)) {
    case 0:
        step_share(t, (unsigned)test_random_below(random, TREES), i, end);
        break;
    case 1:
        step_share(t, (unsigned)test_random_below(random, TREES), 0, INDICES - 1);
        break;
    case 2:
    case 3:
        step_remove(t, i, MIN(end, i + (unsigned)test_random_below(random, 80)));
        break;
    case 4:
        step_put_reserved(t, i);
        break;
    default:
        step_put(t, i);
        break;
    }
    (void)fake_fail_stop();
    check_count(t, i, end);
}

static void test_against_model(void **state)
{
    struct test_random random = {2024};
    uint64_t objects = live_objects();

    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned t = 0; t < TREES; t++)
            page_tree_init(&trees[t]);
        for (unsigned i = 0; i < 6000; i++) {
            step(&random);
            if (i % 16 == 0) {
                for (unsigned t = 0; t < TREES; t++)
                    check_tree(t);
            }
        }
        check_nothing_lost();
        for (unsigned t = 0; t < TREES; t++) {
            struct list_node freed = LIST_INIT(freed);
            page_tree_clear(&trees[t], &freed);
            memset(model[t], 0, sizeof(model[t]));
            take_freed(&freed);
        }
        check_nothing_lost();
        assert_int_equal(live_objects(), objects);
    }
}

static void test_small_trees_need_no_node(void **state)
{
    struct list_node freed = LIST_INIT(freed);
    struct page_tree tree, other;
    uint64_t objects = live_objects(), index;
    struct page *page = fresh_page(), *far = fresh_page();
    bool shared = true;

    (void)state;
    page_tree_init(&tree);
    page_tree_init(&other);
    assert_null(page_tree_find(&tree, 0, &shared));
    assert_int_equal(page_tree_insert(&tree, 0, page), ZX_OK);
    assert_int_equal(live_objects(), objects);
    assert_null(page_tree_find(&tree, 1, &shared));
    assert_null(page_tree_next(&tree, 1, INDEX_MAX, &index));
    assert_null(page_tree_next(&tree, 0, 0, &index));
    /* Shared all the same. */
    assert_int_equal(page_tree_share_range(&tree, 0, 1, &other), ZX_OK);
    assert_ptr_equal(page_tree_find(&tree, 0, &shared), page);
    assert_true(shared);
    page_tree_clear(&other, &freed);
    assert_true(list_is_empty(&freed));
    assert_ptr_equal(page_tree_find(&tree, 0, &shared), page);
    assert_false(shared);
    /* The farthest index, and back. */
    assert_int_equal(page_tree_insert(&tree, INDEX_MAX, far), ZX_OK);
    assert_int_equal(tree.height, 9);
    assert_ptr_equal(page_tree_next(&tree, 1, INDEX_MAX + 1, &index), far);
    assert_int_equal(index, INDEX_MAX);
    assert_int_equal(page_tree_remove_range(&tree, 1, INDEX_MAX + 1, &freed), ZX_OK);
    assert_ptr_equal(list_pop_front(&freed), &far->node);
    assert_int_equal(live_objects(), objects);
    page_tree_clear(&tree, &freed);
    assert_ptr_equal(list_pop_front(&freed), &page->node);
    assert_int_equal(tree.count_pages, 0);
    memset(in_use, 0, sizeof(in_use));
}

/* Sharing a whole tree costs no node, however large it is, and a write after it one path. */
static void test_sharing_is_cheap(void **state)
{
    struct list_node freed = LIST_INIT(freed);
    struct page_tree tree, other;
    uint64_t before = live_objects(), objects;
    struct page *page;

    (void)state;
    page_tree_init(&tree);
    page_tree_init(&other);
    for (uint64_t i = 0; i < 1024; i++)
        assert_int_equal(page_tree_insert(&tree, i, fresh_page()), ZX_OK);
    objects = live_objects();
    assert_int_equal(page_tree_share_range(&tree, 0, 1024, &other), ZX_OK);
    assert_int_equal(live_objects(), objects);
    page = fresh_page();
    assert_int_equal(page_tree_replace(&other, 500, page, &freed), ZX_OK);
    assert_true(list_is_empty(&freed));
    assert_int_equal(live_objects(), objects + 2);
    assert_int_equal(page_tree_count_private(&tree), 1);
    page_tree_clear(&other, &freed);
    assert_ptr_equal(list_pop_front(&freed), &page->node);
    assert_true(list_is_empty(&freed));
    assert_int_equal(live_objects(), objects);
    assert_int_equal(page_tree_count_private(&tree), 1024);
    page_tree_clear(&tree, &freed);
    assert_int_equal(live_objects(), before);
    memset(in_use, 0, sizeof(in_use));
}

/* Each allocation of each operation on shared trees made to fail in turn. */
static void test_failure_changes_nothing(void **state)
{
    static const uint64_t before[] = {0, 5, 64, 4095, 1ul << 30, INDEX_MAX};
    uint64_t objects = live_objects();

    (void)state;
    for (unsigned which = 0; which < 4; which++) {
        for (unsigned n = 1;; n++) {
            struct list_node freed = LIST_INIT(freed);
            struct page_tree tree, other, third;
            zx_status_t status;
            page_tree_init(&tree);
            page_tree_init(&other);
            page_tree_init(&third);
            for (unsigned i = 0; i < ARRAY_COUNT(before); i++)
                assert_int_equal(page_tree_insert(&tree, before[i], fresh_page()), ZX_OK);
            assert_int_equal(page_tree_share_range(&tree, 0, INDEX_MAX + 1, &other), ZX_OK);
            uint64_t objects_now = live_objects();
            struct page_tree copy = tree;
            fake_fail_after(n);
            if (which == 0)
                status = page_tree_insert(&tree, 70, fresh_page());
            else if (which == 1)
                status = page_tree_replace(&tree, 4095, fresh_page(), &freed);
            else if (which == 2)
                status = page_tree_remove_range(&tree, 1, 1ul << 40, &freed);
            else
                status = page_tree_share_range(&tree, 1, INDEX_MAX, &third);
            bool failed = fake_fail_stop();
            assert_int_equal(status, failed ? ZX_ERR_NO_MEMORY : ZX_OK);
            if (failed) {
                assert_memory_equal(&copy, &tree, sizeof(tree));
                assert_int_equal(live_objects(), objects_now);
            }
            page_tree_clear(&third, &freed);
            page_tree_clear(&other, &freed);
            page_tree_clear(&tree, &freed);
            assert_int_equal(live_objects(), objects);
            for (unsigned i = 0; i < COUNT_PAGE; i++) {
                assert_int_equal(pages[i].shares, 0);
                in_use[i] = false;
            }
            if (!failed) {
                assert_true(n > 2);
                break;
            }
        }
    }
    pmm_check();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_trees_need_no_node),
        cmocka_unit_test(test_sharing_is_cheap),
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_failure_changes_nothing),
    };

    return cmocka_run_group_tests_name("page tree", tests, boot, NULL);
}
