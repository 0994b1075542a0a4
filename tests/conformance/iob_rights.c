/* IOBuffers: rights of endpoints, what information says to the byte, and the ways in which the last
 * mapping of a side goes. */
#include <string.h>

#include "tests/conformance/child.h"
#include "tests/conformance/iob_discipline_util.h"

/* ---- Information ---- */

/* All 120 bytes of each description come back, but for the size, rounded, and the access. */
TEST(iob_rights, descriptions_come_back_whole)
{
    zx_iob_region_t given[2], want;
    zx_iob_region_info_t seen[2];
    zx_handle_t ep[2];

    memset(given, 0xa5, sizeof(given));
    for (int i = 0; i < 2; i++) {
        given[i].type = ZX_IOB_REGION_TYPE_PRIVATE;
        given[i].access = i == 0 ? IOB_EP0_RW : IOB_EP0_RW | ZX_IOB_EP1_CAN_MAP_READ;
        given[i].size = PAGE + (size_t)i;
        given[i].discipline.type = ZX_IOB_DISCIPLINE_TYPE_NONE;
        given[i].private_region.options = 0;
    }
    ASSERT_OK(zx_iob_create(0, given, 2, &ep[0], &ep[1]));
    for (int side = 0; side < 2; side++) {
        ASSERT_OK(
            zx_object_get_info(ep[side], ZX_INFO_IOB_REGIONS, seen, sizeof(seen), NULL, NULL));
        for (int i = 0; i < 2; i++) {
            want = given[i];
            want.size = (size_t)(i + 1) * PAGE;
            if (side == 1)
                want.access = (given[i].access & 0xf) << 4 | given[i].access >> 4;
            EXPECT(memcmp(&seen[i].region, &want, sizeof(want)) == 0);
        }
    }
    close_handle(ep[0]);
    close_handle(ep[1]);
}

TEST(iob_rights, a_mix_of_64_regions)
{
    static zx_iob_region_t regions[ZX_IOB_MAX_REGIONS];
    static zx_iob_region_info_t seen[ZX_IOB_MAX_REGIONS];
    zx_handle_t shared = shared_new(2 * PAGE), ep0, ep1;
    uint32_t id;

    for (size_t i = 0; i < ZX_IOB_MAX_REGIONS; i++) {
        if (i % 3 == 0)
            regions[i] = iob_region(IOB_BOTH_RW, (i % 4) * PAGE);
        else if (i % 3 == 1)
            regions[i] = ids_region(IOB_EP0_RW | ZX_IOB_ACCESS_EP1_CAN_MEDIATED_WRITE, PAGE);
        else
            regions[i] = ring_region(ZX_IOB_ACCESS_EP1_CAN_MEDIATED_WRITE, shared, i);
    }
    ASSERT_OK(zx_iob_create(0, regions, ZX_IOB_MAX_REGIONS, &ep0, &ep1));
    ASSERT_OK(zx_object_get_info(ep0, ZX_INFO_IOB_REGIONS, seen, sizeof(seen), NULL, NULL));
    for (uint32_t i = 0; i < ZX_IOB_MAX_REGIONS; i++) {
        EXPECT(memcmp(&seen[i].region, &regions[i], sizeof(regions[i])) == 0);
        if (i % 3 == 1)
            EXPECT_OK(zx_iob_allocate_id(ep1, 0, i, "x", 1, &id));
        if (i % 3 == 2)
            EXPECT_OK(zx_iob_writev(ep1, 0, i, NULL, 0));
    }
    close_handle(ep0);
    close_handle(ep1);
    close_handle(shared);
}

