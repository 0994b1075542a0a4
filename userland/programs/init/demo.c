#include "userland/programs/init/demo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/iob.h>
#include <zircon/syscalls/object.h>

#include "userland/crt/startup.h"
#include "userland/libzx/program.h"
#include "userland/programs/iob_peer/protocol.h"

#define ROUNDS 10000u

struct demo {
    zx_handle_t endpoint; // endpoint 0
    zx_handle_t peer_process;
    zx_handle_t channel; // to the peer
    zx_handle_t vmar;    // holds this side's mappings
    zx_vaddr_t region[DEMO_REGION_COUNT];
    uint32_t rounds_done;
    zx_duration_t rounds_time;
    char why[160]; // the first failure
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
    va_list args;

    printf("demo: ");
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
}

// Notes the first failure. Always false, so that callers can return it.
static bool fail(struct demo *demo, const char *what, zx_status_t got)
{
    if (demo->why[0] == '\0')
        snprintf(demo->why, sizeof(demo->why), "%s: %s", what, zx_status_get_string(got));
    return false;
}

static bool expect(struct demo *demo, const char *what, zx_status_t got, zx_status_t want)
{
    return got == want ? true : fail(demo, what, got);
}

// ---- Setting up ----

static bool create_iob(struct demo *demo, zx_handle_t *endpoint1)
{
    static const uint32_t access[DEMO_REGION_COUNT] = {
        [DEMO_CONTROL] = ZX_IOB_ACCESS_EP0_CAN_MAP_READ | ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE |
                         ZX_IOB_ACCESS_EP1_CAN_MAP_READ | ZX_IOB_ACCESS_EP1_CAN_MAP_WRITE,
        [DEMO_REQUEST] = ZX_IOB_ACCESS_EP0_CAN_MAP_READ | ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE |
                         ZX_IOB_ACCESS_EP1_CAN_MAP_READ,
        [DEMO_ANSWER] = ZX_IOB_ACCESS_EP0_CAN_MAP_READ | ZX_IOB_ACCESS_EP1_CAN_MAP_READ |
                        ZX_IOB_ACCESS_EP1_CAN_MAP_WRITE,
    };
    zx_iob_region_t regions[DEMO_REGION_COUNT] = {0};

    for (uint32_t i = 0; i < DEMO_REGION_COUNT; i++) {
        regions[i].type = ZX_IOB_REGION_TYPE_PRIVATE;
        regions[i].access = access[i];
        regions[i].size = DEMO_REGION_BYTES;
        regions[i].discipline.type = ZX_IOB_DISCIPLINE_TYPE_NONE;
    }
    zx_status_t status = zx_iob_create(0, regions, DEMO_REGION_COUNT, &demo->endpoint, endpoint1);
    if (status != ZX_OK)
        return fail(demo, "zx_iob_create", status);
    say("created an IOB: region 0 both sides write, region 1 only endpoint 0, region 2 only "
        "endpoint 1");
    return true;
}

static bool map_regions(struct demo *demo)
{
    zx_vaddr_t base;
    zx_status_t status =
        zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE, 0,
                         DEMO_REGION_BYTES * 16, &demo->vmar, &base);

    for (uint32_t i = 0; status == ZX_OK && i < DEMO_REGION_COUNT; i++) {
        zx_vm_option_t perms = ZX_VM_PERM_READ | (i == DEMO_ANSWER ? 0 : ZX_VM_PERM_WRITE);
        status = zx_vmar_map_iob(demo->vmar, perms, 0, demo->endpoint, i, 0, DEMO_REGION_BYTES,
                                 &demo->region[i]);
    }
    return expect(demo, "mapping the regions", status, ZX_OK);
}

