/* Topics about jobs, processes and threads. */
#include "kernel/syscall/info.h"

#include "kernel/sched/thread.h"
#include "kernel/syscall/lookup.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/kheap.h"

static zx_status_t info_process(const struct info_request *request)
{
    struct process *process;
    zx_status_t status = lookup_process(request->handle, ZX_RIGHT_INSPECT, &process, NULL);
    if (status != ZX_OK)
        return status;
    zx_info_process_t info = {0};
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    if (process->start_time_ns != 0)
        info.flags |= ZX_INFO_PROCESS_FLAG_STARTED;
    if (process->state == PROCESS_DEAD)
        info.flags |= ZX_INFO_PROCESS_FLAG_EXITED;
    if (exception_slot_is_bound_locked(&process->exceptions[EXCEPTION_SLOT_DEBUGGER]))
        info.flags |= ZX_INFO_PROCESS_FLAG_DEBUGGER_ATTACHED;
    info.return_code = process->state == PROCESS_DEAD ? process->return_code : 0;
    info.start_time = process->start_time_ns;
    spin_unlock_irqrestore(&process->lock, irq);
    object_put(&process->object);
    return info_put_record(request, &info, sizeof(info));
}

static zx_status_t info_job(const struct info_request *request)
{
    struct job *job;
    zx_status_t status = lookup_job(request->handle, ZX_RIGHT_INSPECT, &job, NULL);
    if (status != ZX_OK)
        return status;
    zx_info_job_t info = {0};
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    info.exited = (object_poll_signals(&job->object) & ZX_JOB_TERMINATED) != 0;
    info.return_code = info.exited ? job->return_code : 0;
    info.kill_on_oom = job->kill_on_oom;
    info.debugger_attached =
        exception_slot_is_bound_locked(&job->exceptions[EXCEPTION_SLOT_DEBUGGER]);
    spin_unlock_irqrestore(&job->lock, irq);
    object_put(&job->object);
    return info_put_record(request, &info, sizeof(info));
}

/* ---- Lists of koids
 * -------------------------------------------------------------------------------- */

static size_t list_koids(struct object *object, uint32_t topic, zx_koid_t *koids, size_t capacity)
{
    switch (topic) {
    case ZX_INFO_JOB_CHILDREN:
        return job_list_children(job_from_object(object), koids, capacity);
    case ZX_INFO_JOB_PROCESSES:
        return job_list_processes(job_from_object(object), koids, capacity);
    default:
        return process_list_threads(process_from_object(object), koids, capacity);
    }
}

/* Room is made for as many as there are now; what comes in between only counts as available. */
static zx_status_t put_koids(const struct info_request *request, struct object *object)
{
    size_t capacity =
        MIN(list_koids(object, request->topic, NULL, 0), info_capacity(request, sizeof(zx_koid_t)));
    zx_koid_t *koids = NULL;
    if (capacity > 0) {
        koids = kmalloc(capacity * sizeof(*koids));
        if (koids == NULL)
            return ZX_ERR_NO_MEMORY;
    }
    size_t available = list_koids(object, request->topic, koids, capacity);
    zx_status_t status =
        info_put_array(request, koids, sizeof(*koids), MIN(available, capacity), available);
    kfree(koids);
    return status;
}

static zx_status_t info_koids(const struct info_request *request, zx_obj_type_t type)
{
    struct object *object;
    zx_status_t status = handle_get(request->handle, type, ZX_RIGHT_ENUMERATE, &object, NULL);
    if (status != ZX_OK)
        return status;
    status = put_koids(request, object);
    object_put(object);
    return status;
}

/* ---- Threads
 * --------------------------------------------------------------------------------------- */

static zx_status_t info_thread(const struct info_request *request)
{
    struct user_thread *thread;
    zx_status_t status = lookup_thread(request->handle, ZX_RIGHT_INSPECT, &thread, NULL);
    if (status != ZX_OK)
        return status;
    zx_info_thread_t info = {
        .state = user_thread_get_state(thread),
        .wait_exception_channel_type = atomic_load_relaxed(&thread->exception_channel_type),
    };
    info.cpu_affinity_mask.mask[0] = thread->thread.affinity;
    object_put(&thread->object);
    return info_put_record(request, &info, sizeof(info));
}

