/* IOBuffers: creation, information, signals. */
#include "tests/conformance/util.h"

#include <string.h>

#include "tests/conformance/iob_util.h"

zx_iob_region_t iob_region(zx_iob_access_t access, uint64_t size_bytes)
{
    zx_iob_region_t region = {.type = ZX_IOB_REGION_TYPE_PRIVATE, .access = access};

    region.size = size_bytes;
    region.discipline.type = ZX_IOB_DISCIPLINE_TYPE_NONE;
    return region;
}

struct iob iob_new(zx_iob_access_t access, uint64_t size_bytes)
{
    zx_iob_region_t region = iob_region(access, size_bytes);
    struct iob iob;

    ASSERT_OK(zx_iob_create(0, &region, 1, &iob.ep[0], &iob.ep[1]));
    return iob;
}

void iob_drop(const struct iob *iob)
{
    close_handle(iob->ep[0]);
    close_handle(iob->ep[1]);
}

bool iob_peer_is_closed(zx_handle_t endpoint)
{
    return zx_object_wait_one(endpoint, ZX_IOB_PEER_CLOSED, 0, NULL) == ZX_OK;
}

#define EXPECT_CREATE_FAILS(options, regions, count, want)                                         \
    do {                                                                                           \
        zx_handle_t eps[2] = {SENTINEL_HANDLE, SENTINEL_HANDLE};                                   \
        EXPECT_STATUS(zx_iob_create(options, regions, count, &eps[0], &eps[1]), want);             \
        EXPECT_EQ(eps[0], SENTINEL_HANDLE);                                                        \
        EXPECT_EQ(eps[1], SENTINEL_HANDLE);                                                        \
    } while (0)

TEST(iob, creation)
{
    zx_iob_region_t regions[3] = {
        iob_region(IOB_BOTH_RW, PAGE),
        iob_region(ZX_IOB_EP0_CAN_MAP_WRITE | ZX_IOB_EP1_CAN_MAP_READ, 1),
        iob_region(ZX_IOB_EP0_CAN_MAP_READ | IOB_EP1_RW, 3 * PAGE + 1),
    };
    zx_handle_t ep0, ep1;

    ASSERT_OK(zx_iob_create(0, regions, 3, &ep0, &ep1));
    EXPECT(ep0 != ep1);
    EXPECT_EQ(rights_of(ep0), ZX_DEFAULT_IOB_RIGHTS);
    EXPECT_EQ(rights_of(ep1), ZX_DEFAULT_IOB_RIGHTS);
    EXPECT_EQ(basic_info(ep0).type, ZX_OBJ_TYPE_IOB);
    EXPECT_EQ(basic_info(ep0).related_koid, koid_of(ep1));
    EXPECT_EQ(basic_info(ep1).related_koid, koid_of(ep0));
    close_handle(ep0);
    close_handle(ep1);
}

