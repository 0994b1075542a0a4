/* Sockets: two ends, each with a queue of bytes for its reader, as one stream or as datagrams. */
#pragma once

#include "kernel/object/object.h"

#define SOCKET_MAX_BYTES (256ul << 10) /* of each queue: Zircon's limit */

/* Two peers; |options| is 0 or ZX_SOCKET_DATAGRAM. One reference on both. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t socket_create(uint32_t options, struct object **out0, struct object **out1);

/* Copies one piece between the kernel and, perhaps, the user: no spinlock is held. Its error ends
 * the transfer, of which nothing has happened then. */
typedef zx_status_t (*socket_copy_fn)(void *ctx, void *piece, size_t done_bytes, size_t len_bytes);

/* Puts bytes into the peer's queue: of a stream as many as there is room for, of a datagram all or
 * none. ZX_ERR_PEER_CLOSED. ZX_ERR_BAD_STATE: writing is disabled. ZX_ERR_SHOULD_WAIT: no room.
 * ZX_ERR_OUT_OF_RANGE: a datagram of more than SOCKET_MAX_BYTES. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t socket_write(struct object *socket, size_t len_bytes, socket_copy_fn fn,
                                  void *ctx, size_t *out_done);

/* Takes up to |len_bytes|, or with |peek| only looks at them. The rest of a datagram is lost. |fn|
 * is called at least once, and the last time it is told, by a piece without bytes, how many there
 * were. ZX_ERR_SHOULD_WAIT: there is nothing. ZX_ERR_PEER_CLOSED, ZX_ERR_BAD_STATE (the peer must
 * not write): and nothing will come. */
MUST_USE zx_status_t socket_read(struct object *socket, bool peek, size_t len_bytes,
                                 socket_copy_fn fn, void *ctx);

/* Each disposition is 0 or one of ZX_SOCKET_DISPOSITION_*. ZX_ERR_PEER_CLOSED: the second one is
 * not 0 and there is no peer. */
MUST_USE zx_status_t socket_set_disposition(struct object *socket, uint32_t own, uint32_t peers);

/* ZX_INFO_SOCKET. */
struct zx_info_socket;
void socket_get_info(struct object *socket, struct zx_info_socket *out);
