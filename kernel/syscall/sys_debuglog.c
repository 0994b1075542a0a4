/* The debug log. */
#include "kernel/object/debuglog.h"
#include "kernel/object/resource.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_debuglog_create(zx_handle_t resource, uint32_t options,
                                zx_handle_t __user *out_user)
{
    bool is_reader = options == ZX_LOG_FLAG_READABLE;
    struct object *log;
    if (options != 0 && !is_reader)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = ZX_OK;
    if (resource != ZX_HANDLE_INVALID)
        status = resource_check_system(resource, ZX_RSRC_SYSTEM_DEBUGLOG_BASE);
    if (status == ZX_OK)
        status = debuglog_create(is_reader, &log);
    if (status != ZX_OK)
        return status;
    zx_rights_t rights = log->ops->default_rights | (is_reader ? ZX_RIGHT_READ : 0);
    return user_put_handle(log, rights, out_user);
}

zx_status_t sys_debuglog_write(zx_handle_t handle, uint32_t options, const void __user *buffer_user,
                               size_t buffer_size)
{
    char text[ZX_LOG_RECORD_DATA_MAX];
    struct object *log;
    if (buffer_size > sizeof(text))
        return ZX_ERR_OUT_OF_RANGE;
    if ((options & ~ZX_LOG_FLAG_OPTIONS_MASK) != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_DEBUGLOG, ZX_RIGHT_WRITE, &log, NULL);
    if (status != ZX_OK)
        return status;
    object_put(log);
    status = user_copy_in(text, buffer_user, buffer_size);
    if (status == ZX_OK)
        debuglog_write(options, text, buffer_size);
    return status;
}

zx_status_t sys_debuglog_read(zx_handle_t handle, uint32_t options, void __user *buffer_user,
                              size_t buffer_size)
{
    zx_log_record_t record;
    struct object *log;
    size_t len = 0;
    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_DEBUGLOG, ZX_RIGHT_READ, &log, NULL);
    if (status != ZX_OK)
        return status;
    status = debuglog_read(log, &record, &len);
    object_put(log);
    len = MIN(len, buffer_size);
    if (status == ZX_OK)
        status = user_copy_out(buffer_user, &record, len);
    return status == ZX_OK ? (zx_status_t)len : status;
}
