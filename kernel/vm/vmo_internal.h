/* Shared by vmo.c (life, size, pages, mappings) and vmo_ops.c (contents). */
#pragma once

#include "kernel/vm/vmo.h"

/* True if [offset, offset + len) lies in [0, size). */
static inline bool vmo_range_is_valid(uint64_t size_bytes, uint64_t offset, uint64_t len_bytes)
{
    return offset <= size_bytes && len_bytes <= size_bytes - offset;
}

/* Moves the pages of a page-aligned range to |pages|, after unmapping them everywhere. The caller
 * puts them when it has released the lock. */
void vmo_drop_range_locked(struct vmo *vmo, uint64_t first, uint64_t end, struct list_node *pages);

/* Makes [first, end), of any alignment, read as zeros; dropped pages go to |pages|. */
void vmo_zero_range_locked(struct vmo *vmo, uint64_t first, uint64_t end, struct list_node *pages);

/* The same for a pinned VMO: nothing is dropped. */
void vmo_clear_pinned_locked(struct vmo *vmo, uint64_t first, uint64_t end);
