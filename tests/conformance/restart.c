/* Calls that sleep go on sleeping after their thread was suspended and resumed. */
#include <stdatomic.h>

#include "tests/conformance/util.h"
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
