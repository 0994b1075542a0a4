/* Properties of objects: the name, and numbers that the types know themselves. */
#include <zircon/syscalls/object.h>

#include "kernel/lib/string.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

/* Bytes of the number that a property is; 0: no such property. */
static size_t property_bytes(uint32_t property)
{
    switch (property) {
    case ZX_PROP_PROCESS_DEBUG_ADDR:
    case ZX_PROP_PROCESS_VDSO_BASE_ADDRESS:
    case ZX_PROP_PROCESS_BREAK_ON_LOAD:
    case ZX_PROP_SOCKET_RX_THRESHOLD:
    case ZX_PROP_SOCKET_TX_THRESHOLD:
    case ZX_PROP_JOB_KILL_ON_OOM:
    case ZX_PROP_VMO_CONTENT_SIZE:
        return sizeof(uint64_t);
    case ZX_PROP_EXCEPTION_STATE:
    case ZX_PROP_EXCEPTION_STRATEGY:
        return sizeof(uint32_t);
    case ZX_PROP_STREAM_MODE_APPEND:
        return sizeof(uint8_t);
    default:
        return 0;
    }
}

static zx_status_t get_name(struct object *object, void __user *value_user, size_t value_size)
{
    char name[ZX_MAX_NAME_LEN] = {0};
    if (value_size < sizeof(name))
        return ZX_ERR_BUFFER_TOO_SMALL;
    if (!object->ops->get_name)
        return ZX_ERR_WRONG_TYPE;
    zx_status_t status = object->ops->get_name(object, name);
    if (status != ZX_OK)
        return status;
    return user_copy_out(value_user, name, sizeof(name));
}

static zx_status_t get_number(struct object *object, uint32_t property, void __user *value_user,
                              size_t value_size)
{
    size_t len = property_bytes(property);
    uint64_t number;
    if (len == 0)
        return ZX_ERR_INVALID_ARGS;
    if (value_size < len)
        return ZX_ERR_BUFFER_TOO_SMALL;
    if (!object->ops->get_number)
        return ZX_ERR_WRONG_TYPE;
    zx_status_t status = object->ops->get_number(object, property, &number);
    if (status != ZX_OK)
        return status;
    return user_copy_out(value_user, &number, len); /* little-endian: the low bytes come first */
}

zx_status_t sys_object_get_property(zx_handle_t handle, uint32_t property, void __user *value_user,
                                    size_t value_size)
{
    struct object *object;
    if (!value_user)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_GET_PROPERTY, &object, NULL);
    if (status != ZX_OK)
        return status;
    if (property == ZX_PROP_NAME)
        status = get_name(object, value_user, value_size);
    else
        status = get_number(object, property, value_user, value_size);
    object_put(object);
    return status;
}

static zx_status_t set_name(struct object *object, const void __user *value_user, size_t value_size)
{
    char name[ZX_MAX_NAME_LEN];
    if (!object->ops->set_name)
        return ZX_ERR_WRONG_TYPE;
    zx_status_t status = user_copy_name(value_user, value_size, name);
    if (status != ZX_OK)
        return status;
    return object->ops->set_name(object, name);
}

static zx_status_t set_number(struct object *object, zx_rights_t rights, uint32_t property,
                              const void __user *value_user, size_t value_size)
{
    size_t len = property_bytes(property);
    uint64_t number = 0;
    if (len == 0)
        return ZX_ERR_INVALID_ARGS;
    if (value_size < len)
        return ZX_ERR_BUFFER_TOO_SMALL;
    if (!object->ops->set_number)
        return ZX_ERR_WRONG_TYPE;
    zx_status_t status = user_copy_in(&number, value_user, len);
    if (status != ZX_OK)
        return status;
    return object->ops->set_number(object, rights, property, number);
}

zx_status_t sys_object_set_property(zx_handle_t handle, uint32_t property,
                                    const void __user *value_user, size_t value_size)
{
    struct object *object;
    zx_rights_t rights;
    if (!value_user)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status =
        handle_get(handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_SET_PROPERTY, &object, &rights);
    if (status != ZX_OK)
        return status;
    if (property == ZX_PROP_NAME)
        status = set_name(object, value_user, value_size);
    else
        status = set_number(object, rights, property, value_user, value_size);
    object_put(object);
    return status;
}
