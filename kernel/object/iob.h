/* IOBuffers: memory regions shared by two endpoints, each with its own access to each region. */
#pragma once

#include <zircon/syscalls/iob.h>

#include "kernel/object/object.h"
#include "kernel/vm/mapping.h"
#include "kernel/vm/vmo.h"

struct iob;

struct iob_endpoint {
    struct object object;
    struct iob *iob;              /* one reference */
    unsigned id;                  /* 0 or 1 */
    uint32_t count_alive;         /* atomic: 1 while it has handles, and 1 for each mapping */
    struct mapping_keeper keeper; /* for mappings made through this endpoint */
};

struct iob_region {
    zx_iob_region_t description; /* as given, with the size rounded up */
    struct vmo *vmo;             /* one reference */
};

static inline struct iob_endpoint *iob_from_object(struct object *object)
{
    return container_of(object, struct iob_endpoint, object);
}

/* An IOB with the |count| regions described (kernel memory, copied). Gives one reference on each
 * endpoint. ZX_ERR_INVALID_ARGS: zero regions, more than ZX_IOB_MAX_REGIONS, or a description that
 * makes no sense. ZX_ERR_OUT_OF_RANGE: a size that overflows. ZX_ERR_NOT_SUPPORTED: a discipline or
 * region type that is not built. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t iob_create(const zx_iob_region_t *descriptions, size_t count,
                                struct iob_endpoint **out_ep0, struct iob_endpoint **out_ep1);

/* Checks one description; errors as iob_create. *out_size_bytes: the size rounded up to pages. */
MUST_USE zx_status_t iob_check_region(const zx_iob_region_t *description, uint64_t *out_size_bytes);

uint32_t iob_count_regions(const struct iob_endpoint *endpoint);

/* A region by index (below the count); valid as long as the endpoint is referenced. */
const struct iob_region *iob_get_region(const struct iob_endpoint *endpoint, uint32_t index);

/* |access| as endpoint |id| sees it: itself always in the place of endpoint 0. */
uint32_t iob_access_seen_by(uint32_t access, unsigned id);

/* What mapping through this endpoint may do: ZX_RIGHT_READ, WRITE and MAP for a VMO handle that
 * would be equivalent, out of the region's access and the rights of the endpoint's handle. */
zx_rights_t iob_map_rights(const struct iob_endpoint *endpoint, uint32_t index,
                           zx_rights_t handle_rights);

/* Holds this side open, as a mapping does, while one is being made. False: it is closed already. */
bool iob_endpoint_hold(struct iob_endpoint *endpoint);
void iob_endpoint_release(struct iob_endpoint *endpoint);
