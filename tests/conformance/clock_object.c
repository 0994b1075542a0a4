/* Clock objects: start, rate, value, monotonic and continuous ones, details. */
#include "tests/conformance/util.h"

#include <zircon/syscalls/clock.h>

#define V1        ZX_CLOCK_ARGS_VERSION(1)
#define V2        ZX_CLOCK_ARGS_VERSION(2)
#define VALUE     ZX_CLOCK_UPDATE_OPTION_SYNTHETIC_VALUE_VALID
#define REFERENCE ZX_CLOCK_UPDATE_OPTION_REFERENCE_VALUE_VALID
#define RATE      ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID
#define ERROR     ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID

static zx_handle_t clock_new(uint64_t options, zx_time_t backstop)
{
    zx_clock_create_args_v1_t args = {.backstop_time = backstop};
    zx_handle_t clock;

    ASSERT_OK(zx_clock_create(V1 | options, &args, &clock));
    return clock;
}

static zx_time_t read_clock(zx_handle_t clock)
{
    zx_time_t now = -1;

    EXPECT_OK(zx_clock_read(clock, &now));
    return now;
}

static zx_clock_details_v1_t details_of(zx_handle_t clock)
{
    zx_clock_details_v1_t details = {0};

    EXPECT_OK(zx_clock_get_details(clock, V1, &details));
    return details;
}

static zx_status_t set_value(zx_handle_t clock, zx_time_t value)
{
    zx_clock_update_args_v1_t args = {.value = value};

    return zx_clock_update(clock, V1 | VALUE, &args);
}

static zx_status_t set_rate(zx_handle_t clock, int32_t ppm)
{
    zx_clock_update_args_v1_t args = {.rate_adjust = ppm};

    return zx_clock_update(clock, V1 | RATE, &args);
}

