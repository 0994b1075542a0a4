/* zx_vmar_protect. */
#include "tests/conformance/util.h"

#define REGION (64 * PAGE)
#define R      ZX_VM_PERM_READ

struct region {
    zx_handle_t vmar, vmo;
    zx_vaddr_t base;
};

static struct region region_new(zx_vm_option_t perms)
{
    struct region r;

    r.vmar = vmar_new(CAN_MAP_RWX, REGION, &r.base);
    r.vmo = vmo_new(16 * PAGE);
    for (uint64_t i = 0; i < 16; i++)
        vmo_store(r.vmo, i * PAGE, i + 1);
    map_at(r.vmar, perms, 0, r.vmo, 0, 16 * PAGE);
    return r;
}

static void region_drop(const struct region *r)
{
    vmar_drop(r->vmar);
    close_handle(r->vmo);
}

TEST(vmar_protect, takes_and_gives_permissions)
{
    struct region r = region_new(RW);

    store(r.base, 10);
    EXPECT_OK(zx_vmar_protect(r.vmar, R, r.base, 16 * PAGE));
    EXPECT(!can_write(r.base));
    EXPECT_EQ(load(r.base), 10);
    EXPECT_OK(zx_vmar_protect(r.vmar, 0, r.base, 16 * PAGE));
    EXPECT(!can_read(r.base));
    EXPECT_OK(zx_vmar_protect(r.vmar, RW, r.base, 16 * PAGE));
    EXPECT_EQ(load(r.base), 10);
    store(r.base, 11);
    EXPECT_EQ(vmo_load(r.vmo, 0), 11);
    region_drop(&r);
}

TEST(vmar_protect, a_part_splits)
{
    struct region r = region_new(RW);

    for (size_t i = 0; i < 16; i++)
        store(r.base + i * PAGE, i + 1);
    EXPECT_OK(zx_vmar_protect(r.vmar, R, r.base + 4 * PAGE, 4 * PAGE));
    EXPECT_OK(zx_vmar_protect(r.vmar, 0, r.base + 6 * PAGE, 4 * PAGE));
    for (size_t i = 0; i < 16; i++) {
        bool readable = i < 6 || i >= 10, writable = i < 4 || i >= 10;
        EXPECT_EQ(can_read(r.base + i * PAGE), readable);
        EXPECT_EQ(can_write(r.base + i * PAGE), writable);
        if (readable)
            EXPECT_EQ(load(r.base + i * PAGE), i + 1);
    }
    EXPECT_OK(zx_vmar_protect(r.vmar, RW, r.base, 16 * PAGE));
    for (size_t i = 0; i < 16; i++)
        store(r.base + i * PAGE, 0);
    region_drop(&r);
}

TEST(vmar_protect, is_remembered_for_pages_not_there_yet)
{
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, REGION, &base), vmo = vmo_new(4 * PAGE);

    map_at(vmar, RW, 0, vmo, 0, 4 * PAGE);
    EXPECT_OK(zx_vmar_protect(vmar, R, base, 4 * PAGE));
    EXPECT(!can_write(base));
    EXPECT_EQ(load(base), 0);
    EXPECT(!can_write(base));
    EXPECT_OK(zx_vmar_protect(vmar, RW, base, 4 * PAGE));
    store(base, 3);
    EXPECT_EQ(vmo_load(vmo, 0), 3);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_protect, across_several_mappings)
{
    struct region r = region_new(RW);

    map_at(r.vmar, R, 16 * PAGE, r.vmo, 0, 4 * PAGE);
    EXPECT_OK(zx_vmar_protect(r.vmar, R, r.base + 14 * PAGE, 4 * PAGE));
    EXPECT(can_write(r.base + 13 * PAGE));
    EXPECT(!can_write(r.base + 14 * PAGE));
    EXPECT_OK(zx_vmar_protect(r.vmar, RW, r.base, 20 * PAGE));
    EXPECT(can_write(r.base + 14 * PAGE));
    EXPECT(can_write(r.base + 19 * PAGE));
    region_drop(&r);
}

