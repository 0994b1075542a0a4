/* A watch and the packet that it becomes are one allocation. Under the port's lock it is in one of
 * three states, and whoever takes it to WATCH_DEAD drops the owner's reference:
 *   WATCH_ACTIVE   in port->watches and, soon or already, in the source's observers
 *   WATCH_QUEUED   its packet is in port->packets
 *   WATCH_DEAD     neither; somebody is getting rid of it
 * The thread that adds a watch has the second reference until it is done. */
#include <zircon/syscalls/object.h>

#include "kernel/object/port.h"

#include "kernel/lib/string.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/kheap.h"

struct port {
    struct object object;
    struct spinlock lock; /* rank PORT; guards all below */
    struct list_node packets;
    struct list_node watches;
    struct list_node sleepers;
    uint32_t count_user;
    bool is_closed;
};

struct packet {
    struct list_node node;
    zx_port_packet_t content;
    struct watch *watch; /* NULL: a user's, alone in its allocation */
};

enum watch_state { WATCH_ACTIVE, WATCH_QUEUED, WATCH_DEAD };

struct watch {
    struct observer observer;
    struct packet packet;
    struct list_node node; /* in port->watches */
    struct refcount refs;
    struct port *port;     /* weak: the port gets rid of its watches before it goes */
    struct object *source; /* one reference */
    enum watch_state state;
    uint32_t options;
};

/* A thread in port_wait, on its stack. */
struct port_sleeper {
    struct list_node node; /* removed when it is woken */
    struct thread *thread;
};

static struct port *port_from(struct object *object)
{
    return container_of(object, struct port, object);
}

static void port_wake_one_locked(struct port *port)
{
    struct list_node *node = list_pop_front(&port->sleepers);
    if (node)
        thread_unpark_hand_off(list_entry(node, struct port_sleeper, node)->thread);
}

static void port_push_locked(struct port *port, struct packet *packet)
{
    list_push_back(&port->packets, &packet->node);
    port_wake_one_locked(port);
}

/* ---- Watches --------------------------------------------------------------------------------- */

static void watch_put(struct watch *watch)
{
    if (!refcount_put(&watch->refs))
        return;
    object_put(watch->source);
    kfree(watch);
}

/* The messages that wait, if that is what the watch saw. */
static uint64_t watch_count(const struct watch *watch, uint32_t observed)
{
    const struct object_ops *ops = watch->source->ops;
    if (!ops->count_readable || !(watch->observer.trigger & observed & ZX_CHANNEL_READABLE))
        return 1;
    return MAX(ops->count_readable(watch->source), 1u);
}

static bool watch_notify(struct observer *observer, enum observer_event event, uint32_t observed)
{
    struct watch *watch = container_of(observer, struct watch, observer);
    struct port *port = watch->port;
    bool must_release = false;
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    if (watch->state == WATCH_ACTIVE) {
        list_remove(&watch->node);
        if (event == OBSERVER_HANDLE_CLOSED) {
            watch->state = WATCH_DEAD;
            must_release = true;
        } else {
            zx_packet_signal_t *signal = &watch->packet.content.signal;
            watch->state = WATCH_QUEUED;
            signal->observed = observed;
            signal->count = watch_count(watch, observed);
            if (watch->options & ZX_WAIT_ASYNC_TIMESTAMP)
                signal->timestamp = (uint64_t)clock_monotonic_ns();
            port_push_locked(port, &watch->packet);
        }
    }
    spin_unlock_irqrestore(&port->lock, irq);
    return must_release;
}

static void watch_release(struct observer *observer)
{
    watch_put(container_of(observer, struct watch, observer));
}

static const struct observer_ops watch_observer_ops = {
    .notify = watch_notify,
    .release = watch_release,
};

