/* Reading and writing memory objects. */
#include "kernel/sched/thread.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

struct copy_target {
    uintptr_t user;
};

/* A bad buffer of the caller's is a range that is not there. A buffer can show the same memory over
 * and over, so a copy can take hours: a thread that is killed must not finish it. */
static zx_status_t copy_status(zx_status_t status)
{
    if (thread_is_killed())
        return ZX_ERR_INTERNAL_INTR_KILLED;
    return status == ZX_ERR_INVALID_ARGS ? ZX_ERR_NOT_FOUND : status;
}

static zx_status_t copy_to_user(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    const struct copy_target *target = ctx;
    return copy_status(arch_copy_to_user(target->user + done_bytes, at, len_bytes));
}

static zx_status_t copy_from_user(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    const struct copy_target *target = ctx;
    return copy_status(arch_copy_from_user(at, target->user + done_bytes, len_bytes));
}

zx_status_t sys_vmo_read(zx_handle_t handle, void __user *buffer, uint64_t offset,
                         size_t buffer_size)
{
    struct copy_target target = {(uintptr_t)buffer};
    struct vmo_object *vmo;
    zx_status_t status = lookup_vmo(handle, ZX_RIGHT_READ, &vmo, NULL);
    if (status != ZX_OK)
        return status;
    status = vmo_read(vmo->vmo, offset, buffer_size, copy_to_user, &target);
    object_put(&vmo->object);
    return status;
}

zx_status_t sys_vmo_write(zx_handle_t handle, const void __user *buffer, uint64_t offset,
                          size_t buffer_size)
{
    struct copy_target target = {(uintptr_t)buffer};
    struct vmo_object *vmo;
    zx_status_t status = lookup_vmo(handle, ZX_RIGHT_WRITE, &vmo, NULL);
    if (status != ZX_OK)
        return status;
    status = vmo_write(vmo->vmo, offset, buffer_size, copy_from_user, &target);
    object_put(&vmo->object);
    return status;
}

zx_status_t sys_vmo_transfer_data(zx_handle_t dst_vmo, uint32_t options, uint64_t offset,
                                  uint64_t length, zx_handle_t src_vmo, uint64_t src_offset)
{
    struct vmo_object *dst, *src;
    zx_status_t status;

    if (options != 0 || !is_aligned(offset | length | src_offset, PAGE_SIZE_BYTES))
        return ZX_ERR_INVALID_ARGS;
    status = lookup_vmo(dst_vmo, ZX_RIGHT_WRITE, &dst, NULL);
    if (status != ZX_OK)
        return status;
    status = lookup_vmo(src_vmo, ZX_RIGHT_READ | ZX_RIGHT_WRITE, &src, NULL);
    if (status == ZX_OK) {
        status = vmo_transfer(dst->vmo, offset, length, src->vmo, src_offset);
        object_put(&src->object);
    }
    object_put(&dst->object);
    return status;
}
