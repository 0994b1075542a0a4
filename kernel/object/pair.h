/* What two objects that are each other's peer share: one lock under which each may reach the other,
 * and under which it is decided that one of them is gone. */
#pragma once

#include "kernel/object/object.h"

struct pair {
    struct refcount refs; /* one for each end */
    struct spinlock lock; /* rank PAIR */
};

/* Embedded in each of the two objects. */
struct pair_end {
    struct pair *pair;
    struct object *object; /* the one that embeds it */
    struct pair_end *peer; /* under pair->lock; NULL once the peer is closed */
    zx_koid_t peer_koid;   /* stays */
};

/* Makes two initialised objects peers. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t pair_connect(struct pair_end *end0, struct object *object0,
                                  struct pair_end *end1, struct object *object1);

/* Cuts |end| off: its peer, if there is one, loses the signals |clear| and gets |set|. Idempotent.
 * The lock is held; the peer's object lock is taken. */
void pair_close_locked(struct pair_end *end, uint32_t clear, uint32_t set);
void pair_close(struct pair_end *end, uint32_t clear, uint32_t set);

/* Changes the peer's signals. ZX_ERR_PEER_CLOSED. Takes the lock. */
MUST_USE zx_status_t pair_signal_peer(struct pair_end *end, uint32_t clear, uint32_t set);

/* Gives up the end's share: called by destroy, after pair_close. */
void pair_put(struct pair_end *end);
