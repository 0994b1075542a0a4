/* Clocks and sleeping. */
#include "tests/conformance/util.h"

TEST(clock, monotonic_never_goes_back)
{
    zx_time_t last = zx_clock_get_monotonic();

    for (int i = 0; i < 10000; i++) {
        zx_time_t now = zx_clock_get_monotonic();
        ASSERT(now >= last);
        last = now;
    }
}

TEST(clock, nanosleep_lasts_at_least_as_long_as_asked)
{
    zx_time_t deadline = zx_deadline_after(ZX_MSEC(2));

    EXPECT_OK(zx_nanosleep(deadline));
    EXPECT(zx_clock_get_monotonic() >= deadline);
}

TEST(clock, nanosleep_into_the_past_returns_at_once)
{
    EXPECT_OK(zx_nanosleep(0));
    EXPECT_OK(zx_nanosleep(ZX_TIME_INFINITE_PAST));
}

TEST(clock, nanosleep_of_a_past_deadline_yields)
{
    EXPECT_OK(zx_nanosleep(zx_deadline_after(-ZX_SEC(1))));
}

TEST(clock, deadline_after_saturates)
{
    EXPECT_EQ(zx_deadline_after(ZX_TIME_INFINITE), ZX_TIME_INFINITE);
    EXPECT(zx_deadline_after(0) <= zx_clock_get_monotonic());
    EXPECT(zx_deadline_after(ZX_SEC(1)) > zx_clock_get_monotonic());
}

TEST(clock, ticks_and_nanoseconds_agree)
{
    zx_ticks_t per_second = zx_ticks_per_second();
    ASSERT(per_second > 0);
    zx_time_t ns0 = zx_clock_get_monotonic();
    zx_ticks_t t0 = zx_ticks_get();
    ASSERT_OK(zx_nanosleep(zx_deadline_after(ZX_MSEC(20))));
    zx_ticks_t t1 = zx_ticks_get();
    zx_time_t ns1 = zx_clock_get_monotonic();
    zx_duration_t from_ticks = (t1 - t0) * 1000000000 / per_second;

    EXPECT(from_ticks >= ZX_MSEC(19));
    EXPECT(from_ticks <= ns1 - ns0 + 1000);
}

TEST(clock, the_system_says_what_it_is)
{
    zx_string_view_t version = zx_system_get_version_string();

    EXPECT_EQ(zx_system_get_page_size(), 4096);
    EXPECT(zx_system_get_num_cpus() >= 1);
    EXPECT(zx_system_get_physmem() > 0);
    EXPECT_EQ(zx_system_get_physmem() % PAGE, 0);
    EXPECT(version.length > 0);
}
