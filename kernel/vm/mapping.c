/* Mappings: their lives, and how pages get into and out of the page tables through them. */
#include "kernel/vm/mapping.h"

#include <zircon/types.h>

#include "kernel/lib/panic.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmar_internal.h"

_Static_assert(MMU_PERM_READ == ZX_VM_PERM_READ && MMU_PERM_WRITE == ZX_VM_PERM_WRITE &&
                   MMU_PERM_EXEC == ZX_VM_PERM_EXECUTE,
               "permissions pass through vm/ unchanged");

/* Pages that a fault maps at most: an aligned window around the one that was asked for. */
#define FAULT_AROUND_BYTES (16 * PAGE_SIZE_BYTES)
/* Pages that are mapped with one walk of the tables: as many as a node of a page tree has. */
#define RUN_PAGES 64u

static struct kcache *mapping_cache;

void mapping_init_cache(void)
{
    mapping_cache = kcache_create("mapping", sizeof(struct mapping), _Alignof(struct mapping));
}

struct mapping *mapping_alloc(void)
{
    return kcache_zalloc(mapping_cache);
}

void mapping_free_unused(struct mapping *mapping)
{
    if (mapping != NULL)
        kcache_free(mapping_cache, mapping);
}

void mapping_destroy(struct mapping *mapping)
{
    if (mapping->keeper != NULL)
        mapping->keeper->put(mapping->keeper);
    vmo_put(mapping->vmo);
    kcache_free(mapping_cache, mapping);
}

/* What anybody remembers of the address space's mappings counts for nothing any more. */
static void note_change_locked(struct aspace *aspace)
{
    atomic_store_relaxed(&aspace->layout_generation, aspace->layout_generation + 1);
}

/* ---- Tree and list ----------------------------------------------------------------------------
 */

void mapping_attach_locked(struct mapping *mapping, struct vmar *vmar, struct vmo *vmo)
{
    vmo_get(vmo);
    if (mapping->keeper != NULL)
        mapping->keeper->get(mapping->keeper);
    mapping->vmo = vmo;
    mapping->aspace = vmar->aspace;
    mapping->region.parent = vmar;
    mapping->region.is_vmar = false;
    list_init(&mapping->vmo_node);
    vmo_lock(vmo);
    mapping->cache_policy = vmo->cache_policy;
    vmo_add_mapping_locked(vmo, mapping);
    vmo_unlock(vmo);
    region_tree_insert(&vmar->children, &mapping->region);
    note_change_locked(mapping->aspace);
}

void mapping_detach_locked(struct mapping *mapping)
{
    vmo_lock(mapping->vmo);
    vmo_remove_mapping_locked(mapping->vmo, mapping);
    vmo_unlock(mapping->vmo);
    region_tree_remove(&mapping->region.parent->children, &mapping->region);
    mapping->region.parent = NULL;
    if (mapping->aspace->last_fault == mapping)
        mapping->aspace->last_fault = NULL;
    note_change_locked(mapping->aspace);
}

void mapping_split_locked(struct mapping *mapping, vaddr_t at, struct mapping *fresh)
{
    struct vmar *vmar = mapping->region.parent;
    struct vmo *vmo = mapping->vmo;

    ASSERT(mapping->region.base < at && at < region_end(&mapping->region));
    *fresh = (struct mapping){
        .region = {.base = at,
                   .size_bytes = region_end(&mapping->region) - at,
                   .parent = vmar,
                   .is_vmar = false},
        .vmo = vmo,
        .vmo_offset = mapping_offset_of(mapping, at),
        .aspace = mapping->aspace,
        .keeper = mapping->keeper,
        .perms = mapping->perms,
        .max_perms = mapping->max_perms,
        .cache_policy = mapping->cache_policy,
        .ends_with_stream = mapping->ends_with_stream,
    };
    list_init(&fresh->vmo_node);
    vmo_get(vmo);
    if (fresh->keeper != NULL)
        fresh->keeper->get(fresh->keeper);
    vmo_lock(vmo);
    mapping->region.size_bytes = at - mapping->region.base;
    vmo_add_mapping_locked(vmo, fresh);
    vmo_unlock(vmo);
    region_tree_update(&vmar->children, &mapping->region);
    region_tree_insert(&vmar->children, &fresh->region);
    note_change_locked(mapping->aspace);
}

void mapping_shrink_locked(struct mapping *mapping, vaddr_t base, vaddr_t end)
{
    ASSERT(mapping->region.base <= base && base < end && end <= region_end(&mapping->region));
    vmo_lock(mapping->vmo);
    mapping->vmo_offset = mapping_offset_of(mapping, base);
    mapping->region.base = base;
    mapping->region.size_bytes = end - base;
    vmo_unlock(mapping->vmo);
    region_tree_update(&mapping->region.parent->children, &mapping->region);
    note_change_locked(mapping->aspace);
}

