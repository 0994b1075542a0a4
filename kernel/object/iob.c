/* IOBuffers.
 *
 * Both endpoints live in one struct iob, each with its own object life; the memory goes when both
 * are gone. So an endpoint can always speak of its peer, dead or alive, without a lock. */
#include "kernel/object/iob.h"

#include "kernel/object/iob_internal.h"
#include "kernel/object/vm_obj.h"
#include "kernel/vm/kheap.h"

struct iob {
    struct refcount refs; /* one for each endpoint that is not destroyed */
    struct iob_endpoint endpoints[2];
    uint32_t count_regions;
    struct iob_region regions[]; /* fixed from creation on */
};

#define IOB_ACCESS_ENDPOINT_BITS 4u
#define IOB_ACCESS_EP0_MASK      0x0fu

static struct iob_endpoint *peer_of(struct iob_endpoint *endpoint)
{
    return &endpoint->iob->endpoints[1 - endpoint->id];
}

/* ---- Life
 * ------------------------------------------------------------------------------------------ */

/* Drops a reference of an endpoint's; frees everything with the second. */
static void iob_put(struct iob *iob)
{
    if (!refcount_put(&iob->refs))
        return;
    for (uint32_t i = 0; i < iob->count_regions; i++)
        iob_region_destroy(&iob->regions[i]);
    kfree(iob);
}

static void endpoint_destroy(struct object *object)
{
    iob_put(iob_from_object(object)->iob);
}

bool iob_endpoint_hold(struct iob_endpoint *endpoint)
{
    uint32_t old = atomic_load(&endpoint->count_alive);
    while (old != 0) {
        if (atomic_cas(&endpoint->count_alive, &old, old + 1))
            return true;
    }
    return false;
}

void iob_endpoint_release(struct iob_endpoint *endpoint)
{
    if (atomic_fetch_sub(&endpoint->count_alive, 1) == 1)
        object_update_signals(&peer_of(endpoint)->object, 0, ZX_IOB_PEER_CLOSED);
}

static void endpoint_on_zero_handles(struct object *object)
{
    iob_endpoint_release(iob_from_object(object));
}

static struct iob_endpoint *endpoint_from_keeper(struct mapping_keeper *keeper)
{
    return container_of(keeper, struct iob_endpoint, keeper);
}

/* A mapping is made while somebody holds the endpoint, or split off another one: it is alive. */
static void keeper_get(struct mapping_keeper *keeper)
{
    struct iob_endpoint *endpoint = endpoint_from_keeper(keeper);
    atomic_fetch_add(&endpoint->count_alive, 1);
    object_get(&endpoint->object);
}

static void keeper_put(struct mapping_keeper *keeper)
{
    struct iob_endpoint *endpoint = endpoint_from_keeper(keeper);
    iob_endpoint_release(endpoint);
    object_put(&endpoint->object);
}

static zx_koid_t endpoint_related_koid(struct object *object)
{
    return peer_of(iob_from_object(object))->object.koid;
}

static zx_status_t endpoint_signal_peer(struct object *object, uint32_t clear, uint32_t set)
{
    struct iob_endpoint *peer = peer_of(iob_from_object(object));
    if (atomic_load(&peer->count_alive) == 0)
        return ZX_ERR_PEER_CLOSED;
    object_update_signals(&peer->object, clear, set);
    return ZX_OK;
}

static zx_status_t endpoint_get_name(struct object *object, char out[32])
{
    vmo_copy_name(iob_from_object(object)->iob->regions[0].vmo, out);
    return ZX_OK;
}

static zx_status_t endpoint_set_name(struct object *object, const char *name)
{
    struct iob *iob = iob_from_object(object)->iob;
    for (uint32_t i = 0; i < iob->count_regions; i++) {
        if (iob->regions[i].shared == NULL) /* that one has a name of its own */
            vmo_set_name(iob->regions[i].vmo, name);
    }
    return ZX_OK;
}

static const struct object_ops endpoint_ops = {
    .type = ZX_OBJ_TYPE_IOB,
    .default_rights = ZX_DEFAULT_IOB_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = endpoint_destroy,
    .on_zero_handles = endpoint_on_zero_handles,
    .related_koid = endpoint_related_koid,
    .signal_peer = endpoint_signal_peer,
    .get_name = endpoint_get_name,
    .set_name = endpoint_set_name,
};

/* ---- Creation
 * -------------------------------------------------------------------------------------- */

