#include "userland/libzx/launch.h"

#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "userland/libzx/load.h"
#include "userland/libzx/procargs.h"
#include "userland/libzx/stack.h"

// Bytes of a bootstrap message; it is built on the stack.
#define MESSAGE_BYTES 4096u

// Handles that every process gets.
#define OWN_HANDLES 6u

#define FILE_HEAD_BYTES 4096u

// A launch under way: what has been made so far.
struct launch {
    zx_handle_t process;
    zx_handle_t root;
    zx_handle_t thread;
    zx_handle_t loaded;
    zx_vaddr_t entry;
    zx_vaddr_t sp;
    zx_vaddr_t vdso;
};

// The bootstrap message under construction.
struct message {
    uint32_t infos[OWN_HANDLES + LAUNCH_MAX_HANDLES];
    zx_handle_t handles[OWN_HANDLES + LAUNCH_MAX_HANDLES];
    uint32_t count;
};

static zx_status_t create_tasks(const struct launch_args *args, struct launch *l)
{
    static const char thread_name[] = "initial-thread";
    zx_handle_t job = args->job != ZX_HANDLE_INVALID ? args->job : zx_job_default();
    zx_status_t status =
        zx_process_create(job, args->name, strlen(args->name), 0, &l->process, &l->root);

    if (status != ZX_OK) {
        return status;
    }
    return zx_thread_create(l->process, thread_name, sizeof(thread_name) - 1, 0, &l->thread);
}

zx_status_t launch_parse_vdso(zx_handle_t vdso_vmo, struct elf_image *image)
{
    unsigned char head[FILE_HEAD_BYTES];
    const char *why;
    uint64_t bytes;
    zx_status_t status = zx_vmo_get_size(vdso_vmo, &bytes);

    if (status != ZX_OK) {
        return status;
    }
    status = zx_vmo_read(vdso_vmo, head, 0, bytes < sizeof(head) ? bytes : sizeof(head));
    return status == ZX_OK ? elf_parse(head, sizeof(head), bytes, image, &why) : status;
}

static zx_status_t map_vdso(const struct launch_args *args, struct launch *l)
{
    const struct elf_image *image = args->vdso_image;
    struct elf_image own;

    if (image == NULL) {
        zx_status_t status = launch_parse_vdso(args->vdso_vmo, &own);
        if (status != ZX_OK) {
            return status;
        }
        image = &own;
    }
    return load_shared(l->root, image, args->vdso_vmo, &l->vdso);
}

static zx_status_t map_all(const struct launch_args *args, struct launch *l)
{
    struct elf_image image;
    zx_vaddr_t base = 0;
    zx_handle_t stack;
    const char *why;
    zx_status_t status = elf_parse(args->elf, args->elf_bytes, args->elf_bytes, &image, &why);

    if (status != ZX_OK) {
        return status;
    }
    if (!image.has_entry) {
        return ZX_ERR_NOT_SUPPORTED;
    }
    struct load_source source = {
        .file = args->elf,
        .name = args->name,
        .vmo = args->elf_vmo,
        .vmo_offset = args->elf_vmo_offset,
    };
    status = load_program(l->root, &image, &source, &l->loaded, &base);
    if (status != ZX_OK) {
        return status;
    }
    l->entry = base + image.entry_offset;
    status = map_vdso(args, l);
    if (status != ZX_OK) {
        return status;
    }
    status = stack_map(l->root, args->stack_bytes != 0 ? args->stack_bytes : LAUNCH_STACK_BYTES,
                       &stack, &l->sp);
    if (status == ZX_OK) {
        zx_handle_close(stack);
    }
    return status;
}

// Adds a handle that the message takes.
static void message_add(struct message *m, uint32_t info, zx_handle_t handle)
{
    m->infos[m->count] = info;
    m->handles[m->count] = handle;
    m->count++;
}

static zx_status_t message_add_duplicate(struct message *m, uint32_t info, zx_handle_t handle)
{
    zx_handle_t copy;
    zx_status_t status = zx_handle_duplicate(handle, ZX_RIGHT_SAME_RIGHTS, &copy);

    if (status == ZX_OK) {
        message_add(m, info, copy);
    }
    return status;
}

static zx_status_t message_add_own(struct message *m, const struct launch_args *args,
                                   struct launch *l)
{
    zx_handle_t job = args->job != ZX_HANDLE_INVALID ? args->job : zx_job_default();
    zx_status_t status;

