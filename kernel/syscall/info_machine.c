/* Topics about the machine and about resources. */
#include "kernel/object/resource.h"
#include "kernel/syscall/info.h"
#include "kernel/vm/pmm.h"

static void fill_kmem(zx_info_kmem_stats_t *info)
{
    struct pmm_stats stats;
    pmm_get_stats(&stats);
    *info = (zx_info_kmem_stats_t){
        .total_bytes = stats.count_total * PAGE_SIZE_BYTES,
        .free_bytes = stats.count_by_kind[PAGE_FREE] * PAGE_SIZE_BYTES,
        .wired_bytes = stats.count_by_kind[PAGE_RESERVED] * PAGE_SIZE_BYTES,
        .total_heap_bytes = stats.count_by_kind[PAGE_HEAP] * PAGE_SIZE_BYTES,
        .vmo_bytes = stats.count_by_kind[PAGE_VMO] * PAGE_SIZE_BYTES,
        .mmu_overhead_bytes = stats.count_by_kind[PAGE_TABLE] * PAGE_SIZE_BYTES,
        .other_bytes = stats.count_by_kind[PAGE_STACK] * PAGE_SIZE_BYTES,
    };
}

static zx_status_t info_kmem_stats(const struct info_request *request)
{
    zx_info_kmem_stats_t info;
    zx_status_t status = resource_check_system(request->handle, ZX_RSRC_SYSTEM_INFO_BASE);
    if (status != ZX_OK)
        return status;
    fill_kmem(&info);
    if (request->topic == ZX_INFO_KMEM_STATS)
        return info_put_record(request, &info, sizeof(info));
    zx_info_kmem_stats_v1_t v1 = {
        .total_bytes = info.total_bytes,
        .free_bytes = info.free_bytes,
        .wired_bytes = info.wired_bytes,
        .total_heap_bytes = info.total_heap_bytes,
        .free_heap_bytes = info.free_heap_bytes,
        .vmo_bytes = info.vmo_bytes,
        .mmu_overhead_bytes = info.mmu_overhead_bytes,
        .ipc_bytes = info.ipc_bytes,
        .other_bytes = info.other_bytes,
    };
    return info_put_record(request, &v1, sizeof(v1));
}

static zx_status_t info_resource(const struct info_request *request)
{
    struct object *resource;
    zx_info_resource_t info;
    zx_status_t status =
        handle_get(request->handle, ZX_OBJ_TYPE_RESOURCE, ZX_RIGHT_INSPECT, &resource, NULL);
    if (status != ZX_OK)
        return status;
    resource_get_info(resource, &info);
    object_put(resource);
    return info_put_record(request, &info, sizeof(info));
}

zx_status_t info_machine(const struct info_request *request)
{
    switch (request->topic) {
    case ZX_INFO_KMEM_STATS:
    case ZX_INFO_KMEM_STATS_V1:
        return info_kmem_stats(request);
    case ZX_INFO_RESOURCE:
        return info_resource(request);
    default:
        return ZX_ERR_NOT_SUPPORTED;
    }
}
