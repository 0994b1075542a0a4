/* The supervisor: `fuzz [SECONDS [SEED [ONE_IN]]]`. With ONE_IN, a debug kernel refuses one of so
 * many allocations that the workers cause.
 *
 * It runs workers in epochs. A worker has its own job, a few threads and a number of calls to make;
 * one that makes no progress, or that faults, is killed, and must then be gone soon. After each
 * epoch every worker is gone, and the kernel must hold what it held before. The verdict is the last
 * line: `fuzz: PASS` or `fuzz: FAIL`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/status.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/iob.h>
#include <zircon/syscalls/object.h>

#include "tests/fuzz/fuzz.h"
#include "userland/crt/startup.h"
#include "userland/libzx/program.h"

#define WORKERS          3
#define THREADS          3
#define CALLS            20000 /* of a thread */
#define EPOCH_WORKERS    24
#define STALL            ZX_SEC(1)
#define PATIENCE         ZX_SEC(30)
#define CONTIGUOUS_PAGES 16
#define LEAK_EPOCHS      4 /* so many in a row with less free memory each are a leak */

struct worker {
    zx_handle_t process, job;
    uint64_t seed;
    uint64_t count_seen;
    zx_time_t changed_at; /* when count_seen did */
    zx_time_t killed_at;  /* 0: it was not */
};

static struct {
    zx_handle_t job, exceptions, shared_vmo, contiguous;
    zx_handle_t spare_channel, spare_iob; /* other ends, for the next worker */
    struct fuzz_shared *shared;
    struct worker workers[FUZZ_WORKERS_MAX];
    struct fuzz_random random;
    uint64_t next_seed, one_in;
    uint64_t count_calls, count_workers, count_stalled, count_exceptions;
    bool has_failed;
} fuzz;

__attribute__((format(printf, 1, 2))) static void fail(const char *fmt, ...)
{
    va_list args;

    fuzz.has_failed = true;
    printf("fuzz: ");
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
}

static bool is_ok(zx_status_t status, const char *what)
{
    if (status != ZX_OK)
        fail("%s: %s", what, zx_status_get_string(status));
    return status == ZX_OK;
}

static void drop(zx_handle_t *handle)
{
    if (*handle != ZX_HANDLE_INVALID)
        (void)zx_handle_close(*handle);
    *handle = ZX_HANDLE_INVALID;
}

/* ---- Starting workers ----------------------------------------------------------------------- */

/* One end of a pair now, the other for the worker after. */
static zx_handle_t channel_end(void)
{
    zx_handle_t end = fuzz.spare_channel;

    fuzz.spare_channel = ZX_HANDLE_INVALID;
    if (end == ZX_HANDLE_INVALID)
        (void)zx_channel_create(0, &end, &fuzz.spare_channel);
    return end;
}

static zx_handle_t iob_end(void)
{
    const zx_iob_region_t regions[] = {
        {.access = 0xff, .size = 2 * PAGE},
        {.access = 0xff,
         .size = 2 * PAGE,
         .discipline = {.type = ZX_IOB_DISCIPLINE_TYPE_ID_ALLOCATOR}},
    };
    zx_handle_t end = fuzz.spare_iob;

    fuzz.spare_iob = ZX_HANDLE_INVALID;
    if (end == ZX_HANDLE_INVALID)
        (void)zx_iob_create(0, regions, 2, &end, &fuzz.spare_iob);
    return end;
}

static zx_handle_t copy_of(zx_handle_t handle)
{
    zx_handle_t copy = ZX_HANDLE_INVALID;

    if (handle != ZX_HANDLE_INVALID)
        (void)zx_handle_duplicate(handle, ZX_RIGHT_SAME_RIGHTS, &copy);
    return copy;
}

/* The neighbour may do anything with it, but seldom end it. */
static zx_handle_t neighbour_of(unsigned slot)
{
    const zx_rights_t all = ZX_DEFAULT_PROCESS_RIGHTS;
    zx_handle_t process = fuzz.workers[(slot + 1) % WORKERS].process, copy = ZX_HANDLE_INVALID;
    bool may_end = fuzz_once_in(&fuzz.random, 8);

    if (process != ZX_HANDLE_INVALID)
        (void)zx_handle_duplicate(process, may_end ? all : all & ~ZX_RIGHT_DESTROY, &copy);
    return copy;
}

