/* The pages of a VMO by page index: a radix tree, sparse over the whole 52-bit index space. The
 * owner's lock guards it. */
#pragma once

#include <zircon/errors.h>

#include "kernel/lib/compiler.h"

struct page;

struct page_tree {
    void *root; /* a node; at height 0 the page with index 0, or NULL */
    uint64_t count_pages;
    uint8_t height; /* levels of nodes */
};

/* Once, after kheap_init. */
void page_tree_init_cache(void);

void page_tree_init(struct page_tree *tree);

/* NULL: nothing there. */
struct page *page_tree_lookup(const struct page_tree *tree, uint64_t index);

/* Puts |page| into an empty slot. ZX_ERR_NO_MEMORY: no node; nothing changed. */
MUST_USE zx_status_t page_tree_insert(struct page_tree *tree, uint64_t index, struct page *page);

/* Swaps the page in an occupied slot. Returns the old one. */
struct page *page_tree_replace(struct page_tree *tree, uint64_t index, struct page *page);

/* Takes a page out; NULL if the slot was empty. Frees nodes that become empty. */
struct page *page_tree_remove(struct page_tree *tree, uint64_t index);

/* Calls fn for each page with first <= index < end in rising order until it returns other than
 * ZX_OK, and returns that. fn must not change the tree. */
typedef zx_status_t (*page_tree_visitor)(void *ctx, uint64_t index, struct page *page);
zx_status_t page_tree_for_each(const struct page_tree *tree, uint64_t first, uint64_t end,
                               page_tree_visitor fn, void *ctx);

/* The first page at or after |index| and before |end|: its index in *out_index. NULL: none. */
struct page *page_tree_next(const struct page_tree *tree, uint64_t index, uint64_t end,
                            uint64_t *out_index);

/* Removes every page with first <= index < end, calling fn (which takes the page) for each. */
void page_tree_remove_range(struct page_tree *tree, uint64_t first, uint64_t end,
                            void (*fn)(void *ctx, struct page *page), void *ctx);
