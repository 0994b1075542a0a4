/* Children of memory objects: zx_vmo_create_child, and what parent and child see of each other. */
#include <string.h>

#include "tests/conformance/util.h"
#include "userland/crt/startup.h"

#define SNAPSHOT      ZX_VMO_CHILD_SNAPSHOT
#define SLICE         ZX_VMO_CHILD_SLICE
#define REFERENCE     ZX_VMO_CHILD_REFERENCE
#define RESIZABLE     ZX_VMO_CHILD_RESIZABLE
#define NO_WRITE      ZX_VMO_CHILD_NO_WRITE
#define ON_WRITE      ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE
#define MODIFIED      ZX_VMO_CHILD_SNAPSHOT_MODIFIED
#define VMO_RIGHTS    (ZX_DEFAULT_VMO_RIGHTS)
#define COUNT_OF(arr) (sizeof(arr) / sizeof((arr)[0]))

static const uint32_t snapshot_kinds[] = {SNAPSHOT, ON_WRITE, MODIFIED};

static zx_handle_t child_new(zx_handle_t parent, uint32_t options, uint64_t offset, uint64_t size)
{
    zx_handle_t child = ZX_HANDLE_INVALID;
    ASSERT_OK(zx_vmo_create_child(parent, options, offset, size, &child));
    return child;
}

static void expect_child_fails(zx_handle_t parent, uint32_t options, uint64_t offset, uint64_t size,
                               zx_status_t want)
{
    zx_handle_t child = SENTINEL_HANDLE;
    EXPECT_STATUS(zx_vmo_create_child(parent, options, offset, size, &child), want);
    EXPECT_EQ(child, SENTINEL_HANDLE);
}

static zx_info_vmo_t info_of(zx_handle_t vmo)
{
    zx_info_vmo_t info = {0};
    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    return info;
}

static bool has_zero_children(zx_handle_t vmo)
{
    zx_signals_t observed = 0;
    (void)zx_object_wait_one(vmo, ZX_VMO_ZERO_CHILDREN, 0, &observed);
    return (observed & ZX_VMO_ZERO_CHILDREN) != 0;
}

static zx_handle_t filled(uint64_t count_pages, uint64_t value)
{
    zx_handle_t vmo = vmo_new(count_pages * PAGE);
    for (uint64_t i = 0; i < count_pages; i++)
        vmo_store(vmo, i * PAGE, value + i);
    return vmo;
}

/* ---- Snapshots ---- */

TEST(vmo_child, a_snapshot_keeps_what_was)
{
    for (size_t kind = 0; kind < COUNT_OF(snapshot_kinds); kind++) {
        zx_handle_t parent = filled(4, 10);
        zx_handle_t child = child_new(parent, snapshot_kinds[kind], 0, 4 * PAGE);
        for (uint64_t i = 0; i < 4; i++)
            EXPECT_EQ(vmo_load(child, i * PAGE), 10 + i);
        vmo_store(parent, 0, 99);
        vmo_store(child, PAGE, 77);
        EXPECT_EQ(vmo_load(parent, 0), 99);
        EXPECT_EQ(vmo_load(child, 0), 10);
        EXPECT_EQ(vmo_load(parent, PAGE), 11);
        EXPECT_EQ(vmo_load(child, PAGE), 77);
        close_handle(child);
        close_handle(parent);
    }
}

TEST(vmo_child, a_snapshot_is_deaf_to_mappings_made_before)
{
    zx_handle_t parent = vmo_new(2 * PAGE);
    zx_vaddr_t addr = map_anywhere(RW, parent, 2 * PAGE);

    store(addr, 1);
    store(addr + PAGE, 2);
    zx_handle_t child = child_new(parent, SNAPSHOT, 0, 2 * PAGE);
    store(addr, 3); /* through what was a writable translation */
    EXPECT_EQ(vmo_load(child, 0), 1);
    EXPECT_EQ(vmo_load(parent, 0), 3);
    EXPECT_EQ(load(addr + PAGE), 2);
    close_handle(child);
    store(addr + PAGE, 4);
    EXPECT_EQ(vmo_load(parent, PAGE), 4);
    unmap(addr, 2 * PAGE);
    close_handle(parent);
}

