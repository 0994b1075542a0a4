/* A watch and the packet that it becomes are one allocation. Under the port's lock it is in one of
 * three states, and whoever takes it to WATCH_DEAD drops the owner's reference:
 *   WATCH_ACTIVE   in port->watches and, soon or already, in the source's observers
 *   WATCH_QUEUED   its packet is in port->packets
 *   WATCH_DEAD     neither; somebody is getting rid of it
 * WATCH_MARK is no watch: it is a walk's place in a list while the walk has let go of the lock, or
 * its end, and all others step over it.
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
    struct list_node interrupts; /* packets, too */
    struct list_node watches;
    struct list_node sleepers;
    uint32_t count_user;
    uint32_t count_watches; /* active or queued */
    bool is_closed;
    bool takes_interrupts; /* fixed */
};

/* How many watches or packets a walk looks at before it lets interrupts in. */
#define PORT_WALK_STEP 64u

struct packet {
    struct list_node node;
    zx_port_packet_t content;
    struct watch *watch;   /* NULL: a user's or an interrupt's, alone in its allocation */
    const void *interrupt; /* whose it is, not dereferenced; NULL: not an interrupt's */
};

enum watch_state { WATCH_ACTIVE, WATCH_QUEUED, WATCH_DEAD, WATCH_MARK };

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

/* A thread in port_take, on its stack. */
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