static bool start_peer(struct demo *demo)
{
    const char *const argv[] = {"iob_peer"};
    struct launch_handle handle = {.info = DEMO_PEER_CHANNEL};

    zx_status_t status = zx_channel_create(0, &demo->channel, &handle.handle);
    if (status != ZX_OK)
        return fail(demo, "zx_channel_create", status);
    struct program_args args = {.argv = argv, .argc = 1, .handles = &handle, .num_handles = 1};
    status = program_start(&args, &demo->peer_process);
    if (status != ZX_OK)
        return fail(demo, "starting bin/iob_peer", status);
    say("started a second process, bin/iob_peer");
    return true;
}

// Sends a command (with endpoint 1, the first time).
static bool send(struct demo *demo, uint32_t command, uint32_t value, zx_handle_t endpoint1)
{
    struct demo_request request = {command, value};
    uint32_t count = endpoint1 != ZX_HANDLE_INVALID ? 1 : 0;
    zx_status_t status =
        zx_channel_write(demo->channel, 0, &request, sizeof(request), &endpoint1, count);

    return expect(demo, "sending a command to the peer", status, ZX_OK);
}

static bool receive(struct demo *demo, struct demo_reply *reply)
{
    uint32_t bytes, handles;
    zx_status_t status =
        zx_object_wait_one(demo->channel, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED,
                           zx_deadline_after(DEMO_PATIENCE), NULL);

    if (status == ZX_OK)
        status =
            zx_channel_read(demo->channel, 0, reply, NULL, sizeof(*reply), 0, &bytes, &handles);
    return expect(demo, "waiting for the peer's reply", status, ZX_OK);
}

// ---- The exchange ----

static void write_request(struct demo_message *request, uint32_t round)
{
    request->round = round;
    request->len_bytes = demo_len_bytes(round);
    for (uint32_t i = 0; i < request->len_bytes; i++)
        request->bytes[i] = demo_request_byte(round, i);
}

static bool check_answer(const struct demo_message *answer, uint32_t round)
{
    uint32_t len = demo_len_bytes(round);
    bool ok = answer->round == round && answer->len_bytes == len;

    for (uint32_t i = 0; ok && i < len; i++)
        ok = answer->bytes[i] == demo_answer_byte(round, len, i);
    return ok;
}

static zx_status_t wait_for_answer(struct demo_control *control, uint32_t seen)
{
    zx_time_t deadline = zx_deadline_after(DEMO_PATIENCE);

    while ((uint32_t)__atomic_load_n((int *)&control->count_answers, __ATOMIC_ACQUIRE) == seen) {
        zx_status_t status =
            zx_futex_wait(&control->count_answers, (int)seen, ZX_HANDLE_INVALID, deadline);
        if (status != ZX_OK && status != ZX_ERR_BAD_STATE)
            return status;
    }
    return ZX_OK;
}

static bool exchange(struct demo *demo, zx_handle_t endpoint1)
{
    struct demo_control *control = (struct demo_control *)demo->region[DEMO_CONTROL];
    struct demo_message *request = (struct demo_message *)demo->region[DEMO_REQUEST];
    const struct demo_message *answer = (const struct demo_message *)demo->region[DEMO_ANSWER];
    struct demo_reply reply;

    if (!send(demo, DEMO_ECHO_ROUNDS, ROUNDS, endpoint1))
        return false;
    say("handed endpoint 1 to it over a channel; exchanging %u messages", ROUNDS);
    zx_time_t start = zx_clock_get_monotonic();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        write_request(request, round);
        __atomic_store_n((int *)&control->count_requests, (int)(round + 1), __ATOMIC_RELEASE);
        zx_futex_wake(&control->count_requests, 1);
        zx_status_t status = wait_for_answer(control, round);
        if (status != ZX_OK)
            return fail(demo, "waiting for an answer in shared memory", status);
        if (!check_answer(answer, round))
            return fail(demo, "contents of an answer", ZX_ERR_IO_DATA_INTEGRITY);
        demo->rounds_done++;
    }
    demo->rounds_time = zx_clock_get_monotonic() - start;
    if (!receive(demo, &reply) || !expect(demo, "the peer's rounds", reply.status, ZX_OK))
        return false;
    if (reply.value != ROUNDS)
        return fail(demo, "contents of a request", ZX_ERR_IO_DATA_INTEGRITY);
    say("%u round trips, every byte checked on both sides, %lld ns each", ROUNDS,
        (long long)(demo->rounds_time / ROUNDS));
    return true;
}

