/* Topics about the machine, and about objects of one type. */
#include "arch/mmu.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/object/resource.h"
#include "kernel/object/socket.h"
#include "kernel/object/stream.h"
#include "kernel/object/timer_obj.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/info.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"

static void fill_kmem(zx_info_kmem_stats_t *info)
{
    struct pmm_stats stats;
    struct kheap_stats heap;
    (void)kheap_drain(); /* what is free may keep whole pages from being free */
    pmm_get_stats(&stats);
    kheap_get_stats(&heap);
    *info = (zx_info_kmem_stats_t){
        .total_bytes = stats.count_total * PAGE_SIZE_BYTES,
        .free_bytes = stats.count_by_kind[PAGE_FREE] * PAGE_SIZE_BYTES,
        .wired_bytes = stats.count_by_kind[PAGE_RESERVED] * PAGE_SIZE_BYTES,
        .total_heap_bytes = stats.count_by_kind[PAGE_HEAP] * PAGE_SIZE_BYTES,
        .free_heap_bytes = heap.count_pages * PAGE_SIZE_BYTES - heap.used_bytes,
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

static void fill_cpu(unsigned hart, zx_info_cpu_stats_t *info)
{
    struct sched_stats stats;
    struct mmu_tlb_stats tlb;
    sched_get_stats(hart, &stats);
    mmu_get_tlb_stats(hart, &tlb);
    *info = (zx_info_cpu_stats_t){
        .cpu_number = hart,
        .flags = sched_online_harts() & BIT(hart) ? ZX_INFO_CPU_STATS_FLAG_ONLINE : 0,
        .idle_time = (zx_duration_t)sched_idle_ns(hart),
        .reschedules = stats.count_kept + stats.count_switches,
        .context_switches = stats.count_switches,
        .timer_ints = stats.count_timer_interrupts,
        .reschedule_ipis = stats.count_reschedule_ipis,
        .generic_ipis = tlb.count_requests_served,
    };
}

static zx_status_t info_cpu_stats(const struct info_request *request)
{
    zx_status_t status = resource_check_system(request->handle, ZX_RSRC_SYSTEM_INFO_BASE);
    if (status != ZX_OK)
        return status;
    size_t available = arch_hart_count();
    size_t count = MIN(available, info_capacity(request, sizeof(zx_info_cpu_stats_t)));
    zx_info_cpu_stats_t *infos = NULL;
    if (count > 0) {
        infos = kmalloc(count * sizeof(*infos));
        if (infos == NULL)
            return ZX_ERR_NO_MEMORY;
    }
    for (unsigned hart = 0; hart < count; hart++)
        fill_cpu(hart, &infos[hart]);
    status = info_put_array(request, infos, sizeof(*infos), count, available);
    kfree(infos);
    return status;
}

/* The record of one object of |type|. */
static zx_status_t info_object(const struct info_request *request, zx_obj_type_t type)
{
    union {
        zx_info_timer_t timer;
        zx_info_resource_t resource;
        zx_info_socket_t socket;
        zx_info_stream_t stream;
    } info;
    struct object *object;
    size_t size_bytes;
    zx_status_t status = handle_get(request->handle, type, ZX_RIGHT_INSPECT, &object, NULL);

    if (status != ZX_OK)
        return status;
    switch (type) {
    case ZX_OBJ_TYPE_TIMER:
        timer_obj_get_info(object, &info.timer);
        size_bytes = sizeof(info.timer);
        break;
    case ZX_OBJ_TYPE_RESOURCE:
        resource_get_info(object, &info.resource);
        size_bytes = sizeof(info.resource);
        break;
    case ZX_OBJ_TYPE_SOCKET:
        socket_get_info(object, &info.socket);
        size_bytes = sizeof(info.socket);
        break;
    default:
        ASSERT(type == ZX_OBJ_TYPE_STREAM);
        stream_get_info(object, &info.stream);
        size_bytes = sizeof(info.stream);
        break;
    }
    object_put(object);
    return info_put_record(request, &info, size_bytes);
}

zx_status_t info_machine(const struct info_request *request)
{
    switch (request->topic) {
    case ZX_INFO_KMEM_STATS:
    case ZX_INFO_KMEM_STATS_V1:
        return info_kmem_stats(request);
    case ZX_INFO_CPU_STATS:
        return info_cpu_stats(request);
    case ZX_INFO_TIMER:
        return info_object(request, ZX_OBJ_TYPE_TIMER);
    case ZX_INFO_SOCKET:
        return info_object(request, ZX_OBJ_TYPE_SOCKET);
    case ZX_INFO_STREAM:
        return info_object(request, ZX_OBJ_TYPE_STREAM);
    case ZX_INFO_RESOURCE:
        return info_object(request, ZX_OBJ_TYPE_RESOURCE);
    default:
        return ZX_ERR_NOT_SUPPORTED;
    }
}
