/* zx_object_wait_one and zx_object_wait_many. */
#include "tests/conformance/util.h"

#include <string.h>

#include "userland/libzx/thread.h"

TEST(wait, one_already_satisfied)
{
    zx_handle_t event;
    zx_signals_t observed = 0;

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_2));
    /* A deadline in the past does not matter then. */
    EXPECT_OK(zx_object_wait_one(event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE_PAST, &observed));
    EXPECT_EQ(observed, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_2);
    EXPECT_OK(
        zx_object_wait_one(event, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0, ZX_TIME_INFINITE, NULL));
    close_handle(event);
}

TEST(wait, one_times_out)
{
    zx_handle_t event;
    zx_signals_t observed = 0;
    zx_time_t deadline = zx_deadline_after(ZX_MSEC(5));

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_2));
    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, deadline, &observed),
                  ZX_ERR_TIMED_OUT);
    EXPECT(zx_clock_get_monotonic() >= deadline);
    EXPECT_EQ(observed, ZX_USER_SIGNAL_2);
    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, NULL), ZX_ERR_TIMED_OUT);
    close_handle(event);
}

TEST(wait, one_checks_its_arguments)
{
    zx_handle_t event, weak;

    ASSERT_OK(zx_event_create(0, &event));
    weak = duplicate_without(event, ZX_RIGHT_WAIT);
    EXPECT_STATUS(zx_object_wait_one(weak, ZX_EVENT_SIGNALED, 0, NULL), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_wait_one(ZX_HANDLE_INVALID, ZX_EVENT_SIGNALED, 0, NULL),
                  ZX_ERR_BAD_HANDLE);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_STATUS(zx_object_wait_one(event, 0, 0, (zx_signals_t *)bad_addresses[i]),
                      ZX_ERR_INVALID_ARGS);
    close_handle(weak);
    close_handle(event);
}

struct signaller {
    zx_handle_t handle;
    zx_signals_t set;
    zx_handle_t close;
};

static int signal_later(void *arg)
{
    const struct signaller *signaller = arg;

    zx_nanosleep(zx_deadline_after(ZX_MSEC(10)));
    if (signaller->handle != ZX_HANDLE_INVALID)
        zx_object_signal(signaller->handle, 0, signaller->set);
    zx_handle_close(signaller->close);
    return 0;
}

TEST(wait, one_is_woken_by_another_thread)
{
    struct signaller signaller = {.set = ZX_USER_SIGNAL_5};
    struct thread *thread;
    zx_signals_t observed = 0;

    ASSERT_OK(zx_event_create(0, &signaller.handle));
    ASSERT_OK(thread_spawn("signaller", signal_later, &signaller, &thread));
    EXPECT_OK(zx_object_wait_one(signaller.handle, ZX_USER_SIGNAL_5, zx_deadline_after(PATIENCE),
                                 &observed));
    EXPECT_EQ(observed, ZX_USER_SIGNAL_5);
    thread_join(thread);
    close_handle(signaller.handle);
}

TEST(wait, one_is_cancelled_when_its_handle_is_closed)
{
    struct signaller signaller = {0};
    struct thread *thread;
    zx_handle_t event;
    zx_signals_t observed = 0;

    ASSERT_OK(zx_event_create(0, &event));
    signaller.close = duplicate(event, ZX_RIGHT_SAME_RIGHTS);
    ASSERT_OK(thread_spawn("closer", signal_later, &signaller, &thread));
    EXPECT_STATUS(zx_object_wait_one(signaller.close, ZX_USER_SIGNAL_5, zx_deadline_after(PATIENCE),
                                     &observed),
                  ZX_ERR_CANCELED);
    EXPECT_EQ(observed, ZX_SIGNAL_HANDLE_CLOSED);
    thread_join(thread);
    close_handle(event);
}

TEST(wait, one_is_not_cancelled_when_another_handle_is_closed)
{
    struct signaller signaller = {.set = ZX_USER_SIGNAL_0};
    struct thread *thread;
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    signaller.close = duplicate(event, ZX_RIGHT_SAME_RIGHTS);
    ASSERT_OK(thread_spawn("closer", signal_later, &signaller, &thread));
    EXPECT_STATUS(zx_object_wait_one(event, ZX_USER_SIGNAL_5, zx_deadline_after(ZX_MSEC(40)), NULL),
                  ZX_ERR_TIMED_OUT);
    thread_join(thread);
    close_handle(event);
}

