/* VMOs: the page behind an offset, and the mappings that show it. */
#include "arch/mmu.h"
#include "kernel/lib/panic.h"
#include "kernel/vm/mapping.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo_internal.h"

/* Pages of a large one that are looked up at once. */
#define LARGE_RUN_PAGES 64u

/* ---- Mappings ------------------------------------------------------------------------------- */

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
    if (vmo->count_mappings == 0 && list_is_empty(&vmo->aliases))
        vmo->zero_page_mapped = false;
}

typedef void (*mapping_range_fn)(struct mapping *mapping, uint64_t vmo_offset, uint64_t len_bytes);

static void for_own_mappings(struct vmo *vmo, uint64_t offset, uint64_t len_bytes,
                             const struct mapping *except, mapping_range_fn fn)
{
    list_for_each (node, &vmo->mappings) {
        struct mapping *mapping = list_entry(node, struct mapping, vmo_node);
        if (except == NULL || mapping != except)
            fn(mapping, offset, len_bytes);
    }
}

/* Calls fn for the mappings of the VMO and of its aliases. */
static void for_mappings(struct vmo *vmo, uint64_t offset, uint64_t len_bytes,
                         const struct mapping *except, mapping_range_fn fn)
{
    for_own_mappings(vmo, offset, len_bytes, except, fn);
    list_for_each (node, &vmo->aliases) {
        struct vmo *alias = list_entry(node, struct vmo, alias_node);
        uint64_t first = MAX(offset, alias->source_offset);
        uint64_t end = MIN(offset + len_bytes, alias->source_offset + alias->size_bytes);
        if (first < end)
            for_own_mappings(alias, first - alias->source_offset, end - first, except, fn);
    }
}

void vmo_unmap_range_locked(struct vmo *vmo, uint64_t offset, uint64_t len_bytes,
                            const struct mapping *except)
{
    for_mappings(vmo, offset, len_bytes, except, mapping_unmap_vmo_range_vmo_locked);
}

uint64_t vmo_shown_end_locked(const struct mapping *mapping)
{
    const struct vmo *vmo = mapping->vmo;

    /* The stream ends in the VMO, whose size is a page multiple. */
    return mapping->ends_with_stream ? round_up(vmo->content_size_bytes, PAGE_SIZE_BYTES)
                                     : vmo->size_bytes;
}

void vmo_trim_mappings_locked(struct vmo *vmo)
{
    list_for_each (node, &vmo->mappings) {
        struct mapping *mapping = list_entry(node, struct mapping, vmo_node);
        uint64_t limit = vmo_shown_end_locked(mapping);
        if (mapping->ends_with_stream)
            mapping_unmap_vmo_range_vmo_locked(mapping, limit, vmo->size_bytes - limit);
    }
}

void vmo_write_protect_range_locked(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    for_mappings(vmo, offset, len_bytes, NULL, mapping_write_protect_vmo_range_vmo_locked);
}

static void sync_icache(struct mapping *mapping, uint64_t vmo_offset, uint64_t len_bytes)
{
    if (vmo_offset - mapping->vmo_offset < mapping->region.size_bytes ||
        mapping->vmo_offset - vmo_offset < len_bytes)
        mapping_sync_icache_vmo_locked(mapping);
}

void vmo_sync_icache(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    uint64_t first = offset;
    struct vmo *source = vmo_resolve(vmo, &first);

    vmo_lock(vmo);
    for_mappings(source, first, len_bytes, NULL, sync_icache);
    vmo_unlock(vmo);
}

/* ---- Present pages -------------------------------------------------------------------------- */

/* A copy in progress may still read a page for a relative that has let it go meanwhile; it must not
 * see what this VMO writes. */
static NOINLINE bool is_in_a_relatives_copy(const struct vmo *vmo, const struct page *page)
{
    list_for_each (node, &vmo->family->copies) {
        const struct vmo_copy *copy = list_entry(node, struct vmo_copy, node);
        if (copy->page == page && copy->vmo != vmo)
            return true;
    }
    return false;
}

static inline bool is_read_by_relative(const struct vmo *vmo, const struct page *page)
{
    return atomic_load_relaxed(&page->refs) != 1 && is_in_a_relatives_copy(vmo, page);
}

static struct vmo_page_result result_physical(const struct vmo *vmo, uint64_t offset)
{
    return (struct vmo_page_result){.pa = vmo->physical_base + round_down(offset, PAGE_SIZE_BYTES),
                                    .writable = true};
}

static inline struct vmo_page_result result_present(const struct vmo *vmo, struct page *page,
                                                    bool shared)
{
    return (struct vmo_page_result){.pa = page_to_paddr(page),
                                    .page = page,
                                    .writable = !shared && !is_read_by_relative(vmo, page)};
}

/* As vmo_peek_page_locked for a VMO that is no alias and has that offset. */
static bool peek_source_locked(struct vmo *vmo, uint64_t offset, struct vmo_page_result *out)
{
    bool shared = false;
    struct page *page;

    if (vmo->kind == VMO_PHYSICAL) {
        *out = result_physical(vmo, offset);
        return true;
    }
    page = page_tree_find(&vmo->pages, vmo_tree_index(vmo, offset), &shared);
    if (page == NULL)
        return false;
    *out = result_present(vmo, page, shared);
    return true;
}

