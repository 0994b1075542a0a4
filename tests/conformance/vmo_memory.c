/* Memory objects of special kinds: discardable, unbounded, contiguous, physical, not cached; moving
 * pages between them; range operations at their edges. */
#include "tests/conformance/util.h"
#include "userland/crt/startup.h"

static zx_status_t op(zx_handle_t vmo, uint32_t what, uint64_t offset, uint64_t size)
{
    return zx_vmo_op_range(vmo, what, offset, size, NULL, 0);
}

static zx_info_vmo_t info_of(zx_handle_t vmo)
{
    zx_info_vmo_t info = {0};
    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    return info;
}

static zx_handle_t vmo_with(uint64_t size, uint32_t options)
{
    zx_handle_t vmo = ZX_HANDLE_INVALID;
    ASSERT_OK(zx_vmo_create(size, options, &vmo));
    return vmo;
}

/* ---- Discardable ---- */

TEST(vmo_memory, lock_and_unlock)
{
    zx_handle_t vmo = vmo_with(2 * PAGE, ZX_VMO_DISCARDABLE);
    zx_vmo_lock_state_t state = {1, 1, 1, 1};

    EXPECT_EQ(info_of(vmo).flags & ZX_INFO_VMO_DISCARDABLE, ZX_INFO_VMO_DISCARDABLE);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_UNLOCK, 0, 2 * PAGE), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, 2 * PAGE, &state, sizeof(state)));
    EXPECT_EQ(state.offset, 0);
    EXPECT_EQ(state.size, 2 * PAGE);
    EXPECT_EQ(state.discarded_offset, 0);
    EXPECT_EQ(state.discarded_size, 0);
    EXPECT_OK(op(vmo, ZX_VMO_OP_TRY_LOCK, 0, 2 * PAGE)); /* locks add up */
    EXPECT_OK(op(vmo, ZX_VMO_OP_UNLOCK, 0, 2 * PAGE));
    EXPECT_OK(op(vmo, ZX_VMO_OP_UNLOCK, 0, 2 * PAGE));
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_UNLOCK, 0, 2 * PAGE), ZX_ERR_BAD_STATE);
    close_handle(vmo);
}

TEST(vmo_memory, lock_of_less_than_all)
{
    zx_handle_t vmo = vmo_with(2 * PAGE, ZX_VMO_DISCARDABLE);
    zx_vmo_lock_state_t state;

    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, PAGE, &state, sizeof(state)),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_TRY_LOCK, PAGE, PAGE), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_TRY_LOCK, 0, 3 * PAGE), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_UNLOCK, 0, PAGE), ZX_ERR_OUT_OF_RANGE);
    close_handle(vmo);
}

TEST(vmo_memory, lock_needs_a_buffer)
{
    zx_handle_t vmo = vmo_with(PAGE, ZX_VMO_DISCARDABLE);
    zx_vmo_lock_state_t state;

    EXPECT_STATUS(op(vmo, ZX_VMO_OP_LOCK, 0, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, PAGE, &state, sizeof(state) - 1),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(
        zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, PAGE, (void *)KERNEL_ADDRESS, sizeof(state)),
        ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_UNLOCK, 0, PAGE), ZX_ERR_BAD_STATE);
    close_handle(vmo);
}

TEST(vmo_memory, lock_needs_read_or_write)
{
    zx_handle_t vmo = vmo_with(PAGE, ZX_VMO_DISCARDABLE);
    zx_handle_t reader = duplicate_without(vmo, ZX_RIGHT_WRITE);
    zx_handle_t neither = duplicate_without(vmo, ZX_RIGHT_READ | ZX_RIGHT_WRITE);

    EXPECT_OK(op(reader, ZX_VMO_OP_TRY_LOCK, 0, PAGE));
    EXPECT_STATUS(op(neither, ZX_VMO_OP_UNLOCK, 0, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(op(reader, ZX_VMO_OP_UNLOCK, 0, PAGE));
    close_handle(neither);
    close_handle(reader);
    close_handle(vmo);
}

TEST(vmo_memory, discardable_ones_have_no_children)
{
    zx_handle_t vmo = vmo_with(PAGE, ZX_VMO_DISCARDABLE), child = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, 0, PAGE, &child),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_REFERENCE, 0, 0, &child),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_EQ(child, SENTINEL_HANDLE);
    close_handle(vmo);
}

