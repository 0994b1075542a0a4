#include "kernel/syscall/user.h"

#include "kernel/lib/string.h"

#define HANDLES_OUT_MAX 4u

/* Writes all values, or puts back what was there: a call that fails leaves its out-variables. */
static zx_status_t put_values(const struct handle_out *outs, const zx_handle_t *values,
                              size_t count)
{
    zx_handle_t before[HANDLES_OUT_MAX];
    zx_status_t status = ZX_OK;
    for (size_t i = 0; i + 1 < count && status == ZX_OK; i++)
        status = user_copy_in(&before[i], outs[i].out_user, sizeof(before[i]));
    size_t done = 0;
    while (status == ZX_OK && done < count) {
        status = user_put_u32(outs[done].out_user, values[done]);
        if (status == ZX_OK)
            done++;
    }
    if (status == ZX_OK)
        return ZX_OK;
    while (done-- > 0) {
        if (user_put_u32(outs[done].out_user, before[done]) != ZX_OK)
            break;
    }
    return status;
}

zx_status_t user_put_handles(struct handle_out *outs, size_t count)
{
    struct handle_table *table = handle_table_current();
    zx_handle_t values[HANDLES_OUT_MAX];
    struct handle *handles[HANDLES_OUT_MAX] = {NULL};
    zx_status_t status = ZX_OK;
    ASSERT(count <= HANDLES_OUT_MAX);

    for (size_t i = 0; i < count; i++) {
        handles[i] = handle_create(outs[i].object, outs[i].rights);
        if (!handles[i]) {
            status = ZX_ERR_NO_MEMORY;
            /* Not for an object that others have handles to. */
            if (outs[i].object->ops->on_zero_handles &&
                atomic_load(&outs[i].object->count_handles) == 0)
                outs[i].object->ops->on_zero_handles(outs[i].object);
        }
    }
    size_t added = 0;
    while (status == ZX_OK && added < count) {
        status = handle_table_add(table, handles[added], &values[added]);
        if (status == ZX_OK)
            handles[added++] = NULL;
    }
    if (status == ZX_OK)
        status = put_values(outs, values, count);
    if (status != ZX_OK) {
        while (added-- > 0)
            handle_close(handle_table_remove(table, values[added]));
        for (size_t i = 0; i < count; i++)
            handle_close(handles[i]);
    }
    for (size_t i = 0; i < count; i++)
        object_put(outs[i].object);
    return status;
}

zx_status_t user_put_handle(struct object *object, zx_rights_t rights, zx_handle_t __user *out_user)
{
    struct handle_out out = {object, rights, out_user};
    return user_put_handles(&out, 1);
}

zx_status_t user_copy_name(const char __user *name_user, size_t len_bytes, char out[32])
{
    size_t len = MIN(len_bytes, (size_t)31);
    char copy[32] = {0};
    zx_status_t status = user_copy_in(copy, name_user, len);
    if (status != ZX_OK)
        return status;
    memcpy(out, copy, sizeof(copy));
    return ZX_OK;
}
