/* zx_vmar_map_iob. */
#include "tests/conformance/iob_util.h"

static zx_status_t try_map(zx_handle_t vmar, zx_vm_option_t options, zx_handle_t endpoint,
                           uint32_t index, uint64_t offset, size_t len)
{
    zx_vaddr_t addr = SENTINEL_ADDRESS;
    zx_status_t status = zx_vmar_map_iob(vmar, options, 0, endpoint, index, offset, len, &addr);

    if (status == ZX_OK)
        EXPECT_OK(zx_vmar_unmap(vmar, addr, len));
    else
        EXPECT_EQ(addr, SENTINEL_ADDRESS);
    return status;
}

TEST(iob_map, both_sides_share_memory)
{
    struct iob iob = iob_new(IOB_BOTH_RW, 4 * PAGE);
    zx_vaddr_t side[2];

    for (int i = 0; i < 2; i++)
        ASSERT_OK(zx_vmar_map_iob(zx_vmar_root_self(), RW, 0, iob.ep[i], 0, 0, 4 * PAGE, &side[i]));
    for (uint64_t i = 0; i < 4; i++) {
        store(side[i % 2] + i * PAGE, i + 1);
        EXPECT_EQ(load(side[1 - i % 2] + i * PAGE), i + 1);
    }
    unmap(side[0], 4 * PAGE);
    EXPECT_EQ(load(side[1] + PAGE), 2);
    unmap(side[1], 4 * PAGE);
    iob_drop(&iob);
}

TEST(iob_map, regions_are_separate)
{
    enum { COUNT = 5 };
    zx_iob_region_t regions[COUNT];
    zx_vaddr_t addr[COUNT];
    zx_handle_t ep0, ep1;

    for (size_t i = 0; i < COUNT; i++)
        regions[i] = iob_region(IOB_BOTH_RW, PAGE);
    ASSERT_OK(zx_iob_create(0, regions, COUNT, &ep0, &ep1));
    for (uint32_t i = 0; i < COUNT; i++) {
        ASSERT_OK(zx_vmar_map_iob(zx_vmar_root_self(), RW, 0, ep0, i, 0, PAGE, &addr[i]));
        store(addr[i], i + 1);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        zx_vaddr_t other;
        ASSERT_OK(
            zx_vmar_map_iob(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, ep1, i, 0, PAGE, &other));
        EXPECT_EQ(load(other), i + 1);
        unmap(other, PAGE);
        unmap(addr[i], PAGE);
    }
    close_handle(ep0);
    close_handle(ep1);
}

/* Region access x endpoint x rights of its handle x rights of the region's handle x request. */
TEST(iob_map, access_is_what_all_sides_allow)
{
    static const zx_rights_t lost[] = {0, ZX_RIGHT_READ, ZX_RIGHT_WRITE, ZX_RIGHT_MAP};
    static const zx_vm_option_t asked[] = {0, ZX_VM_PERM_READ, RW};
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RWX, 16 * PAGE, &base);

    for (uint32_t bits = 0; bits < 4; bits++) {
        for (int side = 0; side < 2; side++) {
            zx_iob_access_t access = side == 0 ? bits | IOB_EP1_RW : bits << 4 | IOB_EP0_RW;
            struct iob iob = iob_new(access, PAGE);
            for (size_t l = 0; l < 4; l++) {
                for (size_t v = 0; v < 3; v++) {
                    zx_handle_t ep = duplicate_without(iob.ep[side], lost[l]);
                    zx_handle_t region = duplicate_without(vmar, lost[v]);
                    for (size_t a = 0; a < 3; a++) {
                        uint32_t allowed = bits & ~(lost[l] == ZX_RIGHT_READ    ? 1u
                                                    : lost[l] == ZX_RIGHT_WRITE ? 2u
                                                                                : 0u);
                        allowed &= ~(uint32_t)v; /* lost[1] is READ, 1; lost[2] is WRITE, 2 */
                        bool ok = bits != 0 && (asked[a] & ~allowed) == 0;
                        EXPECT_STATUS(try_map(region, asked[a], ep, 0, 0, PAGE),
                                      ok ? ZX_OK : ZX_ERR_ACCESS_DENIED);
                    }
                    close_handle(ep);
                    close_handle(region);
                }
            }
            /* Never executable. */
            EXPECT_STATUS(
                try_map(vmar, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, iob.ep[side], 0, 0, PAGE),
                ZX_ERR_ACCESS_DENIED);
            iob_drop(&iob);
        }
    }
    vmar_drop(vmar);
}