    message_add(m, PA_HND(PA_VMAR_ROOT, 0), l->root);
    l->root = ZX_HANDLE_INVALID;
    message_add(m, PA_HND(PA_VMAR_LOADED, 0), l->loaded);
    l->loaded = ZX_HANDLE_INVALID;
    status = message_add_duplicate(m, PA_HND(PA_PROC_SELF, 0), l->process);
    if (status == ZX_OK) {
        status = message_add_duplicate(m, PA_HND(PA_THREAD_SELF, 0), l->thread);
    }
    if (status == ZX_OK) {
        status = message_add_duplicate(m, PA_HND(PA_JOB_DEFAULT, 0), job);
    }
    if (status == ZX_OK) {
        status = message_add_duplicate(m, PA_HND(PA_VMO_VDSO, 0), args->vdso_vmo);
    }
    return status;
}

// Sends the message into a new channel; *child_end is the caller's. Consumes the handles of m.
static zx_status_t message_send(const struct message *m, const struct launch_args *args,
                                zx_handle_t *child_end)
{
    unsigned char bytes[MESSAGE_BYTES];
    size_t num_bytes = 0;
    zx_handle_t ours;
    zx_handle_t theirs;
    zx_status_t status = procargs_build(bytes, sizeof(bytes), m->infos, m->count, args->argv,
                                        args->argc, args->envp, args->envc, &num_bytes);

    if (status == ZX_OK) {
        status = zx_channel_create(0, &ours, &theirs);
    }
    if (status != ZX_OK) {
        zx_handle_close_many(m->handles, m->count);
        return status;
    }
    status = zx_channel_write(ours, 0, bytes, (uint32_t)num_bytes, m->handles, m->count);
    zx_handle_close(ours);
    if (status != ZX_OK) {
        zx_handle_close(theirs);
        return status;
    }
    *child_end = theirs;
    return ZX_OK;
}

static void close_user_handles(const struct launch_args *args)
{
    for (uint32_t i = 0; i < args->num_handles; i++) {
        zx_handle_close(args->handles[i].handle);
    }
}

// Sends the bootstrap message and starts the process. Consumes the user's handles.
static zx_status_t start(const struct launch_args *args, struct launch *l)
{
    struct message m = {.count = 0};
    zx_handle_t bootstrap;
    zx_status_t status;

    for (uint32_t i = 0; i < args->num_handles; i++) {
        message_add(&m, args->handles[i].info, args->handles[i].handle);
    }
    status = message_add_own(&m, args, l);
    if (status != ZX_OK) {
        zx_handle_close_many(m.handles, m.count);
        return status;
    }
    status = message_send(&m, args, &bootstrap);
    if (status != ZX_OK) {
        return status;
    }
    // Takes bootstrap even when it fails.
    return zx_process_start(l->process, l->thread, l->entry, l->sp, bootstrap, l->vdso);
}

zx_status_t launch_process(const struct launch_args *args, zx_handle_t *process)
{
    struct launch l = {0};
    zx_status_t status;

    if (args->num_handles > LAUNCH_MAX_HANDLES) {
        close_user_handles(args);
        return ZX_ERR_OUT_OF_RANGE;
    }
    status = create_tasks(args, &l);
    if (status == ZX_OK) {
        status = map_all(args, &l);
    }
    if (status == ZX_OK) {
        status = start(args, &l);
    } else {
        close_user_handles(args);
    }
    zx_handle_close(l.thread);
    zx_handle_close(l.root);
    zx_handle_close(l.loaded);
    if (status != ZX_OK) {
        // An unstarted process goes away with its last handle.
        zx_handle_close(l.process);
        return status;
    }
    *process = l.process;
    return ZX_OK;
}

zx_status_t launch_process_vmo(const struct launch_args *args, zx_handle_t elf_vmo,
                               zx_handle_t *process)
{
    struct launch_args mapped = *args;
    uint64_t bytes = 0;
    zx_vaddr_t base = 0;
    zx_status_t status = zx_vmo_get_stream_size(elf_vmo, &bytes);

    if (status == ZX_ERR_NOT_SUPPORTED) {
        status = zx_vmo_get_size(elf_vmo, &bytes);
    }
    if (status == ZX_OK && bytes == 0) {
        status = ZX_ERR_INVALID_ARGS;
    }
    if (status == ZX_OK) {
        status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, elf_vmo, 0, bytes, &base);
    }
    if (status != ZX_OK) {
        close_user_handles(args);
        return status;
    }
    mapped.elf = (const void *)base;
    mapped.elf_bytes = bytes;
    mapped.elf_vmo = ZX_HANDLE_INVALID;
    status = launch_process(&mapped, process);
    zx_vmar_unmap(zx_vmar_root_self(), base, bytes);
    return status;
}