/* Takes all memory there is: what is unlocked goes, what is locked stays. */
TEST(vmo_memory, discarded_when_memory_runs_out)
{
    const uint64_t size = 64 * PAGE;
    zx_handle_t loose = vmo_with(size, ZX_VMO_DISCARDABLE);
    zx_handle_t held = vmo_with(size, ZX_VMO_DISCARDABLE), hog;
    zx_vmo_lock_state_t state;
    uint64_t offset = 0, word;

    ASSERT_OK(op(loose, ZX_VMO_OP_TRY_LOCK, 0, size));
    ASSERT_OK(op(held, ZX_VMO_OP_TRY_LOCK, 0, size));
    ASSERT_OK(op(loose, ZX_VMO_OP_COMMIT, 0, size));
    ASSERT_OK(op(held, ZX_VMO_OP_COMMIT, 0, size));
    vmo_store(loose, PAGE, 5);
    vmo_store(held, PAGE, 6);
    zx_vaddr_t addr = map_anywhere(ZX_VM_PERM_READ | ZX_VM_ALLOW_FAULTS, loose, size);
    EXPECT_EQ(load(addr + PAGE), 5);
    ASSERT_OK(op(loose, ZX_VMO_OP_UNLOCK, 0, size));
    hog = vmo_with(zx_system_get_physmem(), 0);
    while (op(hog, ZX_VMO_OP_COMMIT, offset, 64 * PAGE) == ZX_OK)
        offset += 64 * PAGE;
    close_handle(hog);
    EXPECT_EQ(info_of(loose).committed_bytes, 0);
    EXPECT(!can_read(addr + PAGE));
    EXPECT_STATUS(zx_vmo_read(loose, &word, 0, 8), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_vmo_write(loose, &word, 0, 8), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(op(loose, ZX_VMO_OP_COMMIT, 0, PAGE), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(op(loose, ZX_VMO_OP_TRY_LOCK, 0, size), ZX_ERR_UNAVAILABLE);
    ASSERT_OK(zx_vmo_op_range(loose, ZX_VMO_OP_LOCK, 0, size, &state, sizeof(state)));
    EXPECT_EQ(state.discarded_offset, 0);
    EXPECT_EQ(state.discarded_size, size);
    EXPECT_EQ(load(addr + PAGE), 0);
    EXPECT_EQ(info_of(held).committed_bytes, size);
    EXPECT_EQ(vmo_load(held, PAGE), 6);
    unmap(addr, size);
    close_handle(held);
    close_handle(loose);
}

/* ---- Unbounded ---- */

TEST(vmo_memory, unbounded)
{
    zx_handle_t vmo = vmo_with(PAGE + 5, ZX_VMO_UNBOUNDED), none = SENTINEL_HANDLE;
    uint64_t size = 0;

    ASSERT_OK(zx_vmo_get_size(vmo, &size));
    EXPECT(size >= UINT64_MAX - 64 * PAGE);
    ASSERT_OK(zx_vmo_get_stream_size(vmo, &size));
    EXPECT_EQ(size, PAGE + 5);
    vmo_store(vmo, 1ull << 40, 3);
    EXPECT_EQ(vmo_load(vmo, 1ull << 40), 3);
    EXPECT_STATUS(zx_vmo_set_size(vmo, PAGE), ZX_ERR_UNAVAILABLE);
    ASSERT_OK(zx_vmo_set_stream_size(vmo, 1ull << 41));
    EXPECT_EQ(vmo_load(vmo, 1ull << 40), 0);
    EXPECT_EQ(info_of(vmo).committed_bytes, 0);
    EXPECT_STATUS(zx_vmo_create(PAGE, ZX_VMO_UNBOUNDED | ZX_VMO_RESIZABLE, &none),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(none, SENTINEL_HANDLE);
    close_handle(vmo);
}

/* ---- Cache policy ---- */

TEST(vmo_memory, cache_policy)
{
    zx_handle_t vmo = vmo_new(PAGE), weak = duplicate_without(vmo, ZX_RIGHT_MAP), child;
    uint64_t word = 0;

    EXPECT_STATUS(zx_vmo_set_cache_policy(vmo, 4), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_set_cache_policy(weak, ZX_CACHE_POLICY_UNCACHED), ZX_ERR_ACCESS_DENIED);
    for (uint32_t policy = 1; policy <= 3; policy++) {
        ASSERT_OK(zx_vmo_set_cache_policy(vmo, policy));
        EXPECT_EQ(info_of(vmo).cache_policy, policy);
    }
    EXPECT_STATUS(zx_vmo_read(vmo, &word, 0, 8), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmo_write(vmo, &word, 0, 8), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child),
                  ZX_ERR_BAD_STATE);
    zx_vaddr_t addr = map_anywhere(RW, vmo, PAGE);
    store(addr, 7);
    EXPECT_EQ(load(addr), 7);
    EXPECT_STATUS(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_CACHED), ZX_ERR_BAD_STATE);
    unmap(addr, PAGE);
    ASSERT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_CACHED));
    EXPECT_EQ(vmo_load(vmo, 0), 7);
    close_handle(weak);
    close_handle(vmo);
}

