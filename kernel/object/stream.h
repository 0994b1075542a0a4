/* Streams: a position in a VMO, and reads and writes that move it. The end of a stream is the VMO's
 * stream size. */
#pragma once

#include "kernel/object/object.h"
#include "kernel/vm/vmo.h"

struct vmo_object;

/* |options|: ZX_STREAM_MODE_*; |can_resize|: writes may make the VMO larger. Takes its own
 * reference on |vmo|. One reference in *out. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t stream_create(struct vmo_object *vmo, uint32_t options, uint64_t seek,
                                   bool can_resize, struct object **out);

/* Copies at |offset|, or where it is NULL at the stream's position, which moves by what was copied:
 * *out_done, less than |len_bytes| at the end of the stream. As vmo_read. */
MUST_USE zx_status_t stream_read(struct object *stream, const uint64_t *offset, size_t len_bytes,
                                 vmo_copy_fn fn, void *ctx, size_t *out_done);

/* The same the other way; |append|, or a stream in append mode without |offset|: at the end. The
 * stream grows as far as it can. ZX_ERR_NO_SPACE: no byte could be written. ZX_ERR_FILE_BIG: the
 * offset is past what a stream can have. Otherwise as vmo_write. */
MUST_USE zx_status_t stream_write(struct object *stream, const uint64_t *offset, bool append,
                                  size_t len_bytes, vmo_copy_fn fn, void *ctx, size_t *out_done);

/* Moves the position. ZX_ERR_INVALID_ARGS: no such |whence|, or it would be below 0 or past
 * INT64_MAX. */
MUST_USE zx_status_t stream_seek(struct object *stream, uint32_t whence, int64_t offset,
                                 uint64_t *out_seek);

/* ZX_INFO_STREAM. */
struct zx_info_stream;
void stream_get_info(struct object *stream, struct zx_info_stream *out);