static void endpoint_init(struct iob *iob, unsigned id)
{
    struct iob_endpoint *endpoint = &iob->endpoints[id];
    object_init(&endpoint->object, &endpoint_ops, 0);
    endpoint->iob = iob;
    endpoint->id = id;
    endpoint->count_alive = 1;
    endpoint->keeper.get = keeper_get;
    endpoint->keeper.put = keeper_put;
}

zx_status_t iob_create(const zx_iob_region_t *descriptions, struct iob_shared *const *shared,
                       size_t count, struct iob_endpoint **out_ep0, struct iob_endpoint **out_ep1)
{
    zx_status_t status = ZX_OK;
    if (count == 0 || count > ZX_IOB_MAX_REGIONS)
        return ZX_ERR_INVALID_ARGS;
    struct iob *iob = kzalloc(sizeof(*iob) + count * sizeof(iob->regions[0]));
    if (iob == NULL)
        return ZX_ERR_NO_MEMORY;
    iob->count_regions = (uint32_t)count;
    refcount_init(&iob->refs);
    for (size_t i = 0; i < count && status == ZX_OK; i++)
        status =
            iob_region_init(&iob->regions[i], &descriptions[i], shared != NULL ? shared[i] : NULL);
    if (status != ZX_OK) {
        iob_put(iob);
        return status;
    }
    refcount_get(&iob->refs); /* one for each endpoint */
    endpoint_init(iob, 0);
    endpoint_init(iob, 1);
    *out_ep0 = &iob->endpoints[0];
    *out_ep1 = &iob->endpoints[1];
    return ZX_OK;
}

/* ---- Regions
 * --------------------------------------------------------------------------------------- */

uint32_t iob_count_regions(const struct iob_endpoint *endpoint)
{
    return endpoint->iob->count_regions;
}

const struct iob_region *iob_get_region(const struct iob_endpoint *endpoint, uint32_t index)
{
    ASSERT(index < endpoint->iob->count_regions);
    return &endpoint->iob->regions[index];
}

uint32_t iob_access_seen_by(uint32_t access, unsigned id)
{
    if (id == 0)
        return access;
    return (access & IOB_ACCESS_EP0_MASK) << IOB_ACCESS_ENDPOINT_BITS |
           access >> IOB_ACCESS_ENDPOINT_BITS;
}

zx_rights_t iob_map_rights(const struct iob_endpoint *endpoint, uint32_t index,
                           zx_rights_t handle_rights)
{
    const struct iob_region *region = iob_get_region(endpoint, index);
    uint32_t access = iob_access_seen_by(region->description.access, endpoint->id);
    zx_rights_t rights = 0;

    if (access & ZX_IOB_ACCESS_EP0_CAN_MAP_READ)
        rights |= ZX_RIGHT_READ | ZX_RIGHT_MAP;
    if (access & ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE)
        rights |= ZX_RIGHT_WRITE | ZX_RIGHT_MAP;
    return rights & (handle_rights | ZX_RIGHT_MAP);
}

/* A region whose discipline mediates for this endpoint's writes. */
static zx_status_t get_mediated(const struct iob_endpoint *endpoint, uint32_t index,
                                zx_iob_discipline_type_t discipline, const struct iob_region **out)
{
    if (index >= endpoint->iob->count_regions)
        return ZX_ERR_OUT_OF_RANGE;
    const struct iob_region *region = &endpoint->iob->regions[index];
    if (region->description.discipline.type != discipline)
        return ZX_ERR_WRONG_TYPE;
    uint32_t access = iob_access_seen_by(region->description.access, endpoint->id);
    if (!(access & ZX_IOB_ACCESS_EP0_CAN_MEDIATED_WRITE))
        return ZX_ERR_ACCESS_DENIED;
    *out = region;
    return ZX_OK;
}

zx_status_t iob_get_ids(const struct iob_endpoint *endpoint, uint32_t index,
                        const struct iob_memory **out)
{
    const struct iob_region *region;
    zx_status_t status =
        get_mediated(endpoint, index, ZX_IOB_DISCIPLINE_TYPE_ID_ALLOCATOR, &region);
    if (status == ZX_OK)
        *out = &region->memory;
    return status;
}

zx_status_t iob_get_ring(const struct iob_endpoint *endpoint, uint32_t index,
                         struct iob_shared **out, uint64_t *out_tag)
{
    const struct iob_region *region;
    zx_status_t status =
        get_mediated(endpoint, index, ZX_IOB_DISCIPLINE_TYPE_MEDIATED_WRITE_RING_BUFFER, &region);
    if (status != ZX_OK)
        return status;
    *out = region->shared;
    *out_tag = region->description.discipline.ring_buffer.tag;
    return ZX_OK;
}
