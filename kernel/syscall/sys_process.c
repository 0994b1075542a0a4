/* Processes. */
#include "kernel/object/policy.h"
#include "kernel/syscall/abi.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"
#include "kernel/vm/kheap.h"

#define PROCESS_MEMORY_MAX_BYTES (64ul << 20) /* zx_process_read_memory and _write_memory */

zx_status_t sys_process_create(zx_handle_t job_handle, const char __user *name, size_t name_size,
                               uint32_t options, zx_handle_t __user *proc_handle,
                               zx_handle_t __user *vmar_handle)
{
    char buffer[ZX_MAX_NAME_LEN];
    struct job *job;
    struct process *process;
    struct vmar_object *root;

    if (options & ~ZX_PROCESS_SHARED)
        return ZX_ERR_INVALID_ARGS;
    if (options & ZX_PROCESS_SHARED)
        return ZX_ERR_NOT_SUPPORTED;
    if (name == NULL)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = user_copy_name(name, name_size, buffer);
    if (status != ZX_OK)
        return status;
    status = policy_check(ZX_POL_NEW_PROCESS);
    if (status != ZX_OK)
        return status;
    status = lookup_job(job_handle, ZX_RIGHT_MANAGE_PROCESS, &job, NULL);
    if (status != ZX_OK)
        return status;
    status = process_create(job, buffer, &process, &root);
    object_put(&job->object);
    if (status != ZX_OK)
        return status;
    struct handle_out outs[] = {
        {&process->object, ZX_DEFAULT_PROCESS_RIGHTS, proc_handle},
        {&root->object, vmar_object_rights(root), vmar_handle},
    };
    return user_put_handles(outs, ARRAY_COUNT(outs));
}

/* Takes arg1's handle out of the caller's table, if it names one. */
static zx_status_t take_argument(zx_handle_t value, struct handle **out)
{
    *out = NULL;
    if (value == ZX_HANDLE_INVALID)
        return ZX_OK;
    *out = handle_table_remove(handle_table_current(), value);
    if (*out == NULL)
        return ZX_ERR_BAD_HANDLE;
    return (*out)->rights & ZX_RIGHT_TRANSFER ? ZX_OK : ZX_ERR_ACCESS_DENIED;
}

/* |argument| (taken) may be NULL; |argument_status| says whether it can be handed over. */
static zx_status_t start_with_argument(zx_handle_t handle, zx_handle_t thread_handle,
                                       const struct process_entry *entry, struct handle *argument,
                                       zx_status_t argument_status)
{
    struct process *process;
    struct user_thread *thread;
    zx_status_t status = lookup_process(handle, ZX_RIGHT_WRITE, &process, NULL);
    if (status != ZX_OK)
        goto fail;
    status = lookup_thread(thread_handle, ZX_RIGHT_WRITE, &thread, NULL);
    if (status == ZX_OK && argument_status != ZX_OK) {
        object_put(&thread->object);
        status = argument_status;
    }
    if (status != ZX_OK) {
        object_put(&process->object);
        goto fail;
    }
    status = process_start(process, thread, entry, argument);
    object_put(&thread->object);
    object_put(&process->object);
    return status;

fail:
    handle_close(argument);
    return status;
}

zx_status_t sys_process_start(zx_handle_t handle, zx_handle_t thread_handle, zx_vaddr_t entry_pc,
                              zx_vaddr_t stack, zx_handle_t arg1, uintptr_t arg2)
{
    struct handle *argument;
    zx_status_t status = take_argument(arg1, &argument);
    struct process_entry entry = {.pc = entry_pc, .sp = stack, .arg0 = 0, .arg1 = arg2};
    return start_with_argument(handle, thread_handle, &entry, argument, status);
}

void sys_process_exit(int64_t retcode)
{
    process_exit(retcode);
}

static zx_status_t check_memory_args(const void __user *buffer, size_t buffer_size)
{
    if (buffer == NULL || buffer_size == 0 || buffer_size > PROCESS_MEMORY_MAX_BYTES)
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

/* Moves memory between |process| and the caller through a page of the kernel's. */
static zx_status_t copy_memory(struct process *process, vaddr_t addr, void __user *user_buffer,
                               size_t len_bytes, bool write, size_t *out_done)
{
    zx_status_t status = ZX_OK;
    size_t done = 0;
    struct process_access access = {.write = write,
                                    .within_rights = abi_process_memory_keeps_to_rights()};
    uint8_t *bounce = kmalloc(PAGE_SIZE_BYTES);
    if (bounce == NULL)
        return ZX_ERR_NO_MEMORY;
    while (status == ZX_OK && done < len_bytes) {
        size_t piece = MIN(len_bytes - done, PAGE_SIZE_BYTES);
        size_t moved = 0;
        uint8_t __user *user_at = (uint8_t __user *)user_buffer + done;
        if (write)
            status = user_copy_in(bounce, user_at, piece);
        if (status == ZX_OK)
            status = process_copy_memory(process, addr + done, bounce, piece, &access, &moved);
        if (status == ZX_OK && !write)
            status = user_copy_out(user_at, bounce, moved);
        if (status != ZX_OK)
            break;
        done += moved;
        if (moved < piece)
            break;
    }
    kfree(bounce);
    /* A range that ends early is a short copy; a bad buffer of the caller's is an error. */
    if (done == 0 || status == ZX_ERR_INVALID_ARGS)
        return status;
    *out_done = done;
    return ZX_OK;
}

static zx_status_t access_memory(zx_handle_t handle, zx_rights_t rights, vaddr_t addr,
                                 void __user *buffer, size_t buffer_size, bool write,
                                 size_t __user *actual)
{
    struct process *process;
    size_t done = 0;
    zx_status_t status = check_memory_args(buffer, buffer_size);
    if (status != ZX_OK)
        return status;
    status = lookup_process(handle, rights, &process, NULL);
    if (status != ZX_OK)
        return status;
    status = copy_memory(process, addr, buffer, buffer_size, write, &done);
    object_put(&process->object);
    if (status != ZX_OK)
        return status;
    return user_put_size_optional(actual, done);
}

zx_status_t sys_process_read_memory(zx_handle_t handle, zx_vaddr_t vaddr, void __user *buffer,
                                    size_t buffer_size, size_t __user *actual)
{
    return access_memory(handle, ZX_RIGHT_READ | ZX_RIGHT_WRITE, vaddr, buffer, buffer_size, false,
                         actual);
}

zx_status_t sys_process_write_memory(zx_handle_t handle, zx_vaddr_t vaddr,
                                     const void __user *buffer, size_t buffer_size,
                                     size_t __user *actual)
{
    return access_memory(handle, ZX_RIGHT_WRITE, vaddr, (void __user *)(uintptr_t)buffer,
                         buffer_size, true, actual);
}