TEST(iob, creation_with_the_most_regions)
{
    static zx_iob_region_t regions[ZX_IOB_MAX_REGIONS + 1];
    zx_handle_t ep0, ep1;
    zx_info_iob_t info;

    for (size_t i = 0; i <= ZX_IOB_MAX_REGIONS; i++)
        regions[i] = iob_region(IOB_BOTH_RW, PAGE);
    ASSERT_OK(zx_iob_create(0, regions, ZX_IOB_MAX_REGIONS, &ep0, &ep1));
    ASSERT_OK(zx_object_get_info(ep0, ZX_INFO_IOB, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.region_count, ZX_IOB_MAX_REGIONS);
    close_handle(ep0);
    close_handle(ep1);
    EXPECT_CREATE_FAILS(0, regions, ZX_IOB_MAX_REGIONS + 1, ZX_ERR_OUT_OF_RANGE);
    EXPECT_CREATE_FAILS(0, regions, SIZE_MAX, ZX_ERR_OUT_OF_RANGE);
}

TEST(iob, creation_checks_its_arguments)
{
    zx_iob_region_t region = iob_region(IOB_BOTH_RW, PAGE);
    zx_handle_t ep = SENTINEL_HANDLE;

    EXPECT_CREATE_FAILS(1, &region, 1, ZX_ERR_INVALID_ARGS);
    EXPECT_CREATE_FAILS(1ull << 63, &region, 1, ZX_ERR_INVALID_ARGS);
    EXPECT_CREATE_FAILS(0, NULL, 0, ZX_ERR_INVALID_ARGS);
    EXPECT_CREATE_FAILS(0, &region, 0, ZX_ERR_INVALID_ARGS);
    EXPECT_CREATE_FAILS(0, NULL, 1, ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        EXPECT_CREATE_FAILS(0, bad, 1, ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_iob_create(0, &region, 1, bad, &ep), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_iob_create(0, &region, 1, &ep, bad), ZX_ERR_INVALID_ARGS);
    }
    EXPECT_STATUS(zx_iob_create(0, &region, 1, NULL, &ep), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_iob_create(0, &region, 1, &ep, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(ep, SENTINEL_HANDLE);
}

TEST(iob, creation_checks_its_regions)
{
    zx_iob_region_t regions[2] = {iob_region(IOB_BOTH_RW, PAGE), iob_region(IOB_BOTH_RW, PAGE)};

    regions[1].type = 7;
    EXPECT_CREATE_FAILS(0, regions, 2, ZX_ERR_INVALID_ARGS);
    regions[1] = iob_region(0, PAGE); /* nobody may do anything */
    EXPECT_CREATE_FAILS(0, regions, 2, ZX_ERR_INVALID_ARGS);
    regions[1] = iob_region(ZX_IOB_EP0_CAN_MAP_READ | ZX_IOB_EP1_CAN_MAP_READ, PAGE);
    EXPECT_CREATE_FAILS(0, regions, 2, ZX_ERR_INVALID_ARGS); /* nobody could ever write */
    regions[1] = iob_region(IOB_BOTH_RW | 1u << 8, PAGE);
    EXPECT_CREATE_FAILS(0, regions, 2, ZX_ERR_INVALID_ARGS);
    regions[1] = iob_region(IOB_BOTH_RW, PAGE);
    regions[1].discipline.type = 99;
    EXPECT_CREATE_FAILS(0, regions, 2, ZX_ERR_INVALID_ARGS);
    regions[1] = iob_region(IOB_BOTH_RW | ZX_IOB_EP0_CAN_MEDIATED_WRITE, PAGE);
    EXPECT_CREATE_FAILS(0, regions, 2, ZX_ERR_INVALID_ARGS); /* nothing mediates */
    regions[1] = iob_region(IOB_BOTH_RW, PAGE);
    regions[1].private_region.options = 1;
    EXPECT_CREATE_FAILS(0, regions, 2, ZX_ERR_INVALID_ARGS);
    regions[1] = iob_region(IOB_BOTH_RW, UINT64_MAX);
    EXPECT_CREATE_FAILS(0, regions, 2, ZX_ERR_OUT_OF_RANGE);
}

/* ---- Information ---- */

TEST(iob, each_side_sees_itself_as_endpoint_0)
{
    zx_iob_region_t regions[2] = {
        iob_region(ZX_IOB_EP0_CAN_MAP_READ | IOB_EP1_RW, 1),
        iob_region(IOB_EP0_RW, 2 * PAGE),
    };
    zx_iob_region_info_t seen0[2], seen1[2];
    zx_handle_t ep0, ep1;
    size_t actual, avail;

    ASSERT_OK(zx_iob_create(0, regions, 2, &ep0, &ep1));
    ASSERT_OK(zx_object_get_info(ep0, ZX_INFO_IOB_REGIONS, seen0, sizeof(seen0), &actual, &avail));
    EXPECT_EQ(actual, 2);
    EXPECT_EQ(avail, 2);
    ASSERT_OK(zx_object_get_info(ep1, ZX_INFO_IOB_REGIONS, seen1, sizeof(seen1), &actual, &avail));
    EXPECT_EQ(seen0[0].region.access, ZX_IOB_EP0_CAN_MAP_READ | IOB_EP1_RW);
    EXPECT_EQ(seen1[0].region.access, IOB_EP0_RW | ZX_IOB_EP1_CAN_MAP_READ);
    EXPECT_EQ(seen0[1].region.access, IOB_EP0_RW);
    EXPECT_EQ(seen1[1].region.access, IOB_EP1_RW);
    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(seen0[i].region.type, ZX_IOB_REGION_TYPE_PRIVATE);
        EXPECT_EQ(seen0[i].region.discipline.type, ZX_IOB_DISCIPLINE_TYPE_NONE);
        EXPECT_EQ(seen0[i].region.size, (i + 1) * PAGE);
        EXPECT_EQ(seen1[i].region.size, (i + 1) * PAGE);
        EXPECT(seen0[i].koid >= ZX_KOID_FIRST);
        EXPECT_EQ(seen0[i].koid, seen1[i].koid);
    }
    EXPECT(seen0[0].koid != seen0[1].koid);
    close_handle(ep0);
    close_handle(ep1);
}

TEST(iob, info_buffers)
{
    zx_iob_region_t regions[3] = {iob_region(IOB_BOTH_RW, PAGE), iob_region(IOB_BOTH_RW, PAGE),
                                  iob_region(IOB_BOTH_RW, PAGE)};
    zx_iob_region_info_t seen[3];
    zx_info_iob_t info;
    zx_handle_t ep0, ep1, blind;
    size_t actual = 77, avail = 77;

    ASSERT_OK(zx_iob_create(0, regions, 3, &ep0, &ep1));
    memset(seen, 0x5a, sizeof(seen));
    EXPECT_OK(zx_object_get_info(ep0, ZX_INFO_IOB_REGIONS, seen, 2 * sizeof(seen[0]) + 1, &actual,
                                 &avail));
    EXPECT_EQ(actual, 2);
    EXPECT_EQ(avail, 3);
    EXPECT_EQ(seen[2].koid, 0x5a5a5a5a5a5a5a5a);
    EXPECT_OK(zx_object_get_info(ep0, ZX_INFO_IOB_REGIONS, NULL, 0, &actual, &avail));
    EXPECT_EQ(actual, 0);
    EXPECT_EQ(avail, 3);
    EXPECT_OK(zx_object_get_info(ep1, ZX_INFO_IOB, &info, sizeof(info), &actual, &avail));
    EXPECT_EQ(info.options, 0);
    EXPECT_EQ(info.region_count, 3);
    EXPECT_EQ(actual, 1);
    EXPECT_STATUS(zx_object_get_info(ep1, ZX_INFO_IOB, &info, sizeof(info) - 1, &actual, &avail),
                  ZX_ERR_BUFFER_TOO_SMALL);
    blind = duplicate_without(ep0, ZX_RIGHT_INSPECT);
    EXPECT_STATUS(zx_object_get_info(blind, ZX_INFO_IOB, &info, sizeof(info), NULL, NULL),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_get_info(blind, ZX_INFO_IOB_REGIONS, seen, sizeof(seen), NULL, NULL),
                  ZX_ERR_ACCESS_DENIED);
    close_handle(blind);
    close_handle(ep0);
    close_handle(ep1);
}

TEST(iob, both_ends_have_one_name)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    char name[ZX_MAX_NAME_LEN];

    ASSERT_OK(zx_object_set_property(iob.ep[1], ZX_PROP_NAME, "shared", 6));
    ASSERT_OK(zx_object_get_property(iob.ep[0], ZX_PROP_NAME, name, sizeof(name)));
    EXPECT(strcmp(name, "shared") == 0);
    iob_drop(&iob);
}

/* ---- Signals ---- */

TEST(iob, user_signals_only)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);

    EXPECT_OK(zx_object_signal(iob.ep[0], 0, ZX_USER_SIGNAL_1));
    EXPECT_OK(zx_object_wait_one(iob.ep[0], ZX_USER_SIGNAL_1, 0, NULL));
    EXPECT_STATUS(zx_object_wait_one(iob.ep[1], ZX_USER_SIGNAL_1, 0, NULL), ZX_ERR_TIMED_OUT);
    EXPECT_OK(zx_object_signal_peer(iob.ep[0], 0, ZX_USER_SIGNAL_2));
    EXPECT_OK(zx_object_wait_one(iob.ep[1], ZX_USER_SIGNAL_2, 0, NULL));
    EXPECT_STATUS(zx_object_signal(iob.ep[0], 0, ZX_IOB_PEER_CLOSED), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_signal_peer(iob.ep[0], 0, ZX_IOB_SHARED_REGION_UPDATED),
                  ZX_ERR_INVALID_ARGS);
    iob_drop(&iob);
}

