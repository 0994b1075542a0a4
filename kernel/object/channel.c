#include <zircon/syscalls/object.h>

#include "kernel/object/channel.h"

#include "kernel/object/pair.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/kheap.h"

#define TXID_KERNEL 0x80000000u /* set in the ids that channel_call gives out */

struct channel {
    struct object object;
    struct pair_end end;
    /* Under the pair's lock: */
    struct list_node messages; /* for the reader of this end */
    uint32_t count_messages;
    struct list_node callers; /* struct caller.node: calls made on this end */
    uint32_t next_txid;
};

/* A thread in channel_call, on its stack. Under the pair's lock, but for is_done. */
struct caller {
    struct list_node node;
    struct thread *thread;
    zx_txid_t txid;
    struct message *reply;
    zx_status_t status; /* once is_done */
    bool is_done;       /* atomic */
};

static struct channel *channel_from(struct object *object)
{
    return container_of(object, struct channel, object);
}

/* The caller cannot leave before it has the pair's lock, which is held here. */
static void caller_finish_locked(struct caller *caller, zx_status_t status, struct message *reply)
{
    list_remove(&caller->node);
    caller->status = status;
    caller->reply = reply;
    atomic_store(&caller->is_done, true);
    thread_unpark_hand_off(caller->thread);
}

static void callers_fail_locked(struct channel *channel, zx_status_t status)
{
    while (!list_is_empty(&channel->callers))
        caller_finish_locked(list_entry(channel->callers.next, struct caller, node), status, NULL);
}

/* ---- Life ------------------------------------------------------------------------------------ */

/* The end is closed: its unread messages go, its peer learns of it. Idempotent. */
static void channel_shut(struct channel *channel)
{
    struct list_node messages;
    list_init(&messages);
    irq_state_t irq = spin_lock_irqsave(&channel->end.pair->lock);
    if (channel->end.peer)
        callers_fail_locked(container_of(channel->end.peer, struct channel, end),
                            ZX_ERR_PEER_CLOSED);
    callers_fail_locked(channel, ZX_ERR_CANCELED);
    pair_close_locked(&channel->end, ZX_CHANNEL_WRITABLE, ZX_CHANNEL_PEER_CLOSED);
    list_splice_back(&messages, &channel->messages);
    channel->count_messages = 0;
    spin_unlock_irqrestore(&channel->end.pair->lock, irq);
    message_destroy_list(&messages);
}

static void channel_on_zero_handles(struct object *object)
{
    channel_shut(channel_from(object));
}

static void channel_destroy(struct object *object)
{
    struct channel *channel = channel_from(object);
    channel_shut(channel);
    pair_put(&channel->end);
    kfree(channel);
}

static zx_koid_t channel_related_koid(struct object *object)
{
    return channel_from(object)->end.peer_koid;
}

static zx_status_t channel_signal_peer(struct object *object, uint32_t clear, uint32_t set)
{
    return pair_signal_peer(&channel_from(object)->end, clear, set);
}

/* Written under the pair's lock; a packet's count may be a glance. */
static uint64_t channel_count_readable(struct object *object)
{
    return atomic_load_relaxed(&channel_from(object)->count_messages);
}

static const struct object_ops channel_ops = {
    .type = ZX_OBJ_TYPE_CHANNEL,
    .default_rights = ZX_DEFAULT_CHANNEL_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = channel_destroy,
    .on_zero_handles = channel_on_zero_handles,
    .related_koid = channel_related_koid,
    .count_readable = channel_count_readable,
    .signal_peer = channel_signal_peer,
};

static struct channel *channel_alloc(void)
{
    struct channel *channel = kzalloc(sizeof(*channel));
    if (!channel)
        return NULL;
    object_init(&channel->object, &channel_ops, ZX_CHANNEL_WRITABLE);
    list_init(&channel->messages);
    list_init(&channel->callers);
    return channel;
}

static void channel_free_unconnected(struct channel *channel)
{
    if (channel)
        object_abandon(&channel->object);
    kfree(channel);
}

zx_status_t channel_create(struct object **out0, struct object **out1)
{
    struct channel *a = channel_alloc();
    struct channel *b = channel_alloc();
    if (!a || !b || pair_connect(&a->end, &a->object, &b->end, &b->object) != ZX_OK) {
        channel_free_unconnected(a);
        channel_free_unconnected(b);
        return ZX_ERR_NO_MEMORY;
    }
    *out0 = &a->object;
    *out1 = &b->object;
    return ZX_OK;
}

/* ---- Write and read -------------------------------------------------------------------------- */

