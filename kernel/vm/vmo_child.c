/* Children of VMOs: copy-on-write snapshots, slices, references. */
#include "kernel/lib/panic.h"
#include "kernel/lib/string_copy.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo_internal.h"

#define SNAPSHOT_KINDS                                                                             \
    (ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE |                             \
     ZX_VMO_CHILD_SNAPSHOT_MODIFIED)
#define CHILD_KINDS   (SNAPSHOT_KINDS | ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_REFERENCE)
#define CHILD_OPTIONS (CHILD_KINDS | ZX_VMO_CHILD_RESIZABLE | ZX_VMO_CHILD_NO_WRITE)

/* A VMO of the largest size needs 52 bits of index; biases above this leave no room for it. */
#define MAX_BIAS (1ul << (PAGE_TREE_INDEX_BITS - 1))

struct child_request {
    struct vmo *parent;
    struct vmo *source; /* has the pages that the parent shows */
    uint32_t options;
    uint64_t offset;        /* in the parent */
    uint64_t source_offset; /* of the same place in the source */
    uint64_t size_bytes;
    uint64_t rounded;
};

/* ---- Checks --------------------------------------------------------------------------------- */

static zx_status_t check_options(const struct child_request *request)
{
    uint32_t options = request->options, kind = options & CHILD_KINDS;

    if ((options & ~CHILD_OPTIONS) != 0 || kind == 0 || (kind & (kind - 1)) != 0)
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VMO_CHILD_RESIZABLE) != 0 &&
        (options & (ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_NO_WRITE)) != 0)
        return ZX_ERR_INVALID_ARGS;
    if (!is_aligned(request->offset, PAGE_SIZE_BYTES))
        return ZX_ERR_INVALID_ARGS;
    if (kind == ZX_VMO_CHILD_REFERENCE && (request->offset != 0 || request->size_bytes != 0))
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

static zx_status_t check_parent(const struct child_request *request)
{
    const struct vmo *source = request->source;
    uint32_t options = request->options;
    bool is_slice = request->parent != source && !request->parent->is_reference;

    if (vmo_is_discardable(source))
        return ZX_ERR_NOT_SUPPORTED;
    if ((options & ZX_VMO_CHILD_REFERENCE) != 0 && (source->is_contiguous || is_slice))
        return ZX_ERR_NOT_SUPPORTED;
    if (source->kind == VMO_PHYSICAL && (options & ZX_VMO_CHILD_SLICE) == 0)
        return ZX_ERR_NOT_SUPPORTED;
    if ((options & ZX_VMO_CHILD_SLICE) != 0 && vmo_is_resizable(source))
        return vmo_range_is_valid(vmo_size_bytes(request->parent), request->offset,
                                  request->rounded)
                   ? ZX_ERR_NOT_SUPPORTED
                   : ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VMO_CHILD_REFERENCE) != 0 && (options & ZX_VMO_CHILD_RESIZABLE) != 0 &&
        !vmo_is_resizable(request->parent))
        return ZX_ERR_NOT_SUPPORTED;
    if (source->is_contiguous && (options & SNAPSHOT_KINDS) != 0)
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

static zx_status_t check_range(struct child_request *request)
{
    uint64_t end;

    if ((request->options & ZX_VMO_CHILD_SLICE) == 0 &&
        __builtin_add_overflow(request->offset, request->rounded, &end))
        return ZX_ERR_OUT_OF_RANGE;
    return ZX_OK;
}

/* ---- Snapshots ------------------------------------------------------------------------------ */

/* Gives the tree of a new child a bias of 0, page by page. For offsets that nobody uses. */
static zx_status_t rebase(struct vmo *child)
{
    struct page_tree old = child->pages;
    struct list_node freed = LIST_INIT(freed);
    uint64_t index = 0;
    zx_status_t status = ZX_OK;
    struct page *page;

    page_tree_init(&child->pages);
    while (status == ZX_OK && (page = page_tree_next(&old, index, UINT64_MAX, &index)) != NULL) {
        status = page_tree_insert(&child->pages, index - child->bias, page);
        index++;
    }
    page_tree_clear(&old, &freed);
    ASSERT(list_is_empty(&freed));
    child->bias = 0;
    return status;
}

/* Copies that write to pages of the parent right now go on after the snapshot is there; what they
 * write is for the parent alone. */
