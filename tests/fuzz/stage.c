/* What random calls seldom build: things that take several calls in a row to be worth calling. */
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/iob.h>

#include "tests/fuzz/fuzz.h"

static zx_handle_t server; /* the stagehand's end of a channel that answers */

/* A process whose thread has faulted, and the exception. */
static void stage_exception(struct fuzz_thread *thread)
{
    zx_handle_t process, root, first, exceptions, exception;
    zx_exception_info_t info;

    if (zx_process_create(zx_job_default(), "p", 1, 0, &process, &root) != ZX_OK)
        return;
    fuzz_handles_add(thread, root);
    if (zx_task_create_exception_channel(process, 0, &exceptions) == ZX_OK) {
        if (zx_thread_create(process, "t", 1, 0, &first) == ZX_OK) {
            if (zx_process_start(process, first, PAGE, PAGE, ZX_HANDLE_INVALID, 0) == ZX_OK &&
                zx_object_wait_one(exceptions, ZX_CHANNEL_READABLE, zx_deadline_after(ZX_MSEC(20)),
                                   NULL) == ZX_OK &&
                zx_channel_read(exceptions, 0, &info, &exception, sizeof(info), 1, NULL, NULL) ==
                    ZX_OK)
                fuzz_handles_add(thread, exception);
            fuzz_handles_add(thread, first);
        }
        fuzz_handles_add(thread, exceptions);
    }
    fuzz_handles_add(thread, process);
}

/* An IOBuffer with a region of each discipline. */
static void stage_iob(struct fuzz_thread *thread)
{
    zx_handle_t shared = ZX_HANDLE_INVALID;

    (void)zx_iob_create_shared_region(0, 2 * PAGE, &shared);
    const zx_iob_region_t regions[] = {
        {.type = ZX_IOB_REGION_TYPE_SHARED,
         .access = 0xff,
         .discipline = {.type = ZX_IOB_DISCIPLINE_TYPE_MEDIATED_WRITE_RING_BUFFER},
         .shared_region = {.shared_region = shared}},
        {.access = 0xff, .size = 4 * PAGE},
        {.access = 0xff,
         .size = 2 * PAGE,
         .discipline = {.type = ZX_IOB_DISCIPLINE_TYPE_ID_ALLOCATOR}},
    };
    zx_handle_t ends[2];

    zx_status_t status = zx_iob_create(0, regions, 3, &ends[0], &ends[1]);
    fuzz_handles_add(thread, shared);
    if (status != ZX_OK)
        return;
    fuzz_handles_add(thread, ends[0]);
    fuzz_handles_add(thread, ends[1]);
}

/* A VMO with contents, mapped somewhere in the arena, and a snapshot of it. */
static void stage_memory(struct fuzz_thread *thread)
{
    zx_handle_t vmo, child;
    zx_vaddr_t addr;

    if (zx_vmo_create(16 * PAGE, ZX_VMO_RESIZABLE, &vmo) != ZX_OK)
        return;
    (void)zx_vmo_write(vmo, &vmo, PAGE * fuzz_below(&thread->random, 16), sizeof(vmo));
    if (zx_vmar_map(fuzz_places.arena, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_ALLOW_FAULTS, 0,
                    vmo, 0, 16 * PAGE, &addr) == ZX_OK)
        fuzz_mapped_add(&thread->random, addr);
    if (zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, 16 * PAGE, &child) == ZX_OK)
        fuzz_handles_add(thread, child);
    fuzz_handles_add(thread, vmo);
}

/* This process, but not so that it could be ended or stopped. */
static void stage_self(struct fuzz_thread *thread)
{
    const zx_rights_t not_given =
        ZX_RIGHT_DESTROY | ZX_RIGHT_MANAGE_PROCESS | ZX_RIGHT_MANAGE_THREAD;
    zx_handle_t self;

    if (zx_handle_duplicate(zx_process_self(), ZX_DEFAULT_PROCESS_RIGHTS & ~not_given, &self) ==
        ZX_OK)
        fuzz_handles_add(thread, self);
}

static void stage_server(struct fuzz_thread *thread)
{
    zx_handle_t client;

    (void)zx_handle_close(server);
    server = ZX_HANDLE_INVALID;
    if (zx_channel_create(0, &client, &server) == ZX_OK)
        fuzz_handles_add(thread, client);
}

/* Room for other mappings. */
static void stage_room(struct fuzz_thread *thread)
{
    (void)thread;
    (void)zx_vmar_unmap(fuzz_places.arena, fuzz_places.arena_base, fuzz_places.arena_bytes);
}

static void stage_job(struct fuzz_thread *thread)
{
    zx_handle_t job;

    if (zx_job_create(zx_job_default(), 0, &job) == ZX_OK)
        fuzz_handles_add(thread, job);
}

void fuzz_stage(struct fuzz_thread *thread)
{
    static void (*const acts[])(struct fuzz_thread *) = {stage_exception, stage_iob,  stage_memory,
                                                         stage_memory,    stage_self, stage_server,
                                                         stage_job,       stage_room};

    acts[fuzz_below(&thread->random, sizeof(acts) / sizeof(acts[0]))](thread);
}

void fuzz_answer(void)
{
    uint8_t bytes[64];
    zx_handle_t handles[4];
    uint32_t count_bytes, count_handles;

    while (zx_channel_read(server, ZX_CHANNEL_READ_MAY_DISCARD, bytes, handles, sizeof(bytes), 4,
                           &count_bytes, &count_handles) == ZX_OK)
        (void)zx_channel_write(server, 0, bytes, count_bytes, handles, count_handles);
}
