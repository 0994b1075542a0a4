/* Starts init. */
#include "kernel/userboot.h"

#include <zircon/features.h>
#include <zircon/processargs.h>

#include "abi/vdso_constants.h"
#include "formats/cpio.h"
#include "kernel/lib/bootargs.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/lib/string_copy.h"
#include "kernel/object/channel.h"
#include "kernel/object/job.h"
#include "kernel/object/kernel_message.h"
#include "kernel/object/policy.h"
#include "kernel/object/power.h"
#include "kernel/object/resource.h"
#include "kernel/object/thread.h"
#include "kernel/object/vdso.h"
#include "kernel/sched/sched.h"
#include "kernel/userboot_internal.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"

#define INIT_NAME "init"

/* Bytes of one word of the command line, and of init's whole first message. */
#define WORD_BYTES    256u
#define MESSAGE_BYTES 8192u
#define HANDLES_MAX   8u

#define RAMDISK_RIGHTS                                                                             \
    (ZX_RIGHTS_BASIC | ZX_RIGHT_READ | ZX_RIGHT_EXECUTE | ZX_RIGHT_MAP | ZX_RIGHT_GET_PROPERTY)

/* What init is told, while it is put together. */
struct first_message {
    uint8_t *bytes; /* MESSAGE_BYTES of them */
    uint32_t used;
    struct handle *handles[HANDLES_MAX];
    uint32_t infos[HANDLES_MAX];
    uint32_t count_handles;
};

/* Boot cannot go on without any of this. */
static void must(zx_status_t status, const char *what)
{
    if (status != ZX_OK)
        panic("userboot: %s: status %d", what, status);
}

/* ---- The ramdisk and the vDSO
 * ---------------------------------------------------------------------- */

/* What follows the archive on its last page is none of init's business. */
static void clear_tail(const struct ram_range *ramdisk)
{
    uint8_t *end = (uint8_t *)phys_to_virt(ramdisk->base) + ramdisk->len_bytes;
    size_t tail_bytes = -ramdisk->len_bytes & PAGE_MASK;
    for (size_t i = 0; i < tail_bytes; i++) {
        if (end[i] != 0) /* the archive in the image is padded with zeros, and read-only */
            end[i] = 0;
    }
}

static struct vmo_object *make_ramdisk_object(const struct ram_range *ramdisk)
{
    struct vmo_object *object;
    struct vmo *vmo;

    if (is_aligned(ramdisk->base, PAGE_SIZE_BYTES)) {
        clear_tail(ramdisk);
        must(vmo_create_from_reserved(ramdisk->base, ramdisk->len_bytes, &vmo), "ramdisk");
    } else {
        must(vmo_create(ramdisk->len_bytes, 0, &vmo), "ramdisk");
        must(vmo_write_kernel(vmo, 0, phys_to_virt(ramdisk->base), ramdisk->len_bytes), "ramdisk");
        vmo->is_frozen = true; /* programs run where they lie in it, as in the other case */
    }
    vmo_set_name(vmo, "ramdisk");
    must(vmo_object_create(vmo, &object), "ramdisk");
    return object;
}

static void make_vdso(void)
{
    struct pmm_stats stats;
    struct vdso_constants constants = {
        .magic = VDSO_CONSTANTS_MAGIC,
        .version = VDSO_CONSTANTS_VERSION,
        .page_size_bytes = PAGE_SIZE_BYTES,
        .num_harts = arch_hart_count(),
        .dcache_line_bytes = 64,
        .cpu_features = ZX_HAS_CPU_FEATURES,
        .vm_features = ZX_VM_FEATURE_CAN_MAP_XOM,
    };
    size_t len_bytes;
    const void *image = arch_vdso_image(&len_bytes);

    pmm_get_stats(&stats);
    constants.physmem_bytes = stats.count_total * PAGE_SIZE_BYTES;
    constants.version_len = string_copy(constants.version_string, "beryl", VDSO_VERSION_MAX);
    clock_fill_vdso(&constants);
    must(vdso_init(image, len_bytes, &constants), "vDSO");
}

