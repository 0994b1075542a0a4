/* Memory objects: create, sizes, range operations. Reading and writing is in sys_vmo_copy.c. */
#include "kernel/object/policy.h"
#include "kernel/object/resource.h"
#include "kernel/syscall/abi.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_vmo_create(uint64_t size, uint32_t options, zx_handle_t __user *out)
{
    struct vmo_object *object;
    struct vmo *vmo;
    zx_status_t status = policy_check(ZX_POL_NEW_VMO);
    if (status != ZX_OK)
        return status;
    status = vmo_create(size, options, &vmo);
    if (status != ZX_OK)
        return status;
    status = vmo_object_create(vmo, &object);
    if (status != ZX_OK) {
        vmo_put(vmo);
        return status;
    }
    return user_put_handle(&object->object, vmo_object_rights(object), out);
}

zx_status_t sys_vmo_get_size(zx_handle_t handle, uint64_t __user *size)
{
    struct vmo_object *vmo;
    zx_status_t status = lookup_vmo(handle, 0, &vmo, NULL);
    if (status != ZX_OK)
        return status;
    uint64_t size_bytes = vmo_size_bytes(vmo->vmo);
    object_put(&vmo->object);
    return user_put_u64(size, size_bytes);
}

zx_status_t sys_vmo_set_size(zx_handle_t handle, uint64_t size)
{
    struct vmo_object *vmo;
    zx_rights_t rights;
    zx_status_t status = lookup_vmo(handle, ZX_RIGHT_WRITE, &vmo, &rights);
    if (status != ZX_OK)
        return status;
    if (!vmo_is_resizable(vmo->vmo))
        status = ZX_ERR_UNAVAILABLE;
    else if (!(rights & ZX_RIGHT_RESIZE))
        status = ZX_ERR_ACCESS_DENIED;
    else
        status = vmo_set_size(vmo->vmo, size);
    object_put(&vmo->object);
    return status;
}

zx_status_t sys_vmo_get_stream_size(zx_handle_t handle, uint64_t __user *size)
{
    struct vmo_object *vmo;
    zx_status_t status = lookup_vmo(handle, 0, &vmo, NULL);
    if (status != ZX_OK)
        return status;
    uint64_t size_bytes = vmo_get_stream_size(vmo->vmo);
    object_put(&vmo->object);
    return user_put_u64(size, size_bytes);
}

zx_status_t sys_vmo_set_stream_size(zx_handle_t handle, uint64_t size)
{
    struct vmo_object *vmo;
    zx_status_t status = lookup_vmo(handle, ZX_RIGHT_WRITE, &vmo, NULL);
    if (status != ZX_OK)
        return status;
    status = vmo_set_stream_size(vmo->vmo, size);
    object_put(&vmo->object);
    return status;
}

/* ---- Range operations
 * ------------------------------------------------------------------------------ */

/* One right of |any_of| is enough. */
static zx_status_t check_op(uint32_t op, zx_rights_t rights)
{
    zx_rights_t any_of;

    switch (op) {
    case ZX_VMO_OP_COMMIT:
    case ZX_VMO_OP_DECOMMIT:
    case ZX_VMO_OP_ZERO:
    case ZX_VMO_OP_CACHE_INVALIDATE:
        any_of = ZX_RIGHT_WRITE;
        break;
    case ZX_VMO_OP_CACHE_SYNC:
    case ZX_VMO_OP_CACHE_CLEAN:
    case ZX_VMO_OP_CACHE_CLEAN_INVALIDATE:
    case ZX_VMO_OP_PREFETCH:
        any_of = ZX_RIGHT_READ;
        break;
    case ZX_VMO_OP_LOCK:
    case ZX_VMO_OP_TRY_LOCK:
    case ZX_VMO_OP_UNLOCK:
        any_of = ZX_RIGHT_READ | ZX_RIGHT_WRITE;
        break;
    case ZX_VMO_OP_DONT_NEED:
    case ZX_VMO_OP_ALWAYS_NEED:
        return ZX_OK;
    default:
        return ZX_ERR_INVALID_ARGS;
    }
    return rights & any_of ? ZX_OK : ZX_ERR_ACCESS_DENIED;
}

static zx_status_t check_range(struct vmo *vmo, uint64_t offset, uint64_t size)
{
    uint64_t size_bytes = vmo_size_bytes(vmo);
    return offset <= size_bytes && size <= size_bytes - offset ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
}

/* Devices see what the caches hold, on all machines that Beryl runs on; only instruction fetches
 * do not. So nothing that was written is lost by CACHE_INVALIDATE either. The kernel has no view of
 * physical memory through which it could do any of this. */
