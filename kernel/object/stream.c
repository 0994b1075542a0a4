#include "kernel/object/stream.h"

#include <zircon/syscalls/object.h>

#include "kernel/object/vm_obj.h"
#include "kernel/vm/kheap.h"

struct stream {
    struct object object;
    struct vmo_object *vmo; /* one reference */
    bool can_resize;        /* fixed */
    struct mutex lock;      /* rank PROCESS: one read or write at a time, outside the VMO's lock */
    uint32_t options;       /* under lock */
    uint64_t seek;          /* under lock */
};

/* Around a change of a VMO's stream size that depends on the old one: other streams may be at the
 * same VMO. Inside a stream's lock. */
static struct mutex growth_lock = MUTEX_INIT(growth_lock, LOCK_RANK_PAIR);

static struct stream *stream_from(struct object *object)
{
    return container_of(object, struct stream, object);
}

static void stream_destroy(struct object *object)
{
    struct stream *stream = stream_from(object);
    object_put(&stream->vmo->object);
    kfree(stream);
}

static zx_status_t stream_get_number(struct object *object, uint32_t property, uint64_t *out)
{
    struct stream *stream = stream_from(object);
    if (property != ZX_PROP_STREAM_MODE_APPEND)
        return ZX_ERR_WRONG_TYPE;
    mutex_lock(&stream->lock);
    *out = (stream->options & ZX_STREAM_MODE_APPEND) != 0;
    mutex_unlock(&stream->lock);
    return ZX_OK;
}

static zx_status_t stream_set_number(struct object *object, zx_rights_t rights, uint32_t property,
                                     uint64_t value)
{
    struct stream *stream = stream_from(object);
    (void)rights;
    if (property != ZX_PROP_STREAM_MODE_APPEND)
        return ZX_ERR_WRONG_TYPE;
    mutex_lock(&stream->lock);
    stream->options &= ~ZX_STREAM_MODE_APPEND;
    if (value != 0)
        stream->options |= ZX_STREAM_MODE_APPEND;
    mutex_unlock(&stream->lock);
    return ZX_OK;
}

static const struct object_ops stream_ops = {
    .type = ZX_OBJ_TYPE_STREAM,
    .default_rights = ZX_DEFAULT_STREAM_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = stream_destroy,
    .get_number = stream_get_number,
    .set_number = stream_set_number,
};

zx_status_t stream_create(struct vmo_object *vmo, uint32_t options, uint64_t seek, bool can_resize,
                          struct object **out)
{
    struct stream *stream = kzalloc(sizeof(*stream));
    if (!stream)
        return ZX_ERR_NO_MEMORY;
    object_init(&stream->object, &stream_ops, 0);
    mutex_init(&stream->lock, LOCK_RANK_PROCESS);
    object_get(&vmo->object);
    stream->vmo = vmo;
    stream->options = options;
    stream->seek = seek;
    stream->can_resize = can_resize;
    *out = &stream->object;
    return ZX_OK;
}

zx_status_t stream_read(struct object *object, const uint64_t *offset, size_t len_bytes,
                        vmo_copy_fn fn, void *ctx, size_t *out_done)
{
    struct stream *stream = stream_from(object);
    struct vmo *vmo = stream->vmo->vmo;
    mutex_lock(&stream->lock);
    uint64_t at = offset ? *offset : stream->seek;
    uint64_t end = vmo_get_stream_size(vmo);
    size_t len = at < end ? MIN(len_bytes, end - at) : 0;
    zx_status_t status = len > 0 ? vmo_read(vmo, at, len, fn, ctx) : ZX_OK;
    if (status == ZX_OK && !offset)
        stream->seek += len;
    mutex_unlock(&stream->lock);
    *out_done = len;
    return status;
}

/* Makes the stream hold [at, at + *len_bytes), or less of it if that is all there can be. What lies
 * between the old end and |at| is zeros. growth_lock is held. */