void mapping_set_perms_locked(struct mapping *mapping, uint32_t perms)
{
    vmo_lock(mapping->vmo);
    mapping->perms = (uint8_t)perms;
    vmo_unlock(mapping->vmo);
}

/* ---- Pages ------------------------------------------------------------------------------------
 */

static uint32_t page_flags(const struct mapping *mapping, const struct vmo_page_result *page)
{
    uint32_t perms = mapping->perms;
    if (!page->writable)
        perms &= ~MMU_PERM_WRITE;
    return mapping_flags(mapping, perms);
}

/* Whether a 2 MiB page may show what the VMO has at |va|: the mapping reaches over all of it, and
 * no smaller page is mapped there. */
static bool has_large_place(struct mapping *mapping, vaddr_t va)
{
    vaddr_t base = round_down(va, LARGE_PAGE_BYTES);

    return base >= mapping->region.base && region_end(&mapping->region) >= LARGE_PAGE_BYTES &&
           base <= region_end(&mapping->region) - LARGE_PAGE_BYTES &&
           !mmu_has_small_table(&mapping->aspace->arch, va);
}

/* Maps the 2 MiB around |va| with one entry if the VMO has them in one piece, |pa| being the frame
 * at |va|. The VMO's lock is held. */
static bool map_large_vmo_locked(struct mapping *mapping, vaddr_t va, paddr_t pa)
{
    struct vmo_page_result large;
    vaddr_t base = round_down(va, LARGE_PAGE_BYTES);

    if (((va ^ pa) & (LARGE_PAGE_BYTES - 1)) != 0 || !has_large_place(mapping, va) ||
        mapping_offset_of(mapping, base) + LARGE_PAGE_BYTES > vmo_shown_end_locked(mapping) ||
        !vmo_peek_large_locked(mapping->vmo, mapping_offset_of(mapping, base), &large))
        return false;
    return mmu_map_large(&mapping->aspace->arch, base, large.pa, page_flags(mapping, &large)) ==
           ZX_OK;
}

/* Maps pages of [va, end) that are present in the VMO, whose lock is held. */
static void map_present_vmo_locked(struct mapping *mapping, vaddr_t va, vaddr_t end)
{
    struct vmo *vmo = mapping->vmo;
    uint64_t offset = mapping_offset_of(mapping, va);
    uint64_t offset_end = MIN(mapping_offset_of(mapping, end), vmo_shown_end_locked(mapping));
    paddr_t pa[RUN_PAGES];

    while (offset < offset_end) {
        struct vmo_page_result page;
        size_t max = MIN((offset_end - offset) >> PAGE_SHIFT, RUN_PAGES);
        size_t count = vmo_peek_run_locked(vmo, offset, pa, max, &page);
        if (count == 0) {
            offset = vmo_next_page_locked(vmo, offset + PAGE_SIZE_BYTES, offset_end);
            continue;
        }
        va = mapping->region.base + (offset - mapping->vmo_offset);
        if (is_aligned(va, LARGE_PAGE_BYTES) && offset_end - offset >= LARGE_PAGE_BYTES &&
            map_large_vmo_locked(mapping, va, page.pa)) {
            offset += LARGE_PAGE_BYTES;
            continue;
        }
        if (mmu_map_pages(&mapping->aspace->arch, va, pa, count, page_flags(mapping, &page)) !=
            count)
            return;
        offset += count * PAGE_SIZE_BYTES;
    }
}

/* Before translations with execute permission are made. What was written to the pages until now
 * must be what every hart of this address space will fetch. PAGE_FLAG_ICACHE_CLEAN cannot spare
 * this call: the flag is one for all address spaces, while the fence reaches the harts of one. */
static void prepare_execute(struct mapping *mapping)
{
    if ((mapping->perms & MMU_PERM_EXEC) != 0)
        mmu_sync_icache(&mapping->aspace->arch);
}

/* Maps |page| at |va|, whatever is there, and what is worth it around it. The VMO's lock is held.
 */