static struct caller *caller_find_locked(struct channel *channel, const struct message *message)
{
    if (list_is_empty(&channel->callers) || message->count_bytes < sizeof(zx_txid_t))
        return NULL;
    zx_txid_t txid = message_txid(message);
    list_for_each (node, &channel->callers) {
        struct caller *caller = list_entry(node, struct caller, node);
        if (caller->txid == txid)
            return caller;
    }
    return NULL;
}

static zx_status_t channel_write_locked(struct channel *channel, struct message *message)
{
    if (!channel->end.peer)
        return ZX_ERR_PEER_CLOSED;
    struct channel *peer = container_of(channel->end.peer, struct channel, end);
    struct caller *caller = caller_find_locked(peer, message);
    if (caller) {
        caller_finish_locked(caller, ZX_OK, message);
        return ZX_OK;
    }
    if (peer->count_messages >= CHANNEL_MAX_MESSAGES)
        return ZX_ERR_SHOULD_WAIT;
    list_push_back(&peer->messages, &message->node);
    if (peer->count_messages++ == 0)
        object_update_signals(&peer->object, 0, ZX_CHANNEL_READABLE);
    return ZX_OK;
}

zx_status_t channel_write(struct object *object, struct message *message)
{
    struct channel *channel = channel_from(object);
    irq_state_t irq = spin_lock_irqsave(&channel->end.pair->lock);
    zx_status_t status = channel_write_locked(channel, message);
    spin_unlock_irqrestore(&channel->end.pair->lock, irq);
    return status;
}

zx_status_t channel_read(struct object *object, uint32_t max_bytes, uint32_t max_handles,
                         bool may_discard, uint32_t *out_bytes, uint32_t *out_handles,
                         struct message **out)
{
    struct channel *channel = channel_from(object);
    struct message *message = NULL;
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&channel->end.pair->lock);
    if (channel->count_messages == 0) {
        status = channel->end.peer ? ZX_ERR_SHOULD_WAIT : ZX_ERR_PEER_CLOSED;
    } else {
        message = list_entry(channel->messages.next, struct message, node);
        *out_bytes = message->count_bytes;
        *out_handles = message->count_handles;
        if (message->count_bytes > max_bytes || message->count_handles > max_handles)
            status = ZX_ERR_BUFFER_TOO_SMALL;
        if (status == ZX_OK || may_discard) {
            list_remove(&message->node);
            if (--channel->count_messages == 0)
                object_update_signals(&channel->object, ZX_CHANNEL_READABLE, 0);
        } else {
            message = NULL;
        }
    }
    spin_unlock_irqrestore(&channel->end.pair->lock, irq);
    if (status == ZX_OK)
        *out = message;
    else
        message_destroy(message);
    return status;
}

/* ---- Call ------------------------------------------------------------------------------------ */

/* How often a caller that is being suspended looks whether it is being killed. */
#define CALL_POLL_NS ZX_MSEC(10)

/* The message is on its way, so the call can't be restarted: a suspension has to wait. */
static zx_status_t caller_park(zx_time_t deadline_ns)
{
    zx_status_t status = thread_park_for(ZX_THREAD_STATE_BLOCKED_CHANNEL, deadline_ns);
    if (status != ZX_ERR_INTERNAL_INTR_RETRY)
        return status;
    zx_time_t poll_ns = zx_time_add_duration(clock_monotonic_ns(), CALL_POLL_NS);
    status = thread_park(MIN(deadline_ns, poll_ns), false);
    return status == ZX_ERR_TIMED_OUT && poll_ns < deadline_ns ? ZX_OK : status;
}

zx_status_t channel_call(struct object *object, struct message *message, zx_time_t deadline_ns,
                         bool *out_sent, struct message **out)
{
    struct channel *channel = channel_from(object);
    struct spinlock *lock = &channel->end.pair->lock;
    struct caller caller = {.thread = thread_current()};
    list_init(&caller.node);

    irq_state_t irq = spin_lock_irqsave(lock);
    caller.txid = TXID_KERNEL | channel->next_txid++;
    message_set_txid(message, caller.txid);
    zx_status_t status = channel_write_locked(channel, message);
    if (status == ZX_OK)
        list_push_back(&channel->callers, &caller.node);
    spin_unlock_irqrestore(lock, irq);
    *out_sent = status == ZX_OK;
    if (status != ZX_OK)
        return status;

    while (status == ZX_OK && !atomic_load(&caller.is_done))
        status = caller_park(deadline_ns);

    irq = spin_lock_irqsave(lock);
    list_remove(&caller.node);
    if (caller.is_done)
        status = caller.status;
    spin_unlock_irqrestore(lock, irq);
    if (status == ZX_OK)
        *out = caller.reply;
    return status;
}
