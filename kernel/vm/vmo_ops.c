/* Contents of VMOs: copies in and out, commit, decommit, zero. */
#include "arch/mmu.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo_internal.h"

/* Pages that one commit makes before others get a chance at the lock. */
#define COMMIT_BATCH_BYTES (64 * PAGE_SIZE_BYTES)
/* The largest block that a commit asks for: what one large page shows. */
#define BLOCK_ORDER_MAX 9u

/* ---- Copies --------------------------------------------------------------------------------- */

/* Finds the page for one piece of a copy, and takes a reference that keeps it without the lock. */
static zx_status_t copy_begin_locked(struct vmo *vmo, uint64_t offset, bool write,
                                     struct vmo_copy *copy, struct page **out)
{
    struct vmo_page_result result;

    if (offset >= vmo->size_bytes)
        return ZX_ERR_OUT_OF_RANGE;
    offset = round_down(offset, PAGE_SIZE_BYTES);
    vmo = vmo_resolve(vmo, &offset);
    if (write || vmo->is_discarded) {
        zx_status_t status = vmo_get_page_locked(vmo, offset, write, NULL, &result);
        if (status != ZX_OK)
            return status;
    } else if (!vmo_peek_page_locked(vmo, offset, &result)) {
        result.page = pmm_zero_page();
    }
    page_get(result.page);
    copy->vmo = vmo;
    copy->offset = offset;
    copy->page = result.page;
    copy->write = write;
    list_push_back(&vmo->family->copies, &copy->node);
    *out = result.page;
    return ZX_OK;
}

/* Ends one piece and begins another. |*page|: the one in use, NULL at first. */
static zx_status_t copy_step(struct vmo *vmo, uint64_t offset, bool write, struct vmo_copy *copy,
                             struct page **page)
{
    struct page *old = *page;
    zx_status_t status;

    vmo_lock(vmo);
    list_remove(&copy->node);
    *page = NULL;
    status = copy_begin_locked(vmo, offset, write, copy, page);
    vmo_unlock(vmo);
    if (old != NULL)
        page_put(old);
    return status;
}

static void copy_end(struct vmo *vmo, struct vmo_copy *copy, struct page *page)
{
    if (page == NULL)
        return;
    vmo_lock(vmo);
    list_remove(&copy->node);
    vmo_unlock(vmo);
    page_put(page);
}

