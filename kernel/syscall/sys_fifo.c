/* Fifos. */
#include "kernel/object/fifo.h"
#include "kernel/object/policy.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"
#include "kernel/vm/kheap.h"

zx_status_t sys_fifo_create(size_t elem_count, size_t elem_size, uint32_t options,
                            zx_handle_t __user *out0_user, zx_handle_t __user *out1_user)
{
    struct object *ends[2];
    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = policy_check(ZX_POL_NEW_FIFO);
    if (status != ZX_OK)
        return status;
    status = fifo_create(elem_count, elem_size, &ends[0], &ends[1]);
    if (status != ZX_OK)
        return status;
    struct handle_out outs[2] = {
        {ends[0], ends[0]->ops->default_rights, out0_user},
        {ends[1], ends[1]->ops->default_rights, out1_user},
    };
    return user_put_handles(outs, ARRAY_COUNT(outs));
}

static zx_status_t fifo_get(zx_handle_t handle, zx_rights_t right, size_t elem_size, size_t count,
                            struct object **out)
{
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_FIFO, right, out, NULL);
    if (status == ZX_OK && (elem_size != fifo_elem_bytes(*out) || count == 0)) {
        object_put(*out);
        status = ZX_ERR_OUT_OF_RANGE;
    }
    return status;
}

/* The elements pass through a buffer of the kernel's: the fifo's lock is not held while user memory
 * is touched. More than fits into a fifo is never needed. */
static zx_status_t write_elements(struct object *fifo, const void __user *data_user, size_t count,
                                  size_t *out_count)
{
    size_t elem_bytes = fifo_elem_bytes(fifo);
    count = MIN(count, FIFO_MAX_BYTES / elem_bytes);
    void *buffer = kmalloc(count * elem_bytes);
    if (!buffer)
        return ZX_ERR_NO_MEMORY;
    zx_status_t status = user_copy_in(buffer, data_user, count * elem_bytes);
    if (status == ZX_OK)
        status = fifo_write(fifo, buffer, count, out_count);
    kfree(buffer);
    return status;
}

zx_status_t sys_fifo_write(zx_handle_t handle, size_t elem_size, const void __user *data_user,
                           size_t count, size_t __user *actual_user)
{
    struct object *fifo;
    size_t done;
    zx_status_t status = fifo_get(handle, ZX_RIGHT_WRITE, elem_size, count, &fifo);
    if (status != ZX_OK)
        return status;
    status = write_elements(fifo, data_user, count, &done);
    object_put(fifo);
    if (status != ZX_OK)
        return status;
    return user_put_size_optional(actual_user, done);
}

struct fifo_sink {
    uint8_t __user *data_user;
    size_t __user *actual_user; /* or NULL */
    size_t elem_bytes;
};

/* All that is written to the caller is written before the elements leave the fifo. */
static zx_status_t copy_piece_out(void *ctx, const void *piece, size_t done_bytes, size_t len_bytes)
{
    const struct fifo_sink *sink = ctx;
    zx_status_t status = user_copy_out(sink->data_user + done_bytes, piece, len_bytes);
    if (status != ZX_OK)
        return status;
    return user_put_size_optional(sink->actual_user, (done_bytes + len_bytes) / sink->elem_bytes);
}

zx_status_t sys_fifo_read(zx_handle_t handle, size_t elem_size, void __user *data_user,
                          size_t count, size_t __user *actual_user)
{
    struct fifo_sink sink = {data_user, actual_user, elem_size};
    struct object *fifo;
    size_t done;
    zx_status_t status = fifo_get(handle, ZX_RIGHT_READ, elem_size, count, &fifo);
    if (status != ZX_OK)
        return status;
    status = fifo_read(fifo, count, copy_piece_out, &sink, &done);
    object_put(fifo);
    return status;
}
