/* Topics about VMARs, VMOs and IOBuffers. The maps of a process are in info_maps.c. */
#include "kernel/syscall/info.h"
#include "kernel/syscall/info_internal.h"

#include "kernel/lib/string.h"
#include "kernel/syscall/lookup.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/page.h"

static zx_status_t info_vmar(const struct info_request *request)
{
    struct vmar_object *vmar;
    vaddr_t base;
    uint64_t len_bytes;
    zx_status_t status = lookup_vmar(request->handle, ZX_RIGHT_INSPECT, &vmar, NULL);
    if (status != ZX_OK)
        return status;
    vmar_get_range(vmar->vmar, &base, &len_bytes);
    object_put(&vmar->object);
    zx_info_vmar_t info = {.base = base, .len = len_bytes};
    return info_put_record(request, &info, sizeof(info));
}

/* ---- VMOs
 * ------------------------------------------------------------------------------------------ */

static uint32_t vmo_flags_locked(const struct vmo *vmo)
{
    uint32_t flags = vmo->kind == VMO_PAGED ? ZX_INFO_VMO_TYPE_PAGED : ZX_INFO_VMO_TYPE_PHYSICAL;
    if (vmo->options & ZX_VMO_RESIZABLE)
        flags |= ZX_INFO_VMO_RESIZABLE;
    if (vmo_is_discardable(vmo))
        flags |= ZX_INFO_VMO_DISCARDABLE;
    if (vmo->is_contiguous)
        flags |= ZX_INFO_VMO_CONTIGUOUS;
    if (vmo->is_snapshot)
        flags |= ZX_INFO_VMO_IS_COW_CLONE;
    return flags;
}

uint32_t info_flags_via_handle(const struct vmo *vmo)
{
    return ZX_INFO_VMO_VIA_HANDLE | (vmo->is_immutable ? ZX_INFO_VMO_IMMUTABLE : 0);
}

void info_fill_vmo(struct vmo *vmo, zx_info_vmo_t *out)
{
    struct vmo_usage usage = {.committed_bytes = 0};

    memset(out, 0, sizeof(*out));
    vmo_lock(vmo);
    out->koid = vmo->koid;
    memcpy(out->name, vmo->name, sizeof(out->name));
    out->size_bytes = vmo->size_bytes;
    out->parent_koid = vmo->parent_koid;
    out->num_mappings = vmo->count_mappings;
    out->share_count = vmo_count_shares_locked(vmo);
    out->flags = vmo_flags_locked(vmo);
    out->cache_policy = vmo->cache_policy;
    if (vmo->source == NULL) /* the pages that an alias shows are its source's */
        vmo_get_usage_locked(vmo, 0, vmo->size_bytes, &usage);
    vmo_unlock(vmo);
    out->num_children = vmo_count_children(vmo);
    out->committed_bytes = usage.committed_bytes;
    out->populated_bytes = usage.committed_bytes;
    out->committed_private_bytes = usage.private_bytes;
    out->populated_private_bytes = usage.private_bytes;
    out->committed_scaled_bytes = usage.scaled.bytes;
    out->populated_scaled_bytes = usage.scaled.bytes;
    out->committed_fractional_scaled_bytes = usage.scaled.fraction;
    out->populated_fractional_scaled_bytes = usage.scaled.fraction;
    out->metadata_bytes = usage.committed_bytes / PAGE_SIZE_BYTES * sizeof(struct page);
}

/* Older records are prefixes of the newest. */
size_t info_vmo_record_bytes(uint32_t topic)
{
    switch (topic) {
    case ZX_INFO_VMO_V1:
    case ZX_INFO_PROCESS_VMOS_V1:
        return sizeof(zx_info_vmo_v1_t);
    case ZX_INFO_VMO_V2:
    case ZX_INFO_PROCESS_VMOS_V2:
        return sizeof(zx_info_vmo_v2_t);
    case ZX_INFO_VMO_V3:
    case ZX_INFO_PROCESS_VMOS_V3:
        return sizeof(zx_info_vmo_v3_t);
    default:
        return sizeof(zx_info_vmo_t);
    }
}

static zx_status_t info_vmo(const struct info_request *request)
{
    struct vmo_object *vmo;
    zx_rights_t rights;
    zx_info_vmo_t info;
    zx_status_t status = lookup_vmo(request->handle, 0, &vmo, &rights);
    if (status != ZX_OK)
        return status;
    info_fill_vmo(vmo->vmo, &info);
    info.flags |= info_flags_via_handle(vmo->vmo);
    object_put(&vmo->object);
    info.handle_rights = rights;
    return info_put_record(request, &info, info_vmo_record_bytes(request->topic));
}

/* ---- IOBuffers
 * ------------------------------------------------------------------------------------- */

static zx_status_t info_iob(const struct info_request *request)
{
    struct iob_endpoint *endpoint;
    zx_status_t status = lookup_iob(request->handle, ZX_RIGHT_INSPECT, &endpoint, NULL);
    if (status != ZX_OK)
        return status;
    zx_info_iob_t info = {.region_count = iob_count_regions(endpoint)};
    object_put(&endpoint->object);
    return info_put_record(request, &info, sizeof(info));
}

static zx_status_t put_regions(const struct info_request *request,
                               const struct iob_endpoint *endpoint)
{
    size_t available = iob_count_regions(endpoint);
    size_t count = MIN(available, info_capacity(request, sizeof(zx_iob_region_info_t)));
    zx_iob_region_info_t *infos = NULL;
    if (count > 0) {
        infos = kmalloc(count * sizeof(*infos));
        if (infos == NULL)
            return ZX_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct iob_region *region = iob_get_region(endpoint, i);
        infos[i].region = region->description;
        infos[i].region.access = iob_access_seen_by(region->description.access, endpoint->id);
        infos[i].koid = region->vmo->koid;
    }
    zx_status_t status = info_put_array(request, infos, sizeof(*infos), count, available);
    kfree(infos);
    return status;
}

static zx_status_t info_iob_regions(const struct info_request *request)
{
    struct iob_endpoint *endpoint;
    zx_status_t status = lookup_iob(request->handle, ZX_RIGHT_INSPECT, &endpoint, NULL);
    if (status != ZX_OK)
        return status;
    status = put_regions(request, endpoint);
    object_put(&endpoint->object);
    return status;
}

zx_status_t info_vm(const struct info_request *request)
{
    switch (request->topic) {
    case ZX_INFO_VMAR:
        return info_vmar(request);
    case ZX_INFO_VMO_V1:
    case ZX_INFO_VMO_V2:
    case ZX_INFO_VMO_V3:
    case ZX_INFO_VMO:
        return info_vmo(request);
    case ZX_INFO_PROCESS_MAPS_V1:
    case ZX_INFO_PROCESS_MAPS_V2:
    case ZX_INFO_PROCESS_MAPS:
        return info_process_maps(request);
    case ZX_INFO_VMAR_MAPS:
        return info_vmar_maps(request);
    case ZX_INFO_PROCESS_VMOS_V1:
    case ZX_INFO_PROCESS_VMOS_V2:
    case ZX_INFO_PROCESS_VMOS_V3:
    case ZX_INFO_PROCESS_VMOS:
        return info_process_vmos(request);
    case ZX_INFO_IOB:
        return info_iob(request);
    case ZX_INFO_IOB_REGIONS:
        return info_iob_regions(request);
    default:
        return ZX_ERR_NOT_SUPPORTED;
    }
}