static struct watch *watch_create(struct port *port, const struct port_watch *args)
{
    struct watch *watch = kzalloc(sizeof(*watch));
    if (!watch)
        return NULL;
    watch->observer.ops = &watch_observer_ops;
    list_init(&watch->observer.object_node);
    watch->observer.trigger = args->signals;
    watch->observer.handle = args->identity;
    list_init(&watch->packet.node);
    watch->packet.watch = watch;
    watch->packet.content.key = args->key;
    watch->packet.content.type = ZX_PKT_TYPE_SIGNAL_ONE;
    watch->packet.content.signal.trigger = args->signals;
    refcount_init(&watch->refs);
    refcount_get(&watch->refs);
    watch->port = port;
    object_get(args->source);
    watch->source = args->source;
    watch->state = WATCH_ACTIVE;
    watch->options = args->options;
    return watch;
}

/* Takes an active watch away from whoever would get rid of it. */
static bool watch_kill(struct port *port, struct watch *watch)
{
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    bool was_active = watch->state == WATCH_ACTIVE;
    if (was_active) {
        list_remove(&watch->node);
        watch->state = WATCH_DEAD;
    }
    spin_unlock_irqrestore(&port->lock, irq);
    return was_active;
}

zx_status_t port_watch(struct object *object, const struct port_watch *args)
{
    struct port *port = port_from(object);
    struct watch *watch = watch_create(port, args);
    if (!watch)
        return ZX_ERR_NO_MEMORY;

    irq_state_t irq = spin_lock_irqsave(&port->lock);
    bool is_closed = port->is_closed;
    if (is_closed)
        watch->state = WATCH_DEAD;
    else
        list_push_back(&port->watches, &watch->node);
    spin_unlock_irqrestore(&port->lock, irq);
    if (is_closed) {
        watch_put(watch);
        watch_put(watch);
        return ZX_ERR_BAD_STATE;
    }

    object_add_observer(args->source, &watch->observer, args->options & ZX_WAIT_ASYNC_EDGE);
    zx_status_t status = ZX_OK;
    if (!handle_table_has(handle_table_current(), args->value, args->identity) &&
        watch_kill(port, watch)) {
        status = ZX_ERR_BAD_HANDLE;
        object_remove_observer(args->source, &watch->observer);
        watch_put(watch);
    } else {
        /* Who killed it before the observer was there could not remove that. */
        irq = spin_lock_irqsave(&port->lock);
        bool is_dead = watch->state == WATCH_DEAD;
        spin_unlock_irqrestore(&port->lock, irq);
        if (is_dead)
            object_remove_observer(args->source, &watch->observer);
    }
    watch_put(watch);
    return status;
}

/* ---- Cancel and close ------------------------------------------------------------------------ */

/* What to get rid of. */
struct port_filter {
    bool everything;
    struct object *source; /* NULL: any */
    const void *identity;
    uint64_t key;
};

static bool filter_matches(const struct port_filter *filter, const struct packet *packet)
{
    if (filter->everything)
        return true;
    if (packet->content.key != filter->key)
        return false;
    if (!filter->source)
        return true;
    const struct watch *watch = packet->watch;
    return watch && watch->source == filter->source && watch->observer.handle == filter->identity;
}

static struct watch *port_take_watch(struct port *port, const struct port_filter *filter)
{
    struct watch *found = NULL;
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    list_for_each (node, &port->watches) {
        struct watch *watch = list_entry(node, struct watch, node);
        if (filter_matches(filter, &watch->packet)) {
            list_remove(&watch->node);
            watch->state = WATCH_DEAD;
            found = watch;
            break;
        }
    }
    spin_unlock_irqrestore(&port->lock, irq);
    return found;
}

static void packet_dispose(struct packet *packet)
{
    if (packet->watch)
        watch_put(packet->watch);
    else
        kfree(packet);
}

/* Returns whether there was anything that matched. */
static bool port_drop(struct port *port, const struct port_filter *filter)
{
    bool found = false;
    struct watch *watch;
    while ((watch = port_take_watch(port, filter)) != NULL) {
        object_remove_observer(watch->source, &watch->observer);
        watch_put(watch);
        found = true;
    }

    struct list_node dropped;
    list_init(&dropped);
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    list_for_each_safe (node, next, &port->packets) {
        struct packet *packet = list_entry(node, struct packet, node);
        if (!filter_matches(filter, packet))
            continue;
        list_remove(node);
        list_push_back(&dropped, node);
        if (packet->watch)
            packet->watch->state = WATCH_DEAD;
        else
            port->count_user--;
    }
    spin_unlock_irqrestore(&port->lock, irq);
    struct list_node *node;
    while ((node = list_pop_front(&dropped)) != NULL) {
        packet_dispose(list_entry(node, struct packet, node));
        found = true;
    }
    return found;
}

