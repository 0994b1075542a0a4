/* Finds files in a cpio archive of the "newc" kind (magic 070701 or 070702), from memory. */
#pragma once

#include <zircon/errors.h>

#include "kernel/lib/compiler.h"

struct cpio_file {
    const char *name; /* in the archive, terminated */
    const uint8_t *data;
    size_t size_bytes;
    uint32_t mode;
};

/* Steps through the archive of |len_bytes| at |data|. *position is 0 at first. ZX_ERR_STOP: the end
 * (a TRAILER!!! entry). ZX_ERR_IO_DATA_INTEGRITY: the archive is broken here. */
MUST_USE zx_status_t cpio_next_file(const void *data, size_t len_bytes, size_t *position,
                                    struct cpio_file *out);

/* The regular file called |name|; "./" and "/" in front of names in the archive do not count.
 * ZX_ERR_NOT_FOUND, ZX_ERR_IO_DATA_INTEGRITY. */
MUST_USE zx_status_t cpio_find_file(const void *data, size_t len_bytes, const char *name,
                                    struct cpio_file *out);
