#include "kernel/object/socket.h"

#include <zircon/syscalls/object.h>

#include "kernel/lib/string.h"
#include "kernel/object/pair.h"
#include "kernel/sched/mutex.h"
#include "kernel/vm/kheap.h"

/* Bytes on their way. What is in [taken, len) does not change while the piece is in a queue. */
struct piece {
    struct list_node node;
    uint32_t len; /* bytes written into data */
    uint32_t taken;
    uint32_t capacity;
    bool is_last; /* a datagram ends here */
    uint8_t data[];
};

#define PIECE_MAX_BYTES (2048u - sizeof(struct piece))
#define PIECE_MIN_BYTES (256u - sizeof(struct piece))

struct socket {
    struct object object;
    struct pair_end end;
    bool is_datagram;        /* fixed */
    struct mutex read_lock;  /* rank PROCESS: one reader at a time, outside the pair's lock */
    struct mutex write_lock; /* the same for writers */
    /* Under the pair's lock: what the peer wrote and this end's reader has not read. Only the
     * reader takes pieces away. */
    struct list_node pieces;
    size_t count_bytes;
    size_t read_threshold, write_threshold; /* 0: none */
    bool is_write_disabled;
};

static struct socket *socket_from(struct object *object)
{
    return container_of(object, struct socket, object);
}

static struct socket *peer_locked(const struct socket *socket)
{
    return socket->end.peer ? container_of(socket->end.peer, struct socket, end) : NULL;
}

static struct piece *piece_from(struct list_node *node)
{
    return list_entry(node, struct piece, node);
}

static void pieces_free(struct list_node *pieces)
{
    struct list_node *node;
    while ((node = list_pop_front(pieces)) != NULL)
        kfree(piece_from(node));
}

/* ---- Signals --------------------------------------------------------------------------------- */

/* What can be seen of |socket| after its queue or thresholds changed. */
static void update_reader_locked(struct socket *socket)
{
    uint32_t set = socket->count_bytes > 0 ? ZX_SOCKET_READABLE : 0;
    if (socket->read_threshold != 0 && socket->count_bytes >= socket->read_threshold)
        set |= ZX_SOCKET_READ_THRESHOLD;
    object_update_signals(&socket->object, (ZX_SOCKET_READABLE | ZX_SOCKET_READ_THRESHOLD) & ~set,
                          set);
}

