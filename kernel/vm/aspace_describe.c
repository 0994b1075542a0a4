/* What a report of a crash says about an address. */
#include "kernel/lib/string_copy.h"
#include "kernel/vm/vmar_internal.h"

/* What fields of |place| say about a mapping. The VMO's name is copied under its lock. */
static void describe_mapping(struct mapping *mapping, struct aspace_place *place)
{
    struct vmo *vmo = mapping->vmo;

    place->base = mapping->region.base;
    place->size_bytes = mapping->region.size_bytes;
    place->region_base = mapping->region.parent->region.base;
    place->perms = mapping->perms;
    vmo_lock(vmo);
    string_copy(place->name, vmo->name, sizeof(place->name));
    vmo_unlock(vmo);
}

/* The first region in address order behind |region| and what is in it; NULL: there is none. */
static struct region *region_behind(struct region *region)
{
    struct region *next = region_next(region);
    while (next == NULL && region->parent != NULL) {
        region = &region->parent->region;
        next = region->parent != NULL ? region_next(region) : NULL;
    }
    return next;
}

/* The mappings on both sides of |addr|, which none covers. */
static void find_neighbours_locked(struct aspace *aspace, vaddr_t addr, struct mapping **below,
                                   struct mapping **above)
{
    struct region *at = region_tree_first(&aspace->root->children);

    while (at != NULL && *above == NULL) {
        struct region *inside =
            at->is_vmar ? region_tree_first(&vmar_from_region(at)->children) : NULL;
        if (!at->is_vmar)
            *(at->base > addr ? above : below) = mapping_from_region(at);
        at = inside != NULL ? inside : region_behind(at);
    }
}

enum aspace_relation aspace_describe(struct aspace *aspace, vaddr_t addr, struct aspace_place *out)
{
    enum aspace_relation relation = ASPACE_NOTHING;
    struct mapping *below = NULL, *above = NULL;

    mutex_lock(&aspace->lock);
    struct mapping *mapping = aspace_find_mapping_locked(aspace, addr);
    if (mapping != NULL) {
        relation = ASPACE_INSIDE;
    } else if (aspace->root != NULL) {
        find_neighbours_locked(aspace, addr, &below, &above);
        uint64_t past = below != NULL ? addr - region_end(&below->region) : UINT64_MAX;
        uint64_t before = above != NULL ? above->region.base - addr : UINT64_MAX;
        mapping = past < before ? below : above;
        if (mapping != NULL)
            relation = mapping == below ? ASPACE_ABOVE : ASPACE_BELOW;
    }
    if (mapping != NULL)
        describe_mapping(mapping, out);
    mutex_unlock(&aspace->lock);
    return relation;
}
