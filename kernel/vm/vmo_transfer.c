/* Moving pages from one VMO to another. The two may belong to different families, and no thread
 * holds two families' locks: a page leaves the one under its lock and enters the other under that
 * one's, with everything reserved before it leaves. */
#include "arch/mmu.h"
#include "kernel/lib/panic.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo_internal.h"

static zx_status_t check(const struct vmo *vmo)
{
    if (vmo->kind != VMO_PAGED || vmo->is_contiguous || vmo_is_discardable(vmo))
        return ZX_ERR_NOT_SUPPORTED;
    return ZX_OK;
}

static zx_status_t check_range(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    zx_status_t status = ZX_OK;

    vmo_lock(vmo);
    if (!vmo_range_is_valid(vmo->size_bytes, offset, len_bytes))
        status = ZX_ERR_OUT_OF_RANGE;
    else if (vmo->cache_policy != ZX_CACHE_POLICY_CACHED)
        status = ZX_ERR_BAD_STATE;
    vmo_unlock(vmo);
    return status;
}

/* Takes the page at |offset|, which is present, out of a VMO that is no alias. What relatives show
 * stays with them. So does a page that copies use without the lock: they would go on with it for
 * this VMO, which the one that it moves to does not know of. In either case a copy goes. */
static zx_status_t take_page_locked(struct vmo *vmo, uint64_t offset, struct page **out)
{
    struct list_node freed = LIST_INIT(freed);
    struct vmo_page_result result;
    struct page *page, *fresh = NULL;
    zx_status_t status = vmo_get_page_locked(vmo, offset, true, NULL, &result);

    if (status != ZX_OK)
        return status;
    if (atomic_load_relaxed(&result.page->refs) > 1) {
        fresh = pmm_alloc_page(PAGE_VMO, 0);
        if (fresh == NULL)
            return ZX_ERR_NO_MEMORY;
    }
    status = vmo_drop_range_locked(vmo, offset, offset + PAGE_SIZE_BYTES, false, &freed);
    if (status != ZX_OK) {
        if (fresh != NULL)
            page_put(fresh);
        return status;
    }
    page = list_entry(list_pop_front(&freed), struct page, node);
    ASSERT(page == result.page && list_is_empty(&freed));
    if (fresh != NULL) {
        arch_page_copy(phys_to_virt(page_to_paddr(fresh)), phys_to_virt(page_to_paddr(page)));
        page_put(page);
    }
    *out = fresh != NULL ? fresh : page;
    return ZX_OK;
}

/* Takes the first page of [*at, end) out; *at becomes its offset, or |end| if there is none. The
 * caller owns *out. */
static zx_status_t take_page(struct vmo *vmo, uint64_t *at, uint64_t end, struct page **out)
{
    zx_status_t status = ZX_OK;

    vmo_lock(vmo);
    *at = vmo_next_page_locked(vmo, *at, MIN(end, MAX(*at, vmo->size_bytes)));
    if (*at >= MIN(end, vmo->size_bytes)) {
        *at = end;
    } else {
        uint64_t offset = *at;
        struct vmo *source = vmo_resolve(vmo, &offset);
        status = take_page_locked(source, offset, out);
    }
    vmo_unlock(vmo);
    return status;
}

/* Puts |page| (takes it) at |offset|, whatever is there. If the VMO has shrunk it is dropped. */
static zx_status_t give_page(struct vmo *vmo, uint64_t offset, struct page *page,
                             struct page_tree_reserve *reserve)
{
    struct list_node freed = LIST_INIT(freed);
    zx_status_t status = ZX_OK;

    vmo_lock(vmo);
    if (offset >= vmo->size_bytes) {
        list_push_back(&freed, &page->node);
        status = ZX_ERR_OUT_OF_RANGE;
    } else {
        struct vmo *source = vmo_resolve(vmo, &offset);
        page_tree_put_reserved(&source->pages, vmo_tree_index(source, offset), page, reserve,
                               &freed);
        vmo_unmap_range_locked(source, offset, PAGE_SIZE_BYTES, NULL);
    }
    vmo_unlock(vmo);
    pmm_put_list(&freed);
    return status;
}

/* Moves the next page of [*done, len) and makes what is before it read as zeros. */
static zx_status_t move_next(struct vmo *dst, uint64_t dst_offset, uint64_t len_bytes,
                             struct vmo *src, uint64_t src_offset,
                             struct page_tree_reserve *reserve, uint64_t *done)
{
    uint64_t at = src_offset + *done, gap_end;
    struct page *page = NULL;
    zx_status_t status;

    if (!page_tree_reserve_fill(reserve))
        return ZX_ERR_NO_MEMORY;
    status = take_page(src, &at, src_offset + len_bytes, &page);
    if (status != ZX_OK)
        return status;
    gap_end = at - src_offset;
    if (page != NULL)
        status = give_page(dst, dst_offset + gap_end, page, reserve);
    if (status == ZX_OK && gap_end > *done)
        status = vmo_decommit(dst, dst_offset + *done, gap_end - *done);
    *done = gap_end + (page != NULL ? PAGE_SIZE_BYTES : 0);
    return status;
}

zx_status_t vmo_transfer(struct vmo *dst, uint64_t dst_offset, uint64_t len_bytes, struct vmo *src,
                         uint64_t src_offset)
{
    struct page_tree_reserve reserve = {.count = 0};
    uint64_t dst_at = dst_offset, src_at = src_offset, done = 0;
    zx_status_t status = ZX_OK;

    if (!is_aligned(dst_offset | src_offset | len_bytes, PAGE_SIZE_BYTES))
        return ZX_ERR_INVALID_ARGS;
    if (check(dst) != ZX_OK || check(src) != ZX_OK)
        return ZX_ERR_NOT_SUPPORTED;
    status = check_range(dst, dst_offset, len_bytes);
    if (status == ZX_OK)
        status = check_range(src, src_offset, len_bytes);
    if (status != ZX_OK)
        return status;
    if (vmo_resolve(dst, &dst_at) == vmo_resolve(src, &src_at)) {
        if (dst_at == src_at)
            return ZX_OK;
        if (MAX(dst_at, src_at) - MIN(dst_at, src_at) < len_bytes)
            return ZX_ERR_INVALID_ARGS;
    }
    while (status == ZX_OK && done < len_bytes)
        status = move_next(dst, dst_offset, len_bytes, src, src_offset, &reserve, &done);
    page_tree_reserve_free(&reserve);
    return status;
}
