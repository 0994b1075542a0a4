/* Clearing ranges of addresses. */
#include "kernel/lib/panic.h"
#include "kernel/vm/vmar_internal.h"

zx_status_t cut_prepare_locked(struct cut *cut, struct vmar *vmar, vaddr_t addr, vaddr_t end,
                               bool may_destroy_vmars)
{
    struct region *region = region_tree_lower_bound(&vmar->children, addr);
    bool split = false;

    if (aspace_is_fixed_locked(vmar->aspace, addr, end - addr))
        return ZX_ERR_ACCESS_DENIED;
    if (region != NULL && region->base >= end)
        region = NULL;
    *cut = (struct cut){.vmar = vmar, .addr = addr, .end = end, .first = region};
    for (; region != NULL && region->base < end; region = region_next(region)) {
        bool covered = addr <= region->base && region_end(region) <= end;
        if (region->is_vmar && (!covered || !may_destroy_vmars))
            return ZX_ERR_INVALID_ARGS;
        split = split || (region->base < addr && end < region_end(region));
    }
    if (split) {
        cut->spare = mapping_alloc();
        if (cut->spare == NULL)
            return ZX_ERR_NO_MEMORY;
    }
    return ZX_OK;
}

static void cut_mapping_locked(struct cut *cut, struct mapping *mapping, struct dying *dying)
{
    vaddr_t base = mapping->region.base, end = region_end(&mapping->region);

    if (base < cut->addr && cut->end < end) {
        mapping_split_locked(mapping, cut->end, cut->spare);
        cut->spare = NULL;
        mapping_shrink_locked(mapping, base, cut->addr);
    } else if (base < cut->addr) {
        mapping_shrink_locked(mapping, base, cut->addr);
    } else if (cut->end < end) {
        mapping_shrink_locked(mapping, cut->end, end);
    } else {
        mapping_detach_locked(mapping);
        dying_push(dying, &mapping->region);
    }
}

void cut_commit_locked(struct cut *cut, struct dying *dying)
{
    struct shootdown shootdown;
    struct region *region = cut->first;

    if (region == NULL)
        return;
    shootdown_begin_locked(&shootdown, cut->vmar->aspace);
    shootdown_drop(&shootdown, cut->addr, cut->end - cut->addr);
    shootdown_finish(&shootdown);
    while (region != NULL && region->base < cut->end) {
        struct region *next = region_next(region);
        if (region->is_vmar)
            vmar_kill_locked(vmar_from_region(region), dying);
        else
            cut_mapping_locked(cut, mapping_from_region(region), dying);
        region = next;
    }
    DEBUG_ASSERT(cut->spare == NULL);
}

static zx_status_t unmap_locked(struct vmar *vmar, vaddr_t addr, uint64_t len_bytes,
                                bool op_children, struct dying *dying, bool *out_found)
{
    struct cut cut;
    zx_status_t status;

    if (vmar->is_dead)
        return ZX_ERR_BAD_STATE;
    if (!vmar_contains(vmar, addr, len_bytes))
        return ZX_ERR_INVALID_ARGS;
    status = cut_prepare_locked(&cut, vmar, addr, addr + len_bytes, op_children);
    if (status != ZX_OK)
        return status;
    cut_commit_locked(&cut, dying);
    if (out_found != NULL)
        *out_found = cut.first != NULL;
    return ZX_OK;
}

zx_status_t vmar_unmap(struct vmar *vmar, vaddr_t addr, uint64_t len_bytes, bool op_children,
                       bool *out_found)
{
    struct dying dying = {NULL};
    zx_status_t status;

    if (!vmar_round_range(addr, len_bytes, &len_bytes))
        return ZX_ERR_INVALID_ARGS;
    mutex_lock(&vmar->aspace->lock);
    status = unmap_locked(vmar, addr, len_bytes, op_children, &dying, out_found);
    mutex_unlock(&vmar->aspace->lock);
    dying_release(&dying);
    return status;
}

void vmar_unmap_fixed(struct vmar *vmar)
{
    struct aspace *aspace = vmar->aspace;
    struct dying dying = {NULL};

    mutex_lock(&aspace->lock);
    vaddr_t base = aspace->fixed_base;
    uint64_t len_bytes = aspace->fixed_bytes;
    aspace->fixed_bytes = 0;
    if (!vmar->is_dead) {
        zx_status_t status = unmap_locked(vmar, base, len_bytes, true, &dying, NULL);
        ASSERT(status == ZX_OK);
    }
    mutex_unlock(&aspace->lock);
    dying_release(&dying);
}
