/* A worker: threads that make calls, one that makes a page come and go under them, and the handles
 * that the calls give. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls/object.h>

#include "tests/fuzz/fuzz.h"
#include "userland/libzx/thread.h"
#include "userland/libzx/vdso_link.h"

#define ARENA_BYTES  (256 * PAGE)
#define STACKS_BYTES (8 * PAGE)
#define ARENA_OPTIONS                                                                              \
    (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE | ZX_VM_CAN_MAP_SPECIFIC)
#define TYPES  36
#define SLOTS  8
#define MAPPED 16
#define STALE  16

static _Atomic zx_handle_t handles[TYPES][SLOTS];
static _Atomic zx_handle_t stale[STALE];
static uint8_t buffers[FUZZ_THREADS_MAX][FUZZ_ARGS_MAX][FUZZ_BUFFER_BYTES];

/* Calls that have answered nothing but ZX_ERR_NOT_SUPPORTED are made less often. */
static _Atomic uint8_t count_refused[FUZZ_CALLS_MAX];
#define REFUSED_ENOUGH 20

/* ---- Handles -------------------------------------------------------------------------------- */

void fuzz_handles_add(struct fuzz_thread *thread, zx_handle_t handle)
{
    zx_info_handle_basic_t info;
    unsigned slot = fuzz_below(&thread->random, SLOTS);

    if (handle == ZX_HANDLE_INVALID ||
        zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof(info), NULL, NULL) != ZX_OK)
        return;
    zx_handle_t old = atomic_exchange(&handles[info.type % TYPES][slot], handle);
    if (old != ZX_HANDLE_INVALID) {
        atomic_store(&stale[fuzz_below(&thread->random, STALE)], old);
        (void)zx_handle_close(old);
    }
}

void fuzz_handles_check(const struct fuzz_call *call, const uint64_t args[FUZZ_ARGS_MAX])
{
    for (unsigned i = 0; i < call->count_args; i++) {
        zx_handle_t handle = (zx_handle_t)args[i], seen = handle;
        if (call->kinds[i] != FUZZ_HANDLE || handle == ZX_HANDLE_INVALID ||
            zx_handle_check_valid(handle) == ZX_OK)
            continue;
        for (unsigned n = 0; n < TYPES * SLOTS; n++, seen = handle)
            atomic_compare_exchange_strong(&handles[n / SLOTS][n % SLOTS], &seen,
                                           ZX_HANDLE_INVALID);
    }
}

static _Atomic zx_vaddr_t mapped[MAPPED];

zx_vaddr_t fuzz_mapped_pick(struct fuzz_random *random)
{
    zx_vaddr_t addr = atomic_load(&mapped[fuzz_below(random, MAPPED)]);

    return addr != 0 ? addr : fuzz_places.arena_base;
}

void fuzz_mapped_add(struct fuzz_random *random, zx_vaddr_t addr)
{
    if (addr - fuzz_places.arena_base < fuzz_places.arena_bytes)
        atomic_store(&mapped[fuzz_below(random, MAPPED)], addr);
}

static zx_handle_t any_handle(struct fuzz_thread *thread)
{
    unsigned type = fuzz_below(&thread->random, TYPES);

    for (unsigned i = 0; i < TYPES; i++, type = (type + 1) % TYPES) {
        zx_handle_t handle = atomic_load(&handles[type][fuzz_below(&thread->random, SLOTS)]);
        if (handle != ZX_HANDLE_INVALID)
            return handle;
    }
    return ZX_HANDLE_INVALID;
}

static zx_handle_t odd_handle(struct fuzz_thread *thread)
{
    switch (fuzz_below(&thread->random, 16)) {
    case 0:
        return zx_process_self();
    case 1:
        return zx_vmar_root_self();
    case 2:
        return zx_thread_self();
    case 3:
        return ZX_HANDLE_INVALID;
    case 4:
    case 5:
    case 6:
        return (zx_handle_t)fuzz_next(&thread->random) | 3;
    case 7:
        return (zx_handle_t)fuzz_next(&thread->random);
    default:
        return atomic_load(&stale[fuzz_below(&thread->random, STALE)]);
    }
}

zx_handle_t fuzz_handles_pick(struct fuzz_thread *thread, zx_obj_type_t type)
{
    uint32_t choice = fuzz_below(&thread->random, 32);

    if (fuzz_odd(&thread->random, 16))
        return odd_handle(thread);
    if (type == ZX_OBJ_TYPE_VMAR && choice < 14)
        return fuzz_places.arena;
    if (type != ZX_OBJ_TYPE_NONE && choice < 28) {
        for (unsigned i = 0; i < 3; i++) {
            zx_handle_t handle =
                atomic_load(&handles[type % TYPES][fuzz_below(&thread->random, SLOTS)]);
            if (handle != ZX_HANDLE_INVALID)
                return handle;
        }
    }
    return any_handle(thread);
}

