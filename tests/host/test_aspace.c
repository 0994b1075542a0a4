/* Address spaces: faults, stale translations on several harts, looking in from outside, the end. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/test_random.h"
#include "tests/host/test_vm.h"

static struct vmar *arena; /* 64 pages, everything allowed */
static struct vmo *vmo;    /* 64 pages */

static int setup(void **state)
{
    if (vm_setup(state) != 0)
        return -1;
    arena = make_arena(64);
    vmo = make_vmo(64);
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

/* ---- Faults -----------------------------------------------------------------------------------
 */

static void test_root(void **state)
{
    (void)state;
    vaddr_t base, addr;
    uint64_t len;
    vmar_get_range(space->root, &base, &len);
    assert_int_equal(base, 0x200000);
    assert_int_equal(base + len, (1ul << 38) - PAGE_SIZE_BYTES);
    assert_int_equal(try_map(space->root, RW | ZX_VM_SPECIFIC, 0, vmo, 0, PAGES(1), &addr), ZX_OK);
    assert_int_equal(user_write(base, 1), ZX_OK);
    assert_int_equal(
        try_map(space->root, RW | ZX_VM_SPECIFIC, len - PAGES(1), vmo, 0, PAGES(1), &addr), ZX_OK);
    assert_byte(base + len - PAGES(1), 1);
}

static void test_fault_causes(void **state)
{
    (void)state;
    map_pages(arena, R, 0, vmo, 0, 1);
    map_pages(arena, RW, 1, vmo, 60, 8);
    map_pages(arena, X, 10, vmo, 0, 1);
    map_pages(arena, 0, 11, vmo, 0, 1);
    assert_int_equal(user_touch(at(20)), ZX_ERR_NOT_FOUND);
    assert_int_equal(aspace_fault(space, 0, R), ZX_ERR_NOT_FOUND);
    assert_int_equal(aspace_fault(space, UINT64_MAX, R), ZX_ERR_NOT_FOUND);
    assert_int_equal(user_touch(at(0)), ZX_OK);
    assert_int_equal(user_write(at(0), 1), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(user_exec(at(0)), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(user_write(at(4), 1), ZX_OK);
    assert_int_equal(user_write(at(5), 1), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(user_touch(at(5)), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(user_exec(at(10)), ZX_OK);
    assert_int_equal(user_touch(at(10)), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(user_touch(at(11)), ZX_ERR_ACCESS_DENIED);
}

static void test_zero_page_then_write(void **state)
{
    (void)state;
    uint64_t vmo_pages = vm_counts_now().vmo_pages;
    map_pages(arena, RW, 0, vmo, 0, 8);
    map_pages(arena, R, 20, vmo, 0, 8);
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_byte(at(2), 0);
        assert_byte(at(22), 0);
    }
    assert_int_equal(vm_counts_now().vmo_pages, vmo_pages); /* reading costs no memory */
    fake_set_hart(1);
    assert_int_equal(user_write(at(2), 9), ZX_OK);
    assert_int_equal(vm_counts_now().vmo_pages, vmo_pages + 1);
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_byte(at(2), 9);
        assert_byte(at(22), 9);
    }
}

static void test_fault_around(void **state)
{
    (void)state;
    assert_int_equal(vmo_commit(vmo, PAGES(2), PAGES(20)), ZX_OK);
    map_pages(arena, R, 1, vmo, 1, 20);
    assert_int_equal(user_touch(at(5)), ZX_OK);
    for (uint64_t page = 0; page < 32; page++)
        assert_int_equal(mmu_query(&space->arch, at(page), NULL, NULL), page >= 2 && page < 16);
    assert_int_equal(space->count_faults, 1);
}

static void test_execute_syncs(void **state)
{
    (void)state;
    struct fake_counters before, after;
    assert_int_equal(vmo_commit(vmo, 0, PAGES(1)), ZX_OK);
    map_pages(arena, RX, 0, vmo, 0, 1);
    map_pages(arena, RW, 1, vmo, 0, 1);
    fake_get_counters(&before);
    assert_int_equal(user_write(at(1), 3), ZX_OK);
    fake_get_counters(&after);
    assert_int_equal(after.icache_syncs, before.icache_syncs);
    assert_int_equal(user_exec(at(0)), ZX_OK);
    fake_get_counters(&after);
    assert_true(after.icache_syncs > before.icache_syncs);
    /* Written, then made executable in place. */
    assert_int_equal(vmar_protect(arena, RX, at(1), PAGES(1), false), ZX_OK);
    fake_get_counters(&before);
    assert_int_equal(user_exec(at(1)), ZX_OK);
    fake_get_counters(&after);
    assert_true(after.icache_syncs > before.icache_syncs);
}

static zx_status_t fault_status;
static bool fault_no_memory_is_clean(void)
{
    fault_status = aspace_fault(space, at(40), W);
    return fault_status == ZX_OK;
}

static void test_fault_no_memory(void **state)
{
    (void)state;
    map_pages(arena, RW, 40, vmo, 0, 8);
    for (uint64_t n = 1;; n++) {
        bool done;
        fake_fail_after(n);
        done = fault_no_memory_is_clean();
        if (!fake_fail_stop()) {
            assert_true(done);
            break;
        }
        if (!done)
            assert_int_equal(fault_status, ZX_ERR_NO_MEMORY);
        assert_true(n < 20);
    }
    assert_int_equal(user_write(at(40), 1), ZX_OK);
}

/* ---- Stale translations -----------------------------------------------------------------------
 */

static void touch_on_all_harts(vaddr_t va, uint8_t value)
{
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_int_equal(user_write(va, value), ZX_OK);
        assert_byte(va, value);
    }
    fake_set_hart(0);
}

static void test_no_stale_after_unmap(void **state)
{
    (void)state;
    for (uint64_t page = 0; page < 32; page++) {
        map_pages(arena, RW, page, vmo, page, 1);
        touch_on_all_harts(at(page), 1);
    }
    assert_int_equal(vmar_unmap(arena, at(3), PAGES(1), false, NULL), ZX_OK);
    assert_int_equal(vmar_unmap(arena, at(8), PAGES(20), false, NULL), ZX_OK);
    assert_true(fake_tlb_is_consistent(&space->arch));
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_int_equal(user_touch(at(3)), ZX_ERR_NOT_FOUND);
        assert_int_equal(user_touch(at(20)), ZX_ERR_NOT_FOUND);
        assert_byte(at(4), 1);
    }
}

static void test_no_stale_after_protect(void **state)
{
    (void)state;
    map_pages(arena, RW, 0, vmo, 0, 8);
    for (uint64_t page = 0; page < 8; page++)
        touch_on_all_harts(at(page), 1);
    assert_int_equal(vmar_protect(arena, R, at(2), PAGES(3), false), ZX_OK);
    assert_true(fake_tlb_is_consistent(&space->arch));
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_int_equal(user_write(at(3), 2), ZX_ERR_ACCESS_DENIED);
        assert_byte(at(3), 1);
        assert_int_equal(user_write(at(5), 2), ZX_OK);
    }
    fake_set_hart(0);
    assert_int_equal(vmar_protect(arena, 0, at(2), PAGES(3), false), ZX_OK);
    assert_true(fake_tlb_is_consistent(&space->arch));
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_int_equal(user_touch(at(3)), ZX_ERR_ACCESS_DENIED);
    }
    assert_int_equal(vmar_protect(arena, RW, at(2), PAGES(3), false), ZX_OK);
    touch_on_all_harts(at(3), 7);
}