static unsigned collect_handles(unsigned slot, struct launch_handle handles[FUZZ_HANDLE_COUNT])
{
    const zx_handle_t all[FUZZ_HANDLE_COUNT] = {
        [FUZZ_HANDLE_SHARED] = copy_of(fuzz.shared_vmo),
        [FUZZ_HANDLE_CHANNEL] = channel_end(),
        [FUZZ_HANDLE_NEIGHBOUR] = neighbour_of(slot),
        [FUZZ_HANDLE_CONTIGUOUS] = copy_of(fuzz.contiguous),
        [FUZZ_HANDLE_IOB] = iob_end(),
    };
    unsigned count = 0;

    for (unsigned i = 0; i < FUZZ_HANDLE_COUNT; i++) {
        if (all[i] != ZX_HANDLE_INVALID)
            handles[count++] =
                (struct launch_handle){.info = PA_HND(PA_USER0, i), .handle = all[i]};
    }
    return count;
}

static void start_worker(unsigned slot)
{
    struct worker *worker = &fuzz.workers[slot];
    struct launch_handle handles[FUZZ_HANDLE_COUNT];
    char seed[24], slot_text[8];
    const char *const argv[] = {"fuzz", "worker", seed, slot_text};
    struct program_args args = {.argv = argv, .argc = 4, .handles = handles};

    *worker = (struct worker){.seed = fuzz.next_seed++, .changed_at = zx_clock_get_monotonic()};
    memset(&fuzz.shared->workers[slot], 0, sizeof(fuzz.shared->workers[slot]));
    snprintf(seed, sizeof(seed), "%" PRIu64, worker->seed);
    snprintf(slot_text, sizeof(slot_text), "%u", slot);
    if (!is_ok(zx_job_create(fuzz.job, 0, &worker->job), "job"))
        return;
    args.job = worker->job;
    args.num_handles = collect_handles(slot, handles);
    zx_status_t status = program_start(&args, &worker->process);
    if (status != ZX_OK) {
        /* The others may have taken all memory. */
        if (status != ZX_ERR_NO_MEMORY)
            fail("start of a worker: %s", zx_status_get_string(status));
        (void)zx_task_kill(worker->job);
        drop(&worker->job);
        worker->process = ZX_HANDLE_INVALID;
        return;
    }
    fuzz.count_workers++;
}

/* ---- Watching them -------------------------------------------------------------------------- */

static uint64_t count_of(unsigned slot)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < FUZZ_THREADS_MAX; i++)
        sum += atomic_load(&fuzz.shared->workers[slot].count_calls[i]);
    return sum;
}

static void kill_worker(unsigned slot)
{
    struct worker *worker = &fuzz.workers[slot];

    (void)is_ok(zx_task_kill(worker->job), "kill");
    worker->killed_at = zx_clock_get_monotonic();
}

static void tell_hang(unsigned slot)
{
    struct worker *worker = &fuzz.workers[slot];

    fail("seed %" PRIu64 " is not gone %d s after it was killed; its last calls:", worker->seed,
         (int)(PATIENCE / ZX_SEC(1)));
    for (unsigned i = 0; i < THREADS; i++) {
        unsigned call = atomic_load(&fuzz.shared->workers[slot].last_call[i]) % FUZZ_CALLS_MAX;
        printf("fuzz:   zx_%s\n", fuzz_calls[call].name);
    }
}

static void end_worker(unsigned slot)
{
    struct worker *worker = &fuzz.workers[slot];
    zx_info_process_t info = {0};

    if (getenv("verbose") != NULL && zx_object_get_info(worker->process, ZX_INFO_PROCESS, &info,
                                                        sizeof(info), NULL, NULL) == ZX_OK) {
        printf("fuzz: seed %" PRIu64 ": %" PRIu64 " calls, %s\n", worker->seed, count_of(slot),
               program_end_string(info.return_code));
    }
    fuzz.count_calls +=
        count_of(slot) + atomic_load(&fuzz.shared->workers[slot].count_calls[FUZZ_THREADS_MAX]);
    /* Whatever it made in its job. */
    (void)zx_task_kill(worker->job);
    drop(&worker->process);
    drop(&worker->job);
}

/* True while there is a worker in the slot. */
static bool watch_worker(unsigned slot)
{
    struct worker *worker = &fuzz.workers[slot];
    zx_time_t at = zx_clock_get_monotonic();
    zx_signals_t seen = 0;

    if (worker->process == ZX_HANDLE_INVALID)
        return false;
    (void)zx_object_wait_one(worker->process, ZX_PROCESS_TERMINATED, 0, &seen);
    if ((seen & ZX_PROCESS_TERMINATED) != 0) {
        end_worker(slot);
        return false;
    }
    uint64_t count = count_of(slot);
    if (count != worker->count_seen) {
        worker->count_seen = count;
        worker->changed_at = at;
    }
    if (worker->killed_at == 0 && at - worker->changed_at > STALL) {
        fuzz.count_stalled++;
        kill_worker(slot);
    } else if (worker->killed_at != 0 && at - worker->killed_at > PATIENCE) {
        tell_hang(slot);
        end_worker(slot);
        return false;
    }
    return true;
}

