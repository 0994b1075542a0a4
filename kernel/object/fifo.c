#include "kernel/object/fifo.h"

#include "kernel/lib/string.h"
#include "kernel/object/pair.h"
#include "kernel/sched/mutex.h"
#include "kernel/vm/kheap.h"

struct fifo {
    struct object object;
    struct pair_end end;
    size_t elem_bytes;      /* fixed, as capacity */
    size_t capacity;        /* elements */
    struct mutex read_lock; /* rank PROCESS: one reader at a time, outside the pair's lock */
    /* Under the pair's lock: what the peer wrote and this end's reader has not read. */
    size_t head; /* index of the oldest element; changed with read_lock too */
    size_t count;
    uint8_t data[];
};

static struct fifo *fifo_from(struct object *object)
{
    return container_of(object, struct fifo, object);
}

static void fifo_on_zero_handles(struct object *object)
{
    pair_close(&fifo_from(object)->end, ZX_FIFO_WRITABLE, ZX_FIFO_PEER_CLOSED);
}

static void fifo_destroy(struct object *object)
{
    struct fifo *fifo = fifo_from(object);
    fifo_on_zero_handles(object);
    pair_put(&fifo->end);
    kfree(fifo);
}

static zx_koid_t fifo_related_koid(struct object *object)
{
    return fifo_from(object)->end.peer_koid;
}

static zx_status_t fifo_signal_peer(struct object *object, uint32_t clear, uint32_t set)
{
    return pair_signal_peer(&fifo_from(object)->end, clear, set);
}

static const struct object_ops fifo_ops = {
    .type = ZX_OBJ_TYPE_FIFO,
    .default_rights = ZX_DEFAULT_FIFO_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = fifo_destroy,
    .on_zero_handles = fifo_on_zero_handles,
    .related_koid = fifo_related_koid,
    .signal_peer = fifo_signal_peer,
};

static struct fifo *fifo_alloc(size_t count, size_t elem_bytes)
{
    struct fifo *fifo = kzalloc(sizeof(*fifo) + count * elem_bytes);
    if (!fifo)
        return NULL;
    object_init(&fifo->object, &fifo_ops, ZX_FIFO_WRITABLE);
    mutex_init(&fifo->read_lock, LOCK_RANK_PROCESS);
    fifo->capacity = count;
    fifo->elem_bytes = elem_bytes;
    return fifo;
}

static void fifo_free_unconnected(struct fifo *fifo)
{
    if (fifo)
        object_abandon(&fifo->object);
    kfree(fifo);
}

zx_status_t fifo_create(size_t count, size_t elem_bytes, struct object **out0, struct object **out1)
{
    if (count == 0 || elem_bytes == 0 || count > FIFO_MAX_BYTES / elem_bytes)
        return ZX_ERR_OUT_OF_RANGE;
    struct fifo *a = fifo_alloc(count, elem_bytes);
    struct fifo *b = fifo_alloc(count, elem_bytes);
    if (!a || !b || pair_connect(&a->end, &a->object, &b->end, &b->object) != ZX_OK) {
        fifo_free_unconnected(a);
        fifo_free_unconnected(b);
        return ZX_ERR_NO_MEMORY;
    }
    *out0 = &a->object;
    *out1 = &b->object;
    return ZX_OK;
}

size_t fifo_elem_bytes(const struct object *object)
{
    return container_of(object, const struct fifo, object)->elem_bytes;
}

static void put_elements_locked(struct fifo *fifo, const uint8_t *data, size_t count)
{
    size_t tail = (fifo->head + fifo->count) % fifo->capacity;
    size_t first = MIN(count, fifo->capacity - tail);
    memcpy(fifo->data + tail * fifo->elem_bytes, data, first * fifo->elem_bytes);
    memcpy(fifo->data, data + first * fifo->elem_bytes, (count - first) * fifo->elem_bytes);
    fifo->count += count;
}

static zx_status_t write_locked(struct fifo *fifo, const void *data, size_t count,
                                size_t *out_count)
{
    if (!fifo->end.peer)
        return ZX_ERR_PEER_CLOSED;
    struct fifo *peer = container_of(fifo->end.peer, struct fifo, end);
    size_t len = MIN(count, peer->capacity - peer->count);
    if (len == 0)
        return ZX_ERR_SHOULD_WAIT;
    put_elements_locked(peer, data, len);
    if (peer->count == len)
        object_update_signals(&peer->object, 0, ZX_FIFO_READABLE);
    if (peer->count == peer->capacity)
        object_update_signals(&fifo->object, ZX_FIFO_WRITABLE, 0);
    *out_count = len;
    return ZX_OK;
}

zx_status_t fifo_write(struct object *object, const void *data, size_t count, size_t *out_count)
{
    struct fifo *fifo = fifo_from(object);
    irq_state_t irq = spin_lock_irqsave(&fifo->end.pair->lock);
    zx_status_t status = write_locked(fifo, data, count, out_count);
    spin_unlock_irqrestore(&fifo->end.pair->lock, irq);
    return status;
}

/* Copies the |count| oldest elements. Writers only add behind them, so the read lock suffices. */
static zx_status_t copy_elements(const struct fifo *fifo, size_t count, fifo_copy_fn fn, void *ctx)
{
    size_t first_bytes = MIN(count, fifo->capacity - fifo->head) * fifo->elem_bytes;
    size_t rest_bytes = count * fifo->elem_bytes - first_bytes;
    zx_status_t status = fn(ctx, fifo->data + fifo->head * fifo->elem_bytes, 0, first_bytes);
    if (status == ZX_OK && rest_bytes > 0)
        status = fn(ctx, fifo->data, first_bytes, rest_bytes);
    return status;
}

static void drop_elements(struct fifo *fifo, size_t count)
{
    irq_state_t irq = spin_lock_irqsave(&fifo->end.pair->lock);
    bool was_full = fifo->count == fifo->capacity;
    fifo->head = (fifo->head + count) % fifo->capacity;
    fifo->count -= count;
    if (fifo->count == 0)
        object_update_signals(&fifo->object, ZX_FIFO_READABLE, 0);
    if (was_full && fifo->end.peer)
        object_update_signals(fifo->end.peer->object, 0, ZX_FIFO_WRITABLE);
    spin_unlock_irqrestore(&fifo->end.pair->lock, irq);
}

zx_status_t fifo_read(struct object *object, size_t count, fifo_copy_fn fn, void *ctx,
                      size_t *out_count)
{
    struct fifo *fifo = fifo_from(object);
    mutex_lock(&fifo->read_lock);
    irq_state_t irq = spin_lock_irqsave(&fifo->end.pair->lock);
    size_t len = MIN(count, fifo->count);
    bool has_peer = fifo->end.peer != NULL;
    spin_unlock_irqrestore(&fifo->end.pair->lock, irq);

    zx_status_t status = has_peer ? ZX_ERR_SHOULD_WAIT : ZX_ERR_PEER_CLOSED;
    if (len > 0)
        status = copy_elements(fifo, len, fn, ctx);
    if (status == ZX_OK) {
        drop_elements(fifo, len);
        *out_count = len;
    }
    mutex_unlock(&fifo->read_lock);
    return status;
}
