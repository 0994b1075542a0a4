/* Memory that the kernel may show with large pages: whatever is done to a part of it concerns that
 * part only, also while other harts use the rest. */
#include "tests/conformance/util.h"

#include <stdatomic.h>

#include "userland/libzx/thread.h"

#define LARGE_BYTES ((size_t)2 << 20)
#define PAGES       (LARGE_BYTES / PAGE)
#define MIDDLE      200u
#define READERS     3

/* 2 MiB that are all there and mapped, at a multiple of 2 MiB; page n holds n + 1. */
struct area {
    zx_handle_t vmar, vmo;
    zx_vaddr_t base;
    atomic_int stop;
    atomic_int
        wrong; /* readings of pages other than the middle one that were not as they should be */
    struct thread *readers[READERS];
};

static int read_on(void *arg)
{
    struct area *area = arg;

    while (atomic_load(&area->stop) == 0) {
        for (size_t i = 0; i < PAGES; i++) {
            if (i != MIDDLE && load(area->base + i * PAGE) != i + 1)
                atomic_fetch_add(&area->wrong, 1);
        }
    }
    return 0;
}

static struct area *area_new(void)
{
    static struct area area;
    zx_vaddr_t base;

    area = (struct area){.vmo = vmo_new(LARGE_BYTES)};
    area.vmar = vmar_new(CAN_MAP_RW, 2 * LARGE_BYTES, &base);
    area.base = (base + LARGE_BYTES - 1) / LARGE_BYTES * LARGE_BYTES;
    ASSERT_OK(zx_vmo_op_range(area.vmo, ZX_VMO_OP_COMMIT, 0, LARGE_BYTES, NULL, 0));
    map_at(area.vmar, RW | ZX_VM_MAP_RANGE, area.base - base, area.vmo, 0, LARGE_BYTES);
    for (size_t i = 0; i < PAGES; i++)
        store(area.base + i * PAGE, i + 1);
    for (int i = 0; i < READERS; i++)
        ASSERT_OK(thread_spawn("reader", read_on, &area, &area.readers[i]));
    return &area;
}

static zx_vaddr_t middle(const struct area *area)
{
    return area->base + MIDDLE * PAGE;
}

/* Everything but the middle page is as it was, in the mapping and in the VMO. */
static void area_check(const struct area *area)
{
    for (size_t i = 0; i < PAGES; i++) {
        if (i == MIDDLE)
            continue;
        EXPECT_EQ(load(area->base + i * PAGE), i + 1);
        EXPECT_EQ(vmo_load(area->vmo, i * PAGE), i + 1);
        EXPECT(can_write(area->base + i * PAGE));
    }
}

static void area_drop(struct area *area)
{
    atomic_store(&area->stop, 1);
    for (int i = 0; i < READERS; i++)
        thread_join(area->readers[i]);
    EXPECT_EQ(atomic_load(&area->wrong), 0);
    area_check(area);
    vmar_drop(area->vmar);
    close_handle(area->vmo);
}

TEST(large, unmap_a_page)
{
    struct area *area = area_new();

    ASSERT_OK(zx_vmar_unmap(area->vmar, middle(area), PAGE));
    EXPECT(!can_read(middle(area)));
    area_check(area);
    area_drop(area);
}

TEST(large, protect_a_page)
{
    struct area *area = area_new();

    ASSERT_OK(zx_vmar_protect(area->vmar, ZX_VM_PERM_READ, middle(area), PAGE));
    EXPECT(!can_write(middle(area)));
    EXPECT_EQ(load(middle(area)), MIDDLE + 1);
    ASSERT_OK(zx_vmar_protect(area->vmar, RW, middle(area), PAGE));
    store(middle(area), 77);
    EXPECT_EQ(vmo_load(area->vmo, MIDDLE * PAGE), 77);
    area_drop(area);
}

TEST(large, protect_all)
{
    struct area *area = area_new();

    ASSERT_OK(zx_vmar_protect(area->vmar, ZX_VM_PERM_READ, area->base, LARGE_BYTES));
    for (size_t i = 0; i < PAGES; i++)
        EXPECT(!can_write(area->base + i * PAGE));
    ASSERT_OK(zx_vmar_protect(area->vmar, RW, area->base, LARGE_BYTES));
    store(middle(area), 78);
    EXPECT_EQ(vmo_load(area->vmo, MIDDLE * PAGE), 78);
    area_drop(area);
}

TEST(large, decommit_a_page)
{
    struct area *area = area_new();
    zx_info_vmo_t info;

    ASSERT_OK(zx_vmo_op_range(area->vmo, ZX_VMO_OP_DECOMMIT, MIDDLE * PAGE, PAGE, NULL, 0));
    EXPECT_EQ(load(middle(area)), 0);
    ASSERT_OK(zx_object_get_info(area->vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.committed_bytes, LARGE_BYTES - PAGE);
    store(middle(area), 79);
    EXPECT_EQ(vmo_load(area->vmo, MIDDLE * PAGE), 79);
    area_drop(area);
}

TEST(large, snapshot_and_write)
{
    struct area *area = area_new();
    zx_handle_t child;

    ASSERT_OK(zx_vmo_create_child(area->vmo, ZX_VMO_CHILD_SNAPSHOT, 0, LARGE_BYTES, &child));
    store(middle(area), 80);
    EXPECT_EQ(vmo_load(child, MIDDLE * PAGE), MIDDLE + 1);
    EXPECT_EQ(vmo_load(area->vmo, MIDDLE * PAGE), 80);
    vmo_store(child, (MIDDLE + 1) * PAGE, 81);
    EXPECT_EQ(load(middle(area) + PAGE), MIDDLE + 2);
    area_check(area);
    close_handle(child);
    area_drop(area);
}

TEST(large, write_through_the_process)
{
    struct area *area = area_new();
    uint64_t value = 82;
    size_t actual;

    ASSERT_OK(
        zx_process_write_memory(zx_process_self(), middle(area), &value, sizeof(value), &actual));
    EXPECT_EQ(load(middle(area)), 82);
    area_drop(area);
}

/* A commit of much counts what it was asked for, and a touch one page. */
TEST(large, committed_bytes)
{
    zx_handle_t vmo = vmo_new(4 * LARGE_BYTES);
    zx_vaddr_t addr = map_anywhere(RW, vmo, 4 * LARGE_BYTES);
    zx_info_vmo_t info;

    for (size_t i = 0; i < 40; i++) {
        store(addr + i * PAGE, 1);
        ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
        EXPECT_EQ(info.committed_bytes, (i + 1) * PAGE);
    }
    ASSERT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, LARGE_BYTES - PAGE, LARGE_BYTES + 3 * PAGE,
                              NULL, 0));
    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.committed_bytes, 40 * PAGE + LARGE_BYTES + 3 * PAGE);
    for (size_t i = 0; i < LARGE_BYTES + 3 * PAGE; i += PAGE)
        EXPECT_EQ(load(addr + LARGE_BYTES - PAGE + i), 0);
    unmap(addr, 4 * LARGE_BYTES);
    close_handle(vmo);
}