/* Takes what a successful call has given. */
static void take_results(struct fuzz_thread *thread, const struct fuzz_call *call)
{
    for (unsigned i = 0; i < call->count_args; i++) {
        void *buffer = thread->buffers[i];
        if (!thread->is_sane[i])
            continue;
        if (call->kinds[i] == FUZZ_OUT_HANDLES) {
            for (unsigned n = 0; n < 4; n++)
                fuzz_handles_add(thread, ((zx_handle_t *)buffer)[n]);
        } else if (call->kinds[i] == FUZZ_OUT_HANDLE_INFOS) {
            for (unsigned n = 0; n < 4; n++)
                fuzz_handles_add(thread, ((zx_handle_info_t *)buffer)[n].handle);
        } else if (strcmp(call->params[i].name, "mapped_addr") == 0 ||
                   strcmp(call->params[i].name, "addr_out") == 0) {
            fuzz_mapped_add(&thread->random, *(zx_vaddr_t *)buffer);
        }
    }
}

/* ---- Calls ---------------------------------------------------------------------------------- */

typedef uint64_t (*raw_call)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                             uint64_t);

static unsigned choose_call(struct fuzz_thread *thread)
{
    for (;;) {
        unsigned number = fuzz_below(&thread->random, fuzz_count_calls);
        if (fuzz_calls[number].name == NULL)
            continue;
        if (fuzz_calls[number].is_deadly && !fuzz_once_in(&thread->random, 1024))
            continue;
        if (fuzz_calls[number].is_greedy && !fuzz_once_in(&thread->random, 8))
            continue;
        if (!fuzz_calls[number].is_creator && fuzz_once_in(&thread->random, 3))
            continue;
        if (atomic_load(&count_refused[number]) >= REFUSED_ENOUGH &&
            !fuzz_once_in(&thread->random, 64))
            continue;
        return number;
    }
}

static void note_status(unsigned number, zx_status_t status, struct fuzz_shared *shared)
{
    uint8_t refused = atomic_load_explicit(&count_refused[number], memory_order_relaxed);

    atomic_fetch_add_explicit(&shared->count_by_call[number], 1, memory_order_relaxed);
    if (status == ZX_OK)
        atomic_fetch_add_explicit(&shared->count_ok[number], 1, memory_order_relaxed);
    if (status != ZX_ERR_NOT_SUPPORTED)
        atomic_store_explicit(&count_refused[number], 0, memory_order_relaxed);
    else if (refused < REFUSED_ENOUGH)
        atomic_store_explicit(&count_refused[number], refused + 1, memory_order_relaxed);
}

static int make_calls(void *arg)
{
    struct fuzz_thread *thread = arg;
    uint64_t args[FUZZ_ARGS_MAX];

    for (uint64_t i = 0; i < thread->count_calls; i++) {
        unsigned number = choose_call(thread);
        const struct fuzz_call *call = &fuzz_calls[number];
        fuzz_args_make(thread, call, args);
        atomic_store_explicit(&thread->progress->last_call[thread->index], number,
                              memory_order_relaxed);
        zx_status_t status = (zx_status_t)((raw_call)call->entry)(
            args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7]);
        note_status(number, status, thread->shared);
        atomic_fetch_add_explicit(&thread->progress->count_calls[thread->index], 1,
                                  memory_order_relaxed);
        if (status == ZX_OK)
            take_results(thread, call);
        else if (status == ZX_ERR_BAD_HANDLE)
            fuzz_handles_check(call, args);
    }
    return 0;
}

/* Makes the arena, if it is not there. */
static void make_arena(void)
{
    zx_handle_t arena;
    zx_vaddr_t base;

    if (zx_vmar_allocate(fuzz_places.around, ARENA_OPTIONS | ZX_VM_SPECIFIC, 0, ARENA_BYTES, &arena,
                         &base) == ZX_OK)
        fuzz_places.arena = arena;
}

/* ---- The page that comes and goes ----------------------------------------------------------- */

