#include <zircon/syscalls/object.h>

#include "kernel/object/channel.h"

#include "kernel/object/pair.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/kheap.h"

#define TXID_KERNEL 0x80000000u /* set in the ids that channel_call gives out */

struct channel {
    struct object object;
    struct pair_end end;
    /* Under the pair's lock: */
    struct list_node messages; /* for the reader of this end */
    uint32_t count_messages;
    struct list_node callers; /* struct channel_call.node: calls made on this end */
    uint32_t next_txid;
    /* The end whose queue has a message with a handle to this one, or is about to; NULL: none.
     * Under nesting_lock. */
    struct channel *held_by;
};

/* Taken around the queueing and unqueueing of messages that carry ends of channels. */
static struct mutex nesting_lock = MUTEX_INIT(nesting_lock, LOCK_RANK_PROCESS);

static struct channel *channel_from(struct object *object)
{
    return container_of(object, struct channel, object);
}

static void caller_finish_locked(struct channel_call *caller, zx_status_t status,
                                 struct message *reply)
{
    list_remove(&caller->node);
    caller->status = status;
    caller->reply = reply;
    thread_unpark_hand_off(caller->thread);
    atomic_store_release(&caller->is_done, true);
}

static void callers_fail_locked(struct channel *channel, zx_status_t status)
{
    while (!list_is_empty(&channel->callers))
        caller_finish_locked(list_entry(channel->callers.next, struct channel_call, node), status,
                             NULL);
}

/* ---- Ends in queues -------------------------------------------------------------------------- */

static const struct object_ops channel_ops;

static struct channel *carried_end(const struct message *message, uint32_t index)
{
    const struct handle *handle = message->handles[index];
    return handle && handle->object->ops == &channel_ops ? channel_from(handle->object) : NULL;
}

static bool carries_ends(const struct message *message)
{
    for (uint32_t i = 0; i < message->count_handles; i++) {
        if (carried_end(message, i))
            return true;
    }
    return false;
}

/* nesting_lock is held. */
static void note_holder_locked(const struct message *message, struct channel *holder)
{
    for (uint32_t i = 0; i < message->count_handles; i++) {
        struct channel *end = carried_end(message, i);
        if (end)
            end->held_by = holder;
    }
}

/* The message has left a queue. */
static void forget_holder(const struct message *message)
{
    if (!message || !carries_ends(message))
        return;
    mutex_lock(&nesting_lock);
    note_holder_locked(message, NULL);
    mutex_unlock(&nesting_lock);
}

/* Whether the only handle to |end| is in its own queue, or in that of an end of which the same
 * holds: nobody could read either of them ever again, or close them. As no message that would lead
 * to this stays in a queue, the way from end to holder comes back to |end| or ends. nesting_lock is
 * held. */
