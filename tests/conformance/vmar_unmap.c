/* zx_vmar_unmap. */
#include "tests/conformance/util.h"

#define REGION (64 * PAGE)

struct region {
    zx_handle_t vmar, vmo;
    zx_vaddr_t base;
};

/* Sixteen pages, page i holding i + 1, mapped at the start of a region. */
static struct region region_new(void)
{
    struct region r;

    r.vmar = vmar_new(CAN_MAP_RW, REGION, &r.base);
    r.vmo = vmo_new(16 * PAGE);
    map_at(r.vmar, RW, 0, r.vmo, 0, 16 * PAGE);
    for (size_t i = 0; i < 16; i++)
        store(r.base + i * PAGE, i + 1);
    return r;
}

static void region_drop(const struct region *r)
{
    vmar_drop(r->vmar);
    close_handle(r->vmo);
}

/* Exactly the pages of [from, to) are gone; the others hold what they held. */
static void expect_hole(const struct region *r, size_t from, size_t to)
{
    for (size_t i = 0; i < 16; i++) {
        if (i >= from && i < to)
            EXPECT(!can_read(r->base + i * PAGE));
        else
            EXPECT_EQ(load(r->base + i * PAGE), i + 1);
    }
}

TEST(vmar_unmap, a_whole_mapping)
{
    struct region r = region_new();

    EXPECT_OK(zx_vmar_unmap(r.vmar, r.base, 16 * PAGE));
    expect_hole(&r, 0, 16);
    map_at(r.vmar, RW, 0, r.vmo, 0, 16 * PAGE);
    expect_hole(&r, 0, 0);
    region_drop(&r);
}

TEST(vmar_unmap, the_head)
{
    struct region r = region_new();

    EXPECT_OK(zx_vmar_unmap(r.vmar, r.base, 5 * PAGE));
    expect_hole(&r, 0, 5);
    region_drop(&r);
}

TEST(vmar_unmap, the_tail)
{
    struct region r = region_new();

    EXPECT_OK(zx_vmar_unmap(r.vmar, r.base + 12 * PAGE, 4 * PAGE));
    expect_hole(&r, 12, 16);
    region_drop(&r);
}

TEST(vmar_unmap, the_middle_splits)
{
    struct region r = region_new();
    zx_info_maps_t map;

    EXPECT_OK(zx_vmar_unmap(r.vmar, r.base + 6 * PAGE, 3 * PAGE));
    expect_hole(&r, 6, 9);
    ASSERT(find_mapping(r.base, &map));
    EXPECT_EQ(map.size, 6 * PAGE);
    EXPECT_EQ(map.u.mapping.vmo_offset, 0);
    ASSERT(find_mapping(r.base + 9 * PAGE, &map));
    EXPECT_EQ(map.base, r.base + 9 * PAGE);
    EXPECT_EQ(map.size, 7 * PAGE);
    EXPECT_EQ(map.u.mapping.vmo_offset, 9 * PAGE);
    region_drop(&r);
}

TEST(vmar_unmap, every_other_page)
{
    struct region r = region_new();

    for (size_t i = 0; i < 16; i += 2)
        EXPECT_OK(zx_vmar_unmap(r.vmar, r.base + i * PAGE, PAGE));
    for (size_t i = 0; i < 16; i++) {
        EXPECT_EQ(can_read(r.base + i * PAGE), i % 2 == 1);
        if (i % 2 == 1)
            EXPECT_EQ(load(r.base + i * PAGE), i + 1);
    }
    /* All that is left, over its holes. */
    EXPECT_OK(zx_vmar_unmap(r.vmar, r.base, REGION));
    for (size_t i = 0; i < 16; i++)
        EXPECT(!can_read(r.base + i * PAGE));
    region_drop(&r);
}

TEST(vmar_unmap, several_mappings_with_a_hole)
{
    struct region r = region_new();

    map_at(r.vmar, RW, 20 * PAGE, r.vmo, 0, 4 * PAGE);
    EXPECT_OK(zx_vmar_unmap(r.vmar, r.base + 14 * PAGE, 8 * PAGE));
    expect_hole(&r, 14, 16);
    EXPECT(!can_read(r.base + 20 * PAGE));
    EXPECT(!can_read(r.base + 21 * PAGE));
    EXPECT_EQ(load(r.base + 22 * PAGE), 3);
    region_drop(&r);
}

TEST(vmar_unmap, keeps_the_vmos_contents)
{
    struct region r = region_new();

    EXPECT_OK(zx_vmar_unmap(r.vmar, r.base, 16 * PAGE));
    for (uint64_t i = 0; i < 16; i++)
        EXPECT_EQ(vmo_load(r.vmo, i * PAGE), i + 1);
    region_drop(&r);
}

TEST(vmar_unmap, nothing_there)
{
    struct region r = region_new();

    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base + 20 * PAGE, 4 * PAGE),
                     by_abi(ZX_ERR_NOT_FOUND, ZX_OK));
    EXPECT_OK(zx_vmar_unmap(r.vmar, r.base, PAGE));
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base, PAGE), by_abi(ZX_ERR_NOT_FOUND, ZX_OK));
    region_drop(&r);
}

TEST(vmar_unmap, addresses_and_lengths)
{
    struct region r = region_new();

    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base + 1, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base - PAGE, 2 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base, REGION + PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base + REGION, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base, (size_t)-PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, (zx_vaddr_t)-PAGE, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, (zx_vaddr_t)-PAGE, 2 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, KERNEL_ADDRESS, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(zx_vmar_root_self(), KERNEL_ADDRESS, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(zx_vmar_root_self(), 0, PAGE), ZX_ERR_INVALID_ARGS);
    expect_hole(&r, 0, 0);
    region_drop(&r);
}

