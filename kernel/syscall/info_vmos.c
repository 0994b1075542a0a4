/* ZX_INFO_PROCESS_VMOS: the VMOs that a process has handles to (directly or as regions of an
 * IOBuffer) and those that it maps, once for each handle and each mapping. */
#include "kernel/lib/string.h"
#include "kernel/syscall/info_internal.h"
#include "kernel/syscall/lookup.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/kheap.h"

struct found_vmo {
    struct vmo *vmo; /* one reference */
    uint32_t flags;  /* ZX_INFO_VMO_VIA_* */
    zx_rights_t rights;
};

struct vmo_collector {
    struct found_vmo *found;
    size_t capacity;
    size_t count; /* all that there are */
};

static void add_vmo(struct vmo_collector *collector, struct vmo *vmo, uint32_t flags,
                    zx_rights_t rights)
{
    if (collector->count < collector->capacity) {
        vmo_get(vmo);
        collector->found[collector->count] = (struct found_vmo){vmo, flags, rights};
    }
    collector->count++;
}

/* Under the lock of the handle table. */
static void collect_handle(void *ctx, zx_handle_t value, const struct handle *handle)
{
    struct object *object = handle->object;
    (void)value;
    if (object->ops->type == ZX_OBJ_TYPE_VMO) {
        struct vmo *vmo = vmo_from_object(object)->vmo;
        add_vmo(ctx, vmo, info_flags_via_handle(vmo), handle->rights);
    } else if (object->ops->type == ZX_OBJ_TYPE_IOB) {
        struct iob_endpoint *endpoint = iob_from_object(object);
        for (uint32_t i = 0; i < iob_count_regions(endpoint); i++)
            add_vmo(ctx, iob_get_region(endpoint, i)->vmo, ZX_INFO_VMO_VIA_IOB_HANDLE,
                    iob_map_rights(endpoint, i, handle->rights));
    }
}

/* Under the lock of the address space. */
static void collect_mapping(void *ctx, const struct aspace_walk_entry *entry)
{
    if (!entry->is_vmar)
        add_vmo(ctx, entry->vmo, ZX_INFO_VMO_VIA_MAPPING, 0);
}

static zx_status_t collect_vmos(struct process *process, struct vmo_collector *collector)
{
    collector->count = 0;
    handle_table_for_each(process->handles, collect_handle, collector);
    return aspace_walk(process->aspace, collect_mapping, collector);
}

static zx_status_t put_found(const struct info_request *request,
                             const struct vmo_collector *collector)
{
    size_t record_bytes = info_vmo_record_bytes(request->topic);
    size_t count = MIN(collector->count, collector->capacity);
    uint8_t *records = NULL;
    if (count > 0) {
        records = kmalloc(count * record_bytes);
        if (records == NULL)
            return ZX_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        zx_info_vmo_t info;
        info_fill_vmo(collector->found[i].vmo, &info);
        info.flags |= collector->found[i].flags;
        info.handle_rights = collector->found[i].rights;
        memcpy(records + i * record_bytes, &info, record_bytes);
    }
    zx_status_t status = info_put_array(request, records, record_bytes, count, collector->count);
    kfree(records);
    return status;
}

/* Counts, makes room for what the caller wants of it, then collects. */
static zx_status_t put_vmos(const struct info_request *request, struct process *process)
{
    struct vmo_collector collector = {NULL, 0, 0};
    zx_status_t status = collect_vmos(process, &collector);
    if (status != ZX_OK)
        return status;
    size_t capacity =
        MIN(collector.count, info_capacity(request, info_vmo_record_bytes(request->topic)));
    if (capacity > 0) {
        collector.found = kmalloc(capacity * sizeof(*collector.found));
        if (collector.found == NULL)
            return ZX_ERR_NO_MEMORY;
        collector.capacity = capacity;
        status = collect_vmos(process, &collector);
    }
    if (status == ZX_OK)
        status = put_found(request, &collector);
    for (size_t i = 0; i < MIN(collector.count, capacity); i++)
        vmo_put(collector.found[i].vmo);
    kfree(collector.found);
    return status;
}

zx_status_t info_process_vmos(const struct info_request *request)
{
    struct process *process;
    zx_status_t status = lookup_process(request->handle, ZX_RIGHT_INSPECT, &process, NULL);
    if (status != ZX_OK)
        return status;
    status = process_get_state(process) == PROCESS_RUNNING ? put_vmos(request, process)
                                                           : ZX_ERR_BAD_STATE;
    object_put(&process->object);
    return status;
}
