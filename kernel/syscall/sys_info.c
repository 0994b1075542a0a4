/* zx_object_get_info: the call itself and the topics about handles. */
#include "kernel/syscall/info.h"

#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"

static zx_status_t put_counts(const struct info_request *request, size_t actual, size_t avail)
{
    zx_status_t status = user_put_size_optional(request->actual, actual);
    if (status == ZX_OK)
        status = user_put_size_optional(request->avail, avail);
    return status;
}

zx_status_t info_put_record(const struct info_request *request, const void *record,
                            size_t record_bytes)
{
    if (request->buffer_bytes < record_bytes) {
        zx_status_t status = put_counts(request, 0, 1);
        return status != ZX_OK ? status : ZX_ERR_BUFFER_TOO_SMALL;
    }
    zx_status_t status = user_copy_out(request->buffer, record, record_bytes);
    if (status != ZX_OK)
        return status;
    return put_counts(request, 1, 1);
}

size_t info_capacity(const struct info_request *request, size_t record_bytes)
{
    return request->buffer != NULL ? request->buffer_bytes / record_bytes : 0;
}

zx_status_t info_put_array(const struct info_request *request, const void *records,
                           size_t record_bytes, size_t count, size_t available)
{
    zx_status_t status = user_copy_out(request->buffer, records, count * record_bytes);
    if (status != ZX_OK)
        return status;
    return put_counts(request, count, available);
}

static zx_status_t info_handle_valid(const struct info_request *request)
{
    /* Asking is not using: the policy for bad handles does not hear of it. */
    return handle_table_has_value(handle_table_current(), request->handle) ? ZX_OK
                                                                           : ZX_ERR_BAD_HANDLE;
}

static zx_status_t info_handle_basic(const struct info_request *request)
{
    struct object *object;
    zx_rights_t rights;
    zx_status_t status = handle_get(request->handle, ZX_OBJ_TYPE_NONE, 0, &object, &rights);
    if (status != ZX_OK)
        return status;
    zx_info_handle_basic_t info = {
        .koid = object->koid,
        .rights = rights,
        .type = object->ops->type,
        .related_koid = object_related_koid(object),
    };
    object_put(object);
    return info_put_record(request, &info, sizeof(info));
}

static zx_status_t info_handle_count(const struct info_request *request)
{
    struct object *object;
    zx_status_t status =
        handle_get(request->handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_INSPECT, &object, NULL);
    if (status != ZX_OK)
        return status;
    zx_info_handle_count_t info = {.handle_count = atomic_load_relaxed(&object->count_handles)};
    object_put(object);
    return info_put_record(request, &info, sizeof(info));
}

zx_status_t sys_object_get_info(zx_handle_t handle, uint32_t topic, void __user *buffer,
                                size_t buffer_size, size_t __user *actual, size_t __user *avail)
{
    struct info_request request = {handle, topic, buffer, buffer_size, actual, avail};

    switch (topic) {
    case ZX_INFO_HANDLE_VALID:
        return info_handle_valid(&request);
    case ZX_INFO_HANDLE_BASIC:
        return info_handle_basic(&request);
    case ZX_INFO_HANDLE_COUNT:
        return info_handle_count(&request);
    default:
        break;
    }
    zx_status_t status = info_task(&request);
    if (status == ZX_ERR_NOT_SUPPORTED)
        status = info_vm(&request);
    if (status == ZX_ERR_NOT_SUPPORTED)
        status = info_machine(&request);
    return status;
}

static zx_status_t find_child(struct object *parent, zx_koid_t koid, struct object **out,
                              zx_rights_t *out_max_rights)
{
    struct object *child = NULL;
    struct user_thread *thread;

    if (parent->ops->type == ZX_OBJ_TYPE_JOB) {
        child = job_find_child(job_from_object(parent), koid);
    } else if (parent->ops->type == ZX_OBJ_TYPE_PROCESS) {
        thread = process_find_thread(process_from_object(parent), koid);
        child = thread != NULL ? &thread->object : NULL;
    } else {
        return ZX_ERR_WRONG_TYPE;
    }
    if (child == NULL)
        return ZX_ERR_NOT_FOUND;
    *out = child;
    *out_max_rights = child->ops->default_rights;
    return ZX_OK;
}

zx_status_t sys_object_get_child(zx_handle_t handle, uint64_t koid, zx_rights_t rights,
                                 zx_handle_t __user *out)
{
    struct object *parent, *child;
    zx_rights_t parent_rights, max_rights;
    zx_status_t status =
        handle_get(handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_ENUMERATE, &parent, &parent_rights);
    if (status != ZX_OK)
        return status;
    status = find_child(parent, koid, &child, &max_rights);
    object_put(parent);
    if (status != ZX_OK)
        return status;
    /* What the parent's handle lacks, the child's handle does not get either. */
    max_rights &= parent_rights;
    if (rights == ZX_RIGHT_SAME_RIGHTS)
        rights = max_rights;
    if ((rights & ~max_rights) != 0) {
        object_put(child);
        return ZX_ERR_ACCESS_DENIED;
    }
    return user_put_handle(child, rights, out);
}
