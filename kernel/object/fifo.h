/* Fifos: two ends, each with a queue of small elements of one size for its reader. */
#pragma once

#include "kernel/object/object.h"

#define FIFO_MAX_BYTES 4096u /* of each queue: Zircon's limit */

/* Two peers with a queue of |count| elements of |elem_bytes| each; one reference on both.
 * ZX_ERR_OUT_OF_RANGE: one of them is zero, or the product is more than FIFO_MAX_BYTES.
 * ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t fifo_create(size_t count, size_t elem_bytes, struct object **out0,
                                 struct object **out1);

size_t fifo_elem_bytes(const struct object *fifo);

/* Puts as many of |count| elements as there is room for into the peer's queue. ZX_ERR_PEER_CLOSED.
 * ZX_ERR_SHOULD_WAIT: there is no room. */
MUST_USE zx_status_t fifo_write(struct object *fifo, const void *data, size_t count,
                                size_t *out_count);

/* Takes up to |count| elements; those of a peer that has gone are still there. The callback copies
 * each piece of them, perhaps to the user: no spinlock is held; if it fails nothing is taken and
 * its error is returned. ZX_ERR_SHOULD_WAIT: there is no element. ZX_ERR_PEER_CLOSED: and none will
 * come. */
typedef zx_status_t (*fifo_copy_fn)(void *ctx, const void *piece, size_t done_bytes,
                                    size_t len_bytes);
MUST_USE zx_status_t fifo_read(struct object *fifo, size_t count, fifo_copy_fn fn, void *ctx,
                               size_t *out_count);
