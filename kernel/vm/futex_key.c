#include "kernel/vm/futex_key.h"

#include "kernel/vm/vmo.h"

/* The mapping around |addr|, in whatever sub-region. */
static struct mapping *mapping_find_locked(struct aspace *aspace, vaddr_t addr)
{
    struct vmar *vmar = aspace->root;
    while (vmar) {
        struct region *region = region_tree_find(&vmar->children, addr);
        if (!region)
            return NULL;
        if (!region->is_vmar)
            return container_of(region, struct mapping, region);
        vmar = container_of(region, struct vmar, region);
    }
    return NULL;
}

zx_status_t futex_key_get(struct aspace *aspace, vaddr_t addr, struct futex_key *out)
{
    zx_status_t status = ZX_ERR_INVALID_ARGS;
    mutex_lock(&aspace->lock);
    struct mapping *mapping = mapping_find_locked(aspace, addr);
    if (mapping) {
        vmo_get(mapping->vmo);
        out->vmo = mapping->vmo;
        out->offset = mapping->vmo_offset + (addr - mapping->region.base);
        status = ZX_OK;
    }
    mutex_unlock(&aspace->lock);
    return status;
}
