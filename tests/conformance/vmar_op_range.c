/* zx_vmar_op_range. */
#include "tests/conformance/util.h"

#define REGION (64 * PAGE)

struct region {
    zx_handle_t vmar, vmo;
    zx_vaddr_t base;
};

static struct region region_new(void)
{
    struct region r;

    r.vmar = vmar_new(CAN_MAP_RW, REGION, &r.base);
    r.vmo = vmo_new(8 * PAGE);
    map_at(r.vmar, RW, 0, r.vmo, 0, 8 * PAGE);
    return r;
}

static void region_drop(const struct region *r)
{
    vmar_drop(r->vmar);
    close_handle(r->vmo);
}

static uint64_t committed_pages(zx_handle_t vmo)
{
    zx_info_vmo_t info = {0};

    EXPECT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    return info.committed_bytes / PAGE;
}

static zx_status_t op(zx_handle_t vmar, uint32_t what, zx_vaddr_t addr, size_t size)
{
    return zx_vmar_op_range(vmar, what, addr, size, NULL, 0);
}

TEST(vmar_op_range, commit)
{
    struct region r = region_new();

    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_COMMIT, r.base + PAGE, 3 * PAGE));
    EXPECT_EQ(committed_pages(r.vmo), 3);
    store(r.base + PAGE, 5);
    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_COMMIT, r.base, 8 * PAGE));
    EXPECT_EQ(committed_pages(r.vmo), 8);
    EXPECT_EQ(load(r.base + PAGE), 5);
    EXPECT_EQ(load(r.base + 7 * PAGE), 0);
    region_drop(&r);
}

TEST(vmar_op_range, decommit_zeroes_everywhere)
{
    struct region r = region_new();
    zx_vaddr_t other = map_anywhere(RW, r.vmo, 8 * PAGE);

    for (size_t i = 0; i < 8; i++)
        store(r.base + i * PAGE, i + 1);
    EXPECT_EQ(load(other + 2 * PAGE), 3);
    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_DECOMMIT, r.base + 2 * PAGE, 4 * PAGE));
    EXPECT_EQ(committed_pages(r.vmo), 4);
    for (size_t i = 0; i < 8; i++) {
        EXPECT_EQ(load(r.base + i * PAGE), i >= 2 && i < 6 ? 0 : i + 1);
        EXPECT_EQ(load(other + i * PAGE), i >= 2 && i < 6 ? 0 : i + 1);
    }
    unmap(other, 8 * PAGE);
    region_drop(&r);
}

TEST(vmar_op_range, zero)
{
    struct region r = region_new();

    for (size_t i = 0; i < 8; i++)
        store(r.base + i * PAGE, i + 1);
    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_ZERO, r.base, 2 * PAGE));
    EXPECT_EQ(load(r.base), 0);
    EXPECT_EQ(load(r.base + PAGE), 0);
    EXPECT_EQ(load(r.base + 2 * PAGE), 3);
    region_drop(&r);
}

TEST(vmar_op_range, map_range_commits_nothing)
{
    struct region r = region_new();

    vmo_store(r.vmo, PAGE, 7);
    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_MAP_RANGE, r.base, 8 * PAGE));
    EXPECT_EQ(committed_pages(r.vmo), 1);
    EXPECT_EQ(load(r.base + PAGE), 7);
    EXPECT_EQ(load(r.base), 0);
    /* Again: entries that are there are skipped. */
    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_MAP_RANGE, r.base, 8 * PAGE));
    store(r.base + PAGE, 8);
    EXPECT_EQ(vmo_load(r.vmo, PAGE), 8);
    region_drop(&r);
}

TEST(vmar_op_range, map_range_of_a_read_only_mapping_stays_read_only)
{
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, REGION, &base), vmo = vmo_new(PAGE);

    vmo_store(vmo, 0, 1);
    map_at(vmar, ZX_VM_PERM_READ, 0, vmo, 0, PAGE);
    EXPECT_OK(op(vmar, ZX_VMAR_OP_MAP_RANGE, base, PAGE));
    EXPECT(can_read(base));
    EXPECT(!can_write(base));
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_op_range, hints_succeed)
{
    struct region r = region_new();

    store(r.base, 3);
    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_DONT_NEED, r.base, 8 * PAGE));
    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_ALWAYS_NEED, r.base, 8 * PAGE));
    EXPECT_EQ(load(r.base), 3);
    region_drop(&r);
}

TEST(vmar_op_range, over_several_mappings)
{
    struct region r = region_new();
    zx_handle_t second = vmo_new(4 * PAGE);

    map_at(r.vmar, RW, 8 * PAGE, second, 0, 4 * PAGE);
    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_COMMIT, r.base + 6 * PAGE, 4 * PAGE));
    EXPECT_EQ(committed_pages(r.vmo), 2);
    EXPECT_EQ(committed_pages(second), 2);
    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_DECOMMIT, r.base, 12 * PAGE));
    EXPECT_EQ(committed_pages(r.vmo), 0);
    EXPECT_EQ(committed_pages(second), 0);
    region_drop(&r);
    close_handle(second);
}

