/* Snapshots and moved pages against harts whose TLBs forget nothing that is not fenced, and against
 * copies that are in progress while it happens. */
#include <pthread.h>
#include <sched.h>

#include "tests/host/test_random.h"
#include "tests/host/test_vm.h"

#define COUNT 6u

static struct vmar *arena;

static int setup(void **state)
{
    int result = vm_setup(state);
    if (result == 0)
        arena = make_arena(64);
    return result;
}

static int teardown(void **state)
{
    vmar_put(arena);
    return vm_teardown(state);
}

static struct vmo *snapshot_of(struct vmo *vmo, uint64_t count_pages)
{
    struct vmo *child = NULL;
    assert_int_equal(vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGES(count_pages), &child),
                     ZX_OK);
    return child;
}

static uint8_t byte_of(struct vmo *vmo, uint64_t offset)
{
    uint8_t byte = 0xee;
    assert_int_equal(vmo_read_kernel(vmo, offset, &byte, 1), ZX_OK);
    return byte;
}

static void set_byte(struct vmo *vmo, uint64_t offset, uint8_t byte)
{
    assert_int_equal(vmo_write_kernel(vmo, offset, &byte, 1), ZX_OK);
}

/* ---- Copies in progress -----------------------------------------------------------------------
 */

struct copy_case {
    struct vmo *vmo, *other, *child;
    uint64_t other_page;
    vaddr_t addr;
};

static struct copy_case *hooked;

/* Another hart, which has written before, tries to store into both pages. */
static void store_both(void)
{
    unsigned hart = arch_hart_index();
    fake_set_hart(1);
    (void)fake_user_write(&space->arch, hooked->addr, 2);
    (void)fake_user_write(&space->arch, hooked->addr + PAGE_SIZE_BYTES, 2);
    fake_set_hart(hart);
}

static zx_status_t snapshot_in_copy(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    struct copy_case *copy = ctx;
    (void)done_bytes;
    (void)len_bytes;
    hooked = copy;
    fake_set_page_copy_hook(store_both);
    copy->child = snapshot_of(copy->vmo, 2);
    fake_set_page_copy_hook(NULL);
    *(uint8_t *)at = 9;
    return ZX_OK;
}

/* A page that a writer has in hand is copied for the snapshot: it must not be of an earlier moment
 * than the others. */
static void test_one_moment(void **state)
{
    struct copy_case copy = {.vmo = make_vmo(2)};
    (void)state;
    copy.addr = map_pages(arena, RW, 0, copy.vmo, 0, 2);
    fake_set_hart(1);
    assert_int_equal(user_write(copy.addr, 1), ZX_OK);
    assert_int_equal(user_write(copy.addr + PAGE_SIZE_BYTES, 1), ZX_OK);
    fake_set_hart(0);
    assert_int_equal(vmo_write(copy.vmo, 8, 1, snapshot_in_copy, &copy), ZX_OK);
    assert_true(byte_of(copy.child, 0) >= byte_of(copy.child, PAGE_SIZE_BYTES));
    assert_int_equal(byte_of(copy.child, 8), 0);
    assert_int_equal(byte_of(copy.vmo, 8), 9);
    vmo_put(copy.child);
    vmo_put(copy.vmo);
}

static zx_status_t move_in_write(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    struct copy_case *copy = ctx;
    (void)done_bytes;
    (void)len_bytes;
    assert_int_equal(vmo_transfer(copy->other, PAGES(copy->other_page), PAGES(1), copy->vmo, 0),
                     ZX_OK);
    copy->child = snapshot_of(copy->other, 2);
    *(uint8_t *)at = 9;
    return ZX_OK;
}

/* Whoever got the page does not get what its old owner writes later. */
static void test_moved_while_written(void **state)
{
    (void)state;
    for (unsigned same = 0; same < 2; same++) {
        struct copy_case copy = {.vmo = make_vmo(2), .other_page = same};
        struct vmo *other = make_vmo(2);
        copy.other = same ? copy.vmo : other;
        set_byte(copy.vmo, 0, 1);
        assert_int_equal(vmo_write(copy.vmo, 0, 1, move_in_write, &copy), ZX_OK);
        assert_int_equal(byte_of(copy.other, PAGES(copy.other_page)), 1);
        assert_int_equal(byte_of(copy.child, PAGES(copy.other_page)), 1);
        assert_int_equal(byte_of(copy.vmo, 0), 0);
        vmo_put(copy.child);
        vmo_put(copy.vmo);
        vmo_put(other);
    }
}

