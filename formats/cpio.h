/* Reads cpio archives of the "newc" kind (magic 070701, or 070702, whose check sums are not
 * verified), from memory. Nothing in the archive is trusted; no locks, no memory of its own. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

#define CPIO_MODE_TYPE 0170000u
#define CPIO_MODE_FILE 0100000u
#define CPIO_MODE_DIR  0040000u

struct cpio_entry {
    const char *name; /* in the archive, terminated, without "/" and "./" in front */
    const uint8_t *data;
    size_t size_bytes;
    uint32_t mode;
};

/* Steps through the archive of |len_bytes| at |data| (no alignment needed, borrowed; *out points
 * into it). *position is 0 at first and moves behind the entry. ZX_ERR_STOP: the trailer, with
 * which every whole archive ends. ZX_ERR_IO_DATA_INTEGRITY: the archive is broken or cut off here.
 * *position and *out stay as they are on both. */
__attribute__((warn_unused_result)) zx_status_t cpio_next(const void *data, size_t len_bytes,
                                                          size_t *position, struct cpio_entry *out);

/* The first regular file called |name|; "/" and "./" in front do not count, neither in |name| nor
 * in the archive. ZX_ERR_NOT_FOUND, ZX_ERR_IO_DATA_INTEGRITY. */
__attribute__((warn_unused_result)) zx_status_t cpio_find(const void *data, size_t len_bytes,
                                                          const char *name, struct cpio_entry *out);
