/* The monotonic clock: the timebase counter in nanoseconds, by the arithmetic that the vDSO uses.
 */
#include "abi/vdso_constants.h"
#include "kernel/lib/panic.h"
#include "kernel/sched/sched_internal.h"

static struct vdso_constants rate; /* only its description of the clock is used */

void clock_init(uint64_t timebase_hz)
{
    ASSERT(timebase_hz > 0 && timebase_hz <= 1ul << 62);
    vdso_constants_set_rate(&rate, timebase_hz);
    rate.base_ticks = arch_ticks();
    sched_init_times();
}

void clock_fill_vdso(struct vdso_constants *out)
{
    out->ticks_per_second = rate.ticks_per_second;
    out->ns_mult = rate.ns_mult;
    out->ticks_shift = rate.ticks_shift;
    out->base_ticks = rate.base_ticks;
}

zx_time_t clock_monotonic_ns(void)
{
    return vdso_constants_ns(&rate, arch_ticks() - rate.base_ticks);
}

zx_time_t clock_monotonic_ns_at(uint64_t ticks)
{
    return vdso_constants_ns(&rate, ticks - rate.base_ticks);
}

uint64_t clock_ns_to_ticks_ceil(zx_time_t ns)
{
    if (ns <= 0)
        return rate.base_ticks;
    /* seconds and the rest apart: no 128-bit division. One tick more, since the conversion to
     * nanoseconds rounds down. */
    uint64_t seconds = (uint64_t)ns / 1000000000, rest = (uint64_t)ns % 1000000000;
    uint64_t hz = rate.ticks_per_second, ticks, part;

    if (__builtin_mul_overflow(seconds, hz, &ticks))
        return UINT64_MAX - 1;
    if (__builtin_mul_overflow(rest, hz, &part))
        part = rest / 1000 * (hz / 1000 + 1) / 1000; /* rates above 18 GHz: a little late */
    else
        part = part / 1000000000;
    if (__builtin_add_overflow(ticks, part + 2, &ticks) ||
        __builtin_add_overflow(ticks, rate.base_ticks, &ticks))
        return UINT64_MAX - 1;
    return ticks;
}

zx_ticks_t clock_ns_to_user_ticks(zx_time_t ns)
{
    return (zx_ticks_t)(clock_ns_to_ticks_ceil(ns) - rate.base_ticks);
}

uint64_t clock_ticks_per_second(void)
{
    return rate.ticks_per_second;
}

uint64_t clock_ticks_to_ns(uint64_t count_ticks)
{
    return (uint64_t)vdso_constants_ns(&rate, count_ticks);
}