bool vmo_peek_page_locked(struct vmo *vmo, uint64_t offset, struct vmo_page_result *out)
{
    if (offset >= vmo->size_bytes)
        return false;
    vmo = vmo_resolve(vmo, &offset);
    return peek_source_locked(vmo, offset, out);
}

size_t vmo_peek_run_locked(struct vmo *vmo, uint64_t offset, paddr_t *pa, size_t max_count,
                           struct vmo_page_result *out)
{
    struct page *const *pages;
    uint64_t count, n;
    bool shared;

    if (offset >= vmo->size_bytes)
        return 0;
    max_count = MIN(max_count, (vmo->size_bytes - offset) >> PAGE_SHIFT);
    vmo = vmo_resolve(vmo, &offset);
    if (vmo->kind == VMO_PHYSICAL) {
        for (n = 0; n < max_count; n++)
            pa[n] = vmo->physical_base + offset + n * PAGE_SIZE_BYTES;
        *out = result_physical(vmo, offset);
        return max_count;
    }
    pages =
        page_tree_find_run(&vmo->pages, vmo_tree_index(vmo, offset), max_count, &count, &shared);
    if (pages == NULL)
        return 0;
    pa[0] = page_to_paddr(pages[0]);
    *out = result_present(vmo, pages[0], shared);
    for (n = 1; n < count; n++) {
        if (!shared && is_read_by_relative(vmo, pages[n]) == out->writable)
            break;
        pa[n] = page_to_paddr(pages[n]);
    }
    return n;
}

bool vmo_peek_large_locked(struct vmo *vmo, uint64_t offset, struct vmo_page_result *out)
{
    struct vmo_page_result page;
    paddr_t pa[LARGE_RUN_PAGES];

    if (!vmo_range_is_valid(vmo->size_bytes, offset, LARGE_PAGE_BYTES))
        return false;
    for (uint64_t done = 0; done < LARGE_PAGE_BYTES;) {
        size_t max = MIN(LARGE_RUN_PAGES, (LARGE_PAGE_BYTES - done) >> PAGE_SHIFT);
        size_t count = vmo_peek_run_locked(vmo, offset + done, pa, max, &page);
        if (count == 0)
            return false;
        if (done == 0) {
            *out = page;
            if (!is_aligned(page.pa, LARGE_PAGE_BYTES))
                return false;
        }
        if (page.writable != out->writable)
            return false;
        for (size_t n = 0; n < count; n++, done += PAGE_SIZE_BYTES) {
            if (pa[n] != out->pa + done)
                return false;
        }
    }
    return true;
}

uint64_t vmo_next_page_locked(struct vmo *vmo, uint64_t offset, uint64_t end)
{
    uint64_t at = offset, index, shift;
    struct vmo *source = vmo_resolve(vmo, &at);

    if (source->kind != VMO_PAGED)
        return offset;
    shift = vmo_tree_index(source, at) - (offset >> PAGE_SHIFT);
    if (page_tree_next(&source->pages, (offset >> PAGE_SHIFT) + shift, (end >> PAGE_SHIFT) + shift,
                       &index) == NULL)
        return end;
    return (index - shift) << PAGE_SHIFT;
}

uint64_t vmo_count_range_locked(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    uint64_t first;

    if (!vmo_range_is_valid(vmo->size_bytes, offset, len_bytes))
        len_bytes = offset < vmo->size_bytes ? vmo->size_bytes - offset : 0;
    vmo = vmo_resolve(vmo, &offset);
    first = vmo_tree_index(vmo, offset);
    if (first == vmo->bias && len_bytes == vmo->size_bytes)
        return vmo->pages.count_pages;
    return page_tree_count_range(&vmo->pages, first, first + (len_bytes >> PAGE_SHIFT));
}

/* ---- Changes -------------------------------------------------------------------------------- */

zx_status_t vmo_insert_page_locked(struct vmo *vmo, uint64_t offset, struct page *page)
{
    return page_tree_insert(&vmo->pages, vmo_tree_index(vmo, offset), page);
}

zx_status_t vmo_insert_run_locked(struct vmo *vmo, uint64_t offset, struct page *first,
                                  uint64_t count_pages, uint64_t *out_done)
{
    return page_tree_insert_run(&vmo->pages, vmo_tree_index(vmo, offset), first, count_pages,
                                out_done);
}

/* Puts a copy in the place of the shared page |old|. */
static NOINLINE zx_status_t copy_shared_locked(struct vmo *vmo, uint64_t offset,
                                               const struct page *old,
                                               const struct mapping *faulting,
                                               struct vmo_page_result *out)
{
    struct list_node freed = LIST_INIT(freed);
    struct page *page = pmm_alloc_page(PAGE_VMO, 0);

