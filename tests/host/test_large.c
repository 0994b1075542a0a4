/* 2 MiB pages: where they appear, and what splits them. Four harts have TLBs that forget nothing.
 */
#include <string.h>

#include "tests/host/test_vm.h"

#define LARGE  512u /* pages in a large one */
#define AREA   (2 * LARGE)
#define MIDDLE 100u /* a page inside the first large one */

static struct vmar *arena;
static struct vmo *vmo; /* AREA pages, all there; byte 0 of page n is n % 251 */

static uint8_t byte_of(uint64_t page)
{
    return (uint8_t)(page % 251);
}

static int setup(void **state)
{
    if (vm_setup(state) != 0)
        return -1;
    arena = make_arena(2 * AREA);
    vmo = make_vmo(AREA);
    if (vmo_commit(vmo, 0, PAGES(AREA)) != ZX_OK)
        return -1;
    for (uint64_t page = 0; page < AREA; page++) {
        uint8_t byte = byte_of(page);
        if (vmo_write_kernel(vmo, PAGES(page), &byte, 1) != ZX_OK)
            return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    vmo_put(vmo);
    vmar_put(arena);
    return vm_teardown(state);
}

static vaddr_t at(uint64_t page)
{
    return arena->region.base + PAGES(page);
}

static bool is_large(vaddr_t va)
{
    return mmu_query(&space->arch, va, NULL, NULL) && !mmu_has_small_table(&space->arch, va);
}

static void map_area(uint32_t options)
{
    map_pages(arena, options, 0, vmo, 0, AREA);
}

/* All harts read |page|, so that their TLBs know it. */
static void all_read(uint64_t page, uint8_t want)
{
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_byte(at(page), want);
    }
    fake_set_hart(0);
}

static void all_fail(uint64_t page, zx_status_t want)
{
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_int_equal(user_touch(at(page)), want);
    }
    fake_set_hart(0);
}

/* The pages beside MIDDLE and at the ends. */
static void neighbours_are_well(void)
{
    static const uint64_t pages[] = {0, MIDDLE - 1, MIDDLE + 1, LARGE - 1, LARGE, AREA - 1};
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        all_read(pages[i], byte_of(pages[i]));
}

/* ---- Where they appear ---------------------------------------------------------------------- */

static void test_populate(void **state)
{
    (void)state;
    uint64_t tables = vm_counts_now().table_pages;
    map_area(RW | ZX_VM_MAP_RANGE);
    assert_true(is_large(at(0)) && is_large(at(LARGE)));
    assert_int_equal(space->count_faults, 0);
    assert_int_equal(vm_counts_now().table_pages, tables + 1); /* no last level */
    neighbours_are_well();
    assert_int_equal(space->count_faults, 0);
    assert_int_equal(user_write(at(MIDDLE), 7), ZX_OK);
    all_read(MIDDLE, 7);
    assert_int_equal(space->count_faults, 0);
}

static void test_fault(void **state)
{
    (void)state;
    map_area(RW);
    assert_byte(at(MIDDLE), byte_of(MIDDLE));
    assert_true(is_large(at(0)) && is_large(at(LARGE - 1)));
    assert_false(mmu_query(&space->arch, at(LARGE), NULL, NULL));
    assert_int_equal(space->count_faults, 1);
    neighbours_are_well();
    assert_int_equal(space->count_faults, 2);
}

/* Not where a page is missing, the mapping does not reach, addresses and frames do not agree, or
 * smaller pages are there already. */
static void test_not_everywhere(void **state)
{
    (void)state;
    struct vmo *single = make_vmo(LARGE);
    for (uint64_t page = 0; page < LARGE; page++)
        assert_int_equal(vmo_commit(single, PAGES(LARGE - 1 - page), PAGES(1)), ZX_OK);
    map_pages(arena, RW | ZX_VM_MAP_RANGE, 0, vmo, 0, LARGE - 1);
    assert_false(is_large(at(0)));
    map_pages(arena, RW | ZX_VM_MAP_RANGE, LARGE, vmo, 1, LARGE);
    assert_false(is_large(at(LARGE)));
    map_pages(arena, RW | ZX_VM_MAP_RANGE, 2 * LARGE, single, 0, LARGE);
    assert_false(is_large(at(2 * LARGE)));
    assert_int_equal(vmo_decommit(vmo, PAGES(LARGE + 5), PAGES(1)), ZX_OK);
    map_pages(arena, RW | ZX_VM_MAP_RANGE, 3 * LARGE, vmo, LARGE, LARGE);
    assert_false(is_large(at(3 * LARGE)));
    assert_byte(at(3 * LARGE + 6), byte_of(LARGE + 6));
    assert_byte(at(3 * LARGE + 5), 0);
    /* Complete again, but behind a table of small pages. */
    assert_int_equal(vmo_commit(vmo, PAGES(LARGE), PAGES(LARGE)), ZX_OK);
    assert_byte(at(3 * LARGE + 100), byte_of(LARGE + 100));
    assert_false(is_large(at(3 * LARGE)));
    vmo_put(single);
}

