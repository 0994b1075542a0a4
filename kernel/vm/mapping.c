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
#define RUN_PAGES          16u

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

/* Consecutive pages with equal flags, to be mapped with one walk of the tables. */
struct page_run {
    paddr_t pa[RUN_PAGES];
    size_t count_pages;
    vaddr_t base;
    uint32_t flags;
};

/* Maps what was gathered. False: there is no memory for tables. */
static bool run_flush(struct page_run *run, struct mapping *mapping)
{
    size_t count = run->count_pages;
    run->count_pages = 0;
    if (count == 0)
        return true;
    return mmu_map_pages(&mapping->aspace->arch, run->base, run->pa, count, run->flags) == count;
}

static bool run_add(struct page_run *run, struct mapping *mapping, vaddr_t va, paddr_t pa,
                    uint32_t flags)
{
    if (run->count_pages == RUN_PAGES || run->flags != flags ||
        run->base + run->count_pages * PAGE_SIZE_BYTES != va) {
        if (!run_flush(run, mapping))
            return false;
        run->base = va;
        run->flags = flags;
    }
    run->pa[run->count_pages++] = pa;
    return true;
}

/* Maps pages of [va, end) that are present in the VMO, whose lock is held. */
static void map_present_vmo_locked(struct mapping *mapping, vaddr_t va, vaddr_t end)
{
    struct vmo *vmo = mapping->vmo;
    uint64_t offset = mapping_offset_of(mapping, va);
    uint64_t offset_end = MIN(mapping_offset_of(mapping, end), vmo_shown_end_locked(mapping));
    struct page_run run = {.count_pages = 0};

    while (offset < offset_end) {
        struct vmo_page_result page;
        if (!vmo_peek_page_locked(vmo, offset, &page)) {
            offset = vmo_next_page_locked(vmo, offset + PAGE_SIZE_BYTES, offset_end);
            continue;
        }
        va = mapping->region.base + (offset - mapping->vmo_offset);
        if (!page.is_zero_page && !run_add(&run, mapping, va, page.pa, page_flags(mapping, &page)))
            return;
        offset += PAGE_SIZE_BYTES;
    }
    (void)run_flush(&run, mapping);
}

/* Before translations with execute permission are made. What was written to the pages until now
 * must be what every hart of this address space will fetch. PAGE_FLAG_ICACHE_CLEAN cannot spare
 * this call: the flag is one for all address spaces, while the fence reaches the harts of one. */
static void prepare_execute(struct mapping *mapping)
{
    if ((mapping->perms & MMU_PERM_EXEC) != 0)
        mmu_sync_icache(&mapping->aspace->arch);
}

static zx_status_t fault_vmo_locked(struct mapping *mapping, vaddr_t va, uint32_t access)
{
    struct arch_aspace *arch = &mapping->aspace->arch;
    struct vmo_page_result page;
    struct tlb_batch batch;
    vaddr_t window = round_down(va, FAULT_AROUND_BYTES);
    uint64_t offset = mapping_offset_of(mapping, va);
    zx_status_t status;

    if (offset >= vmo_shown_end_locked(mapping))
        return ZX_ERR_OUT_OF_RANGE;
    status =
        vmo_get_page_locked(mapping->vmo, offset, (access & MMU_PERM_WRITE) != 0, mapping, &page);
    if (status != ZX_OK)
        return status;

    prepare_execute(mapping);
    tlb_batch_init(&batch, arch);
    status = mmu_map_page(arch, va, page.pa, page_flags(mapping, &page), &batch);
    /* Before the VMO's lock goes: a page that was replaced here may be given back after that. */
    tlb_batch_finish(&batch);
    if (status != ZX_OK)
        return status;
    /* Whoever fills a mapping for the first time has its neighbours mapped already. */
    if (!page.is_new)
        map_present_vmo_locked(mapping, MAX(window, mapping->region.base),
                               MIN(window + FAULT_AROUND_BYTES, region_end(&mapping->region)));
    return ZX_OK;
}

zx_status_t mapping_fault_locked(struct mapping *mapping, vaddr_t va, uint32_t access)
{
    zx_status_t status;
    if ((access & ~(uint32_t)mapping->perms) != 0)
        return ZX_ERR_ACCESS_DENIED;
    do {
        vmo_lock(mapping->vmo);
        status = fault_vmo_locked(mapping, va, access);
        vmo_unlock(mapping->vmo);
    } while (status == ZX_ERR_NO_MEMORY && vmo_reclaim(FAULT_AROUND_BYTES / PAGE_SIZE_BYTES) > 0);
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

static void finish_vmo_locked(struct shootdown *shootdown)
{
    /* Somebody may have changed these translations without having told the other harts yet. */
    if (atomic_load(&shootdown->aspace->count_shootdowns) != 0)
        shootdown->batch.everything = true;
    tlb_batch_finish(&shootdown->batch);
}

void mapping_unmap_vmo_range_vmo_locked(struct mapping *mapping, uint64_t vmo_offset,
                                        uint64_t len_bytes)
{
    struct shootdown shootdown = {.aspace = mapping->aspace};
    vaddr_t va;

    if (!find_addresses(mapping, vmo_offset, len_bytes, &va, &len_bytes))
        return;
    tlb_batch_init(&shootdown.batch, &mapping->aspace->arch);
    shootdown_drop(&shootdown, va, len_bytes);
    finish_vmo_locked(&shootdown);
}

void mapping_write_protect_vmo_range_vmo_locked(struct mapping *mapping, uint64_t vmo_offset,
                                                uint64_t len_bytes)
{
    struct shootdown shootdown = {.aspace = mapping->aspace};
    uint32_t keep = mapping->perms & ~MMU_PERM_WRITE;
    vaddr_t va;

    /* Permissions change here only after every hart has seen the change. */
    if ((mapping->perms & MMU_PERM_WRITE) == 0)
        return;
    if (!find_addresses(mapping, vmo_offset, len_bytes, &va, &len_bytes))
        return;
    tlb_batch_init(&shootdown.batch, &mapping->aspace->arch);
    shootdown_narrow(&shootdown, va, len_bytes, mapping_flags(mapping, keep));
    finish_vmo_locked(&shootdown);
}

void mapping_sync_icache_vmo_locked(struct mapping *mapping)
{
    prepare_execute(mapping);
}