static void test_granting_fences_nobody(void **state)
{
    (void)state;
    struct fake_counters before, after;
    map_pages(arena, R, 0, vmo, 0, 8);
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_byte(at(0), 0);
    }
    fake_get_counters(&before);
    assert_int_equal(vmar_protect(arena, RW, at(0), PAGES(8), false), ZX_OK);
    fake_get_counters(&after);
    assert_int_equal(after.fences, before.fences);
    touch_on_all_harts(at(0), 3);
}

static void test_no_stale_after_decommit_and_resize(void **state)
{
    (void)state;
    struct vmo *resizable = NULL;
    assert_int_equal(vmo_create(PAGES(8), ZX_VMO_RESIZABLE, &resizable), ZX_OK);
    map_pages(arena, RW, 0, resizable, 2, 6);
    map_pages(arena, RW, 20, resizable, 0, 8);
    touch_on_all_harts(at(1), 5);
    touch_on_all_harts(at(5), 5);
    touch_on_all_harts(at(23), 5);
    assert_int_equal(vmo_decommit(resizable, PAGES(3), PAGES(1)), ZX_OK);
    assert_true(fake_tlb_is_consistent(&space->arch));
    assert_byte(at(1), 0);
    assert_byte(at(23), 0);
    assert_byte(at(27), 5);
    assert_int_equal(vmo_set_size(resizable, PAGES(5)), ZX_OK);
    assert_true(fake_tlb_is_consistent(&space->arch));
    for (unsigned hart = 0; hart < 4; hart++) {
        fake_set_hart(hart);
        assert_int_equal(user_touch(at(5)), ZX_ERR_OUT_OF_RANGE);
        assert_int_equal(user_touch(at(27)), ZX_ERR_OUT_OF_RANGE);
    }
    vmo_put(resizable);
}