static void test_physical_and_contiguous(void **state)
{
    (void)state;
    struct vmo *device, *run;
    assert_int_equal(vmo_create_physical(0x10000000, PAGES(AREA), &device), ZX_OK);
    assert_int_equal(vmo_create_contiguous(PAGES(LARGE), 21, &run), ZX_OK);
    map_pages(arena, RW | ZX_VM_MAP_RANGE, 0, device, 0, AREA);
    map_pages(arena, RW | ZX_VM_MAP_RANGE, AREA, run, 0, LARGE);
    assert_true(is_large(at(0)) && is_large(at(LARGE)) && is_large(at(AREA)));
    assert_int_equal(vmar_unmap(arena, at(0), PAGES(AREA + LARGE), false, NULL), ZX_OK);
    vmo_put(device);
    vmo_put(run);
}

/* A place that large pages fit is preferred for what is populated at once, but any other is better
 * than none. Otherwise addresses are as random as ever. */
static void test_placement(void **state)
{
    (void)state;
    vaddr_t addr;
    bool any_odd = false;
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(try_map(space->root, RW | ZX_VM_MAP_RANGE, 0, vmo, 0, PAGES(LARGE), &addr),
                         ZX_OK);
        assert_true(is_aligned(addr, LARGE_PAGE_BYTES) && is_large(addr));
        assert_int_equal(try_map(space->root, RW, 0, vmo, 0, PAGES(LARGE), &addr), ZX_OK);
        any_odd = any_odd || !is_aligned(addr, LARGE_PAGE_BYTES);
    }
    assert_true(any_odd);
    struct vmar *odd = make_vmar(arena, CAN_RWX | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC, PAGES(1),
                                 PAGES(LARGE + 3));
    assert_int_equal(try_map(odd, RW | ZX_VM_MAP_RANGE, 0, vmo, 0, PAGES(LARGE), &addr), ZX_OK);
    vmar_put(odd);
}

/* ---- What splits them ----------------------------------------------------------------------- */

static void test_unmap(void **state)
{
    (void)state;
    map_area(RW | ZX_VM_MAP_RANGE);
    neighbours_are_well();
    all_read(MIDDLE, byte_of(MIDDLE));
    assert_int_equal(vmar_unmap(arena, at(MIDDLE), PAGES(1), false, NULL), ZX_OK);
    all_fail(MIDDLE, ZX_ERR_NOT_FOUND);
    assert_false(is_large(at(0)));
    assert_true(is_large(at(LARGE)));
    neighbours_are_well();
    /* A whole one goes without a split. */
    uint64_t tables = vm_counts_now().table_pages;
    assert_int_equal(vmar_unmap(arena, at(LARGE), PAGES(LARGE), false, NULL), ZX_OK);
    assert_int_equal(vm_counts_now().table_pages, tables);
    all_fail(LARGE, ZX_ERR_NOT_FOUND);
    all_fail(AREA - 1, ZX_ERR_NOT_FOUND);
}

static void test_unmap_across(void **state)
{
    (void)state;
    map_area(RW | ZX_VM_MAP_RANGE);
    all_read(LARGE - 10, byte_of(LARGE - 10));
    all_read(LARGE + 9, byte_of(LARGE + 9));
    assert_int_equal(vmar_unmap(arena, at(LARGE - 10), PAGES(20), false, NULL), ZX_OK);
    all_fail(LARGE - 10, ZX_ERR_NOT_FOUND);
    all_fail(LARGE + 9, ZX_ERR_NOT_FOUND);
    all_read(LARGE - 11, byte_of(LARGE - 11));
    all_read(LARGE + 10, byte_of(LARGE + 10));
}

