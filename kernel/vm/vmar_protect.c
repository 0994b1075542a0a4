/* Changing permissions. Taking some away is done in the page tables at once; granting is left to
 * the faults that follow, so nothing here can fail once the nodes for splits are there. */
#include "kernel/lib/panic.h"
#include "kernel/vm/vmar_internal.h"

struct protect {
    struct vmar *vmar;
    uint32_t perms;
    vaddr_t addr, end;
    bool op_children;
    size_t count_splits;
    struct mapping *spares[2]; /* for the lower and the upper edge of the range */
};

static zx_status_t check_mapping(struct protect *protect, const struct mapping *mapping)
{
    bool is_nested = mapping->region.parent != protect->vmar;

    if ((protect->perms & ~(uint32_t)mapping->max_perms) != 0)
        return ZX_ERR_ACCESS_DENIED;
    if (is_nested && !protect->op_children)
        return ZX_ERR_INVALID_ARGS;
    if (is_nested && (protect->perms & ~(uint32_t)mapping->perms) != 0)
        return ZX_ERR_ACCESS_DENIED;
    if (mapping->perms != protect->perms) {
        protect->count_splits += mapping->region.base < protect->addr;
        protect->count_splits += protect->end < region_end(&mapping->region);
    }
    return ZX_OK;
}

static zx_status_t check_range(struct protect *protect)
{
    struct mapping_cursor cursor;
    mapping_cursor_init(&cursor, protect->vmar, protect->addr, protect->end);
    while (!mapping_cursor_is_done(&cursor)) {
        const struct mapping *mapping = mapping_cursor_next(&cursor);
        zx_status_t status = mapping != NULL ? check_mapping(protect, mapping) : ZX_ERR_NOT_FOUND;
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

static zx_status_t reserve_spares(struct protect *protect)
{
    ASSERT(protect->count_splits <= ARRAY_COUNT(protect->spares));
    for (size_t i = 0; i < protect->count_splits; i++) {
        protect->spares[i] = mapping_alloc();
        if (protect->spares[i] == NULL) {
            mapping_free_unused(protect->spares[0]);
            return ZX_ERR_NO_MEMORY;
        }
    }
    return ZX_OK;
}

/* Leaves in the page tables only what both the old and the new permissions of one mapping allow. */
static void narrow_mapping(const struct protect *protect, const struct mapping *mapping,
                           struct shootdown *shootdown)
{
    vaddr_t first = MAX(mapping->region.base, protect->addr);
    vaddr_t end = MIN(region_end(&mapping->region), protect->end);
    uint32_t keep = mapping->perms & protect->perms;

    if (keep != mapping->perms)
        shootdown_narrow(shootdown, first, end - first, mapping_flags(mapping, keep));
}

static void narrow_range(const struct protect *protect)
{
    struct mapping_cursor cursor;
    struct shootdown shootdown;

    shootdown_begin_locked(&shootdown, protect->vmar->aspace);
    mapping_cursor_init(&cursor, protect->vmar, protect->addr, protect->end);
    while (!mapping_cursor_is_done(&cursor))
        narrow_mapping(protect, mapping_cursor_next(&cursor), &shootdown);
    shootdown_finish(&shootdown);
}

static struct mapping *take_spare(struct protect *protect)
{
    return protect->spares[--protect->count_splits];
}

static void set_mapping(struct protect *protect, struct mapping *mapping)
{
    if (mapping->perms == protect->perms)
        return;
    if (mapping->region.base < protect->addr) {
        struct mapping *upper = take_spare(protect);
        mapping_split_locked(mapping, protect->addr, upper);
        mapping = upper;
    }
    if (protect->end < region_end(&mapping->region))
        mapping_split_locked(mapping, protect->end, take_spare(protect));
    mapping_set_perms_locked(mapping, protect->perms);
}

static void set_range(struct protect *protect)
{
    struct mapping_cursor cursor;

    mapping_cursor_init(&cursor, protect->vmar, protect->addr, protect->end);
    while (!mapping_cursor_is_done(&cursor))
        set_mapping(protect, mapping_cursor_next(&cursor));
}

/* The range lies in one mapping of the region, as most do. */
static zx_status_t protect_one_locked(struct protect *protect, struct mapping *mapping)
{
    zx_status_t status = check_mapping(protect, mapping);

    if (status == ZX_OK && protect->count_splits > 0)
        status = reserve_spares(protect);
    if (status != ZX_OK)
        return status;
    if ((mapping->perms & ~protect->perms) != 0) {
        struct shootdown shootdown;
        shootdown_begin_locked(&shootdown, protect->vmar->aspace);
        narrow_mapping(protect, mapping, &shootdown);
        shootdown_finish(&shootdown);
    }
    set_mapping(protect, mapping);
    return ZX_OK;
}

static zx_status_t protect_locked(struct protect *protect)
{
    struct region *region;
    zx_status_t status;

    if (protect->vmar->is_dead)
        return ZX_ERR_BAD_STATE;
    if (!vmar_contains(protect->vmar, protect->addr, protect->end - protect->addr))
        return ZX_ERR_INVALID_ARGS;
    if (aspace_is_fixed_locked(protect->vmar->aspace, protect->addr, protect->end - protect->addr))
        return ZX_ERR_ACCESS_DENIED;
    region = region_tree_find(&protect->vmar->children, protect->addr);
    if (region != NULL && !region->is_vmar && protect->end <= region_end(region))
        return protect_one_locked(protect, mapping_from_region(region));
    status = check_range(protect);
    if (status == ZX_OK)
        status = reserve_spares(protect);
    if (status != ZX_OK)
        return status;
    narrow_range(protect);
    set_range(protect);
    return ZX_OK;
}

zx_status_t vmar_protect(struct vmar *vmar, uint32_t options, vaddr_t addr, uint64_t len_bytes,
                         bool op_children)
{
    struct protect protect = {
        .vmar = vmar, .perms = options, .addr = addr, .op_children = op_children};
    zx_status_t status;

    if ((options & ~VMAR_PERM_MASK) != 0 ||
        (options & (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)) == ZX_VM_PERM_WRITE ||
        !vmar_round_range(addr, len_bytes, &len_bytes))
        return ZX_ERR_INVALID_ARGS;
    protect.end = addr + len_bytes;
    mutex_lock(&vmar->aspace->lock);
    status = protect_locked(&protect);
    mutex_unlock(&vmar->aspace->lock);
    return status;
}