bool port_cancel(struct object *object, struct object *source, const void *identity, uint64_t key)
{
    struct port_filter filter = {.source = source, .identity = identity, .key = key};
    return port_drop(port_from(object), &filter);
}

static void port_on_zero_handles(struct object *object)
{
    struct port *port = port_from(object);
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    port->is_closed = true;
    while (!list_is_empty(&port->sleepers))
        port_wake_one_locked(port);
    spin_unlock_irqrestore(&port->lock, irq);
    struct port_filter all = {.everything = true};
    port_drop(port, &all);
}

static void port_destroy(struct object *object)
{
    port_on_zero_handles(object);
    kfree(port_from(object));
}

static const struct object_ops port_ops = {
    .type = ZX_OBJ_TYPE_PORT,
    .default_rights = ZX_DEFAULT_PORT_RIGHTS,
    .destroy = port_destroy,
    .on_zero_handles = port_on_zero_handles,
};

zx_status_t port_create(struct object **out)
{
    struct port *port = kzalloc(sizeof(*port));
    if (!port)
        return ZX_ERR_NO_MEMORY;
    object_init(&port->object, &port_ops, 0);
    spinlock_init(&port->lock, LOCK_RANK_PORT);
    list_init(&port->packets);
    list_init(&port->watches);
    list_init(&port->sleepers);
    *out = &port->object;
    return ZX_OK;
}

/* ---- Queue and wait -------------------------------------------------------------------------- */

zx_status_t port_queue(struct object *object, const zx_port_packet_t *content)
{
    struct port *port = port_from(object);
    struct packet *packet = kmalloc(sizeof(*packet));
    if (!packet)
        return ZX_ERR_NO_MEMORY;
    packet->content = *content;
    packet->content.type = ZX_PKT_TYPE_USER;
    packet->watch = NULL;

    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    if (port->is_closed) {
        status = ZX_ERR_BAD_STATE;
    } else if (port->count_user >= PORT_MAX_USER_PACKETS) {
        status = ZX_ERR_SHOULD_WAIT;
    } else {
        port->count_user++;
        port_push_locked(port, packet);
    }
    spin_unlock_irqrestore(&port->lock, irq);
    if (status != ZX_OK)
        kfree(packet);
    return status;
}

static struct packet *port_pop_locked(struct port *port)
{
    struct list_node *node = list_pop_front(&port->packets);
    if (!node)
        return NULL;
    struct packet *packet = list_entry(node, struct packet, node);
    if (packet->watch)
        packet->watch->state = WATCH_DEAD;
    else
        port->count_user--;
    return packet;
}

zx_status_t port_wait(struct object *object, zx_time_t deadline_ns, zx_port_packet_t *out)
{
    struct port *port = port_from(object);
    struct port_sleeper sleeper = {.thread = thread_current()};
    struct packet *packet;
    zx_status_t status = ZX_OK;
    list_init(&sleeper.node);
    for (;;) {
        irq_state_t irq = spin_lock_irqsave(&port->lock);
        list_remove(&sleeper.node);
        /* A thread that is leaving without a packet passes its wake-up on. */
        bool may_take = status == ZX_OK || status == ZX_ERR_TIMED_OUT;
        packet = may_take ? port_pop_locked(port) : NULL;
        if (!packet && port->is_closed)
            status = ZX_ERR_CANCELED;
        if (!packet && status == ZX_OK)
            list_push_back(&port->sleepers, &sleeper.node);
        else if (!packet && !list_is_empty(&port->packets))
            port_wake_one_locked(port);
        spin_unlock_irqrestore(&port->lock, irq);
        if (packet || status != ZX_OK)
            break;
        status = thread_park_for(ZX_THREAD_STATE_BLOCKED_PORT, deadline_ns);
    }
    if (!packet)
        return status;
    *out = packet->content;
    packet_dispose(packet);
    return ZX_OK;
}
