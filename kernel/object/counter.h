/* Counters: a signed number with signals that tell whether it is positive. */
#pragma once

#include "kernel/object/object.h"

/* Begins at 0. One reference in *out. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t counter_create(struct object **out);

/* ZX_ERR_OUT_OF_RANGE: the sum would leave the range; it stays as it is. */
MUST_USE zx_status_t counter_add(struct object *counter, int64_t amount);

int64_t counter_read(struct object *counter);
void counter_write(struct object *counter, int64_t value);
