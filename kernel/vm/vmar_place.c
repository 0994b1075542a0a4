/* Where a new region goes: checks of the request, and the choice among the free places. */
#include "kernel/lib/bits.h"
#include "kernel/vm/vmar_internal.h"

/* Tries that are uniform over all free places before the search falls back to something else: a
 * random address is refused with the probability that it is taken. */
#define RANDOM_TRIES 4
/* Up to this many children all places are counted, which is exact however full the region is. */
#define COUNT_PLACES_MAX_CHILDREN 64

bool vmar_align_is_valid(uint32_t options)
{
    uint32_t log2 = options >> ZX_VM_ALIGN_BASE;
    return log2 == 0 || (log2 >= 10 && log2 <= 32);
}

static uint64_t align_bytes_of(uint32_t options)
{
    unsigned log2 = options >> ZX_VM_ALIGN_BASE;
    return BIT(MAX(log2, (unsigned)PAGE_SHIFT));
}

/* One of the |count| places |base|, |base| + align, ... */
static vaddr_t random_place(struct vmar *vmar, vaddr_t base, uint64_t count, uint64_t align_bytes)
{
    return base + aspace_random_below_locked(vmar->aspace, count) * align_bytes;
}

/* Number of aligned addresses in [first, end) from which the size fits; the lowest in *out. */
static uint64_t count_aligned(const struct gap_request *request, vaddr_t first, vaddr_t end,
                              vaddr_t *out)
{
    vaddr_t lowest = round_up(first, request->align_bytes);
    if (lowest < first || lowest >= end || end - lowest < request->size_bytes)
        return 0;
    *out = lowest;
    return (end - request->size_bytes - lowest) / request->align_bytes + 1;
}

/* A place in the first gap at or after |from|, else in the first of all. Gaps that are certain to
 * have room at any alignment are tried first: those are found in O(log n). */
static bool place_near(struct vmar *vmar, const struct gap_request *request, vaddr_t from,
                       vaddr_t *out)
{
    const struct region_tree *tree = &vmar->children;
    struct gap_request roomy = *request, exact = *request;
    vaddr_t at, first = request->first, end = request->end, lowest = 0;
    uint64_t count;

    roomy.size_bytes += request->align_bytes - PAGE_SIZE_BYTES;
    roomy.align_bytes = PAGE_SIZE_BYTES;
    roomy.first = from;
    exact.first = from;
    if (!region_tree_lowest_place(tree, &roomy, &at)) {
        roomy.first = request->first;
        if (!region_tree_lowest_place(tree, &roomy, &at) &&
            !region_tree_lowest_place(tree, &exact, &at) &&
            !region_tree_lowest_place(tree, request, &at))
            return false;
    }
    region_tree_gap_around(tree, at, &first, &end);
    count = count_aligned(request, first, end, &lowest);
    *out = random_place(vmar, lowest, count, request->align_bytes);
    return true;
}

static bool place_randomly(struct vmar *vmar, const struct gap_request *request, vaddr_t *out)
{
    const struct region_tree *tree = &vmar->children;
    vaddr_t lowest, at = 0;
    uint64_t count = count_aligned(request, request->first, request->end, &lowest);

    if (count == 0)
        return false;
    for (unsigned try = 0; try < RANDOM_TRIES; try++) {
        at = random_place(vmar, lowest, count, request->align_bytes);
        if (region_tree_is_free(tree, at, request->size_bytes)) {
            *out = at;
            return true;
        }
    }
    if (tree->count > COUNT_PLACES_MAX_CHILDREN)
        return place_near(vmar, request, at, out);
    count = region_tree_count_places(tree, request);
    return count != 0 && region_tree_nth_place(
                             tree, request, aspace_random_below_locked(vmar->aspace, count), out);
}

/* COMPACT: the first child goes anywhere, the others into the lowest gap above it that is large
 * enough, else right below it. */
static bool place_compactly(struct vmar *vmar, const struct gap_request *request, vaddr_t *out)
{
    struct gap_request above = *request;
    vaddr_t anchor, below;

    if (vmar->children.root == NULL)
        return place_randomly(vmar, request, out);
    anchor = MIN(vmar->children.root->subtree_first, request->end);
    above.first = MAX(anchor, request->first);
    if (region_tree_lowest_place(&vmar->children, &above, out))
        return true;
    if (anchor < request->first || anchor - request->first < request->size_bytes)
        return false;
    below = round_down(anchor - request->size_bytes, request->align_bytes);
    if (below < request->first)
        return false;
    *out = below;
    return true;
}

/* Everything about the request that does not depend on what is in the region. */
static zx_status_t check_request(const struct vmar *vmar, const struct place_request *request)
{
    uint64_t offset = request->offset, size = request->size_bytes;
    uint64_t room = vmar->region.size_bytes;
    bool specific = (request->options & (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE)) != 0;
    bool limited = (request->options & ZX_VM_OFFSET_IS_UPPER_LIMIT) != 0;

    if (specific && limited)
        return ZX_ERR_INVALID_ARGS;
    if (!specific && !limited && offset != 0)
        return ZX_ERR_INVALID_ARGS;
    if (!is_aligned(offset, PAGE_SIZE_BYTES))
        return ZX_ERR_INVALID_ARGS;
    if ((specific || limited) && (vmar->options & ZX_VM_CAN_MAP_SPECIFIC) == 0)
        return ZX_ERR_ACCESS_DENIED;
    if (limited && (offset > room || size > offset))
        return ZX_ERR_INVALID_ARGS;
    if (!limited && (offset >= room || size > room - offset))
        return ZX_ERR_INVALID_ARGS;
    if (specific && !is_aligned(vmar->region.base + offset, align_bytes_of(request->options)))
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

zx_status_t vmar_place_locked(struct vmar *vmar, const struct place_request *request, vaddr_t *out)
{
    vaddr_t base = vmar->region.base;
    struct gap_request gap = {
        .first = base,
        .end = region_end(&vmar->region),
        .size_bytes = request->size_bytes,
        .align_bytes = align_bytes_of(request->options),
    };
    bool found;
    zx_status_t status = check_request(vmar, request);

    if (status != ZX_OK)
        return status;
    if ((request->options & (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE)) != 0) {
        if ((request->options & ZX_VM_SPECIFIC_OVERWRITE) == 0 &&
            !region_tree_is_free(&vmar->children, base + request->offset, request->size_bytes))
            return ZX_ERR_ALREADY_EXISTS;
        *out = base + request->offset;
        return ZX_OK;
    }
    if ((request->options & ZX_VM_OFFSET_IS_UPPER_LIMIT) != 0)
        gap.end = base + request->offset;
    if ((vmar->options & ZX_VM_COMPACT) != 0)
        found = place_compactly(vmar, &gap, out);
    else
        found = place_randomly(vmar, &gap, out);
    return found ? ZX_OK : ZX_ERR_NO_RESOURCES;
}