TEST(vmar_op_range, holes)
{
    struct region r = region_new();

    map_at(r.vmar, RW, 10 * PAGE, r.vmo, 0, PAGE);
    EXPECT_STATUS(op(r.vmar, ZX_VMAR_OP_COMMIT, r.base, 11 * PAGE), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(op(r.vmar, ZX_VMAR_OP_COMMIT, r.base + 20 * PAGE, PAGE), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(op(r.vmar, ZX_VMAR_OP_MAP_RANGE, r.base + 9 * PAGE, 2 * PAGE), ZX_ERR_BAD_STATE);
    region_drop(&r);
}

TEST(vmar_op_range, arguments)
{
    struct region r = region_new();
    char buffer[8];

    EXPECT_STATUS(op(r.vmar, 0, r.base, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(op(r.vmar, 4, r.base, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(op(r.vmar, 99, r.base, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(op(r.vmar, ZX_VMAR_OP_COMMIT, r.base, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(op(r.vmar, ZX_VMAR_OP_COMMIT, r.base + 1, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_op_range(r.vmar, ZX_VMAR_OP_COMMIT, r.base, PAGE, buffer, 0),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_op_range(r.vmar, ZX_VMAR_OP_COMMIT, r.base, PAGE, NULL, 8),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(op(r.vmar, ZX_VMAR_OP_COMMIT, r.base - PAGE, 2 * PAGE), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(op(r.vmar, ZX_VMAR_OP_COMMIT, r.base, REGION + PAGE), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(op(r.vmar, ZX_VMAR_OP_COMMIT, KERNEL_ADDRESS, PAGE), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(op(ZX_HANDLE_INVALID, ZX_VMAR_OP_COMMIT, r.base, PAGE), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(op(r.vmo, ZX_VMAR_OP_COMMIT, r.base, PAGE), ZX_ERR_WRONG_TYPE);
    EXPECT_EQ(committed_pages(r.vmo), 0);
    ASSERT_OK(zx_vmar_destroy(r.vmar));
    EXPECT_STATUS(op(r.vmar, ZX_VMAR_OP_COMMIT, r.base, PAGE), ZX_ERR_BAD_STATE);
    close_handle(r.vmar);
    close_handle(r.vmo);
}

TEST(vmar_op_range, commit_and_decommit_need_write)
{
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, REGION, &base), vmo = vmo_new(2 * PAGE);
    zx_handle_t weak_vmo = duplicate_without(vmo, ZX_RIGHT_WRITE);
    zx_handle_t weak_vmar = duplicate_without(vmar, ZX_RIGHT_WRITE);

    map_at(vmar, ZX_VM_PERM_READ, 0, weak_vmo, 0, PAGE);
    map_at(vmar, ZX_VM_PERM_READ, PAGE, vmo, PAGE, PAGE);
    EXPECT_STATUS(op(vmar, ZX_VMAR_OP_COMMIT, base, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(op(vmar, ZX_VMAR_OP_DECOMMIT, base, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(op(weak_vmar, ZX_VMAR_OP_COMMIT, base + PAGE, PAGE),
                  by_abi(ZX_ERR_ACCESS_DENIED, ZX_OK));
    EXPECT_STATUS(op(weak_vmar, ZX_VMAR_OP_DECOMMIT, base + PAGE, PAGE),
                  by_abi(ZX_ERR_ACCESS_DENIED, ZX_OK));
    EXPECT_EQ(committed_pages(vmo), 0);
    /* A read-only mapping of a writable handle will do: it could be made writable. */
    EXPECT_OK(op(vmar, ZX_VMAR_OP_COMMIT, base + PAGE, PAGE));
    EXPECT_EQ(committed_pages(vmo), 1);
    EXPECT_OK(op(weak_vmar, ZX_VMAR_OP_MAP_RANGE, base, 2 * PAGE));
    close_handle(weak_vmar);
    close_handle(weak_vmo);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_op_range, sub_regions)
{
    struct region r = region_new();
    zx_handle_t child, weak = duplicate_without(r.vmar, ZX_RIGHT_OP_CHILDREN);
    zx_vaddr_t base;

    ASSERT_OK(zx_vmar_allocate(r.vmar, ZX_VM_SPECIFIC | CAN_MAP_RW | ZX_VM_CAN_MAP_SPECIFIC,
                               8 * PAGE, 2 * PAGE, &child, &base));
    map_at(child, RW, 0, r.vmo, 0, 2 * PAGE);
    EXPECT_STATUS(op(r.vmar, ZX_VMAR_OP_COMMIT, r.base, 10 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(op(r.vmar, ZX_VMAR_OP_DECOMMIT, r.base, 10 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(committed_pages(r.vmo), 0);
    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_MAP_RANGE, r.base, 10 * PAGE));
    EXPECT_OK(op(r.vmar, ZX_VMAR_OP_ALWAYS_NEED, r.base, 10 * PAGE));
    EXPECT_STATUS(op(weak, ZX_VMAR_OP_MAP_RANGE, r.base, 10 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(op(weak, ZX_VMAR_OP_DONT_NEED, r.base, 10 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(op(child, ZX_VMAR_OP_COMMIT, base, 2 * PAGE));
    EXPECT_EQ(committed_pages(r.vmo), 2);
    close_handle(weak);
    close_handle(child);
    region_drop(&r);
}