TEST(vmo_child, both_sides_mapped)
{
    zx_handle_t parent = filled(2, 5);
    zx_handle_t child = child_new(parent, SNAPSHOT, 0, 2 * PAGE);
    zx_vaddr_t up = map_anywhere(RW, parent, 2 * PAGE);
    zx_vaddr_t down = map_anywhere(RW, child, 2 * PAGE);
    zx_vaddr_t down_too = map_anywhere(ZX_VM_PERM_READ, child, 2 * PAGE);

    EXPECT_EQ(load(up), 5);
    EXPECT_EQ(load(down), 5);
    EXPECT_EQ(load(down_too), 5);
    store(down, 50);
    EXPECT_EQ(load(up), 5);
    EXPECT_EQ(load(down_too), 50); /* not the page it showed before */
    store(up, 55);
    EXPECT_EQ(load(down), 50);
    EXPECT_EQ(load(up), 55);
    unmap(up, 2 * PAGE);
    unmap(down, 2 * PAGE);
    unmap(down_too, 2 * PAGE);
    close_handle(child);
    close_handle(parent);
}

TEST(vmo_child, untouched_memory_of_the_parent_stays_zero_in_the_child)
{
    zx_handle_t parent = vmo_new(2 * PAGE), child = child_new(parent, SNAPSHOT, 0, 2 * PAGE);

    vmo_store(parent, 0, 1);
    EXPECT_EQ(vmo_load(child, 0), 0);
    vmo_store(child, PAGE, 2);
    EXPECT_EQ(vmo_load(parent, PAGE), 0);
    close_handle(child);
    close_handle(parent);
}

TEST(vmo_child, a_part_of_the_parent)
{
    zx_handle_t parent = filled(8, 100), child = child_new(parent, SNAPSHOT, 2 * PAGE, 3 * PAGE);
    zx_handle_t grandchild = child_new(child, SNAPSHOT, PAGE, PAGE);

    for (uint64_t i = 0; i < 3; i++)
        EXPECT_EQ(vmo_load(child, i * PAGE), 102 + i);
    EXPECT_EQ(vmo_load(grandchild, 0), 103);
    EXPECT_EQ(info_of(child).committed_bytes, 3 * PAGE);
    close_handle(parent);
    /* The five pages outside went with the parent. */
    EXPECT_EQ(info_of(child).committed_private_bytes, 2 * PAGE);
    EXPECT_EQ(vmo_load(child, 2 * PAGE), 104);
    close_handle(child);
    EXPECT_EQ(vmo_load(grandchild, 0), 103);
    EXPECT_EQ(info_of(grandchild).committed_private_bytes, PAGE);
    close_handle(grandchild);
}

TEST(vmo_child, past_the_end_of_the_parent_are_zeros)
{
    zx_handle_t parent = filled(2, 1);
    zx_handle_t child = child_new(parent, SNAPSHOT, PAGE, 3 * PAGE);
    zx_handle_t beyond = child_new(parent, SNAPSHOT, 16 * PAGE, PAGE);

    EXPECT_EQ(vmo_load(child, 0), 2);
    EXPECT_EQ(vmo_load(child, PAGE), 0);
    vmo_store(child, 2 * PAGE, 8);
    EXPECT_EQ(vmo_load(child, 2 * PAGE), 8);
    EXPECT_EQ(vmo_load(beyond, 0), 0);
    close_handle(beyond);
    close_handle(child);
    close_handle(parent);
}

TEST(vmo_child, shrinking_the_parent_leaves_the_child)
{
    zx_handle_t parent = vmo_new_resizable(2 * PAGE);

    vmo_store(parent, PAGE, 6);
    zx_handle_t child = child_new(parent, SNAPSHOT | RESIZABLE, 0, 2 * PAGE);
    ASSERT_OK(zx_vmo_set_size(parent, 0));
    EXPECT_EQ(vmo_load(child, PAGE), 6);
    ASSERT_OK(zx_vmo_set_size(child, PAGE));
    ASSERT_OK(zx_vmo_set_size(child, 2 * PAGE));
    EXPECT_EQ(vmo_load(child, PAGE), 0); /* cut off is cut off */
    close_handle(child);
    close_handle(parent);
}

TEST(vmo_child, decommit_and_zero_in_one_of_two)
{
    zx_handle_t parent = filled(3, 1), child = child_new(parent, SNAPSHOT, 0, 3 * PAGE);

    EXPECT_OK(zx_vmo_op_range(child, ZX_VMO_OP_ZERO, 0, PAGE, NULL, 0));
    EXPECT_OK(zx_vmo_op_range(child, ZX_VMO_OP_DECOMMIT, PAGE, PAGE, NULL, 0));
    EXPECT_OK(zx_vmo_op_range(parent, ZX_VMO_OP_ZERO, 2 * PAGE, 8, NULL, 0));
    EXPECT_EQ(vmo_load(child, 0), 0);
    EXPECT_EQ(vmo_load(child, PAGE), 0);
    EXPECT_EQ(vmo_load(child, 2 * PAGE), 3);
    EXPECT_EQ(vmo_load(parent, 0), 1);
    EXPECT_EQ(vmo_load(parent, PAGE), 2);
    EXPECT_EQ(vmo_load(parent, 2 * PAGE), 0);
    close_handle(child);
    close_handle(parent);
}

