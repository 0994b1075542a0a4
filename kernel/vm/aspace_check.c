/* Debug builds: whether the page tables of an address space say what its mappings say. */
#include "kernel/lib/panic.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmar_internal.h"

#ifdef DEBUG

/* The translation at |va|, which is inside |mapping|, against the page that the VMO has there. The
 * VMO's lock keeps both as they are. */
static void check_page_vmo_locked(const struct mapping *mapping, vaddr_t va)
{
    struct vmo_page_result page;
    uint32_t flags;
    paddr_t pa;
    bool is_present;

    if (!mmu_query(&mapping->aspace->arch, va, &pa, &flags))
        return; /* taken away since it was seen */
    is_present = vmo_peek_page_locked(mapping->vmo, mapping_offset_of(mapping, va), &page);
    if (mapping_offset_of(mapping, va) >= mapping->vmo->size_bytes)
        panic("aspace: %#lx is mapped past the end of its VMO", va);
    if ((flags & MMU_PERM_MASK & ~(uint32_t)mapping->perms) != 0)
        panic("aspace: %#lx is mapped with %#x where %#x is allowed", va, flags, mapping->perms);
    if (!is_present && pa != page_to_paddr(pmm_zero_page()))
        panic("aspace: %#lx shows %#lx where its VMO has nothing", va, pa);
    if (is_present && pa != page.pa)
        panic("aspace: %#lx shows %#lx where its VMO has %#lx", va, pa, page.pa);
    if ((flags & MMU_PERM_WRITE) != 0 && (!is_present || !page.writable))
        panic("aspace: %#lx can be written, which its VMO does not allow", va);
}

static void check_leaf_locked(struct aspace *aspace, const struct mmu_leaf *leaf)
{
    for (vaddr_t va = leaf->va; va < leaf->va + leaf->len_bytes; va += PAGE_SIZE_BYTES) {
        struct mapping *mapping = aspace_find_mapping_locked(aspace, va);
        if (mapping == NULL)
            panic("aspace: %#lx is mapped outside of every mapping", va);
        vmo_lock(mapping->vmo);
        check_page_vmo_locked(mapping, va);
        vmo_unlock(mapping->vmo);
    }
}

void aspace_check(struct aspace *aspace)
{
    struct mmu_leaf leaf;
    vaddr_t va = 0;

    mutex_lock(&aspace->lock);
    while (aspace->root != NULL && mmu_next_leaf(&aspace->arch, va, &leaf)) {
        check_leaf_locked(aspace, &leaf);
        va = leaf.va + leaf.len_bytes;
    }
    if (aspace->root != NULL) {
        region_tree_check(&aspace->root->children);
        mmu_check_tables(&aspace->arch);
    }
    mutex_unlock(&aspace->lock);
}

#endif
