/* VMOs: life, size, the page behind an offset, mappings. */
#include "kernel/vm/vmo.h"

#include <zircon/syscalls/types.h>

#include "arch/mmu.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string_copy.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/mapping.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo_internal.h"

static struct kcache *vmo_cache;

void vmo_init(void)
{
    page_tree_init_cache();
    vmo_cache = kcache_create("vmo", sizeof(struct vmo), 8);
}

/* ---- Life ----------------------------------------------------------------------------------- */

/* NULL: no memory. */
static struct vmo *vmo_alloc(enum vmo_kind kind, uint64_t size_bytes, uint64_t content_size_bytes)
{
    struct vmo *vmo = kcache_zalloc(vmo_cache);

    if (vmo == NULL)
        return NULL;
    refcount_init(&vmo->refs);
    vmo->kind = (uint8_t)kind;
    vmo->cache_policy = ZX_CACHE_POLICY_CACHED;
    mutex_init(&vmo->lock, LOCK_RANK_VMO);
    vmo->size_bytes = size_bytes;
    vmo->content_size_bytes = content_size_bytes;
    page_tree_init(&vmo->pages);
    list_init(&vmo->mappings);
    return vmo;
}

zx_status_t vmo_create(uint64_t size_bytes, uint32_t options, struct vmo **out)
{
    const uint32_t known =
        ZX_VMO_RESIZABLE | ZX_VMO_DISCARDABLE | ZX_VMO_TRAP_DIRTY | ZX_VMO_UNBOUNDED;
    uint64_t rounded;
    struct vmo *vmo;

    if ((options & ~known) != 0 ||
        (options & (ZX_VMO_UNBOUNDED | ZX_VMO_RESIZABLE)) == (ZX_VMO_UNBOUNDED | ZX_VMO_RESIZABLE))
        return ZX_ERR_INVALID_ARGS;
    if ((options & ~(uint32_t)ZX_VMO_RESIZABLE) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if (!round_up_checked(size_bytes, PAGE_SIZE_BYTES, &rounded))
        return ZX_ERR_OUT_OF_RANGE;
    vmo = vmo_alloc(VMO_PAGED, rounded, size_bytes);
    if (vmo == NULL)
        return ZX_ERR_NO_MEMORY;
    vmo->options = options;
    *out = vmo;
    return ZX_OK;
}

zx_status_t vmo_create_physical(paddr_t base, uint64_t size_bytes, struct vmo **out)
{
    struct vmo *vmo;

    if (!is_aligned(base | size_bytes, PAGE_SIZE_BYTES) || size_bytes == 0 ||
        size_bytes - 1 > UINT64_MAX - base)
        return ZX_ERR_INVALID_ARGS;
    vmo = vmo_alloc(VMO_PHYSICAL, size_bytes, size_bytes);
    if (vmo == NULL)
        return ZX_ERR_NO_MEMORY;
    vmo->physical_base = base;
    vmo->cache_policy = ZX_CACHE_POLICY_UNCACHED;
    *out = vmo;
    return ZX_OK;
}

/* Puts |page| (takes it) where nothing is. */
static zx_status_t insert_page_locked(struct vmo *vmo, uint64_t offset, struct page *page)
{
    zx_status_t status = page_tree_insert(&vmo->pages, offset >> PAGE_SHIFT, page);

    if (status != ZX_OK)
        return status;
    page->vmo = vmo;
    page->vmo_offset = offset;
    return ZX_OK;
}

zx_status_t vmo_create_from_reserved(paddr_t base, uint64_t size_bytes, struct vmo **out)
{
    uint64_t rounded;
    struct vmo *vmo;

    if (!round_up_checked(size_bytes, PAGE_SIZE_BYTES, &rounded) ||
        !pmm_adopt_reserved(base, rounded >> PAGE_SHIFT))
        return ZX_ERR_INVALID_ARGS;
    vmo = vmo_alloc(VMO_PAGED, rounded, size_bytes);
    if (vmo == NULL)
        return ZX_ERR_NO_MEMORY;
    vmo_lock(vmo);
    for (uint64_t offset = 0; offset < rounded; offset += PAGE_SIZE_BYTES) {
        if (insert_page_locked(vmo, offset, page_from_paddr(base + offset)) != ZX_OK) {
            vmo_unlock(vmo);
            vmo_put(vmo);
            return ZX_ERR_NO_MEMORY;
        }
    }
    vmo_unlock(vmo);
    *out = vmo;
    return ZX_OK;
}

void vmo_get(struct vmo *vmo)
{
    refcount_get(&vmo->refs);
}

static void put_page(void *ctx, struct page *page)
{
    (void)ctx;
    page_put(page);
}

void vmo_put(struct vmo *vmo)
{
    if (!refcount_put(&vmo->refs))
        return;
    ASSERT(list_is_empty(&vmo->mappings) && vmo->count_mappings == 0);
    page_tree_remove_range(&vmo->pages, 0, UINT64_MAX >> PAGE_SHIFT, put_page, NULL);
    kcache_free(vmo_cache, vmo);
}

void vmo_set_name(struct vmo *vmo, const char *name)
{
    vmo_lock(vmo);
    string_copy(vmo->name, name, sizeof(vmo->name));
    vmo_unlock(vmo);
}

uint64_t vmo_count_committed(struct vmo *vmo)
{
    uint64_t count;

    vmo_lock(vmo);
    count = vmo->pages.count_pages;
    vmo_unlock(vmo);
    return count;
}

/* ---- Size -------------------------------------------------------------------------------------
 */

uint64_t vmo_size_bytes(struct vmo *vmo)
{
    uint64_t size_bytes;

    vmo_lock(vmo);
    size_bytes = vmo->size_bytes;
    vmo_unlock(vmo);
    return size_bytes;
}

bool vmo_is_resizable(const struct vmo *vmo)
{
    return (vmo->options & ZX_VMO_RESIZABLE) != 0;
}

static void take_page(void *pages, struct page *page)
{
    list_push_back(pages, &page->node);
}

static void remove_range_locked(struct vmo *vmo, uint64_t first, uint64_t end,
                                struct list_node *pages)
{
    page_tree_remove_range(&vmo->pages, first >> PAGE_SHIFT, end >> PAGE_SHIFT, take_page, pages);
}

void vmo_drop_range_locked(struct vmo *vmo, uint64_t first, uint64_t end, struct list_node *pages)
{
    uint64_t index;

    /* The zero page may stay mapped where nothing else is: it reads as zeros too. */
    if (page_tree_next(&vmo->pages, first >> PAGE_SHIFT, end >> PAGE_SHIFT, &index) == NULL)
        return;
    vmo_unmap_range_locked(vmo, first, end - first);
    remove_range_locked(vmo, first, end, pages);
}

zx_status_t vmo_set_size(struct vmo *vmo, uint64_t size_bytes)
{
    struct list_node pages = LIST_INIT(pages);
    uint64_t rounded, old_size, first, end;

    if (!vmo_is_resizable(vmo))
        return ZX_ERR_UNAVAILABLE;
    if (!round_up_checked(size_bytes, PAGE_SIZE_BYTES, &rounded))
        return ZX_ERR_OUT_OF_RANGE;
    vmo_lock(vmo);
    old_size = vmo->size_bytes;
    if (rounded < old_size) {
        /* Also where no page is: the zero page must not be seen there any more. */
        vmo_unmap_range_locked(vmo, rounded, old_size - rounded);
        remove_range_locked(vmo, rounded, old_size, &pages);
    }
    /* What lies between the old and the new end of the content reads as zeros, even if somebody
     * wrote past the end through a mapping. */
    first = MIN(vmo->content_size_bytes, size_bytes);
    end = MIN(MAX(vmo->content_size_bytes, size_bytes), MIN(old_size, rounded));
    if (first < end)
        vmo_zero_range_locked(vmo, first, end, &pages);
    vmo->size_bytes = rounded;
    vmo->content_size_bytes = size_bytes;
    vmo_unlock(vmo);
    pmm_put_list(&pages);
    return ZX_OK;
}

/* ---- Pages ------------------------------------------------------------------------------------
 */

bool vmo_peek_page_locked(struct vmo *vmo, uint64_t offset, struct vmo_page_result *out)
{
    struct page *page = NULL;
    paddr_t pa;

    if (offset >= vmo->size_bytes)
        return false;
    if (vmo->kind == VMO_PHYSICAL) {
        pa = vmo->physical_base + round_down(offset, PAGE_SIZE_BYTES);
    } else {
        page = page_tree_lookup(&vmo->pages, offset >> PAGE_SHIFT);
        if (page == NULL)
            return false;
        pa = page_to_paddr(page);
    }
    *out = (struct vmo_page_result){.pa = pa, .page = page, .writable = true};
    return true;
}

/* Takes the zero page away where mappings show it at |offset|. */
static void unmap_zero_page_locked(struct vmo *vmo, uint64_t offset, const struct mapping *except)
{
    if (!vmo->zero_page_mapped)
        return;
    list_for_each (node, &vmo->mappings) {
        struct mapping *mapping = list_entry(node, struct mapping, vmo_node);
        if (mapping != except)
            mapping_unmap_vmo_range_vmo_locked(mapping, offset, PAGE_SIZE_BYTES);
    }
}

zx_status_t vmo_get_page_locked(struct vmo *vmo, uint64_t offset, bool write,
                                const struct mapping *faulting, struct vmo_page_result *out)
{
    zx_status_t status;
    struct page *page;

    if (offset >= vmo->size_bytes)
        return ZX_ERR_OUT_OF_RANGE;
    if (vmo_peek_page_locked(vmo, offset, out))
        return ZX_OK;
    offset = round_down(offset, PAGE_SIZE_BYTES);
    if (!write) {
        page = pmm_zero_page();
        vmo->zero_page_mapped = true;
        *out =
            (struct vmo_page_result){.pa = page_to_paddr(page), .page = page, .is_zero_page = true};
        return ZX_OK;
    }
    page = pmm_alloc_page(PAGE_VMO, PMM_ZERO);
    if (page == NULL)
        return ZX_ERR_NO_MEMORY;
    status = insert_page_locked(vmo, offset, page);
    if (status != ZX_OK) {
        page_put(page);
        return status;
    }
    unmap_zero_page_locked(vmo, offset, faulting);
    *out = (struct vmo_page_result){.pa = page_to_paddr(page), .page = page, .writable = true};
    return ZX_OK;
}

/* ---- Mappings ---------------------------------------------------------------------------------
 */

void vmo_unmap_range_locked(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    list_for_each (node, &vmo->mappings)
        mapping_unmap_vmo_range_vmo_locked(list_entry(node, struct mapping, vmo_node), offset,
                                           len_bytes);
}

void vmo_add_mapping_locked(struct vmo *vmo, struct mapping *mapping)
{
    list_push_back(&vmo->mappings, &mapping->vmo_node);
    vmo->count_mappings++;
}

void vmo_remove_mapping_locked(struct vmo *vmo, struct mapping *mapping)
{
    ASSERT(vmo->count_mappings > 0);
    list_remove(&mapping->vmo_node);
    vmo->count_mappings--;
    if (vmo->count_mappings == 0)
        vmo->zero_page_mapped = false;
}
