/* Operations on the VMOs behind a range of addresses, and the walk over its mappings. */
#include "kernel/lib/panic.h"
#include "kernel/vm/vmar_internal.h"

void mapping_cursor_init(struct mapping_cursor *cursor, struct vmar *vmar, vaddr_t addr,
                         vaddr_t end)
{
    *cursor = (struct mapping_cursor){.top = vmar, .vmar = vmar, .addr = addr, .end = end};
}

struct mapping *mapping_cursor_next(struct mapping_cursor *cursor)
{
    if (mapping_cursor_is_done(cursor))
        return NULL;
    for (;;) {
        struct vmar *vmar = cursor->vmar;
        struct region *region;
        if (vmar != cursor->top && cursor->addr == region_end(&vmar->region)) {
            cursor->vmar = vmar->region.parent;
            continue;
        }
        region = region_tree_find(&vmar->children, cursor->addr);
        if (region == NULL)
            return NULL;
        if (!region->is_vmar) {
            cursor->addr = region_end(region);
            return mapping_from_region(region);
        }
        cursor->vmar = vmar_from_region(region);
    }
}

/* How each operation treats the mappings that it meets. */
struct op_rule {
    uint32_t op; /* 0: there is none of this number */
    bool enters_children;
    bool needs_write; /* a mapping that is or could become writable */
    bool needs_shown; /* all of the range is in the VMO, and before the end of the mapping's view */
};

#define RULE(op, ...) [op] = {op, __VA_ARGS__}

static const struct op_rule op_rules[] = {
    RULE(ZX_VMAR_OP_COMMIT, false, true, true),
    RULE(ZX_VMAR_OP_DECOMMIT, false, true, true),
    RULE(ZX_VMAR_OP_MAP_RANGE, true, false, false),
    RULE(ZX_VMAR_OP_ZERO, false, true, false),
    RULE(ZX_VMAR_OP_DONT_NEED, true, false, false),
    RULE(ZX_VMAR_OP_ALWAYS_NEED, true, false, false),
    RULE(ZX_VMAR_OP_PREFETCH, false, false, true),
};

static const struct op_rule *find_rule(uint32_t op)
{
    return op < ARRAY_COUNT(op_rules) && op_rules[op].op != 0 ? &op_rules[op] : NULL;
}

static zx_status_t check_mapping(const struct mapping *mapping, const struct op_rule *rule)
{
    return rule->needs_write && (mapping->max_perms & MMU_PERM_WRITE) == 0 ? ZX_ERR_ACCESS_DENIED
                                                                           : ZX_OK;
}

static zx_status_t check_range(struct vmar *vmar, const struct op_rule *rule, vaddr_t addr,
                               vaddr_t end, bool op_children)
{
    struct mapping_cursor cursor;
    zx_status_t status = ZX_OK;

    mapping_cursor_init(&cursor, vmar, addr, end);
    while (status == ZX_OK && !mapping_cursor_is_done(&cursor)) {
        const struct mapping *mapping = mapping_cursor_next(&cursor);
        if (cursor.vmar != vmar && (!rule->enters_children || !op_children))
            return ZX_ERR_INVALID_ARGS;
        status = mapping != NULL ? check_mapping(mapping, rule) : ZX_ERR_BAD_STATE;
    }
    return status;
}

static bool is_shown(const struct mapping *mapping, vaddr_t end)
{
    vmo_lock(mapping->vmo);
    bool shown = mapping_offset_of(mapping, end) <= vmo_shown_end_locked(mapping);
    vmo_unlock(mapping->vmo);
    return shown;
}

/* The part [first, end) of the mapping. */
static zx_status_t do_mapping(struct mapping *mapping, const struct op_rule *rule, vaddr_t first,
                              vaddr_t end)
{
    uint64_t offset = mapping_offset_of(mapping, first);

    if (rule->needs_shown && !is_shown(mapping, end))
        return ZX_ERR_OUT_OF_RANGE;
    switch (rule->op) {
    case ZX_VMAR_OP_COMMIT:
        return vmo_commit(mapping->vmo, offset, end - first);
    case ZX_VMAR_OP_DECOMMIT:
        return vmo_decommit(mapping->vmo, offset, end - first);
    case ZX_VMAR_OP_ZERO:
        return vmo_zero(mapping->vmo, offset, end - first);
    case ZX_VMAR_OP_MAP_RANGE:
        mapping_populate_locked(mapping, first, end);
        return ZX_OK;
    case ZX_VMAR_OP_DONT_NEED:
    case ZX_VMAR_OP_ALWAYS_NEED:
    case ZX_VMAR_OP_PREFETCH:
        /* Hints about pages that could be reclaimed or brought in: anonymous memory has none. */
        return ZX_OK;
    default:
        panic("vmar_op_range: op %u has a rule but no action", rule->op);
    }
}

static zx_status_t op_range_locked(struct vmar *vmar, const struct op_rule *rule, vaddr_t addr,
                                   uint64_t len_bytes, bool op_children)
{
    struct mapping_cursor cursor;
    struct region *region;
    zx_status_t status;

    if (vmar->is_dead)
        return ZX_ERR_BAD_STATE;
    if (!vmar_contains(vmar, addr, len_bytes))
        return ZX_ERR_OUT_OF_RANGE;
    /* Most ranges lie in one mapping of the region. */
    region = region_tree_find(&vmar->children, addr);
    if (region != NULL && !region->is_vmar && addr + len_bytes <= region_end(region)) {
        struct mapping *mapping = mapping_from_region(region);
        status = check_mapping(mapping, rule);
        return status == ZX_OK ? do_mapping(mapping, rule, addr, addr + len_bytes) : status;
    }
    status = check_range(vmar, rule, addr, addr + len_bytes, op_children);
    mapping_cursor_init(&cursor, vmar, addr, addr + len_bytes);
    while (status == ZX_OK && !mapping_cursor_is_done(&cursor)) {
        struct mapping *mapping = mapping_cursor_next(&cursor);
        status = do_mapping(mapping, rule, MAX(mapping->region.base, addr),
                            MIN(region_end(&mapping->region), addr + len_bytes));
    }
    return status;
}

zx_status_t vmar_op_range(struct vmar *vmar, uint32_t op, vaddr_t addr, uint64_t len_bytes,
                          bool op_children)
{
    const struct op_rule *rule = find_rule(op);
    zx_status_t status;

    if (rule == NULL || !vmar_round_range(addr, len_bytes, &len_bytes))
        return ZX_ERR_INVALID_ARGS;
    mutex_lock(&vmar->aspace->lock);
    status = op_range_locked(vmar, rule, addr, len_bytes, op_children);
    mutex_unlock(&vmar->aspace->lock);
    return status;
}