static zx_status_t part_from_writers(const struct child_request *request, struct vmo *child)
{
    list_for_each (node, &child->family->copies) {
        const struct vmo_copy *copy = list_entry(node, struct vmo_copy, node);
        uint64_t offset = copy->offset - request->source_offset;
        struct vmo_page_result result;
        /* An offset before the child's first page wraps, and is past its end too. */
        if (!copy->write || copy->vmo != request->source ||
            !vmo_peek_page_locked(child, offset, &result) || result.page != copy->page)
            continue;
        if (vmo_get_page_locked(child, offset, true, NULL, &result) != ZX_OK)
            return ZX_ERR_NO_MEMORY;
    }
    return ZX_OK;
}

static zx_status_t snapshot_locked(const struct child_request *request, struct vmo *child)
{
    struct vmo *source = request->source;
    uint64_t parent_bytes = request->parent->size_bytes, shared_bytes = 0;
    uint64_t first = vmo_tree_index(source, request->source_offset);
    zx_status_t status;

    if (request->parent->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE;
    child->is_snapshot = true;
    list_push_back(&child->family->members, &child->member_node);
    if (request->offset < parent_bytes)
        shared_bytes = MIN(request->rounded, parent_bytes - request->offset);
    status = page_tree_share_range(&source->pages, first, first + (shared_bytes >> PAGE_SHIFT),
                                   &child->pages);
    if (status != ZX_OK || child->pages.root == NULL)
        return status;
    child->bias = first;
    /* Before anything is copied: what a store leaves out of the snapshot, later ones do too. */
    vmo_write_protect_range_locked(source, request->source_offset, shared_bytes);
    status = child->bias > MAX_BIAS ? rebase(child) : ZX_OK;
    if (status == ZX_OK)
        status = part_from_writers(request, child);
    return status;
}

/* ---- Aliases -------------------------------------------------------------------------------- */

static zx_status_t alias_locked(const struct child_request *request, struct vmo *child)
{
    struct vmo *parent = request->parent, *source = request->source;

    if ((request->options & ZX_VMO_CHILD_REFERENCE) != 0) {
        child->is_reference = true;
        /* It can shrink with its source; whether through its own handles, their rights say. */
        child->options = source->options & ZX_VMO_RESIZABLE;
        child->size_bytes = parent->size_bytes;
        child->content_size_bytes = parent->content_size_bytes;
    } else if (!vmo_range_is_valid(parent->size_bytes, request->offset, request->rounded)) {
        return ZX_ERR_INVALID_ARGS;
    }
    vmo_get(source);
    child->source = source;
    child->source_offset = request->source_offset;
    child->cache_policy = parent->cache_policy;
    child->is_contiguous = source->is_contiguous;
    list_push_back(&source->aliases, &child->alias_node);
    return ZX_OK;
}

/* ---- All ------------------------------------------------------------------------------------ */

static zx_status_t create(const struct child_request *request, struct vmo **out)
{
    struct vmo *parent = request->parent;
    struct vmo *child = vmo_alloc(parent->family, (enum vmo_kind)parent->kind, request->rounded,
                                  request->size_bytes);
    zx_status_t status;

    if (child == NULL)
        return ZX_ERR_NO_MEMORY;
    if ((request->options & ZX_VMO_CHILD_RESIZABLE) != 0)
        child->options = ZX_VMO_RESIZABLE;
    vmo_lock(parent);
    status = (request->options & SNAPSHOT_KINDS) != 0 ? snapshot_locked(request, child)
                                                      : alias_locked(request, child);
    if (status == ZX_OK) {
        string_copy(child->name, parent->name, sizeof(child->name));
        vmo_adopt_locked(parent, child);
    }
    vmo_unlock(parent);
    if (status != ZX_OK) {
        vmo_put(child);
        return status;
    }
    vmo_announce_child(child);
    *out = child;
    return ZX_OK;
}

zx_status_t vmo_create_child(struct vmo *vmo, uint32_t options, uint64_t offset,
                             uint64_t size_bytes, struct vmo **out)
{
    struct child_request request = {.parent = vmo,
                                    .options = options,
                                    .offset = offset,
                                    .source_offset = offset,
                                    .size_bytes = size_bytes};
    zx_status_t status = check_options(&request);

    if (!vmo_round_size(size_bytes, &request.rounded))
        return ZX_ERR_OUT_OF_RANGE;
    request.source = vmo_resolve(vmo, &request.source_offset);
    if (status == ZX_OK)
        status = check_parent(&request);
    if (status == ZX_OK)
        status = check_range(&request);
    if (status != ZX_OK)
        return status;
    do {
        status = create(&request, out);
    } while (vmo_reclaim_for_retry(status));
    return status;
}
