#include "kernel/vm/futex_key.h"

#include "kernel/vm/vmo.h"

zx_status_t futex_key_get(struct aspace *aspace, vaddr_t addr, struct futex_key *out)
{
    zx_status_t status = ZX_ERR_INVALID_ARGS;
    mutex_lock(&aspace->lock);
    struct mapping *mapping = aspace_find_mapping_locked(aspace, addr);
    if (mapping) {
        vmo_get(mapping->vmo);
        out->vmo = mapping->vmo;
        out->offset = mapping->vmo_offset + (addr - mapping->region.base);
        status = ZX_OK;
    }
    mutex_unlock(&aspace->lock);
    return status;
}
