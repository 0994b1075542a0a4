/* Clocks and sleeping. */
#include "tap.h"

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
