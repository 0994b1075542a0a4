/* VMARs: allocation, destruction, references. */
#include "kernel/vm/vmar.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/string_copy.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/vmar_internal.h"

#define ALLOCATE_OPTIONS                                                                           \
    (ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT | ZX_VM_COMPACT | ZX_VM_CAN_MAP_SPECIFIC |       \
     VMAR_CAN_MAP_RWX | VMAR_ALIGN_MASK)

static struct kcache *vmar_cache;

void vmar_init_cache(void)
{
    vmar_cache = kcache_create("vmar", sizeof(struct vmar), _Alignof(struct vmar));
}

struct vmar *vmar_alloc(struct aspace *aspace, vaddr_t base, uint64_t size_bytes, uint32_t options,
                        const char *name)
{
    struct vmar *vmar = kcache_zalloc(vmar_cache);
    if (vmar == NULL)
        return NULL;
    vmar->region.base = base;
    vmar->region.size_bytes = size_bytes;
    vmar->region.is_vmar = true;
    refcount_init(&vmar->refs);
    refcount_get(&aspace->refs);
    vmar->aspace = aspace;
    vmar->options = options & (VMAR_CAN_MAP_RWX | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_COMPACT);
    string_copy(vmar->name, name, sizeof(vmar->name));
    return vmar;
}

void vmar_get(struct vmar *vmar)
{
    refcount_get(&vmar->refs);
}

void vmar_put(struct vmar *vmar)
{
    struct aspace *aspace = vmar->aspace;
    if (!refcount_put(&vmar->refs))
        return;
    ASSERT(vmar->is_dead && vmar->children.root == NULL);
    kcache_free(vmar_cache, vmar);
    aspace_put(aspace);
}

void vmar_get_range(struct vmar *vmar, vaddr_t *out_base, uint64_t *out_len_bytes)
{
    *out_base = vmar->region.base;
    *out_len_bytes = vmar->region.size_bytes;
}

static zx_status_t allocate_locked(struct vmar *parent, uint32_t options, uint64_t offset,
                                   uint64_t size_bytes, struct vmar **out)
{
    struct place_request request = {options, offset, size_bytes};
    struct vmar *child;
    vaddr_t base;
    zx_status_t status;

    if (parent->is_dead)
        return ZX_ERR_BAD_STATE;
    if (size_bytes == 0)
        return ZX_ERR_INVALID_ARGS;
    if ((options & VMAR_CAN_MAP_RWX & ~parent->options) != 0)
        return ZX_ERR_ACCESS_DENIED;
    status = vmar_place_locked(parent, &request, &base);
    if (status != ZX_OK)
        return status;
    child = vmar_alloc(parent->aspace, base, size_bytes, options, "vmar");
    if (child == NULL)
        return ZX_ERR_NO_MEMORY;
    child->region.parent = parent;
    region_tree_insert(&parent->children, &child->region);
    vmar_get(child);
    *out = child;
    return ZX_OK;
}

zx_status_t vmar_allocate(struct vmar *parent, uint32_t options, uint64_t offset,
                          uint64_t size_bytes, struct vmar **out)
{
    zx_status_t status;
    if ((options & ~ALLOCATE_OPTIONS) != 0 || !vmar_align_is_valid(options) ||
        !is_aligned(size_bytes, PAGE_SIZE_BYTES))
        return ZX_ERR_INVALID_ARGS;
    mutex_lock(&parent->aspace->lock);
    status = allocate_locked(parent, options, offset, size_bytes, out);
    mutex_unlock(&parent->aspace->lock);
    return status;
}

/* ---- Destruction ------------------------------------------------------------------------------
 */

void dying_push(struct dying *dying, struct region *region)
{
    region->up = dying->first;
    dying->first = region;
}

void dying_release(struct dying *dying)
{
    struct region *region = dying->first;
    dying->first = NULL;
    while (region != NULL) {
        struct region *next = region->up;
        if (region->is_vmar)
            vmar_put(vmar_from_region(region));
        else
            mapping_destroy(mapping_from_region(region));
        region = next;
    }
}

/* Children first, without recursion: trees may be as deep as users like. */
void vmar_kill_locked(struct vmar *vmar, struct dying *dying)
{
    struct vmar *at = vmar;
    for (;;) {
        struct region *child = at->children.root;
        struct vmar *parent = at->region.parent;
        if (child != NULL && child->is_vmar) {
            at = vmar_from_region(child);
            continue;
        }
        if (child != NULL) {
            mapping_detach_locked(mapping_from_region(child));
            dying_push(dying, child);
            continue;
        }
        if (parent != NULL)
            region_tree_remove(&parent->children, &at->region);
        at->region.parent = NULL;
        at->is_dead = true;
        dying_push(dying, &at->region);
        if (at == vmar)
            return;
        ASSERT(parent != NULL);
        at = parent;
    }
}

zx_status_t vmar_destroy(struct vmar *vmar)
{
    struct aspace *aspace = vmar->aspace;
    struct dying dying = {NULL};
    zx_status_t status = ZX_OK;

    mutex_lock(&aspace->lock);
    if (vmar->is_dead) {
        status = ZX_ERR_BAD_STATE;
    } else if (vmar == aspace->root) {
        status = ZX_ERR_NOT_SUPPORTED;
    } else if (aspace_is_fixed_locked(aspace, vmar->region.base, vmar->region.size_bytes)) {
        status = ZX_ERR_ACCESS_DENIED;
    } else {
        struct shootdown shootdown;
        shootdown_begin_locked(&shootdown, aspace);
        shootdown_drop(&shootdown, vmar->region.base, vmar->region.size_bytes);
        shootdown_finish(&shootdown);
        vmar_kill_locked(vmar, &dying);
    }
    mutex_unlock(&aspace->lock);
    dying_release(&dying);
    return status;
}
