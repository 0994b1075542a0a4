/* Messages that the kernel itself puts into a channel. */
#pragma once

#include "kernel/object/handle.h"

/* Sends |len_bytes| bytes and |count| handles to the peer of |channel|. Takes the handles on
 * success only. ZX_ERR_OUT_OF_RANGE, ZX_ERR_NO_MEMORY, ZX_ERR_PEER_CLOSED, ZX_ERR_SHOULD_WAIT. No
 * lock held. */
MUST_USE zx_status_t channel_write_kernel(struct object *channel, const void *bytes,
                                          uint32_t len_bytes, struct handle **handles,
                                          uint32_t count);