TEST(vmar_protect, a_gap)
{
    struct region r = region_new(RW);

    map_at(r.vmar, RW, 18 * PAGE, r.vmo, 0, 4 * PAGE);
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, r.base + 14 * PAGE, 6 * PAGE), ZX_ERR_NOT_FOUND);
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, r.base + 16 * PAGE, PAGE), ZX_ERR_NOT_FOUND);
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, r.base + 20 * PAGE, 4 * PAGE), ZX_ERR_NOT_FOUND);
    EXPECT(can_write(r.base + 14 * PAGE));
    EXPECT(can_write(r.base + 20 * PAGE));
    region_drop(&r);
}

TEST(vmar_protect, what_the_vmo_handle_did_not_have)
{
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RWX, REGION, &base), vmo = vmo_new(4 * PAGE);
    zx_handle_t weak = duplicate_without(vmo, ZX_RIGHT_WRITE);

    map_at(vmar, RW, 0, vmo, 0, 2 * PAGE);
    map_at(vmar, R, 2 * PAGE, weak, 2 * PAGE, 2 * PAGE);
    EXPECT_NO_CHANGE(zx_vmar_protect(vmar, RW, base + 2 * PAGE, PAGE), ZX_ERR_ACCESS_DENIED);
    /* All or nothing: the first mapping keeps what it had. */
    EXPECT_NO_CHANGE(zx_vmar_protect(vmar, RW, base, 4 * PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_NO_CHANGE(zx_vmar_protect(vmar, R | ZX_VM_PERM_EXECUTE, base, PAGE),
                     ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmar_protect(vmar, R, base, 2 * PAGE));
    EXPECT_NO_CHANGE(zx_vmar_protect(vmar, RW, base, 4 * PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT(!can_write(base));
    close_handle(weak);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_protect, what_the_region_handle_did_not_have_at_map_time)
{
    zx_vaddr_t base, addr;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, REGION, &base), vmo = vmo_new(PAGE);
    zx_handle_t weak = duplicate_without(vmar, ZX_RIGHT_WRITE);

    ASSERT_OK(zx_vmar_map(weak, R, 0, vmo, 0, PAGE, &addr));
    EXPECT_NO_CHANGE(zx_vmar_protect(vmar, RW, addr, PAGE), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_protect, what_the_handle_does_not_have)
{
    struct region r = region_new(RW);
    zx_handle_t no_write = duplicate_without(r.vmar, ZX_RIGHT_WRITE);
    zx_handle_t no_read = duplicate_without(r.vmar, ZX_RIGHT_READ);

    EXPECT_OK(zx_vmar_protect(no_write, R, r.base, PAGE));
    EXPECT_NO_CHANGE(zx_vmar_protect(no_write, RW, r.base, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_NO_CHANGE(zx_vmar_protect(no_read, R, r.base, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmar_protect(no_read, 0, r.base, PAGE));
    close_handle(no_write);
    close_handle(no_read);
    region_drop(&r);
}

TEST(vmar_protect, what_the_region_does_not_allow)
{
    zx_vaddr_t base, addr;
    zx_handle_t vmar = vmar_new(ZX_VM_CAN_MAP_READ, REGION, &base), vmo = vmo_new(PAGE);

    ASSERT_OK(zx_vmar_map(vmar, R, 0, vmo, 0, PAGE, &addr));
    EXPECT_NO_CHANGE(zx_vmar_protect(vmar, RW, addr, PAGE), ZX_ERR_ACCESS_DENIED);
    /* Nor may the root's handle: the region's own permissions hold. */
    EXPECT_NO_CHANGE(zx_vmar_protect(zx_vmar_root_self(), RW, addr, PAGE), ZX_ERR_ACCESS_DENIED);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_protect, options_addresses_lengths)
{
    struct region r = region_new(RW);
    static const zx_vm_option_t bad[] = {
        ZX_VM_PERM_WRITE,
        ZX_VM_PERM_EXECUTE,
        ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE,
        R | ZX_VM_SPECIFIC,
        R | ZX_VM_COMPACT,
        R | ZX_VM_SPECIFIC_OVERWRITE,
        R | ZX_VM_CAN_MAP_SPECIFIC,
        R | ZX_VM_CAN_MAP_READ,
        R | ZX_VM_MAP_RANGE,
        R | ZX_VM_REQUIRE_NON_RESIZABLE,
        R | ZX_VM_ALLOW_FAULTS,
        R | ZX_VM_OFFSET_IS_UPPER_LIMIT,
        R | 1u << 17,
        R | ZX_VM_ALIGN_4KB,
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, bad[i], r.base, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, r.base, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, r.base + 1, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, r.base - PAGE, 2 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, r.base, REGION + PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, r.base, (size_t)-PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, KERNEL_ADDRESS, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, (zx_vaddr_t)-PAGE, PAGE), ZX_ERR_INVALID_ARGS);
    region_drop(&r);
}

/* ---- Sub-regions ---- */

TEST(vmar_protect, a_sub_region_may_only_lose)
{
    struct region r = region_new(RW);
    zx_handle_t child;
    zx_vaddr_t base;

    ASSERT_OK(zx_vmar_allocate(r.vmar, ZX_VM_SPECIFIC | CAN_MAP_RW | ZX_VM_CAN_MAP_SPECIFIC,
                               16 * PAGE, 2 * PAGE, &child, &base));
    map_at(child, RW, 0, r.vmo, 0, 2 * PAGE);
    EXPECT_OK(zx_vmar_protect(r.vmar, R, r.base + 14 * PAGE, 4 * PAGE));
    EXPECT(!can_write(r.base + 15 * PAGE));
    EXPECT(!can_write(base));
    EXPECT_EQ(load(base), 1);
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, RW, r.base + 14 * PAGE, 4 * PAGE),
                     ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmar_protect(r.vmar, R, r.base + 14 * PAGE, 4 * PAGE)); /* no change is fine */
    /* The sub-region's own handle may. */
    EXPECT_OK(zx_vmar_protect(child, RW, base, 2 * PAGE));
    EXPECT(can_write(base));
    close_handle(child);
    region_drop(&r);
}

TEST(vmar_protect, a_sub_region_without_op_children)
{
    struct region r = region_new(RW);
    zx_handle_t child, weak = duplicate_without(r.vmar, ZX_RIGHT_OP_CHILDREN);
    zx_vaddr_t base;

    ASSERT_OK(zx_vmar_allocate(r.vmar, ZX_VM_SPECIFIC | CAN_MAP_RW | ZX_VM_CAN_MAP_SPECIFIC,
                               16 * PAGE, 2 * PAGE, &child, &base));
    map_at(child, RW, 0, r.vmo, 0, 2 * PAGE);
    EXPECT_NO_CHANGE(zx_vmar_protect(weak, R, r.base + 14 * PAGE, 4 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT(can_write(r.base + 14 * PAGE));
    EXPECT_OK(zx_vmar_protect(weak, R, r.base + 14 * PAGE, 2 * PAGE));
    close_handle(weak);
    close_handle(child);
    region_drop(&r);
}

TEST(vmar_protect, an_empty_sub_region_is_a_gap)
{
    struct region r = region_new(RW);
    zx_handle_t child;
    zx_vaddr_t base;

    ASSERT_OK(
        zx_vmar_allocate(r.vmar, ZX_VM_SPECIFIC | CAN_MAP_RW, 16 * PAGE, 2 * PAGE, &child, &base));
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, r.base + 14 * PAGE, 4 * PAGE), ZX_ERR_NOT_FOUND);
    EXPECT(can_write(r.base + 14 * PAGE));
    close_handle(child);
    region_drop(&r);
}

TEST(vmar_protect, dead_regions_and_bad_handles)
{
    struct region r = region_new(RW);

    EXPECT_STATUS(zx_vmar_protect(ZX_HANDLE_INVALID, R, r.base, PAGE), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmar_protect(r.vmo, R, r.base, PAGE), ZX_ERR_WRONG_TYPE);
    ASSERT_OK(zx_vmar_destroy(r.vmar));
    EXPECT_STATUS(zx_vmar_protect(r.vmar, R, r.base, PAGE), ZX_ERR_BAD_STATE);
    close_handle(r.vmar);
    close_handle(r.vmo);
}