static bool is_out_of_reach_locked(const struct channel *end)
{
    const struct channel *at = end;
    do {
        if (atomic_load(&at->object.count_handles) != 1 || !at->held_by)
            return false;
        at = at->held_by;
    } while (at != end);
    return true;
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
    list_for_each (node, &messages)
        forget_holder(list_entry(node, struct message, node));
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

static inline struct channel_call *caller_find_locked(struct channel *channel,
                                                      const struct message *message)
{
    if (list_is_empty(&channel->callers) || message->count_bytes < sizeof(zx_txid_t))
        return NULL;
    zx_txid_t txid = message_txid(message);
    list_for_each (node, &channel->callers) {
        struct channel_call *caller = list_entry(node, struct channel_call, node);
        if (caller->txid == txid)
            return caller;
    }
    return NULL;
}

/* What is on its way, and the caller that waits for the answer, or NULL. */
struct sending {
    struct channel *channel;
    struct message *message;
    struct channel_call *caller;
};

static inline zx_status_t queue_locked(struct channel *reader, struct message *message)
{
    if (reader->count_messages >= CHANNEL_MAX_MESSAGES)
        return ZX_ERR_SHOULD_WAIT;
    list_push_back(&reader->messages, &message->node);
    if (reader->count_messages++ == 0)
        object_update_signals(&reader->object, 0, ZX_CHANNEL_READABLE);
    return ZX_OK;
}

/* |may_queue| false: ZX_ERR_NEXT unless the message is the answer to a call. The pair's lock is
 * held, and nesting_lock if the message carries ends. */
static zx_status_t send_locked(const struct sending *sending, bool may_queue)
{
    struct channel *channel = sending->channel;
    struct message *message = sending->message;
    if (sending->caller) {
        sending->caller->txid = TXID_KERNEL | channel->next_txid++;
        message_set_txid(message, sending->caller->txid);
    }
    if (!channel->end.peer)
        return ZX_ERR_PEER_CLOSED;
    struct channel *peer = container_of(channel->end.peer, struct channel, end);
    struct channel_call *answered = caller_find_locked(peer, message);
    zx_status_t status = ZX_ERR_NEXT;
    if (answered) {
        note_holder_locked(message, NULL);
        caller_finish_locked(answered, ZX_OK, message);
        status = ZX_OK;
    } else if (may_queue) {
        status = queue_locked(peer, message);
    }
    if (status == ZX_OK && sending->caller)
        list_push_back(&channel->callers, &sending->caller->node);
    return status;
}

static zx_status_t send_one(const struct sending *sending, bool may_queue)
{
    struct spinlock *lock = &sending->channel->end.pair->lock;
    irq_state_t irq = spin_lock_irqsave(lock);
    zx_status_t status = send_locked(sending, may_queue);
    spin_unlock_irqrestore(lock, irq);
    return status;
}

/* A message without handles that is no call. */
static zx_status_t send_bytes(struct channel *channel, struct message *message)
{
    struct spinlock *lock = &channel->end.pair->lock;
    irq_state_t irq = spin_lock_irqsave(lock);
    struct pair_end *peer_end = channel->end.peer;
    zx_status_t status = ZX_ERR_PEER_CLOSED;
    if (LIKELY(peer_end != NULL)) {
        struct channel *peer = container_of(peer_end, struct channel, end);
        struct channel_call *answered = caller_find_locked(peer, message);
        status = ZX_OK;
        if (answered)
            caller_finish_locked(answered, ZX_OK, message);
        else
            status = queue_locked(peer, message);
    }
    spin_unlock_irqrestore(lock, irq);
    return status;
}

/* A reference; NULL: closed. */
static struct channel *peer_get(struct channel *channel)
{
    struct channel *peer = NULL;
    irq_state_t irq = spin_lock_irqsave(&channel->end.pair->lock);
    if (channel->end.peer && refcount_get_unless_zero(&channel->end.peer->object->refs))
        peer = container_of(channel->end.peer, struct channel, end);
    spin_unlock_irqrestore(&channel->end.pair->lock, irq);
    return peer;
}

/* The message carries ends. ZX_ERR_NEXT: in the queue it would be out of everybody's reach. */
static zx_status_t send_ends(const struct sending *sending)
{
    struct channel *peer = peer_get(sending->channel);
    if (!peer)
        return ZX_ERR_PEER_CLOSED;
    mutex_lock(&nesting_lock);
    note_holder_locked(sending->message, peer);
    zx_status_t status = send_one(sending, !is_out_of_reach_locked(peer));
    if (status != ZX_OK)
        note_holder_locked(sending->message, NULL);
    mutex_unlock(&nesting_lock);
    object_put(&peer->object);
    return status;
}

static zx_status_t send(const struct sending *sending)
{
    return carries_ends(sending->message) ? send_ends(sending) : send_one(sending, true);
}

zx_status_t channel_write(struct object *object, struct message *message)
{
    if (LIKELY(message->count_handles == 0))
        return send_bytes(channel_from(object), message);
    struct sending sending = {.channel = channel_from(object), .message = message};
    zx_status_t status = send(&sending);
    if (status != ZX_ERR_NEXT)
        return status;
    message_destroy(message);
    return ZX_OK;
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
        if (UNLIKELY(message->count_bytes > max_bytes || message->count_handles > max_handles))
            status = ZX_ERR_BUFFER_TOO_SMALL;
        if (LIKELY(status == ZX_OK) || may_discard) {
            list_remove(&message->node);
            if (--channel->count_messages == 0)
                object_update_signals(&channel->object, ZX_CHANNEL_READABLE, 0);
        } else {
            message = NULL;
        }
    }
    spin_unlock_irqrestore(&channel->end.pair->lock, irq);
    if (LIKELY(status == ZX_OK)) {
        if (message->count_handles != 0)
            forget_holder(message);
        *out = message;
        return ZX_OK;
    }
    forget_holder(message);
    message_destroy(message);
    return status;
}

