#include "kernel/object/interrupt.h"

#include <zircon/syscalls/object.h>

#include "kernel/object/port.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/kheap.h"

enum interrupt_state {
    INTERRUPT_IDLE,
    INTERRUPT_WAITING,   /* a thread waits */
    INTERRUPT_TRIGGERED, /* raised, and nobody has heard of it */
    INTERRUPT_NEEDS_ACK, /* somebody has, or there is a packet */
    INTERRUPT_DESTROYED,
};

struct interrupt {
    struct object object;
    struct spinlock lock; /* rank PAIR; guards what follows */
    enum interrupt_state state;
    bool is_pending;     /* raised since then */
    zx_time_t timestamp; /* with TRIGGERED or is_pending */
    struct thread *waiter;
    struct object *port; /* one reference, or NULL */
    uint64_t key;
};

static struct interrupt *interrupt_from(struct object *object)
{
    return container_of(object, struct interrupt, object);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void interrupt_on_zero_handles(struct object *object)
{
    if (interrupt_destroy(object) != ZX_OK)
        return; /* it had been handled, and is destroyed too */
}

static void interrupt_free(struct object *object)
{
    struct interrupt *self = interrupt_from(object);
    interrupt_on_zero_handles(object);
    if (self->port)
        object_put(self->port);
    kfree(self);
}

static const struct object_ops interrupt_ops = {
    .type = ZX_OBJ_TYPE_INTERRUPT,
    .default_rights = ZX_DEFAULT_INTERRUPT_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = interrupt_free,
    .on_zero_handles = interrupt_on_zero_handles,
};

zx_status_t interrupt_create(struct object **out)
{
    struct interrupt *self = kzalloc(sizeof(*self));
    if (!self)
        return ZX_ERR_NO_MEMORY;
    object_init(&self->object, &interrupt_ops, ZX_VIRTUAL_INTERRUPT_UNTRIGGERED);
    spinlock_init(&self->lock, LOCK_RANK_PAIR);
    *out = &self->object;
    return ZX_OK;
}

/* The signal follows the state. */
static void set_state_locked(struct interrupt *self, enum interrupt_state state)
{
    bool is_quiet = state == INTERRUPT_IDLE || state == INTERRUPT_WAITING;
    uint32_t signal = ZX_VIRTUAL_INTERRUPT_UNTRIGGERED;
    self->state = state;
    object_update_signals(&self->object, is_quiet ? 0 : signal, is_quiet ? signal : 0);
}

/* ---- Raise and hear -------------------------------------------------------------------------- */

static zx_status_t send_packet_locked(struct interrupt *self, zx_time_t timestamp)
{
    zx_status_t status = port_queue_interrupt(self->port, self, self->key, timestamp);
    if (status == ZX_OK) {
        self->is_pending = false;
        set_state_locked(self, INTERRUPT_NEEDS_ACK);
    }
    return status;
}

static zx_status_t trigger_locked(struct interrupt *self, zx_time_t timestamp)
{
    switch (self->state) {
    case INTERRUPT_DESTROYED:
        return ZX_ERR_CANCELED;
    case INTERRUPT_TRIGGERED:
        return ZX_OK;
    case INTERRUPT_NEEDS_ACK:
        /* A thread that waits again has heard of the last one. */
        if (!self->is_pending)
            self->timestamp = timestamp;
        self->is_pending = true;
        return ZX_OK;
    default:
        break;
    }
    if (self->port)
        return send_packet_locked(self, timestamp);
    self->timestamp = timestamp;
    set_state_locked(self, INTERRUPT_TRIGGERED);
    if (self->waiter)
        thread_unpark_hand_off(self->waiter);
    return ZX_OK;
}

zx_status_t interrupt_trigger(struct object *object, zx_time_t timestamp)
{
    struct interrupt *self = interrupt_from(object);
    irq_state_t irq = spin_lock_irqsave(&self->lock);
    zx_status_t status = trigger_locked(self, timestamp);
    spin_unlock_irqrestore(&self->lock, irq);
    return status;
}

/* ZX_ERR_NEXT: there is nothing yet, and the thread is the one that waits. */
static zx_status_t hear_locked(struct interrupt *self, struct thread *thread, zx_time_t *out)
{
    bool was_raised = self->state == INTERRUPT_TRIGGERED ||
                      (self->state == INTERRUPT_NEEDS_ACK && self->is_pending);
    if (self->port || (self->waiter && self->waiter != thread))
        return ZX_ERR_BAD_STATE;
    if (self->state == INTERRUPT_DESTROYED)
        return ZX_ERR_CANCELED;
    if (!was_raised) {
        self->waiter = thread;
        set_state_locked(self, INTERRUPT_WAITING);
        return ZX_ERR_NEXT;
    }
    self->is_pending = false;
    *out = self->timestamp;
    set_state_locked(self, INTERRUPT_NEEDS_ACK);
    return ZX_OK;
}

zx_status_t interrupt_wait(struct object *object, zx_time_t *out_timestamp)
{
    struct interrupt *self = interrupt_from(object);
    struct thread *thread = thread_current();
    zx_status_t status = ZX_OK;
    for (;;) {
        irq_state_t irq = spin_lock_irqsave(&self->lock);
        bool is_leaving = status != ZX_OK;
        if (!is_leaving)
            status = hear_locked(self, thread, out_timestamp);
        if (status != ZX_ERR_NEXT && self->waiter == thread) {
            self->waiter = NULL;
            if (is_leaving && self->state == INTERRUPT_WAITING)
                set_state_locked(self, INTERRUPT_IDLE);
        }
        spin_unlock_irqrestore(&self->lock, irq);
        if (status != ZX_ERR_NEXT)
            return status;
        status = thread_park_for(ZX_THREAD_STATE_BLOCKED_INTERRUPT, ZX_TIME_INFINITE);
    }
}

/* ---- Ports ----------------------------------------------------------------------------------- */

static zx_status_t ack_locked(struct interrupt *self)
{
    if (!self->port)
        return ZX_ERR_BAD_STATE;
    if (self->state == INTERRUPT_DESTROYED)
        return ZX_ERR_CANCELED;
    if (self->state != INTERRUPT_NEEDS_ACK)
        return ZX_OK;
    if (self->is_pending)
        return send_packet_locked(self, self->timestamp);
    set_state_locked(self, INTERRUPT_IDLE);
    return ZX_OK;
}

zx_status_t interrupt_ack(struct object *object)
{
    struct interrupt *self = interrupt_from(object);
    irq_state_t irq = spin_lock_irqsave(&self->lock);
    zx_status_t status = ack_locked(self);
    spin_unlock_irqrestore(&self->lock, irq);
    return status;
}

static zx_status_t bind_locked(struct interrupt *self, struct object *port, uint64_t key)
{
    if (self->state == INTERRUPT_DESTROYED)
        return ZX_ERR_CANCELED;
    if (self->waiter)
        return ZX_ERR_BAD_STATE;
    if (self->port)
        return ZX_ERR_ALREADY_BOUND;
    self->port = port;
    self->key = key;
    zx_status_t status = ZX_OK;
    if (self->state == INTERRUPT_TRIGGERED)
        status = send_packet_locked(self, self->timestamp);
    if (status != ZX_OK)
        self->port = NULL;
    return status;
}

zx_status_t interrupt_bind(struct object *object, struct object *port, uint64_t key)
{
    struct interrupt *self = interrupt_from(object);
    object_get(port);
    irq_state_t irq = spin_lock_irqsave(&self->lock);
    zx_status_t status = bind_locked(self, port, key);
    spin_unlock_irqrestore(&self->lock, irq);
    if (status != ZX_OK)
        object_put(port);
    return status;
}

zx_status_t interrupt_unbind(struct object *object, struct object *port)
{
    struct interrupt *self = interrupt_from(object);
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&self->lock);
    if (self->port != port)
        status = ZX_ERR_NOT_FOUND;
    else if (self->state == INTERRUPT_DESTROYED)
        status = ZX_ERR_CANCELED;
    if (status == ZX_OK) {
        (void)port_remove_interrupt(port, self);
        self->port = NULL;
        self->is_pending = false;
        set_state_locked(self, INTERRUPT_IDLE);
    }
    spin_unlock_irqrestore(&self->lock, irq);
    if (status == ZX_OK)
        object_put(port);
    return status;
}

zx_status_t interrupt_destroy(struct object *object)
{
    struct interrupt *self = interrupt_from(object);
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&self->lock);
    if (self->port && !port_remove_interrupt(self->port, self) &&
        self->state == INTERRUPT_NEEDS_ACK)
        status = ZX_ERR_NOT_FOUND;
    set_state_locked(self, INTERRUPT_DESTROYED);
    if (self->waiter)
        thread_unpark(self->waiter);
    spin_unlock_irqrestore(&self->lock, irq);
    return status;
}
