/* Streams. */
#include "kernel/object/stream.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"
#include "kernel/vm/kheap.h"

#define VECTORS_MAX 8192u

zx_status_t sys_stream_create(uint32_t options, zx_handle_t vmo_handle, zx_off_t seek,
                              zx_handle_t __user *out_user)
{
    zx_rights_t needed = 0, rights;
    struct vmo_object *vmo;
    struct object *stream;
    if ((options & ~(ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE | ZX_STREAM_MODE_APPEND)) != 0)
        return ZX_ERR_INVALID_ARGS;
    if (options & ZX_STREAM_MODE_READ)
        needed |= ZX_RIGHT_READ;
    if (options & ZX_STREAM_MODE_WRITE)
        needed |= ZX_RIGHT_WRITE;
    zx_status_t status = lookup_vmo(vmo_handle, needed, &vmo, &rights);
    if (status != ZX_OK)
        return status;
    status = stream_create(vmo, options, seek, (rights & ZX_RIGHT_RESIZE) != 0, &stream);
    object_put(&vmo->object);
    if (status != ZX_OK)
        return status;
    return user_put_handle(stream, stream->ops->default_rights | needed, out_user);
}

/* ---- Scattered buffers ----------------------------------------------------------------------- */

struct buffers {
    zx_iovec_t *vectors;
    size_t count;
    size_t len_bytes; /* of all */
    /* Where the last piece ended: in vectors[index], which begins |base_bytes| into the whole. */
    size_t index;
    size_t base_bytes;
};

static zx_status_t buffers_copy_in(struct buffers *buffers, const zx_iovec_t __user *vectors_user,
                                   size_t count)
{
    *buffers = (struct buffers){.count = count};
    if (count > VECTORS_MAX || (count > 0 && !vectors_user))
        return ZX_ERR_INVALID_ARGS;
    buffers->vectors = kmalloc(MAX(count, (size_t)1) * sizeof(zx_iovec_t));
    if (!buffers->vectors)
        return ZX_ERR_NO_MEMORY;
    zx_status_t status = user_copy_in(buffers->vectors, vectors_user, count * sizeof(zx_iovec_t));
    for (size_t i = 0; i < count && status == ZX_OK; i++) {
        if (__builtin_add_overflow(buffers->len_bytes, buffers->vectors[i].capacity,
                                   &buffers->len_bytes))
            status = ZX_ERR_INVALID_ARGS;
    }
    if (status != ZX_OK)
        kfree(buffers->vectors);
    return status;
}

/* Pieces come in order. */
static zx_status_t copy_piece(struct buffers *buffers, uint8_t *at, size_t done_bytes,
                              size_t len_bytes, bool to_user)
{
    zx_status_t status = ZX_OK;
    while (len_bytes > 0 && status == ZX_OK) {
        const zx_iovec_t *vector = &buffers->vectors[buffers->index];
        size_t into = done_bytes - buffers->base_bytes;
        if (into >= vector->capacity) {
            buffers->base_bytes += vector->capacity;
            buffers->index++;
            continue;
        }
        size_t len = MIN(len_bytes, vector->capacity - into);
        uintptr_t user = (uintptr_t)vector->buffer + into;
        status = to_user ? user_copy_out((void __user *)user, at, len)
                         : user_copy_in(at, (const void __user *)user, len);
        at += len;
        done_bytes += len;
        len_bytes -= len;
    }
    return status == ZX_ERR_INVALID_ARGS ? ZX_ERR_NOT_FOUND : status;
}

static zx_status_t copy_to_buffers(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    return copy_piece(ctx, at, done_bytes, len_bytes, true);
}

static zx_status_t copy_from_buffers(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    return copy_piece(ctx, at, done_bytes, len_bytes, false);
}

/* ---- Transfers ------------------------------------------------------------------------------- */

struct transfer {
    bool is_write;
    bool append;
    const uint64_t *offset; /* NULL: the stream's position */
    const zx_iovec_t __user *vectors_user;
    size_t count;
    size_t __user *actual_user;
};

static zx_status_t transfer(zx_handle_t handle, const struct transfer *args)
{
    struct object *stream;
    struct buffers buffers;
    size_t done;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_STREAM,
                                    args->is_write ? ZX_RIGHT_WRITE : ZX_RIGHT_READ, &stream, NULL);
    if (status != ZX_OK)
        return status;
    status = buffers_copy_in(&buffers, args->vectors_user, args->count);
    if (status == ZX_OK) {
        status = args->is_write
                     ? stream_write(stream, args->offset, args->append, buffers.len_bytes,
                                    copy_from_buffers, &buffers, &done)
                     : stream_read(stream, args->offset, buffers.len_bytes, copy_to_buffers,
                                   &buffers, &done);
        kfree(buffers.vectors);
    }
    object_put(stream);
    return status == ZX_OK ? user_put_size_optional(args->actual_user, done) : status;
}

zx_status_t sys_stream_readv(zx_handle_t handle, uint32_t options, zx_iovec_t __user *vectors_user,
                             size_t num_vectors, size_t __user *actual_user)
{
    struct transfer args = {
        .vectors_user = vectors_user, .count = num_vectors, .actual_user = actual_user};
    return options == 0 ? transfer(handle, &args) : ZX_ERR_INVALID_ARGS;
}

zx_status_t sys_stream_readv_at(zx_handle_t handle, uint32_t options, zx_off_t offset,
                                zx_iovec_t __user *vectors_user, size_t num_vectors,
                                size_t __user *actual_user)
{
    struct transfer args = {.offset = &offset,
                            .vectors_user = vectors_user,
                            .count = num_vectors,
                            .actual_user = actual_user};
    return options == 0 ? transfer(handle, &args) : ZX_ERR_INVALID_ARGS;
}

zx_status_t sys_stream_writev(zx_handle_t handle, uint32_t options,
                              const zx_iovec_t __user *vectors_user, size_t num_vectors,
                              size_t __user *actual_user)
{
    struct transfer args = {.is_write = true,
                            .append = options == ZX_STREAM_APPEND,
                            .vectors_user = vectors_user,
                            .count = num_vectors,
                            .actual_user = actual_user};
    return (options & ~ZX_STREAM_APPEND) == 0 ? transfer(handle, &args) : ZX_ERR_INVALID_ARGS;
}

zx_status_t sys_stream_writev_at(zx_handle_t handle, uint32_t options, zx_off_t offset,
                                 const zx_iovec_t __user *vectors_user, size_t num_vectors,
                                 size_t __user *actual_user)
{
    struct transfer args = {.is_write = true,
                            .offset = &offset,
                            .vectors_user = vectors_user,
                            .count = num_vectors,
                            .actual_user = actual_user};
    return options == 0 ? transfer(handle, &args) : ZX_ERR_INVALID_ARGS;
}

zx_status_t sys_stream_seek(zx_handle_t handle, zx_stream_seek_origin_t whence, int64_t offset,
                            zx_off_t __user *out_seek_user)
{
    struct object *stream;
    zx_rights_t rights;
    uint64_t seek;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_STREAM, 0, &stream, &rights);
    if (status != ZX_OK)
        return status;
    if ((rights & (ZX_RIGHT_READ | ZX_RIGHT_WRITE)) == 0)
        status = ZX_ERR_ACCESS_DENIED;
    else
        status = stream_seek(stream, whence, offset, &seek);
    object_put(stream);
    if (status != ZX_OK || !out_seek_user)
        return status;
    return user_put_u64(out_seek_user, seek);
}
