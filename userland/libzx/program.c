#include "userland/libzx/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

#include "formats/elf.h"
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
    // Once the first program has been started:
    bool is_executable;          // programs may be mapped from bootfs_vmo
    struct elf_image vdso_image; // without segments: not parsed yet
    struct cpio_entry *files;    // what is in the archive
    size_t count_files;
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

// Lists the archive, so that finding a program costs no more than comparing names.
static zx_status_t list_files_locked(void)
{
    struct cpio_entry entry;
    size_t position = 0, count = 0;
    zx_status_t status;

    while ((status = cpio_next(the.archive, the.archive_bytes, &position, &entry)) == ZX_OK)
        count++;
    if (status != ZX_ERR_STOP)
        return status;
    the.files = malloc(count * sizeof(*the.files));
    if (the.files == NULL)
        return ZX_ERR_NO_MEMORY;
    position = 0;
    while (cpio_next(the.archive, the.archive_bytes, &position, &entry) == ZX_OK) {
        if ((entry.mode & CPIO_MODE_TYPE) == CPIO_MODE_FILE)
            the.files[the.count_files++] = entry;
    }
    return ZX_OK;
}

// Without these a launch does the same with more work, so failures are passed over.
static void prepare_launches_locked(void)
{
    zx_info_handle_basic_t info;

    if (the.vdso_image.count_segments == 0 &&
        launch_parse_vdso(the.vdso_vmo, &the.vdso_image) != ZX_OK)
        the.vdso_image.count_segments = 0;
    the.is_executable = zx_object_get_info(the.bootfs_vmo, ZX_INFO_HANDLE_BASIC, &info,
                                           sizeof(info), NULL, NULL) == ZX_OK &&
                        (info.rights & ZX_RIGHT_EXECUTE) != 0;
}

static zx_status_t prepare_locked(void)
{
    zx_status_t status = map_bootfs_locked();

    if (status != ZX_OK || the.files != NULL)
        return status;
    status = list_files_locked();
    if (status == ZX_OK)
        prepare_launches_locked();
    return status;
}

static zx_status_t find_program(const char *name, struct cpio_entry *entry)
{
    static const char folder[] = "bin/";

    lock_acquire(&the.lock);
    zx_status_t status = prepare_locked();
    lock_release(&the.lock);
    if (status != ZX_OK)
        return status;
    while (name[0] == '/')
        name++;
    for (size_t i = 0; i < the.count_files; i++) {
        const char *path = the.files[i].name;
        bool is_in_folder = strncmp(path, folder, sizeof(folder) - 1) == 0;
        if (strcmp(path, name) == 0 ||
            (is_in_folder && strcmp(path + sizeof(folder) - 1, name) == 0)) {
            *entry = the.files[i];
            return ZX_OK;
        }
    }
    return ZX_ERR_NOT_FOUND;
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
        .elf_vmo = the.is_executable ? the.bootfs_vmo : ZX_HANDLE_INVALID,
        .elf_vmo_offset = (uint64_t)((const char *)entry.data - (const char *)the.archive),
        .vdso_image = the.vdso_image.count_segments != 0 ? &the.vdso_image : NULL,
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
