#include "kernel/object/iob_ids.h"

#include "kernel/sync/atomic.h"

/* The header and each index entry are two 32-bit fields that change together. */
#define FIRST_ENTRY  8u
#define ENTRY_BYTES  8u
#define SECOND_SHIFT 32

/* Honest participants fail only when another one has succeeded. Who loses this often is up against
 * somebody who writes to the header in a loop. */
#define MAX_TRIES 100000u

struct id_header {
    uint32_t next_id;
    uint32_t blob_head;
};

static inline uint64_t pack(uint32_t first, uint32_t second)
{
    return first | (uint64_t)second << SECOND_SHIFT;
}

static struct id_header unpack_header(uint64_t word)
{
    return (struct id_header){.next_id = (uint32_t)word,
                              .blob_head = (uint32_t)(word >> SECOND_SHIFT)};
}

static uint64_t entry_offset(uint32_t id)
{
    return FIRST_ENTRY + (uint64_t)id * ENTRY_BYTES;
}

void iob_ids_init(const struct iob_memory *memory)
{
    uint64_t *header = iob_memory_at(memory, 0);
    atomic_store_release(header, pack(0, (uint32_t)memory->size_bytes));
}

/* Whether the next blob fits between index and blobs, as |header|, a copy, tells it. */
static zx_status_t check_header(const struct iob_memory *memory, struct id_header header,
                                uint64_t blob_bytes)
{
    uint64_t index_end = entry_offset(header.next_id);
    if (index_end > header.blob_head || header.blob_head > memory->size_bytes)
        return ZX_ERR_IO_DATA_INTEGRITY;
    uint64_t free_bytes = header.blob_head - index_end;
    if (free_bytes < ENTRY_BYTES || free_bytes - ENTRY_BYTES < blob_bytes)
        return ZX_ERR_NO_MEMORY;
    return ZX_OK;
}

zx_status_t iob_ids_check(const struct iob_memory *memory, uint64_t blob_bytes)
{
    const uint64_t *header = iob_memory_at(memory, 0);
    return check_header(memory, unpack_header(atomic_load_relaxed(header)), blob_bytes);
}

/* Moves the header past one entry and the blob. *out is the header that was replaced: it passed
 * the check, so what lies between the two is inside the region and this call's own. */
static zx_status_t reserve(const struct iob_memory *memory, uint64_t blob_bytes,
                           struct id_header *out)
{
    uint64_t *word = iob_memory_at(memory, 0);
    uint64_t seen = atomic_load_relaxed(word);

    for (uint32_t tries = 0; tries < MAX_TRIES; tries++) {
        struct id_header header = unpack_header(seen);
        zx_status_t status = check_header(memory, header, blob_bytes);
        if (status != ZX_OK)
            return status;
        uint64_t next = pack(header.next_id + 1, header.blob_head - (uint32_t)blob_bytes);
        if (atomic_cas(word, &seen, next)) {
            *out = header;
            return ZX_OK;
        }
    }
    return ZX_ERR_IO_DATA_INTEGRITY;
}

zx_status_t iob_ids_add(const struct iob_memory *memory, const void *blob, uint64_t blob_bytes,
                        uint32_t *out_id)
{
    struct id_header header;
    zx_status_t status = reserve(memory, blob_bytes, &header);
    if (status != ZX_OK)
        return status;
    uint32_t offset = header.blob_head - (uint32_t)blob_bytes;
    iob_memory_write(memory, offset, blob, blob_bytes);

    uint64_t *entry = iob_memory_at(memory, entry_offset(header.next_id));
    uint64_t empty = 0;
    if (!atomic_cas(entry, &empty, pack((uint32_t)blob_bytes, offset)))
        return ZX_ERR_IO_DATA_INTEGRITY;
    *out_id = header.next_id;
    return ZX_OK;
}
