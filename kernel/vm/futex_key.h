/* What a futex is: a place in a VMO, so that two address spaces which map the same page mean the
 * same futex. */
#pragma once

#include <zircon/errors.h>

#include "kernel/vm/aspace.h"

struct vmo;

struct futex_key {
    struct vmo *vmo;
    uint64_t offset; /* bytes */
};

/* The key of the word at |addr|, with a reference on the VMO in it: as long as somebody holds one,
 * no other VMO can have the same address. Neither needs the page to be present nor makes it so.
 * Takes the address space's lock. ZX_ERR_INVALID_ARGS: nothing is mapped there. */
MUST_USE zx_status_t futex_key_get(struct aspace *aspace, vaddr_t addr, struct futex_key *out);

static inline bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
    return a->vmo == b->vmo && a->offset == b->offset;
}