/* Another thread has removed translations of a VMO's pages and is still waiting for the harts when
 * the pages are taken away: the tables say nothing of them any more, the TLBs do. */
static void test_decommit_during_shootdown(void **state)
{
    (void)state;
    struct tlb_batch other;
    map_pages(arena, RW, 0, vmo, 0, 8);
    touch_on_all_harts(at(3), 5);
    atomic_fetch_add(&space->count_shootdowns, 1);
    tlb_batch_init(&other, &space->arch);
    assert_int_equal(mmu_unmap(&space->arch, at(3), PAGES(1), false, &other), ZX_OK);
    assert_false(fake_tlb_is_consistent(&space->arch));
    assert_int_equal(vmo_decommit(vmo, PAGES(3), PAGES(1)), ZX_OK);
    assert_true(fake_tlb_is_consistent(&space->arch));
    tlb_batch_finish(&other);
    atomic_fetch_sub(&space->count_shootdowns, 1);
    assert_byte(at(3), 0);
}

/* ---- From outside -----------------------------------------------------------------------------
 */

static void test_get_vmo(void **state)
{
    (void)state;
    struct vmo *found = NULL;
    uint64_t offset = 42;
    map_pages(arena, 0, 0, vmo, 62, 4); /* permissions do not matter */
    assert_int_equal(aspace_get_vmo(space, at(9), MMU_PERM_READ, true, &found, &offset),
                     ZX_ERR_NOT_FOUND);
    assert_null(found);
    assert_int_equal(offset, 42);
    assert_int_equal(aspace_get_vmo(space, at(1) + 123, MMU_PERM_WRITE, true, &found, &offset),
                     ZX_OK);
    assert_ptr_equal(found, vmo);
    assert_int_equal(offset, PAGES(63) + 123);
    vmo_put(found);
}

static void test_walk(void **state)
{
    (void)state;
    struct vmar *sub =
        make_vmar(arena, CAN_RWX | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC, PAGES(10), PAGES(10));
    struct vmar *empty = make_vmar(arena, ZX_VM_SPECIFIC, PAGES(30), PAGES(1));
    struct aspace_usage usage;
    map_pages(arena, R, 25, vmo, 3, 2);
    map_pages(sub, RW, 2, vmo, 0, 4);
    map_pages(arena, RX, 0, vmo, 1, 2);
    assert_int_equal(vmo_commit(vmo, PAGES(2), PAGES(2)), ZX_OK);
    struct snapshot s = take_snapshot();
    static const uint32_t depth[] = {1, 2, 3, 3, 4, 3, 3};
    static const bool is_vmar[] = {true, true, false, true, false, false, true};
    static const uint64_t committed_pages[] = {0, 0, 1, 0, 2, 1, 0};
    assert_int_equal(s.count, 7);
    for (size_t i = 0; i < s.count; i++) {
        assert_int_equal(s.entries[i].depth, depth[i]);
        assert_int_equal(s.entries[i].is_vmar, is_vmar[i]);
        assert_int_equal(s.entries[i].committed_bytes, PAGES(committed_pages[i]));
    }
    assert_mapping(&s, 4, at(12), 4, RW, 0);
    aspace_get_usage(space, &usage);
    assert_int_equal(usage.mapped_bytes, PAGES(8));
    assert_int_equal(usage.private_bytes, PAGES(4));
    assert_int_equal(usage.shared_bytes + usage.scaled_shared.bytes, 0);
    struct snapshot below = {.count = 0};
    assert_int_equal(vmar_walk(sub, snapshot_add, &below), ZX_OK);
    assert_int_equal(below.count, 2);
    assert_int_equal(below.entries[1].depth, 1);
    assert_int_equal(vmar_destroy(sub), ZX_OK);
    assert_int_equal(vmar_walk(sub, snapshot_add, &below), ZX_ERR_BAD_STATE);
    vmar_put(sub);
    vmar_put(empty);
}