TEST(iob, peer_closed_when_the_last_handle_goes)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_handle_t copy = duplicate(iob.ep[1], ZX_RIGHT_SAME_RIGHTS);

    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    close_handle(iob.ep[1]);
    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    close_handle(copy);
    EXPECT(iob_peer_is_closed(iob.ep[0]));
    EXPECT_STATUS(zx_object_signal_peer(iob.ep[0], 0, ZX_USER_SIGNAL_0), ZX_ERR_PEER_CLOSED);
    close_handle(iob.ep[0]);
}

TEST(iob, a_mapping_keeps_its_half_alive)
{
    for (int side = 0; side < 2; side++) {
        struct iob iob = iob_new(IOB_BOTH_RW, 2 * PAGE);
        zx_handle_t watcher = iob.ep[1 - side];
        zx_vaddr_t a, b;
        ASSERT_OK(zx_vmar_map_iob(zx_vmar_root_self(), RW, 0, iob.ep[side], 0, 0, 2 * PAGE, &a));
        ASSERT_OK(zx_vmar_map_iob(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, iob.ep[side], 0, 0,
                                  2 * PAGE, &b));
        close_handle(iob.ep[side]);
        EXPECT(!iob_peer_is_closed(watcher));
        store(a, 11);
        EXPECT_EQ(load(b), 11);
        unmap(a, 2 * PAGE);
        EXPECT(!iob_peer_is_closed(watcher));
        /* A part of the last mapping is still a mapping. */
        unmap(b, PAGE);
        EXPECT(!iob_peer_is_closed(watcher));
        EXPECT_EQ(load(b + PAGE), 0);
        unmap(b + PAGE, PAGE);
        EXPECT(iob_peer_is_closed(watcher));
        close_handle(watcher);
    }
}

