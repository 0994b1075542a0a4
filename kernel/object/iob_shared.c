#include "kernel/object/iob_shared.h"

#include <zircon/syscalls/iob.h>

#include "arch/arch.h"
#include "kernel/lib/string.h"
#include "kernel/object/vm_obj.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/vmo.h"

/* Records up to this size are copied with interrupts off. */
#define SHORT_RECORD_BYTES 512u

struct ring_header {
    uint64_t head;
    uint64_t tail;
};

/* ---- Shared regions -------------------------------------------------------------------------- */

static void shared_destroy(struct object *object)
{
    struct iob_shared *shared = iob_shared_from_object(object);
    iob_memory_close(&shared->memory);
    vmo_put(shared->vmo);
    kfree(shared);
}

static zx_status_t shared_get_name(struct object *object, char out[32])
{
    vmo_copy_name(iob_shared_from_object(object)->vmo, out);
    return ZX_OK;
}

static zx_status_t shared_set_name(struct object *object, const char *name)
{
    vmo_set_name(iob_shared_from_object(object)->vmo, name);
    return ZX_OK;
}

static const struct object_ops shared_ops = {
    .type = ZX_OBJ_TYPE_IOB_SHARED_REGION,
    .default_rights = ZX_DEFAULT_IOB_SHARED_REGION_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = shared_destroy,
    .get_name = shared_get_name,
    .set_name = shared_set_name,
};

zx_status_t iob_shared_create(uint64_t size_bytes, struct iob_shared **out)
{
    ASSERT(size_bytes != 0 && is_aligned(size_bytes, PAGE_SIZE_BYTES));
    if (size_bytes > USER_TOP - USER_BASE)
        return ZX_ERR_OUT_OF_RANGE;
    struct iob_shared *shared = kzalloc(sizeof(*shared));
    if (shared == NULL)
        return ZX_ERR_NO_MEMORY;
    zx_status_t status = vmo_create(size_bytes, 0, &shared->vmo);
    if (status != ZX_OK)
        goto fail;
    status = iob_memory_open(&shared->memory, shared->vmo);
    if (status != ZX_OK)
        goto fail_vmo;
    mutex_init(&shared->long_lock, LOCK_RANK_PAIR);
    object_init(&shared->object, &shared_ops, 0);
    shared->vmo->koid = shared->object.koid;
    *out = shared;
    return ZX_OK;

fail_vmo:
    vmo_put(shared->vmo);
fail:
    kfree(shared);
    return status;
}

/* ---- The ring -------------------------------------------------------------------------------- */

static struct ring_header *ring_header(const struct iob_shared *shared)
{
    return iob_memory_at(&shared->memory, 0);
}

static uint64_t ring_size_bytes(const struct iob_shared *shared)
{
    return shared->memory.size_bytes - PAGE_SIZE_BYTES;
}

/* Whether a record fits, and where it would begin. Head and tail are read once each: user code may
 * change them at any time, but the answer is about the values read, and what the caller writes
 * stays inside the ring whatever they are. */
static zx_status_t ring_find_room(const struct iob_shared *shared, uint64_t record_bytes,
                                  uint64_t *out_head)
{
    struct ring_header *header = ring_header(shared);
    uint64_t ring_bytes = ring_size_bytes(shared);
    if (record_bytes > ring_bytes)
        return ZX_ERR_NO_SPACE;

    uint64_t head = atomic_load_relaxed(&header->head);
    /* Acquire: what the reader has left behind is overwritten only after it was read. */
    uint64_t tail = atomic_load_acquire(&header->tail);
    if (tail > head || !is_aligned(head, sizeof(uint64_t)) || record_bytes > UINT64_MAX - head)
        return ZX_ERR_IO_DATA_INTEGRITY;
    if (head - tail > ring_bytes - record_bytes)
        return ZX_ERR_NO_SPACE;
    *out_head = head;
    return ZX_OK;
}

zx_status_t iob_ring_check(const struct iob_shared *shared, size_t payload_bytes)
{
    uint64_t head;
    return ring_find_room(shared, iob_record_size_bytes(payload_bytes), &head);
}

