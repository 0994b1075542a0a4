/* Threads. */
#include <zircon/syscalls/debug.h>

#include "kernel/sched/sched.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_thread_create(zx_handle_t process_handle, const char __user *name, size_t name_size,
                              uint32_t options, zx_handle_t __user *out)
{
    char buffer[ZX_MAX_NAME_LEN];
    struct process *process;
    struct user_thread *thread;

    if (options != 0 || name == NULL)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = user_copy_name(name, name_size, buffer);
    if (status != ZX_OK)
        return status;
    status = lookup_process(process_handle, ZX_RIGHT_MANAGE_THREAD, &process, NULL);
    if (status != ZX_OK)
        return status;
    status = user_thread_create(process, buffer, &thread);
    object_put(&process->object);
    if (status != ZX_OK)
        return status;
    return user_put_handle(&thread->object, ZX_DEFAULT_THREAD_RIGHTS, out);
}

zx_status_t sys_thread_start(zx_handle_t handle, zx_vaddr_t thread_entry, zx_vaddr_t stack,
                             uintptr_t arg1, uintptr_t arg2)
{
    struct user_thread *thread;
    zx_status_t status = lookup_thread(handle, ZX_RIGHT_MANAGE_THREAD, &thread, NULL);
    if (status != ZX_OK)
        return status;
    status = user_thread_start(thread, thread_entry, stack, arg1, arg2);
    object_put(&thread->object);
    return status;
}

void sys_thread_exit(void)
{
    user_thread_exit();
}

zx_status_t sys_thread_legacy_yield(uint32_t options)
{
    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    thread_yield();
    return ZX_OK;
}

/* A register set of either kind. */
union register_state {
    zx_thread_state_general_regs_t general;
    zx_thread_state_fp_regs_t fp;
};

/* Bytes of the set |kind|. ZX_ERR_NOT_SUPPORTED, ZX_ERR_INVALID_ARGS: there is none. */
static zx_status_t state_bytes(uint32_t kind, size_t *out_bytes)
{
    switch (kind) {
    case ZX_THREAD_STATE_GENERAL_REGS:
        *out_bytes = sizeof(zx_thread_state_general_regs_t);
        return ZX_OK;
    case ZX_THREAD_STATE_FP_REGS:
        *out_bytes = sizeof(zx_thread_state_fp_regs_t);
        return ZX_OK;
    case ZX_THREAD_STATE_VECTOR_REGS:
    case ZX_THREAD_STATE_DEBUG_REGS:
    case ZX_THREAD_STATE_SINGLE_STEP:
        return ZX_ERR_NOT_SUPPORTED;
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}

zx_status_t sys_thread_read_state(zx_handle_t handle, uint32_t kind, void __user *buffer,
                                  size_t buffer_size)
{
    struct user_thread *thread;
    union register_state state;
    size_t len;
    zx_status_t status = lookup_thread(handle, ZX_RIGHT_READ, &thread, NULL);
    if (status != ZX_OK)
        return status;
    status = state_bytes(kind, &len);
    if (status == ZX_OK && buffer_size < len)
        status = ZX_ERR_BUFFER_TOO_SMALL;
    if (status == ZX_OK)
        status = kind == ZX_THREAD_STATE_FP_REGS ? user_thread_read_fp(thread, &state.fp)
                                                 : user_thread_read_regs(thread, &state.general);
    object_put(&thread->object);
    if (status != ZX_OK)
        return status;
    return user_copy_out(buffer, &state, len);
}

zx_status_t sys_thread_write_state(zx_handle_t handle, uint32_t kind, const void __user *buffer,
                                   size_t buffer_size)
{
    struct user_thread *thread;
    union register_state state;
    size_t len;
    zx_status_t status = lookup_thread(handle, ZX_RIGHT_WRITE, &thread, NULL);
    if (status != ZX_OK)
        return status;
    status = state_bytes(kind, &len);
    if (status == ZX_OK && buffer_size != len)
        status = buffer_size < len ? ZX_ERR_BUFFER_TOO_SMALL : ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = user_copy_in(&state, buffer, len);
    if (status == ZX_OK)
        status = kind == ZX_THREAD_STATE_FP_REGS ? user_thread_write_fp(thread, &state.fp)
                                                 : user_thread_write_regs(thread, &state.general);
    object_put(&thread->object);
    return status;
}