TEST(vmar_unmap, needs_no_access_rights)
{
    struct region r = region_new();
    zx_handle_t weak =
        duplicate_without(r.vmar, ZX_RIGHT_READ | ZX_RIGHT_WRITE | ZX_RIGHT_OP_CHILDREN);

    EXPECT_OK(zx_vmar_unmap(weak, r.base, 4 * PAGE));
    expect_hole(&r, 0, 4);
    close_handle(weak);
    region_drop(&r);
}

TEST(vmar_unmap, a_sub_region_that_is_covered)
{
    struct region r = region_new();
    zx_handle_t child, grand;
    zx_vaddr_t child_base, grand_base, addr;

    ASSERT_OK(zx_vmar_allocate(r.vmar, ZX_VM_SPECIFIC | CAN_MAP_RW, 20 * PAGE, 8 * PAGE, &child,
                               &child_base));
    ASSERT_OK(zx_vmar_allocate(child, CAN_MAP_RW, 0, 2 * PAGE, &grand, &grand_base));
    ASSERT_OK(zx_vmar_map(grand, RW, 0, r.vmo, 0, PAGE, &addr));
    store(addr, 1);
    EXPECT_OK(zx_vmar_unmap(r.vmar, r.base + 12 * PAGE, 20 * PAGE));
    expect_hole(&r, 12, 16);
    EXPECT(!can_read(addr));
    EXPECT_STATUS(zx_vmar_destroy(child), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmar_destroy(grand), ZX_ERR_BAD_STATE);
    close_handle(grand);
    close_handle(child);
    region_drop(&r);
}

TEST(vmar_unmap, a_sub_region_that_is_partly_covered)
{
    struct region r = region_new();
    zx_handle_t child;
    zx_vaddr_t base;

    ASSERT_OK(
        zx_vmar_allocate(r.vmar, ZX_VM_SPECIFIC | CAN_MAP_RW, 16 * PAGE, 8 * PAGE, &child, &base));
    map_at(r.vmar, RW, 24 * PAGE, r.vmo, 0, 4 * PAGE);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base + 12 * PAGE, 6 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, base + PAGE, 2 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, base + 4 * PAGE, 6 * PAGE), ZX_ERR_INVALID_ARGS);
    expect_hole(&r, 0, 0);
    close_handle(child);
    region_drop(&r);
}

TEST(vmar_unmap, a_sub_region_without_op_children)
{
    struct region r = region_new();
    zx_handle_t child, weak = duplicate_without(r.vmar, ZX_RIGHT_OP_CHILDREN);
    zx_vaddr_t base;

    ASSERT_OK(
        zx_vmar_allocate(r.vmar, ZX_VM_SPECIFIC | CAN_MAP_RW, 16 * PAGE, 8 * PAGE, &child, &base));
    EXPECT_NO_CHANGE(zx_vmar_unmap(weak, r.base + 12 * PAGE, 16 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(weak, base, 8 * PAGE), ZX_ERR_INVALID_ARGS);
    expect_hole(&r, 0, 0);
    EXPECT_OK(zx_vmar_destroy(child));
    close_handle(child);
    close_handle(weak);
    region_drop(&r);
}

TEST(vmar_unmap, through_a_sub_regions_own_handle)
{
    struct region r = region_new();
    zx_handle_t child;
    zx_vaddr_t base;

    ASSERT_OK(zx_vmar_allocate(r.vmar, ZX_VM_SPECIFIC | CAN_MAP_RW | ZX_VM_CAN_MAP_SPECIFIC,
                               16 * PAGE, 8 * PAGE, &child, &base));
    map_at(child, RW, 0, r.vmo, 0, 4 * PAGE);
    /* It reaches its own range only. */
    EXPECT_NO_CHANGE(zx_vmar_unmap(child, r.base, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(child, base - PAGE, 2 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_vmar_unmap(child, base, 2 * PAGE));
    EXPECT(!can_read(base));
    EXPECT(can_read(base + 2 * PAGE));
    close_handle(child);
    region_drop(&r);
}

TEST(vmar_unmap, bad_handles)
{
    zx_handle_t vmo = vmo_new(PAGE);

    EXPECT_STATUS(zx_vmar_unmap(ZX_HANDLE_INVALID, 0x1000000, PAGE), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmar_unmap(vmo, 0x1000000, PAGE), ZX_ERR_WRONG_TYPE);
    close_handle(vmo);
}

TEST(vmar_unmap, a_big_mapping_page_by_page)
{
    enum { COUNT = 512 };
    zx_vaddr_t base;
    zx_handle_t vmo = vmo_new(COUNT * PAGE), vmar = vmar_new(CAN_MAP_RW, COUNT * PAGE, &base);

    map_at(vmar, RW, 0, vmo, 0, COUNT * PAGE);
    for (size_t i = 0; i < COUNT; i++)
        store(base + i * PAGE, i);
    for (size_t i = 0; i < COUNT; i++) {
        size_t victim = i * 181 % COUNT;
        ASSERT_OK(zx_vmar_unmap(vmar, base + victim * PAGE, PAGE));
        ASSERT(!can_read(base + victim * PAGE));
    }
    EXPECT_STATUS(zx_vmar_unmap(vmar, base, COUNT * PAGE), by_abi(ZX_ERR_NOT_FOUND, ZX_OK));
    vmar_drop(vmar);
    close_handle(vmo);
}
