/* Calls that sleep go on sleeping after their thread was suspended and resumed. */
#include <stdatomic.h>
#include <zircon/syscalls/debug.h>

#include "tests/conformance/child.h"
#include "userland/libzx/thread.h"

struct sleeper {
    zx_handle_t object; /* event or port */
    zx_futex_t word;
    zx_status_t (*sleep)(struct sleeper *sleeper);
    atomic_bool started;
    zx_status_t status;
};

static zx_status_t sleep_wait_one(struct sleeper *sleeper)
{
    return zx_object_wait_one(sleeper->object, ZX_USER_SIGNAL_1, ZX_TIME_INFINITE, NULL);
}

static zx_status_t sleep_wait_many(struct sleeper *sleeper)
{
    zx_wait_item_t item = {.handle = sleeper->object, .waitfor = ZX_USER_SIGNAL_1};

    return zx_object_wait_many(&item, 1, ZX_TIME_INFINITE);
}

static zx_status_t sleep_futex(struct sleeper *sleeper)
{
    return zx_futex_wait(&sleeper->word, 0, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
}

static int sleeper_body(void *arg)
{
    struct sleeper *sleeper = arg;

    atomic_store(&sleeper->started, true);
    sleeper->status = sleeper->sleep(sleeper);
    return 0;
}

/* Suspends the thread while it sleeps, lets it go, and sees that it still sleeps until it is woken
 * for its reason. */
static void suspend_and_wake(struct sleeper *sleeper)
{
    struct thread *thread;
    zx_handle_t token;

    sleeper->status = ZX_ERR_INTERNAL;
    ASSERT_OK(thread_spawn("sleeper", sleeper_body, sleeper, &thread));
    while (!atomic_load(&sleeper->started))
        zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    zx_nanosleep(zx_deadline_after(ZX_MSEC(10)));
    ASSERT_OK(zx_task_suspend_token(thread_handle(thread), &token));
    EXPECT_OK(zx_object_wait_one(thread_handle(thread), ZX_THREAD_SUSPENDED,
                                 zx_deadline_after(PATIENCE), NULL));
    EXPECT_OK(zx_handle_close(token));
    EXPECT_OK(zx_object_wait_one(thread_handle(thread), ZX_THREAD_RUNNING,
                                 zx_deadline_after(PATIENCE), NULL));
    zx_nanosleep(zx_deadline_after(ZX_MSEC(10)));
    EXPECT_STATUS(sleeper->status, ZX_ERR_INTERNAL); /* not back yet */
    atomic_store(&sleeper->word, 1);
    EXPECT_OK(zx_futex_wake(&sleeper->word, 1));
    EXPECT_OK(zx_object_signal(sleeper->object, 0, ZX_USER_SIGNAL_1));
    thread_join(thread);
    EXPECT_OK(sleeper->status);
}

static void try_sleep(zx_status_t (*sleep)(struct sleeper *sleeper))
{
    struct sleeper sleeper = {.sleep = sleep};

    ASSERT_OK(zx_event_create(0, &sleeper.object));
    suspend_and_wake(&sleeper);
    close_handle(sleeper.object);
}

TEST(restart, wait_one)
{
    try_sleep(sleep_wait_one);
}

TEST(restart, wait_many)
{
    try_sleep(sleep_wait_many);
}

TEST(restart, futex)
{
    try_sleep(sleep_futex);
}

/* ---- A call over a channel: what was sent is not sent again ---- */

struct call {
    zx_handle_t channel;
    bool is_etc;
    uint32_t answer;
    zx_status_t status;
    struct thread *thread;
    zx_handle_t token;
};

static int call_body(void *arg)
{
    struct call *call = arg;
    uint32_t out[2] = {0, 41}, in[2] = {0}, bytes, handles;
    zx_channel_call_args_t args = {
        .wr_bytes = out, .wr_num_bytes = sizeof(out), .rd_bytes = in, .rd_num_bytes = sizeof(in)};
    zx_channel_call_etc_args_t etc = {
        .wr_bytes = out, .wr_num_bytes = sizeof(out), .rd_bytes = in, .rd_num_bytes = sizeof(in)};

    call->status =
        call->is_etc
            ? zx_channel_call_etc(call->channel, 0, ZX_TIME_INFINITE, &etc, &bytes, &handles)
            : zx_channel_call(call->channel, 0, ZX_TIME_INFINITE, &args, &bytes, &handles);
    if (call->status == ZX_OK && bytes == sizeof(in) && handles == 0)
        call->answer = in[1];
    return 0;
}

/* Starts the call and suspends its thread in it. */
static void call_begin_and_suspend(struct call *call)
{
    zx_thread_state_general_regs_t regs;

    call->status = ZX_ERR_INTERNAL;
    call->answer = 0;
    ASSERT_OK(thread_spawn("caller", call_body, call, &call->thread));
    zx_handle_t thread = thread_handle(call->thread);
    ASSERT(thread_reaches_state(thread, ZX_THREAD_STATE_BLOCKED_CHANNEL));
    ASSERT_OK(zx_task_suspend_token(thread, &call->token));
    ASSERT_OK(zx_object_wait_one(thread, ZX_THREAD_SUSPENDED, zx_deadline_after(PATIENCE), NULL));
    EXPECT_OK(zx_thread_read_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs)));
}

