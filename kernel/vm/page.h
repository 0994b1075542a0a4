/* One struct page for each frame of RAM. */
#pragma once

#include "kernel/lib/list.h"
#include "kernel/sync/atomic.h"

/* Who owns a frame: the pmm counts frames by kind, and tests read the counts back. */
enum page_kind {
    PAGE_RESERVED = 0, /* firmware, the image, struct page itself: never given out */
    PAGE_FREE,
    PAGE_VMO,
    PAGE_TABLE, /* page tables of address spaces */
    PAGE_HEAP,  /* slabs and large kernel allocations */
    PAGE_STACK, /* kernel stacks */
    PAGE_KIND_COUNT,
};

struct page {
    struct list_node node; /* free list, batch, or the owner's list */
    uint32_t refs; /* 1 for the owner, more for those who look at it without a lock; atomic */
    union {
        uint32_t count;  /* page table: valid entries */
        uint32_t shares; /* in a VMO: slots of page trees that hold it, under the VMO's lock */
        struct {         /* first frame of a slab, under its cache's lock; numbers of objects */
            uint8_t slab_in_use; /* how many are in use */
            uint8_t slab_carved; /* how many were ever in use: the rest is untouched */
            uint8_t slab_free;   /* first free one of those, or SLAB_NONE */
            uint8_t slab_cache;  /* index of the cache */
        };
    };
    union {
        struct {
            uint8_t kind;   /* enum page_kind */
            uint8_t order;  /* of the free or allocated block that starts here */
            uint16_t flags; /* PAGE_FLAG_* */
        };
        uint32_t kind_order_flags; /* all three at once */
    };
    uint32_t free_state; /* pmm only, under its lock: see pmm_internal.h */
};
_Static_assert(sizeof(struct page) == 32, "struct page is budgeted at 32 bytes a frame");

#define PAGE_FLAG_HEAD         0x1u /* first frame of a block (free or allocated) */
#define PAGE_FLAG_ICACHE_CLEAN 0x2u /* no stale instructions can be cached for its contents */
#define PAGE_FLAG_SLAB         0x4u
#define PAGE_FLAG_IS_ZERO_PAGE 0x8u  /* the one shared page of zeros: never freed, never written */
#define PAGE_FLAG_ZEROED       0x20u /* set by its owner before the last put: all bytes are 0 */
#define PAGE_FLAG_FILLED       0x10u /* pmm: free memory that holds the debug pattern */

/* Only the first frame of a block is described: the struct pages of the others, and those of frames
 * that are reserved for ever, may hold garbage. (So the array costs nothing to set up.)
 *
 * The array: page_array[pfn - page_base_pfn]. Set by pmm_init. */
extern struct page *page_array;
extern uint64_t page_base_pfn;

static inline struct page *page_from_paddr(paddr_t pa)
{
    return &page_array[(pa >> PAGE_SHIFT) - page_base_pfn];
}

static inline paddr_t page_to_paddr(const struct page *page)
{
    return ((uint64_t)(page - page_array) + page_base_pfn) << PAGE_SHIFT;
}