static zx_status_t grow_locked(struct stream *stream, uint64_t at, size_t *len_bytes)
{
    struct vmo *vmo = stream->vmo->vmo;
    uint64_t end;
    if (__builtin_add_overflow(at, *len_bytes, &end))
        end = UINT64_MAX;
    if (end > vmo_size_bytes(vmo) && stream->can_resize) {
        zx_status_t status = vmo_set_size(vmo, end);
        if (status == ZX_ERR_NO_MEMORY)
            return status;
    }
    end = MIN(end, vmo_size_bytes(vmo));
    if (end <= at)
        return ZX_ERR_NO_SPACE;
    *len_bytes = end - at;
    return end > vmo_get_stream_size(vmo) ? vmo_set_stream_size(vmo, end) : ZX_OK;
}

/* A write that ends where there was no stream before, or that is to begin at its end. One that
 * fails leaves the stream as long as it was. */
static zx_status_t write_growing(struct stream *stream, uint64_t *at, bool append,
                                 size_t *len_bytes, vmo_copy_fn fn, void *ctx)
{
    struct vmo *vmo = stream->vmo->vmo;
    mutex_lock(&growth_lock);
    uint64_t old_end = vmo_get_stream_size(vmo);
    if (append)
        *at = old_end;
    zx_status_t status = *at == UINT64_MAX ? ZX_ERR_FILE_BIG : grow_locked(stream, *at, len_bytes);
    if (status == ZX_OK) {
        status = vmo_write(vmo, *at, *len_bytes, fn, ctx);
        /* Without memory for that the stream stays longer, by zeros. */
        if (status != ZX_OK && vmo_get_stream_size(vmo) > old_end &&
            vmo_set_stream_size(vmo, old_end) != ZX_OK)
            status = ZX_ERR_NO_MEMORY;
    }
    mutex_unlock(&growth_lock);
    return status;
}

static bool is_inside(const struct stream *stream, uint64_t at, size_t len_bytes)
{
    uint64_t end = vmo_get_stream_size(stream->vmo->vmo);
    return at <= end && len_bytes <= end - at;
}

zx_status_t stream_write(struct object *object, const uint64_t *offset, bool append,
                         size_t len_bytes, vmo_copy_fn fn, void *ctx, size_t *out_done)
{
    struct stream *stream = stream_from(object);
    zx_status_t status = ZX_OK;
    mutex_lock(&stream->lock);
    append |= !offset && (stream->options & ZX_STREAM_MODE_APPEND) != 0;
    uint64_t at = offset ? *offset : stream->seek;
    if (len_bytes > 0 && (append || !is_inside(stream, at, len_bytes)))
        status = write_growing(stream, &at, append, &len_bytes, fn, ctx);
    else if (len_bytes > 0)
        status = vmo_write(stream->vmo->vmo, at, len_bytes, fn, ctx);
    if (status == ZX_OK && !offset && len_bytes > 0)
        stream->seek = at + len_bytes;
    mutex_unlock(&stream->lock);
    *out_done = len_bytes;
    return status;
}

zx_status_t stream_seek(struct object *object, uint32_t whence, int64_t offset, uint64_t *out_seek)
{
    struct stream *stream = stream_from(object);
    zx_status_t status = ZX_OK;
    uint64_t origin = 0;
    int64_t seek;
    mutex_lock(&stream->lock);
    if (whence == ZX_STREAM_SEEK_ORIGIN_CURRENT)
        origin = stream->seek;
    else if (whence == ZX_STREAM_SEEK_ORIGIN_END)
        origin = vmo_get_stream_size(stream->vmo->vmo);
    else if (whence != ZX_STREAM_SEEK_ORIGIN_START)
        status = ZX_ERR_INVALID_ARGS;
    /* Mixed signs: the sum counts as too large or negative by its own value. */
    if (status == ZX_OK && (__builtin_add_overflow(origin, offset, &seek) || seek < 0))
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK) {
        stream->seek = (uint64_t)seek;
        *out_seek = stream->seek;
    }
    mutex_unlock(&stream->lock);
    return status;
}

void stream_get_info(struct object *object, zx_info_stream_t *out)
{
    struct stream *stream = stream_from(object);
    mutex_lock(&stream->lock);
    *out = (zx_info_stream_t){.options = stream->options, .seek = stream->seek};
    mutex_unlock(&stream->lock);
    out->content_size = vmo_get_stream_size(stream->vmo->vmo);
}
