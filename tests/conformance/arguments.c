/* Handles that are bad, of another type or without a right, for the calls whose own tests do not
 * have them; and other arguments that are refused before anything is done. */
#include <string.h>
#include <zircon/syscalls/debug.h>
#include <zircon/syscalls/system.h>

#include "tests/conformance/child.h"
#include "tests/conformance/iob_util.h"
#include "userland/crt/startup.h"
#include "userland/libzx/thread.h"

#define BAD ZX_HANDLE_INVALID

TEST(arguments, channel_calls)
{
    zx_handle_t a, b, event, got;
    zx_handle_info_t info;
    char bytes[16] = {0};
    zx_channel_call_args_t call = {.wr_bytes = bytes, .wr_num_bytes = 8};
    zx_channel_call_etc_args_t etc = {.wr_bytes = bytes, .wr_num_bytes = 8};

    ASSERT_OK(zx_channel_create(0, &a, &b));
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_channel_read(BAD, 0, bytes, &got, 8, 1, NULL, NULL), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_channel_read(event, 0, bytes, &got, 8, 1, NULL, NULL), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_channel_read(a, 4, bytes, &got, 8, 1, NULL, NULL), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_channel_read_etc(BAD, 0, bytes, &info, 8, 1, NULL, NULL), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_channel_read_etc(event, 0, bytes, &info, 8, 1, NULL, NULL), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_channel_read_etc(a, 4, bytes, &info, 8, 1, NULL, NULL), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_channel_read_etc(a, 0, bytes, &info, 8, 1, NULL, NULL), ZX_ERR_SHOULD_WAIT);
    EXPECT_STATUS(zx_channel_call(BAD, 0, 0, &call, NULL, NULL), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_channel_call(event, 0, 0, &call, NULL, NULL), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_channel_call_etc(BAD, 0, 0, &etc, NULL, NULL), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_channel_call_etc(event, 0, 0, &etc, NULL, NULL), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_channel_call_etc(a, 4, 0, &etc, NULL, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_write_etc(BAD, 0, bytes, 8, NULL, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_channel_write_etc(event, 0, bytes, 8, NULL, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_channel_write_etc(a, 4, bytes, 8, NULL, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_write_etc(a, 0, bytes, ZX_CHANNEL_MAX_MSG_BYTES + 1, NULL, 0),
                  ZX_ERR_OUT_OF_RANGE);
    call.wr_num_bytes = etc.wr_num_bytes = ZX_CHANNEL_MAX_MSG_BYTES + 1;
    EXPECT_STATUS(zx_channel_call(a, 0, 0, &call, NULL, NULL), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_channel_call_etc(a, 0, 0, &etc, NULL, NULL), ZX_ERR_OUT_OF_RANGE);
    close_handle(event);
    close_handle(a);
    close_handle(b);
}

TEST(arguments, channel_calls_by_the_state_of_the_channel)
{
    zx_handle_t a, b, weak;
    zx_handle_info_t info;
    char bytes[16] = {0};
    zx_channel_call_etc_args_t etc = {.wr_bytes = bytes, .wr_num_bytes = 8};
    zx_channel_call_args_t call = {.wr_bytes = bytes, .wr_num_bytes = 8};
    uint32_t count;

    ASSERT_OK(zx_channel_create(0, &a, &b));
    EXPECT_STATUS(zx_channel_call_etc(a, 0, 0, &etc, NULL, NULL), ZX_ERR_TIMED_OUT);
    EXPECT_STATUS(zx_channel_read_etc(b, 0, bytes, &info, 1, 1, &count, &count),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(zx_channel_read_etc(b, 0, (void *)KERNEL_ADDRESS, &info, 8, 1, &count, &count),
                  ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < 4000; i++) {
        if (zx_channel_write(a, 0, bytes, 1, NULL, 0) != ZX_OK)
            break;
    }
    EXPECT_STATUS(zx_channel_write(a, 0, bytes, 1, NULL, 0), ZX_ERR_SHOULD_WAIT);
    EXPECT_STATUS(zx_channel_write_etc(a, 0, bytes, 1, NULL, 0), ZX_ERR_SHOULD_WAIT);
    EXPECT_STATUS(zx_channel_call(a, 0, 0, &call, NULL, NULL), ZX_ERR_SHOULD_WAIT);
    EXPECT_STATUS(zx_channel_call_etc(a, 0, 0, &etc, NULL, NULL), ZX_ERR_SHOULD_WAIT);
    close_handle(b);
    EXPECT_STATUS(zx_channel_read(a, 0, bytes, NULL, 8, 0, NULL, NULL), ZX_ERR_PEER_CLOSED);
    EXPECT_STATUS(zx_channel_read_etc(a, 0, bytes, &info, 8, 1, NULL, NULL), ZX_ERR_PEER_CLOSED);
    EXPECT_STATUS(zx_channel_write_etc(a, 0, bytes, 1, NULL, 0), ZX_ERR_PEER_CLOSED);
    EXPECT_STATUS(zx_channel_call_etc(a, 0, 0, &etc, NULL, NULL), ZX_ERR_PEER_CLOSED);
    ASSERT_OK(zx_handle_replace(a, ZX_RIGHT_WAIT, &weak));
    EXPECT_STATUS(zx_channel_read_etc(weak, 0, bytes, &info, 8, 1, NULL, NULL),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_channel_write_etc(weak, 0, bytes, 1, NULL, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_channel_call(weak, 0, 0, &call, NULL, NULL), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_channel_call_etc(weak, 0, 0, &etc, NULL, NULL), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
}

/* A channel cannot be sent through itself. */
TEST(arguments, channel_in_its_own_message)
{
    zx_handle_t a, b;
    char bytes[8] = {0};

    ASSERT_OK(zx_channel_create(0, &a, &b));
    zx_channel_call_args_t call = {
        .wr_bytes = bytes, .wr_num_bytes = 8, .wr_handles = &a, .wr_num_handles = 1};
    EXPECT_STATUS(zx_channel_call(a, 0, 0, &call, NULL, NULL), ZX_ERR_NOT_SUPPORTED);
    close_handle(b);

    ASSERT_OK(zx_channel_create(0, &a, &b));
    zx_handle_disposition_t move = {
        .operation = ZX_HANDLE_OP_MOVE, .handle = a, .rights = ZX_RIGHT_SAME_RIGHTS};
    EXPECT_STATUS(zx_channel_write_etc(a, 0, bytes, 8, &move, 1), ZX_ERR_NOT_SUPPORTED);
    close_handle(b);

    ASSERT_OK(zx_channel_create(0, &a, &b));
    move.handle = a;
    zx_channel_call_etc_args_t etc = {
        .wr_bytes = bytes, .wr_num_bytes = 8, .wr_handles = &move, .wr_num_handles = 1};
    EXPECT_STATUS(zx_channel_call_etc(a, 0, 0, &etc, NULL, NULL), ZX_ERR_NOT_SUPPORTED);
    close_handle(b);
}

TEST(arguments, ports)
{
    zx_handle_t port, event, deaf;
    zx_port_packet_t packet = {.key = 1};

    ASSERT_OK(zx_port_create(0, &port));
    ASSERT_OK(zx_event_create(0, &event));
    zx_handle_t weak = duplicate_without(port, ZX_RIGHT_WRITE);
    deaf = duplicate_without(event, ZX_RIGHT_WAIT);
    EXPECT_STATUS(zx_port_queue(BAD, &packet), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_port_queue(event, &packet), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_port_wait(BAD, 0, &packet), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_port_cancel(BAD, event, 1), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_port_cancel(port, BAD, 1), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_port_cancel(event, event, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_port_cancel(weak, event, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_port_cancel(port, deaf, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_port_cancel_key(BAD, 0, 1), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_port_cancel_key(event, 0, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_port_cancel_key(weak, 0, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_port_cancel_key(port, 1, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_port_cancel_key(port, 0, 1), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_object_wait_async(BAD, port, 1, ZX_EVENT_SIGNALED, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_wait_async(event, BAD, 1, ZX_EVENT_SIGNALED, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_wait_async(event, event, 1, ZX_EVENT_SIGNALED, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_wait_async(deaf, port, 1, ZX_EVENT_SIGNALED, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_wait_async(event, weak, 1, ZX_EVENT_SIGNALED, 0), ZX_ERR_ACCESS_DENIED);
    for (int i = 0; i < 4000; i++) {
        if (zx_port_queue(port, &packet) != ZX_OK)
            break;
    }
    EXPECT_STATUS(zx_port_queue(port, &packet), ZX_ERR_SHOULD_WAIT);
    EXPECT_STATUS(zx_port_wait(port, 0, (void *)KERNEL_ADDRESS), ZX_ERR_INVALID_ARGS);
    close_handle(weak);
    close_handle(deaf);
    close_handle(event);
    close_handle(port);
}

TEST(arguments, timers)
{
    zx_handle_t timer, event, out = SENTINEL_HANDLE;

    ASSERT_OK(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer));
    ASSERT_OK(zx_event_create(0, &event));
    zx_handle_t weak = duplicate_without(timer, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_timer_create(9, ZX_CLOCK_MONOTONIC, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_timer_create(0, 99, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    EXPECT_STATUS(zx_timer_set(BAD, 1, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_timer_set(event, 1, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_timer_set(weak, 1, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_timer_set(timer, 1, -1), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_timer_cancel(BAD), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_timer_cancel(event), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_timer_cancel(weak), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    close_handle(event);
    close_handle(timer);
}

TEST(arguments, futexes)
{
    zx_futex_t word = 5, other = 0;
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_futex_requeue(&word, 1, 5, &other, 1, 0x7ffffff3), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_futex_requeue_single_owner(&word, 5, &other, 1, 0x7ffffff3),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_futex_requeue_single_owner(&word, 5, &other, 1, event), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_futex_requeue_single_owner(&word, 6, &other, 1, BAD), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_futex_requeue_single_owner(&word, 5, &word, 1, BAD), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_wake_single_owner((zx_futex_t *)((uintptr_t)&word + 1)),
                  ZX_ERR_INVALID_ARGS);
    close_handle(event);
}

TEST(arguments, objects)
{
    char name[ZX_MAX_NAME_LEN];
    zx_handle_t out = SENTINEL_HANDLE, event, job, weak;
    zx_info_process_t info;

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    weak = duplicate_without(job, ZX_RIGHT_ENUMERATE);
    EXPECT_STATUS(zx_object_get_property(BAD, ZX_PROP_NAME, name, sizeof(name)), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_get_property(job, ZX_PROP_VMO_CONTENT_SIZE, name, sizeof(name)),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_set_property(BAD, ZX_PROP_NAME, "x", 1), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_signal_peer(BAD, 0, ZX_USER_SIGNAL_0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_get_child(BAD, 1, ZX_RIGHT_SAME_RIGHTS, &out), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_get_child(weak, 1, ZX_RIGHT_SAME_RIGHTS, &out), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_get_child(zx_job_default(), koid_of(job), ZX_RIGHT_SAME_RIGHTS, NULL),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    close_handle(weak);
    ASSERT_OK(zx_task_kill(job));
    close_handle(job);
    close_handle(event);
}

static zx_handle_t job_below(zx_handle_t parent)
{
    zx_handle_t job = ZX_HANDLE_INVALID;

    return zx_job_create(parent, 0, &job) == ZX_OK ? job : ZX_HANDLE_INVALID;
}

TEST(arguments, a_tree_of_jobs_that_is_too_deep)
{
    enum { MANY = 64 };
    zx_handle_t jobs[MANY], out = SENTINEL_HANDLE;
    int depth = 1;

    jobs[0] = job_below(zx_job_default());
    while (depth < MANY && (jobs[depth] = job_below(jobs[depth - 1])) != ZX_HANDLE_INVALID)
        depth++;
    ASSERT(depth > 4 && depth < MANY);
    EXPECT_STATUS(zx_job_create(jobs[depth - 1], 0, &out), ZX_ERR_OUT_OF_RANGE);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    ASSERT_OK(zx_task_kill(jobs[0]));
    ASSERT_OK(zx_handle_close_many(jobs, (size_t)depth));
}

TEST(arguments, threads_and_processes)
{
    zx_handle_t root, thread, out = SENTINEL_HANDLE, event, name_less = SENTINEL_HANDLE;
    zx_handle_t job, process;
    zx_riscv64_thread_state_general_regs_t regs;

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    process = process_new(job, &root);
    ASSERT_OK(zx_thread_create(process, "t", 1, 0, &thread));
    zx_handle_t weak = duplicate_without(thread, ZX_RIGHT_MANAGE_THREAD);
    zx_handle_t weak_process = duplicate_without(process, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_process_create(job, "p", 1, ZX_PROCESS_SHARED, &out, &name_less),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_thread_start(BAD, 0, 0, 0, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_thread_start(event, 0, 0, 0, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_thread_start(weak, 0, 0, 0, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_thread_read_state(BAD, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs)),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_thread_write_state(BAD, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs)),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_thread_legacy_yield(1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_task_suspend(BAD, &out), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_task_suspend(event, &out), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_task_suspend(weak_process, &out), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_task_suspend(process, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_task_suspend(zx_process_self(), &out), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_task_suspend_token(BAD, &out), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_task_suspend_token(process, NULL), ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_task_kill(job));
    ASSERT_OK(
        zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(PATIENCE), NULL));
    EXPECT_STATUS(zx_task_suspend(process, &out), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_thread_create(process, "t", 1, 0, &out), ZX_ERR_BAD_STATE);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    const zx_handle_t all[] = {event, job, process, root, thread, weak, weak_process};
    ASSERT_OK(zx_handle_close_many(all, sizeof(all) / sizeof(all[0])));
}

TEST(arguments, vmos)
{
    zx_handle_t vmo = vmo_new(PAGE), event, out = SENTINEL_HANDLE;
    uint64_t size = 0, word = 0;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_vmo_get_size(BAD, &size), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_get_stream_size(BAD, &size), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_get_stream_size(event, &size), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmo_get_stream_size(vmo, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_set_stream_size(BAD, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_set_stream_size(event, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmo_set_cache_policy(BAD, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_set_cache_policy(event, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmo_op_range(BAD, ZX_VMO_OP_COMMIT, 0, PAGE, NULL, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_write(BAD, &word, 0, 8), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_replace_as_executable(BAD, BAD, &out), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_replace_as_executable(vmo, BAD, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_replace_as_executable(event, BAD, &out),
                  by_abi(ZX_ERR_WRONG_TYPE, ZX_ERR_BAD_HANDLE));
    EXPECT_STATUS(zx_vmo_create_contiguous(startup_resource(), UINT64_MAX, 0, &out),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_EQ(out, SENTINEL_HANDLE);
}

/* The system's own calls, which take a resource. */
TEST(arguments, resources)
{
    zx_system_powerctl_arg_t arg = {0};
    zx_handle_t event;
    char byte;
    size_t actual;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_system_powerctl(BAD, ZX_SYSTEM_POWERCTL_SHUTDOWN, &arg), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_system_powerctl(event, ZX_SYSTEM_POWERCTL_SHUTDOWN, &arg), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_system_powerctl(startup_resource(), 9999, &arg), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_system_powerctl(startup_resource(), ZX_SYSTEM_POWERCTL_REBOOT_RECOVERY, &arg),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_debug_read(BAD, &byte, 1, &actual), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_debug_read(event, &byte, 1, &actual), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_cprng_add_entropy(&byte, 257), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_cprng_add_entropy(NULL, 1), ZX_ERR_INVALID_ARGS);
    close_handle(event);
}

/* ---- What another thread does meanwhile ---- */

static int close_later(void *arg)
{
    zx_nanosleep(zx_deadline_after(ZX_MSEC(20)));
    return zx_handle_close(*(zx_handle_t *)arg) == ZX_OK ? 0 : 1;
}

TEST(arguments, a_handle_closed_meanwhile)
{
    zx_handle_t a, b, port, event;
    zx_time_t patience = zx_deadline_after(PATIENCE);
    char bytes[8] = {0};
    zx_channel_call_args_t call = {.wr_bytes = bytes, .wr_num_bytes = 8};
    zx_channel_call_etc_args_t etc = {.wr_bytes = bytes, .wr_num_bytes = 8};
    zx_port_packet_t packet;
    struct thread *thread;

    for (int i = 0; i < 2; i++) {
        ASSERT_OK(zx_channel_create(0, &a, &b));
        ASSERT_OK(thread_spawn("closer", close_later, &a, &thread));
        if (i == 0)
            EXPECT_STATUS(zx_channel_call(a, 0, patience, &call, NULL, NULL), ZX_ERR_CANCELED);
        else
            EXPECT_STATUS(zx_channel_call_etc(a, 0, patience, &etc, NULL, NULL), ZX_ERR_CANCELED);
        EXPECT_EQ(thread_join(thread), 0);
        close_handle(b);
    }
    ASSERT_OK(zx_port_create(0, &port));
    ASSERT_OK(thread_spawn("closer", close_later, &port, &thread));
    EXPECT_STATUS(zx_port_wait(port, patience, &packet), ZX_ERR_CANCELED);
    EXPECT_EQ(thread_join(thread), 0);

    ASSERT_OK(zx_event_create(0, &event));
    zx_wait_item_t item = {.handle = event, .waitfor = ZX_EVENT_SIGNALED};
    ASSERT_OK(thread_spawn("closer", close_later, &event, &thread));
    EXPECT_STATUS(zx_object_wait_many(&item, 1, patience), ZX_ERR_CANCELED);
    EXPECT_EQ(thread_join(thread), 0);
}

/* Sends the next two messages back. */
static int echo_twice(void *arg)
{
    zx_handle_t channel = *(zx_handle_t *)arg;
    char bytes[8];

    for (int i = 0; i < 2; i++) {
        if (zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE), NULL) !=
                ZX_OK ||
            zx_channel_read(channel, 0, bytes, NULL, sizeof(bytes), 0, NULL, NULL) != ZX_OK ||
            zx_channel_write(channel, 0, bytes, sizeof(bytes), NULL, 0) != ZX_OK)
            return 1;
    }
    return 0;
}

TEST(arguments, a_reply_that_is_too_large)
{
    zx_handle_t a, b;
    zx_time_t patience = zx_deadline_after(PATIENCE);
    char bytes[8] = {0}, reply[7];
    zx_channel_call_args_t call = {
        .wr_bytes = bytes, .wr_num_bytes = 8, .rd_bytes = reply, .rd_num_bytes = 7};
    zx_channel_call_etc_args_t etc = {
        .wr_bytes = bytes, .wr_num_bytes = 8, .rd_bytes = reply, .rd_num_bytes = 7};
    uint32_t count_bytes = 0, count_handles = 0;
    struct thread *thread;

    ASSERT_OK(zx_channel_create(0, &a, &b));
    ASSERT_OK(thread_spawn("echo", echo_twice, &b, &thread));
    EXPECT_STATUS(zx_channel_call(a, 0, patience, &call, &count_bytes, &count_handles),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(zx_channel_call_etc(a, 0, patience, &etc, &count_bytes, &count_handles),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_EQ(thread_join(thread), 0);
    close_handle(a);
    close_handle(b);
}
