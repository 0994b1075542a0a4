// Reader of cpio archives in the "newc" format (magic 070701, or 070702 with check sums that are
// not verified). Pure functions over memory; nothing in the archive is trusted.
#ifndef USERLAND_LIBZX_CPIO_H_
#define USERLAND_LIBZX_CPIO_H_

#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

#define CPIO_MODE_TYPE 0170000u
#define CPIO_MODE_FILE 0100000u
#define CPIO_MODE_DIR  0040000u

struct cpio_entry {
    const char *name; // NUL-terminated, inside the archive, without leading "/" or "./"
    uint32_t mode;
    const unsigned char *data; // inside the archive
    size_t size;               // bytes of data
};

// Reads the entry at *offset (0 at first) and moves *offset behind it. ZX_ERR_STOP at the trailer
// or at the exact end of the archive, ZX_ERR_IO_DATA_INTEGRITY when the archive is malformed;
// neither changes anything.
zx_status_t cpio_next(const void *archive, size_t archive_bytes, size_t *offset,
                      struct cpio_entry *entry);

// Finds the first regular file with that name. ZX_ERR_NOT_FOUND, or cpio_next's errors.
zx_status_t cpio_find(const void *archive, size_t archive_bytes, const char *name,
                      struct cpio_entry *entry);

#endif // USERLAND_LIBZX_CPIO_H_