/* The port forgets a watch that is in one of its lists. */
static void watch_die_locked(struct port *port, struct watch *watch)
{
    list_remove(watch->state == WATCH_ACTIVE ? &watch->node : &watch->packet.node);
    watch->state = WATCH_DEAD;
    port->count_watches--;
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
        if (event == OBSERVER_HANDLE_CLOSED) {
            watch_die_locked(port, watch);
            must_release = true;
        } else {
            zx_packet_signal_t *signal = &watch->packet.content.signal;
            list_remove(&watch->node);
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
    if (was_active)
        watch_die_locked(port, watch);
    spin_unlock_irqrestore(&port->lock, irq);
    return was_active;
}

/* Puts a new watch among the port's. ZX_ERR_BAD_STATE: closed. ZX_ERR_NO_MEMORY: too many. */
static zx_status_t port_admit(struct port *port, struct watch *watch)
{
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    if (port->is_closed)
        status = ZX_ERR_BAD_STATE;
    else if (port->count_watches >= PORT_MAX_WATCHES)
        status = ZX_ERR_NO_MEMORY;
    if (status == ZX_OK) {
        list_push_back(&port->watches, &watch->node);
        port->count_watches++;
    } else {
        watch->state = WATCH_DEAD;
    }
    spin_unlock_irqrestore(&port->lock, irq);
    return status;
}

zx_status_t port_watch(struct object *object, const struct port_watch *args)
{
    struct port *port = port_from(object);
    struct watch *watch = watch_create(port, args);
    if (!watch)
        return ZX_ERR_NO_MEMORY;

    zx_status_t status = port_admit(port, watch);
    if (status != ZX_OK) {
        watch_put(watch);
        watch_put(watch);
        return status;
    }

    if (!object_try_add_observer(args->source, &watch->observer,
                                 args->options & ZX_WAIT_ASYNC_EDGE)) {
        if (watch_kill(port, watch))
            watch_put(watch);
        watch_put(watch);
        return ZX_ERR_NO_MEMORY;
    }
    irq_state_t irq;
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

/* What a walk through a list has put into it: its place and, behind all that was there when it
 * began, its end. What others add meanwhile comes behind that, so a walk ends whatever they do. */
struct walk {
    struct list_node *here, *end;
    struct watch marks[2];
};

static void mark_init(struct watch *mark)
{
    memset(mark, 0, sizeof(*mark));
    mark->state = WATCH_MARK;
    mark->packet.watch = mark;
}

static void walk_begin(struct port *port, struct walk *walk, bool of_packets)
{
    struct list_node *list = of_packets ? &port->packets : &port->watches;
    mark_init(&walk->marks[0]);
    mark_init(&walk->marks[1]);
    walk->here = of_packets ? &walk->marks[0].packet.node : &walk->marks[0].node;
    walk->end = of_packets ? &walk->marks[1].packet.node : &walk->marks[1].node;
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    list_push_front(list, walk->here);
    list_push_back(list, walk->end);
    spin_unlock_irqrestore(&port->lock, irq);
}

/* The next node, behind which the walk is then; NULL: it is over, and its marks are gone. */
static struct list_node *walk_step_locked(struct walk *walk)
{
    struct list_node *next = walk->here->next;
    list_remove(walk->here);
    if (next == walk->end) {
        list_remove(walk->end);
        return NULL;
    }
    list_insert_after(next, walk->here);
    return next;
}

/* Goes on to the first watch that matches, which dies, or over PORT_WALK_STEP of them. False: the
 * walk is over. */
static bool port_take_watch(struct port *port, const struct port_filter *filter, struct walk *walk,
                            struct watch **out)
{
    struct list_node *node = walk->here;
    *out = NULL;
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    for (unsigned i = 0; i < PORT_WALK_STEP && node && !*out; i++) {
        node = walk_step_locked(walk);
        struct watch *watch = node ? list_entry(node, struct watch, node) : NULL;
        if (watch && watch->state == WATCH_ACTIVE && filter_matches(filter, &watch->packet)) {
            watch_die_locked(port, watch);
            *out = watch;
        }
    }
    spin_unlock_irqrestore(&port->lock, irq);
    return node != NULL;
}

static bool packet_is_mark(const struct packet *packet)
{
    return packet->watch && packet->watch->state == WATCH_MARK;
}

/* Takes a packet out of the queue. */
static void packet_leave_locked(struct port *port, struct packet *packet)
{
    if (packet->watch) {
        watch_die_locked(port, packet->watch);
    } else {
        list_remove(&packet->node);
        port->count_user--;
    }
}

/* Goes on over PORT_WALK_STEP packets; those that match go to |dropped|. False: the walk is over.
 */
static bool port_take_packets(struct port *port, const struct port_filter *filter,
                              struct walk *walk, struct list_node *dropped)
{
    struct list_node *node = walk->here;
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    for (unsigned i = 0; i < PORT_WALK_STEP && node; i++) {
        node = walk_step_locked(walk);
        struct packet *packet = node ? list_entry(node, struct packet, node) : NULL;
        if (packet && !packet_is_mark(packet) && filter_matches(filter, packet)) {
            packet_leave_locked(port, packet);
            list_push_back(dropped, node);
        }
    }
    spin_unlock_irqrestore(&port->lock, irq);
    return node != NULL;
}

void packet_dispose(struct packet *packet)
{
    if (packet->watch)
        watch_put(packet->watch);
    else
        kfree(packet);
}

/* Returns whether there was anything that matched. The packets come second: a watch that is
 * satisfied while the watches are walked is among them by then. */
static bool port_drop(struct port *port, const struct port_filter *filter)
{
    struct walk walk;
    struct watch *watch;
    struct list_node dropped, *node;
    bool found = false, more = true;

    walk_begin(port, &walk, false);
    while (more) {
        more = port_take_watch(port, filter, &walk, &watch);
        if (watch) {
            object_remove_observer(watch->source, &watch->observer);
            watch_put(watch);
            found = true;
        }
    }
    list_init(&dropped);
    walk_begin(port, &walk, true);
    while (port_take_packets(port, filter, &walk, &dropped))
        continue;
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

static void port_drop_interrupts(struct port *port)
{
    struct list_node dropped, *node;
    list_init(&dropped);
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    list_splice_back(&dropped, &port->interrupts);
    spin_unlock_irqrestore(&port->lock, irq);
    while ((node = list_pop_front(&dropped)) != NULL)
        kfree(list_entry(node, struct packet, node));
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
    port_drop_interrupts(port);
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
    list_init(&port->interrupts);
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
    packet->interrupt = NULL;
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

/* ---- Interrupts ------------------------------------------------------------------------------ */

void port_accept_interrupts(struct object *object)
{
    port_from(object)->takes_interrupts = true;
}

bool port_takes_interrupts(const struct object *object)
{
    return container_of(object, const struct port, object)->takes_interrupts;
}

static struct packet *find_interrupt_locked(struct port *port, const void *interrupt)
{
    list_for_each (node, &port->interrupts) {
        struct packet *packet = list_entry(node, struct packet, node);
        if (packet->interrupt == interrupt)
            return packet;
    }
    return NULL;
}

zx_status_t port_queue_interrupt(struct object *object, const void *interrupt, uint64_t key,
                                 zx_time_t timestamp)
{
    struct port *port = port_from(object);
    struct packet *packet = kzalloc(sizeof(*packet));
    if (!packet)
        return ZX_ERR_NO_MEMORY;
    packet->interrupt = interrupt;
    packet->content.key = key;
    packet->content.type = ZX_PKT_TYPE_INTERRUPT;
    packet->content.interrupt.timestamp = timestamp;

    irq_state_t irq = spin_lock_irqsave(&port->lock);
    bool is_alone = !find_interrupt_locked(port, interrupt);
    bool is_queued = is_alone && !port->is_closed;
    if (is_queued) {
        list_push_back(&port->interrupts, &packet->node);
        port_wake_one_locked(port);
    }
    spin_unlock_irqrestore(&port->lock, irq);
    if (!is_queued)
        kfree(packet);
    return is_alone ? ZX_OK : ZX_ERR_BAD_STATE;
}

bool port_remove_interrupt(struct object *object, const void *interrupt)
{
    struct port *port = port_from(object);
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    struct packet *packet = find_interrupt_locked(port, interrupt);
    if (packet)
        list_remove(&packet->node);
    spin_unlock_irqrestore(&port->lock, irq);
    kfree(packet);
    return packet != NULL;
}

/* They come before everything else. */
static struct packet *pop_interrupt_locked(struct port *port)
{
    struct list_node *node = list_pop_front(&port->interrupts);
    return node ? list_entry(node, struct packet, node) : NULL;
}

/* ---- Wait ------------------------------------------------------------------------------------ */

static struct packet *port_pop_locked(struct port *port)
{
    struct packet *first = pop_interrupt_locked(port);
    if (first)
        return first;
    list_for_each (node, &port->packets) {
        struct packet *packet = list_entry(node, struct packet, node);
        if (packet_is_mark(packet))
            continue;
        packet_leave_locked(port, packet);
        return packet;
    }
    return NULL;
}

zx_status_t port_take(struct object *object, zx_time_t deadline_ns, struct packet **out)
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
        else if (!packet && !(list_is_empty(&port->packets) && list_is_empty(&port->interrupts)))
            port_wake_one_locked(port);
        spin_unlock_irqrestore(&port->lock, irq);
        if (packet || status != ZX_OK)
            break;
        status = thread_park_for(ZX_THREAD_STATE_BLOCKED_PORT, deadline_ns);
    }
    if (!packet)
        return status;
    *out = packet;
    return ZX_OK;
}

const zx_port_packet_t *packet_content(const struct packet *packet)
{
    return &packet->content;
}

void port_put_back(struct object *object, struct packet *packet)
{
    struct port *port = port_from(object);
    irq_state_t irq = spin_lock_irqsave(&port->lock);
    bool is_open = !port->is_closed;
    if (is_open && packet->interrupt) {
        list_push_front(&port->interrupts, &packet->node);
        port_wake_one_locked(port);
    } else if (is_open) {
        list_push_front(&port->packets, &packet->node);
        if (packet->watch) {
            packet->watch->state = WATCH_QUEUED;
            port->count_watches++;
        } else {
            port->count_user++;
        }
        port_wake_one_locked(port);
    }
    spin_unlock_irqrestore(&port->lock, irq);
    if (!is_open)
        packet_dispose(packet);
}

zx_status_t port_wait(struct object *object, zx_time_t deadline_ns, zx_port_packet_t *out)
{
    struct packet *packet;
    zx_status_t status = port_take(object, deadline_ns, &packet);
    if (status != ZX_OK)
        return status;
    *out = packet->content;
    packet_dispose(packet);
    return ZX_OK;
}