/* A worker's fault ends the thread, or the process. */
static void take_exception(void)
{
    zx_handle_t exception, process;
    zx_exception_info_t info;
    uint32_t count_bytes, count_handles, state = ZX_EXCEPTION_STATE_THREAD_EXIT;

    if (zx_channel_read(fuzz.exceptions, 0, &info, &exception, sizeof(info), 1, &count_bytes,
                        &count_handles) != ZX_OK)
        return;
    fuzz.count_exceptions++;
    if (fuzz_once_in(&fuzz.random, 2))
        (void)zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state));
    else if (zx_exception_get_process(exception, &process) == ZX_OK) {
        (void)zx_task_kill(process);
        (void)zx_handle_close(process);
    }
    (void)zx_handle_close(exception);
}

static void wait_a_little(void)
{
    zx_time_t end = zx_deadline_after(ZX_MSEC(10));

    while (zx_object_wait_one(fuzz.exceptions, ZX_CHANNEL_READABLE, end, NULL) == ZX_OK)
        take_exception();
}

/* ---- Epochs --------------------------------------------------------------------------------- */

struct books {
    uint64_t free_pages, heap_pages, heap_bytes, vmo_pages, table_pages, stack_pages;
    uint32_t handles;
};

static struct books read_books(void)
{
    zx_info_kmem_stats_t memory = {0};
    zx_info_process_handle_stats_t own;
    struct books books = {0};

    (void)is_ok(zx_object_get_info(startup_resource(), ZX_INFO_KMEM_STATS, &memory, sizeof(memory),
                                   NULL, NULL),
                "memory");
    (void)is_ok(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_HANDLE_STATS, &own,
                                   sizeof(own), NULL, NULL),
                "handles");
    for (size_t i = 0; i < sizeof(own.handle_count) / sizeof(own.handle_count[0]); i++)
        books.handles += own.handle_count[i];
    books.free_pages = memory.free_bytes / PAGE;
    books.heap_pages = memory.total_heap_bytes / PAGE;
    books.heap_bytes = memory.total_heap_bytes - memory.free_heap_bytes;
    books.vmo_pages = memory.vmo_bytes / PAGE;
    books.table_pages = memory.mmu_overhead_bytes / PAGE;
    books.stack_pages = memory.other_bytes / PAGE;
    return books;
}

/* The dead are buried a little later. */
static struct books settled_books(const struct books *before)
{
    zx_time_t deadline = zx_deadline_after(ZX_SEC(5));
    struct books books = read_books();

    while (books.heap_bytes > before->heap_bytes && zx_clock_get_monotonic() < deadline) {
        zx_nanosleep(zx_deadline_after(ZX_MSEC(5)));
        books = read_books();
    }
    return books;
}

/* A command to a debug kernel. */
static zx_status_t command(const char *text)
{
    return zx_debug_send_command(startup_resource(), text, strlen(text));
}

static void refuse_allocations(bool on)
{
    char text[40] = "inject off";

    if (fuzz.one_in == 0)
        return;
    if (on)
        snprintf(text, sizeof(text), "inject random %" PRIu64, fuzz.one_in);
    (void)is_ok(command(text), text);
}

static void check_kernel(void)
{
    zx_status_t status = command("check");

    if (status != ZX_OK && status != ZX_ERR_NOT_SUPPORTED)
        fail("check: %s", zx_status_get_string(status));
}

static bool begin_epoch(void)
{
    return is_ok(zx_job_create(zx_job_default(), 0, &fuzz.job), "job") &&
           is_ok(zx_task_create_exception_channel(fuzz.job, 0, &fuzz.exceptions), "exceptions") &&
           is_ok(zx_vmo_create_contiguous(startup_resource(), CONTIGUOUS_PAGES * PAGE, 0,
                                          &fuzz.contiguous),
                 "contiguous memory");
}

static void end_epoch(void)
{
    (void)is_ok(zx_task_kill(fuzz.job), "kill");
    (void)is_ok(zx_object_wait_one(fuzz.job, ZX_JOB_TERMINATED, zx_deadline_after(PATIENCE), NULL),
                "end of the job");
    drop(&fuzz.spare_channel);
    drop(&fuzz.spare_iob);
    drop(&fuzz.contiguous);
    drop(&fuzz.exceptions);
    drop(&fuzz.job);
}

