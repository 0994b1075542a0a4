/* ZX_INFO_PROCESS_MAPS and ZX_INFO_VMAR_MAPS: the tree of regions, depth first. */
#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"
#include "kernel/syscall/info_internal.h"
#include "kernel/syscall/lookup.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/kheap.h"

/* The older records hold pages where the newest holds bytes, and end earlier. */
_Static_assert(offsetof(zx_info_maps_t, u.mapping.committed_bytes) ==
                   offsetof(zx_info_maps_v1_t, u.mapping.committed_pages),
               "version 1 is a prefix");
_Static_assert(offsetof(zx_info_maps_t, u.mapping.populated_bytes) ==
                   offsetof(zx_info_maps_v2_t, u.mapping.populated_pages),
               "version 2 is a prefix");

struct maps_collector {
    uint8_t *records; /* |capacity| of |record_bytes| each */
    size_t record_bytes;
    size_t capacity;
    size_t count; /* entries seen so far */
    bool in_pages;
};

static void store_record(struct maps_collector *collector, const zx_info_maps_t *record)
{
    if (collector->count < collector->capacity)
        memcpy(collector->records + collector->count * collector->record_bytes, record,
               collector->record_bytes);
    collector->count++;
}

static void fill_mapping(const struct maps_collector *collector,
                         const struct aspace_walk_entry *entry, zx_info_maps_mapping_t *out)
{
    struct vmo_usage usage;

    vmo_lock(entry->vmo);
    vmo_get_usage_locked(entry->vmo, entry->vmo_offset, entry->size_bytes, &usage);
    vmo_unlock(entry->vmo);
    out->mmu_flags = entry->perms;
    out->vmo_koid = entry->vmo_koid;
    out->vmo_offset = entry->vmo_offset;
    out->committed_bytes =
        collector->in_pages ? usage.committed_bytes / PAGE_SIZE_BYTES : usage.committed_bytes;
    out->populated_bytes = out->committed_bytes;
    out->committed_private_bytes = usage.private_bytes;
    out->populated_private_bytes = usage.private_bytes;
    out->committed_scaled_bytes = usage.scaled.bytes;
    out->populated_scaled_bytes = usage.scaled.bytes;
    out->committed_fractional_scaled_bytes = usage.scaled.fraction;
    out->populated_fractional_scaled_bytes = usage.scaled.fraction;
}

static void collect(void *ctx, const struct aspace_walk_entry *entry)
{
    struct maps_collector *collector = ctx;
    zx_info_maps_t record = {
        .base = entry->base,
        .size = entry->size_bytes,
        .depth = entry->depth,
        .type = entry->is_vmar ? ZX_INFO_MAPS_TYPE_VMAR : ZX_INFO_MAPS_TYPE_MAPPING,
    };
    kernel_snprintf(record.name, sizeof(record.name), "%s", entry->name);
    if (!entry->is_vmar && collector->count < collector->capacity)
        fill_mapping(collector, entry, &record.u.mapping);
    store_record(collector, &record);
}

/* What is walked: a whole process, or what is below a VMAR. */
struct maps_source {
    bool is_vmar;
    struct process *process;
    struct vmar_object *vmar;
};

static zx_status_t collect_all(const struct maps_source *source, struct maps_collector *collector)
{
    collector->count = 0;
    if (source->is_vmar)
        return vmar_walk(source->vmar->vmar, collect, collector);
    /* The first record is the address space itself. */
    zx_info_maps_t record = {
        .base = USER_BASE,
        .size = USER_TOP - USER_BASE,
        .type = ZX_INFO_MAPS_TYPE_ASPACE,
    };
    kernel_snprintf(record.name, sizeof(record.name), "proc:%lu", source->process->object.koid);
    store_record(collector, &record);
    return aspace_walk(source->process->aspace, collect, collector);
}

static zx_status_t put_maps(const struct info_request *request, const struct maps_source *source,
                            struct maps_collector *collector)
{
    /* Counts first, then makes room for as many as there are and the caller wants. */
    zx_status_t status = collect_all(source, collector);
    if (status != ZX_OK)
        return status;
    size_t capacity = MIN(collector->count, info_capacity(request, collector->record_bytes));
    if (capacity > 0) {
        collector->records = kmalloc(capacity * collector->record_bytes);
        if (collector->records == NULL)
            return ZX_ERR_NO_MEMORY;
        collector->capacity = capacity;
        status = collect_all(source, collector);
    }
    if (status == ZX_OK)
        status = info_put_array(request, collector->records, collector->record_bytes,
                                MIN(collector->count, capacity), collector->count);
    kfree(collector->records);
    return status;
}

zx_status_t info_process_maps(const struct info_request *request)
{
    struct maps_collector collector = {.record_bytes = sizeof(zx_info_maps_t)};
    struct maps_source source = {.is_vmar = false};

    if (request->topic == ZX_INFO_PROCESS_MAPS_V1)
        collector.record_bytes = sizeof(zx_info_maps_v1_t);
    if (request->topic == ZX_INFO_PROCESS_MAPS_V2)
        collector.record_bytes = sizeof(zx_info_maps_v2_t);
    collector.in_pages = request->topic != ZX_INFO_PROCESS_MAPS;
    zx_status_t status = lookup_process(request->handle, ZX_RIGHT_INSPECT, &source.process, NULL);
    if (status != ZX_OK)
        return status;
    status = put_maps(request, &source, &collector);
    object_put(&source.process->object);
    return status;
}

zx_status_t info_vmar_maps(const struct info_request *request)
{
    struct maps_collector collector = {.record_bytes = sizeof(zx_info_maps_t)};
    struct maps_source source = {.is_vmar = true};
    zx_status_t status = lookup_vmar(request->handle, ZX_RIGHT_INSPECT, &source.vmar, NULL);
    if (status != ZX_OK)
        return status;
    status = put_maps(request, &source, &collector);
    object_put(&source.vmar->object);
    return status;
}