// ---- What must fail ----

static bool show_forbidden_maps(struct demo *demo)
{
    zx_vaddr_t addr;
    struct demo_reply reply;
    zx_status_t status = zx_vmar_map_iob(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0,
                                         demo->endpoint, DEMO_ANSWER, 0, DEMO_REGION_BYTES, &addr);

    say("mapping region 2 writable through endpoint 0: %s", zx_status_get_string(status));
    if (!expect(demo, "mapping a region without the access", status, ZX_ERR_ACCESS_DENIED))
        return false;
    if (!send(demo, DEMO_MAP_FORBIDDEN, 0, ZX_HANDLE_INVALID) || !receive(demo, &reply))
        return false;
    say("mapping region 1 writable through endpoint 1: %s", zx_status_get_string(reply.status));
    return expect(demo, "the peer's forbidden map", reply.status, ZX_ERR_ACCESS_DENIED);
}

static bool show_dead_vmar(struct demo *demo)
{
    zx_handle_t vmar;
    zx_vaddr_t base, addr;
    zx_status_t status = zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ, 0,
                                          DEMO_REGION_BYTES, &vmar, &base);

    if (status == ZX_OK)
        status = zx_vmar_destroy(vmar);
    if (!expect(demo, "making and destroying a VMAR", status, ZX_OK))
        return false;
    status = zx_vmar_map_iob(vmar, ZX_VM_PERM_READ, 0, demo->endpoint, DEMO_CONTROL, 0,
                             DEMO_REGION_BYTES, &addr);
    say("mapping into a destroyed VMAR: %s", zx_status_get_string(status));
    zx_handle_close(vmar);
    return expect(demo, "mapping into a destroyed VMAR", status, ZX_ERR_BAD_STATE);
}

// Reads the report of the exception that waits in |channel|, then lets it kill the process.
static bool read_exception(struct demo *demo, zx_handle_t channel, zx_exception_report_t *report)
{
    zx_exception_info_t info;
    zx_handle_t exception = ZX_HANDLE_INVALID, thread = ZX_HANDLE_INVALID;
    uint32_t bytes, handles;
    zx_status_t status =
        zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(DEMO_PATIENCE), NULL);

    if (status == ZX_OK)
        status = zx_channel_read(channel, 0, &info, &exception, sizeof(info), 1, &bytes, &handles);
    if (status == ZX_OK)
        status = zx_exception_get_thread(exception, &thread);
    if (status == ZX_OK)
        status = zx_object_get_info(thread, ZX_INFO_THREAD_EXCEPTION_REPORT, report,
                                    sizeof(*report), NULL, NULL);
    zx_handle_close(thread);
    zx_handle_close(exception);
    return expect(demo, "the victim's exception", status, ZX_OK);
}

static bool check_victim(struct demo *demo, zx_handle_t process, zx_handle_t channel,
                         zx_status_t want)
{
    zx_exception_report_t report;
    int64_t code = 0;

    if (!read_exception(demo, channel, &report))
        return false;
    say("its exception: page fault at %#llx, %s",
        (unsigned long long)report.context.arch.u.riscv_64.tval,
        zx_status_get_string((zx_status_t)report.context.synth_code));
    if (report.header.type != ZX_EXCP_FATAL_PAGE_FAULT)
        return fail(demo, "the exception's type", ZX_ERR_WRONG_TYPE);
    if (!expect(demo, "why the victim faulted", (zx_status_t)report.context.synth_code, want))
        return false;
    zx_status_t status = program_wait(process, zx_deadline_after(DEMO_PATIENCE), &code);
    if (!expect(demo, "waiting for the victim's end", status, ZX_OK))
        return false;
    say("it was %s", program_end_string(code));
    return code == ZX_TASK_RETCODE_EXCEPTION_KILL ||
           fail(demo, "the victim's return code", ZX_ERR_INTERNAL);
}