static void run_epoch(zx_time_t end)
{
    unsigned count_started = 0;
    bool is_busy;

    if (!begin_epoch())
        return;
    refuse_allocations(true);
    do {
        is_busy = false;
        for (unsigned slot = 0; slot < WORKERS; slot++) {
            if (watch_worker(slot)) {
                is_busy = true;
            } else if (count_started < EPOCH_WORKERS && !fuzz.has_failed &&
                       (count_started == 0 || zx_clock_get_monotonic() < end)) {
                start_worker(slot);
                count_started++;
                is_busy = true;
            }
        }
        wait_a_little();
    } while (is_busy);
    refuse_allocations(false);
    end_epoch();
}

static void tell_epoch(unsigned number, const struct books *books)
{
    printf("fuzz: epoch %u: %" PRIu64 " calls, %" PRIu64 " workers; free %" PRIu64 ", heap %" PRIu64
           " (%" PRIu64 " bytes), vmo %" PRIu64 ", tables %" PRIu64 ", stacks %" PRIu64
           " pages; %u handles\n",
           number, fuzz.count_calls, fuzz.count_workers, books->free_pages, books->heap_pages,
           books->heap_bytes, books->vmo_pages, books->table_pages, books->stack_pages,
           books->handles);
}

static void tell_calls(void)
{
    uint64_t sum = 0, ok = 0;

    for (unsigned i = 0; i < fuzz_count_calls; i++) {
        uint64_t count = atomic_load(&fuzz.shared->count_by_call[i]);
        uint64_t good = atomic_load(&fuzz.shared->count_ok[i]);
        sum += count;
        ok += good;
        if (getenv("verbose") != NULL)
            printf("fuzz: %-32s %9" PRIu64 " calls, %9" PRIu64 " ok\n", fuzz_calls[i].name, count,
                   good);
    }
    printf("fuzz: %" PRIu64 " calls of %u kinds, %" PRIu64 " of them answered ZX_OK\n", sum,
           fuzz_count_calls, ok);
}

static void run_epochs(zx_time_t end)
{
    struct books books = read_books(), last = books;
    unsigned number = 0, count_less = 0;

    do {
        run_epoch(end);
        books = settled_books(&last);
        check_kernel();
        tell_epoch(++number, &books);
        if (books.handles != last.handles && number > 1)
            fail("handles: %u before, %u after", last.handles, books.handles);
        count_less = books.heap_bytes > last.heap_bytes || books.vmo_pages > last.vmo_pages ||
                             books.table_pages > last.table_pages
                         ? count_less + 1
                         : 0;
        if (count_less == LEAK_EPOCHS)
            fail("leak: more memory is in use after each epoch");
        last = books;
    } while (!fuzz.has_failed && zx_clock_get_monotonic() < end);
}

static bool set_up(uint64_t seed)
{
    zx_vaddr_t at = 0;

    fuzz.next_seed = seed;
    fuzz.random.state = seed;
    if (!is_ok(zx_vmo_create(FUZZ_SHARED_BYTES, 0, &fuzz.shared_vmo), "shared memory") ||
        !is_ok(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0,
                           fuzz.shared_vmo, 0, FUZZ_SHARED_BYTES, &at),
               "shared memory"))
        return false;
    fuzz.shared = (struct fuzz_shared *)at;
    return true;
}

static int run_worker(char **argv)
{
    const struct fuzz_worker_args args = {
        .seed = strtoull(argv[2], NULL, 0),
        .slot = (unsigned)strtoul(argv[3], NULL, 0) % FUZZ_WORKERS_MAX,
        .count_threads = THREADS,
        .count_calls = CALLS,
    };

    return fuzz_worker(&args);
}

int main(int argc, char **argv)
{
    uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 0) : 60;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

    fuzz.one_in = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
    if (argc == 4 && strcmp(argv[1], "worker") == 0)
        return run_worker(argv);
    fuzz_calls_classify();
    printf("fuzz: %" PRIu64 " seconds, seed %" PRIu64 "\n", seconds, seed);
    if (set_up(seed))
        run_epochs(zx_deadline_after(ZX_SEC((int64_t)seconds)));
    tell_calls();
    printf("fuzz: %" PRIu64 " workers, %" PRIu64 " stalled, %" PRIu64
           " exceptions, next seed %" PRIu64 "\n",
           fuzz.count_workers, fuzz.count_stalled, fuzz.count_exceptions, fuzz.next_seed);
    printf("fuzz: %s\n", fuzz.has_failed ? "FAIL" : "PASS");
    return fuzz.has_failed ? 1 : 0;
}
