/* Shared by the parts of the physical memory manager: pmm_boot.c (banks and reservations),
 * pmm_buddy.c (free blocks), pmm.c (per-hart caches, accounting, the public functions). */
#pragma once

#include "kernel/sync/spinlock.h"
#include "kernel/vm/pmm.h"

/* struct page.free_state: 0, or (order + 1) of the free block that starts at this frame. With
 * FREE_STATE_FILLED all of the block holds the debug pattern. */
#define FREE_STATE_ORDER_MASK 0xffu
#define FREE_STATE_FILLED     0x100u

/* Calls fn for every maximal run of frames that are RAM and not reserved, in rising order.
 * [bank_first, bank_end) is the bank around [first, end); all are frame numbers. */
typedef void (*pmm_run_fn)(void *ctx, uint64_t first, uint64_t end, uint64_t bank_first,
                           uint64_t bank_end);
void pmm_boot_for_each_run(pmm_run_fn fn, void *ctx);

/* Takes |count_pages| out of RAM for ever without touching them; the address is congruent to
 * |congruent| modulo |align_bytes|. False: no such run. */
bool pmm_boot_take(uint64_t count_pages, uint64_t align_bytes, uint64_t congruent, paddr_t *out);

/* True if all of [base, base + len_bytes) is RAM / is reserved. */
bool pmm_boot_is_ram(paddr_t base, uint64_t len_bytes);
bool pmm_boot_is_reserved(paddr_t base, uint64_t len_bytes);

/* Drops what lies at or above |limit| from the banks. */
void pmm_boot_clip(paddr_t limit);

/* ---- Buddy allocator. Each function takes its lock. --------------------------------------------
 */

/* Takes over all runs of pmm_boot_for_each_run; struct page is in place. Returns their frames. */
uint64_t buddy_init(void);

/* A free block, out of the lists, PAGE_FLAG_FILLED set in its flags if it is; nothing else of its
 * first struct page is meaningful. NULL: none. */
struct page *buddy_take_block(unsigned order);

/* Moves up to |count| single pages to the end of |list|, as free pages of a cache; returns how
 * many. Neighbours follow each other where there is a block of them. */
size_t buddy_take_pages(struct list_node *list, size_t count);

/* |count_pages| contiguous frames, the first one aligned to 2^|align_order| frames, all of them
 * described as single pages with PAGE_FLAG_FILLED where it holds. NULL: no such run. Looks at every
 * free block if no single one will do. */
struct page *buddy_take_run(uint64_t count_pages, unsigned align_order);

/* Gives a block back; PAGE_FLAG_FILLED in its flags is believed. */
void buddy_give_block(struct page *page, unsigned order);
/* Gives all single pages of |list| back. */
void buddy_give_pages(struct list_node *list);

/* Gives |count_pages| neighbouring single pages back, all of them filled if the first one is. None
 * is in a list, and all but the first are described as free pages. */
void buddy_give_run(struct page *page, uint64_t count_pages);

/* Checks every free block; returns the number of free frames. */
uint64_t buddy_check(void);