static zx_status_t info_thread_stats(const struct info_request *request)
{
    struct user_thread *thread;
    zx_status_t status = lookup_thread(request->handle, ZX_RIGHT_INSPECT, &thread, NULL);
    if (status != ZX_OK)
        return status;
    zx_info_thread_stats_t info = {
        .total_runtime = (zx_duration_t)thread_runtime_ns(&thread->thread),
        .last_scheduled_cpu = atomic_load_relaxed(&thread->thread.hart),
    };
    object_put(&thread->object);
    return info_put_record(request, &info, sizeof(info));
}

static zx_status_t info_exception_report(const struct info_request *request)
{
    struct user_thread *thread;
    zx_exception_report_t report;
    zx_status_t status = lookup_thread(request->handle, ZX_RIGHT_INSPECT, &thread, NULL);
    if (status != ZX_OK)
        return status;
    status = user_thread_get_exception(thread, &report);
    object_put(&thread->object);
    if (status != ZX_OK)
        return status;
    return info_put_record(request, &report, sizeof(report));
}

/* ---- Handles of a process -------------------------------------------------------------------- */

static void count_handle(void *ctx, zx_handle_t value, const struct handle *handle)
{
    zx_info_process_handle_stats_t *info = ctx;
    (void)value;
    info->handle_count[handle->object->ops->type]++;
}

static zx_status_t info_handle_stats(const struct info_request *request)
{
    zx_info_process_handle_stats_t info = {0};
    struct process *process;
    zx_status_t status = lookup_process(request->handle, ZX_RIGHT_INSPECT, &process, NULL);
    if (status != ZX_OK)
        return status;
    handle_table_for_each(process->handles, count_handle, &info);
    object_put(&process->object);
    return info_put_record(request, &info, sizeof(info));
}

struct handle_collector {
    zx_info_handle_extended_t *records;
    size_t capacity;
    size_t count;
};

static void collect_handle(void *ctx, zx_handle_t value, const struct handle *handle)
{
    struct handle_collector *collector = ctx;
    if (collector->count < collector->capacity)
        collector->records[collector->count] = (zx_info_handle_extended_t){
            .type = handle->object->ops->type,
            .handle_value = value,
            .rights = handle->rights,
            .koid = handle->object->koid,
            .related_koid = object_related_koid(handle->object),
        };
    collector->count++;
}

static zx_status_t put_handle_table(const struct info_request *request, struct process *process)
{
    struct handle_collector collector = {NULL, 0, 0};
    size_t capacity = MIN((size_t)handle_table_count(process->handles),
                          info_capacity(request, sizeof(*collector.records)));
    if (capacity > 0) {
        collector.records = kmalloc(capacity * sizeof(*collector.records));
        if (collector.records == NULL)
            return ZX_ERR_NO_MEMORY;
        collector.capacity = capacity;
    }
    handle_table_for_each(process->handles, collect_handle, &collector);
    zx_status_t status = info_put_array(request, collector.records, sizeof(*collector.records),
                                        MIN(collector.count, capacity), collector.count);
    kfree(collector.records);
    return status;
}

static zx_status_t info_handle_table(const struct info_request *request)
{
    const zx_rights_t needed = ZX_RIGHT_INSPECT | ZX_RIGHT_MANAGE_PROCESS | ZX_RIGHT_MANAGE_THREAD;
    struct process *process;
    zx_status_t status = lookup_process(request->handle, needed, &process, NULL);
    if (status != ZX_OK)
        return status;
    status = put_handle_table(request, process);
    object_put(&process->object);
    return status;
}

/* ---- Time on harts --------------------------------------------------------------------------- */

