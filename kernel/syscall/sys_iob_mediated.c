/* Writes to IOBuffer regions that the kernel does for its callers. What is written is copied to
 * kernel memory first: so a fault on the way leaves the region as it was, nobody waits for a lock
 * during one, and nothing of the payload is read twice. */
#include "kernel/object/iob_ids.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"
#include "kernel/vm/kheap.h"

/* Up to this many bytes are copied by way of the stack. */
#define STACK_COPY_BYTES 256u

/* ---- Id allocator ---------------------------------------------------------------------------- */

/* *id_user can be written and keeps its value for now: an id cannot be given back. */
static zx_status_t probe_out_u32(uint32_t __user *id_user)
{
    uint32_t value;
    zx_status_t status = user_copy_in(&value, id_user, sizeof(value));
    return status == ZX_OK ? user_put_u32(id_user, value) : status;
}

static zx_status_t copy_blob(const struct iob_memory *memory, void *copy,
                             const void __user *blob_user, uint64_t blob_bytes, uint32_t *out_id)
{
    zx_status_t status = user_copy_in(copy, blob_user, blob_bytes);
    return status == ZX_OK ? iob_ids_add(memory, copy, blob_bytes, out_id) : status;
}

static zx_status_t allocate_id(const struct iob_memory *memory, const void __user *blob_user,
                               uint64_t blob_bytes, uint32_t *out_id)
{
    char small[STACK_COPY_BYTES];
    zx_status_t status = iob_ids_check(memory, blob_bytes);
    if (status != ZX_OK)
        return status;
    if (blob_bytes <= sizeof(small))
        return copy_blob(memory, small, blob_user, blob_bytes, out_id);
    void *copy = kmalloc(blob_bytes);
    if (copy == NULL)
        return ZX_ERR_NO_MEMORY;
    status = copy_blob(memory, copy, blob_user, blob_bytes, out_id);
    kfree(copy);
    return status;
}

zx_status_t sys_iob_allocate_id(zx_handle_t handle, uint32_t options, uint32_t region_index,
                                const void __user *blob_ptr, uint64_t blob_size,
                                uint32_t __user *id)
{
    const struct iob_memory *memory;
    struct iob_endpoint *endpoint;
    uint32_t new_id;

    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = lookup_iob(handle, ZX_RIGHT_WRITE, &endpoint, NULL);
    if (status != ZX_OK)
        return status;
    status = iob_get_ids(endpoint, region_index, &memory);
    if (status == ZX_OK)
        status = probe_out_u32(id);
    if (status == ZX_OK)
        status = allocate_id(memory, blob_ptr, blob_size, &new_id);
    if (status == ZX_OK)
        status = user_put_u32(id, new_id);
    object_put(&endpoint->object);
    return status;
}

/* ---- Ring buffer ----------------------------------------------------------------------------- */

#define VECTORS_MAX 8u

struct payload {
    zx_iovec_t vectors[VECTORS_MAX];
    size_t count_vectors;
    size_t size_bytes;
};

static zx_status_t payload_get(struct payload *payload, const zx_iovec_t __user *vectors_user,
                               size_t count)
{
    size_t room = IOB_RING_PAYLOAD_MAX_BYTES;
    if (count > VECTORS_MAX)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status =
        user_copy_in(payload->vectors, vectors_user, count * sizeof(payload->vectors[0]));
    if (status != ZX_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        if (payload->vectors[i].capacity > room)
            return ZX_ERR_INVALID_ARGS;
        room -= payload->vectors[i].capacity;
    }
    payload->count_vectors = count;
    payload->size_bytes = IOB_RING_PAYLOAD_MAX_BYTES - room;
    return ZX_OK;
}

/* ZX_ERR_NOT_FOUND: part of it cannot be read. */
static zx_status_t payload_copy(const struct payload *payload, char *copy)
{
    for (size_t i = 0; i < payload->count_vectors; i++) {
        const zx_iovec_t *vector = &payload->vectors[i];
        if (user_copy_in(copy, vector->buffer, vector->capacity) != ZX_OK)
            return ZX_ERR_NOT_FOUND;
        copy += vector->capacity;
    }
    return ZX_OK;
}

/* |record| has room for the payload, and is filled here. A ring that would not have taken it anyway
 * is the first thing to say. */
static zx_status_t fill_and_write(struct iob_shared *shared, uint64_t tag,
                                  const struct payload *payload, struct iob_record *record)
{
    record->tag = tag;
    record->payload_bytes = payload->size_bytes;
    if (payload->size_bytes % sizeof(uint64_t) != 0)
        record->payload[payload->size_bytes / sizeof(uint64_t)] = 0;
    if (LIKELY(payload_copy(payload, (char *)record->payload) == ZX_OK))
        return iob_ring_write(shared, record);
    zx_status_t status = iob_ring_check(shared, payload->size_bytes);
    return status == ZX_OK ? ZX_ERR_NOT_FOUND : status;
}

/* Room for a record that is too long for the stack, unless the ring has none for it. */
static zx_status_t record_alloc(struct iob_shared *shared, const struct payload *payload,
                                struct iob_record **out)
{
    zx_status_t status = iob_ring_check(shared, payload->size_bytes);
    if (status != ZX_OK)
        return status;
    *out = kmalloc(iob_record_size_bytes(payload->size_bytes));
    return *out == NULL ? ZX_ERR_NO_MEMORY : ZX_OK;
}

static zx_status_t write_record(struct iob_shared *shared, uint64_t tag,
                                const zx_iovec_t __user *vectors_user, size_t count)
{
    union {
        struct iob_record record;
        uint64_t words[(sizeof(struct iob_record) + STACK_COPY_BYTES) / sizeof(uint64_t)];
    } small;
    struct iob_record *record = &small.record;
    struct payload payload;
    zx_status_t status = payload_get(&payload, vectors_user, count);
    if (status == ZX_OK && UNLIKELY(payload.size_bytes > STACK_COPY_BYTES))
        status = record_alloc(shared, &payload, &record);
    if (status != ZX_OK)
        return status;
    status = fill_and_write(shared, tag, &payload, record);
    if (UNLIKELY(record != &small.record))
        kfree(record);
    return status;
}

zx_status_t sys_iob_writev(zx_handle_t handle, uint64_t options, uint32_t region_index,
                           const zx_iovec_t __user *vectors, size_t num_vectors)
{
    struct iob_endpoint *endpoint;
    struct iob_shared *shared;
    uint64_t tag;

    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = lookup_iob(handle, ZX_RIGHT_WRITE, &endpoint, NULL);
    if (status != ZX_OK)
        return status;
    status = iob_get_ring(endpoint, region_index, &shared, &tag);
    if (status == ZX_OK)
        status = write_record(shared, tag, vectors, num_vectors);
    object_put(&endpoint->object);
    return status;
}
