/* IOBuffers: memory regions shared by two endpoints, each with its own access to each region. */
#pragma once

#include <zircon/syscalls/iob.h>

#include "kernel/object/iob_memory.h"
#include "kernel/object/object.h"
#include "kernel/vm/mapping.h"
#include "kernel/vm/vmo.h"

struct iob;
struct iob_shared;

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
    struct iob_shared *shared;   /* one reference; NULL: the memory is the IOBuffer's own */
    struct iob_memory memory;    /* open if the kernel keeps an id allocator there */
};

static inline struct iob_endpoint *iob_from_object(struct object *object)
{
    return container_of(object, struct iob_endpoint, object);
}

/* An IOB with the |count| regions described (kernel memory, copied); shared[i] (borrowed) is the
 * shared region of description i if its type is SHARED; NULL if none is. Gives one reference on
 * each endpoint. ZX_ERR_INVALID_ARGS: zero regions, more than ZX_IOB_MAX_REGIONS, or the errors of
 * iob_check_region; a shared region that is too small for its discipline. ZX_ERR_NOT_SUPPORTED:
 * options of a private region that vmo_create does not build. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t iob_create(const zx_iob_region_t *descriptions,
                                struct iob_shared *const *shared, size_t count,
                                struct iob_endpoint **out_ep0, struct iob_endpoint **out_ep1);

/* Checks what one description says. ZX_ERR_INVALID_ARGS: it makes no sense. ZX_ERR_OUT_OF_RANGE: a
 * size that overflows, or is more than the discipline can describe. *out_size_bytes: the size
 * rounded up to pages. */
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

/* What a mediated write through this endpoint works on; borrowed, valid as long as the endpoint is
 * referenced. ZX_ERR_OUT_OF_RANGE: no such region. ZX_ERR_WRONG_TYPE: another discipline.
 * ZX_ERR_ACCESS_DENIED: the region does not mediate writes of this endpoint. */
MUST_USE zx_status_t iob_get_ids(const struct iob_endpoint *endpoint, uint32_t index,
                                 const struct iob_memory **out);
MUST_USE zx_status_t iob_get_ring(const struct iob_endpoint *endpoint, uint32_t index,
                                  struct iob_shared **out, uint64_t *out_tag);
