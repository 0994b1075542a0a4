/* Handles: close, duplicate, replace. */
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

#define CLOSE_CHUNK 32u

zx_status_t sys_handle_close(zx_handle_t value)
{
    if (value == ZX_HANDLE_INVALID)
        return ZX_OK;
    struct handle *handle = handle_table_remove(handle_table_current(), value);
    if (!handle)
        return ZX_ERR_BAD_HANDLE;
    handle_close(handle);
    return ZX_OK;
}

zx_status_t sys_handle_close_many(const zx_handle_t __user *values_user, size_t count)
{
    zx_handle_t values[CLOSE_CHUNK];
    zx_status_t result = ZX_OK;
    if (count > HANDLE_TABLE_MAX)
        return ZX_ERR_INVALID_ARGS;
    for (size_t done = 0; done < count;) {
        size_t chunk = MIN(count - done, (size_t)CLOSE_CHUNK);
        zx_status_t status = user_copy_in(values, values_user + done, chunk * sizeof(values[0]));
        if (status != ZX_OK)
            return status;
        for (size_t i = 0; i < chunk; i++) {
            status = sys_handle_close(values[i]);
            if (status != ZX_OK)
                result = status;
        }
        done += chunk;
    }
    return result;
}

/* The rights of a new handle when |wanted| is asked for and |had| is there. */
static zx_status_t rights_reduce(zx_rights_t had, zx_rights_t wanted, zx_rights_t *out)
{
    if (wanted == ZX_RIGHT_SAME_RIGHTS) {
        *out = had;
        return ZX_OK;
    }
    if ((wanted & ~had) != 0)
        return ZX_ERR_INVALID_ARGS;
    *out = wanted;
    return ZX_OK;
}

/* Puts |handle| (takes it) with |rights| into the table and tells the value. */
static zx_status_t put_handle(struct handle *handle, zx_rights_t rights,
                              zx_handle_t __user *out_user)
{
    struct handle_table *table = handle_table_current();
    zx_handle_t value;
    zx_status_t status = rights_reduce(handle->rights, rights, &handle->rights);
    if (status == ZX_OK)
        status = handle_table_add(table, handle, &value);
    if (status != ZX_OK) {
        handle_close(handle);
        return status;
    }
    status = user_put_u32(out_user, value);
    if (status != ZX_OK)
        handle_close(handle_table_remove(table, value));
    return status;
}

zx_status_t sys_handle_duplicate(zx_handle_t value, zx_rights_t rights,
                                 zx_handle_t __user *out_user)
{
    struct handle *copy;
    zx_status_t status = handle_table_duplicate(handle_table_current(), value, &copy);
    return status == ZX_OK ? put_handle(copy, rights, out_user) : status;
}

zx_status_t sys_handle_replace(zx_handle_t value, zx_rights_t rights, zx_handle_t __user *out_user)
{
    struct handle *handle = handle_table_remove(handle_table_current(), value);
    return handle ? put_handle(handle, rights, out_user) : ZX_ERR_BAD_HANDLE;
}

zx_status_t sys_handle_check_valid(zx_handle_t value)
{
    return handle_table_has_value(handle_table_current(), value) ? ZX_OK : ZX_ERR_BAD_HANDLE;
}
