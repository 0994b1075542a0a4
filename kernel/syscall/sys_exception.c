/* Exceptions. */
#include <zircon/syscalls/exception.h>

#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_exception_get_thread(zx_handle_t handle, zx_handle_t __user *out)
{
    struct exception *exception;
    zx_status_t status = lookup_exception(handle, 0, &exception, NULL);
    if (status != ZX_OK)
        return status;
    struct object *thread = &exception->thread->object;
    zx_rights_t rights = ZX_DEFAULT_THREAD_RIGHTS;
    if (exception->channel_type == ZX_EXCEPTION_CHANNEL_TYPE_THREAD)
        rights &= exception->task_rights;
    object_get(thread);
    object_put(&exception->object);
    return user_put_handle(thread, rights, out);
}

zx_status_t sys_exception_get_process(zx_handle_t handle, zx_handle_t __user *out)
{
    struct exception *exception;
    zx_status_t status = lookup_exception(handle, 0, &exception, NULL);
    if (status != ZX_OK)
        return status;
    /* Who watches one thread only is not given the whole process. */
    bool is_allowed = exception->channel_type != ZX_EXCEPTION_CHANNEL_TYPE_THREAD;
    struct object *process = &exception->thread->process->object;
    zx_rights_t rights = ZX_DEFAULT_PROCESS_RIGHTS;
    if (exception->channel_type == ZX_EXCEPTION_CHANNEL_TYPE_PROCESS ||
        exception->channel_type == ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER)
        rights &= exception->task_rights;
    object_get(process);
    object_put(&exception->object);
    if (!is_allowed) {
        object_put(process);
        return ZX_ERR_ACCESS_DENIED;
    }
    return user_put_handle(process, rights, out);
}

zx_status_t sys_thread_raise_exception(uint32_t options, zx_excp_type_t type,
                                       const zx_exception_context_t __user *context_user)
{
    zx_exception_context_t context;
    if (options != ZX_EXCEPTION_TARGET_JOB_DEBUGGER || type != ZX_EXCP_USER)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = user_copy_in(&context, context_user, sizeof(context));
    if (status != ZX_OK)
        return status;
    user_thread_raise_later(type, context.synth_code, context.synth_data);
    return ZX_OK;
}
