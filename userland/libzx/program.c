#include "userland/libzx/program.h"

#include <stdio.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

#include "userland/crt/startup.h"
#include "userland/libzx/lock.h"

extern char **environ;

static struct {
    struct lock lock;
    bool taken;
    zx_handle_t vdso_vmo;
    zx_handle_t bootfs_vmo;
    const void *archive;
    size_t archive_bytes;
} the;

static void take_handles_locked(void)
{
    if (the.taken)
        return;
    the.vdso_vmo = zx_take_startup_handle(PA_HND(PA_VMO_VDSO, 0));
    the.bootfs_vmo = zx_take_startup_handle(PA_HND(PA_VMO_BOOTFS, 0));
    the.taken = true;
}

zx_handle_t program_vdso_vmo(void)
{
    lock_acquire(&the.lock);
    take_handles_locked();
    lock_release(&the.lock);
    return the.vdso_vmo;
}

zx_handle_t program_bootfs_vmo(void)
{
    lock_acquire(&the.lock);
    take_handles_locked();
    lock_release(&the.lock);
    return the.bootfs_vmo;
}

static zx_status_t map_bootfs_locked(void)
{
    uint64_t size;
    zx_vaddr_t addr;

    if (the.archive != NULL)
        return ZX_OK;
    take_handles_locked();
    if (the.bootfs_vmo == ZX_HANDLE_INVALID)
        return ZX_ERR_NOT_FOUND;
    zx_status_t status = zx_vmo_get_size(the.bootfs_vmo, &size);
    if (status != ZX_OK)
        return status;
    status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, the.bootfs_vmo, 0, size, &addr);
    if (status != ZX_OK)
        return status;
    the.archive = (const void *)addr;
    the.archive_bytes = size;
    return ZX_OK;
}

zx_status_t program_bootfs(const void **archive, size_t *archive_bytes)
{
    lock_acquire(&the.lock);
    zx_status_t status = map_bootfs_locked();
    lock_release(&the.lock);
    if (status != ZX_OK)
        return status;
    *archive = the.archive;
    *archive_bytes = the.archive_bytes;
    return ZX_OK;
}

static zx_status_t find_program(const char *name, struct cpio_entry *entry)
{
    const void *archive;
    size_t archive_bytes;
    char path[128];

    zx_status_t status = program_bootfs(&archive, &archive_bytes);
    if (status != ZX_OK)
        return status;
    status = cpio_find(archive, archive_bytes, name, entry);
    if (status != ZX_ERR_NOT_FOUND)
        return status;
    snprintf(path, sizeof(path), "bin/%s", name);
    return cpio_find(archive, archive_bytes, path, entry);
}

static void close_handles(const struct launch_handle *handles, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        zx_handle_close(handles[i].handle);
}

// Appends a duplicate; nothing if the process has no such handle.
static zx_status_t add_duplicate(struct launch_handle *handles, uint32_t *count, uint32_t info,
                                 zx_handle_t handle)
{
    zx_handle_t copy;

    if (handle == ZX_HANDLE_INVALID)
        return ZX_OK;
    zx_status_t status = zx_handle_duplicate(handle, ZX_RIGHT_SAME_RIGHTS, &copy);
    if (status == ZX_OK)
        handles[(*count)++] = (struct launch_handle){info, copy};
    return status;
}

static uint32_t count_environment(void)
{
    uint32_t count = 0;

    while (environ != NULL && environ[count] != NULL)
        count++;
    return count;
}

zx_status_t program_start(const struct program_args *args, zx_handle_t *process)
{
    struct launch_handle handles[LAUNCH_MAX_HANDLES];
    struct cpio_entry entry;
    uint32_t count = 0;
    zx_status_t status;

    if (args->num_handles + 2 > LAUNCH_MAX_HANDLES) {
        close_handles(args->handles, args->num_handles);
        return ZX_ERR_OUT_OF_RANGE;
    }
    for (; count < args->num_handles; count++)
        handles[count] = args->handles[count];
    status = args->argc > 0 ? find_program(args->argv[0], &entry) : ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK && args->is_trusted)
        status = add_duplicate(handles, &count, PA_HND(PA_RESOURCE, 0), startup_resource());
    if (status == ZX_OK && args->is_trusted)
        status = add_duplicate(handles, &count, PA_HND(PA_VMO_BOOTFS, 0), program_bootfs_vmo());
    if (status != ZX_OK) {
        close_handles(handles, count);
        return status;
    }
    const char *base = strrchr(args->argv[0], '/');
    struct launch_args launch = {
        .name = base != NULL ? base + 1 : args->argv[0],
        .elf = entry.data,
        .elf_bytes = entry.size_bytes,
        .job = args->job,
        .vdso_vmo = program_vdso_vmo(),
        .argv = args->argv,
        .argc = args->argc,
        .envp = (const char *const *)environ,
        .envc = count_environment(),
        .handles = handles,
        .num_handles = count,
    };
    return launch_process(&launch, process);
}

zx_status_t program_wait(zx_handle_t process, zx_time_t deadline, int64_t *return_code)
{
    zx_info_process_t info;
    zx_status_t status = zx_object_wait_one(process, ZX_PROCESS_TERMINATED, deadline, NULL);

    if (status == ZX_OK)
        status = zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL);
    if (status == ZX_OK)
        *return_code = info.return_code;
    return status;
}

const char *program_end_string(int64_t return_code)
{
    static _Thread_local char text[48];

    switch (return_code) {
    case ZX_TASK_RETCODE_SYSCALL_KILL:
        return "killed by another process";
    case ZX_TASK_RETCODE_OOM_KILL:
        return "killed for lack of memory";
    case ZX_TASK_RETCODE_POLICY_KILL:
        return "killed by job policy";
    case ZX_TASK_RETCODE_VDSO_KILL:
        return "killed by the vDSO";
    case ZX_TASK_RETCODE_EXCEPTION_KILL:
        return "killed by an unhandled exception";
    case ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL:
        return "killed with a critical process";
    default:
        snprintf(text, sizeof(text), "exit code %lld", (long long)return_code);
        return text;
    }
}
