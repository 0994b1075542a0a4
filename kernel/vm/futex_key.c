#include "kernel/vm/futex_key.h"

#include "kernel/vm/vmo.h"

zx_status_t futex_key_find(struct aspace *aspace, vaddr_t addr, struct futex_hint *hint,
                           struct futex_key *out)
{
    zx_status_t status = ZX_ERR_INVALID_ARGS;
    mutex_lock(&aspace->lock);
    struct mapping *mapping = aspace_find_mapping_locked(aspace, addr);
    if (mapping) {
        hint->generation = aspace->layout_generation + 1;
        hint->base = mapping->region.base;
        hint->size_bytes = mapping->region.size_bytes;
        hint->key = (struct futex_key){mapping->vmo->serial, mapping->vmo_offset};
        *out = hint->key;
        out->offset += addr - hint->base;
        status = ZX_OK;
    }
    mutex_unlock(&aspace->lock);
    return status;
}
