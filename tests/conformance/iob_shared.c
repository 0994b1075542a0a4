/* Shared regions: creation, IOBuffers made of them, their signals and names. */
#include <string.h>

#include "tests/conformance/iob_discipline_util.h"

zx_handle_t shared_new(uint64_t size_bytes)
{
    zx_handle_t shared;

    ASSERT_OK(zx_iob_create_shared_region(0, size_bytes, &shared));
    return shared;
}

zx_iob_region_t ring_region(zx_iob_access_t access, zx_handle_t shared, uint64_t tag)
{
    zx_iob_region_t region = {.type = ZX_IOB_REGION_TYPE_SHARED, .access = access};

    region.discipline.type = ZX_IOB_DISCIPLINE_TYPE_MEDIATED_WRITE_RING_BUFFER;
    region.discipline.ring_buffer.tag = tag;
    region.shared_region.shared_region = shared;
    return region;
}

struct iob ring_iob(zx_handle_t shared, uint64_t tag)
{
    zx_iob_region_t region =
        ring_region(IOB_BOTH_RW | ZX_IOB_ACCESS_EP0_CAN_MEDIATED_WRITE, shared, tag);
    struct iob iob;

    ASSERT_OK(zx_iob_create(0, &region, 1, &iob.ep[0], &iob.ep[1]));
    return iob;
}

static void expect_create_fails(zx_iob_region_t region, zx_status_t want)
{
    zx_handle_t ep0 = SENTINEL_HANDLE, ep1 = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_iob_create(0, &region, 1, &ep0, &ep1), want);
    EXPECT_EQ(ep0, SENTINEL_HANDLE);
    EXPECT_EQ(ep1, SENTINEL_HANDLE);
}

