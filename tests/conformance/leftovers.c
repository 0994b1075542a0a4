/* Nothing that was left behind in the kernel reaches a program: every byte of what a call hands out
 * is written, none of them comes from an earlier use of the kernel's stack or heap, and none is an
 * address of the kernel.
 *
 * Each call is made several times, each time after the stack that the kernel uses for this thread,
 * its heap, and the buffer have been filled with other bytes. A byte of the answer that is always
 * one of those is a leak. */
#include <stdatomic.h>
#include <string.h>
#include <zircon/syscalls/clock.h>
#include <zircon/syscalls/debug.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/port.h>

#include "tests/conformance/child.h"
#include "tests/conformance/iob_util.h"
#include "userland/crt/startup.h"
#include "userland/libzx/thread.h"

/* Often enough that a time or a random number does not look like a leak. */
#define ROUNDS    5
#define MAX_BYTES 65536u

static const uint8_t kernel_fill[ROUNDS] = {0x3c, 0xc3, 0x96, 0x69, 0xd2};
static const uint8_t buffer_fill[ROUNDS] = {0xa5, 0x5a, 0xf0, 0x1e, 0x87};

/* What there is to ask about. */
static struct subjects {
    zx_handle_t event, job, child_job, vmo, clone, port, timer, clock, resource, vmar, far_channel,
        channel;
    zx_handle_t victim, exceptions, exception, victim_thread; /* a process that has faulted */
    zx_handle_t suspended, token;                             /* a thread, and what holds it */
    struct iob iob;
    zx_vaddr_t mapped;
} all;

/* ---- Filling what the kernel uses ------------------------------------------------------------ */

static atomic_bool sleeper_may_end;

static int sleeper_body(void *arg)
{
    (void)arg;
    while (!atomic_load(&sleeper_may_end))
        continue;
    return 0;
}

/* The largest thing that a call copies onto the kernel's stack: a register set. */
static void fill_kernel_stack(uint8_t fill)
{
    zx_thread_state_fp_regs_t regs;

    memset(&regs, fill, sizeof(regs));
    ASSERT_OK(zx_thread_write_state(all.suspended, ZX_THREAD_STATE_FP_REGS, &regs, sizeof(regs)));
}

/* Messages of every size that the heap has caches for, made and freed. */
static void fill_kernel_heap(uint8_t fill)
{
    static uint8_t bytes[4096];
    zx_handle_t ends[2];

    memset(bytes, fill, sizeof(bytes));
    ASSERT_OK(zx_channel_create(0, &ends[0], &ends[1]));
    for (uint32_t size = 16; size <= sizeof(bytes); size = size * 5 / 4) {
        for (int i = 0; i < 4; i++)
            ASSERT_OK(zx_channel_write(ends[0], 0, bytes, size, NULL, 0));
    }
    close_handle(ends[0]);
    close_handle(ends[1]);
}

/* ---- The calls: each returns how many bytes it has stored at |out| --------------------------- */

struct topic {
    const zx_handle_t *handle; /* NULL: this process */
    uint32_t topic;
    size_t record_bytes;
    const char *name;
};

#define TOPIC(handle, topic, type)                                                                 \
    {                                                                                              \
        (handle), ZX_INFO_##topic, sizeof(type), #topic                                            \
    }

