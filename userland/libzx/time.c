// Clocks of the C library and POSIX. There is no calendar: every clock counts from the boot.
#include "userland/libzx/time.h"

#include <errno.h>
#include <sched.h>
#include <sys/time.h>
#include <unistd.h>
#include <zircon/syscalls.h>

#define NS_PER_S 1000000000

zx_time_t time_from_timespec(const struct timespec *time)
{
    zx_time_t ns;

    if (__builtin_mul_overflow((zx_time_t)time->tv_sec, (zx_time_t)NS_PER_S, &ns) ||
        __builtin_add_overflow(ns, (zx_time_t)time->tv_nsec, &ns)) {
        return time->tv_sec < 0 ? ZX_TIME_INFINITE_PAST : ZX_TIME_INFINITE;
    }
    return ns;
}

bool timespec_is_valid(const struct timespec *time)
{
    return time->tv_nsec >= 0 && time->tv_nsec < NS_PER_S;
}

struct timespec time_to_timespec(zx_time_t time)
{
    return (struct timespec){.tv_sec = time / NS_PER_S, .tv_nsec = time % NS_PER_S};
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        errno = EINVAL;
        return -1;
    }
    *time = time_to_timespec(zx_clock_get_monotonic());
    return 0;
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        errno = EINVAL;
        return -1;
    }
    *resolution = time_to_timespec(1 + (NS_PER_S - 1) / zx_ticks_per_second());
    return 0;
}

int timespec_get(struct timespec *time, int base)
{
    if (base != TIME_UTC) {
        return 0;
    }
    *time = time_to_timespec(zx_clock_get_monotonic());
    return base;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    zx_time_t now = zx_clock_get_monotonic();

    (void)zone;
    time->tv_sec = now / NS_PER_S;
    time->tv_usec = now % NS_PER_S / 1000;
    return 0;
}

int nanosleep(const struct timespec *duration, struct timespec *remaining)
{
    if (!timespec_is_valid(duration) || duration->tv_sec < 0) {
        errno = EINVAL;
        return -1;
    }
    zx_nanosleep(zx_deadline_after(time_from_timespec(duration)));
    if (remaining != NULL) {
        *remaining = (struct timespec){0};
    }
    return 0;
}

unsigned sleep(unsigned seconds)
{
    zx_nanosleep(zx_deadline_after((zx_duration_t)seconds * NS_PER_S));
    return 0;
}

int usleep(useconds_t microseconds)
{
    zx_nanosleep(zx_deadline_after((zx_duration_t)microseconds * 1000));
    return 0;
}

int sched_yield(void)
{
    zx_thread_legacy_yield(0);
    return 0;
}