TEST(vmo_memory, cache_policy_of_relatives)
{
    zx_handle_t vmo = vmo_new(PAGE), child;

    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child));
    EXPECT_STATUS(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmo_set_cache_policy(child, ZX_CACHE_POLICY_UNCACHED), ZX_ERR_BAD_STATE);
    close_handle(child);
    EXPECT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    close_handle(vmo);
}

/* ---- Contiguous and physical ---- */

TEST(vmo_memory, contiguous)
{
    zx_handle_t vmo = SENTINEL_HANDLE, child = SENTINEL_HANDLE, event;

    EXPECT_STATUS(zx_vmo_create_contiguous(ZX_HANDLE_INVALID, PAGE, 0, &vmo), ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_vmo_create_contiguous(event, PAGE, 0, &vmo), ZX_ERR_WRONG_TYPE);
    close_handle(event);
    EXPECT_STATUS(zx_vmo_create_contiguous(startup_resource(), 0, 0, &vmo), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_contiguous(startup_resource(), PAGE, 11, &vmo),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_contiguous(startup_resource(), PAGE, 64, &vmo),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_contiguous(startup_resource(), 1ul << 50, 0, &vmo),
                  ZX_ERR_NO_MEMORY);
    EXPECT_EQ(vmo, SENTINEL_HANDLE);
    ASSERT_OK(zx_vmo_create_contiguous(startup_resource(), 4 * PAGE + 1, 16, &vmo));
    EXPECT_EQ(info_of(vmo).committed_bytes, 5 * PAGE);
    EXPECT_EQ(info_of(vmo).flags,
              ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_CONTIGUOUS | ZX_INFO_VMO_VIA_HANDLE);
    vmo_store(vmo, PAGE, 3);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_DECOMMIT, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    EXPECT_OK(op(vmo, ZX_VMO_OP_ZERO, 0, 5 * PAGE));
    EXPECT_EQ(vmo_load(vmo, PAGE), 0);
    EXPECT_EQ(info_of(vmo).committed_bytes, 5 * PAGE);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child),
                  ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, PAGE, PAGE, &child));
    EXPECT_EQ(info_of(child).flags & ZX_INFO_VMO_CONTIGUOUS, ZX_INFO_VMO_CONTIGUOUS);
    EXPECT_STATUS(op(child, ZX_VMO_OP_DECOMMIT, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    close_handle(child);
    close_handle(vmo);
}

/* Nothing is touched there: it need not exist. */
#define DEVICE_ADDRESS ((zx_paddr_t)0x1000)

TEST(vmo_memory, physical)
{
    zx_handle_t vmo = SENTINEL_HANDLE, child = SENTINEL_HANDLE;
    zx_handle_t root = startup_resource();
    uint64_t word = 0;
    size_t actual;

    EXPECT_STATUS(zx_vmo_create_physical(ZX_HANDLE_INVALID, DEVICE_ADDRESS, PAGE, &vmo),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_create_physical(zx_process_self(), DEVICE_ADDRESS, PAGE, &vmo),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmo_create_physical(root, DEVICE_ADDRESS + 1, PAGE, &vmo),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_physical(root, DEVICE_ADDRESS, 0, &vmo), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_physical(root, DEVICE_ADDRESS, SIZE_MAX, &vmo),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_physical(root, 1ul << 56, PAGE, &vmo), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_physical(root, 0, 1ul << 55, &vmo), ZX_ERR_OUT_OF_RANGE); /* RAM */
    EXPECT_EQ(vmo, SENTINEL_HANDLE);
    ASSERT_OK(zx_vmo_create_physical(root, DEVICE_ADDRESS, 4 * PAGE, &vmo));
    EXPECT_EQ(info_of(vmo).flags, ZX_INFO_VMO_TYPE_PHYSICAL | ZX_INFO_VMO_VIA_HANDLE);
    EXPECT_EQ(info_of(vmo).cache_policy, ZX_CACHE_POLICY_UNCACHED);
    EXPECT_STATUS(zx_vmo_read(vmo, &word, 0, 8), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_DECOMMIT, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_ZERO, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_REFERENCE, 0, 0, &child),
                  ZX_ERR_NOT_SUPPORTED);
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, PAGE, PAGE, &child));
    EXPECT_EQ(info_of(child).cache_policy, ZX_CACHE_POLICY_UNCACHED);
    zx_vaddr_t addr = map_anywhere(RW, child, PAGE);
    EXPECT_STATUS(zx_vmar_op_range(zx_vmar_root_self(), ZX_VMAR_OP_DECOMMIT, addr, PAGE, NULL, 0),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_process_read_memory(zx_process_self(), addr, &word, 8, &actual),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_process_write_memory(zx_process_self(), addr, &word, 8, &actual),
                  ZX_ERR_NOT_SUPPORTED);
    unmap(addr, PAGE);
    close_handle(child);
    close_handle(vmo);
}