TEST(iob_rights, names_of_either_endpoint)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    char name[ZX_MAX_NAME_LEN], longest[ZX_MAX_NAME_LEN + 8];
    zx_handle_t weak = duplicate_without(iob.ep[0], ZX_RIGHT_SET_PROPERTY | ZX_RIGHT_GET_PROPERTY);

    memset(longest, 'n', sizeof(longest));
    for (int side = 0; side < 2; side++) {
        ASSERT_OK(
            zx_object_set_property(iob.ep[side], ZX_PROP_NAME, longest + side, ZX_MAX_NAME_LEN));
        ASSERT_OK(zx_object_get_property(iob.ep[1 - side], ZX_PROP_NAME, name, sizeof(name)));
        EXPECT_EQ(strlen(name), ZX_MAX_NAME_LEN - 1);
        ASSERT_OK(zx_object_set_property(iob.ep[side], ZX_PROP_NAME, "", 0));
        ASSERT_OK(zx_object_get_property(iob.ep[1 - side], ZX_PROP_NAME, name, sizeof(name)));
        EXPECT_EQ(name[0], 0);
    }
    EXPECT_STATUS(zx_object_set_property(weak, ZX_PROP_NAME, "x", 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_get_property(weak, ZX_PROP_NAME, name, sizeof(name)),
                  ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    iob_drop(&iob);
}

/* ---- Rights ---- */

TEST(iob_rights, signals_need_theirs)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_handle_t weak = duplicate_without(iob.ep[0], ZX_RIGHT_SIGNAL | ZX_RIGHT_SIGNAL_PEER);
    zx_handle_t deaf = duplicate_without(iob.ep[0], ZX_RIGHT_WAIT);

    EXPECT_STATUS(zx_object_signal(weak, 0, ZX_USER_SIGNAL_0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_signal_peer(weak, 0, ZX_USER_SIGNAL_0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_wait_one(deaf, ZX_USER_SIGNAL_0, 0, NULL), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    close_handle(deaf);
    iob_drop(&iob);
}

/* A region that an endpoint may only write by mediation cannot be mapped by it, nor one that it may
 * only read be written. */
TEST(iob_rights, mediated_access_is_no_access_to_map)
{
    zx_iob_region_t regions[2] = {
        ids_region(ZX_IOB_ACCESS_EP0_CAN_MEDIATED_WRITE, PAGE),
        ids_region(ZX_IOB_ACCESS_EP0_CAN_MEDIATED_WRITE | ZX_IOB_EP0_CAN_MAP_READ |
                       ZX_IOB_EP1_CAN_MAP_READ,
                   PAGE),
    };
    zx_handle_t ep[2], root = zx_vmar_root_self();
    zx_vaddr_t addr;

    ASSERT_OK(zx_iob_create(0, regions, 2, &ep[0], &ep[1]));
    for (int side = 0; side < 2; side++) {
        EXPECT_STATUS(zx_vmar_map_iob(root, 0, 0, ep[side], 0, 0, PAGE, &addr),
                      ZX_ERR_ACCESS_DENIED);
        EXPECT_STATUS(zx_vmar_map_iob(root, ZX_VM_PERM_READ, 0, ep[side], 0, 0, PAGE, &addr),
                      ZX_ERR_ACCESS_DENIED);
        EXPECT_STATUS(zx_vmar_map_iob(root, RW, 0, ep[side], 1, 0, PAGE, &addr),
                      ZX_ERR_ACCESS_DENIED);
        ASSERT_OK(zx_vmar_map_iob(root, ZX_VM_PERM_READ, 0, ep[side], 1, 0, PAGE, &addr));
        EXPECT(can_read(addr) && !can_write(addr));
        unmap(addr, PAGE);
    }
    close_handle(ep[0]);
    close_handle(ep[1]);
}

/* Rights that the handle had at map time bound what protect may do, also after it is closed. */
TEST(iob_rights, protect_remembers_the_handle)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_handle_t weak = duplicate_without(iob.ep[0], ZX_RIGHT_WRITE), root = zx_vmar_root_self();
    zx_vaddr_t narrow = map_region0(ZX_VM_PERM_READ, weak, PAGE);
    zx_vaddr_t wide = map_region0(ZX_VM_PERM_READ, iob.ep[0], PAGE);

    close_handle(weak);
    iob_drop(&iob);
    EXPECT_STATUS(zx_vmar_protect(root, RW, narrow, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmar_protect(root, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, wide, PAGE),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmar_protect(root, RW, wide, PAGE));
    store(wide, 8);
    EXPECT_EQ(load(narrow), 8);
    unmap(narrow, PAGE);
    unmap(wide, PAGE);
}

/* ---- The last mapping ---- */

static bool peer_closes(zx_handle_t endpoint)
{
    return zx_object_wait_one(endpoint, ZX_IOB_PEER_CLOSED, zx_deadline_after(PATIENCE), NULL) ==
           ZX_OK;
}

/* Nested regions, destroyed from the top or unmapped over. */
TEST(iob_rights, nested_regions)
{
    for (int way = 0; way < 2; way++) {
        struct iob iob = iob_new(IOB_BOTH_RW, 2 * PAGE);
        zx_vaddr_t base, inner_base, addr;
        zx_handle_t outer = vmar_new(CAN_MAP_RW, 8 * PAGE, &base), inner;

        ASSERT_OK(zx_vmar_allocate(outer, CAN_MAP_RW | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC,
                                   2 * PAGE, 4 * PAGE, &inner, &inner_base));
        ASSERT_OK(zx_vmar_map_iob(inner, RW, 0, iob.ep[1], 0, 0, 2 * PAGE, &addr));
        close_handle(iob.ep[1]);
        EXPECT(!iob_peer_is_closed(iob.ep[0]));
        if (way == 0)
            EXPECT_OK(zx_vmar_destroy(outer));
        else
            EXPECT_OK(zx_vmar_unmap(outer, inner_base, 4 * PAGE));
        EXPECT(peer_closes(iob.ep[0]));
        if (way != 0)
            EXPECT_OK(zx_vmar_destroy(outer));
        close_handle(inner);
        close_handle(outer);
        close_handle(iob.ep[0]);
    }
}

/* A mapping of which the middle is overwritten is two mappings. */
TEST(iob_rights, overwriting_a_part)
{
    struct iob iob = iob_new(IOB_BOTH_RW, 3 * PAGE);
    zx_vaddr_t base, addr;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, 4 * PAGE, &base), vmo = vmo_new(3 * PAGE);

    ASSERT_OK(zx_vmar_map_iob(vmar, RW | ZX_VM_SPECIFIC, 0, iob.ep[1], 0, 0, 3 * PAGE, &addr));
    close_handle(iob.ep[1]);
    ASSERT_OK(zx_vmar_map(vmar, RW | ZX_VM_SPECIFIC_OVERWRITE, PAGE, vmo, 0, PAGE, &addr));
    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    ASSERT_OK(zx_vmar_map(vmar, RW | ZX_VM_SPECIFIC_OVERWRITE, 0, vmo, 0, PAGE, &addr));
    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    ASSERT_OK(zx_vmar_map(vmar, RW | ZX_VM_SPECIFIC_OVERWRITE, PAGE, vmo, 0, 2 * PAGE, &addr));
    EXPECT(peer_closes(iob.ep[0]));
    vmar_drop(vmar);
    close_handle(vmo);
    close_handle(iob.ep[0]);
}

/* One side maps itself over its own last mapping: it was never closed. */
TEST(iob_rights, overwriting_with_the_same_endpoint)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_vaddr_t base, addr;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, 4 * PAGE, &base);

    for (int i = 0; i < 3; i++) {
        ASSERT_OK(zx_vmar_map_iob(vmar, RW | (i == 0 ? ZX_VM_SPECIFIC : ZX_VM_SPECIFIC_OVERWRITE),
                                  0, iob.ep[1], 0, 0, PAGE, &addr));
        store(addr, (uint64_t)i);
    }
    close_handle(iob.ep[1]);
    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    vmar_drop(vmar);
    EXPECT(peer_closes(iob.ep[0]));
    close_handle(iob.ep[0]);
}