/* False: the end is closed. nesting_lock is held if the message carries ends. */
static bool requeue(struct channel *channel, struct message *message)
{
    irq_state_t irq = spin_lock_irqsave(&channel->end.pair->lock);
    /* Who closes the last handle after this look empties the queue after it too. */
    bool is_open = atomic_load(&channel->object.count_handles) != 0;
    if (is_open) {
        list_push_front(&channel->messages, &message->node);
        if (channel->count_messages++ == 0)
            object_update_signals(&channel->object, 0, ZX_CHANNEL_READABLE);
    }
    spin_unlock_irqrestore(&channel->end.pair->lock, irq);
    return is_open;
}

void channel_unread(struct object *object, struct message *message)
{
    struct channel *channel = channel_from(object);
    bool is_nested = carries_ends(message);
    bool is_queued;
    if (is_nested) {
        mutex_lock(&nesting_lock);
        note_holder_locked(message, channel);
        is_queued = !is_out_of_reach_locked(channel) && requeue(channel, message);
        if (!is_queued)
            note_holder_locked(message, NULL);
        mutex_unlock(&nesting_lock);
    } else {
        is_queued = requeue(channel, message);
    }
    if (!is_queued)
        message_destroy(message);
}

/* ---- Call ------------------------------------------------------------------------------------ */

/* After a park that nobody has ended, as far as can be seen: waits for somebody who is not done
 * with the call yet. True: it is done. If not, and |status| says that the call is over, it is taken
 * off the list. */
static bool call_settle(struct channel_call *call, struct spinlock *lock, zx_status_t status)
{
    irq_state_t irq = spin_lock_irqsave(lock);
    bool was_done = call->is_done;
    if (!was_done && status != ZX_OK && status != ZX_ERR_INTERNAL_INTR_RETRY)
        list_remove(&call->node);
    spin_unlock_irqrestore(lock, irq);
    return was_done;
}

/* Sleeps until the answer is there. The call is over afterwards, unless a suspension comes. */
static zx_status_t call_wait(struct channel_call *call, zx_time_t deadline_ns, struct message **out)
{
    struct object *object = call->channel;
    struct spinlock *lock = &channel_from(object)->end.pair->lock;
    zx_status_t status = ZX_OK;
    bool is_done = atomic_load_acquire(&call->is_done);
    while (!is_done && status == ZX_OK) {
        status = thread_park_for(ZX_THREAD_STATE_BLOCKED_CHANNEL, deadline_ns);
        is_done = LIKELY(atomic_load_acquire(&call->is_done)) || call_settle(call, lock, status);
    }
    if (!is_done && status == ZX_ERR_INTERNAL_INTR_RETRY)
        return status;
    call->channel = NULL;
    if (is_done)
        status = call->status;
    object_put(object);
    if (status == ZX_OK)
        *out = call->reply;
    return status;
}

zx_status_t channel_call(struct object *object, struct channel_call *call, struct message *message,
                         zx_time_t deadline_ns, bool *out_sent, struct message **out)
{
    channel_call_abandon(call);
    *call = (struct channel_call){.thread = thread_current()};
    list_init(&call->node);

    struct sending sending = {channel_from(object), message, call};
    zx_status_t status = send(&sending);
    *out_sent = status == ZX_OK || status == ZX_ERR_NEXT;
    if (status == ZX_ERR_NEXT) {
        message_destroy(message);
        return ZX_ERR_PEER_CLOSED;
    }
    if (status != ZX_OK)
        return status;
    object_get(object);
    call->channel = object;
    return call_wait(call, deadline_ns, out);
}

zx_status_t channel_call_finish(struct channel_call *call, zx_time_t deadline_ns,
                                struct message **out)
{
    return call->channel ? call_wait(call, deadline_ns, out) : ZX_ERR_INVALID_ARGS;
}

void channel_call_abandon(struct channel_call *call)
{
    struct object *object = call->channel;
    if (!object)
        return;
    struct spinlock *lock = &channel_from(object)->end.pair->lock;
    irq_state_t irq = spin_lock_irqsave(lock);
    list_remove(&call->node);
    call->channel = NULL;
    spin_unlock_irqrestore(lock, irq);
    if (call->is_done && call->status == ZX_OK)
        message_destroy(call->reply);
    object_put(object);
}