static const void *find_init(const struct ram_range *ramdisk, struct elf_image *out_elf)
{
    struct cpio_entry file;
    const char *why;
    zx_status_t status =
        cpio_find(phys_to_virt(ramdisk->base), ramdisk->len_bytes, INIT_NAME, &file);
    if (status == ZX_ERR_NOT_FOUND)
        panic("userboot: the ramdisk has no file /" INIT_NAME);
    if (status != ZX_OK)
        panic("userboot: the ramdisk is no sound cpio archive (newc)");
    if (elf_parse(file.data, file.size_bytes, file.size_bytes, out_elf, &why) != ZX_OK)
        panic("userboot: /" INIT_NAME " cannot be loaded: %s", why);
    if (!out_elf->has_entry)
        panic("userboot: /" INIT_NAME " cannot be loaded: no entry point");
    return file.data;
}

/* ---- The first message
 * ----------------------------------------------------------------------------- */

static void message_add_handle(struct first_message *message, uint32_t type, struct object *object,
                               zx_rights_t rights)
{
    ASSERT(message->count_handles < HANDLES_MAX);
    struct handle *handle = handle_create(object, rights);
    if (handle == NULL)
        panic("userboot: no memory for init's handles");
    message->infos[message->count_handles] = PA_HND(type, 0);
    message->handles[message->count_handles++] = handle;
}

/* False if there is no more room. */
static bool message_add_bytes(struct first_message *message, const void *bytes, size_t len_bytes)
{
    if (len_bytes > MESSAGE_BYTES - message->used)
        return false;
    memcpy(message->bytes + message->used, bytes, len_bytes);
    message->used += (uint32_t)len_bytes;
    return true;
}

/* Each word of the command line as NAME=VALUE; a bare word has an empty value. */
static uint32_t message_add_environment(struct first_message *message, const char *bootargs)
{
    char word[WORD_BYTES];
    const char *cursor = bootargs;
    uint32_t count = 0;

    while (bootargs_next(&cursor, word, sizeof(word) - 1)) {
        size_t len = strlen(word);
        if (strchr(word, '=') == NULL) {
            word[len++] = '=';
            word[len] = '\0';
        }
        if (!message_add_bytes(message, word, len + 1)) {
            kprintf("userboot: the command line is too long for init, cut off at \"%s\"", word);
            break;
        }
        count++;
    }
    return count;
}

static void message_send(struct first_message *message, const char *bootargs,
                         struct object *channel)
{
    zx_proc_args_t header = {
        .protocol = ZX_PROCARGS_PROTOCOL,
        .version = ZX_PROCARGS_VERSION,
        .handle_info_off = sizeof(header),
        .args_num = 1,
    };

    message->bytes = kzalloc(MESSAGE_BYTES);
    if (message->bytes == NULL)
        panic("userboot: no memory for init's first message");
    message->used = sizeof(header);
    bool fits = message_add_bytes(message, message->infos,
                                  message->count_handles * sizeof(message->infos[0]));
    header.args_off = message->used;
    fits = fits && message_add_bytes(message, INIT_NAME, sizeof(INIT_NAME));
    ASSERT(fits);
    header.environ_off = message->used;
    header.environ_num = message_add_environment(message, bootargs);
    header.names_off = message->used;
    memcpy(message->bytes, &header, sizeof(header));
    must(channel_write_kernel(channel, message->bytes, message->used, message->handles,
                              message->count_handles),
         "first message");
    kfree(message->bytes);
}

/* Puts the message into a new channel and returns init's end of it, as a handle in flight. The
 * kernel keeps nothing: init sees its channel as closed by the other side. */
static struct handle *make_bootstrap(struct first_message *message, const char *bootargs)
{
    struct object *ours, *inits;

    must(channel_create(&ours, &inits), "bootstrap channel");
    struct handle *our_handle = handle_create(ours, ZX_DEFAULT_CHANNEL_RIGHTS);
    struct handle *inits_handle = handle_create(inits, ZX_DEFAULT_CHANNEL_RIGHTS);
    if (our_handle == NULL || inits_handle == NULL)
        panic("userboot: no memory for the bootstrap channel");
    message_send(message, bootargs, ours);
    handle_close(our_handle);
    object_put(ours);
    object_put(inits);
    return inits_handle;
}

/* ---- init
 * ------------------------------------------------------------------------------------------ */