/* ---- The end ----------------------------------------------------------------------------------
 */

static void test_clear_and_outlive(void **state)
{
    (void)state;
    struct vmar *root = space->root, *out;
    struct aspace_usage usage;
    vaddr_t addr;
    vmar_get(root);
    map_pages(arena, RW, 0, vmo, 0, 8);
    touch_on_all_harts(at(0), 1);
    aspace_clear(space);
    aspace_clear(space);
    assert_int_equal(vmo->count_mappings, 0);
    assert_int_equal(user_touch(at(0)), ZX_ERR_NOT_FOUND);
    assert_int_equal(aspace_walk(space, snapshot_add, NULL), ZX_ERR_BAD_STATE);
    aspace_get_usage(space, &usage);
    assert_int_equal(usage.mapped_bytes + usage.private_bytes + usage.shared_bytes, 0);
    fake_leave_aspaces();
    aspace_destroy(space);
    space = NULL;
    /* The handles that others hold are still good for being told no. */
    assert_int_equal(vmar_destroy(root), ZX_ERR_BAD_STATE);
    assert_int_equal(vmar_allocate(arena, 0, 0, PAGES(1), &out), ZX_ERR_BAD_STATE);
    assert_int_equal(try_map(arena, R, 0, vmo, 0, PAGES(1), &addr), ZX_ERR_BAD_STATE);
    assert_int_equal(vmar_unmap(root, at(0), PAGES(1), true, NULL), ZX_ERR_BAD_STATE);
    vmar_put(root);
}

static void test_create_no_memory(void **state)
{
    (void)state;
    struct vm_counts before = vm_counts_now();
    for (uint64_t n = 1;; n++) {
        struct aspace *other = NULL;
        fake_fail_after(n);
        zx_status_t status = aspace_create(&other);
        if (!fake_fail_stop()) {
            assert_true(n > 3);
            assert_int_equal(status, ZX_OK);
            aspace_clear(other);
            aspace_destroy(other);
            break;
        }
        assert_int_equal(status, ZX_ERR_NO_MEMORY);
        assert_null(other);
        vm_assert_counts(before);
    }
    vm_assert_counts(before);
}

/* ---- Many threads -----------------------------------------------------------------------------
 */

/* One hart unmaps and maps again, one protects, one takes the VMO's pages away, and all write: a
 * stale translation of a page that was given back is caught by the fake machine. */
enum { RACE_ROUNDS = 1500 };

struct racer {
    unsigned hart;
    void (*step)(struct test_random *random);
    pthread_t thread;
};

static void step_remap(struct test_random *random)
{
    uint64_t page = test_random_below(random, 8);
    vaddr_t addr;
    ASSERT(vmar_unmap(arena, at(page), PAGES(4), false, NULL) == ZX_OK);
    ASSERT(try_map(arena, RW | ZX_VM_SPECIFIC_OVERWRITE, PAGES(page), vmo, PAGES(page), PAGES(4),
                   &addr) == ZX_OK);
}

static void step_protect(struct test_random *random)
{
    uint64_t page = test_random_below(random, 12);
    zx_status_t status = vmar_protect(arena, test_random_below(random, 2) ? R : RW, at(page),
                                      PAGES(1 + test_random_below(random, 4)), false);
    ASSERT(status == ZX_OK || status == ZX_ERR_NOT_FOUND);
}

static void step_decommit(struct test_random *random)
{
    uint64_t page = test_random_below(random, 12);
    ASSERT(vmo_decommit(vmo, PAGES(page), PAGES(1 + test_random_below(random, 3))) == ZX_OK);
}

static void step_write(struct test_random *random)
{
    (void)user_write(at(test_random_below(random, 12)), 1);
}