    if (page == NULL)
        return ZX_ERR_NO_MEMORY;
    if (page_tree_replace(&vmo->pages, vmo_tree_index(vmo, offset), page, &freed) != ZX_OK) {
        page_put(page);
        return ZX_ERR_NO_MEMORY;
    }
    arch_page_copy(phys_to_virt(page_to_paddr(page)), phys_to_virt(page_to_paddr(old)));
    /* The old page usually stays with its other owners until this lock is free, and by then
     * |faulting| has fenced. If they have gone, only a copy in progress keeps it. */
    vmo_unmap_range_locked(vmo, offset, PAGE_SIZE_BYTES, list_is_empty(&freed) ? faulting : NULL);
    pmm_put_list(&freed);
    *out = (struct vmo_page_result){.pa = page_to_paddr(page), .page = page, .writable = true};
    return ZX_OK;
}

/* Puts a zeroed page where nothing is. */
static NOINLINE zx_status_t fill_absent_locked(struct vmo *vmo, uint64_t offset,
                                               struct page_tree_node *leaf,
                                               const struct mapping *faulting,
                                               struct vmo_page_result *out)
{
    struct page *page = pmm_alloc_page(PAGE_VMO, PMM_ZERO);

    if (page == NULL)
        return ZX_ERR_NO_MEMORY;
    if (leaf != NULL) {
        page_tree_insert_at(&vmo->pages, vmo_tree_index(vmo, offset), leaf, page);
    } else if (vmo_insert_page_locked(vmo, offset, page) != ZX_OK) {
        page_put(page);
        return ZX_ERR_NO_MEMORY;
    }
    if (vmo->zero_page_mapped)
        vmo_unmap_range_locked(vmo, offset, PAGE_SIZE_BYTES, faulting);
    *out = (struct vmo_page_result){
        .pa = page_to_paddr(page), .page = page, .writable = true, .is_new = true};
    return ZX_OK;
}

/* The zero page for what is not there. */
static inline void show_zero_page(struct vmo *vmo, struct vmo_page_result *out)
{
    struct page *zero = pmm_zero_page();

    vmo->zero_page_mapped = true;
    *out = (struct vmo_page_result){.pa = page_to_paddr(zero), .page = zero, .is_zero_page = true};
}

/* vmo_get_page_locked for whatever the VMO is. */
static NOINLINE zx_status_t get_any_page_locked(struct vmo *vmo, uint64_t offset, bool write,
                                                const struct mapping *faulting,
                                                struct vmo_page_result *out)
{
    if (offset >= vmo->size_bytes)
        return ZX_ERR_OUT_OF_RANGE;
    offset = round_down(offset, PAGE_SIZE_BYTES);
    vmo = vmo_resolve(vmo, &offset);
    if (vmo->is_discarded)
        return ZX_ERR_NOT_FOUND;
    if (peek_source_locked(vmo, offset, out)) {
        if (write && !out->writable)
            return copy_shared_locked(vmo, offset, out->page, faulting, out);
        return ZX_OK;
    }
    if (write)
        return fill_absent_locked(vmo, offset, NULL, faulting, out);
    show_zero_page(vmo, out);
    return ZX_OK;
}

zx_status_t vmo_get_page_locked(struct vmo *vmo, uint64_t offset, bool write,
                                const struct mapping *faulting, struct vmo_page_result *out)
{
    struct page_tree_node *leaf;
    bool shared;

    if (offset >= vmo->size_bytes || vmo->source != NULL || vmo->kind != VMO_PAGED ||
        vmo->is_discarded)
        return get_any_page_locked(vmo, offset, write, faulting, out);
    /* The first touch of a page is what happens most. */
    if (write) {
        leaf = page_tree_find_hole(&vmo->pages, vmo_tree_index(vmo, offset));
        if (leaf == NULL)
            return get_any_page_locked(vmo, offset, true, faulting, out);
        return fill_absent_locked(vmo, round_down(offset, PAGE_SIZE_BYTES), leaf, faulting, out);
    }
    if (page_tree_find(&vmo->pages, vmo_tree_index(vmo, offset), &shared) != NULL)
        return get_any_page_locked(vmo, offset, false, faulting, out);
    show_zero_page(vmo, out);
    return ZX_OK;
}

static bool has_pages_locked(struct vmo *vmo, uint64_t first, uint64_t end)
{
    bool shared;

    if (vmo->kind == VMO_PAGED && end - first == PAGE_SIZE_BYTES)
        return page_tree_find(&vmo->pages, vmo_tree_index(vmo, first), &shared) != NULL;
    return vmo_next_page_locked(vmo, first, end) < end;
}

zx_status_t vmo_drop_range_locked(struct vmo *vmo, uint64_t first, uint64_t end, bool unmap_all,
                                  struct list_node *freed)
{
    bool has_pages = has_pages_locked(vmo, first, end);

    /* The zero page may stay mapped where nothing else is: it reads as zeros too. */
    if (has_pages || unmap_all)
        vmo_unmap_range_locked(vmo, first, end - first, NULL);
    if (!has_pages)
        return ZX_OK;
    return page_tree_remove_range(&vmo->pages, vmo_tree_index(vmo, first), vmo_tree_index(vmo, end),
                                  freed);
}