static zx_status_t vmo_do_copy(struct vmo *vmo, uint64_t offset, size_t len_bytes, bool write,
                               vmo_copy_fn fn, void *ctx)
{
    struct vmo_copy copy;
    struct page *page = NULL;
    zx_status_t status = ZX_OK;
    size_t done_bytes = 0;

    if (!vmo_range_is_valid(vmo_size_bytes(vmo), offset, len_bytes))
        return ZX_ERR_OUT_OF_RANGE;
    /* The kernel's own view of memory is cached; device memory has none at all. */
    if (vmo->kind == VMO_PHYSICAL || vmo->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE;
    list_init(&copy.node);
    while (done_bytes < len_bytes) {
        uint64_t at = offset + done_bytes;
        size_t piece = MIN(len_bytes - done_bytes, PAGE_SIZE_BYTES - (at & PAGE_MASK));
        do {
            status = copy_step(vmo, at, write, &copy, &page);
        } while (vmo_reclaim_for_retry(status));
        if (status != ZX_OK)
            break;
        status = fn(ctx, (char *)phys_to_virt(page_to_paddr(page)) + (at & PAGE_MASK), done_bytes,
                    piece);
        if (status != ZX_OK)
            break;
        done_bytes += piece;
    }
    copy_end(vmo, &copy, page);
    return status;
}

zx_status_t vmo_read(struct vmo *vmo, uint64_t offset, size_t len_bytes, vmo_copy_fn fn, void *ctx)
{
    return vmo_do_copy(vmo, offset, len_bytes, false, fn, ctx);
}

zx_status_t vmo_write(struct vmo *vmo, uint64_t offset, size_t len_bytes, vmo_copy_fn fn, void *ctx)
{
    return vmo_do_copy(vmo, offset, len_bytes, true, fn, ctx);
}

static zx_status_t copy_out(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    memcpy((char *)ctx + done_bytes, at, len_bytes);
    return ZX_OK;
}

static zx_status_t copy_in(void *ctx, void *at, size_t done_bytes, size_t len_bytes)
{
    const char *const *src = ctx;

    memcpy(at, *src + done_bytes, len_bytes);
    return ZX_OK;
}

zx_status_t vmo_read_kernel(struct vmo *vmo, uint64_t offset, void *dst, size_t len_bytes)
{
    return vmo_read(vmo, offset, len_bytes, copy_out, dst);
}

zx_status_t vmo_write_kernel(struct vmo *vmo, uint64_t offset, const void *src, size_t len_bytes)
{
    const char *from = src;

    return vmo_write(vmo, offset, len_bytes, copy_in, &from);
}

/* ---- Commit --------------------------------------------------------------------------------- */

/* Makes the pages of a page-aligned range present, all under one hold of the lock. */
static zx_status_t commit_batch(struct vmo *vmo, uint64_t first, uint64_t end)
{
    zx_status_t status = ZX_OK;

    vmo_lock(vmo);
    for (uint64_t offset = first; offset < end && status == ZX_OK; offset += PAGE_SIZE_BYTES) {
        struct vmo_page_result result;
        status = vmo_get_page_locked(vmo, offset, true, NULL, &result);
    }
    vmo_unlock(vmo);
    return status;
}

/* The order of the block of memory that may begin at |offset| of the VMO and end before |end|:
 * aligned, so that one entry of the page tables can show a large one. */
static unsigned block_order(uint64_t offset, uint64_t end)
{
    unsigned order = BLOCK_ORDER_MAX;

    while (order > 0 && (!is_aligned(offset, PAGE_SIZE_BYTES << order) ||
                         end - offset < PAGE_SIZE_BYTES << order))
        order--;
    return order;
}

/* The VMO whose tree has nothing in the range, and *offset in it; NULL: there is something. */
static struct vmo *find_hole_locked(struct vmo *vmo, uint64_t *offset, uint64_t len_bytes)
{
    if (!vmo_range_is_valid(vmo->size_bytes, *offset, len_bytes))
        return NULL;
    vmo = vmo_resolve(vmo, offset);
    if (vmo->is_discarded ||
        vmo_next_page_locked(vmo, *offset, *offset + len_bytes) != *offset + len_bytes)
        return NULL;
    return vmo;
}

/* Fills a hole of 2^order pages with one block of memory, which is zeroed before the lock is taken.
 * ZX_ERR_NEXT: there is no such hole or block. ZX_ERR_NO_MEMORY: only some were taken. */
static zx_status_t commit_block(struct vmo *vmo, uint64_t offset, unsigned order)
{
    uint64_t count = 1ul << order, done = 0, at = offset;
    zx_status_t status = ZX_ERR_NEXT;
    struct vmo *source;
    struct page *pages;

    vmo_lock(vmo);
    source = find_hole_locked(vmo, &at, count << PAGE_SHIFT);
    vmo_unlock(vmo);
    pages = source != NULL ? pmm_try_alloc_pages(order, PAGE_VMO, PMM_ZERO) : NULL;
    if (pages == NULL)
        return ZX_ERR_NEXT;
    vmo_lock(vmo);
    at = offset;
    source = find_hole_locked(vmo, &at, count << PAGE_SHIFT);
    if (source != NULL) {
        status = vmo_insert_run_locked(source, at, pages, count, &done);
        if (source->zero_page_mapped)
            vmo_unmap_range_locked(source, at, done << PAGE_SHIFT, NULL);
    }
    vmo_unlock(vmo);
    for (uint64_t i = done; i < count; i++)
        page_put(&pages[i]);
    return status;
}

/* Makes the pages of a page-aligned range present, with a block if one fits at its beginning.
 * Returns in *out how far it came. */
static zx_status_t commit_some(struct vmo *vmo, uint64_t first, uint64_t end, uint64_t *out)
{
    unsigned order = block_order(first, end);
    zx_status_t status = order > 0 ? commit_block(vmo, first, order) : ZX_ERR_NEXT;

    *out = first + (PAGE_SIZE_BYTES << order);
    if (status == ZX_ERR_NEXT) {
        *out = first + MIN(COMMIT_BATCH_BYTES, end - first);
        status = commit_batch(vmo, first, *out);
    }
    return status;
}

zx_status_t vmo_commit(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    zx_status_t status = ZX_OK;
    uint64_t end;

    if (!vmo_range_is_valid(vmo_size_bytes(vmo), offset, len_bytes))
        return ZX_ERR_OUT_OF_RANGE;
    if (len_bytes == 0 || vmo->kind == VMO_PHYSICAL)
        return ZX_OK;
    /* The size is a page multiple, so rounding up stays inside. */
    end = round_up(offset + len_bytes, PAGE_SIZE_BYTES);
    offset = round_down(offset, PAGE_SIZE_BYTES);
    while (offset < end && status == ZX_OK) {
        uint64_t next;
        do {
            status = commit_some(vmo, offset, end, &next);
        } while (vmo_reclaim_for_retry(status));
        offset = next;
    }
    return status;
}

/* ---- Zeros ---------------------------------------------------------------------------------- */

static zx_status_t own_page_locked(struct vmo *vmo, uint64_t offset)
{
    struct vmo_page_result result;

    if (!vmo_peek_page_locked(vmo, offset, &result))
        return ZX_OK;
    return vmo_get_page_locked(vmo, offset, true, NULL, &result);
}

zx_status_t vmo_own_edges_locked(struct vmo *vmo, uint64_t first, uint64_t end)
{
    zx_status_t status = ZX_OK;

    if (first >= end)
        return ZX_OK;
    if (!is_aligned(first, PAGE_SIZE_BYTES))
        status = own_page_locked(vmo, first);
    if (status == ZX_OK && !is_aligned(end, PAGE_SIZE_BYTES))
        status = own_page_locked(vmo, end);
    return status;
}

/* Clears part of the page at |first|, if there is one; it is the VMO's own. */
static void clear_in_page_locked(struct vmo *vmo, uint64_t first, uint64_t end)
{
    struct vmo_page_result result;

    if (first >= end || !vmo_peek_page_locked(vmo, first, &result))
        return;
    ASSERT(result.writable);
    memset((char *)phys_to_virt(result.pa) + (first & PAGE_MASK), 0, end - first);
}

zx_status_t vmo_zero_range_locked(struct vmo *vmo, uint64_t first, uint64_t end,
                                  struct list_node *freed)
{
    /* |end| lies in the VMO, whose size is a page multiple: this does not wrap. */
    uint64_t whole_first = round_up(first, PAGE_SIZE_BYTES);
    uint64_t whole_end = round_down(end, PAGE_SIZE_BYTES);
    bool in_place = vmo->is_contiguous || vmo->count_pins > 0;
    zx_status_t status = vmo_own_edges_locked(vmo, first, end);

    if (status == ZX_OK && whole_first < whole_end && !in_place)
        status = vmo_drop_range_locked(vmo, whole_first, whole_end, false, freed);
    if (status != ZX_OK)
        return status;
    if (in_place) {
        for (uint64_t at = first; at < end; at = round_down(at, PAGE_SIZE_BYTES) + PAGE_SIZE_BYTES)
            clear_in_page_locked(vmo, at,
                                 MIN(end, round_down(at, PAGE_SIZE_BYTES) + PAGE_SIZE_BYTES));
    } else if (whole_first > whole_end) {
        clear_in_page_locked(vmo, first, end);
    } else {
        clear_in_page_locked(vmo, first, whole_first);
        clear_in_page_locked(vmo, whole_end, end);
    }
    return ZX_OK;
}

/* Both of these are a range of zeros; |whole|: whole pages only. */
static zx_status_t zero(struct vmo *vmo, uint64_t offset, uint64_t len_bytes, bool whole)
{
    struct list_node freed = LIST_INIT(freed);
    zx_status_t status;

    do {
        status = ZX_ERR_OUT_OF_RANGE;
        vmo_lock(vmo);
        if (vmo_range_is_valid(vmo->size_bytes, offset, len_bytes)) {
            uint64_t first = offset;
            struct vmo *source = vmo_resolve(vmo, &first);
            if (len_bytes == 0)
                status = ZX_OK;
            else if (whole && source->count_pins > 0)
                status = ZX_ERR_BAD_STATE;
            else if (whole)
                status = vmo_drop_range_locked(source, first, first + len_bytes, false, &freed);
            else
                status = vmo_zero_range_locked(source, first, first + len_bytes, &freed);
        }
        vmo_unlock(vmo);
        pmm_put_list(&freed);
    } while (vmo_reclaim_for_retry(status));
    return status;
}

zx_status_t vmo_decommit(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    if (vmo->kind == VMO_PHYSICAL || vmo->is_contiguous)
        return ZX_ERR_NOT_SUPPORTED;
    if (!is_aligned(offset | len_bytes, PAGE_SIZE_BYTES))
        return ZX_ERR_INVALID_ARGS;
    return zero(vmo, offset, len_bytes, true);
}

zx_status_t vmo_zero(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    if (vmo->kind == VMO_PHYSICAL)
        return ZX_ERR_NOT_SUPPORTED;
    return zero(vmo, offset, len_bytes, false);
}