TEST(iob_shared, creation)
{
    zx_handle_t shared = shared_new(PAGE), out = SENTINEL_HANDLE;

    EXPECT_EQ(basic_info(shared).type, ZX_OBJ_TYPE_IOB_SHARED_REGION);
    EXPECT_EQ(rights_of(shared), ZX_DEFAULT_IOB_SHARED_REGION_RIGHTS);
    EXPECT_EQ(basic_info(shared).related_koid, 0);
    close_handle(shared);
    EXPECT_STATUS(zx_iob_create_shared_region(1, PAGE, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_iob_create_shared_region(0, 0, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_iob_create_shared_region(0, PAGE + 1, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_iob_create_shared_region(0, UINT64_MAX, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_iob_create_shared_region(0, UINT64_MAX & ~(PAGE - 1), &out),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_iob_create_shared_region(0, 1ull << 36, &out), ZX_ERR_NO_MEMORY);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    EXPECT_STATUS(zx_iob_create_shared_region(0, PAGE, NULL), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_STATUS(zx_iob_create_shared_region(0, PAGE, (zx_handle_t *)bad_addresses[i]),
                      ZX_ERR_INVALID_ARGS);
}

TEST(iob_shared, regions_that_make_no_sense)
{
    zx_handle_t shared = shared_new(2 * PAGE), small = shared_new(PAGE), vmo = vmo_new(PAGE);
    zx_iob_region_t region = ring_region(IOB_BOTH_RW, shared, 1);

    region.size = 2 * PAGE;
    expect_create_fails(region, ZX_ERR_INVALID_ARGS);
    region = ring_region(IOB_BOTH_RW, shared, 1);
    region.shared_region.options = 1;
    expect_create_fails(region, ZX_ERR_INVALID_ARGS);
    region = ring_region(IOB_BOTH_RW, shared, 1);
    region.type = ZX_IOB_REGION_TYPE_PRIVATE;
    region.private_region.options = 0;
    expect_create_fails(region, ZX_ERR_INVALID_ARGS);
    for (zx_iob_discipline_type_t type = ZX_IOB_DISCIPLINE_TYPE_NONE;
         type <= ZX_IOB_DISCIPLINE_TYPE_ID_ALLOCATOR; type++) {
        region = ring_region(IOB_BOTH_RW, shared, 1);
        region.discipline.type = type;
        expect_create_fails(region, ZX_ERR_INVALID_ARGS);
    }
    expect_create_fails(ring_region(0, shared, 1), ZX_ERR_INVALID_ARGS);
    expect_create_fails(ring_region(ZX_IOB_EP0_CAN_MAP_READ, shared, 1), ZX_ERR_INVALID_ARGS);
    expect_create_fails(ring_region(IOB_BOTH_RW, small, 1), ZX_ERR_INVALID_ARGS);
    expect_create_fails(ring_region(IOB_BOTH_RW, ZX_HANDLE_INVALID, 1), ZX_ERR_BAD_HANDLE);
    expect_create_fails(ring_region(IOB_BOTH_RW, vmo, 1), ZX_ERR_WRONG_TYPE);
    close_handle(vmo);
    close_handle(small);
    close_handle(shared);
}

/* A bad region after a good one: what the good one held is given back. */
TEST(iob_shared, failure_keeps_no_region)
{
    zx_handle_t shared = shared_new(2 * PAGE), ep0, ep1;
    zx_iob_region_t regions[3] = {
        iob_region(IOB_BOTH_RW, PAGE),
        ring_region(IOB_BOTH_RW, shared, 1),
        ring_region(IOB_BOTH_RW, ZX_HANDLE_INVALID, 1),
    };

    EXPECT_STATUS(zx_iob_create(0, regions, 3, &ep0, &ep1), ZX_ERR_BAD_HANDLE);
    close_handle(shared); /* its memory must be free after this test */
}

TEST(iob_shared, many_iobs_show_the_same_memory)
{
    enum { COUNT = 8 };
    zx_handle_t shared = shared_new(2 * PAGE);
    zx_iob_region_info_t info;
    struct iob iobs[COUNT];
    zx_vaddr_t first = 0;

    for (int i = 0; i < COUNT; i++) {
        iobs[i] = ring_iob(shared, (uint64_t)i);
        for (int side = 0; side < 2; side++) {
            ASSERT_OK(zx_object_get_info(iobs[i].ep[side], ZX_INFO_IOB_REGIONS, &info, sizeof(info),
                                         NULL, NULL));
            EXPECT_EQ(info.koid, koid_of(shared));
            EXPECT_EQ(info.region.size, 0);
            EXPECT_EQ(info.region.discipline.ring_buffer.tag, i);
        }
        zx_vaddr_t addr = map_region0(RW, iobs[i].ep[i % 2], 2 * PAGE);
        if (i == 0)
            first = addr;
        store(addr + PAGE, (uint64_t)i + 1);
        EXPECT_EQ(load(first + PAGE), i + 1);
        if (i > 0)
            unmap(addr, 2 * PAGE);
    }
    close_handle(shared); /* the IOBuffers keep the memory */
    for (int i = 0; i < COUNT; i++)
        iob_drop(&iobs[i]);
    EXPECT_EQ(load(first + PAGE), COUNT);
    unmap(first, 2 * PAGE);
}

TEST(iob_shared, pages_stay)
{
    zx_handle_t shared = shared_new(2 * PAGE);
    struct iob iob = ring_iob(shared, 1);
    zx_vaddr_t addr = map_region0(RW, iob.ep[0], 2 * PAGE);

    store(addr + PAGE, 5);
    EXPECT_STATUS(
        zx_vmar_op_range(zx_vmar_root_self(), ZX_VMAR_OP_DECOMMIT, addr, 2 * PAGE, NULL, 0),
        ZX_ERR_BAD_STATE);
    EXPECT_EQ(load(addr + PAGE), 5);
    EXPECT_OK(zx_vmar_op_range(zx_vmar_root_self(), ZX_VMAR_OP_ZERO, addr, 2 * PAGE, NULL, 0));
    EXPECT_EQ(load(addr + PAGE), 0);
    EXPECT_OK(zx_iob_writev(iob.ep[0], 0, 0, NULL, 0)); /* and both still see one memory */
    EXPECT_EQ(load(addr), 16);
    unmap(addr, 2 * PAGE);
    iob_drop(&iob);
    close_handle(shared);
}

TEST(iob_shared, signals)
{
    zx_handle_t shared = shared_new(2 * PAGE);

    EXPECT_OK(zx_object_signal(shared, 0, ZX_USER_SIGNAL_3));
    EXPECT_OK(zx_object_wait_one(shared, ZX_USER_SIGNAL_3, 0, NULL));
    EXPECT_STATUS(zx_object_signal(shared, 0, ZX_IOB_SHARED_REGION_UPDATED), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_signal_peer(shared, 0, ZX_USER_SIGNAL_3), ZX_ERR_ACCESS_DENIED);
    close_handle(shared);
}

TEST(iob_shared, names)
{
    zx_handle_t shared = shared_new(2 * PAGE), ep0, ep1;
    zx_iob_region_t regions[2] = {iob_region(IOB_BOTH_RW, PAGE),
                                  ring_region(IOB_BOTH_RW, shared, 1)};
    char name[ZX_MAX_NAME_LEN];

    ASSERT_OK(zx_iob_create(0, regions, 2, &ep0, &ep1));
    ASSERT_OK(zx_object_set_property(shared, ZX_PROP_NAME, "log", 3));
    ASSERT_OK(zx_object_set_property(ep1, ZX_PROP_NAME, "pair", 4)); /* its private regions only */
    ASSERT_OK(zx_object_get_property(shared, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT(strcmp(name, "log") == 0);
    ASSERT_OK(zx_object_get_property(ep0, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT(strcmp(name, "pair") == 0);
    close_handle(ep0);
    close_handle(ep1);
    close_handle(shared);
}
