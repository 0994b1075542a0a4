/* What a futex is: a place in a VMO, so that two address spaces which map the same page mean the
 * same futex. */
#pragma once

#include <zircon/errors.h>

#include "kernel/vm/aspace.h"

struct futex_key {
    uint64_t serial; /* of the VMO: no other one will ever have it */
    uint64_t offset; /* bytes */
};

/* The mapping that a thread's last futex was in, and what it showed then. */
struct futex_hint {
    uint64_t generation; /* of the address space's layout, plus 1; 0: no hint */
    vaddr_t base;
    uint64_t size_bytes;
    struct futex_key key; /* of |base| */
};

/* futex_key_get without a hint; notes one. */
zx_status_t futex_key_find(struct aspace *aspace, vaddr_t addr, struct futex_hint *hint,
                           struct futex_key *out);

/* The key of the word at |addr|. Neither needs the page to be present nor makes it so. |hint| is
 * the caller's alone and belongs to |aspace|. Takes the address space's lock unless the hint is
 * good. ZX_ERR_INVALID_ARGS: nothing is mapped there. */
MUST_USE static inline zx_status_t futex_key_get(struct aspace *aspace, vaddr_t addr,
                                                 struct futex_hint *hint, struct futex_key *out)
{
    vaddr_t distance = addr - hint->base;
    if (UNLIKELY(hint->generation != atomic_load_relaxed(&aspace->layout_generation) + 1 ||
                 distance >= hint->size_bytes))
        return futex_key_find(aspace, addr, hint, out);
    out->serial = hint->key.serial;
    out->offset = hint->key.offset + distance;
    return ZX_OK;
}

static inline bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
    return a->serial == b->serial && a->offset == b->offset;
}
