/* How much memory a VMO, a mapping and a process are said to use. Pages that copies on write share
 * are divided among those who show them. */
#include <string.h>

#include "tests/conformance/child.h"

static zx_info_vmo_t info_of(zx_handle_t vmo)
{
    zx_info_vmo_t info;

    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    return info;
}

static uint64_t scaled(zx_handle_t vmo)
{
    zx_info_vmo_t info = info_of(vmo);

    EXPECT_EQ(info.populated_scaled_bytes, info.committed_scaled_bytes);
    EXPECT_EQ(info.populated_fractional_scaled_bytes, info.committed_fractional_scaled_bytes);
    EXPECT(info.committed_private_bytes <= info.committed_scaled_bytes);
    EXPECT(info.committed_scaled_bytes <= info.committed_bytes);
    return info.committed_scaled_bytes;
}

static zx_handle_t snapshot(zx_handle_t vmo, uint64_t offset, uint64_t size_bytes)
{
    zx_handle_t child;

    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, offset, size_bytes, &child));
    return child;
}

/* Writes a number to each page. */
static zx_handle_t vmo_filled(size_t pages)
{
    zx_handle_t vmo = vmo_new(pages * PAGE);

    for (size_t i = 0; i < pages; i++)
        vmo_store(vmo, i * PAGE, i + 1);
    return vmo;
}

TEST(vmo_usage, two_share_in_halves)
{
    zx_handle_t vmo = vmo_filled(2), child;

    EXPECT_EQ(scaled(vmo), 2 * PAGE);
    EXPECT_EQ(info_of(vmo).committed_private_bytes, 2 * PAGE);
    child = snapshot(vmo, 0, 2 * PAGE);
    EXPECT_EQ(scaled(vmo), PAGE);
    EXPECT_EQ(scaled(child), PAGE);
    EXPECT_EQ(info_of(child).committed_bytes, 2 * PAGE);
    EXPECT_EQ(info_of(child).committed_private_bytes, 0);
    vmo_store(vmo, 0, 9);
    EXPECT_EQ(scaled(vmo), 3 * PAGE / 2);
    EXPECT_EQ(scaled(child), 3 * PAGE / 2);
    EXPECT_EQ(info_of(vmo).committed_private_bytes, PAGE);
    vmo_store(child, PAGE, 9);
    EXPECT_EQ(scaled(vmo), 2 * PAGE);
    EXPECT_EQ(scaled(child), 2 * PAGE);
    /* The other halves are each one's own by then. */
    vmo_store(vmo, PAGE, 10);
    vmo_store(child, 0, 10);
    EXPECT_EQ(scaled(vmo), 2 * PAGE);
    EXPECT_EQ(scaled(child), 2 * PAGE);
    close_handle(child);
    close_handle(vmo);
}

TEST(vmo_usage, what_a_relative_leaves_is_one_s_own)
{
    zx_handle_t vmo = vmo_filled(1), child = snapshot(vmo, 0, PAGE);

    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, 0, PAGE, NULL, 0));
    EXPECT_EQ(scaled(vmo), 0);
    EXPECT_EQ(scaled(child), PAGE);
    close_handle(child);
    EXPECT_EQ(scaled(vmo), 0);
    vmo_store(vmo, 0, 1);
    child = snapshot(vmo, 0, PAGE);
    close_handle(vmo);
    EXPECT_EQ(scaled(child), PAGE);
    close_handle(child);
}

