/* synthetic = synthetic_offset + (monotonic - reference_offset) * (10^6 + ppm) / 10^6 */
#include "kernel/object/clock_obj.h"

#include "kernel/lib/string.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/kheap.h"

#define PPM      1000000
#define PPM_MAX  1000
#define NS_PER_S 1000000000ul

#define CLOCK_OPTIONS                                                                              \
    (ZX_CLOCK_OPT_MONOTONIC | ZX_CLOCK_OPT_CONTINUOUS | ZX_CLOCK_OPT_AUTO_START |                  \
     ZX_CLOCK_OPT_BOOT | ZX_CLOCK_OPT_MAPPABLE)
#define UPDATE_OPTIONS                                                                             \
    (ZX_CLOCK_UPDATE_OPTION_BOTH_VALUES_VALID | ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID |         \
     ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID)

struct clock_line {
    int64_t reference_ns; /* of the monotonic clock */
    int64_t synthetic_ns; /* shown at that time */
    int32_t ppm;
};

struct clock_obj {
    struct object object;
    uint64_t options; /* fixed, as backstop_ns */
    zx_time_t backstop_ns;
    struct spinlock lock; /* rank PAIR; guards what follows */
    bool is_started;
    struct clock_line line;
    uint64_t error_bound;
    zx_ticks_t value_ticks, rate_ticks, error_ticks; /* when each was set last; 0: never */
    uint32_t generation;
};

static struct clock_obj *clock_from(struct object *object)
{
    return container_of(object, struct clock_obj, object);
}

static void clock_obj_destroy(struct object *object)
{
    kfree(clock_from(object));
}

static const struct object_ops clock_ops = {
    .type = ZX_OBJ_TYPE_CLOCK,
    .default_rights = ZX_DEFAULT_CLOCK_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = clock_obj_destroy,
};

/* Saturates: a clock may be set to any time. */
static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

static int64_t line_at(const struct clock_line *line, zx_time_t now_ns)
{
    int64_t passed = zx_time_sub_time(now_ns, line->reference_ns);
    /* The parts of the adjustment apart, so that nothing overflows. */
    int64_t adjusted = passed / PPM * line->ppm + passed % PPM * line->ppm / PPM;
    return add_saturated(line->synthetic_ns, add_saturated(passed, adjusted));
}

zx_status_t clock_obj_create(uint64_t options, zx_time_t backstop_ns, struct object **out)
{
    zx_time_t now = clock_monotonic_ns();
    if ((options & ~CLOCK_OPTIONS) != 0 || backstop_ns < 0)
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_CLOCK_OPT_CONTINUOUS) && !(options & ZX_CLOCK_OPT_MONOTONIC))
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_CLOCK_OPT_AUTO_START) && backstop_ns > now)
        return ZX_ERR_INVALID_ARGS;
    if (options & ZX_CLOCK_OPT_MAPPABLE)
        return ZX_ERR_NOT_SUPPORTED;
    struct clock_obj *clock = kzalloc(sizeof(*clock));
    if (!clock)
        return ZX_ERR_NO_MEMORY;
    bool starts = (options & ZX_CLOCK_OPT_AUTO_START) != 0;
    object_init(&clock->object, &clock_ops, starts ? ZX_CLOCK_STARTED : 0);
    spinlock_init(&clock->lock, LOCK_RANK_PAIR);
    clock->options = options;
    clock->backstop_ns = backstop_ns;
    clock->error_bound = ZX_CLOCK_UNKNOWN_ERROR;
    clock->is_started = starts; /* its line is that of the monotonic clock */
    *out = &clock->object;
    return ZX_OK;
}

static zx_time_t read_locked(const struct clock_obj *clock)
{
    if (!clock->is_started)
        return clock->backstop_ns;
    return MAX(line_at(&clock->line, clock_monotonic_ns()), clock->backstop_ns);
}

zx_time_t clock_obj_read(struct object *object)
{
    struct clock_obj *clock = clock_from(object);
    irq_state_t irq = spin_lock_irqsave(&clock->lock);
    zx_time_t now = read_locked(clock);
    spin_unlock_irqrestore(&clock->lock, irq);
    return now;
}

/* ---- Details --------------------------------------------------------------------------------- */

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The fraction in 32 bits each; the last bits go if it has no such form. */
static zx_clock_rate_t make_rate(uint64_t synthetic, uint64_t reference)
{
    uint64_t divisor = greatest_divisor(synthetic, reference);
    synthetic /= divisor;
    reference /= divisor;
    while (synthetic > UINT32_MAX || reference > UINT32_MAX) {
        synthetic >>= 1;
        reference >>= 1;
    }
    return (zx_clock_rate_t){(uint32_t)synthetic, (uint32_t)reference};
}