// A third process does |crime| and must die of a page fault with status |want|.
static bool show_victim(struct demo *demo, const char *crime, zx_status_t want)
{
    const char *const argv[] = {"iob_victim", crime};
    struct launch_handle handle = {.info = DEMO_VICTIM_ENDPOINT};
    struct program_args args = {.argv = argv, .argc = 2, .handles = &handle, .num_handles = 1};
    zx_handle_t process, channel;

    zx_status_t status = zx_handle_duplicate(demo->endpoint, ZX_RIGHT_SAME_RIGHTS, &handle.handle);
    if (status != ZX_OK)
        return fail(demo, "duplicating endpoint 0", status);
    // The exception channel of a job catches a program from its first instruction.
    status = zx_job_create(zx_job_default(), 0, &args.job);
    if (status != ZX_OK)
        return fail(demo, "zx_job_create", status);
    status = zx_task_create_exception_channel(args.job, 0, &channel);
    if (status == ZX_OK)
        status = program_start(&args, &process);
    zx_handle_close(args.job);
    if (status != ZX_OK)
        return fail(demo, "starting bin/iob_victim", status);
    say("started a third process, bin/iob_victim %s", crime);
    bool ok = check_victim(demo, process, channel, want);
    if (!ok)
        zx_task_kill(process);
    zx_handle_close(process);
    zx_handle_close(channel);
    return ok;
}

// ---- Closing ----

static bool peer_closed_now(struct demo *demo)
{
    return zx_object_wait_one(demo->endpoint, ZX_IOB_PEER_CLOSED, 0, NULL) == ZX_OK;
}

static bool show_peer_closed(struct demo *demo)
{
    struct demo_reply reply;
    int64_t code = -1;

    if (!send(demo, DEMO_CLOSE_ENDPOINT, 0, ZX_HANDLE_INVALID) || !receive(demo, &reply) ||
        !expect(demo, "closing endpoint 1", reply.status, ZX_OK))
        return false;
    bool early = peer_closed_now(demo);
    say("the peer closed its handle but keeps its mappings: ZX_IOB_PEER_CLOSED is %s",
        early ? "set" : "not set");
    if (early)
        return fail(demo, "peer closed before its last mapping was gone", ZX_ERR_BAD_STATE);
    if (!send(demo, DEMO_UNMAP_ALL, 0, ZX_HANDLE_INVALID) || !receive(demo, &reply) ||
        !expect(demo, "unmapping in the peer", reply.status, ZX_OK))
        return false;
    zx_status_t status = zx_object_wait_one(demo->endpoint, ZX_IOB_PEER_CLOSED,
                                            zx_deadline_after(DEMO_PATIENCE), NULL);
    if (!expect(demo, "waiting for ZX_IOB_PEER_CLOSED", status, ZX_OK))
        return false;
    say("the peer removed its last mapping: ZX_IOB_PEER_CLOSED is set");
    if (!send(demo, DEMO_EXIT, 7, ZX_HANDLE_INVALID))
        return false;
    status = program_wait(demo->peer_process, zx_deadline_after(DEMO_PATIENCE), &code);
    if (!expect(demo, "waiting for the peer's end", status, ZX_OK))
        return false;
    say("the peer ended: %s", program_end_string(code));
    return code == 7 || fail(demo, "the peer's exit code", ZX_ERR_INTERNAL);
}

// ---- The whole ----

static zx_info_kmem_stats_t memory_stats(void)
{
    zx_info_kmem_stats_t stats = {0};

    (void)zx_object_get_info(startup_resource(), ZX_INFO_KMEM_STATS, &stats, sizeof(stats), NULL,
                             NULL);
    return stats;
}

