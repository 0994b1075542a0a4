/* Events: objects that are nothing but their signals. Event pairs: two of them that see each other
 * close. */
#pragma once

#include "kernel/object/object.h"

/* One reference in *out. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t event_create(struct object **out);

/* One reference each. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t eventpair_create(struct object **out0, struct object **out1);