/* Reads the only message at |end| and answers it. */
static void answer_call(zx_handle_t end)
{
    uint32_t words[2] = {0};

    ASSERT_OK(zx_channel_read(end, 0, words, NULL, sizeof(words), 0, NULL, NULL));
    EXPECT_STATUS(zx_channel_read(end, 0, words, NULL, sizeof(words), 0, NULL, NULL),
                  ZX_ERR_SHOULD_WAIT);
    words[1]++;
    ASSERT_OK(zx_channel_write(end, 0, words, sizeof(words), NULL, 0));
}

static void call_end(struct call *call, zx_status_t want)
{
    thread_join(call->thread);
    EXPECT_STATUS(call->status, want);
    EXPECT_EQ(call->answer, want == ZX_OK ? 42 : 0);
}

TEST(restart, channel_call_answered_while_it_is_suspended)
{
    zx_handle_t end;
    struct call call = {0};

    ASSERT_OK(zx_channel_create(0, &call.channel, &end));
    for (int i = 0; i < 2; i++) {
        call.is_etc = i == 1;
        call_begin_and_suspend(&call);
        answer_call(end);
        EXPECT_STATUS(zx_object_wait_one(call.channel, ZX_CHANNEL_READABLE, 0, NULL),
                      ZX_ERR_TIMED_OUT);
        EXPECT(thread_reaches_state(thread_handle(call.thread), ZX_THREAD_STATE_SUSPENDED));
        close_handle(call.token);
        call_end(&call, ZX_OK);
    }
    close_handle(call.channel);
    close_handle(end);
}

TEST(restart, channel_call_answered_afterwards)
{
    zx_handle_t end;
    struct call call = {0};

    ASSERT_OK(zx_channel_create(0, &call.channel, &end));
    call_begin_and_suspend(&call);
    for (int i = 0; i < 3; i++) {
        close_handle(call.token);
        EXPECT(thread_reaches_state(thread_handle(call.thread), ZX_THREAD_STATE_BLOCKED_CHANNEL));
        ASSERT_OK(zx_task_suspend_token(thread_handle(call.thread), &call.token));
        EXPECT(thread_reaches_state(thread_handle(call.thread), ZX_THREAD_STATE_SUSPENDED));
    }
    close_handle(call.token);
    answer_call(end);
    call_end(&call, ZX_OK);

    call_begin_and_suspend(&call);
    close_handle(end);
    close_handle(call.token);
    call_end(&call, ZX_ERR_PEER_CLOSED);
    close_handle(call.channel);
}

/* The thread ends with the answer in its hands. */
TEST(restart, channel_call_of_a_thread_that_is_killed)
{
    zx_handle_t end, thread;
    struct call call = {0};

    ASSERT_OK(zx_channel_create(0, &call.channel, &end));
    for (int answered = 0; answered < 2; answered++) {
        call_begin_and_suspend(&call);
        thread = thread_handle(call.thread);
        if (answered == 1)
            answer_call(end);
        EXPECT_OK(zx_task_kill(thread));
        EXPECT_OK(
            zx_object_wait_one(thread, ZX_THREAD_TERMINATED, zx_deadline_after(PATIENCE), NULL));
        if (answered == 0)
            answer_call(end); /* to nobody: it stays in the queue */
        EXPECT_STATUS(zx_object_wait_one(call.channel, ZX_CHANNEL_READABLE, 0, NULL),
                      answered == 1 ? ZX_ERR_TIMED_OUT : ZX_OK);
        if (answered == 0)
            EXPECT_OK(zx_channel_read(call.channel, 0, &(uint32_t[2]){0}, NULL, 8, 0, NULL, NULL));
        close_handle(call.token);
        thread_join(call.thread);
    }
    close_handle(call.channel);
    close_handle(end);
}