static void update_writer_locked(struct socket *socket)
{
    const struct socket *peer = peer_locked(socket);
    size_t room = peer ? SOCKET_MAX_BYTES - peer->count_bytes : 0;
    uint32_t set = 0;
    if (room > 0 && !socket->is_write_disabled)
        set |= ZX_SOCKET_WRITABLE;
    if (room > 0 && socket->write_threshold != 0 && room >= socket->write_threshold)
        set |= ZX_SOCKET_WRITE_THRESHOLD;
    object_update_signals(&socket->object, (ZX_SOCKET_WRITABLE | ZX_SOCKET_WRITE_THRESHOLD) & ~set,
                          set);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void socket_on_zero_handles(struct object *object)
{
    struct socket *socket = socket_from(object);
    irq_state_t irq = spin_lock_irqsave(&socket->end.pair->lock);
    pair_close_locked(&socket->end, ZX_SOCKET_WRITABLE | ZX_SOCKET_WRITE_THRESHOLD,
                      ZX_SOCKET_PEER_CLOSED);
    spin_unlock_irqrestore(&socket->end.pair->lock, irq);
}

static void socket_destroy(struct object *object)
{
    struct socket *socket = socket_from(object);
    socket_on_zero_handles(object);
    pieces_free(&socket->pieces);
    pair_put(&socket->end);
    kfree(socket);
}

static zx_koid_t socket_related_koid(struct object *object)
{
    return socket_from(object)->end.peer_koid;
}

static zx_status_t socket_signal_peer(struct object *object, uint32_t clear, uint32_t set)
{
    return pair_signal_peer(&socket_from(object)->end, clear, set);
}

static zx_status_t socket_get_number(struct object *object, uint32_t property, uint64_t *out)
{
    struct socket *socket = socket_from(object);
    if (property != ZX_PROP_SOCKET_RX_THRESHOLD && property != ZX_PROP_SOCKET_TX_THRESHOLD)
        return ZX_ERR_WRONG_TYPE;
    irq_state_t irq = spin_lock_irqsave(&socket->end.pair->lock);
    *out =
        property == ZX_PROP_SOCKET_RX_THRESHOLD ? socket->read_threshold : socket->write_threshold;
    spin_unlock_irqrestore(&socket->end.pair->lock, irq);
    return ZX_OK;
}

static zx_status_t socket_set_number(struct object *object, zx_rights_t rights, uint32_t property,
                                     uint64_t value)
{
    struct socket *socket = socket_from(object);
    zx_status_t status = ZX_OK;
    (void)rights;
    if (property != ZX_PROP_SOCKET_RX_THRESHOLD && property != ZX_PROP_SOCKET_TX_THRESHOLD)
        return ZX_ERR_WRONG_TYPE;
    if (value > SOCKET_MAX_BYTES)
        return ZX_ERR_INVALID_ARGS;
    irq_state_t irq = spin_lock_irqsave(&socket->end.pair->lock);
    if (property == ZX_PROP_SOCKET_RX_THRESHOLD) {
        socket->read_threshold = value;
        update_reader_locked(socket);
    } else if (!socket->end.peer) {
        status = ZX_ERR_PEER_CLOSED;
    } else {
        socket->write_threshold = value;
        update_writer_locked(socket);
    }
    spin_unlock_irqrestore(&socket->end.pair->lock, irq);
    return status;
}

static const struct object_ops socket_ops = {
    .type = ZX_OBJ_TYPE_SOCKET,
    .default_rights = ZX_DEFAULT_SOCKET_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = socket_destroy,
    .on_zero_handles = socket_on_zero_handles,
    .related_koid = socket_related_koid,
    .signal_peer = socket_signal_peer,
    .get_number = socket_get_number,
    .set_number = socket_set_number,
};

static struct socket *socket_alloc(uint32_t options)
{
    struct socket *socket = kzalloc(sizeof(*socket));
    if (!socket)
        return NULL;
    object_init(&socket->object, &socket_ops, ZX_SOCKET_WRITABLE);
    socket->is_datagram = (options & ZX_SOCKET_DATAGRAM) != 0;
    mutex_init(&socket->read_lock, LOCK_RANK_PROCESS);
    mutex_init(&socket->write_lock, LOCK_RANK_PROCESS);
    list_init(&socket->pieces);
    return socket;
}

static void socket_free_unconnected(struct socket *socket)
{
    if (socket)
        object_abandon(&socket->object);
    kfree(socket);
}

zx_status_t socket_create(uint32_t options, struct object **out0, struct object **out1)
{
    struct socket *a = socket_alloc(options);
    struct socket *b = socket_alloc(options);
    if (!a || !b || pair_connect(&a->end, &a->object, &b->end, &b->object) != ZX_OK) {
        socket_free_unconnected(a);
        socket_free_unconnected(b);
        return ZX_ERR_NO_MEMORY;
    }
    *out0 = &a->object;
    *out1 = &b->object;
    return ZX_OK;
}

/* ---- Write ----------------------------------------------------------------------------------- */

/* Whether there may be written, and how much. With write_lock held the room can only grow. */
static zx_status_t check_write_locked(const struct socket *socket, size_t *len_bytes)
{
    const struct socket *peer = peer_locked(socket);
    if (!peer)
        return ZX_ERR_PEER_CLOSED;
    if (socket->is_write_disabled)
        return ZX_ERR_BAD_STATE;
    if (*len_bytes == 0)
        return ZX_OK;
    size_t room = SOCKET_MAX_BYTES - peer->count_bytes;
    if (socket->is_datagram && *len_bytes > SOCKET_MAX_BYTES)
        return ZX_ERR_OUT_OF_RANGE;
    if (room == 0 || (socket->is_datagram && *len_bytes > room))
        return ZX_ERR_SHOULD_WAIT;
    *len_bytes = MIN(*len_bytes, room);
    return ZX_OK;
}

static zx_status_t pieces_fill(struct list_node *pieces, size_t len_bytes, socket_copy_fn fn,
                               void *ctx)
{
    zx_status_t status = ZX_OK;
    for (size_t done = 0; done < len_bytes && status == ZX_OK;) {
        uint32_t len = (uint32_t)MIN(len_bytes - done, PIECE_MAX_BYTES);
        uint32_t capacity = MAX(len, (uint32_t)PIECE_MIN_BYTES);
        struct piece *piece = kmalloc(sizeof(*piece) + capacity);
        if (!piece)
            return ZX_ERR_NO_MEMORY;
        *piece = (struct piece){.len = len, .capacity = capacity};
        list_push_back(pieces, &piece->node);
        status = fn(ctx, piece->data, done, len);
        done += len;
        piece->is_last = done == len_bytes;
    }
    return status;
}

/* A short addition to a stream goes into the last piece, if there is room. */
static bool append_locked(struct socket *peer, const struct piece *piece)
{
    if (peer->is_datagram || list_is_empty(&peer->pieces))
        return false;
    struct piece *last = piece_from(peer->pieces.prev);
    if (piece->len > PIECE_MIN_BYTES || piece->len > last->capacity - last->len)
        return false;
    memcpy(last->data + last->len, piece->data, piece->len);
    atomic_store(&last->len, last->len + piece->len);
    return true;
}

static zx_status_t queue_pieces_locked(struct socket *socket, struct list_node *pieces,
                                       size_t len_bytes)
{
    zx_status_t status = check_write_locked(socket, &len_bytes);
    if (status != ZX_OK)
        return status;
    struct socket *peer = peer_locked(socket);
    if (!append_locked(peer, piece_from(pieces->next)))
        list_splice_back(&peer->pieces, pieces);
    peer->count_bytes += len_bytes;
    update_reader_locked(peer);
    update_writer_locked(socket);
    return ZX_OK;
}

zx_status_t socket_write(struct object *object, size_t len_bytes, socket_copy_fn fn, void *ctx,
                         size_t *out_done)
{
    struct socket *socket = socket_from(object);
    struct spinlock *lock = &socket->end.pair->lock;
    struct list_node pieces;
    list_init(&pieces);
    mutex_lock(&socket->write_lock);
    irq_state_t irq = spin_lock_irqsave(lock);
    zx_status_t status = check_write_locked(socket, &len_bytes);
    spin_unlock_irqrestore(lock, irq);
    if (status == ZX_OK && len_bytes > 0) {
        status = pieces_fill(&pieces, len_bytes, fn, ctx);
        irq = spin_lock_irqsave(lock);
        if (status == ZX_OK)
            status = queue_pieces_locked(socket, &pieces, len_bytes);
        spin_unlock_irqrestore(lock, irq);
    }
    mutex_unlock(&socket->write_lock);
    pieces_free(&pieces);
    if (status == ZX_OK)
        *out_done = len_bytes;
    return status;
}

/* ---- Read ------------------------------------------------------------------------------------ */

/* Bytes that the first read of the queue can give. */
static size_t count_first_locked(const struct socket *socket)
{
    size_t count = 0;
    if (!socket->is_datagram)
        return socket->count_bytes;
    list_for_each (node, &socket->pieces) {
        count += piece_from(node)->len;
        if (piece_from(node)->is_last)
            break;
    }
    return count;
}

static zx_status_t check_read_locked(const struct socket *socket, size_t *len_bytes)
{
    const struct socket *peer = peer_locked(socket);
    if (socket->count_bytes == 0) {
        if (!peer)
            return ZX_ERR_PEER_CLOSED;
        return peer->is_write_disabled ? ZX_ERR_BAD_STATE : ZX_ERR_SHOULD_WAIT;
    }
    *len_bytes = MIN(*len_bytes, count_first_locked(socket));
    return ZX_OK;
}

/* Writers only add behind what is there, so the read lock suffices. */
static zx_status_t copy_pieces(const struct socket *socket, size_t len_bytes, socket_copy_fn fn,
                               void *ctx)
{
    struct list_node *node = socket->pieces.next;
    zx_status_t status = ZX_OK;
    size_t done = 0;
    while (done < len_bytes && status == ZX_OK) {
        struct piece *piece = piece_from(node);
        size_t len = MIN((size_t)(atomic_load(&piece->len) - piece->taken), len_bytes - done);
        status = fn(ctx, piece->data + piece->taken, done, len);
        done += len;
        if (done < len_bytes)
            node = node->next;
    }
    return status == ZX_OK ? fn(ctx, NULL, len_bytes, 0) : status;
}

/* Takes what was read, and of a datagram all; |gone| gets the pieces that are empty. */
static void drop_locked(struct socket *socket, size_t len_bytes, struct list_node *gone)
{
    struct socket *peer = peer_locked(socket);
    size_t left = socket->is_datagram ? count_first_locked(socket) : len_bytes;
    socket->count_bytes -= left;
    while (left > 0) {
        struct piece *piece = piece_from(socket->pieces.next);
        size_t len = MIN((size_t)(piece->len - piece->taken), left);
        left -= len;
        piece->taken += (uint32_t)len;
        if (piece->taken < piece->len)
            break;
        list_remove(&piece->node);
        list_push_back(gone, &piece->node);
    }
    update_reader_locked(socket);
    if (peer)
        update_writer_locked(peer);
}

zx_status_t socket_read(struct object *object, bool peek, size_t len_bytes, socket_copy_fn fn,
                        void *ctx)
{
    struct socket *socket = socket_from(object);
    struct spinlock *lock = &socket->end.pair->lock;
    struct list_node gone;
    list_init(&gone);
    mutex_lock(&socket->read_lock);
    irq_state_t irq = spin_lock_irqsave(lock);
    zx_status_t status = check_read_locked(socket, &len_bytes);
    spin_unlock_irqrestore(lock, irq);
    if (status == ZX_OK)
        status = copy_pieces(socket, len_bytes, fn, ctx);
    if (status == ZX_OK && !peek) {
        irq = spin_lock_irqsave(lock);
        drop_locked(socket, len_bytes, &gone);
        spin_unlock_irqrestore(lock, irq);
    }
    mutex_unlock(&socket->read_lock);
    pieces_free(&gone);
    return status;
}

/* ---- Dispositions and facts ------------------------------------------------------------------ */

static void set_disposition_locked(struct socket *socket, uint32_t disposition)
{
    struct socket *peer = peer_locked(socket);
    if (disposition == 0)
        return;
    socket->is_write_disabled = disposition == ZX_SOCKET_DISPOSITION_WRITE_DISABLED;
    uint32_t own = ZX_SOCKET_WRITE_DISABLED;
    uint32_t peers = ZX_SOCKET_PEER_WRITE_DISABLED;
    bool disabled = socket->is_write_disabled;
    object_update_signals(&socket->object, disabled ? 0 : own, disabled ? own : 0);
    update_writer_locked(socket);
    if (peer)
        object_update_signals(&peer->object, disabled ? 0 : peers, disabled ? peers : 0);
}

zx_status_t socket_set_disposition(struct object *object, uint32_t own, uint32_t peers)
{
    struct socket *socket = socket_from(object);
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&socket->end.pair->lock);
    if (peers != 0 && !socket->end.peer) {
        status = ZX_ERR_PEER_CLOSED;
    } else {
        set_disposition_locked(socket, own);
        if (peers != 0)
            set_disposition_locked(peer_locked(socket), peers);
    }
    spin_unlock_irqrestore(&socket->end.pair->lock, irq);
    return status;
}

void socket_get_info(struct object *object, zx_info_socket_t *out)
{
    struct socket *socket = socket_from(object);
    *out = (zx_info_socket_t){.options = socket->is_datagram ? ZX_SOCKET_DATAGRAM : 0,
                              .rx_buf_max = SOCKET_MAX_BYTES};
    irq_state_t irq = spin_lock_irqsave(&socket->end.pair->lock);
    const struct socket *peer = peer_locked(socket);
    out->rx_buf_size = socket->count_bytes;
    out->rx_buf_available = count_first_locked(socket);
    if (peer) {
        out->tx_buf_max = SOCKET_MAX_BYTES;
        out->tx_buf_size = peer->count_bytes;
    }
    spin_unlock_irqrestore(&socket->end.pair->lock, irq);
}
