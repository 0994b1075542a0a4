/* Page tables, TLBs and kernel address space: the only door to them.
 *
 * "arch_types.h" defines struct arch_aspace: root table, page-table spinlock (rank PAGE_TABLE), the
 * mask of harts on which it is live, the harts that must fence before it is live there again.
 *
 * Permissions are ZX_VM_PERM_READ/WRITE/EXECUTE (bits 0-2), the memory type sits above them. */
#pragma once

#include "arch/arch.h"
#include "kernel/lib/list.h"
#include "kernel/sync/spinlock.h"

struct page;

/* End of what page tables can hold: 44 bits of page number (privileged ISA, Sv39 entries). */
#define PADDR_LIMIT (1ul << 56)

/* What one translation can cover besides a page. */
#define LARGE_PAGE_BYTES (1ul << 21)

#define MMU_PERM_MASK   0x7u
#define MMU_PERM_READ   0x1u /* = ZX_VM_PERM_READ */
#define MMU_PERM_WRITE  0x2u /* = ZX_VM_PERM_WRITE */
#define MMU_PERM_EXEC   0x4u /* = ZX_VM_PERM_EXECUTE */
#define MMU_CACHE_SHIFT 4
#define MMU_CACHE_MASK  (0x3u << MMU_CACHE_SHIFT) /* ZX_CACHE_POLICY_* << MMU_CACHE_SHIFT */

/* ---- Batches ------------------------------------------------------------------------------- */

/* Translations that were removed or narrowed in one address space, and pages that must not be
 * reused before every hart has forgotten them. Lives on the stack of the thread that changes the
 * tables. Past TLB_BATCH_RANGES ranges, or many pages, it becomes "everything". */
#define TLB_BATCH_RANGES 8
struct tlb_range {
    vaddr_t base;
    uint32_t count_pages;
};
struct tlb_batch {
    struct arch_aspace *aspace;
    struct list_node pages; /* struct page.node: given back to the pmm by tlb_batch_finish */
    struct tlb_range ranges[TLB_BATCH_RANGES];
    uint32_t count_ranges;
    bool everything;
};

static inline void tlb_batch_init(struct tlb_batch *batch, struct arch_aspace *aspace)
{
    batch->aspace = aspace;
    list_init(&batch->pages);
    batch->count_ranges = 0;
    batch->everything = false;
}

/* True if there is nothing to fence and nothing to give back. */
static inline bool tlb_batch_is_empty(const struct tlb_batch *batch)
{
    return !batch->everything && batch->count_ranges == 0 && list_is_empty(&batch->pages);
}

/* |page| (one reference to it) is put after the fence. Takes the reference. */
void tlb_batch_add_page(struct tlb_batch *batch, struct page *page);

/* Fences this hart and, by IPI, exactly those other harts on which the address space is live; waits
 * for all of them, serving this hart's own inbox; then puts the pages. Does nothing for an empty
 * batch. No spinlock held; mutexes may be. */
void tlb_batch_finish(struct tlb_batch *batch);

/* ---- Address spaces ------------------------------------------------------------------------- */

/* Counters of all that has been done to TLBs since boot, summed over the harts. */
struct mmu_tlb_stats {
    uint64_t count_batches;         /* tlb_batch_finish with something to fence */
    uint64_t count_remote_batches;  /* of these, those that had to interrupt another hart */
    uint64_t count_harts_asked;     /* harts interrupted by them */
    uint64_t count_requests_served; /* requests served for other harts */
    uint64_t count_page_fences;     /* sfence.vma of one page */
    uint64_t count_full_fences;     /* sfence.vma of an address space or of everything */
    uint64_t count_switch_fences;   /* those of the above that an address-space switch needed */
    uint64_t count_pages_freed;     /* pages given back behind a batch */
    uint64_t count_icache_syncs;    /* mmu_sync_icache */
};
void mmu_get_tlb_stats(struct mmu_tlb_stats *out);

/* Lets each hart use at most |count_asids| ASIDs (0: none, a fence at every switch), as if the
 * hardware had no more. Before secondary harts start; tests and comparisons. */
void mmu_limit_asids(uint32_t count_asids);

/* Prepares an empty user half with the kernel's half shared in. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t mmu_aspace_init(struct arch_aspace *aspace);

/* Frees the remaining tables (all user translations must be gone; live on no hart). */
void mmu_aspace_destroy(struct arch_aspace *aspace);

/* The functions below take aspace's page-table lock. Addresses are page-aligned and the ranges lie
 * in the user half. The caller's locks (VMO or aspace mutex) make sure that the page being mapped
 * cannot be taken away in between. */

/* Maps one page. An entry already there for another page, or with more permission, is replaced and
 * added to |batch|; one with less permission is upgraded without a batch entry (a stale narrower
 * translation only faults). ZX_ERR_NO_MEMORY: no table page; nothing changed. */
MUST_USE zx_status_t mmu_map_page(struct arch_aspace *aspace, vaddr_t va, paddr_t pa,
                                  uint32_t flags, struct tlb_batch *batch);

/* Maps one page where the table for it is there and has nothing at |va|; some permission. False:
 * nothing changed, also because somebody else has the lock, and mmu_map_page has to be asked. */
bool mmu_try_map_page(struct arch_aspace *aspace, vaddr_t va, paddr_t pa, uint32_t flags);

/* Maps |count| pages pa[0..count) at va, va + 4 KiB, ...; entries that are already valid are left
 * as they are. Stops early on lack of memory for tables: returns the number of pages it passed. */