/* Mappings in another process go with it, whether it was ever started or not. */
TEST(iob_rights, a_process_that_never_ran)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_handle_t root, process = process_new(zx_job_default(), &root);
    zx_vaddr_t addr;

    ASSERT_OK(zx_vmar_map_iob(root, RW, 0, iob.ep[1], 0, 0, PAGE, &addr));
    close_handle(iob.ep[1]);
    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    close_handle(root);
    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    close_handle(process);
    EXPECT(peer_closes(iob.ep[0]));
    close_handle(iob.ep[0]);
}

TEST(iob_rights, a_process_that_is_killed)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_handle_t copy = duplicate(iob.ep[1], ZX_RIGHT_SAME_RIGHTS);
    struct child child = child_start("wait", NULL, copy, ZX_HANDLE_INVALID);

    close_handle(iob.ep[1]);
    EXPECT(!iob_peer_is_closed(iob.ep[0])); /* the child's handle */
    ASSERT_OK(zx_task_kill(child.process));
    EXPECT(peer_closes(iob.ep[0]));
    (void)child_end(&child);
    close_handle(iob.ep[0]);
}

TEST(iob_rights, one_duplicate_is_enough)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_handle_t weakest = duplicate(iob.ep[1], 0);
    zx_handle_t replaced = SENTINEL_HANDLE;

    close_handle(iob.ep[1]);
    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    EXPECT_OK(zx_handle_replace(weakest, ZX_RIGHT_SAME_RIGHTS, &replaced));
    EXPECT(!iob_peer_is_closed(iob.ep[0]));
    close_handle(replaced);
    EXPECT(peer_closes(iob.ep[0]));
    close_handle(iob.ep[0]);
}