static zx_status_t do_cache_op(struct vmo *vmo, uint32_t op, uint64_t offset, uint64_t size)
{
    if (size == 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = check_range(vmo, offset, size);
    if (status == ZX_OK && vmo->kind == VMO_PHYSICAL)
        status = ZX_ERR_NOT_SUPPORTED;
    if (status == ZX_OK && op == ZX_VMO_OP_CACHE_SYNC)
        vmo_sync_icache(vmo, offset, size);
    return status;
}

static zx_status_t do_op(struct vmo *vmo, uint32_t op, uint64_t offset, uint64_t size)
{
    switch (op) {
    case ZX_VMO_OP_COMMIT:
        return vmo_commit(vmo, offset, size);
    case ZX_VMO_OP_DECOMMIT:
        return vmo_decommit(vmo, offset, size);
    case ZX_VMO_OP_ZERO:
        return vmo_zero(vmo, offset, size);
    case ZX_VMO_OP_TRY_LOCK:
        return vmo_try_lock_contents(vmo, offset, size);
    case ZX_VMO_OP_UNLOCK:
        return vmo_unlock_contents(vmo, offset, size);
    case ZX_VMO_OP_PREFETCH:
    case ZX_VMO_OP_DONT_NEED:
    case ZX_VMO_OP_ALWAYS_NEED:
        /* Hints succeed on any range inside the VMO: nothing is ever paged out. */
        return check_range(vmo, offset, size);
    default:
        return do_cache_op(vmo, op, offset, size);
    }
}

/* The one operation that answers. */
static zx_status_t do_lock(struct vmo *vmo, uint64_t offset, uint64_t size, void __user *buffer,
                           size_t buffer_size)
{
    zx_vmo_lock_state_t state;

    /* A lock that nobody hears of would take the news of a discard with it. */
    zx_status_t status = vmo_check_lockable(vmo, offset, size);
    if (status == ZX_OK && buffer_size < sizeof(state))
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = arch_probe_user_write((uintptr_t)buffer, sizeof(state));
    if (status == ZX_OK)
        status = vmo_lock_contents(vmo, offset, size, &state);
    if (status != ZX_OK)
        return status;
    status = user_copy_out(buffer, &state, sizeof(state));
    if (status != ZX_OK) /* somebody took the buffer away meanwhile */
        vmo_undo_lock(vmo, &state);
    return status;
}

zx_status_t sys_vmo_op_range(zx_handle_t handle, uint32_t op, uint64_t offset, uint64_t size,
                             void __user *buffer, size_t buffer_size)
{
    struct vmo_object *vmo;
    zx_rights_t rights;
    zx_status_t status = lookup_vmo(handle, 0, &vmo, &rights);
    if (status != ZX_OK)
        return status;
    status = check_op(op, rights);
    if (status == ZX_OK)
        status = op == ZX_VMO_OP_LOCK ? do_lock(vmo->vmo, offset, size, buffer, buffer_size)
                                      : do_op(vmo->vmo, op, offset, size);
    object_put(&vmo->object);
    return status;
}

/* ---- Executable
 * ------------------------------------------------------------------------------------ */

/* ZX_HANDLE_INVALID will do: there are no job policies that forbid it. */
static zx_status_t check_vmex(zx_handle_t vmex)
{
    if (vmex == ZX_HANDLE_INVALID)
        return policy_check(ZX_POL_AMBIENT_MARK_VMO_EXEC);
    return resource_check_system(vmex, ZX_RSRC_SYSTEM_VMEX_BASE);
}

zx_status_t sys_vmo_replace_as_executable(zx_handle_t handle, zx_handle_t vmex,
                                          zx_handle_t __user *out)
{
    zx_status_t status = check_vmex(vmex);
    struct handle *source = handle_table_remove(handle_table_current(), handle);
    if (source == NULL)
        return status != ZX_OK ? status : ZX_ERR_BAD_HANDLE;
    if (source->object->ops->type != ZX_OBJ_TYPE_VMO)
        status =
            abi_replace_as_executable_knows_wrong_type() ? ZX_ERR_WRONG_TYPE : ZX_ERR_BAD_HANDLE;
    if (status != ZX_OK) {
        handle_close(source);
        return status;
    }
    object_get(source->object);
    struct object *object = source->object;
    status = user_put_handle(object, source->rights | ZX_RIGHT_EXECUTE, out);
    handle_close(source); /* after the new one is there, so that the VMO never has no handle */
    return status;
}