TEST(wait, many_tells_all_that_is_pending)
{
    zx_wait_item_t items[3] = {0};

    for (int i = 0; i < 3; i++) {
        ASSERT_OK(zx_event_create(0, &items[i].handle));
        items[i].waitfor = ZX_EVENT_SIGNALED;
    }
    ASSERT_OK(zx_object_signal(items[1].handle, 0, ZX_EVENT_SIGNALED));
    ASSERT_OK(zx_object_signal(items[2].handle, 0, ZX_USER_SIGNAL_0));
    EXPECT_OK(zx_object_wait_many(items, 3, 0));
    EXPECT_EQ(items[0].pending, 0);
    EXPECT_EQ(items[1].pending, ZX_EVENT_SIGNALED);
    EXPECT_EQ(items[2].pending, ZX_USER_SIGNAL_0);
    ASSERT_OK(zx_object_signal(items[1].handle, ZX_EVENT_SIGNALED, ZX_USER_SIGNAL_3));
    EXPECT_STATUS(zx_object_wait_many(items, 3, zx_deadline_after(ZX_MSEC(2))), ZX_ERR_TIMED_OUT);
    EXPECT_EQ(items[1].pending, ZX_USER_SIGNAL_3);
    for (int i = 0; i < 3; i++)
        close_handle(items[i].handle);
}

TEST(wait, many_is_woken_by_any)
{
    struct signaller signaller = {.set = ZX_EVENT_SIGNALED};
    struct thread *thread;
    zx_wait_item_t items[4] = {0};

    for (int i = 0; i < 4; i++) {
        ASSERT_OK(zx_event_create(0, &items[i].handle));
        items[i].waitfor = ZX_EVENT_SIGNALED;
    }
    signaller.handle = items[3].handle;
    ASSERT_OK(thread_spawn("signaller", signal_later, &signaller, &thread));
    EXPECT_OK(zx_object_wait_many(items, 4, zx_deadline_after(PATIENCE)));
    EXPECT_EQ(items[3].pending, ZX_EVENT_SIGNALED);
    thread_join(thread);
    for (int i = 0; i < 4; i++)
        close_handle(items[i].handle);
}

TEST(wait, many_takes_one_object_twice)
{
    zx_wait_item_t items[2] = {0};

    ASSERT_OK(zx_event_create(0, &items[0].handle));
    items[0].waitfor = ZX_USER_SIGNAL_0;
    items[1].handle = items[0].handle;
    items[1].waitfor = ZX_USER_SIGNAL_1;
    ASSERT_OK(zx_object_signal(items[0].handle, 0, ZX_USER_SIGNAL_1));
    EXPECT_OK(zx_object_wait_many(items, 2, 0));
    EXPECT_EQ(items[0].pending, ZX_USER_SIGNAL_1);
    EXPECT_EQ(items[1].pending, ZX_USER_SIGNAL_1);
    close_handle(items[0].handle);
}

TEST(wait, many_checks_its_arguments)
{
    static zx_wait_item_t items[ZX_WAIT_MANY_MAX_ITEMS + 1];
    zx_handle_t event;
    zx_time_t deadline = zx_deadline_after(ZX_MSEC(2));

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_object_wait_many(NULL, 0, deadline), ZX_ERR_TIMED_OUT);
    EXPECT(zx_clock_get_monotonic() >= deadline);
    for (size_t i = 0; i <= ZX_WAIT_MANY_MAX_ITEMS; i++)
        items[i] = (zx_wait_item_t){.handle = event, .waitfor = ZX_EVENT_SIGNALED};
    EXPECT_STATUS(zx_object_wait_many(items, ZX_WAIT_MANY_MAX_ITEMS + 1, 0), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_object_wait_many(items, ZX_WAIT_MANY_MAX_ITEMS, 0), ZX_ERR_TIMED_OUT);
    items[2].handle = ZX_HANDLE_INVALID;
    EXPECT_STATUS(zx_object_wait_many(items, 4, 0), ZX_ERR_BAD_HANDLE);
    items[2].handle = duplicate_without(event, ZX_RIGHT_WAIT);
    EXPECT_STATUS(zx_object_wait_many(items, 4, 0), ZX_ERR_ACCESS_DENIED);
    close_handle(items[2].handle);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_STATUS(zx_object_wait_many((zx_wait_item_t *)bad_addresses[i], 2, 0),
                      ZX_ERR_INVALID_ARGS);
    close_handle(event);
}