TEST(vmo_child, pages_are_shared_until_written)
{
    zx_handle_t parent = filled(16, 0), child = child_new(parent, SNAPSHOT, 0, 16 * PAGE);

    EXPECT_EQ(info_of(child).committed_bytes, 16 * PAGE);
    EXPECT_EQ(info_of(child).committed_private_bytes, 0);
    EXPECT_EQ(info_of(parent).committed_private_bytes, 0);
    vmo_store(child, 3 * PAGE, 1);
    EXPECT_EQ(info_of(child).committed_private_bytes, PAGE);
    EXPECT_EQ(info_of(parent).committed_private_bytes, PAGE); /* the one that was left */
    close_handle(child);
    EXPECT_EQ(info_of(parent).committed_private_bytes, 16 * PAGE);
    close_handle(parent);
}

/* ---- Trees of them ---- */

TEST(vmo_child, closed_in_any_order)
{
    for (unsigned order = 0; order < 6; order++) {
        zx_handle_t vmo[3] = {filled(4, 1), 0, 0};
        vmo[1] = child_new(vmo[0], SNAPSHOT, 0, 4 * PAGE);
        vmo_store(vmo[1], PAGE, 20);
        vmo[2] = child_new(vmo[1], SNAPSHOT, 0, 4 * PAGE);
        vmo_store(vmo[2], 2 * PAGE, 30);
        unsigned first = order % 3, second = (first + 1 + order / 3) % 3,
                 third = 3 - first - second;
        close_handle(vmo[first]);
        close_handle(vmo[second]);
        EXPECT_EQ(vmo_load(vmo[third], 0), 1);
        EXPECT_EQ(vmo_load(vmo[third], PAGE), third == 0 ? 2 : 20);
        EXPECT_EQ(vmo_load(vmo[third], 2 * PAGE), third == 2 ? 30 : 3);
        EXPECT_EQ(info_of(vmo[third]).committed_private_bytes, 4 * PAGE);
        close_handle(vmo[third]);
    }
}

/* Each one's parent goes as soon as it is there. */
TEST(vmo_child, a_chain_does_not_grow)
{
    zx_handle_t vmo = filled(4, 7);
    zx_info_kmem_stats_t before, after;

    for (unsigned i = 0; i < 2000; i++) {
        zx_handle_t next = child_new(vmo, SNAPSHOT, 0, 4 * PAGE);
        close_handle(vmo);
        vmo = next;
        vmo_store(vmo, (i % 4) * PAGE, i);
        if (i == 200)
            ASSERT_OK(zx_object_get_info(startup_resource(), ZX_INFO_KMEM_STATS, &before,
                                         sizeof(before), NULL, NULL));
    }
    ASSERT_OK(zx_object_get_info(startup_resource(), ZX_INFO_KMEM_STATS, &after, sizeof(after),
                                 NULL, NULL));
    EXPECT_EQ(info_of(vmo).committed_private_bytes, 4 * PAGE);
    EXPECT_EQ(after.vmo_bytes, before.vmo_bytes);
    for (unsigned i = 1996; i < 2000; i++)
        EXPECT_EQ(vmo_load(vmo, (i % 4) * PAGE), i);
    close_handle(vmo);
}

TEST(vmo_child, snapshots_made_and_dropped_in_a_loop)
{
    zx_handle_t vmo = filled(4, 7);

    for (unsigned i = 0; i < 1000; i++) {
        zx_handle_t child = child_new(vmo, SNAPSHOT, 0, 4 * PAGE);
        vmo_store(vmo, (i % 4) * PAGE, i);
        close_handle(child);
    }
    EXPECT_EQ(info_of(vmo).committed_private_bytes, 4 * PAGE);
    close_handle(vmo);
}

/* ---- Slices and references ---- */