static void test_protect(void **state)
{
    (void)state;
    map_area(RW | ZX_VM_MAP_RANGE);
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_int_equal(user_write(at(MIDDLE), 9), ZX_OK);
    }
    assert_int_equal(vmar_protect(arena, R, at(MIDDLE), PAGES(1), false), ZX_OK);
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_int_equal(user_write(at(MIDDLE), 1), ZX_ERR_ACCESS_DENIED);
        assert_int_equal(user_write(at(MIDDLE + 1), byte_of(MIDDLE + 1)), ZX_OK);
    }
    all_read(MIDDLE, 9);
    neighbours_are_well();
    /* Whole ones keep their size, and get their permission back at once. */
    assert_int_equal(vmar_protect(arena, R, at(LARGE), PAGES(LARGE), false), ZX_OK);
    assert_true(is_large(at(LARGE)));
    assert_int_equal(user_write(at(LARGE), 1), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(vmar_protect(arena, RW, at(LARGE), PAGES(LARGE), false), ZX_OK);
    assert_int_equal(user_write(at(LARGE), byte_of(LARGE)), ZX_OK);
    assert_true(is_large(at(LARGE)));
    uint64_t faults = space->count_faults;
    assert_int_equal(user_write(at(AREA - 1), byte_of(AREA - 1)), ZX_OK);
    assert_int_equal(space->count_faults, faults);
}

static void test_decommit(void **state)
{
    (void)state;
    map_area(RW | ZX_VM_MAP_RANGE);
    all_read(MIDDLE, byte_of(MIDDLE));
    uint64_t pages = vm_counts_now().vmo_pages;
    assert_int_equal(vmo_decommit(vmo, PAGES(MIDDLE), PAGES(1)), ZX_OK);
    assert_int_equal(vm_counts_now().vmo_pages, pages - 1);
    all_read(MIDDLE, 0);
    neighbours_are_well();
    assert_int_equal(user_write(at(MIDDLE), 5), ZX_OK);
    all_read(MIDDLE, 5);
    assert_int_equal(vmo_decommit(vmo, PAGES(LARGE), PAGES(LARGE)), ZX_OK);
    assert_int_equal(vm_counts_now().vmo_pages, pages - LARGE);
    all_read(LARGE, 0);
    all_read(AREA - 1, 0);
}

static void test_snapshot(void **state)
{
    (void)state;
    struct vmo *child;
    uint8_t byte;
    map_area(RW | ZX_VM_MAP_RANGE);
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_int_equal(user_write(at(MIDDLE), byte_of(MIDDLE)), ZX_OK);
    }
    assert_int_equal(vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGES(AREA), &child), ZX_OK);
    assert_true(is_large(at(0)));
    map_pages(arena, RW | ZX_VM_MAP_RANGE, AREA, child, 0, AREA);
    assert_true(is_large(at(AREA))); /* shared, and so read-only */
    /* What one writes the other does not see; the rest stays shared. */
    fake_set_hart(3);
    assert_int_equal(user_write(at(MIDDLE), 200), ZX_OK);
    assert_int_equal(user_write(at(AREA + MIDDLE + 1), 201), ZX_OK);
    all_read(MIDDLE, 200);
    all_read(AREA + MIDDLE, byte_of(MIDDLE));
    all_read(AREA + MIDDLE + 1, 201);
    neighbours_are_well();
    byte = 202; /* through the kernel, into a large page that is mapped */
    assert_int_equal(vmo_write_kernel(child, PAGES(LARGE + 3), &byte, 1), ZX_OK);
    all_read(AREA + LARGE + 3, 202);
    all_read(LARGE + 3, byte_of(LARGE + 3));
    /* Nobody shares any more: the parent's is whole and writable again. */
    assert_int_equal(vmar_unmap(arena, at(AREA), PAGES(AREA), false, NULL), ZX_OK);
    vmo_put(child);
    assert_true(is_large(at(LARGE)));
    assert_int_equal(user_write(at(LARGE + 7), 203), ZX_OK);
    assert_true(is_large(at(LARGE)));
    all_read(LARGE + 7, 203);
}

static void test_process_write(void **state)
{
    (void)state;
    struct vmo *found;
    uint64_t offset;
    uint8_t byte = 77;
    map_area(RX | ZX_VM_MAP_RANGE);
    assert_true(is_large(at(0)));
    all_read(MIDDLE, byte_of(MIDDLE));
    assert_int_equal(aspace_get_vmo(space, at(MIDDLE), MMU_PERM_WRITE, true, &found, &offset),
                     ZX_OK);
    assert_int_equal(vmo_write_kernel(found, offset, &byte, 1), ZX_OK);
    vmo_put(found);
    all_read(MIDDLE, 77);
    neighbours_are_well();
}

static void test_resize(void **state)
{
    (void)state;
    struct vmo *resizable;
    assert_int_equal(vmo_create(PAGES(LARGE), ZX_VMO_RESIZABLE, &resizable), ZX_OK);
    assert_int_equal(vmo_commit(resizable, 0, PAGES(LARGE)), ZX_OK);
    map_pages(arena, RW | ZX_VM_MAP_RANGE, 0, resizable, 0, LARGE);
    assert_true(is_large(at(0)));
    all_read(LARGE - 1, 0);
    assert_int_equal(vmo_set_size(resizable, PAGES(LARGE - 2)), ZX_OK);
    all_fail(LARGE - 1, ZX_ERR_OUT_OF_RANGE);
    all_read(LARGE - 3, 0);
    vmo_put(resizable);
}