/* ---- Range operations ---- */

TEST(vmo_memory, cache_operations)
{
    static const uint32_t ops[] = {ZX_VMO_OP_CACHE_SYNC, ZX_VMO_OP_CACHE_CLEAN,
                                   ZX_VMO_OP_CACHE_CLEAN_INVALIDATE, ZX_VMO_OP_CACHE_INVALIDATE};
    zx_handle_t vmo = vmo_new(2 * PAGE), no_read = duplicate_without(vmo, ZX_RIGHT_READ);
    zx_handle_t no_write = duplicate_without(vmo, ZX_RIGHT_WRITE);

    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        bool invalidates = ops[i] == ZX_VMO_OP_CACHE_INVALIDATE;
        EXPECT_OK(op(invalidates ? no_read : no_write, ops[i], 3, PAGE));
        EXPECT_STATUS(op(vmo, ops[i], 0, 0), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(op(vmo, ops[i], PAGE, PAGE + 1), ZX_ERR_OUT_OF_RANGE);
        EXPECT_STATUS(op(vmo, ops[i], UINT64_MAX, PAGE), ZX_ERR_OUT_OF_RANGE);
        EXPECT_STATUS(op(invalidates ? no_write : no_read, ops[i], 0, PAGE), ZX_ERR_ACCESS_DENIED);
    }
    EXPECT_EQ(info_of(vmo).committed_bytes, 0);
    /* Nothing that was written is lost. */
    vmo_store(vmo, 0, 42);
    EXPECT_OK(op(vmo, ZX_VMO_OP_CACHE_INVALIDATE, 0, PAGE));
    EXPECT_EQ(vmo_load(vmo, 0), 42);
    close_handle(no_write);
    close_handle(no_read);
    close_handle(vmo);
}

