/* The id allocator discipline: blobs of bytes get the numbers 0, 1, 2 ... in a region's memory.
 *
 *   0       next id (32 bits), offset of the lowest blob (32 bits)
 *   8 + 8n  blob n: size, offset (32 bits each); both 0 until the blob is complete
 *   ...     zeros
 *   ... end blobs, each below the one before
 *
 * User code that has the region mapped takes part: ids are allocated by compare-and-swap of the
 * first eight bytes, and an entry is stored, with release order, once its blob is there. */
#pragma once

#include "kernel/object/iob_memory.h"

/* Sizes that the layout can describe. */
#define IOB_IDS_MIN_BYTES PAGE_SIZE_BYTES
#define IOB_IDS_MAX_BYTES (UINT32_MAX & ~PAGE_MASK)

/* Lays out an empty container in memory full of zeros. */
void iob_ids_init(const struct iob_memory *memory);

/* Whether a blob of that size fits right now: ZX_ERR_IO_DATA_INTEGRITY: the container is corrupt.
 * ZX_ERR_NO_MEMORY: it is full. */
MUST_USE zx_status_t iob_ids_check(const struct iob_memory *memory, uint64_t blob_bytes);

/* Stores the blob (kernel memory) and gives its id. Errors as iob_ids_check; corrupt is also an
 * entry that is not empty, and a header that others keep changing without end. Any number of
 * threads, no lock needed. */
MUST_USE zx_status_t iob_ids_add(const struct iob_memory *memory, const void *blob,
                                 uint64_t blob_bytes, uint32_t *out_id);
