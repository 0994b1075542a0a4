/* Clock objects: a time line of a user's, derived from the monotonic clock. */
#pragma once

#include <zircon/syscalls/clock.h>

#include "kernel/object/object.h"

/* A clock with |options| (ZX_CLOCK_OPT_*, without the version) that never shows less than
 * |backstop_ns|; one reference. ZX_ERR_INVALID_ARGS: unknown options, CONTINUOUS without MONOTONIC,
 * a negative backstop, or AUTO_START with one that is in the future. ZX_ERR_NOT_SUPPORTED:
 * MAPPABLE. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t clock_obj_create(uint64_t options, zx_time_t backstop_ns, struct object **out);

/* What it shows; the backstop until it is started. */
zx_time_t clock_obj_read(struct object *clock);

void clock_obj_get_details(struct object *clock, zx_clock_details_v1_t *out);

/* Changes what |options| (ZX_CLOCK_UPDATE_OPTION_*, without the version) names.
 * ZX_ERR_INVALID_ARGS: nothing, unknown options, a rate outside +-1000 ppm, a value below the
 * backstop, one that turns a monotonic clock back, or any for a continuous clock that runs.
 * ZX_ERR_BAD_STATE: the first update has no value. */
MUST_USE zx_status_t clock_obj_update(struct object *clock, uint64_t options,
                                      const zx_clock_update_args_v2_t *args);
