/* Contents of VMOs: copies in and out, commit, decommit, zero. */
#include <zircon/syscalls/types.h>

#include "arch/mmu.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo_internal.h"

/* Pages that one commit makes before others get a chance at the lock. */
#define COMMIT_BATCH_BYTES (64 * PAGE_SIZE_BYTES)

/* ---- Copies ------------------------------------------------------------------------------------
 */

/* The page for one piece of a copy, with a reference that keeps it without the lock. */
static zx_status_t copy_get_page(struct vmo *vmo, uint64_t offset, bool write, struct page **out)
{
    struct vmo_page_result result;
    zx_status_t status = ZX_OK;

    vmo_lock(vmo);
    if (write)
        status = vmo_get_page_locked(vmo, offset, true, NULL, &result);
    else if (offset >= vmo->size_bytes)
        status = ZX_ERR_OUT_OF_RANGE;
    else if (!vmo_peek_page_locked(vmo, offset, &result))
        result.page = pmm_zero_page();
    if (status == ZX_OK) {
        page_get(result.page);
        *out = result.page;
    }
    vmo_unlock(vmo);
    return status;
}

static zx_status_t vmo_copy(struct vmo *vmo, uint64_t offset, size_t len_bytes, bool write,
                            vmo_copy_fn fn, void *ctx)
{
    size_t done_bytes = 0;

    if (!vmo_range_is_valid(vmo_size_bytes(vmo), offset, len_bytes))
        return ZX_ERR_OUT_OF_RANGE;
    /* The kernel's own view of memory is cached; device memory has none at all. */
    if (vmo->kind == VMO_PHYSICAL || vmo->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE;
    while (done_bytes < len_bytes) {
        uint64_t at = offset + done_bytes;
        size_t piece = MIN(len_bytes - done_bytes, PAGE_SIZE_BYTES - (at & PAGE_MASK));
        struct page *page;
        zx_status_t status = copy_get_page(vmo, at, write, &page);
        if (status != ZX_OK)
            return status;
        status = fn(ctx, (char *)phys_to_virt(page_to_paddr(page)) + (at & PAGE_MASK), done_bytes,
                    piece);
        page_put(page);
        if (status != ZX_OK)
            return status;
        done_bytes += piece;
    }
    return ZX_OK;
}

zx_status_t vmo_read(struct vmo *vmo, uint64_t offset, size_t len_bytes, vmo_copy_fn fn, void *ctx)
{
    return vmo_copy(vmo, offset, len_bytes, false, fn, ctx);
}

zx_status_t vmo_write(struct vmo *vmo, uint64_t offset, size_t len_bytes, vmo_copy_fn fn, void *ctx)
{
    return vmo_copy(vmo, offset, len_bytes, true, fn, ctx);
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

/* ---- Ranges ------------------------------------------------------------------------------------
 */

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
        uint64_t batch_end = offset + MIN(COMMIT_BATCH_BYTES, end - offset);
        status = commit_batch(vmo, offset, batch_end);
        offset = batch_end;
    }
    return status;
}

zx_status_t vmo_decommit(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    struct list_node pages = LIST_INIT(pages);
    zx_status_t status = ZX_OK;

    if (vmo->kind == VMO_PHYSICAL)
        return ZX_ERR_NOT_SUPPORTED;
    if (!is_aligned(offset | len_bytes, PAGE_SIZE_BYTES))
        return ZX_ERR_INVALID_ARGS;
    vmo_lock(vmo);
    if (!vmo_range_is_valid(vmo->size_bytes, offset, len_bytes))
        status = ZX_ERR_OUT_OF_RANGE;
    else if (vmo->count_pins > 0)
        status = ZX_ERR_BAD_STATE;
    else
        vmo_drop_range_locked(vmo, offset, offset + len_bytes, &pages);
    vmo_unlock(vmo);
    pmm_put_list(&pages);
    return status;
}

/* Clears part of the page at |first|, if there is one. */
static void clear_in_page_locked(struct vmo *vmo, uint64_t first, uint64_t end)
{
    struct vmo_page_result result;

    if (first < end && vmo_peek_page_locked(vmo, first, &result))
        memset((char *)phys_to_virt(result.pa) + (first & PAGE_MASK), 0, end - first);
}

void vmo_zero_range_locked(struct vmo *vmo, uint64_t first, uint64_t end, struct list_node *pages)
{
    uint64_t whole_end = round_down(end, PAGE_SIZE_BYTES);
    uint64_t whole_first;

    if (vmo->count_pins > 0) {
        vmo_clear_pinned_locked(vmo, first, end);
        return;
    }
    /* |end| lies in the VMO, whose size is a page multiple: this does not wrap. */
    whole_first = round_up(first, PAGE_SIZE_BYTES);
    if (whole_first > whole_end) {
        clear_in_page_locked(vmo, first, end);
        return;
    }
    clear_in_page_locked(vmo, first, whole_first);
    if (whole_first < whole_end)
        vmo_drop_range_locked(vmo, whole_first, whole_end, pages);
    clear_in_page_locked(vmo, whole_end, end);
}

zx_status_t vmo_zero(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    struct list_node pages = LIST_INIT(pages);
    zx_status_t status = ZX_OK;

    if (vmo->kind == VMO_PHYSICAL)
        return ZX_ERR_NOT_SUPPORTED;
    vmo_lock(vmo);
    if (!vmo_range_is_valid(vmo->size_bytes, offset, len_bytes))
        status = ZX_ERR_OUT_OF_RANGE;
    else
        vmo_zero_range_locked(vmo, offset, offset + len_bytes, &pages);
    vmo_unlock(vmo);
    pmm_put_list(&pages);
    return status;
}
