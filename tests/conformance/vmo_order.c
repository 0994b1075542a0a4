/* Which of two errors a call on a memory object says, and limits that only show at the edge. */
#include "tests/conformance/util.h"

#define VMO_MAX (UINT64_MAX - 64 * PAGE + 1)
#define BAD     ZX_HANDLE_INVALID

static zx_status_t create(uint64_t size, uint32_t options)
{
    zx_handle_t vmo = SENTINEL_HANDLE;
    zx_status_t status = zx_vmo_create(size, options, &vmo);

    if (status == ZX_OK)
        close_handle(vmo);
    else
        EXPECT_EQ(vmo, SENTINEL_HANDLE);
    return status;
}

static zx_status_t child(zx_handle_t parent, uint32_t options, uint64_t offset, uint64_t size)
{
    zx_handle_t vmo = SENTINEL_HANDLE;
    zx_status_t status = zx_vmo_create_child(parent, options, offset, size, &vmo);

    if (status == ZX_OK)
        close_handle(vmo);
    else
        EXPECT_EQ(vmo, SENTINEL_HANDLE);
    return status;
}

TEST(vmo_order, the_largest_size)
{
    zx_handle_t vmo;
    uint64_t size = 0;

    EXPECT_OK(create(VMO_MAX, 0));
    EXPECT_OK(create(VMO_MAX - 1, 0));
    EXPECT_STATUS(create(VMO_MAX + 1, 0), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(create(UINT64_MAX - PAGE + 1, 0), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(create(UINT64_MAX, 0), ZX_ERR_OUT_OF_RANGE);
    ASSERT_OK(zx_vmo_create(0, ZX_VMO_RESIZABLE, &vmo));
    EXPECT_STATUS(zx_vmo_set_size(vmo, VMO_MAX + 1), ZX_ERR_OUT_OF_RANGE);
    EXPECT_OK(zx_vmo_set_size(vmo, VMO_MAX));
    vmo_store(vmo, VMO_MAX - 8, 42);
    EXPECT_EQ(vmo_load(vmo, VMO_MAX - 8), 42);
    EXPECT_OK(child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, VMO_MAX));
    EXPECT_STATUS(child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, VMO_MAX + 1), ZX_ERR_OUT_OF_RANGE);
    close_handle(vmo);
    ASSERT_OK(zx_vmo_create(1, ZX_VMO_UNBOUNDED, &vmo));
    EXPECT_OK(zx_vmo_get_size(vmo, &size));
    EXPECT_EQ(size, VMO_MAX);
    close_handle(vmo);
}

