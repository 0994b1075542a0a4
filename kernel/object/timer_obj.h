/* Timer objects: raise ZX_TIMER_SIGNALED at a deadline. */
#pragma once

#include <zircon/syscalls/object.h>

#include "kernel/object/object.h"

/* |options|: one of ZX_TIMER_SLACK_*, kept for ZX_INFO_TIMER. One reference. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t timer_obj_create(uint32_t options, zx_clock_t clock_id, struct object **out);

/* Clears the signal and arms the timer anew; a deadline that is past signals at once. |slack_ns| is
 * only noted: timers fire on time. Sleeps. */
void timer_obj_set(struct object *timer, zx_time_t deadline_ns, zx_duration_t slack_ns);

/* Disarms the timer and clears the signal. Sleeps. */
void timer_obj_cancel(struct object *timer);

void timer_obj_get_info(struct object *timer, zx_info_timer_t *out);