static void collect_handles(struct first_message *message, struct process *process,
                            struct user_thread *thread, struct vmar_object *root,
                            const struct userboot_image *image, struct vmo_object *ramdisk)
{
    struct object *resource;

    must(resource_create(ZX_RSRC_KIND_ROOT, 0, 0, 0, "root", &resource), "root resource");
    message_add_handle(message, PA_PROC_SELF, &process->object, ZX_DEFAULT_PROCESS_RIGHTS);
    message_add_handle(message, PA_THREAD_SELF, &thread->object, ZX_DEFAULT_THREAD_RIGHTS);
    message_add_handle(message, PA_JOB_DEFAULT, &process->job->object, ZX_DEFAULT_JOB_RIGHTS);
    message_add_handle(message, PA_VMAR_ROOT, &root->object, vmar_object_rights(root));
    message_add_handle(message, PA_VMAR_LOADED, &image->loaded->object,
                       vmar_object_rights(image->loaded));
    message_add_handle(message, PA_VMO_VDSO, &vdso_vmo_object()->object, vdso_vmo_rights());
    message_add_handle(message, PA_VMO_BOOTFS, &ramdisk->object, RAMDISK_RIGHTS);
    message_add_handle(message, PA_RESOURCE, resource, ZX_DEFAULT_RESOURCE_RIGHTS);
    object_put(resource);
}

/* Gives a reference on the running process. */
static struct process *start_init(const struct userboot_args *args)
{
    struct first_message message = {0};
    struct userboot_image image;
    struct elf_image elf;
    struct job *root_job;
    struct process *process;
    struct vmar_object *root;
    struct user_thread *thread;

    handle_set_failure_hook(policy_note_failure);
    const void *file = find_init(&args->ramdisk, &elf);
    make_vdso();
    struct vmo_object *ramdisk = make_ramdisk_object(&args->ramdisk);
    must(job_create(NULL, &root_job), "root job");
    must(process_create(root_job, INIT_NAME, &process, &root), "process");
    must(userboot_load(process, root->vmar, file, &elf, &image), "memory of init");
    must(user_thread_create(process, INIT_NAME, &thread), "thread");
    collect_handles(&message, process, thread, root, &image, ramdisk);
    struct handle *bootstrap = make_bootstrap(&message, args->bootargs);
    struct process_entry entry = {
        .pc = image.entry,
        .sp = image.stack_top,
        .arg1 = image.vdso_base,
    };
    must(process_start(process, thread, &entry, bootstrap), "start of init");
    object_put(&thread->object);
    object_put(&root->object);
    object_put(&image.loaded->object);
    object_put(&ramdisk->object);
    object_put(&root_job->object);
    return process;
}

/* ---- The end
 * --------------------------------------------------------------------------------------- */

struct end_observer {
    struct observer observer;
    struct thread *waiter;
    uint32_t is_over; /* atomic */
};

static bool end_notify(struct observer *observer, enum observer_event event, uint32_t observed)
{
    struct end_observer *end = container_of(observer, struct end_observer, observer);
    (void)event;
    (void)observed;
    atomic_store(&end->is_over, 1);
    thread_unpark(end->waiter);
    return false;
}

static void wait_for_end(struct process *process)
{
    static const struct observer_ops end_ops = {.notify = end_notify};
    struct end_observer end = {
        .observer = {.ops = &end_ops, .trigger = ZX_PROCESS_TERMINATED},
        .waiter = thread_current(),
    };
    object_add_observer(&process->object, &end.observer, false);
    while (!atomic_load(&end.is_over))
        (void)thread_park(ZX_TIME_INFINITE, false);
    /* The notifier holds the object's lock until it is done with |end|. */
    (void)object_remove_observer(&process->object, &end.observer);
}

void userboot_start(const struct userboot_args *args)
{
    struct process *process = start_init(args);
    wait_for_end(process);
    int64_t return_code = process->return_code;
    object_put(&process->object);
    kprintf("init has ended with %ld: powering off", return_code);
    uint8_t status = return_code == 0                       ? 0
                     : return_code > 0 && return_code < 256 ? (uint8_t)return_code
                                                            : 1;
    power_down(POWER_OFF, status);
    panic("init has ended and the machine does not power off");
}
