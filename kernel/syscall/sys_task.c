/* Calls that take a job, a process or a thread. */
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/object.h>

#include "kernel/object/policy.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

static bool is_task(const struct object *object)
{
    return object->ops->type == ZX_OBJ_TYPE_JOB || object->ops->type == ZX_OBJ_TYPE_PROCESS ||
           object->ops->type == ZX_OBJ_TYPE_THREAD;
}

/* As handle_get for any of the three types. */
static zx_status_t lookup_task(zx_handle_t handle, zx_rights_t needed, struct object **out,
                               zx_rights_t *out_rights)
{
    struct object *object;
    zx_rights_t rights;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_NONE, 0, &object, &rights);
    if (status != ZX_OK)
        return status;
    if (!is_task(object)) {
        status = ZX_ERR_WRONG_TYPE;
        policy_note_failure(handle, status);
    } else if ((rights & needed) != needed) {
        status = ZX_ERR_ACCESS_DENIED;
    }
    if (status != ZX_OK) {
        object_put(object);
        return status;
    }
    *out = object;
    if (out_rights != NULL)
        *out_rights = rights;
    return ZX_OK;
}

zx_status_t sys_task_kill(zx_handle_t handle)
{
    struct object *task;
    zx_status_t status = lookup_task(handle, ZX_RIGHT_DESTROY, &task, NULL);
    if (status != ZX_OK)
        return status;
    switch (task->ops->type) {
    case ZX_OBJ_TYPE_JOB:
        job_kill(job_from_object(task), ZX_TASK_RETCODE_SYSCALL_KILL);
        break;
    case ZX_OBJ_TYPE_PROCESS:
        process_kill(process_from_object(task), ZX_TASK_RETCODE_SYSCALL_KILL);
        break;
    default:
        user_thread_kill(user_thread_from_object(task));
        break;
    }
    object_put(task);
    return ZX_OK;
}

zx_status_t sys_task_suspend(zx_handle_t handle, zx_handle_t __user *token)
{
    struct object *task, *object;
    zx_status_t status = lookup_task(handle, ZX_RIGHT_WRITE, &task, NULL);
    if (status != ZX_OK)
        return status;
    if (task->ops->type == ZX_OBJ_TYPE_THREAD)
        status = suspend_token_create_thread(user_thread_from_object(task), &object);
    else if (task->ops->type == ZX_OBJ_TYPE_PROCESS)
        status = suspend_token_create_process(process_from_object(task), &object);
    else
        status = ZX_ERR_WRONG_TYPE;
    object_put(task);
    if (status != ZX_OK)
        return status;
    return user_put_handle(object, ZX_DEFAULT_SUSPEND_TOKEN_RIGHTS, token);
}

zx_status_t sys_task_suspend_token(zx_handle_t handle, zx_handle_t __user *token)
{
    return sys_task_suspend(handle, token);
}

zx_status_t sys_task_create_exception_channel(zx_handle_t handle, uint32_t options,
                                              zx_handle_t __user *out)
{
    zx_rights_t needed =
        ZX_RIGHT_INSPECT | ZX_RIGHT_DUPLICATE | ZX_RIGHT_TRANSFER | ZX_RIGHT_MANAGE_THREAD;
    enum exception_slot_index slot =
        options & ZX_EXCEPTION_CHANNEL_DEBUGGER ? EXCEPTION_SLOT_DEBUGGER : EXCEPTION_SLOT_HANDLER;
    struct object *task, *channel;
    zx_rights_t rights;

    if (options & ~ZX_EXCEPTION_CHANNEL_DEBUGGER)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = lookup_task(handle, needed, &task, &rights);
    if (status != ZX_OK)
        return status;
    /* The channel of a job or process leads to all that is in it. */
    if (task->ops->type != ZX_OBJ_TYPE_THREAD && !(rights & ZX_RIGHT_ENUMERATE))
        status = ZX_ERR_ACCESS_DENIED;
    else
        status = exception_channel_create(task, rights, slot, &channel);
    object_put(task);
    if (status != ZX_OK)
        return status;
    return user_put_handle(channel, ZX_DEFAULT_CHANNEL_RIGHTS & ~ZX_RIGHT_WRITE, out);
}