TEST(iob, a_split_mapping_counts_until_its_last_piece_goes)
{
    struct iob iob = iob_new(IOB_BOTH_RW, 3 * PAGE);
    zx_vaddr_t addr;

    ASSERT_OK(zx_vmar_map_iob(zx_vmar_root_self(), RW, 0, iob.ep[1], 0, 0, 3 * PAGE, &addr));
    close_handle(iob.ep[1]);
    unmap(addr + PAGE, PAGE);
    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    unmap(addr, PAGE);
    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    unmap(addr + 2 * PAGE, PAGE);
    EXPECT(iob_peer_is_closed(iob.ep[0]));
    close_handle(iob.ep[0]);
}

TEST(iob, destroying_a_region_drops_its_mappings)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_vaddr_t base, addr;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, 4 * PAGE, &base);

    ASSERT_OK(zx_vmar_map_iob(vmar, RW, 0, iob.ep[1], 0, 0, PAGE, &addr));
    close_handle(iob.ep[1]);
    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    vmar_drop(vmar);
    EXPECT(iob_peer_is_closed(iob.ep[0]));
    close_handle(iob.ep[0]);
}

TEST(iob, overwriting_drops_a_mapping)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_vaddr_t base, addr;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, 4 * PAGE, &base), vmo = vmo_new(PAGE);

    ASSERT_OK(zx_vmar_map_iob(vmar, RW | ZX_VM_SPECIFIC, PAGE, iob.ep[1], 0, 0, PAGE, &addr));
    store(addr, 3);
    close_handle(iob.ep[1]);
    ASSERT_OK(zx_vmar_map(vmar, RW | ZX_VM_SPECIFIC_OVERWRITE, PAGE, vmo, 0, PAGE, &addr));
    EXPECT(iob_peer_is_closed(iob.ep[0]));
    EXPECT_EQ(load(addr), 0);
    vmar_drop(vmar);
    close_handle(vmo);
    close_handle(iob.ep[0]);
}

TEST(iob, a_mapping_works_after_the_peer_has_gone)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_vaddr_t addr;

    close_handle(iob.ep[1]);
    ASSERT_OK(zx_vmar_map_iob(zx_vmar_root_self(), RW, 0, iob.ep[0], 0, 0, PAGE, &addr));
    store(addr, 21);
    EXPECT_EQ(load(addr), 21);
    close_handle(iob.ep[0]);
    EXPECT_EQ(load(addr), 21);
    unmap(addr, PAGE);
}

TEST(iob, an_endpoint_travels_over_a_channel)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_handle_t a, b, received;
    zx_vaddr_t mine, theirs;

    ASSERT_OK(zx_channel_create(0, &a, &b));
    zx_koid_t koid = koid_of(iob.ep[1]);
    ASSERT_OK(zx_channel_write(a, 0, NULL, 0, &iob.ep[1], 1));
    EXPECT(!iob_peer_is_closed(iob.ep[0])); /* in flight it is open */
    ASSERT_OK(zx_channel_read(b, 0, NULL, &received, 0, 1, NULL, NULL));
    EXPECT_EQ(koid_of(received), koid);
    ASSERT_OK(zx_vmar_map_iob(zx_vmar_root_self(), RW, 0, iob.ep[0], 0, 0, PAGE, &mine));
    ASSERT_OK(zx_vmar_map_iob(zx_vmar_root_self(), RW, 0, received, 0, 0, PAGE, &theirs));
    store(mine, 5);
    EXPECT_EQ(load(theirs), 5);
    unmap(theirs, PAGE);
    unmap(mine, PAGE);
    /* Dying with its message it is closed. */
    ASSERT_OK(zx_channel_write(a, 0, NULL, 0, &received, 1));
    close_handle(a);
    close_handle(b);
    EXPECT(iob_peer_is_closed(iob.ep[0]));
    close_handle(iob.ep[0]);
}
