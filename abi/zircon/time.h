// Times and durations in nanoseconds, ticks of the hardware counter, and saturating arithmetic.
#ifndef ZIRCON_TIME_H_
#define ZIRCON_TIME_H_

#include <stdint.h>
#include <zircon/compiler.h>

__BEGIN_CDECLS

typedef int64_t zx_time_t;
typedef int64_t zx_duration_t;
typedef int64_t zx_ticks_t;

typedef int64_t zx_instant_mono_t;
typedef int64_t zx_instant_mono_ticks_t;
typedef int64_t zx_instant_boot_t;
typedef int64_t zx_instant_boot_ticks_t;
typedef int64_t zx_duration_mono_t;
typedef int64_t zx_duration_mono_ticks_t;
typedef int64_t zx_duration_boot_t;
typedef int64_t zx_duration_boot_ticks_t;

#define ZX_TIME_INFINITE      INT64_MAX
#define ZX_TIME_INFINITE_PAST INT64_MIN

// Sums and differences stop at the ends of the range instead of wrapping.
__UNUSED static inline zx_time_t zx_time_add_duration(zx_time_t time, zx_duration_t duration)
{
    zx_time_t sum = 0;

    if (__builtin_add_overflow(time, duration, &sum)) {
        return time >= 0 ? ZX_TIME_INFINITE : ZX_TIME_INFINITE_PAST;
    }
    return sum;
}

__UNUSED static inline zx_time_t zx_time_sub_duration(zx_time_t time, zx_duration_t duration)
{
    zx_time_t difference = 0;

    if (__builtin_sub_overflow(time, duration, &difference)) {
        return time >= 0 ? ZX_TIME_INFINITE : ZX_TIME_INFINITE_PAST;
    }
    return difference;
}

__UNUSED static inline zx_duration_t zx_time_sub_time(zx_time_t time1, zx_time_t time2)
{
    return zx_time_sub_duration(time1, time2);
}

__UNUSED static inline zx_duration_t zx_duration_add_duration(zx_duration_t a, zx_duration_t b)
{
    return zx_time_add_duration(a, b);
}

__UNUSED static inline zx_duration_t zx_duration_sub_duration(zx_duration_t a, zx_duration_t b)
{
    return zx_time_sub_duration(a, b);
}

__UNUSED static inline zx_duration_t zx_duration_mul_int64(zx_duration_t duration, int64_t factor)
{
    zx_duration_t product = 0;

    if (__builtin_mul_overflow(duration, factor, &product)) {
        return (duration < 0) == (factor < 0) ? INT64_MAX : INT64_MIN;
    }
    return product;
}

__UNUSED static inline int64_t zx_nsec_from_duration(zx_duration_t n)
{
    return n;
}

__UNUSED static inline zx_duration_t zx_duration_from_nsec(int64_t n)
{
    return n;
}

__UNUSED static inline zx_duration_t zx_duration_from_usec(int64_t n)
{
    return zx_duration_mul_int64(1000, n);
}

__UNUSED static inline zx_duration_t zx_duration_from_msec(int64_t n)
{
    return zx_duration_mul_int64(1000000, n);
}

__UNUSED static inline zx_duration_t zx_duration_from_sec(int64_t n)
{
    return zx_duration_mul_int64(1000000000, n);
}

__UNUSED static inline zx_duration_t zx_duration_from_min(int64_t n)
{
    return zx_duration_mul_int64(60000000000, n);
}

__UNUSED static inline zx_duration_t zx_duration_from_hour(int64_t n)
{
    return zx_duration_mul_int64(3600000000000, n);
}

__END_CDECLS

// Constant expressions; they do not saturate.
#define ZX_NSEC(n) ((zx_duration_t)(n))
#define ZX_USEC(n) ((zx_duration_t)(1000LL * (n)))
#define ZX_MSEC(n) ((zx_duration_t)(1000000LL * (n)))
#define ZX_SEC(n)  ((zx_duration_t)(1000000000LL * (n)))
#define ZX_MIN(n)  (ZX_SEC(n) * 60LL)
#define ZX_HOUR(n) (ZX_MIN(n) * 60LL)

#endif // ZIRCON_TIME_H_