TEST(vmo_child, a_slice_is_the_same_memory)
{
    zx_handle_t parent = filled(4, 1), slice = child_new(parent, SLICE, PAGE, 2 * PAGE);
    zx_handle_t inner = child_new(slice, SLICE, PAGE, PAGE);
    zx_vaddr_t addr = map_anywhere(RW, slice, 2 * PAGE);

    EXPECT_EQ(vmo_load(slice, 0), 2);
    EXPECT_EQ(vmo_load(inner, 0), 3);
    store(addr + PAGE, 9);
    EXPECT_EQ(vmo_load(parent, 2 * PAGE), 9);
    EXPECT_EQ(vmo_load(inner, 0), 9);
    EXPECT_EQ(info_of(slice).size_bytes, 2 * PAGE);
    EXPECT_EQ(info_of(slice).flags & ZX_INFO_VMO_IS_COW_CLONE, 0);
    EXPECT_OK(zx_vmo_op_range(parent, ZX_VMO_OP_DECOMMIT, 2 * PAGE, PAGE, NULL, 0));
    EXPECT_EQ(load(addr + PAGE), 0); /* gone from the slice's mapping as well */
    close_handle(parent);
    store(addr, 4);
    EXPECT_EQ(vmo_load(slice, 0), 4);
    unmap(addr, 2 * PAGE);
    close_handle(slice);
    EXPECT_EQ(vmo_load(inner, 0), 0);
    close_handle(inner);
}

TEST(vmo_child, a_snapshot_of_a_slice)
{
    zx_handle_t parent = filled(4, 1), slice = child_new(parent, SLICE, 2 * PAGE, 2 * PAGE);
    zx_handle_t child = child_new(slice, SNAPSHOT, PAGE, PAGE);
    zx_vaddr_t addr = map_anywhere(RW, parent, 4 * PAGE);

    store(addr + 3 * PAGE, 40);
    EXPECT_EQ(vmo_load(slice, PAGE), 40);
    EXPECT_EQ(vmo_load(child, 0), 4);
    unmap(addr, 4 * PAGE);
    close_handle(parent);
    close_handle(slice);
    EXPECT_EQ(vmo_load(child, 0), 4);
    close_handle(child);
}

TEST(vmo_child, what_cannot_be_sliced)
{
    zx_handle_t parent = vmo_new(2 * PAGE), resizable = vmo_new_resizable(2 * PAGE);

    expect_child_fails(parent, SLICE, 0, 3 * PAGE, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, SLICE, PAGE, PAGE + 1, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, SLICE, 3 * PAGE, 0, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, SLICE | RESIZABLE, 0, PAGE, ZX_ERR_INVALID_ARGS);
    expect_child_fails(resizable, SLICE, 0, PAGE, ZX_ERR_NOT_SUPPORTED);
    close_handle(child_new(parent, SLICE, 2 * PAGE, 0));
    close_handle(resizable);
    close_handle(parent);
}