/* Copies a record that goes over the end of a page or of the ring. */
__attribute__((noinline)) static void ring_put_pieces(const struct iob_shared *shared,
                                                      uint64_t head,
                                                      const struct iob_record *record,
                                                      size_t record_bytes)
{
    uint64_t ring_bytes = ring_size_bytes(shared);
    uint64_t at = head % ring_bytes;
    size_t first = MIN(record_bytes, ring_bytes - at);

    iob_memory_write(&shared->memory, PAGE_SIZE_BYTES + at, record, first);
    if (first < record_bytes)
        iob_memory_write(&shared->memory, PAGE_SIZE_BYTES, (const char *)record + first,
                         record_bytes - first);
}

/* Copies the record, whole words, to where byte |head| of the stream is. */
static inline void ring_put(const struct iob_shared *shared, uint64_t head,
                            const struct iob_record *record, size_t record_bytes)
{
    uint64_t offset = PAGE_SIZE_BYTES + head % ring_size_bytes(shared);
    if (UNLIKELY(record_bytes > PAGE_SIZE_BYTES - (offset & PAGE_MASK))) {
        ring_put_pieces(shared, head, record, record_bytes);
        return;
    }
    uint64_t *to = iob_memory_at(&shared->memory, offset);
    const uint64_t *from = (const uint64_t *)record;
    const uint64_t *end = from + record_bytes / sizeof(*from);
    do {
        to[0] = from[0];
        to[1] = from[1];
        to += 2;
        from += 2;
    } while (end - from >= 2);
    if (from != end)
        *to = *from;
}

/* Lets readers see what lies before |head|, and tells those who watch the region; the signal does
 * not stay. The object's lock is held, also when nobody watches: so a watcher that came too late to
 * be told finds the new head after it has registered. */
static void ring_publish_locked(struct iob_shared *shared, uint64_t head)
{
    struct object *object = &shared->object;

    atomic_store_release(&ring_header(shared)->head, head);
    if (LIKELY(list_is_empty(&object->observers)))
        return;
    object_update_signals_locked(object, 0, ZX_IOB_SHARED_REGION_UPDATED);
    object_update_signals_locked(object, ZX_IOB_SHARED_REGION_UPDATED, 0);
}

static zx_status_t write_short_locked(struct iob_shared *shared, const struct iob_record *record,
                                      size_t record_bytes)
{
    uint64_t head;
    zx_status_t status = ring_find_room(shared, record_bytes, &head);
    if (status == ZX_OK) {
        ring_put(shared, head, record, record_bytes);
        ring_publish_locked(shared, head + record_bytes);
    }
    return status;
}

static void set_writing_long(struct iob_shared *shared, bool value)
{
    irq_state_t irq = spin_lock_irqsave(&shared->object.lock);
    shared->is_writing_long = value;
    spin_unlock_irqrestore(&shared->object.lock, irq);
}

/* Copies with interrupts on, while everybody else who writes has to come this way. */
__attribute__((noinline)) static zx_status_t
write_long(struct iob_shared *shared, const struct iob_record *record, size_t record_bytes)
{
    uint64_t head;

    mutex_lock(&shared->long_lock);
    set_writing_long(shared, true);
    zx_status_t status = ring_find_room(shared, record_bytes, &head);
    if (status == ZX_OK) {
        ring_put(shared, head, record, record_bytes);
        irq_state_t irq = spin_lock_irqsave(&shared->object.lock);
        ring_publish_locked(shared, head + record_bytes);
        spin_unlock_irqrestore(&shared->object.lock, irq);
    }
    set_writing_long(shared, false);
    mutex_unlock(&shared->long_lock);
    return status;
}

zx_status_t iob_ring_write(struct iob_shared *shared, const struct iob_record *record)
{
    size_t record_bytes = iob_record_size_bytes(record->payload_bytes);
    ASSERT(record->payload_bytes <= IOB_RING_PAYLOAD_MAX_BYTES);

    if (record_bytes <= SHORT_RECORD_BYTES) {
        irq_state_t irq = spin_lock_irqsave(&shared->object.lock);
        bool is_mine = !shared->is_writing_long;
        zx_status_t status = ZX_OK;
        if (LIKELY(is_mine))
            status = write_short_locked(shared, record, record_bytes);
        spin_unlock_irqrestore(&shared->object.lock, irq);
        if (LIKELY(is_mine))
            return status;
    }
    return write_long(shared, record, record_bytes);
}