static zx_status_t move_in_read(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    struct copy_case *copy = ctx;
    (void)done_bytes;
    (void)len_bytes;
    assert_int_equal(vmo_transfer(copy->other, 0, PAGES(1), copy->vmo, 0), ZX_OK);
    set_byte(copy->other, 0, 0x55);
    assert_int_equal(*(const uint8_t *)at, 1);
    return ZX_OK;
}

static void test_moved_while_read(void **state)
{
    struct copy_case copy = {.vmo = make_vmo(1), .other = make_vmo(1)};
    (void)state;
    set_byte(copy.vmo, 0, 1);
    assert_int_equal(vmo_read(copy.vmo, 0, 1, move_in_read, &copy), ZX_OK);
    assert_int_equal(byte_of(copy.other, 0), 0x55);
    vmo_put(copy.vmo);
    vmo_put(copy.other);
}

/* A failed move leaves every page where it was, or where it went. */
static zx_status_t move_without_memory(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    struct copy_case *copy = ctx;
    zx_status_t status = ZX_ERR_NO_MEMORY;
    (void)at;
    (void)done_bytes;
    (void)len_bytes;
    for (uint64_t nth = 1; status != ZX_OK; nth++) {
        fake_fail_after(nth);
        status = vmo_transfer(copy->other, 0, PAGES(1), copy->vmo, 0);
        assert_true(fake_fail_stop() == (status != ZX_OK));
        assert_int_equal(byte_of(copy->vmo, 0), status == ZX_OK ? 0 : 1);
        assert_int_equal(byte_of(copy->other, 0), status == ZX_OK ? 1 : 0);
    }
    return ZX_OK;
}

static void test_move_no_memory(void **state)
{
    struct copy_case copy = {.vmo = make_vmo(1), .other = make_vmo(1)};
    (void)state;
    set_byte(copy.vmo, 0, 1);
    assert_int_equal(vmo_read(copy.vmo, 0, 1, move_without_memory, &copy), ZX_OK);
    vmo_put(copy.vmo);
    vmo_put(copy.other);
}

/* ---- Without memory ---------------------------------------------------------------------------
 */

/* A snapshot that fails for want of memory leaves the parent's contents and its mappings' use. */
static void test_snapshot_no_memory(void **state)
{
    struct vmo *vmo = make_vmo(128), *child = NULL;
    vaddr_t addr = map_pages(arena, RW, 0, vmo, 0, 64);
    zx_status_t status = ZX_ERR_NO_MEMORY;
    (void)state;
    set_byte(vmo, PAGES(100), 1);
    for (uint64_t nth = 1; status != ZX_OK; nth++) {
        struct vm_counts counts;
        assert_int_equal(user_write(addr, (uint8_t)nth), ZX_OK);
        assert_int_equal(user_write(addr + PAGES(9), (uint8_t)nth), ZX_OK);
        counts = vm_counts_now();
        fake_fail_after(nth);
        status = vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, PAGES(5), PAGES(80), &child);
        assert_true(fake_fail_stop() == (status != ZX_OK));
        if (status != ZX_OK)
            vm_assert_counts(counts);
        assert_int_equal(user_write(addr + PAGES(9), 0x77), ZX_OK);
        assert_int_equal(byte_of(vmo, 0), (uint8_t)nth);
        if (status == ZX_OK)
            assert_int_equal(byte_of(child, PAGES(4)), (uint8_t)nth);
    }
    vmo_put(child);
    vmo_put(vmo);
}

/* ---- All at once ------------------------------------------------------------------------------
 */

#define WRITERS      3u
#define RACE_ROUNDS  400u
#define WRITER_SLOTS 4u