TEST(vmo_usage, fractions_add_up)
{
    zx_handle_t vmo = vmo_filled(2), first = snapshot(vmo, 0, 2 * PAGE);
    zx_handle_t second = snapshot(first, 0, PAGE);
    zx_handle_t all[] = {vmo, first, second};
    zx_info_vmo_t info = info_of(second);
    uint64_t bytes = 0, fraction = 0;

    /* Page 0 is that of three, page 1 that of two. */
    EXPECT_EQ(info.committed_scaled_bytes, PAGE / 3);
    EXPECT_EQ(scaled(vmo), PAGE / 3 + PAGE / 2);
    EXPECT_EQ(info.committed_fractional_scaled_bytes, ((1ull << 63) + 1) / 3);
    for (size_t i = 0; i < 3; i++) {
        info = info_of(all[i]);
        bytes += info.committed_scaled_bytes;
        fraction += info.committed_fractional_scaled_bytes;
        bytes += fraction >> 63;
        fraction &= (1ull << 63) - 1;
    }
    /* Thirds are rounded in the last bit. */
    EXPECT(bytes * 2 + (fraction >> 62) >= 2 * 2 * PAGE - 1);
    EXPECT(bytes <= 2 * PAGE);
    for (size_t i = 0; i < 3; i++)
        close_handle(all[i]);
}

TEST(vmo_usage, many_snapshots)
{
    zx_handle_t vmo = vmo_filled(3), copies[39];

    for (size_t i = 0; i < 39; i++)
        copies[i] = snapshot(i % 2 ? copies[i - 1] : vmo, 0, 3 * PAGE);
    EXPECT_EQ(scaled(vmo), 3 * PAGE / 40);
    EXPECT_EQ(scaled(copies[38]), 3 * PAGE / 40);
    vmo_store(copies[20], PAGE, 1);
    EXPECT_EQ(scaled(copies[20]), PAGE + 2 * PAGE / 40);
    EXPECT_EQ(scaled(copies[21]), 2 * PAGE / 40 + PAGE / 39);
    for (size_t i = 0; i < 39; i++)
        close_handle(copies[i]);
    EXPECT_EQ(scaled(vmo), 3 * PAGE);
    close_handle(vmo);
}

/* Only what they cut out is shared. */
TEST(vmo_usage, snapshots_of_parts)
{
    zx_handle_t vmo = vmo_filled(3), parts[3];

    for (size_t i = 0; i < 3; i++) {
        parts[i] = snapshot(vmo, i * PAGE, PAGE);
        EXPECT_EQ(scaled(parts[i]), PAGE / 2);
    }
    EXPECT_EQ(scaled(vmo), 3 * PAGE / 2);
    for (size_t i = 0; i < 3; i++)
        close_handle(parts[i]);
    close_handle(vmo);
}

/* The pages of slices and references are their source's. */
TEST(vmo_usage, aliases_have_no_pages)
{
    zx_handle_t vmo = vmo_filled(2), slice, reference;

    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE, &slice));
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_REFERENCE, 0, 0, &reference));
    EXPECT_EQ(info_of(slice).populated_bytes, 0);
    EXPECT_EQ(info_of(reference).committed_bytes, 0);
    EXPECT_EQ(scaled(reference), 0);
    EXPECT_EQ(info_of(vmo).committed_bytes, 2 * PAGE);
    EXPECT_EQ(scaled(vmo), 2 * PAGE);
    close_handle(vmo);
    EXPECT_EQ(vmo_load(reference, 0), 1);
    close_handle(slice);
    close_handle(reference);
}

TEST(vmo_usage, a_read_only_snapshot_is_immutable)
{
    zx_handle_t vmo = vmo_new(PAGE), child, copy;
    static const uint32_t other[] = {
        ZX_VMO_CHILD_SNAPSHOT, ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_NO_WRITE,
        ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE | ZX_VMO_CHILD_NO_WRITE,
        ZX_VMO_CHILD_SNAPSHOT_MODIFIED | ZX_VMO_CHILD_NO_WRITE};

    EXPECT_EQ(info_of(vmo).flags & ZX_INFO_VMO_IMMUTABLE, 0);
    ASSERT_OK(
        zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_NO_WRITE, 0, PAGE, &child));
    EXPECT_EQ(info_of(child).flags, ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_VIA_HANDLE |
                                        ZX_INFO_VMO_IS_COW_CLONE | ZX_INFO_VMO_IMMUTABLE);
    copy = duplicate(child, ZX_RIGHT_SAME_RIGHTS);
    EXPECT(info_of(copy).flags & ZX_INFO_VMO_IMMUTABLE);
    close_handle(copy);
    close_handle(child);
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        ASSERT_OK(zx_vmo_create_child(vmo, other[i], 0, PAGE, &child));
        EXPECT_EQ(info_of(child).flags & ZX_INFO_VMO_IMMUTABLE, 0);
        close_handle(child);
    }
    close_handle(vmo);
}