static void *race(void *arg)
{
    struct racer *racer = arg;
    struct test_random random = {racer->hart * 77 + 1};
    fake_set_hart(racer->hart);
    arch_irq_enable();
    for (unsigned i = 0; i < RACE_ROUNDS; i++) {
        racer->step(&random);
        step_write(&random);
        step_write(&random);
    }
    return NULL;
}

static void test_race(void **state)
{
    (void)state;
    struct racer racers[] = {{.hart = 0, .step = step_remap},
                             {.hart = 1, .step = step_protect},
                             {.hart = 2, .step = step_decommit},
                             {.hart = 3, .step = step_write}};
    map_pages(arena, RW, 0, vmo, 0, 12);
    for (size_t i = 0; i < ARRAY_COUNT(racers); i++)
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    for (size_t i = 0; i < ARRAY_COUNT(racers); i++)
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
    assert_true(fake_tlb_is_consistent(&space->arch));
    assert_int_equal(atomic_load(&space->count_shootdowns), 0);
    region_tree_check(&arena->children);
}

/* ---- Descriptions -----------------------------------------------------------------------------
 */

static void expect_place(vaddr_t addr, enum aspace_relation relation, vaddr_t base, vaddr_t region)
{
    struct aspace_place place;
    assert_int_equal(aspace_describe(space, addr, &place), relation);
    assert_int_equal(place.base, base);
    assert_int_equal(place.region_base, region);
}

static void test_describe(void **state)
{
    (void)state;
    struct aspace_place place = {.base = 1};
    assert_int_equal(aspace_describe(space, at(0), &place), ASPACE_NOTHING);
    assert_int_equal(place.base, 1);

    struct vmar *outer =
        make_vmar(arena, CAN_RWX | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC, PAGES(16), PAGES(16));
    struct vmar *inner =
        make_vmar(outer, CAN_RWX | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC, PAGES(4), PAGES(8));
    struct vmar *empty = make_vmar(arena, CAN_RWX | ZX_VM_SPECIFIC, PAGES(40), PAGES(4));
    vmo_set_name(vmo, "text");
    map_pages(inner, R | X, 2, vmo, 0, 2); /* pages 22 and 23 of the arena */
    map_pages(arena, RW, 50, vmo, 3, 1);
    assert_int_equal(aspace_describe(space, at(23) + 5, &place), ASPACE_INSIDE);
    assert_int_equal(place.base, at(22));
    assert_int_equal(place.size_bytes, PAGES(2));
    assert_int_equal(place.region_base, at(20));
    assert_int_equal(place.perms, R | X);
    assert_string_equal(place.name, "text");
    expect_place(at(50), ASPACE_INSIDE, at(50), at(0));

    /* What is not mapped, by the nearer neighbour, in whatever region each lies. */
    expect_place(0, ASPACE_BELOW, at(22), at(20));
    expect_place(at(22) - 1, ASPACE_BELOW, at(22), at(20));
    expect_place(at(24), ASPACE_ABOVE, at(22), at(20));
    expect_place(at(36), ASPACE_ABOVE, at(22), at(20));
    expect_place(at(38), ASPACE_BELOW, at(50), at(0));
    expect_place(at(41), ASPACE_BELOW, at(50), at(0));
    expect_place(at(51), ASPACE_ABOVE, at(50), at(0));
    expect_place(UINT64_MAX, ASPACE_ABOVE, at(50), at(0));
    vmar_put(empty);
    vmar_put(inner);
    vmar_put(outer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_root),
        TEST(test_fault_causes),
        TEST(test_zero_page_then_write),
        TEST(test_fault_around),
        TEST(test_execute_syncs),
        TEST(test_fault_no_memory),
        TEST(test_no_stale_after_unmap),
        TEST(test_no_stale_after_protect),
        TEST(test_granting_fences_nobody),
        TEST(test_no_stale_after_decommit_and_resize),
        TEST(test_decommit_during_shootdown),
        TEST(test_get_vmo),
        TEST(test_walk),
        TEST(test_describe),
        TEST(test_clear_and_outlive),
        TEST(test_create_no_memory),
        TEST(test_race),
    };
    return cmocka_run_group_tests_name("aspace", tests, vm_boot, NULL);
}