// Tells how many pages are free and, if some are missing, what they are used for.
static bool check_memory(struct demo *demo, const zx_info_kmem_stats_t *before)
{
    zx_info_kmem_stats_t after = memory_stats();

    say("%llu pages free", (unsigned long long)after.free_bytes / ZX_PAGE_SIZE);
    if (before->free_bytes != 0 && before->free_bytes == after.free_bytes)
        return true;
    say("more pages than before: VMOs %lld, tables %lld, heap %lld, stacks %lld",
        (long long)(after.vmo_bytes - before->vmo_bytes) / ZX_PAGE_SIZE,
        (long long)(after.mmu_overhead_bytes - before->mmu_overhead_bytes) / ZX_PAGE_SIZE,
        (long long)(after.total_heap_bytes - before->total_heap_bytes) / ZX_PAGE_SIZE,
        (long long)(after.other_bytes - before->other_bytes) / ZX_PAGE_SIZE);
    return fail(demo, "pages leaked", ZX_ERR_BAD_STATE);
}

// Out of line: a compiler that sees the array split up would keep only the bytes that are written.
static __attribute__((noinline)) void touch_pages(volatile uint8_t *bytes, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i += ZX_PAGE_SIZE)
        bytes[i] = 0;
}

// Pages that init itself keeps once it has used them do not count as lost: the tables of the
// ramdisk's mapping, the heap's first pages, the stack. Out of line, so that the pages touched are
// those that the steps' own frames will take.
static __attribute__((noinline)) void touch_lasting_pages(void)
{
    const void *archive;
    size_t archive_bytes;
    uint8_t stack[16 * ZX_PAGE_SIZE];
    uint8_t *heap = malloc(sizeof(stack));

    touch_pages(stack, sizeof(stack));
    if (heap != NULL)
        touch_pages(heap, sizeof(stack));
    free(heap);
    if (program_bootfs(&archive, &archive_bytes) != ZX_OK)
        return;
    for (size_t i = 0; i < archive_bytes; i += ZX_PAGE_SIZE)
        (void)((const volatile uint8_t *)archive)[i];
}

static bool run_steps(struct demo *demo)
{
    zx_handle_t endpoint1;

    return create_iob(demo, &endpoint1) && map_regions(demo) && start_peer(demo) &&
           exchange(demo, endpoint1) && show_forbidden_maps(demo) && show_dead_vmar(demo) &&
           show_victim(demo, "write-read-only", ZX_ERR_ACCESS_DENIED) &&
           show_victim(demo, "read-destroyed-vmar", ZX_ERR_NOT_FOUND) && show_peer_closed(demo);
}

static void clean_up(struct demo *demo)
{
    if (demo->peer_process != ZX_HANDLE_INVALID)
        zx_task_kill(demo->peer_process);
    if (demo->vmar != ZX_HANDLE_INVALID)
        zx_vmar_destroy(demo->vmar);
    zx_handle_close(demo->vmar);
    zx_handle_close(demo->endpoint);
    zx_handle_close(demo->channel);
    zx_handle_close(demo->peer_process);
}

bool demo_run(void)
{
    struct demo demo = {0};

    touch_lasting_pages();
    zx_info_kmem_stats_t before = memory_stats();
    say("two processes and an IOBuffer; %llu pages free",
        (unsigned long long)before.free_bytes / ZX_PAGE_SIZE);
    bool ok = run_steps(&demo);
    clean_up(&demo);
    ok = check_memory(&demo, &before) && ok;
    if (ok)
        printf("iob demo: PASS (%u round trips, %lld ns each, no page lost)\n", demo.rounds_done,
               (long long)(demo.rounds_time / ROUNDS));
    else
        printf("iob demo: FAIL %s (%u round trips)\n", demo.why, demo.rounds_done);
    return ok;
}
