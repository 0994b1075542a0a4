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

struct usage {
    uint64_t mapped_bytes, committed_bytes;
};

static void add_usage(void *ctx, const struct aspace_walk_entry *entry)
{
    struct usage *usage = ctx;
    if (entry->is_vmar)
        return;
    usage->mapped_bytes += entry->size_bytes;
    usage->committed_bytes += entry->committed_bytes;
}

void aspace_get_usage(struct aspace *aspace, uint64_t *out_mapped_bytes,
                      uint64_t *out_committed_bytes)
{
    struct usage usage = {0, 0};
    /* A cleared address space uses nothing. */
    if (aspace_walk(aspace, add_usage, &usage) != ZX_OK)
        usage = (struct usage){0, 0};
    *out_mapped_bytes = usage.mapped_bytes;
    *out_committed_bytes = usage.committed_bytes;
}
