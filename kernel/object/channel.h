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

/* A thread in channel_call; zeros when it is in none. It is kept where it outlives a system call:
 * a suspension interrupts that, and the thread comes back for the answer with channel_call_finish.
 * Under the pair's lock while there is a channel. Whoever finds it in the list may touch it and its
 * thread until it sets is_done: the thread goes on when it sees that, or after it had the lock. */
struct channel_call {
    struct object *channel; /* one reference; NULL: no call is under way. The thread's own. */
    struct list_node node;
    struct thread *thread;
    uint32_t txid;
    zx_status_t status; /* once is_done */
    struct message *reply;
    bool is_done; /* atomic; the last that is written */
};

/* Gives |message| (>= 4 bytes) a fresh txid, sends it as channel_write does, and sleeps until the
 * reply with this txid is there: in *out, owned by the caller. Takes the message when it was sent,
 * which *out_sent tells. A call that is under way in |call| is given up first. As channel_write,
 * and ZX_ERR_TIMED_OUT, ZX_ERR_PEER_CLOSED (the peer closed without a reply), ZX_ERR_CANCELED (the
 * last handle of this end was closed meanwhile), ZX_ERR_INTERNAL_INTR_KILLED,
 * ZX_ERR_INTERNAL_INTR_RETRY (the call stays under way). */
MUST_USE zx_status_t channel_call(struct object *channel, struct channel_call *call,
                                  struct message *message, zx_time_t deadline_ns, bool *out_sent,
                                  struct message **out);

/* Goes on with a call that is under way. ZX_ERR_INVALID_ARGS: none is. Otherwise as channel_call
 * once the message is sent. */
MUST_USE zx_status_t channel_call_finish(struct channel_call *call, zx_time_t deadline_ns,
                                         struct message **out);

/* Gives up the call that is under way, if there is one; its reply is destroyed. */
void channel_call_abandon(struct channel_call *call);
