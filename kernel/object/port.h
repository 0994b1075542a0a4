/* Ports: queues of packets, from users and from objects whose signals are watched. */
#pragma once

#include <zircon/syscalls/port.h>

#include "kernel/object/handle.h"

/* Packets of users that a port holds before zx_port_queue is refused: Zircon's limit. */
#define PORT_MAX_USER_PACKETS 2049u
/* Watches of a port that wait, or whose packets do. */
#define PORT_MAX_WATCHES 16384u

/* One reference. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t port_create(struct object **out);

/* Queues a copy of |packet| as a user's. ZX_ERR_SHOULD_WAIT: too many. ZX_ERR_NO_MEMORY.
 * ZX_ERR_BAD_STATE: the last handle is closed. */
MUST_USE zx_status_t port_queue(struct object *port, const zx_port_packet_t *packet);

/* From now on, or rather from its creation, interrupts may be bound to the port. */
void port_accept_interrupts(struct object *port);
bool port_takes_interrupts(const struct object *port);

/* Queues a packet of |interrupt|, before all of other kinds; dropped if the port is closed.
 * ZX_ERR_BAD_STATE: there is one of it. ZX_ERR_NO_MEMORY. Locks of rank PAIR may be held. */
MUST_USE zx_status_t port_queue_interrupt(struct object *port, const void *interrupt, uint64_t key,
                                          zx_time_t timestamp);
/* Drops that packet. False: there was none. Locks of rank PAIR may be held. */
bool port_remove_interrupt(struct object *port, const void *interrupt);

/* A packet that has left its port's queue. */
struct packet;

/* Takes the first packet, sleeping for it until |deadline_ns|; the caller owns it and gives it to
 * packet_dispose or port_put_back. ZX_ERR_TIMED_OUT; ZX_ERR_CANCELED: the last handle was closed;
 * ZX_ERR_INTERNAL_INTR_*. No lock held, for any of the three. */
MUST_USE zx_status_t port_take(struct object *port, zx_time_t deadline_ns, struct packet **out);
/* Borrowed until the packet is given away. */
const zx_port_packet_t *packet_content(const struct packet *packet);
void packet_dispose(struct packet *packet);
/* Back to the front of the queue that it comes from; dropped if the port was closed meanwhile. */
void port_put_back(struct object *port, struct packet *packet);

/* port_take and packet_dispose in one, with a copy of the content between them. */
MUST_USE zx_status_t port_wait(struct object *port, zx_time_t deadline_ns, zx_port_packet_t *out);

/* What to watch: one packet is queued when |source| has one of |signals|. */
struct port_watch {
    struct object *source; /* borrowed: the caller's reference */
    zx_handle_t value;     /* its handle in the current process */
    const void *identity;  /* of that handle */
    uint64_t key;
    uint32_t signals;
    uint32_t options; /* ZX_WAIT_ASYNC_* */
};
/* ZX_ERR_NO_MEMORY, also for more than OBJECT_MAX_OBSERVERS or PORT_MAX_WATCHES. ZX_ERR_BAD_STATE:
 * the port's last handle is closed. ZX_ERR_BAD_HANDLE: the source's handle was closed meanwhile. */
MUST_USE zx_status_t port_watch(struct object *port, const struct port_watch *watch);

/* Drops watches and packets with |key| that came through the handle |identity| of |source|, or,
 * with source NULL, everything with |key|. False: there was none. */
bool port_cancel(struct object *port, struct object *source, const void *identity, uint64_t key);
