/* Physical memory: a buddy allocator over all banks, with a cache of single pages a hart. */
#pragma once

#include <zircon/errors.h>
#include <zircon/types.h>

#include "arch/mmu.h"
#include "kernel/vm/page.h"

#define PMM_MAX_ORDER 18 /* 4 KiB << 18 = 1 GiB */
#define PMM_MAX_BANKS 16

/* ---- Boot: before pmm_init, on one hart ---------------------------------------------------- */

/* Announces RAM, page-aligned inwards. Banks may come in any order and may touch. Past
 * PMM_MAX_BANKS they are dropped with a line in the log. */
void pmm_boot_add_bank(paddr_t base, uint64_t len_bytes);

/* Keeps a range from being given out; page-aligned outwards; parts outside RAM are ignored.
 * ZX_ERR_NO_RESOURCES: too many ranges. */
MUST_USE zx_status_t pmm_boot_reserve(paddr_t base, uint64_t len_bytes);

/* Takes |count_pages| zeroed, contiguous pages out of RAM for ever: the lowest free ones, so that
 * an early linear map needs to reach no further than it must (phys_to_virt has to work for them).
 * Panics if there are none. The signature is that of arch_vm_init's carve. */
paddr_t pmm_boot_carve(void *ctx, size_t count_pages);

/* The banks, sorted and merged. Returns their number; *out is valid for ever. */
size_t pmm_boot_banks(const struct ram_range **out);

/* Puts struct page for all banks in place (arch_map_page_array, after arch_vm_init) and gives all
 * unreserved memory to the allocator. */
void pmm_init(void);

/* ---- Allocation ------------------------------------------------------------------------------ */

#define PMM_ZERO 0x1u /* contents are zeros; otherwise undefined */

/* One page with one reference, or NULL. Any context without a lock of rank PMM or inner. */
MUST_USE struct page *pmm_alloc_page(enum page_kind kind, uint32_t flags);

/* 2^order contiguous pages aligned to their size, or NULL; the references count in the first. */
MUST_USE struct page *pmm_alloc_block(unsigned order, enum page_kind kind, uint32_t flags);

/* 2^order contiguous pages aligned to their size, each page separate with its own reference; NULL
 * if there is no such block at hand, though there might be one if the caches were emptied. */
MUST_USE struct page *pmm_try_alloc_pages(unsigned order, enum page_kind kind, uint32_t flags);

/* Contiguous pages, any count, aligned to 2^align_log2 bytes (>= 12), each page separate with its
 * own reference. NULL when there is no such run. */
MUST_USE struct page *pmm_alloc_contiguous(size_t count_pages, unsigned align_log2,
                                           enum page_kind kind, uint32_t flags);

/* Gives a block back whose reference count is the caller's one. */
void pmm_free_block(struct page *page, unsigned order);

static inline void page_get(struct page *page)
{
    atomic_fetch_add_relaxed(&page->refs, 1);
}

/* Drops a reference; frees the single page (or its block) with the last one. A page that was
 * reserved at boot is never freed, only let go. */
void page_put(struct page *page);

/* Puts every page of |pages| (linked through node), leaving the list empty. */
void pmm_put_list(struct list_node *pages);

/* Describes |count_pages| frames that were reserved at boot as single pages of kind PAGE_RESERVED
 * with one reference each, for a VMO to own. The range lies in RAM and was never given out. False
 * if not. */
MUST_USE bool pmm_adopt_reserved(paddr_t base, size_t count_pages);

/* The shared page of zeros. */
extern struct page *pmm_zero_page_ptr; /* set by pmm_init */
static inline struct page *pmm_zero_page(void)
{
    return pmm_zero_page_ptr;
}

struct pmm_stats {
    uint64_t count_total;                    /* frames with a struct page */
    uint64_t count_by_kind[PAGE_KIND_COUNT]; /* per-hart caches count as PAGE_FREE */
};
void pmm_get_stats(struct pmm_stats *out);
uint64_t pmm_count_free(void);

/* Walks all free lists and caches and checks every invariant; panics on a broken one. Tests and
 * debug. Others may go on, but not without a pause: for a moment nothing may be on its way. */
void pmm_check(void);