static struct vmo *raced, *raced_slice;
static vaddr_t raced_addr[2];
static bool race_is_over;

/* A rising number into the writer's byte of every page, first to last. */
/* A snapshot may take the permission away again between a fault and its retry, any number of times:
 * a hart just faults again. */
static void store_as_a_hart_does(vaddr_t at, uint8_t byte)
{
    zx_status_t status;
    do {
        status = user_write(at, byte);
    } while (status == ZX_ERR_INTERNAL && !atomic_load(&race_is_over));
    ASSERT(status == ZX_OK || status == ZX_ERR_INTERNAL);
}

static void *race_writer(void *arg)
{
    uint64_t hart = (uintptr_t)arg;
    fake_set_hart((unsigned)hart);
    arch_irq_enable();
    for (uint8_t n = 1; !atomic_load(&race_is_over); n++) {
        for (uint64_t page = 0; page < COUNT; page++) {
            vaddr_t at = raced_addr[hart % 2] + PAGES(page) + hart;
            if (hart == 2)
                ASSERT(vmo_write_kernel(raced, PAGES(page) + hart, &n, 1) == ZX_OK);
            else
                store_as_a_hart_does(at, n);
        }
    }
    return NULL;
}

static void read_all(struct vmo *vmo, uint8_t out[COUNT][WRITER_SLOTS])
{
    for (uint64_t page = 0; page < COUNT; page++)
        assert_int_equal(vmo_read_kernel(vmo, PAGES(page), out[page], WRITER_SLOTS), ZX_OK);
}

static void assert_one_moment(uint8_t seen[COUNT][WRITER_SLOTS])
{
    for (unsigned writer = 0; writer < WRITERS; writer++) {
        unsigned steps = 0;
        for (unsigned page = 1; page < COUNT; page++) {
            uint8_t less = (uint8_t)(seen[page - 1][writer] - seen[page][writer]);
            assert_true(less <= 1);
            steps += less;
        }
        assert_true(steps <= 1);
    }
}

static void test_race(void **state)
{
    struct test_random random = {7};
    struct {
        struct vmo *vmo;
        uint8_t seen[COUNT][WRITER_SLOTS];
    } kept[5] = {{.vmo = NULL}};
    pthread_t threads[WRITERS];
    (void)state;
    raced = make_vmo(COUNT);
    assert_int_equal(vmo_create_child(raced, ZX_VMO_CHILD_SLICE, 0, PAGES(COUNT), &raced_slice),
                     ZX_OK);
    raced_addr[0] = map_pages(arena, RW, 0, raced, 0, COUNT);
    raced_addr[1] = map_pages(arena, RW, 16, raced_slice, 0, COUNT);
    race_is_over = false;
    for (uintptr_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race_writer, (void *)i), 0);
    fake_set_hart(3);
    for (unsigned i = 0; i < RACE_ROUNDS; i++) {
        size_t n = test_random_below(&random, ARRAY_COUNT(kept));
        uint8_t now[COUNT][WRITER_SLOTS];
        if (kept[n].vmo != NULL) {
            read_all(kept[n].vmo, now);
            assert_memory_equal(now, kept[n].seen, sizeof(now));
            vmo_put(kept[n].vmo);
        }
        kept[n].vmo = snapshot_of(i % 2 == 0 ? raced : raced_slice, COUNT);
        read_all(kept[n].vmo, kept[n].seen);
        assert_one_moment(kept[n].seen);
        sched_yield();
    }
    atomic_store(&race_is_over, true);
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t n = 0; n < ARRAY_COUNT(kept); n++) {
        if (kept[n].vmo != NULL)
            vmo_put(kept[n].vmo);
    }
    fake_set_hart(0);
    assert_true(fake_tlb_is_consistent(&space->arch));
    vmo_put(raced_slice);
    vmo_put(raced);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_moment),     TEST(test_moved_while_written), TEST(test_moved_while_read),
        TEST(test_move_no_memory), TEST(test_snapshot_no_memory),  TEST(test_race),
    };
    return cmocka_run_group_tests_name("vmo snapshot", tests, vm_boot, NULL);
}