static zx_status_t get_runtime(struct object *task, uint64_t *out_ns)
{
    switch (task->ops->type) {
    case ZX_OBJ_TYPE_JOB:
        return job_get_runtime_ns(job_from_object(task), out_ns);
    case ZX_OBJ_TYPE_PROCESS:
        *out_ns = process_get_runtime_ns(process_from_object(task));
        return ZX_OK;
    case ZX_OBJ_TYPE_THREAD:
        *out_ns = thread_runtime_ns(&user_thread_from_object(task)->thread);
        return ZX_OK;
    default:
        return ZX_ERR_WRONG_TYPE;
    }
}

/* Only the time on harts is measured. */
static zx_status_t info_task_runtime(const struct info_request *request)
{
    struct object *task;
    zx_rights_t rights;
    uint64_t runtime_ns = 0;
    zx_status_t status = handle_get(request->handle, ZX_OBJ_TYPE_NONE, 0, &task, &rights);
    if (status != ZX_OK)
        return status;
    status = get_runtime(task, &runtime_ns);
    object_put(task);
    if (status == ZX_OK && !(rights & ZX_RIGHT_INSPECT))
        status = ZX_ERR_ACCESS_DENIED;
    if (status != ZX_OK)
        return status;
    zx_info_task_runtime_t info = {.cpu_time = (zx_duration_t)runtime_ns};
    size_t record_bytes = request->topic == ZX_INFO_TASK_RUNTIME_V1
                              ? sizeof(zx_info_task_runtime_v1_t)
                              : sizeof(info);
    return info_put_record(request, &info, record_bytes);
}

/* ---- Memory of a process
 * --------------------------------------------------------------------------- */

static zx_status_t info_task_stats(const struct info_request *request)
{
    struct process *process;
    struct aspace_usage usage = {.mapped_bytes = 0};
    zx_status_t status = lookup_process(request->handle, ZX_RIGHT_INSPECT, &process, NULL);
    if (status != ZX_OK)
        return status;
    if (process_get_state(process) == PROCESS_DEAD)
        status = ZX_ERR_BAD_STATE;
    else
        aspace_get_usage(process->aspace, &usage);
    object_put(&process->object);
    if (status != ZX_OK)
        return status;
    zx_info_task_stats_t info = {
        .mem_mapped_bytes = usage.mapped_bytes,
        .mem_private_bytes = usage.private_bytes,
        .mem_shared_bytes = usage.shared_bytes,
        .mem_scaled_shared_bytes = usage.scaled_shared.bytes,
        .mem_fractional_scaled_shared_bytes = usage.scaled_shared.fraction,
    };
    size_t record_bytes =
        request->topic == ZX_INFO_TASK_STATS_V1 ? sizeof(zx_info_task_stats_v1_t) : sizeof(info);
    return info_put_record(request, &info, record_bytes);
}

zx_status_t info_task(const struct info_request *request)
{
    switch (request->topic) {
    case ZX_INFO_PROCESS:
        return info_process(request);
    case ZX_INFO_JOB:
        return info_job(request);
    case ZX_INFO_PROCESS_THREADS:
        return info_koids(request, ZX_OBJ_TYPE_PROCESS);
    case ZX_INFO_JOB_CHILDREN:
    case ZX_INFO_JOB_PROCESSES:
        return info_koids(request, ZX_OBJ_TYPE_JOB);
    case ZX_INFO_THREAD:
        return info_thread(request);
    case ZX_INFO_THREAD_STATS:
        return info_thread_stats(request);
    case ZX_INFO_THREAD_EXCEPTION_REPORT:
        return info_exception_report(request);
    case ZX_INFO_PROCESS_HANDLE_STATS:
        return info_handle_stats(request);
    case ZX_INFO_HANDLE_TABLE:
        return info_handle_table(request);
    case ZX_INFO_TASK_RUNTIME:
    case ZX_INFO_TASK_RUNTIME_V1:
        return info_task_runtime(request);
    case ZX_INFO_TASK_STATS:
    case ZX_INFO_TASK_STATS_V1:
        return info_task_stats(request);
    default:
        return ZX_ERR_NOT_SUPPORTED;
    }
}
