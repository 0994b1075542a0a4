/* Channels: two ends, each with a queue of messages for its reader. */
#pragma once

#include "kernel/object/message.h"

/* Messages that one end holds unread before a writer is refused: Zircon's limit. */
#define CHANNEL_MAX_MESSAGES 3500u

/* One reference each. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t channel_create(struct object **out0, struct object **out1);

/* Sends |message| to the peer of |channel|; takes it on success only. A message whose txid a call
 * on the other end waits for goes to that call. A message that carries ends of channels to where
 * the only handles to its reader would be in queues that nobody can reach is destroyed instead of
 * queued, which closes those ends. No lock held. ZX_ERR_PEER_CLOSED, ZX_ERR_SHOULD_WAIT (the other
 * end holds CHANNEL_MAX_MESSAGES). */
MUST_USE zx_status_t channel_write(struct object *channel, struct message *message);

/* Takes the first message; the caller owns it. *out_bytes and *out_handles are set whenever there
 * is a message. ZX_ERR_SHOULD_WAIT: none. ZX_ERR_PEER_CLOSED: none, and none will come.
 * ZX_ERR_BUFFER_TOO_SMALL: larger than the limits; it stays, unless |may_discard|. */
MUST_USE zx_status_t channel_read(struct object *channel, uint32_t max_bytes, uint32_t max_handles,
                                  bool may_discard, uint32_t *out_bytes, uint32_t *out_handles,
                                  struct message **out);

/* Puts back in front what channel_read gave; takes the message. It is destroyed if the end was
 * closed meanwhile. No lock held. */
void channel_unread(struct object *channel, struct message *message);

/* Gives |message| (>= 4 bytes) a fresh txid, sends it as channel_write does, and sleeps until the
 * reply with this txid is there: in *out, owned by the caller. Takes the message when it was sent,
 * which *out_sent tells. As channel_write, and ZX_ERR_TIMED_OUT, ZX_ERR_PEER_CLOSED (the peer
 * closed without a reply), ZX_ERR_CANCELED (the last handle of this end was closed meanwhile),
 * ZX_ERR_INTERNAL_INTR_KILLED. A suspension takes effect when the call is over. */
MUST_USE zx_status_t channel_call(struct object *channel, struct message *message,
                                  zx_time_t deadline_ns, bool *out_sent, struct message **out);