/* A slice that leaves its parent is told so before anything about the parent's kind. */
TEST(vmo_order, slices)
{
    zx_handle_t vmo = vmo_new_resizable(2 * PAGE);
    const uint64_t last = UINT64_MAX - PAGE + 1;
    const uint32_t slice = ZX_VMO_CHILD_SLICE;

    EXPECT_STATUS(child(vmo, slice, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(child(vmo, slice, 0, 3 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(child(vmo, slice, PAGE, 2 * PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(child(vmo, slice, 3 * PAGE, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(child(vmo, slice, last, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(child(vmo, slice, 0, last), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(child(vmo, slice, 0, UINT64_MAX), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(child(vmo, slice, last, last), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(child(vmo, slice | ZX_VMO_CHILD_RESIZABLE, 0, PAGE), ZX_ERR_INVALID_ARGS);
    close_handle(vmo);
    vmo = vmo_new(2 * PAGE);
    EXPECT_STATUS(child(vmo, slice, last, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(child(vmo, slice, 1, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(child(vmo, slice, 2 * PAGE, 0));
    EXPECT_OK(child(vmo, slice, 0, 0));
    EXPECT_STATUS(child(vmo, ZX_VMO_CHILD_SNAPSHOT, last, PAGE), ZX_ERR_OUT_OF_RANGE);
    close_handle(vmo);
}

TEST(vmo_order, resizing)
{
    zx_handle_t fixed = vmo_new(PAGE), resizable = vmo_new_resizable(PAGE);
    zx_handle_t no_write = duplicate_without(resizable, ZX_RIGHT_WRITE);
    zx_handle_t no_resize = duplicate_without(resizable, ZX_RIGHT_RESIZE);
    uint64_t size;

    EXPECT_STATUS(zx_vmo_set_size(fixed, PAGE), ZX_ERR_UNAVAILABLE);
    EXPECT_STATUS(zx_vmo_set_size(fixed, UINT64_MAX), ZX_ERR_UNAVAILABLE);
    EXPECT_STATUS(zx_vmo_set_size(no_resize, UINT64_MAX), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmo_set_size(no_write, 2 * PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmo_get_size(resizable, &size));
    EXPECT_EQ(size, PAGE);
    close_handle(fixed);
    close_handle(resizable);
    close_handle(no_write);
    close_handle(no_resize);
}

TEST(vmo_order, locks)
{
    zx_vmo_lock_state_t state = {.size = 77};
    zx_handle_t vmo = vmo_new(2 * PAGE);
    char small[sizeof(state) - 1];

    /* Whether it can be locked at all comes before the buffer. */
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, 2 * PAGE, NULL, 0), ZX_ERR_NOT_SUPPORTED);
    close_handle(vmo);
    ASSERT_OK(zx_vmo_create(2 * PAGE, ZX_VMO_DISCARDABLE, &vmo));
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, PAGE, NULL, 0), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, PAGE, &state, sizeof(state)),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, 2 * PAGE, NULL, sizeof(state)),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, 2 * PAGE, small, sizeof(small)),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(state.size, 77);
    /* None of these left a lock behind. */
    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_UNLOCK, 0, 2 * PAGE, NULL, 0), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, 2 * PAGE, &state, sizeof(state)));
    EXPECT_EQ(state.offset, 0);
    EXPECT_EQ(state.size, 2 * PAGE);
    EXPECT_EQ(state.discarded_size, 0);
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_UNLOCK, 0, 2 * PAGE, NULL, 0));
    close_handle(vmo);
}

TEST(vmo_order, transfers)
{
    zx_handle_t vmo = vmo_new(PAGE);

    EXPECT_STATUS(zx_vmo_transfer_data(BAD, 1, 0, PAGE, BAD, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_transfer_data(BAD, 0, 1, PAGE, BAD, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_transfer_data(BAD, 0, 0, PAGE, vmo, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_transfer_data(vmo, 0, 0, PAGE - 1, BAD, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_transfer_data(BAD, 0, 0, PAGE, vmo, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_transfer_data(vmo, 0, 0, PAGE, BAD, 0), ZX_ERR_BAD_HANDLE);
    close_handle(vmo);
}

/* Through a VMAR, as through the VMO: what is not there cannot be fetched. */
TEST(vmo_order, prefetch_past_the_end)
{
    zx_handle_t vmo = vmo_new(PAGE);
    zx_vaddr_t addr = map_anywhere(RW | ZX_VM_ALLOW_FAULTS, vmo, 2 * PAGE);
    zx_handle_t root = zx_vmar_root_self();

    EXPECT_OK(zx_vmar_op_range(root, ZX_VMAR_OP_PREFETCH, addr, PAGE, NULL, 0));
    EXPECT_STATUS(zx_vmar_op_range(root, ZX_VMAR_OP_PREFETCH, addr, 2 * PAGE, NULL, 0),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmar_op_range(root, ZX_VMAR_OP_COMMIT, addr + PAGE, PAGE, NULL, 0),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmar_op_range(root, ZX_VMAR_OP_DECOMMIT, addr, 2 * PAGE, NULL, 0),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_OK(zx_vmar_op_range(root, ZX_VMAR_OP_MAP_RANGE, addr, 2 * PAGE, NULL, 0));
    EXPECT_OK(zx_vmar_op_range(root, ZX_VMAR_OP_DONT_NEED, addr, 2 * PAGE, NULL, 0));
    unmap(addr, 2 * PAGE);
    close_handle(vmo);
}

/* RISC-V can map memory that may be executed and not read. */
TEST(vmo_order, read_if_execute_only_is_not_there)
{
    const zx_vm_option_t xom = ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED;
    zx_handle_t vmo = vmo_new(PAGE);
    zx_vaddr_t addr = map_anywhere(xom, vmo, PAGE);
    zx_handle_t root = zx_vmar_root_self();

    EXPECT(!can_read(addr));
    EXPECT_OK(zx_vmar_protect(root, ZX_VM_PERM_READ | xom, addr, PAGE));
    EXPECT(can_read(addr) && !can_write(addr));
    EXPECT_OK(zx_vmar_protect(root, RW | xom, addr, PAGE));
    EXPECT(can_write(addr));
    EXPECT_OK(zx_vmar_protect(root, xom, addr, PAGE));
    EXPECT(!can_read(addr));
    EXPECT_STATUS(zx_vmar_protect(root, ZX_VM_PERM_WRITE | xom, addr, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_protect(root, xom | ZX_VM_MAP_RANGE, addr, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmar_protect(root, xom | ZX_VM_ALIGN_4KB, addr, PAGE), ZX_ERR_INVALID_ARGS);
    unmap(addr, PAGE);
    close_handle(vmo);
}

/* A resizable reference can resize its parent: only who could do that may make one. */
TEST(vmo_order, resizable_references)
{
    const uint32_t options = ZX_VMO_CHILD_REFERENCE | ZX_VMO_CHILD_RESIZABLE;
    zx_handle_t vmo = vmo_new_resizable(PAGE), weak = duplicate_without(vmo, ZX_RIGHT_RESIZE);
    zx_handle_t fixed = vmo_new(PAGE), reference;
    uint64_t size;

    EXPECT_STATUS(child(weak, options, 0, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(child(fixed, options, 0, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(child(weak, ZX_VMO_CHILD_REFERENCE, 0, 0));
    EXPECT_OK(child(weak, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE, 0, PAGE));
    ASSERT_OK(zx_vmo_create_child(vmo, options, 0, 0, &reference));
    EXPECT_OK(zx_vmo_set_size(reference, 2 * PAGE + 1));
    EXPECT_OK(zx_vmo_get_size(vmo, &size));
    EXPECT_EQ(size, 3 * PAGE);
    EXPECT_OK(zx_vmo_get_stream_size(vmo, &size));
    EXPECT_EQ(size, 2 * PAGE + 1);
    close_handle(reference);
    close_handle(fixed);
    close_handle(weak);
    close_handle(vmo);
}
