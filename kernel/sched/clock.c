#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/sched/sched.h"

/* ns = (ticks * mult) >> shift. The shift is chosen so that mult has 63 significant bits or fewer:
 * the error stays below one part in 2^32 for every timebase from 1 Hz to 1 GHz and more. */
static struct {
    uint64_t hz;
    uint64_t mult;
    uint32_t shift;
    uint64_t base_ticks;
} conversion;

void clock_init(uint64_t timebase_hz)
{
    ASSERT(timebase_hz > 0);
    uint32_t shift = 32;
    conversion.hz = timebase_hz;
    conversion.mult = (uint64_t)(((unsigned __int128)1000000000 << shift) / timebase_hz);
    conversion.shift = shift;
    conversion.base_ticks = arch_ticks();
}

void clock_get_conversion(uint64_t *out_mult, uint32_t *out_shift, uint64_t *out_base_ticks)
{
    *out_mult = conversion.mult;
    *out_shift = conversion.shift;
    *out_base_ticks = conversion.base_ticks;
}

zx_time_t clock_ticks_to_ns(uint64_t ticks)
{
    unsigned __int128 product = (unsigned __int128)ticks * conversion.mult;
    return (zx_time_t)(product >> conversion.shift);
}

zx_time_t clock_monotonic_ns(void)
{
    return clock_ticks_to_ns(arch_ticks() - conversion.base_ticks);
}

uint64_t clock_ns_to_ticks_ceil(zx_time_t ns)
{
    if (ns <= 0)
        return conversion.base_ticks;
    unsigned __int128 ticks = ((unsigned __int128)ns * conversion.hz + 999999999) / 1000000000;
    if (ticks > UINT64_MAX - 1 - conversion.base_ticks)
        return UINT64_MAX - 1;
    /* One tick more: the conversion to ns rounds down. */
    return (uint64_t)ticks + 1 + conversion.base_ticks;
}