TEST(vmo_memory, rights_of_range_operations)
{
    zx_handle_t vmo = vmo_new(PAGE), no_write = duplicate_without(vmo, ZX_RIGHT_WRITE);
    zx_handle_t no_read = duplicate_without(vmo, ZX_RIGHT_READ);

    EXPECT_STATUS(op(no_write, ZX_VMO_OP_COMMIT, 0, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(op(no_write, ZX_VMO_OP_DECOMMIT, 0, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(op(no_write, ZX_VMO_OP_ZERO, 0, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(op(no_read, ZX_VMO_OP_PREFETCH, 0, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(op(no_read, ZX_VMO_OP_COMMIT, 0, PAGE));
    EXPECT_OK(op(no_write, ZX_VMO_OP_PREFETCH, 0, PAGE));
    close_handle(no_read);
    close_handle(no_write);
    close_handle(vmo);
}

TEST(vmo_memory, hints)
{
    static const uint32_t ops[] = {ZX_VMO_OP_PREFETCH, ZX_VMO_OP_DONT_NEED, ZX_VMO_OP_ALWAYS_NEED};
    zx_handle_t vmo = vmo_new(2 * PAGE);

    vmo_store(vmo, 0, 1);
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        EXPECT_OK(op(vmo, ops[i], 0, 2 * PAGE));
        EXPECT_OK(op(vmo, ops[i], 5, 7));
        EXPECT_OK(op(vmo, ops[i], 2 * PAGE, 0));
        EXPECT_STATUS(op(vmo, ops[i], PAGE, 2 * PAGE), ZX_ERR_OUT_OF_RANGE);
    }
    EXPECT_EQ(vmo_load(vmo, 0), 1);
    EXPECT_EQ(info_of(vmo).committed_bytes, PAGE);
    close_handle(vmo);
}

TEST(vmo_memory, ranges_of_no_length)
{
    zx_handle_t vmo = vmo_new(PAGE);

    EXPECT_OK(op(vmo, ZX_VMO_OP_COMMIT, PAGE, 0));
    EXPECT_OK(op(vmo, ZX_VMO_OP_DECOMMIT, PAGE, 0));
    EXPECT_OK(op(vmo, ZX_VMO_OP_ZERO, 1, 0));
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_ZERO, PAGE + 1, 0), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_COMMIT, PAGE + 1, 0), ZX_ERR_OUT_OF_RANGE);
    EXPECT_EQ(info_of(vmo).committed_bytes, 0);
    close_handle(vmo);
}

/* ---- zx_vmo_transfer_data ---- */

TEST(vmo_memory, transfer)
{
    zx_handle_t src = vmo_new(4 * PAGE), dst = vmo_new(8 * PAGE);
    zx_vaddr_t from = map_anywhere(RW, src, 4 * PAGE), to = map_anywhere(RW, dst, 8 * PAGE);

    store(from + PAGE, 1);
    store(from + 3 * PAGE, 3);
    store(to + 4 * PAGE, 44);
    store(to + 5 * PAGE, 55);
    ASSERT_OK(zx_vmo_transfer_data(dst, 0, 4 * PAGE, 3 * PAGE, src, 0));
    EXPECT_EQ(load(to + 4 * PAGE), 0);
    EXPECT_EQ(load(to + 5 * PAGE), 1);
    EXPECT_EQ(load(to + 6 * PAGE), 0);
    EXPECT_EQ(load(from + PAGE), 0);
    EXPECT_EQ(load(from + 3 * PAGE), 3);
    EXPECT_EQ(info_of(dst).committed_bytes, PAGE);
    EXPECT_EQ(info_of(src).committed_bytes, PAGE);
    /* Onto itself: nothing to do. */
    ASSERT_OK(zx_vmo_transfer_data(dst, 0, 0, 8 * PAGE, dst, 0));
    EXPECT_EQ(load(to + 5 * PAGE), 1);
    unmap(from, 4 * PAGE);
    unmap(to, 8 * PAGE);
    close_handle(src);
    close_handle(dst);
}

TEST(vmo_memory, transfer_out_of_a_snapshot_leaves_its_parent)
{
    zx_handle_t parent = vmo_new(2 * PAGE), child, dst = vmo_new(2 * PAGE);

    vmo_store(parent, PAGE, 9);
    ASSERT_OK(zx_vmo_create_child(parent, ZX_VMO_CHILD_SNAPSHOT, 0, 2 * PAGE, &child));
    ASSERT_OK(zx_vmo_transfer_data(dst, 0, 0, 2 * PAGE, child, 0));
    EXPECT_EQ(vmo_load(dst, PAGE), 9);
    EXPECT_EQ(vmo_load(child, PAGE), 0);
    EXPECT_EQ(vmo_load(parent, PAGE), 9);
    close_handle(dst);
    close_handle(child);
    close_handle(parent);
}

TEST(vmo_memory, transfer_errors)
{
    zx_handle_t a = vmo_new(2 * PAGE), b = vmo_new(2 * PAGE);
    zx_handle_t b_no_read = duplicate_without(b, ZX_RIGHT_READ);
    zx_handle_t b_no_write = duplicate_without(b, ZX_RIGHT_WRITE);
    zx_handle_t odd = vmo_with(2 * PAGE, ZX_VMO_DISCARDABLE);

    EXPECT_STATUS(zx_vmo_transfer_data(a, 1, 0, PAGE, b, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_transfer_data(a, 0, 1, PAGE, b, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_transfer_data(a, 0, 0, PAGE - 1, b, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_transfer_data(a, 0, 0, PAGE, b, 8), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_transfer_data(a, 0, 0, 3 * PAGE, b, 0), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_transfer_data(a, 0, 0, 2 * PAGE, b, PAGE), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_transfer_data(b_no_write, 0, 0, PAGE, a, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmo_transfer_data(a, 0, 0, PAGE, b_no_write, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmo_transfer_data(a, 0, 0, PAGE, b_no_read, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmo_transfer_data(a, 0, 0, PAGE, odd, 0), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_vmo_transfer_data(a, 0, 0, PAGE, zx_process_self(), 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmo_transfer_data(ZX_HANDLE_INVALID, 0, 0, PAGE, a, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_OK(zx_vmo_transfer_data(a, 0, 0, 0, b, 0));
    ASSERT_OK(zx_vmo_set_cache_policy(b, ZX_CACHE_POLICY_UNCACHED));
    EXPECT_STATUS(zx_vmo_transfer_data(a, 0, 0, PAGE, b, 0), ZX_ERR_BAD_STATE);
    close_handle(odd);
    close_handle(b_no_write);
    close_handle(b_no_read);
    close_handle(b);
    close_handle(a);
}

/* ---- Pagers ---- */

TEST(vmo_memory, there_are_no_pagers)
{
    zx_handle_t handle = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_pager_create(0, &handle), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_pager_create_vmo(ZX_HANDLE_INVALID, 0, ZX_HANDLE_INVALID, 0, PAGE, &handle),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_EQ(handle, SENTINEL_HANDLE);
    EXPECT_STATUS(zx_vmo_create(PAGE, ZX_VMO_TRAP_DIRTY, &handle), ZX_ERR_NOT_SUPPORTED);
    EXPECT_EQ(handle, SENTINEL_HANDLE);
}