static const struct topic topics[] = {
    TOPIC(&all.event, HANDLE_BASIC, zx_info_handle_basic_t),
    TOPIC(&all.event, HANDLE_COUNT, zx_info_handle_count_t),
    TOPIC(NULL, PROCESS, zx_info_process_t),
    TOPIC(&all.victim, PROCESS, zx_info_process_t),
    TOPIC(NULL, PROCESS_THREADS, zx_koid_t),
    TOPIC(&all.vmar, VMAR, zx_info_vmar_t),
    TOPIC(&all.job, JOB_CHILDREN, zx_koid_t),
    TOPIC(&all.job, JOB_PROCESSES, zx_koid_t),
    TOPIC(&all.suspended, THREAD, zx_info_thread_t),
    TOPIC(&all.victim_thread, THREAD, zx_info_thread_t),
    TOPIC(&all.victim_thread, THREAD_EXCEPTION_REPORT, zx_exception_report_t),
    TOPIC(&all.suspended, THREAD_STATS, zx_info_thread_stats_t),
    TOPIC(NULL, TASK_STATS_V1, zx_info_task_stats_v1_t),
    TOPIC(NULL, TASK_STATS, zx_info_task_stats_t),
    TOPIC(NULL, PROCESS_MAPS_V1, zx_info_maps_v1_t),
    TOPIC(NULL, PROCESS_MAPS_V2, zx_info_maps_v2_t),
    TOPIC(NULL, PROCESS_MAPS, zx_info_maps_t),
    TOPIC(&all.vmar, VMAR_MAPS, zx_info_maps_t),
    TOPIC(NULL, PROCESS_VMOS_V1, zx_info_vmo_v1_t),
    TOPIC(NULL, PROCESS_VMOS_V2, zx_info_vmo_v2_t),
    TOPIC(NULL, PROCESS_VMOS_V3, zx_info_vmo_v3_t),
    TOPIC(NULL, PROCESS_VMOS, zx_info_vmo_t),
    TOPIC(&all.clone, VMO_V1, zx_info_vmo_v1_t),
    TOPIC(&all.clone, VMO_V2, zx_info_vmo_v2_t),
    TOPIC(&all.clone, VMO_V3, zx_info_vmo_v3_t),
    TOPIC(&all.clone, VMO, zx_info_vmo_t),
    TOPIC(&all.resource, CPU_STATS, zx_info_cpu_stats_t),
    TOPIC(&all.resource, KMEM_STATS_V1, zx_info_kmem_stats_v1_t),
    TOPIC(&all.resource, KMEM_STATS, zx_info_kmem_stats_t),
    TOPIC(&all.resource, RESOURCE, zx_info_resource_t),
    TOPIC(NULL, PROCESS_HANDLE_STATS, zx_info_process_handle_stats_t),
    TOPIC(NULL, HANDLE_TABLE, zx_info_handle_extended_t),
    TOPIC(&all.job, JOB, zx_info_job_t),
    TOPIC(&all.timer, TIMER, zx_info_timer_t),
    TOPIC(NULL, TASK_RUNTIME_V1, zx_info_task_runtime_v1_t),
    TOPIC(NULL, TASK_RUNTIME, zx_info_task_runtime_t),
    TOPIC(&all.iob.ep[0], IOB, zx_info_iob_t),
    TOPIC(&all.iob.ep[0], IOB_REGIONS, zx_iob_region_info_t),
};

#define COUNT_TOPICS (sizeof(topics) / sizeof(topics[0]))

static size_t ask_topic(size_t index, void *out)
{
    const struct topic *topic = &topics[index];
    zx_handle_t handle = topic->handle != NULL ? *topic->handle : zx_process_self();
    size_t actual = 0, avail = 0;
    zx_status_t status = zx_object_get_info(handle, topic->topic, out, MAX_BYTES, &actual, &avail);

    if (status != ZX_OK || actual == 0)
        test_fail(__FILE__, __LINE__, "%s: status %d, %zu records", topic->name, status, actual);
    return actual * topic->record_bytes;
}

static size_t ask_general_regs(void *out)
{
    ASSERT_OK(zx_thread_read_state(all.suspended, ZX_THREAD_STATE_GENERAL_REGS, out,
                                   sizeof(zx_thread_state_general_regs_t)));
    return sizeof(zx_thread_state_general_regs_t);
}

static size_t ask_fp_regs(void *out)
{
    ASSERT_OK(zx_thread_read_state(all.victim_thread, ZX_THREAD_STATE_FP_REGS, out,
                                   sizeof(zx_thread_state_fp_regs_t)));
    return sizeof(zx_thread_state_fp_regs_t);
}

