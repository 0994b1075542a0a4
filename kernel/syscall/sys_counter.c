/* Counters. */
#include "kernel/object/counter.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_counter_create(uint32_t options, zx_handle_t __user *out_user)
{
    struct object *counter;
    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = counter_create(&counter);
    if (status != ZX_OK)
        return status;
    return user_put_handle(counter, counter->ops->default_rights, out_user);
}

zx_status_t sys_counter_add(zx_handle_t handle, int64_t amount)
{
    struct object *counter;
    zx_status_t status =
        handle_get(handle, ZX_OBJ_TYPE_COUNTER, ZX_RIGHT_READ | ZX_RIGHT_WRITE, &counter, NULL);
    if (status != ZX_OK)
        return status;
    status = counter_add(counter, amount);
    object_put(counter);
    return status;
}

zx_status_t sys_counter_read(zx_handle_t handle, int64_t __user *value_user)
{
    struct object *counter;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_COUNTER, ZX_RIGHT_READ, &counter, NULL);
    if (status != ZX_OK)
        return status;
    int64_t value = counter_read(counter);
    object_put(counter);
    return user_copy_out(value_user, &value, sizeof(value));
}

zx_status_t sys_counter_write(zx_handle_t handle, int64_t value)
{
    struct object *counter;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_COUNTER, ZX_RIGHT_WRITE, &counter, NULL);
    if (status != ZX_OK)
        return status;
    counter_write(counter, value);
    object_put(counter);
    return ZX_OK;
}
