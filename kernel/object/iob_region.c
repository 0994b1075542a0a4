/* Regions of IOBuffers: which descriptions make sense, and the memory behind them. */
#include <zircon/syscalls/types.h>

#include "kernel/object/iob_ids.h"
#include "kernel/object/iob_internal.h"
#include "kernel/object/iob_shared.h"

#define ACCESS_ALL 0xffu
#define ACCESS_MEDIATED                                                                            \
    (ZX_IOB_ACCESS_EP0_CAN_MEDIATED_READ | ZX_IOB_ACCESS_EP0_CAN_MEDIATED_WRITE |                  \
     ZX_IOB_ACCESS_EP1_CAN_MEDIATED_READ | ZX_IOB_ACCESS_EP1_CAN_MEDIATED_WRITE)
#define ACCESS_MAP_WRITE (ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE | ZX_IOB_ACCESS_EP1_CAN_MAP_WRITE)

/* ---- Checks ---------------------------------------------------------------------------------- */

static bool is_mediated(const zx_iob_region_t *description)
{
    return (description->access & ACCESS_MEDIATED) != 0;
}

static zx_status_t check_access(uint32_t access)
{
    if (access == 0 || (access & ~ACCESS_ALL) != 0)
        return ZX_ERR_INVALID_ARGS;
    /* A region that nobody could ever write is of no use. */
    if ((access & (ACCESS_MAP_WRITE | ACCESS_MEDIATED)) == 0)
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

static zx_status_t check_type(const zx_iob_region_t *description)
{
    switch (description->type) {
    case ZX_IOB_REGION_TYPE_PRIVATE:
        return ZX_OK;
    case ZX_IOB_REGION_TYPE_SHARED:
        if (description->shared_region.options != 0 || description->size != 0)
            return ZX_ERR_INVALID_ARGS;
        return ZX_OK;
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}

/* An endpoint that reads by mediation must be able to write by it. */
static bool allocator_access_is_good(uint32_t access)
{
    for (unsigned id = 0; id < 2; id++) {
        uint32_t seen = iob_access_seen_by(access, id);
        if ((seen & ZX_IOB_ACCESS_EP0_CAN_MEDIATED_READ) &&
            !(seen & ZX_IOB_ACCESS_EP0_CAN_MEDIATED_WRITE))
            return false;
    }
    return true;
}

static zx_status_t check_allocator(const zx_iob_region_t *description, uint64_t size_bytes)
{
    if (description->type != ZX_IOB_REGION_TYPE_PRIVATE ||
        !allocator_access_is_good(description->access))
        return ZX_ERR_INVALID_ARGS;
    if (!is_mediated(description))
        return ZX_OK; /* the kernel has no part in it */
    if (size_bytes < IOB_IDS_MIN_BYTES)
        return ZX_ERR_INVALID_ARGS;
    return size_bytes > IOB_IDS_MAX_BYTES ? ZX_ERR_OUT_OF_RANGE : ZX_OK;
}

static zx_status_t check_discipline(const zx_iob_region_t *description, uint64_t size_bytes)
{
    bool is_shared = description->type == ZX_IOB_REGION_TYPE_SHARED;

    switch (description->discipline.type) {
    case ZX_IOB_DISCIPLINE_TYPE_NONE:
        return is_shared || is_mediated(description) ? ZX_ERR_INVALID_ARGS : ZX_OK;
    case ZX_IOB_DISCIPLINE_TYPE_ID_ALLOCATOR:
        return check_allocator(description, size_bytes);
    case ZX_IOB_DISCIPLINE_TYPE_MEDIATED_WRITE_RING_BUFFER:
        return is_shared ? ZX_OK : ZX_ERR_INVALID_ARGS;
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}

zx_status_t iob_check_region(const zx_iob_region_t *description, uint64_t *out_size_bytes)
{
    uint64_t size_bytes;
    zx_status_t status = check_type(description);
    if (status == ZX_OK)
        status = check_access(description->access);
    if (status != ZX_OK)
        return status;
    if (!round_up_checked(description->size, PAGE_SIZE_BYTES, &size_bytes))
        return ZX_ERR_OUT_OF_RANGE;
    status = check_discipline(description, size_bytes);
    if (status == ZX_OK)
        *out_size_bytes = size_bytes;
    return status;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static zx_status_t init_shared(struct iob_region *region, struct iob_shared *shared)
{
    ASSERT(shared != NULL);
    if (shared->memory.size_bytes < IOB_RING_MIN_BYTES)
        return ZX_ERR_INVALID_ARGS;
    object_get(&shared->object);
    vmo_get(shared->vmo);
    region->shared = shared;
    region->vmo = shared->vmo;
    return ZX_OK;
}

/* Memory that the kernel works on, laid out. */
static zx_status_t init_allocator(struct iob_region *region, struct vmo *vmo)
{
    if (vmo_size_bytes(vmo) > IOB_IDS_MAX_BYTES) /* options may make a VMO larger than was asked */
        return ZX_ERR_OUT_OF_RANGE;
    zx_status_t status = iob_memory_open(&region->memory, vmo);
    if (status == ZX_OK)
        iob_ids_init(&region->memory);
    return status;
}

static zx_status_t init_private(struct iob_region *region, const zx_iob_region_t *description,
                                uint64_t size_bytes)
{
    bool is_allocator = description->discipline.type == ZX_IOB_DISCIPLINE_TYPE_ID_ALLOCATOR &&
                        is_mediated(description);
    uint32_t options = description->private_region.options;
    struct vmo *vmo;

    if (is_allocator)
        options &= ~(uint32_t)ZX_VMO_DISCARDABLE; /* pinned */
    zx_status_t status = vmo_create(size_bytes, options, &vmo);
    if (status != ZX_OK)
        return status;
    vmo->koid = koid_generate();
    if (is_allocator)
        status = init_allocator(region, vmo);
    if (status != ZX_OK) {
        vmo_put(vmo);
        return status;
    }
    region->vmo = vmo;
    return ZX_OK;
}

zx_status_t iob_region_init(struct iob_region *region, const zx_iob_region_t *description,
                            struct iob_shared *shared)
{
    uint64_t size_bytes;
    zx_status_t status = iob_check_region(description, &size_bytes);
    if (status != ZX_OK)
        return status;
    if (description->type == ZX_IOB_REGION_TYPE_SHARED)
        status = init_shared(region, shared);
    else
        status = init_private(region, description, size_bytes);
    if (status != ZX_OK)
        return status;
    region->description = *description;
    if (region->shared == NULL)
        region->description.size = vmo_size_bytes(region->vmo);
    return ZX_OK;
}

void iob_region_destroy(struct iob_region *region)
{
    if (region->vmo == NULL)
        return;
    iob_memory_close(&region->memory);
    vmo_put(region->vmo);
    if (region->shared != NULL)
        object_put(&region->shared->object);
}
