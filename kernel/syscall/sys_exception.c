/* Exceptions. */
#include <zircon/syscalls/exception.h>

#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_exception_get_thread(zx_handle_t handle, zx_handle_t *out)
{
    struct exception *exception;
    zx_status_t status = lookup_exception(handle, 0, &exception, NULL);
    if (status != ZX_OK)
        return status;
    struct object *thread = &exception->thread->object;
    object_get(thread);
    object_put(&exception->object);
    return user_put_handle(thread, ZX_DEFAULT_THREAD_RIGHTS, out);
}

zx_status_t sys_exception_get_process(zx_handle_t handle, zx_handle_t *out)
{
    struct exception *exception;
    zx_status_t status = lookup_exception(handle, 0, &exception, NULL);
    if (status != ZX_OK)
        return status;
    /* Who watches one thread only is not given the whole process. */
    bool is_allowed = exception->channel_type != ZX_EXCEPTION_CHANNEL_TYPE_THREAD;
    struct object *process = &exception->thread->process->object;
    object_get(process);
    object_put(&exception->object);
    if (!is_allowed) {
        object_put(process);
        return ZX_ERR_ACCESS_DENIED;
    }
    return user_put_handle(process, ZX_DEFAULT_PROCESS_RIGHTS, out);
}
