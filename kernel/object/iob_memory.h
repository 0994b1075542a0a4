/* Memory of an IOB region that the kernel itself works on: all pages present and pinned, reached
 * through the linear map.
 *
 * User code may have the same pages mapped and write to them at any time. Whoever reads a value
 * from here reads it once, checks it, and uses that copy. */
#pragma once

#include <zircon/errors.h>

#include "kernel/lib/compiler.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

struct vmo;

struct iob_memory {
    struct vmo *vmo; /* borrowed; pinned */
    uint64_t size_bytes;
    void **pages; /* kernel address of each page; NULL: nothing is pinned */
};

/* Commits and pins all of |vmo|, which stays until iob_memory_close. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t iob_memory_open(struct iob_memory *memory, struct vmo *vmo);
/* Also for one that was never opened (all zeros). */
void iob_memory_close(struct iob_memory *memory);

static inline bool iob_memory_is_open(const struct iob_memory *memory)
{
    return memory->pages != NULL;
}

/* The byte at |offset| (< size); the rest of its page follows. */
static inline void *iob_memory_at(const struct iob_memory *memory, uint64_t offset)
{
    return (char *)memory->pages[offset >> PAGE_SHIFT] + (offset & PAGE_MASK);
}

/* Copies kernel memory to [offset, offset + len), which lies inside and in one page or several. */
void iob_memory_write_pages(const struct iob_memory *memory, uint64_t offset, const void *src,
                            size_t len_bytes);
static inline void iob_memory_write(const struct iob_memory *memory, uint64_t offset,
                                    const void *src, size_t len_bytes)
{
    ASSERT(offset <= memory->size_bytes && len_bytes <= memory->size_bytes - offset);
    if (LIKELY(len_bytes <= PAGE_SIZE_BYTES - (offset & PAGE_MASK)) && len_bytes > 0)
        memcpy(iob_memory_at(memory, offset), src, len_bytes);
    else
        iob_memory_write_pages(memory, offset, src, len_bytes);
}