static int flicker(void *arg)
{
    struct fuzz_thread *thread = arg;
    zx_handle_t vmo, child = ZX_HANDLE_INVALID, root = zx_vmar_root_self();
    zx_vaddr_t base = fuzz_places.flicker, at;
    zx_info_vmar_t info;

    if (zx_vmo_create(2 * PAGE, 0, &vmo) != ZX_OK ||
        zx_object_get_info(root, ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL) != ZX_OK)
        return 1;
    for (;;) {
        make_arena();
        fuzz_answer();
        if (fuzz_once_in(&thread->random, 8))
            fuzz_stage(thread);
        switch (fuzz_below(&thread->random, 6)) {
        case 0:
            (void)zx_vmar_unmap(root, base + fuzz_below(&thread->random, 2) * PAGE, PAGE);
            break;
        case 1:
            (void)zx_vmar_protect(root, ZX_VM_PERM_READ, base, 2 * PAGE);
            break;
        case 2:
            (void)zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 0, 2 * PAGE, NULL, 0);
            break;
        case 3:
            (void)zx_handle_close(child);
            child = ZX_HANDLE_INVALID;
            (void)zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, 2 * PAGE, &child);
            break;
        default:
            (void)zx_vmar_map(root, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC_OVERWRITE,
                              base - info.base, child != ZX_HANDLE_INVALID ? child : vmo, 0,
                              2 * PAGE, &at);
            break;
        }
        atomic_fetch_add_explicit(&thread->progress->count_calls[FUZZ_THREADS_MAX], 1,
                                  memory_order_relaxed);
        (void)zx_nanosleep(zx_deadline_after(ZX_USEC(fuzz_below(&thread->random, 500))));
    }
}

/* ---- Setting up ----------------------------------------------------------------------------- */

static zx_vaddr_t map_new(zx_vm_option_t perms, size_t len)
{
    zx_handle_t vmo;
    zx_vaddr_t at = 0;

    if (zx_vmo_create(len, 0, &vmo) != ZX_OK ||
        zx_vmar_map(zx_vmar_root_self(), perms, 0, vmo, 0, len, &at) != ZX_OK)
        exit(1);
    (void)zx_handle_close(vmo);
    return at;
}

static void make_places(void)
{
    const zx_vm_option_t rw = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;

    fuzz_places.arena_bytes = ARENA_BYTES;
    if (zx_vmar_allocate(zx_vmar_root_self(), ARENA_OPTIONS, 0, ARENA_BYTES, &fuzz_places.around,
                         &fuzz_places.arena_base) != ZX_OK)
        exit(1);
    make_arena();
    fuzz_places.read_only = map_new(ZX_VM_PERM_READ, PAGE);
    fuzz_places.execute_only = map_new(rw, PAGE);
    (void)zx_vmar_protect(zx_vmar_root_self(), 0, fuzz_places.execute_only, PAGE);
    fuzz_places.before_hole = map_new(rw, 2 * PAGE);
    (void)zx_vmar_unmap(zx_vmar_root_self(), fuzz_places.before_hole + PAGE, PAGE);
    fuzz_places.flicker = map_new(rw, 2 * PAGE);
    fuzz_places.stacks = map_new(rw, STACKS_BYTES);
    fuzz_places.stacks_bytes = STACKS_BYTES;
    fuzz_places.vdso = (zx_vaddr_t)vdso_link_base();
}

static void take_startup_handles(struct fuzz_thread *thread)
{
    zx_handle_t own;

    for (unsigned i = FUZZ_HANDLE_SHARED + 1; i < FUZZ_HANDLE_COUNT; i++)
        fuzz_handles_add(thread, zx_take_startup_handle(PA_HND(PA_USER0, i)));
    if (zx_job_create(zx_job_default(), 0, &own) == ZX_OK)
        fuzz_handles_add(thread, own);
}

static struct fuzz_shared *map_shared(void)
{
    zx_handle_t vmo = zx_take_startup_handle(PA_HND(PA_USER0, FUZZ_HANDLE_SHARED));
    zx_vaddr_t at = 0;

    if (zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0,
                    FUZZ_SHARED_BYTES, &at) != ZX_OK)
        exit(1);
    (void)zx_handle_close(vmo);
    return (struct fuzz_shared *)at;
}

int fuzz_worker(const struct fuzz_worker_args *args)
{
    static struct fuzz_thread threads[FUZZ_THREADS_MAX + 1];
    struct thread *spawned[FUZZ_THREADS_MAX], *flickering;
    struct fuzz_shared *shared = map_shared();
    unsigned count = 0;

    fuzz_calls_classify();
    make_places();
    for (unsigned i = 0; i <= FUZZ_THREADS_MAX; i++) {
        threads[i] = (struct fuzz_thread){
            .random = {.state = args->seed * 0x2545f4914f6cdd1d + i},
            .progress = &shared->workers[args->slot],
            .shared = shared,
            .index = i,
            .count_calls = args->count_calls,
            .buffers = i < FUZZ_THREADS_MAX ? buffers[i] : NULL,
        };
    }
    take_startup_handles(&threads[0]);
    if (thread_spawn("flicker", flicker, &threads[FUZZ_THREADS_MAX], &flickering) != ZX_OK)
        return 1;
    for (; count < args->count_threads; count++) {
        if (thread_spawn("fuzz", make_calls, &threads[count], &spawned[count]) != ZX_OK)
            break;
    }
    for (unsigned i = 0; i < count; i++)
        thread_join(spawned[i]);
    zx_process_exit(0);
}
