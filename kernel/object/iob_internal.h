/* Shared by iob.c (endpoints) and iob_region.c (what a region is made of). */
#pragma once

#include "kernel/object/iob.h"

/* Makes the region that |description| asks for, with |shared| (borrowed) for one of that type.
 * Errors as iob_create; then *region is as it was, all zeros. */
MUST_USE zx_status_t iob_region_init(struct iob_region *region, const zx_iob_region_t *description,
                                     struct iob_shared *shared);

/* Drops what the region holds; also of one that is all zeros. No lock held. */
void iob_region_destroy(struct iob_region *region);