static void fill_transformations(const struct clock_line *line, zx_clock_details_v1_t *out)
{
    uint64_t hz = clock_ticks_per_second(), speed = (uint64_t)(PPM + line->ppm);
    /* speed / 10^6 ns of this clock a ns, so speed * 1000 / hz ns a tick. */
    out->reference_to_synthetic = (zx_clock_transformation_t){
        .reference_offset = line->reference_ns,
        .synthetic_offset = line->synthetic_ns,
        .rate = make_rate(speed, PPM),
    };
    out->reference_ticks_to_synthetic = (zx_clock_transformation_t){
        .reference_offset = clock_ns_to_user_ticks(line->reference_ns),
        .synthetic_offset = line->synthetic_ns,
        .rate = make_rate(speed * (NS_PER_S / PPM), hz),
    };
}

void clock_obj_get_details(struct object *object, zx_clock_details_v1_t *out)
{
    struct clock_obj *clock = clock_from(object);
    memset(out, 0, sizeof(*out));
    irq_state_t irq = spin_lock_irqsave(&clock->lock);
    out->options = clock->options;
    out->backstop_time = clock->backstop_ns;
    out->error_bound = clock->error_bound;
    out->query_reference_ticks = clock_ns_to_user_ticks(clock_monotonic_ns());
    out->last_value_update_reference_ticks = clock->value_ticks;
    out->last_rate_adjust_update_reference_ticks = clock->rate_ticks;
    out->last_error_bounds_update_reference_ticks = clock->error_ticks;
    out->generation_counter = clock->generation;
    if (clock->is_started)
        fill_transformations(&clock->line, out);
    spin_unlock_irqrestore(&clock->lock, irq);
}

/* ---- Update ---------------------------------------------------------------------------------- */

/* The line that the clock is to follow from |now_ns| on. */
static zx_status_t next_line(const struct clock_obj *clock, uint64_t options,
                             const zx_clock_update_args_v2_t *args, zx_time_t now_ns,
                             struct clock_line *out)
{
    bool has_value = (options & ZX_CLOCK_UPDATE_OPTION_SYNTHETIC_VALUE_VALID) != 0;
    bool has_reference = (options & ZX_CLOCK_UPDATE_OPTION_REFERENCE_VALUE_VALID) != 0;
    struct clock_line line = clock->line;

    if (!clock->is_started && !has_value)
        return ZX_ERR_BAD_STATE;
    if (has_value && clock->is_started && (clock->options & ZX_CLOCK_OPT_CONTINUOUS))
        return ZX_ERR_INVALID_ARGS;
    /* A change of the rate alone continues from where the clock is. */
    line.reference_ns = has_reference ? args->reference_value : now_ns;
    line.synthetic_ns =
        has_value ? args->synthetic_value : line_at(&clock->line, line.reference_ns);
    if (options & ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID)
        line.ppm = args->rate_adjust;
    int64_t value_ns = line_at(&line, now_ns);
    if (value_ns < clock->backstop_ns)
        return ZX_ERR_INVALID_ARGS;
    if (clock->is_started && (clock->options & ZX_CLOCK_OPT_MONOTONIC) &&
        value_ns < line_at(&clock->line, now_ns))
        return ZX_ERR_INVALID_ARGS;
    *out = line;
    return ZX_OK;
}

static zx_status_t update_locked(struct clock_obj *clock, uint64_t options,
                                 const zx_clock_update_args_v2_t *args)
{
    const uint64_t moves = UPDATE_OPTIONS & ~ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID;
    zx_time_t now_ns = clock_monotonic_ns();
    zx_ticks_t now_ticks = clock_ns_to_user_ticks(now_ns);
    struct clock_line line;
    zx_status_t status = next_line(clock, options, args, now_ns, &line);
    if (status != ZX_OK)
        return status;
    if (options & moves)
        clock->line = line;
    if (options & ZX_CLOCK_UPDATE_OPTION_SYNTHETIC_VALUE_VALID)
        clock->value_ticks = now_ticks;
    if ((options & ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID) || !clock->is_started)
        clock->rate_ticks = now_ticks;
    if (options & ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID) {
        clock->error_bound = args->error_bound;
        clock->error_ticks = now_ticks;
    }
    clock->is_started = true;
    clock->generation++;
    return ZX_OK;
}

zx_status_t clock_obj_update(struct object *object, uint64_t options,
                             const zx_clock_update_args_v2_t *args)
{
    struct clock_obj *clock = clock_from(object);
    if (options == 0 || (options & ~UPDATE_OPTIONS) != 0)
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID) &&
        (args->rate_adjust < -PPM_MAX || args->rate_adjust > PPM_MAX))
        return ZX_ERR_INVALID_ARGS;
    irq_state_t irq = spin_lock_irqsave(&clock->lock);
    zx_status_t status = update_locked(clock, options, args);
    spin_unlock_irqrestore(&clock->lock, irq);
    if (status == ZX_OK) {
        object_update_signals(object, 0, ZX_CLOCK_STARTED | ZX_CLOCK_UPDATED);
        object_update_signals(object, ZX_CLOCK_UPDATED, 0); /* told to those who wait just now */
    }
    return status;
}
