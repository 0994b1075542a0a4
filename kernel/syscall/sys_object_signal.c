/* Signals of any object. */
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

static zx_status_t check_mask(const struct object *object, uint32_t clear_mask, uint32_t set_mask)
{
    uint32_t allowed = object->ops->user_signals;
    if (allowed == 0)
        return ZX_ERR_NOT_SUPPORTED;
    return ((clear_mask | set_mask) & ~allowed) != 0 ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

zx_status_t sys_object_signal(zx_handle_t handle, uint32_t clear_mask, uint32_t set_mask)
{
    struct object *object;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_SIGNAL, &object, NULL);
    if (status != ZX_OK)
        return status;
    status = check_mask(object, clear_mask, set_mask);
    if (status == ZX_OK)
        object_update_signals(object, clear_mask, set_mask);
    object_put(object);
    return status;
}

zx_status_t sys_object_signal_peer(zx_handle_t handle, uint32_t clear_mask, uint32_t set_mask)
{
    struct object *object;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_SIGNAL_PEER, &object, NULL);
    if (status != ZX_OK)
        return status;
    status =
        object->ops->signal_peer ? check_mask(object, clear_mask, set_mask) : ZX_ERR_NOT_SUPPORTED;
    if (status == ZX_OK)
        status = object->ops->signal_peer(object, clear_mask, set_mask);
    object_put(object);
    return status;
}