TEST(vmo_usage, mappings_tell_the_same)
{
    zx_handle_t vmo = vmo_filled(4), child = snapshot(vmo, 0, 2 * PAGE);
    zx_vaddr_t addr = map_anywhere(RW, vmo, 3 * PAGE);
    zx_info_maps_t info;

    ASSERT(find_mapping(addr, &info));
    EXPECT_EQ(info.u.mapping.committed_bytes, 3 * PAGE);
    EXPECT_EQ(info.u.mapping.populated_bytes, 3 * PAGE);
    EXPECT_EQ(info.u.mapping.committed_private_bytes, PAGE);
    EXPECT_EQ(info.u.mapping.populated_private_bytes, PAGE);
    EXPECT_EQ(info.u.mapping.committed_scaled_bytes, 2 * PAGE);
    EXPECT_EQ(info.u.mapping.populated_scaled_bytes, 2 * PAGE);
    EXPECT_EQ(info.u.mapping.committed_fractional_scaled_bytes, 0);
    unmap(addr, 3 * PAGE);
    close_handle(child);
    close_handle(vmo);
}

/* A process that is never started: nothing else is mapped there. */
TEST(vmo_usage, shared_and_private_memory_of_a_process)
{
    zx_handle_t process[2], vmar[2], own = vmo_filled(2), shared = vmo_filled(3), child;
    zx_info_task_stats_t stats;
    zx_vaddr_t addr;

    for (size_t i = 0; i < 2; i++) {
        ASSERT_OK(zx_process_create(zx_job_default(), "usage", 5, 0, &process[i], &vmar[i]));
        ASSERT_OK(zx_vmar_map(vmar[i], ZX_VM_PERM_READ, 0, shared, 0, 3 * PAGE, &addr));
    }
    ASSERT_OK(zx_vmar_map(vmar[0], ZX_VM_PERM_READ, 0, own, 0, 2 * PAGE, &addr));
    ASSERT_OK(
        zx_object_get_info(process[0], ZX_INFO_TASK_STATS, &stats, sizeof(stats), NULL, NULL));
    EXPECT_EQ(stats.mem_mapped_bytes, 5 * PAGE);
    EXPECT_EQ(stats.mem_private_bytes, 2 * PAGE);
    EXPECT_EQ(stats.mem_shared_bytes, 3 * PAGE);
    EXPECT_EQ(stats.mem_scaled_shared_bytes, 3 * PAGE / 2);
    EXPECT_EQ(stats.mem_fractional_scaled_shared_bytes, 0);
    /* Pages that a copy on write shares are shared too, wherever the copy is. */
    child = snapshot(own, 0, PAGE);
    ASSERT_OK(
        zx_object_get_info(process[0], ZX_INFO_TASK_STATS, &stats, sizeof(stats), NULL, NULL));
    EXPECT_EQ(stats.mem_private_bytes, PAGE);
    EXPECT_EQ(stats.mem_shared_bytes, 4 * PAGE);
    EXPECT_EQ(stats.mem_scaled_shared_bytes, 2 * PAGE);
    close_handle(child);
    close_handle(vmar[1]);
    close_handle(process[1]);
    ASSERT_OK(
        zx_object_get_info(process[0], ZX_INFO_TASK_STATS, &stats, sizeof(stats), NULL, NULL));
    EXPECT_EQ(stats.mem_private_bytes, 5 * PAGE);
    EXPECT_EQ(stats.mem_shared_bytes, 0);
    EXPECT_EQ(stats.mem_scaled_shared_bytes, 0);
    close_handle(vmar[0]);
    close_handle(process[0]);
    close_handle(own);
    close_handle(shared);
}