size_t mmu_map_pages(struct arch_aspace *aspace, vaddr_t va, const paddr_t *pa, size_t count_pages,
                     uint32_t flags);

/* Maps a 2 MiB page where no 4 KiB table exists at |va|, or gives more permissions to the one that
 * is there; va and pa 2 MiB-aligned, some permission. ZX_ERR_ALREADY_EXISTS: there is a table, or a
 * mapping of something else or with other permissions; ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t mmu_map_large(struct arch_aspace *aspace, vaddr_t va, paddr_t pa,
                                   uint32_t flags);

/* Whether |va| is looked up in a table of 4 KiB pages, so that no large page can be mapped there.
 */
bool mmu_has_small_table(struct arch_aspace *aspace, vaddr_t va);

/* Removes every translation in [va, va + len_bytes) and the tables that are empty then; large pages
 * that straddle the range's edge are split first. |keep_tables|: empty ones may stay, for a range
 * that is still mapped; they go with the next unmap of the range that does not say so.
 * ZX_ERR_NO_MEMORY only if such a split cannot get a table, and then nothing changed. */
MUST_USE zx_status_t mmu_unmap(struct arch_aspace *aspace, vaddr_t va, size_t len_bytes,
                               bool keep_tables, struct tlb_batch *batch);

/* Takes all permissions that |flags| has not from every valid translation in the range, and the
 * translation itself if none is left; adds none: the next fault decides (the page may be shared
 * copy-on-write, and somebody else may be taking permissions away). Tables are kept. Same errors as
 * mmu_unmap. */
MUST_USE zx_status_t mmu_protect(struct arch_aspace *aspace, vaddr_t va, size_t len_bytes,
                                 uint32_t flags, struct tlb_batch *batch);

/* False if nothing is mapped at |va|. |out_pa| and |out_flags| may be NULL. */
bool mmu_query(struct arch_aspace *aspace, vaddr_t va, paddr_t *out_pa, uint32_t *out_flags);

/* Forgets what this hart knows of the page at |va|, also that there was nothing, if |aspace| is the
 * current one: a fault was resolved, or a permission granted, that its TLB may not have seen.
 * |access|: the MMU_PERM_* that is going to be tried again. */
void mmu_fence_local(struct arch_aspace *aspace, vaddr_t va, uint32_t access);

/* Code was written to memory that this address space may execute: every hart executes fence.i
 * before it runs user code of the address space again. May wait for other harts: no spinlock. */
void mmu_sync_icache(struct arch_aspace *aspace);

/* Number of table pages of this address space, the root included. */
size_t mmu_count_tables(const struct arch_aspace *aspace);

#ifdef DEBUG
struct mmu_leaf {
    vaddr_t va;
    paddr_t pa;
    uint64_t len_bytes;
    uint32_t flags;
};
/* The first translation that ends after |va|; false: there is none. Panics if it is none that this
 * interface can have made. */
bool mmu_next_leaf(struct arch_aspace *aspace, vaddr_t va, struct mmu_leaf *out);
/* Panics unless every table is a page of kind PAGE_TABLE, counts its valid entries, has one (but
 * for the root), and all of them are counted. */
void mmu_check_tables(struct arch_aspace *aspace);
#endif

/* ---- The kernel's own space ----------------------------------------------------------------- */

struct ram_range {
    paddr_t base;
    uint64_t len_bytes;
};

/* The physical addresses that phys_to_virt can show at all. RAM outside must not be announced to
 * the pmm. Valid from kernel_main on. */
struct ram_range arch_ram_window(void);

/* Builds the final kernel tables: linear map of the banks with the largest pages (read-only or
 * absent where the image's text and read-only data are), room for struct page and kernel ranges,
 * and switches to them. |carve| gives zeroed physical pages for tables and never fails.
 * Afterwards phys_to_virt works for all of |banks|. */
void arch_vm_init(const struct ram_range *banks, size_t count_banks,
                  paddr_t (*carve)(void *ctx, size_t count_pages), void *ctx);

/* Physical address of something in the kernel image: static data, the blobs. */
paddr_t arch_image_paddr(const void *symbol);

/* Physical range of the kernel image including .bss, and of the two blobs inside it. */
struct ram_range arch_image_range(void);
struct ram_range arch_ramdisk_range(void); /* the built-in ramdisk, page-aligned */
const void *arch_vdso_image(size_t *out_bytes);

/* Maps physical pages into the kernel's range for struct page, readable and writable. Boot only. */
void arch_map_page_array(vaddr_t va, paddr_t pa, uint64_t len_bytes,
                         paddr_t (*carve)(void *ctx, size_t count_pages), void *ctx);

/* Maps a device's registers uncached (where the hardware has a choice), for ever.
 * NULL: no memory or no room. */
volatile void *arch_mmio_map(paddr_t base, uint64_t len_bytes);

/* A kernel stack of KERNEL_STACK_BYTES with an unmapped guard page below. Returns its lowest
 * address, NULL without memory. The first few stay mapped for the next thread when they are freed,
 * so the number of pages in use depends only on the number of stacks in use; the others are
 * unmapped on every hart before their pages are free. May wait for other harts: no spinlock held.
 */
#define KERNEL_STACK_BYTES (4 * PAGE_SIZE_BYTES)
void *arch_kernel_stack_alloc(void);
void arch_kernel_stack_free(void *stack);