TEST(clock_object, shows_the_backstop_until_it_is_started)
{
    zx_handle_t clock = clock_new(0, 5500);

    EXPECT_EQ(basic_info(clock).type, ZX_OBJ_TYPE_CLOCK);
    EXPECT_EQ(rights_of(clock), 0xD0CF);
    EXPECT_EQ(read_clock(clock), 5500);
    EXPECT_EQ(read_clock(clock), 5500);
    EXPECT_STATUS(zx_object_wait_one(clock, ZX_CLOCK_STARTED, 0, NULL), ZX_ERR_TIMED_OUT);
    EXPECT_STATUS(set_rate(clock, 5), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(set_value(clock, 5499), ZX_ERR_INVALID_ARGS);
    zx_clock_details_v1_t details = details_of(clock);
    EXPECT_EQ(details.options, 0);
    EXPECT_EQ(details.backstop_time, 5500);
    EXPECT_EQ(details.error_bound, ZX_CLOCK_UNKNOWN_ERROR);
    EXPECT_EQ(details.generation_counter, 0);
    EXPECT_EQ(details.reference_to_synthetic.rate.reference_ticks, 0);
    EXPECT_OK(set_value(clock, ZX_SEC(1000)));
    EXPECT_OK(zx_object_wait_one(clock, ZX_CLOCK_STARTED, 0, NULL));
    EXPECT(read_clock(clock) >= ZX_SEC(1000));
    EXPECT_OK(set_value(clock, ZX_SEC(500))); /* this one may go back */
    EXPECT(read_clock(clock) < ZX_SEC(1000));
    close_handle(clock);
}

TEST(clock_object, runs_with_the_monotonic_clock)
{
    zx_handle_t clock = clock_new(ZX_CLOCK_OPT_AUTO_START, 0);

    zx_time_t before = zx_clock_get_monotonic();
    zx_time_t now = read_clock(clock);
    zx_time_t after = zx_clock_get_monotonic();
    EXPECT(now >= before);
    EXPECT(now <= after);
    EXPECT_OK(zx_object_wait_one(clock, ZX_CLOCK_STARTED, 0, NULL));
    close_handle(clock);
}

/* What a program computes from the details is what the kernel shows. */
TEST(clock_object, details_describe_it)
{
    zx_clock_update_args_v2_t args = {.rate_adjust = 1000, .error_bound = 77};
    zx_handle_t clock = clock_new(ZX_CLOCK_OPT_MONOTONIC, 0);

    args.reference_value = zx_clock_get_monotonic();
    args.synthetic_value = ZX_SEC(1);
    ASSERT_OK(zx_clock_update(clock, V2 | VALUE | REFERENCE | RATE | ERROR, &args));
    zx_clock_details_v1_t details = details_of(clock);
    EXPECT_EQ(details.error_bound, 77);
    EXPECT_EQ(details.generation_counter, 1);
    EXPECT(details.last_value_update_reference_ticks != 0);
    EXPECT(details.last_rate_adjust_update_reference_ticks != 0);
    EXPECT(details.last_error_bounds_update_reference_ticks != 0);
    EXPECT(details.query_reference_ticks <= zx_ticks_get() + 2);
    EXPECT(details.query_reference_ticks > zx_ticks_get() - zx_ticks_per_second());
    zx_clock_transformation_t t = details.reference_to_synthetic;
    EXPECT_EQ(t.reference_offset, args.reference_value);
    EXPECT_EQ(t.synthetic_offset, ZX_SEC(1));
    EXPECT_EQ((uint64_t)t.rate.synthetic_ticks * 1000, (uint64_t)t.rate.reference_ticks * 1001);
    zx_nanosleep(zx_deadline_after(ZX_MSEC(20)));
    zx_time_t before = zx_clock_get_monotonic(), shown = read_clock(clock);
    zx_time_t after = zx_clock_get_monotonic();
    EXPECT(shown >= ZX_SEC(1) + (before - t.reference_offset) / 1000 * 1001);
    EXPECT(shown <= ZX_SEC(1) + (after - t.reference_offset) / 1000 * 1001 + 2002);
    /* The same through ticks, for one tick of the counter less than exact. */
    t = details.reference_ticks_to_synthetic;
    zx_ticks_t ticks = zx_ticks_get();
    zx_time_t from_ticks = t.synthetic_offset + (ticks - t.reference_offset) *
                                                    t.rate.synthetic_ticks / t.rate.reference_ticks;
    EXPECT(from_ticks >= shown - ZX_USEC(2));
    EXPECT(from_ticks <= read_clock(clock) + ZX_USEC(2));
    close_handle(clock);
}

TEST(clock_object, a_monotonic_clock_does_not_go_back)
{
    zx_handle_t clock = clock_new(ZX_CLOCK_OPT_MONOTONIC, 0);

    ASSERT_OK(set_value(clock, ZX_SEC(100)));
    EXPECT_STATUS(set_value(clock, ZX_SEC(99)), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(set_value(clock, ZX_SEC(200)));
    zx_time_t last = read_clock(clock);
    for (int32_t ppm = -1000; ppm <= 1000; ppm += 250) {
        EXPECT_OK(set_rate(clock, ppm));
        zx_time_t now = read_clock(clock);
        EXPECT(now >= last);
        last = now;
    }
    close_handle(clock);
}

TEST(clock_object, a_continuous_clock_is_set_once)
{
    zx_handle_t clock = clock_new(ZX_CLOCK_OPT_MONOTONIC | ZX_CLOCK_OPT_CONTINUOUS, 0);

    EXPECT_OK(set_value(clock, ZX_SEC(100)));
    EXPECT_STATUS(set_value(clock, ZX_SEC(200)), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(set_rate(clock, -3));
    close_handle(clock);
}

TEST(clock_object, create_checks_its_arguments)
{
    zx_clock_create_args_v1_t args = {.backstop_time = -1};
    zx_handle_t out = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_clock_create(ZX_CLOCK_OPT_CONTINUOUS, NULL, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(1 << 5, NULL, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(V1, NULL, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(V1, &args, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(0, &args, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(V2, &args, &out), ZX_ERR_INVALID_ARGS);
    args.backstop_time = zx_deadline_after(ZX_SEC(100));
    EXPECT_STATUS(zx_clock_create(V1 | ZX_CLOCK_OPT_AUTO_START, &args, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(ZX_CLOCK_OPT_MAPPABLE, NULL, &out), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_clock_create(0, NULL, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(out, SENTINEL_HANDLE);
}

TEST(clock_object, the_other_calls_check_theirs)
{
    zx_handle_t clock = clock_new(0, 0), event, weak;
    zx_clock_update_args_v2_t args = {.rate_adjust = 1001, .synthetic_value = 5};
    zx_clock_details_v1_t details;
    zx_time_t now;

    EXPECT_STATUS(zx_clock_get_details(ZX_HANDLE_INVALID, 0, &details), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_clock_update(clock, V2, &args), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_update(clock, VALUE, &args), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_update(clock, V2 | VALUE | 1 << 4, &args), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_update(clock, V2 | VALUE, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_update(clock, V2 | VALUE | RATE, &args), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_update(clock, V1 | VALUE | REFERENCE, &args), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_get_details(clock, 0, &details), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_get_details(clock, V1, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_read(clock, NULL), ZX_ERR_INVALID_ARGS);
    weak = duplicate_without(clock, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_clock_read(weak, &now), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_clock_get_details(weak, V1, &details), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    weak = duplicate_without(clock, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_clock_update(weak, V2 | VALUE, &args), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_clock_read(event, &now), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_clock_get_details(event, V1, &details), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_clock_update(event, V2 | VALUE, &args), ZX_ERR_WRONG_TYPE);
    close_handle(event);
    EXPECT_STATUS(zx_clock_read(event, &now), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_clock_get_details(event, V1, &details), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_clock_update(event, V2 | VALUE, &args), ZX_ERR_BAD_HANDLE);
    close_handle(clock);
}
