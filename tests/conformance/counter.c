/* Counters. */
#include "tests/conformance/util.h"

static zx_signals_t signals_of(zx_handle_t handle)
{
    zx_signals_t observed = 0;

    EXPECT_STATUS(zx_object_wait_one(handle, 0, 0, &observed), ZX_ERR_TIMED_OUT);
    return observed;
}

static void expect_value(zx_handle_t counter, int64_t want)
{
    int64_t value = want + 1;

    EXPECT_OK(zx_counter_read(counter, &value));
    EXPECT_EQ(value, want);
    EXPECT_EQ(signals_of(counter), want > 0 ? ZX_COUNTER_POSITIVE : ZX_COUNTER_NON_POSITIVE);
}

TEST(counter, creation)
{
    zx_handle_t counter = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_counter_create(1, &counter), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_counter_create(0, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(counter, SENTINEL_HANDLE);
    ASSERT_OK(zx_counter_create(0, &counter));
    EXPECT_EQ(rights_of(counter), 0xD00F);
    EXPECT_EQ(basic_info(counter).type, ZX_OBJ_TYPE_COUNTER);
    expect_value(counter, 0);
    close_handle(counter);
}

TEST(counter, counts)
{
    zx_handle_t counter;

    ASSERT_OK(zx_counter_create(0, &counter));
    EXPECT_OK(zx_counter_add(counter, 5));
    expect_value(counter, 5);
    EXPECT_OK(zx_counter_add(counter, -5));
    expect_value(counter, 0);
    EXPECT_OK(zx_counter_add(counter, -1));
    expect_value(counter, -1);
    EXPECT_OK(zx_counter_write(counter, INT64_MAX));
    EXPECT_STATUS(zx_counter_add(counter, 1), ZX_ERR_OUT_OF_RANGE);
    expect_value(counter, INT64_MAX);
    EXPECT_OK(zx_counter_write(counter, INT64_MIN));
    EXPECT_STATUS(zx_counter_add(counter, -1), ZX_ERR_OUT_OF_RANGE);
    expect_value(counter, INT64_MIN);
    EXPECT_OK(zx_object_signal(counter, 0, ZX_COUNTER_SIGNALED | ZX_USER_SIGNAL_2));
    EXPECT_STATUS(zx_object_signal(counter, 0, ZX_COUNTER_POSITIVE), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(signals_of(counter),
              ZX_COUNTER_SIGNALED | ZX_USER_SIGNAL_2 | ZX_COUNTER_NON_POSITIVE);
    close_handle(counter);
}

TEST(counter, calls_check_their_arguments)
{
    zx_handle_t counter, weak, event;
    int64_t value = 77;

    ASSERT_OK(zx_counter_create(0, &counter));
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_counter_add(ZX_HANDLE_INVALID, 1), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_counter_read(ZX_HANDLE_INVALID, &value), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_counter_write(ZX_HANDLE_INVALID, 1), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_counter_add(event, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_counter_read(event, &value), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_counter_write(event, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_counter_read(counter, NULL), ZX_ERR_INVALID_ARGS);
    weak = duplicate_without(counter, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_counter_add(weak, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_counter_read(weak, &value), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_counter_write(weak, 3));
    close_handle(weak);
    weak = duplicate_without(counter, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_counter_add(weak, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_counter_write(weak, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(value, 77);
    expect_value(weak, 3);
    close_handle(weak);
    close_handle(event);
    close_handle(counter);
}
