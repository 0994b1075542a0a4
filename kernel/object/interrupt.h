/* Virtual interrupts: programs raise them for others that wait, or that read packets from a port.
 */
#pragma once

#include "kernel/object/object.h"

/* One reference in *out. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t interrupt_create(struct object **out);

/* Raises the interrupt at |timestamp|, of which only the first counts until somebody has heard of
 * it. ZX_ERR_CANCELED: destroyed. ZX_ERR_NO_MEMORY: for the packet; nothing has happened. */
MUST_USE zx_status_t interrupt_trigger(struct object *interrupt, zx_time_t timestamp);

/* Sleeps until it is raised. ZX_ERR_BAD_STATE: bound to a port, or another thread waits.
 * ZX_ERR_CANCELED: destroyed. ZX_ERR_INTERNAL_INTR_*. */
MUST_USE zx_status_t interrupt_wait(struct object *interrupt, zx_time_t *out_timestamp);

/* Lets the next packet come. ZX_ERR_BAD_STATE: not bound to a port, or the last packet is still in
 * the port and another is due. ZX_ERR_CANCELED: destroyed. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t interrupt_ack(struct object *interrupt);

/* From now on raising it puts a packet with |key| into the port, one until interrupt_ack. No lock
 * held. ZX_ERR_ALREADY_BOUND. ZX_ERR_BAD_STATE: a thread waits. ZX_ERR_CANCELED: destroyed.
 * ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t interrupt_bind(struct object *interrupt, struct object *port, uint64_t key);

/* Ends that; a packet that waits is dropped. ZX_ERR_NOT_FOUND: it is not bound to this port.
 * ZX_ERR_CANCELED: destroyed. */
MUST_USE zx_status_t interrupt_unbind(struct object *interrupt, struct object *port);

/* Ends the interrupt: who waits is woken, a packet that waits is dropped. ZX_ERR_NOT_FOUND: a
 * packet was read, and not yet followed by interrupt_ack; it is destroyed all the same. */
MUST_USE zx_status_t interrupt_destroy(struct object *interrupt);