static size_t ask_clock(void *out)
{
    ASSERT_OK(zx_clock_get_details(all.clock, ZX_CLOCK_ARGS_VERSION(1), out));
    return sizeof(zx_clock_details_v1_t);
}

static size_t ask_user_packet(void *out)
{
    zx_port_packet_t packet = {.key = 1};

    ASSERT_OK(zx_port_queue(all.port, &packet));
    ASSERT_OK(zx_port_wait(all.port, 0, out));
    return sizeof(packet);
}

static size_t ask_signal_packet(void *out)
{
    ASSERT_OK(zx_object_wait_async(all.event, all.port, 2, ZX_EVENT_SIGNALED, 0));
    ASSERT_OK(zx_port_wait(all.port, 0, out));
    return sizeof(zx_port_packet_t);
}

/* The informations about handles, and behind them the bytes. */
static size_t ask_message(void *out)
{
    zx_handle_info_t *infos = out;
    zx_handle_t sent = duplicate(all.event, ZX_RIGHT_SAME_RIGHTS);
    uint32_t bytes, handles;

    ASSERT_OK(zx_channel_write(all.far_channel, 0, "abc", 3, &sent, 1));
    ASSERT_OK(zx_channel_read_etc(all.channel, 0, infos + 1, infos, 64, 1, &bytes, &handles));
    close_handle(infos[0].handle);
    return sizeof(*infos) + bytes;
}

static size_t ask_exception_message(void *out)
{
    zx_handle_t root, thread, exceptions, exception, sent;
    zx_handle_t process = process_new(all.job, &root);

    ASSERT_OK(zx_task_create_exception_channel(process, 0, &exceptions));
    ASSERT_OK(zx_thread_create(process, "t", 1, 0, &thread));
    ASSERT_OK(zx_event_create(0, &sent));
    ASSERT_OK(zx_process_start(process, thread, 0x200000, 0x200000, sent, 0));
    ASSERT_OK(
        zx_object_wait_one(exceptions, ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE), NULL));
    ASSERT_OK(zx_channel_read(exceptions, 0, out, &exception, sizeof(zx_exception_info_t), 1, NULL,
                              NULL));
    EXPECT_OK(zx_task_kill(process));
    close_handle(exception);
    close_handle(exceptions);
    close_handle(thread);
    close_handle(root);
    close_handle(process);
    return sizeof(zx_exception_info_t);
}

static size_t ask_lock_state(void *out)
{
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(PAGE, ZX_VMO_DISCARDABLE, &vmo));
    ASSERT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, PAGE, out, sizeof(zx_vmo_lock_state_t)));
    close_handle(vmo);
    return sizeof(zx_vmo_lock_state_t);
}

static size_t ask_wait_items(void *out)
{
    zx_wait_item_t *items = out;

    items[0] = (zx_wait_item_t){.handle = all.event, .waitfor = ZX_EVENT_SIGNALED};
    items[1] = (zx_wait_item_t){.handle = all.timer, .waitfor = ZX_TIMER_SIGNALED};
    ASSERT_OK(zx_object_wait_many(items, 2, 0));
    return 2 * sizeof(*items);
}

static size_t ask_name(void *out)
{
    ASSERT_OK(zx_object_get_property(all.vmo, ZX_PROP_NAME, out, ZX_MAX_NAME_LEN));
    return ZX_MAX_NAME_LEN;
}

static size_t ask_memory(void *out)
{
    zx_handle_t vmo = vmo_new(2 * PAGE);

    ASSERT_OK(zx_vmo_read(vmo, out, 0, 2 * PAGE));
    close_handle(vmo);
    return 2 * PAGE;
}

static size_t ask_randomness(void *out)
{
    zx_cprng_draw(out, 64);
    return 64;
}

