/* Adding mappings. */
#include "kernel/vm/vmar_internal.h"

#define MAP_OPTIONS                                                                                \
    (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_OFFSET_IS_UPPER_LIMIT | VMAR_PERM_MASK |    \
     ZX_VM_MAP_RANGE | ZX_VM_ALLOW_FAULTS | ZX_VM_FAULT_BEYOND_STREAM_SIZE |                       \
     ZX_VM_REQUIRE_NON_RESIZABLE | VMAR_ALIGN_MASK)

/* What can be said without knowing the region. */
static zx_status_t check_args(const struct vmar_map_args *args)
{
    uint32_t options = args->options;
    uint64_t end;

    if ((options & ZX_VM_REQUIRE_NON_RESIZABLE) != 0 && vmo_is_resizable(args->vmo))
        return ZX_ERR_NOT_SUPPORTED;
    if ((options & ~MAP_OPTIONS) != 0 || !vmar_align_is_valid(options))
        return ZX_ERR_INVALID_ARGS;
    if ((options & (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)) == ZX_VM_PERM_WRITE)
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VM_MAP_RANGE) != 0 && (options & ZX_VM_SPECIFIC_OVERWRITE) != 0)
        return ZX_ERR_INVALID_ARGS;
    if (!is_aligned(args->vmo_offset | args->len_bytes, PAGE_SIZE_BYTES))
        return ZX_ERR_INVALID_ARGS;
    if (__builtin_add_overflow(args->vmo_offset, args->len_bytes, &end))
        return ZX_ERR_OUT_OF_RANGE;
    return ZX_OK;
}

/* ZX_VM_ALIGN_*: to LARGE_PAGE_BYTES. */
#define LARGE_ALIGN (21u << ZX_VM_ALIGN_BASE)
_Static_assert(1ul << (LARGE_ALIGN >> ZX_VM_ALIGN_BASE) == LARGE_PAGE_BYTES, "");

/* Whether a place in which large pages can show the VMO is preferred to others: if it is to be
 * populated at once. It is less random than others. */
static bool may_be_aligned(const struct vmar *vmar, const struct vmar_map_args *args)
{
    return (args->options & ZX_VM_MAP_RANGE) != 0 && args->len_bytes >= LARGE_PAGE_BYTES &&
           is_aligned(args->vmo_offset, LARGE_PAGE_BYTES) &&
           (args->options & (ZX_VM_SPECIFIC | VMAR_ALIGN_MASK)) == 0 &&
           (vmar->options & ZX_VM_COMPACT) == 0;
}

static zx_status_t check_and_place_locked(struct vmar *vmar, const struct vmar_map_args *args,
                                          vaddr_t *out)
{
    struct place_request request = {args->options, args->vmar_offset, args->len_bytes};
    uint32_t perms = args->options & VMAR_PERM_MASK;

    if (args->is_fixed && vmar->aspace->fixed_bytes != 0)
        return ZX_ERR_ACCESS_DENIED;
    if (vmar->is_dead)
        return ZX_ERR_BAD_STATE;
    if (args->len_bytes == 0)
        return ZX_ERR_INVALID_ARGS;
    if ((perms & ~(vmar_perms(vmar) & args->max_perms)) != 0)
        return ZX_ERR_ACCESS_DENIED;
    if (may_be_aligned(vmar, args)) {
        struct place_request aligned = request;
        aligned.options |= LARGE_ALIGN;
        if (vmar_place_locked(vmar, &aligned, out) == ZX_OK)
            return ZX_OK;
    }
    return vmar_place_locked(vmar, &request, out);
}

static zx_status_t map_locked(struct vmar *vmar, const struct vmar_map_args *args,
                              struct dying *dying, vaddr_t *out_addr)
{
    struct cut cut;
    struct mapping *mapping;
    vaddr_t base;
    zx_status_t status = check_and_place_locked(vmar, args, &base);

    if (status != ZX_OK)
        return status;
    mapping = mapping_alloc();
    if (mapping == NULL)
        return ZX_ERR_NO_MEMORY;
    if ((args->options & ZX_VM_SPECIFIC_OVERWRITE) != 0) {
        status = cut_prepare_locked(&cut, vmar, base, base + args->len_bytes, false);
        if (status != ZX_OK) {
            mapping_free_unused(mapping);
            return status;
        }
        cut_commit_locked(&cut, dying);
    }

    mapping->region.base = base;
    mapping->region.size_bytes = args->len_bytes;
    mapping->vmo_offset = args->vmo_offset;
    mapping->keeper = args->keeper;
    mapping->perms = (uint8_t)(args->options & VMAR_PERM_MASK);
    mapping->max_perms = (uint8_t)(args->max_perms & vmar_perms(vmar));
    mapping->ends_with_stream = (args->options & ZX_VM_FAULT_BEYOND_STREAM_SIZE) != 0;
    mapping_attach_locked(mapping, vmar, args->vmo);
    if (args->is_fixed) {
        vmar->aspace->fixed_base = base;
        vmar->aspace->fixed_bytes = args->len_bytes;
    }
    if ((args->options & ZX_VM_MAP_RANGE) != 0)
        mapping_populate_locked(mapping, base, base + args->len_bytes);
    *out_addr = base;
    return ZX_OK;
}

zx_status_t vmar_map(struct vmar *vmar, const struct vmar_map_args *args, vaddr_t *out_addr)
{
    struct dying dying = {NULL};
    zx_status_t status = check_args(args);

    if (status != ZX_OK)
        return status;
    mutex_lock(&vmar->aspace->lock);
    status = map_locked(vmar, args, &dying, out_addr);
    mutex_unlock(&vmar->aspace->lock);
    dying_release(&dying);
    return status;
}
