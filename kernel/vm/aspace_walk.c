/* Telling what is in an address space. */
#include "kernel/lib/string_copy.h"
#include "kernel/vm/vmar_internal.h"

static void visit_mapping(const struct mapping *mapping, uint32_t depth, aspace_walk_fn fn,
                          void *ctx)
{
    struct vmo *vmo = mapping->vmo;
    char name[sizeof(vmo->name)];
    struct aspace_walk_entry entry = {
        .name = name,
        .base = mapping->region.base,
        .size_bytes = mapping->region.size_bytes,
        .depth = depth,
        .vmo = vmo,
        .perms = mapping->perms,
        .vmo_koid = vmo->koid,
        .vmo_offset = mapping->vmo_offset,
    };
    vmo_lock(vmo);
    string_copy(name, vmo->name, sizeof(name));
    entry.committed_bytes = PAGE_SIZE_BYTES * vmo_count_range_locked(vmo, mapping->vmo_offset,
                                                                     mapping->region.size_bytes);
    vmo_unlock(vmo);
    fn(ctx, &entry);
}

static void visit_vmar(const struct vmar *vmar, uint32_t depth, aspace_walk_fn fn, void *ctx)
{
    struct aspace_walk_entry entry = {
        .name = vmar->name,
        .base = vmar->region.base,
        .size_bytes = vmar->region.size_bytes,
        .depth = depth,
        .is_vmar = true,
    };
    fn(ctx, &entry);
}

static void walk_locked(struct vmar *top, uint32_t top_depth, aspace_walk_fn fn, void *ctx)
{
    struct region *at = &top->region;
    uint32_t depth = top_depth;

    for (;;) {
        struct region *next = NULL;
        if (at->is_vmar) {
            visit_vmar(vmar_from_region(at), depth, fn, ctx);
            next = region_tree_first(&vmar_from_region(at)->children);
            depth += next != NULL;
        } else {
            visit_mapping(mapping_from_region(at), depth, fn, ctx);
        }
        while (next == NULL) {
            if (at == &top->region)
                return;
            next = region_next(at);
            if (next == NULL) {
                at = &at->parent->region;
                depth--;
            }
        }
        at = next;
    }
}

zx_status_t aspace_walk(struct aspace *aspace, aspace_walk_fn fn, void *ctx)
{
    zx_status_t status = ZX_ERR_BAD_STATE;
    mutex_lock(&aspace->lock);
    if (aspace->root != NULL) {
        walk_locked(aspace->root, 1, fn, ctx);
        status = ZX_OK;
    }
    mutex_unlock(&aspace->lock);
    return status;
}

zx_status_t vmar_walk(struct vmar *vmar, aspace_walk_fn fn, void *ctx)
{
    zx_status_t status = ZX_ERR_BAD_STATE;
    mutex_lock(&vmar->aspace->lock);
    if (!vmar->is_dead) {
        walk_locked(vmar, 0, fn, ctx);
        status = ZX_OK;
    }
    mutex_unlock(&vmar->aspace->lock);
    return status;
}

/* What is mapped by one address space alone is private as far as no copy-on-write relative shows
 * it; the rest is shared, and each one's part of it counts the relatives and the address spaces. */
static void add_usage(void *ctx, const struct aspace_walk_entry *entry)
{
    struct aspace_usage *usage = ctx;
    struct byte_share *scaled = &usage->scaled_shared;
    struct vmo_usage vmo;
    size_t count;

    if (entry->is_vmar)
        return;
    vmo_lock(entry->vmo);
    vmo_get_usage_locked(entry->vmo, entry->vmo_offset, entry->size_bytes, &vmo);
    count = vmo_count_shares_locked(entry->vmo);
    vmo_unlock(entry->vmo);
    usage->mapped_bytes += entry->size_bytes;
    if (count == 1) {
        usage->private_bytes += vmo.private_bytes;
        usage->shared_bytes += vmo.committed_bytes - vmo.private_bytes;
        vmo.scaled.bytes -= vmo.private_bytes;
    } else {
        usage->shared_bytes += vmo.committed_bytes;
    }
    byte_share_add(scaled, vmo.scaled.bytes, count);
    scaled->fraction += vmo.scaled.fraction / count;
    if (scaled->fraction >= BYTE_SHARE_ONE) {
        scaled->fraction -= BYTE_SHARE_ONE;
        scaled->bytes++;
    }
}

void aspace_get_usage(struct aspace *aspace, struct aspace_usage *out)
{
    *out = (struct aspace_usage){.mapped_bytes = 0};
    /* A cleared address space uses nothing. */
    if (aspace_walk(aspace, add_usage, out) != ZX_OK)
        *out = (struct aspace_usage){.mapped_bytes = 0};
}