static const struct {
    size_t (*ask)(void *out);
    const char *name;
} calls[] = {
    {ask_general_regs, "general registers"},
    {ask_fp_regs, "FP registers of a thread that used none"},
    {ask_clock, "clock details"},
    {ask_user_packet, "a user's packet"},
    {ask_signal_packet, "a packet of signals"},
    {ask_message, "a message with a handle"},
    {ask_exception_message, "an exception's message"},
    {ask_lock_state, "lock state"},
    {ask_wait_items, "wait items"},
    {ask_name, "a name"},
    {ask_memory, "memory"},
    {ask_randomness, "random numbers"},
};

#define COUNT_CALLS (sizeof(calls) / sizeof(calls[0]))

/* ---- Judging --------------------------------------------------------------------------------- */

static uint8_t answers[ROUNDS][MAX_BYTES] __attribute__((aligned(8)));

/* Offset of a byte that is, in every round, that round's fill; |len| if there is none. */
static size_t find_fill(const uint8_t fill[ROUNDS], size_t len)
{
    for (size_t at = 0; at < len; at++) {
        int count = 0;
        while (count < ROUNDS && answers[count][at] == fill[count])
            count++;
        if (count == ROUNDS)
            return at;
    }
    return len;
}

static bool is_kernel_address(uint64_t value)
{
    return value >= KERNEL_ADDRESS && value < (uint64_t)-4096;
}

static void judge(const char *name, size_t len)
{
    size_t at = find_fill(kernel_fill, len);

    if (at < len)
        test_fail(__FILE__, __LINE__, "%s: byte %zu was left behind in the kernel", name, at);
    at = find_fill(buffer_fill, len);
    if (at < len)
        test_fail(__FILE__, __LINE__, "%s: byte %zu is not written", name, at);
    for (at = 0; at + 8 <= len; at += 8) {
        uint64_t values[ROUNDS];
        int count = 0;
        for (int round = 0; round < ROUNDS; round++) {
            memcpy(&values[round], &answers[round][at], 8);
            count += is_kernel_address(values[round]);
        }
        if (count == ROUNDS)
            test_fail(__FILE__, __LINE__, "%s: an address of the kernel at %zu: %#llx", name, at,
                      (unsigned long long)values[0]);
    }
}

static size_t ask(size_t index, void *out)
{
    return index < COUNT_TOPICS ? ask_topic(index, out) : calls[index - COUNT_TOPICS].ask(out);
}

static void subjects_start_faulting(void)
{
    zx_handle_t root, sent;
    zx_exception_info_t info;

    all.victim = process_new(all.job, &root);
    ASSERT_OK(zx_task_create_exception_channel(all.victim, 0, &all.exceptions));
    ASSERT_OK(zx_thread_create(all.victim, "t", 1, 0, &all.victim_thread));
    ASSERT_OK(zx_event_create(0, &sent));
    ASSERT_OK(zx_process_start(all.victim, all.victim_thread, 0x200000, 0x200000, sent, 0));
    ASSERT_OK(
        zx_object_wait_one(all.exceptions, ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE), NULL));
    ASSERT_OK(
        zx_channel_read(all.exceptions, 0, &info, &all.exception, sizeof(info), 1, NULL, NULL));
    close_handle(root);
}