static NOINLINE zx_status_t map_found_vmo_locked(struct mapping *mapping, vaddr_t va,
                                                 const struct vmo_page_result *page)
{
    struct arch_aspace *arch = &mapping->aspace->arch;
    struct tlb_batch batch;
    vaddr_t window = round_down(va, FAULT_AROUND_BYTES);
    /* Whoever fills a mapping for the first time, or reads what was never written, has no
     * neighbours that are worth a search. */
    bool has_neighbours = !page->is_new && !page->is_zero_page;
    zx_status_t status;

    prepare_execute(mapping);
    if (has_neighbours && map_large_vmo_locked(mapping, va, page->pa))
        return ZX_OK;
    tlb_batch_init(&batch, arch);
    status = mmu_map_page(arch, va, page->pa, page_flags(mapping, page), &batch);
    /* Before the VMO's lock goes: a page that was replaced here may be given back after that. */
    if (!tlb_batch_is_empty(&batch))
        tlb_batch_finish(&batch);
    /* What a large page still shows there may be the page that had this one's place. */
    if (status != ZX_OK)
        mapping_unmap_vmo_range_vmo_locked(mapping, mapping_offset_of(mapping, va),
                                           PAGE_SIZE_BYTES);
    if (status == ZX_OK && has_neighbours)
        map_present_vmo_locked(mapping, MAX(window, mapping->region.base),
                               MIN(window + FAULT_AROUND_BYTES, region_end(&mapping->region)));
    return status;
}

zx_status_t mapping_fault_locked(struct mapping *mapping, vaddr_t va, uint32_t access)
{
    struct vmo_page_result page;
    uint64_t offset;
    zx_status_t status;

    if ((access & ~(uint32_t)mapping->perms) != 0)
        return ZX_ERR_ACCESS_DENIED;
    do {
        vmo_lock(mapping->vmo);
        offset = mapping_offset_of(mapping, va);
        if (UNLIKELY(mapping->ends_with_stream) && offset >= vmo_shown_end_locked(mapping))
            status = ZX_ERR_OUT_OF_RANGE;
        else
            status = vmo_get_page_locked(mapping->vmo, offset, (access & MMU_PERM_WRITE) != 0,
                                         mapping, &page);
        /* Most faults are the first touch of a page for which there is a table. */
        if (status == ZX_OK &&
            !((page.is_new || page.is_zero_page) && (mapping->perms & MMU_PERM_EXEC) == 0 &&
              mmu_try_map_page(&mapping->aspace->arch, va, page.pa, page_flags(mapping, &page))))
            status = map_found_vmo_locked(mapping, va, &page);
        vmo_unlock(mapping->vmo);
    } while (UNLIKELY(status == ZX_ERR_NO_MEMORY) &&
             vmo_reclaim(FAULT_AROUND_BYTES / PAGE_SIZE_BYTES) > 0);
    return status;
}

void mapping_populate_locked(struct mapping *mapping, vaddr_t va, vaddr_t end)
{
    if (mapping->perms == 0)
        return;
    vmo_lock(mapping->vmo);
    prepare_execute(mapping);
    map_present_vmo_locked(mapping, va, end);
    vmo_unlock(mapping->vmo);
}

/* The addresses where the mapping shows a range of the VMO; false: nowhere. */
static bool find_addresses(const struct mapping *mapping, uint64_t vmo_offset, uint64_t len_bytes,
                           vaddr_t *out_va, uint64_t *out_len_bytes)
{
    uint64_t first = MAX(vmo_offset, mapping->vmo_offset);
    uint64_t mapping_end = mapping->vmo_offset + mapping->region.size_bytes, end;

    if (__builtin_add_overflow(vmo_offset, len_bytes, &end) || end > mapping_end)
        end = mapping_end;
    if (first >= end)
        return false;
    *out_va = mapping->region.base + (first - mapping->vmo_offset);
    *out_len_bytes = end - first;
    return true;
}

void mapping_unmap_vmo_range_vmo_locked(struct mapping *mapping, uint64_t vmo_offset,
                                        uint64_t len_bytes)
{
    struct shootdown shootdown;
    vaddr_t va;

    if (!find_addresses(mapping, vmo_offset, len_bytes, &va, &len_bytes))
        return;
    shootdown_begin_vmo_locked(&shootdown, mapping->aspace);
    shootdown_drop(&shootdown, va, len_bytes);
    shootdown_finish(&shootdown);
}

void mapping_write_protect_vmo_range_vmo_locked(struct mapping *mapping, uint64_t vmo_offset,
                                                uint64_t len_bytes)
{
    struct shootdown shootdown;
    uint32_t keep = mapping->perms & ~MMU_PERM_WRITE;
    vaddr_t va;

    /* Permissions change here only after every hart has seen the change. */
    if ((mapping->perms & MMU_PERM_WRITE) == 0)
        return;
    if (!find_addresses(mapping, vmo_offset, len_bytes, &va, &len_bytes))
        return;
    shootdown_begin_vmo_locked(&shootdown, mapping->aspace);
    shootdown_narrow(&shootdown, va, len_bytes, mapping_flags(mapping, keep));
    shootdown_finish(&shootdown);
}

void mapping_sync_icache_vmo_locked(struct mapping *mapping)
{
    prepare_execute(mapping);
}
