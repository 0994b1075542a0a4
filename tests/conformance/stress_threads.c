/* Threads that start, stop and end while others look at them. The victims run a few instructions of
 * their own and touch nothing of the C library, so they may be killed anywhere. */
#include <zircon/syscalls/debug.h>
#include <zircon/syscalls/exception.h>

#include "tests/conformance/stress.h"
#include "userland/libzx/thread.h"

/* stress_counter.S */
extern const char stress_counter[] __attribute__((visibility("hidden")));

static zx_handle_t victim_new(void)
{
    zx_handle_t thread = ZX_HANDLE_INVALID;

    EXPECT_OK(zx_thread_create(zx_process_self(), "victim", 6, 0, &thread));
    return thread;
}

static void expect_ends(zx_handle_t thread)
{
    EXPECT_OK(zx_object_wait_one(thread, ZX_THREAD_TERMINATED, zx_deadline_after(PATIENCE), NULL));
}

static int nothing(void *arg)
{
    return *(int *)arg;
}

static void spawn_and_join(struct stress_worker *worker)
{
    struct thread *threads[3];
    int value = (int)worker->index;
    unsigned count = 0;

    while (count < 3 && EXPECT_OK(thread_spawn("short", nothing, &value, &threads[count])))
        count++;
    while (count > 0)
        EXPECT_EQ(thread_join(threads[--count]), value);
}

TEST(stress, threads_start_and_end)
{
    stress_run(spawn_and_join, NULL);
}

/* ---- Start, suspend, kill -------------------------------------------------------------------- */

static void look_at_suspended(zx_handle_t thread, const atomic_uint *word)
{
    zx_thread_state_general_regs_t regs;
    zx_signals_t seen = 0;

    EXPECT_OK(zx_object_wait_one(thread, ZX_THREAD_SUSPENDED | ZX_THREAD_TERMINATED,
                                 zx_deadline_after(PATIENCE), &seen));
    if ((seen & ZX_THREAD_TERMINATED) != 0)
        return;
    uint32_t count = atomic_load(word);
    if (!EXPECT_OK(zx_thread_read_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs))))
        return;
    EXPECT_EQ(regs.a0, (uintptr_t)word);
    EXPECT_EQ(atomic_load(word), count); /* it stands still */
    EXPECT_OK(zx_thread_write_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs)));
}

static void start_suspend_kill(struct stress_worker *worker)
{
    atomic_uint word = 0;
    zx_handle_t thread = victim_new(), token = ZX_HANDLE_INVALID, second = ZX_HANDLE_INVALID;

    if (stress_random(worker, 4) == 0)
        EXPECT_OK(zx_task_suspend(thread, &second)); /* before it starts */
    EXPECT_OK(
        zx_thread_start(thread, (uintptr_t)stress_counter, 0, (uintptr_t)&word, worker->random));
    for (uint32_t left = stress_random(worker, 4); left > 0; left--) {
        EXPECT_OK(zx_task_suspend(thread, &token));
        if (stress_random(worker, 2) == 0)
            look_at_suspended(thread, &word);
        zx_handle_close(token);
    }
    zx_handle_close(second);
    if (stress_random(worker, 2) == 0)
        EXPECT_OK(zx_task_suspend(thread, &token)); /* dies while suspended */
    else
        token = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_task_kill(thread));
    if (stress_random(worker, 2) == 0)
        expect_ends(thread); /* with the token open */
    zx_handle_close(token);
    expect_ends(thread); /* |word| is the kernel's to fault on until then */
    zx_handle_close(thread);
}

TEST(stress, threads_are_suspended_and_killed)
{
    stress_run(start_suspend_kill, NULL);
}

/* ---- Exceptions ------------------------------------------------------------------------------ */

/* A thread faults at once. Its handler answers, goes away with or without the exception, or the
 * thread is killed meanwhile. */
static void fault_and_answer(struct stress_worker *worker)
{
    zx_handle_t thread = victim_new(), channel, exception = ZX_HANDLE_INVALID;
    uint32_t how = stress_random(worker, 4), state = ZX_EXCEPTION_STATE_THREAD_EXIT;
    zx_exception_info_t info;

    if (!EXPECT_OK(zx_task_create_exception_channel(thread, 0, &channel)))
        return;
    EXPECT_OK(zx_thread_start(thread, 8, 0, 0, 0));
    if (how == 0)
        EXPECT_OK(zx_task_kill(thread));
    zx_status_t status =
        zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE), NULL);
    if (how != 0)
        EXPECT_OK(status);
    if (zx_channel_read(channel, 0, &info, &exception, sizeof(info), 1, NULL, NULL) == ZX_OK)
        zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state));
    if (how == 1)
        EXPECT_OK(zx_task_kill(thread));
    if (how == 2)
        zx_handle_close(channel);
    zx_handle_close(exception);
    expect_ends(thread);
    if (how != 2) {
        EXPECT_OK(
            zx_object_wait_one(channel, ZX_CHANNEL_PEER_CLOSED, zx_deadline_after(PATIENCE), NULL));
        zx_handle_close(channel);
    }
    EXPECT_STATUS(zx_task_create_exception_channel(thread, 0, &channel), ZX_ERR_BAD_STATE);
    zx_handle_close(thread);
}

TEST(stress, exceptions_are_answered_and_killed)
{
    stress_run(fault_and_answer, NULL);
}

/* Channels are bound to a thread while it ends: each is either refused or closed. */
static void bind_while_ending(struct stress_worker *worker)
{
    zx_handle_t thread = victim_new(), channel;
    atomic_uint word = 0;

    EXPECT_OK(
        zx_thread_start(thread, (uintptr_t)stress_counter, 0, (uintptr_t)&word, worker->random));
    EXPECT_OK(zx_task_kill(thread));
    for (;;) {
        zx_status_t status = zx_task_create_exception_channel(thread, 0, &channel);
        if (status != ZX_OK) {
            EXPECT_STATUS(status, ZX_ERR_BAD_STATE);
            break;
        }
        if (stress_random(worker, 8) == 0) {
            EXPECT_OK(zx_object_wait_one(channel, ZX_CHANNEL_PEER_CLOSED,
                                         zx_deadline_after(PATIENCE), NULL));
            zx_handle_close(channel);
            break;
        }
        zx_handle_close(channel);
    }
    expect_ends(thread);
    zx_handle_close(thread);
}

TEST(stress, exception_channels_of_ending_threads)
{
    stress_run(bind_while_ending, NULL);
}