static void subjects_new(struct thread **thread)
{

    ASSERT_OK(zx_event_create(0, &all.event));
    ASSERT_OK(zx_object_signal(all.event, 0, ZX_EVENT_SIGNALED));
    ASSERT_OK(zx_job_create(zx_job_default(), 0, &all.job));
    ASSERT_OK(zx_job_create(all.job, 0, &all.child_job));
    all.vmo = vmo_new(8 * PAGE);
    ASSERT_OK(zx_object_set_property(all.vmo, ZX_PROP_NAME, "x", 1));
    ASSERT_OK(zx_vmo_create_child(all.vmo, ZX_VMO_CHILD_SNAPSHOT, 0, 4 * PAGE, &all.clone));
    ASSERT_OK(zx_port_create(0, &all.port));
    ASSERT_OK(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &all.timer));
    ASSERT_OK(zx_clock_create(0, NULL, &all.clock));
    ASSERT_OK(zx_channel_create(0, &all.far_channel, &all.channel));
    all.vmar = vmar_new(CAN_MAP_RW, 16 * PAGE, &all.mapped);
    map_at(all.vmar, RW, PAGE, all.vmo, 0, PAGE);
    all.iob = iob_new(IOB_BOTH_RW, PAGE);
    all.resource = startup_resource();
    subjects_start_faulting();
    atomic_store(&sleeper_may_end, false);
    ASSERT_OK(thread_spawn("sleeper", sleeper_body, NULL, thread));
    all.suspended = thread_handle(*thread);
    ASSERT_OK(zx_task_suspend_token(all.suspended, &all.token));
    ASSERT_OK(
        zx_object_wait_one(all.suspended, ZX_THREAD_SUSPENDED, zx_deadline_after(PATIENCE), NULL));
}

static void subjects_drop(struct thread *thread)
{
    const zx_handle_t handles[] = {
        all.event, all.child_job,     all.vmo,         all.clone,      all.port,
        all.timer, all.clock,         all.exception,   all.exceptions, all.channel,
        all.token, all.victim_thread, all.far_channel, all.victim,
    };

    atomic_store(&sleeper_may_end, true);
    ASSERT_OK(zx_task_kill(all.job));
    close_handle(all.job);
    vmar_drop(all.vmar);
    iob_drop(&all.iob);
    ASSERT_OK(zx_handle_close_many(handles, sizeof(handles) / sizeof(handles[0])));
    (void)thread_join(thread);
}

TEST(leftovers, no_call_hands_out_what_was_there)
{
    struct thread *thread;

    subjects_new(&thread);
    for (size_t index = 0; index < COUNT_TOPICS + COUNT_CALLS; index++) {
        const char *name =
            index < COUNT_TOPICS ? topics[index].name : calls[index - COUNT_TOPICS].name;
        size_t len = 0;
        for (int round = 0; round < ROUNDS; round++) {
            memset(answers[round], buffer_fill[round], MAX_BYTES);
            fill_kernel_heap(kernel_fill[round]);
            fill_kernel_stack(kernel_fill[round]);
            size_t now = ask(index, answers[round]);
            len = round == 0 || now < len ? now : len;
        }
        judge(name, len);
    }
    subjects_drop(thread);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Pages that somebody else has used come as zeros, by whatever way. */
TEST(leftovers, pages_come_as_zeros)
{
    enum { BYTES = 24 << 20 };
    zx_handle_t dirty = vmo_new(BYTES), fresh, contiguous;
    zx_vaddr_t at = map_anywhere(RW, dirty, BYTES);

    memset((void *)at, 0x5a, BYTES);
    unmap(at, BYTES);
    close_handle(dirty);
    fresh = vmo_new(BYTES);
    at = map_anywhere(RW, fresh, BYTES);
    ASSERT_OK(zx_vmo_op_range(fresh, ZX_VMO_OP_COMMIT, 0, BYTES / 2, NULL, 0));
    for (size_t i = 0; i < BYTES; i += 8) {
        if (load(at + i) != 0) {
            test_fail(__FILE__, __LINE__, "%#llx at %zu", (unsigned long long)load(at + i), i);
            break;
        }
        store(at + i, 0x5a5a5a5a5a5a5a5a);
    }
    unmap(at, BYTES);
    close_handle(fresh);
    ASSERT_OK(zx_vmo_create_contiguous(startup_resource(), 1 << 20, 0, &contiguous));
    at = map_anywhere(ZX_VM_PERM_READ, contiguous, 1 << 20);
    for (size_t i = 0; i < 1 << 20; i += 8) {
        if (load(at + i) != 0) {
            test_fail(__FILE__, __LINE__, "%#llx at %zu", (unsigned long long)load(at + i), i);
            break;
        }
    }
    unmap(at, 1 << 20);
    close_handle(contiguous);
}
