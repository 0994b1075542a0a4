#include "kernel/object/pair.h"

#include "kernel/vm/kheap.h"

static void pair_end_init(struct pair_end *end, struct pair *pair, struct object *object,
                          struct pair_end *peer, struct object *peer_object)
{
    end->pair = pair;
    end->object = object;
    end->peer = peer;
    end->peer_koid = peer_object->koid;
}

zx_status_t pair_connect(struct pair_end *end0, struct object *object0, struct pair_end *end1,
                         struct object *object1)
{
    struct pair *pair = kmalloc(sizeof(*pair));
    if (!pair)
        return ZX_ERR_NO_MEMORY;
    refcount_init(&pair->refs);
    refcount_get(&pair->refs);
    spinlock_init(&pair->lock, LOCK_RANK_PAIR);
    pair_end_init(end0, pair, object0, end1, object1);
    pair_end_init(end1, pair, object1, end0, object0);
    return ZX_OK;
}

void pair_close_locked(struct pair_end *end, uint32_t clear, uint32_t set)
{
    struct pair_end *peer = end->peer;
    if (!peer)
        return;
    end->peer = NULL;
    peer->peer = NULL;
    object_update_signals(peer->object, clear, set);
}

void pair_close(struct pair_end *end, uint32_t clear, uint32_t set)
{
    irq_state_t irq = spin_lock_irqsave(&end->pair->lock);
    pair_close_locked(end, clear, set);
    spin_unlock_irqrestore(&end->pair->lock, irq);
}

zx_status_t pair_signal_peer(struct pair_end *end, uint32_t clear, uint32_t set)
{
    zx_status_t status = ZX_ERR_PEER_CLOSED;
    irq_state_t irq = spin_lock_irqsave(&end->pair->lock);
    if (end->peer) {
        object_update_signals(end->peer->object, clear, set);
        status = ZX_OK;
    }
    spin_unlock_irqrestore(&end->pair->lock, irq);
    return status;
}

void pair_put(struct pair_end *end)
{
    if (refcount_put(&end->pair->refs))
        kfree(end->pair);
}
