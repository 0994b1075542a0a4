/* Shared regions: memory that regions of any number of IOBuffers may show, and the ring buffer in
 * it that the kernel writes for them.
 *
 *   page 0   head (64 bits): bytes ever written; tail (64 bits): bytes ever read, the reader's
 *   page 1.. the ring: byte n of the stream is at n modulo the size of the ring
 *
 * A record is a tag (64 bits), the length of the payload (64 bits), the payload, and filling up to
 * a multiple of 8. Only the kernel writes records and moves the head; a reader in user space
 * follows it with the tail. Readers see whole records only: the head is stored, with release order,
 * after the record. */
#pragma once

#include "kernel/object/iob_memory.h"
#include "kernel/object/object.h"
#include "kernel/sched/mutex.h"

struct iob_shared {
    struct object object; /* ZX_IOB_SHARED_REGION_UPDATED is pulsed by each record */
    struct vmo *vmo;      /* one reference; has the object's koid */
    struct iob_memory memory;
    /* Records are written one after the other: short ones with the object's lock held, unless
     * |is_writing_long| (under that lock) says that the owner of |long_lock| is at work. */
    bool is_writing_long;
    struct mutex long_lock; /* rank PAIR */
};

/* What a writer hands over: kernel memory, a multiple of 8 bytes long. */
struct iob_record {
    uint64_t tag;
    uint64_t payload_bytes;
    uint64_t payload[]; /* filled up to a whole word */
};

/* A whole record, header included, must fit 16 bits. */
#define IOB_RING_PAYLOAD_MAX_BYTES (65535u - sizeof(struct iob_record))
/* The header's page and one for the ring. */
#define IOB_RING_MIN_BYTES (2 * PAGE_SIZE_BYTES)

static inline size_t iob_record_size_bytes(size_t payload_bytes)
{
    return round_up(sizeof(struct iob_record) + payload_bytes, sizeof(uint64_t));
}

static inline struct iob_shared *iob_shared_from_object(struct object *object)
{
    return container_of(object, struct iob_shared, object);
}

/* |size_bytes| of zeroed, pinned memory: a page multiple, not 0. Returns one reference.
 * ZX_ERR_OUT_OF_RANGE: more than an address space could map. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t iob_shared_create(uint64_t size_bytes, struct iob_shared **out);

/* Whether a record with a payload of that size fits right now. |payload_bytes| <=
 * IOB_RING_PAYLOAD_MAX_BYTES; the region has IOB_RING_MIN_BYTES or more. ZX_ERR_NO_SPACE: there is
 * no room. ZX_ERR_IO_DATA_INTEGRITY: head or tail cannot be right. */
MUST_USE zx_status_t iob_ring_check(const struct iob_shared *shared, size_t payload_bytes);

/* Appends a record (as long as its payload_bytes say) and tells those who watch the region. Errors
 * as iob_ring_check, and then nothing was written. May sleep; no lock held. */
MUST_USE zx_status_t iob_ring_write(struct iob_shared *shared, const struct iob_record *record);