/* ---- Without memory for the table ----------------------------------------------------------- */

/* Runs fn with the nth allocation failing, for each n until none does. */
static void with_each_failure(zx_status_t (*fn)(void), void (*check)(zx_status_t))
{
    bool failed;
    for (uint64_t n = 1;; n++) {
        map_area(RW | ZX_VM_MAP_RANGE);
        assert_true(is_large(at(0)));
        all_read(MIDDLE, byte_of(MIDDLE));
        fake_fail_after(n);
        zx_status_t status = fn();
        failed = fake_fail_stop();
        check(status);
        neighbours_are_well();
        assert_true(fake_tlb_is_consistent(&space->arch));
        assert_int_equal(vmar_unmap(arena, at(0), PAGES(AREA), false, NULL), ZX_OK);
        uint8_t byte = byte_of(MIDDLE);
        assert_int_equal(vmo_commit(vmo, PAGES(MIDDLE), PAGES(1)), ZX_OK);
        assert_int_equal(vmo_write_kernel(vmo, PAGES(MIDDLE), &byte, 1), ZX_OK);
        if (!failed)
            return;
        /* A page of its own may have taken the place: the large one is made anew. */
        teardown(NULL);
        assert_int_equal(setup(NULL), 0);
    }
}

static zx_status_t decommit_middle(void)
{
    return vmo_decommit(vmo, PAGES(MIDDLE), PAGES(1));
}

static void reads_zero(zx_status_t status)
{
    assert_int_equal(status, ZX_OK);
    all_read(MIDDLE, 0);
}

static void test_decommit_no_memory(void **state)
{
    (void)state;
    with_each_failure(decommit_middle, reads_zero);
}

static zx_status_t protect_middle(void)
{
    return vmar_protect(arena, R, at(MIDDLE), PAGES(1), false);
}

static void is_read_only_or_not(zx_status_t status)
{
    zx_status_t want = status == ZX_OK ? ZX_ERR_ACCESS_DENIED : ZX_OK;
    assert_true(status == ZX_OK || status == ZX_ERR_NO_MEMORY);
    assert_int_equal(user_write(at(MIDDLE), byte_of(MIDDLE)), want);
    all_read(MIDDLE, byte_of(MIDDLE));
}

static void test_protect_no_memory(void **state)
{
    (void)state;
    with_each_failure(protect_middle, is_read_only_or_not);
}

static struct vmo *copy;

static zx_status_t write_shared(void)
{
    return user_write(at(MIDDLE), 99);
}

static zx_status_t snapshot_then_write(void)
{
    zx_status_t status = vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGES(AREA), &copy);
    if (status != ZX_OK)
        copy = NULL;
    return status == ZX_OK ? write_shared() : status;
}

/* What the mapping shows is what the VMO has, whether the write came to pass or not. */
static void shows_what_is_there(zx_status_t status)
{
    uint8_t byte;
    assert_true(status == ZX_OK || status == ZX_ERR_NO_MEMORY);
    if (status != ZX_OK)
        all_read(MIDDLE, byte_of(MIDDLE));
    assert_int_equal(write_shared(), ZX_OK);
    assert_int_equal(vmo_read_kernel(vmo, PAGES(MIDDLE), &byte, 1), ZX_OK);
    assert_int_equal(byte, 99);
    all_read(MIDDLE, 99);
    if (copy == NULL)
        return;
    assert_int_equal(vmo_read_kernel(copy, PAGES(MIDDLE), &byte, 1), ZX_OK);
    assert_int_equal(byte, byte_of(MIDDLE));
    vmo_put(copy);
}

static void test_write_no_memory(void **state)
{
    (void)state;
    with_each_failure(snapshot_then_write, shows_what_is_there);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_populate),           TEST(test_fault),
        TEST(test_not_everywhere),     TEST(test_physical_and_contiguous),
        TEST(test_placement),          TEST(test_unmap),
        TEST(test_unmap_across),       TEST(test_protect),
        TEST(test_decommit),           TEST(test_snapshot),
        TEST(test_process_write),      TEST(test_resize),
        TEST(test_decommit_no_memory), TEST(test_protect_no_memory),
        TEST(test_write_no_memory),
    };
    return cmocka_run_group_tests_name("large", tests, vm_boot, NULL);
}