TEST(iob_map, protect_does_not_exceed_the_access)
{
    struct iob iob = iob_new(ZX_IOB_EP0_CAN_MAP_READ | IOB_EP1_RW, PAGE);
    zx_handle_t root = zx_vmar_root_self();
    zx_vaddr_t mine, theirs;

    ASSERT_OK(zx_vmar_map_iob(root, ZX_VM_PERM_READ, 0, iob.ep[0], 0, 0, PAGE, &mine));
    ASSERT_OK(zx_vmar_map_iob(root, ZX_VM_PERM_READ, 0, iob.ep[1], 0, 0, PAGE, &theirs));
    EXPECT_NO_CHANGE(zx_vmar_protect(root, RW, mine, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT(!can_write(mine));
    EXPECT_OK(zx_vmar_protect(root, RW, theirs, PAGE));
    store(theirs, 4);
    EXPECT_EQ(load(mine), 4);
    EXPECT_STATUS(zx_vmar_op_range(root, ZX_VMAR_OP_DECOMMIT, mine, PAGE, NULL, 0),
                  ZX_ERR_ACCESS_DENIED);
    unmap(mine, PAGE);
    unmap(theirs, PAGE);
    iob_drop(&iob);
}

TEST(iob_map, region_index)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);

    EXPECT_STATUS(try_map(zx_vmar_root_self(), RW, iob.ep[0], 1, 0, PAGE), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(try_map(zx_vmar_root_self(), RW, iob.ep[0], UINT32_MAX, 0, PAGE),
                  ZX_ERR_OUT_OF_RANGE);
    iob_drop(&iob);
}

TEST(iob_map, offsets_and_lengths)
{
    struct iob iob = iob_new(IOB_BOTH_RW, 2 * PAGE);
    zx_handle_t root = zx_vmar_root_self(), ep = iob.ep[0];
    zx_vm_option_t faults = RW | ZX_VM_ALLOW_FAULTS;

    EXPECT_STATUS(try_map(root, RW, ep, 0, 0, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_map(root, RW, ep, 0, 0, PAGE + 1), by_abi(ZX_ERR_INVALID_ARGS, ZX_OK));
    EXPECT_STATUS(try_map(root, RW, ep, 0, 1, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_map(root, RW, ep, 0, 0, 3 * PAGE), by_abi(ZX_ERR_BUFFER_TOO_SMALL, ZX_OK));
    EXPECT_STATUS(try_map(root, RW, ep, 0, PAGE, 2 * PAGE), by_abi(ZX_ERR_BUFFER_TOO_SMALL, ZX_OK));
    EXPECT_STATUS(try_map(root, faults, ep, 0, 0, 3 * PAGE), ZX_OK);
    EXPECT_STATUS(try_map(root, faults, ep, 0, (uint64_t)-PAGE, 2 * PAGE), ZX_ERR_OUT_OF_RANGE);
    /* The region's access comes first. */
    struct iob closed = iob_new(IOB_EP1_RW, PAGE);
    EXPECT_STATUS(try_map(root, RW, closed.ep[0], 0, 0, 0), ZX_ERR_ACCESS_DENIED);
    iob_drop(&closed);
    iob_drop(&iob);
}

TEST(iob_map, options)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_vaddr_t base, addr = SENTINEL_ADDRESS;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, 16 * PAGE, &base), ep = iob.ep[0];

    EXPECT_STATUS(try_map(vmar, ZX_VM_PERM_WRITE, ep, 0, 0, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_map(vmar, RW | ZX_VM_CAN_MAP_READ, ep, 0, 0, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_map(vmar, RW | ZX_VM_COMPACT, ep, 0, 0, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_map(vmar, RW | 1u << 18, ep, 0, 0, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(try_map(vmar, RW | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_MAP_RANGE, ep, 0, 0, PAGE),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_OK(try_map(vmar, RW | ZX_VM_MAP_RANGE, ep, 0, 0, PAGE));
    EXPECT_STATUS(zx_vmar_map_iob(vmar, RW, PAGE, ep, 0, 0, PAGE, &addr), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_map_iob(vmar, RW | ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT, 4 * PAGE,
                                  ep, 0, 0, PAGE, &addr),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_map_iob(vmar, RW | ZX_VM_SPECIFIC, 1, ep, 0, 0, PAGE, &addr),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_map_iob(vmar, RW | ZX_VM_SPECIFIC, 16 * PAGE, ep, 0, 0, PAGE, &addr),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(addr, SENTINEL_ADDRESS);
    ASSERT_OK(zx_vmar_map_iob(vmar, RW | ZX_VM_SPECIFIC, 3 * PAGE, ep, 0, 0, PAGE, &addr));
    EXPECT_EQ(addr, base + 3 * PAGE);
    EXPECT_STATUS(zx_vmar_map_iob(vmar, RW | ZX_VM_SPECIFIC, 3 * PAGE, ep, 0, 0, PAGE, &addr),
                  ZX_ERR_ALREADY_EXISTS);
    ASSERT_OK(
        zx_vmar_map_iob(vmar, RW | ZX_VM_SPECIFIC_OVERWRITE, 3 * PAGE, ep, 0, 0, PAGE, &addr));
    ASSERT_OK(
        zx_vmar_map_iob(vmar, RW | ZX_VM_OFFSET_IS_UPPER_LIMIT, 2 * PAGE, ep, 0, 0, PAGE, &addr));
    EXPECT(addr + PAGE <= base + 2 * PAGE);
    vmar_drop(vmar);
    iob_drop(&iob);
}

TEST(iob_map, handles_and_pointers)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_handle_t vmo = vmo_new(PAGE), vmar;
    zx_vaddr_t base;

    EXPECT_STATUS(try_map(ZX_HANDLE_INVALID, RW, iob.ep[0], 0, 0, PAGE), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(try_map(zx_vmar_root_self(), RW, ZX_HANDLE_INVALID, 0, 0, PAGE),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(try_map(vmo, RW, iob.ep[0], 0, 0, PAGE), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(try_map(zx_vmar_root_self(), RW, vmo, 0, 0, PAGE), ZX_ERR_WRONG_TYPE);
    EXPECT_MAP_FAILS(zx_vmar_root_self(), RW, 0, iob.ep[0], 0, PAGE, ZX_ERR_WRONG_TYPE);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_NO_CHANGE(zx_vmar_map_iob(zx_vmar_root_self(), RW, 0, iob.ep[0], 0, 0, PAGE,
                                         (zx_vaddr_t *)bad_addresses[i]),
                         ZX_ERR_INVALID_ARGS);
    vmar = vmar_new(CAN_MAP_RW, 4 * PAGE, &base);
    ASSERT_OK(zx_vmar_destroy(vmar));
    EXPECT_STATUS(try_map(vmar, RW, iob.ep[0], 0, 0, PAGE), ZX_ERR_BAD_STATE);
    close_handle(vmar);
    vmar = vmar_new(CAN_MAP_RW, PAGE, &base);
    ASSERT_OK(zx_vmar_map_iob(vmar, RW, 0, iob.ep[0], 0, 0, PAGE, &base));
    EXPECT_STATUS(try_map(vmar, RW, iob.ep[0], 0, 0, PAGE), ZX_ERR_NO_RESOURCES);
    vmar_drop(vmar);
    close_handle(vmo);
    iob_drop(&iob);
}

TEST(iob_map, the_mapping_carries_the_regions_koid)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_iob_region_info_t seen;
    zx_info_maps_t map;
    zx_vaddr_t addr;

    ASSERT_OK(zx_object_get_info(iob.ep[0], ZX_INFO_IOB_REGIONS, &seen, sizeof(seen), NULL, NULL));
    ASSERT_OK(zx_vmar_map_iob(zx_vmar_root_self(), RW, 0, iob.ep[1], 0, 0, PAGE, &addr));
    ASSERT(find_mapping(addr, &map));
    EXPECT_EQ(map.u.mapping.vmo_koid, seen.koid);
    unmap(addr, PAGE);
    iob_drop(&iob);
}
