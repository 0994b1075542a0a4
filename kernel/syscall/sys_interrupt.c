/* Interrupts. Those of devices are the kernel's own: there are only virtual ones. */
#include "kernel/object/interrupt.h"
#include "kernel/object/port.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_interrupt_create(zx_handle_t src_obj, uint32_t src_num, uint32_t options,
                                 zx_handle_t __user *out_user)
{
    struct object *interrupt;
    (void)src_obj;
    if ((options & ZX_INTERRUPT_VIRTUAL) == 0)
        return ZX_ERR_NOT_SUPPORTED;
    if (options != ZX_INTERRUPT_VIRTUAL || src_num != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = interrupt_create(&interrupt);
    if (status != ZX_OK)
        return status;
    return user_put_handle(interrupt, interrupt->ops->default_rights, out_user);
}

zx_status_t sys_interrupt_bind(zx_handle_t handle, zx_handle_t port_handle, uint64_t key,
                               uint32_t options)
{
    struct object *interrupt, *port;
    if (options > ZX_INTERRUPT_UNBIND)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_READ, &interrupt, NULL);
    if (status != ZX_OK)
        return status;
    status = handle_get(port_handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port, NULL);
    if (status == ZX_OK) {
        if (!port_takes_interrupts(port))
            status = ZX_ERR_WRONG_TYPE;
        else if (options == ZX_INTERRUPT_BIND)
            status = interrupt_bind(interrupt, port, key);
        else
            status = interrupt_unbind(interrupt, port);
        object_put(port);
    }
    object_put(interrupt);
    return status;
}

zx_status_t sys_interrupt_wait(zx_handle_t handle, zx_time_t __user *timestamp_user)
{
    struct object *interrupt;
    zx_time_t timestamp;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_WAIT, &interrupt, NULL);
    if (status != ZX_OK)
        return status;
    status = interrupt_wait(interrupt, &timestamp);
    object_put(interrupt);
    if (status != ZX_OK || !timestamp_user)
        return status;
    return user_copy_out(timestamp_user, &timestamp, sizeof(timestamp));
}

zx_status_t sys_interrupt_ack(zx_handle_t handle)
{
    struct object *interrupt;
    zx_status_t status =
        handle_get(handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_WRITE, &interrupt, NULL);
    if (status != ZX_OK)
        return status;
    status = interrupt_ack(interrupt);
    object_put(interrupt);
    return status;
}

zx_status_t sys_interrupt_trigger(zx_handle_t handle, uint32_t options, zx_time_t timestamp)
{
    struct object *interrupt;
    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status =
        handle_get(handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_SIGNAL, &interrupt, NULL);
    if (status != ZX_OK)
        return status;
    status = interrupt_trigger(interrupt, timestamp);
    object_put(interrupt);
    return status;
}

zx_status_t sys_interrupt_destroy(zx_handle_t handle)
{
    struct object *interrupt;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_INTERRUPT, 0, &interrupt, NULL);
    if (status != ZX_OK)
        return status;
    status = interrupt_destroy(interrupt);
    object_put(interrupt);
    return status;
}