TEST(vmo_child, a_reference_follows_its_parent)
{
    zx_handle_t parent = vmo_new_resizable(2 * PAGE);
    zx_handle_t same = child_new(parent, REFERENCE | RESIZABLE, 0, 0);
    zx_handle_t fixed = child_new(parent, REFERENCE, 0, 0);
    zx_vaddr_t addr = map_anywhere(RW | ZX_VM_ALLOW_FAULTS, fixed, 2 * PAGE);
    uint64_t size = 0;

    store(addr + PAGE, 3);
    EXPECT_EQ(vmo_load(parent, PAGE), 3);
    EXPECT_EQ(vmo_load(same, PAGE), 3);
    ASSERT_OK(zx_vmo_set_size(same, PAGE));
    ASSERT_OK(zx_vmo_get_size(parent, &size));
    EXPECT_EQ(size, PAGE);
    EXPECT(!can_read(addr + PAGE));
    ASSERT_OK(zx_vmo_set_size(parent, 2 * PAGE));
    EXPECT_EQ(load(addr + PAGE), 0);
    EXPECT_STATUS(zx_vmo_set_size(fixed, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_MAP_FAILS(zx_vmar_root_self(), RW | ZX_VM_REQUIRE_NON_RESIZABLE, 0, fixed, 0, PAGE,
                     ZX_ERR_NOT_SUPPORTED);
    unmap(addr, 2 * PAGE);
    close_handle(parent);
    vmo_store(same, 0, 4);
    EXPECT_EQ(vmo_load(fixed, 0), 4);
    close_handle(fixed);
    close_handle(same);
}

TEST(vmo_child, what_cannot_be_referenced)
{
    zx_handle_t parent = vmo_new(2 * PAGE);

    expect_child_fails(parent, REFERENCE, PAGE, 0, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, REFERENCE, 0, PAGE, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, REFERENCE | RESIZABLE, 0, 0, ZX_ERR_ACCESS_DENIED);
    zx_handle_t slice = child_new(parent, SLICE, 0, PAGE);
    expect_child_fails(slice, REFERENCE, 0, 0, ZX_ERR_NOT_SUPPORTED);
    close_handle(slice);
    close_handle(parent);
}

/* ---- Arguments and rights ---- */

TEST(vmo_child, bad_arguments)
{
    zx_handle_t parent = vmo_new(2 * PAGE), event;

    expect_child_fails(parent, 0, 0, PAGE, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, RESIZABLE, 0, PAGE, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, SNAPSHOT | SLICE, 0, PAGE, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, SNAPSHOT | ON_WRITE, 0, PAGE, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, SNAPSHOT | 2, 0, PAGE, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, SNAPSHOT | 256, 0, PAGE, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, SNAPSHOT | NO_WRITE | RESIZABLE, 0, PAGE, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, SNAPSHOT, 1, PAGE, ZX_ERR_INVALID_ARGS);
    expect_child_fails(parent, SNAPSHOT, 0, UINT64_MAX, ZX_ERR_OUT_OF_RANGE);
    expect_child_fails(parent, SNAPSHOT, 8 * PAGE, UINT64_MAX - 4 * PAGE, ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_create_child(parent, SNAPSHOT, 0, PAGE, NULL), ZX_ERR_INVALID_ARGS);
    expect_child_fails(ZX_HANDLE_INVALID, SNAPSHOT, 0, PAGE, ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_event_create(0, &event));
    expect_child_fails(event, SNAPSHOT, 0, PAGE, ZX_ERR_WRONG_TYPE);
    close_handle(event);
    EXPECT_EQ(info_of(parent).num_children, 0);
    EXPECT(has_zero_children(parent));
    close_handle(parent);
}

TEST(vmo_child, the_parent_needs_duplicate_and_read)
{
    zx_handle_t parent = vmo_new(PAGE);
    zx_handle_t no_duplicate = duplicate_without(parent, ZX_RIGHT_DUPLICATE);
    zx_handle_t no_read = duplicate_without(parent, ZX_RIGHT_READ);

    expect_child_fails(no_duplicate, SNAPSHOT, 0, PAGE, ZX_ERR_ACCESS_DENIED);
    expect_child_fails(no_read, SNAPSHOT, 0, PAGE, ZX_ERR_ACCESS_DENIED);
    close_handle(no_read);
    close_handle(no_duplicate);
    close_handle(parent);
}

static void expect_child_rights(zx_handle_t parent, uint32_t options, uint64_t size,
                                zx_rights_t want)
{
    zx_handle_t child = child_new(parent, options, 0, size);
    EXPECT_EQ(rights_of(child), want);
    close_handle(child);
}

TEST(vmo_child, rights)
{
    zx_handle_t parent = vmo_new(PAGE), executable;
    ASSERT_OK(zx_vmo_replace_as_executable(parent, ZX_HANDLE_INVALID, &executable));
    zx_handle_t weak = duplicate(executable, ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ | ZX_RIGHT_EXECUTE);
    zx_rights_t all = VMO_RIGHTS | ZX_RIGHT_EXECUTE;
    zx_rights_t property = ZX_RIGHT_GET_PROPERTY | ZX_RIGHT_SET_PROPERTY;
    zx_rights_t little = ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ | property;

    expect_child_rights(executable, SNAPSHOT, PAGE, VMO_RIGHTS);
    expect_child_rights(executable, SNAPSHOT | RESIZABLE, PAGE, VMO_RIGHTS | ZX_RIGHT_RESIZE);
    expect_child_rights(executable, SNAPSHOT | NO_WRITE, PAGE, all & ~ZX_RIGHT_WRITE);
    expect_child_rights(executable, SLICE, PAGE, all);
    expect_child_rights(executable, REFERENCE, 0, all);
    expect_child_rights(weak, SNAPSHOT, PAGE, little | ZX_RIGHT_WRITE);
    expect_child_rights(weak, SNAPSHOT | NO_WRITE, PAGE, little | ZX_RIGHT_EXECUTE);
    expect_child_rights(weak, SLICE, PAGE, little | ZX_RIGHT_EXECUTE);
    close_handle(weak);
    close_handle(executable);
}

TEST(vmo_child, a_child_of_a_resizable_one_is_not_resizable_by_itself)
{
    zx_handle_t parent = vmo_new_resizable(PAGE), child = child_new(parent, SNAPSHOT, 0, PAGE);

    EXPECT_EQ(rights_of(child), VMO_RIGHTS);
    EXPECT_STATUS(zx_vmo_set_size(child, 0), ZX_ERR_UNAVAILABLE);
    close_handle(child);
    close_handle(parent);
}

/* ---- What is told about them ---- */

TEST(vmo_child, info)
{
    zx_handle_t parent = vmo_new(2 * PAGE);
    ASSERT_OK(zx_object_set_property(parent, ZX_PROP_NAME, "original", 8));
    zx_handle_t child = child_new(parent, SNAPSHOT, 0, PAGE + 1);
    zx_handle_t slice = child_new(parent, SLICE, 0, PAGE);
    zx_info_vmo_t up = info_of(parent), down = info_of(child);
    uint64_t size = 0;

    EXPECT_EQ(up.num_children, 2);
    EXPECT_EQ(up.parent_koid, 0);
    EXPECT_EQ(down.parent_koid, koid_of(parent));
    EXPECT_EQ(info_of(slice).parent_koid, koid_of(parent));
    EXPECT_EQ(down.size_bytes, 2 * PAGE);
    EXPECT_EQ(down.flags,
              ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_IS_COW_CLONE | ZX_INFO_VMO_VIA_HANDLE);
    EXPECT_EQ(strcmp(down.name, "original"), 0);
    ASSERT_OK(zx_vmo_get_stream_size(child, &size));
    EXPECT_EQ(size, PAGE + 1);
    close_handle(slice);
    EXPECT_EQ(info_of(parent).num_children, 1);
    close_handle(child);
    EXPECT_EQ(info_of(parent).num_children, 0);
    close_handle(parent);
}

TEST(vmo_child, zero_children)
{
    static const uint32_t kinds[] = {SNAPSHOT, ON_WRITE, SLICE, REFERENCE};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        zx_handle_t parent = vmo_new(PAGE);
        uint64_t size = kinds[i] == REFERENCE ? 0 : PAGE;
        EXPECT(has_zero_children(parent));
        zx_handle_t one = child_new(parent, kinds[i], 0, size);
        EXPECT(!has_zero_children(parent));
        EXPECT(has_zero_children(one));
        zx_handle_t two = child_new(parent, kinds[i], 0, size);
        close_handle(one);
        EXPECT(!has_zero_children(parent));
        close_handle(two);
        EXPECT(has_zero_children(parent));
        close_handle(parent);
    }
}

TEST(vmo_child, a_child_that_is_only_mapped_counts)
{
    zx_handle_t parent = vmo_new(PAGE), child = child_new(parent, SNAPSHOT, 0, PAGE);
    zx_vaddr_t addr = map_anywhere(RW, child, PAGE);

    close_handle(child);
    EXPECT(!has_zero_children(parent));
    EXPECT_EQ(info_of(parent).num_children, 1);
    unmap(addr, PAGE);
    EXPECT(has_zero_children(parent));
    close_handle(parent);
}

TEST(vmo_child, a_grandchild_keeps_the_place_of_its_parent)
{
    zx_handle_t parent = vmo_new(PAGE), child = child_new(parent, SNAPSHOT, 0, PAGE);
    zx_handle_t grandchild = child_new(child, SNAPSHOT, 0, PAGE);
    zx_koid_t koid = koid_of(child);

    close_handle(child);
    EXPECT(!has_zero_children(parent));
    EXPECT_EQ(info_of(parent).num_children, 1);
    EXPECT_EQ(info_of(grandchild).parent_koid, koid);
    close_handle(grandchild);
    EXPECT(has_zero_children(parent));
    EXPECT_EQ(info_of(parent).num_children, 0);
    close_handle(parent);
}

TEST(vmo_child, waiting_for_the_last_child)
{
    zx_handle_t parent = vmo_new(PAGE), child = child_new(parent, SNAPSHOT, 0, PAGE), port;
    zx_port_packet_t packet;

    ASSERT_OK(zx_port_create(0, &port));
    ASSERT_OK(zx_object_wait_async(parent, port, 5, ZX_VMO_ZERO_CHILDREN, 0));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    close_handle(child);
    ASSERT_OK(zx_port_wait(port, zx_deadline_after(PATIENCE), &packet));
    EXPECT_EQ(packet.key, 5);
    close_handle(port);
    close_handle(parent);
}
