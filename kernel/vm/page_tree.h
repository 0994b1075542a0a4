/* The pages of a VMO by page index: a radix tree, sparse over a 54-bit index space.
 *
 * Trees share what they have in common. page_tree_share_range makes a second tree that shows the
 * same pages without visiting them: both lead to the same nodes, which count how many slots and
 * roots lead to them, and a change in one tree first copies the shared nodes on its way down. A
 * page counts in |shares| the slots that hold it; it is one tree's alone when that is 1 and no node
 * above it is shared. All trees that share anything have one lock, the owner's, which guards the
 * counts too. A tree owns one reference on each page for as long as any slot holds it. */
#pragma once

#include <zircon/errors.h>

#include "kernel/lib/compiler.h"
#include "kernel/lib/list.h"
#include "kernel/vm/page.h"

#define PAGE_TREE_INDEX_BITS 54u
#define PAGE_TREE_MAX_HEIGHT 9u
#define PAGE_TREE_WAY_BITS   6u
#define PAGE_TREE_WAYS       (1u << PAGE_TREE_WAY_BITS)

/* Belongs to page_tree.c and the inline functions below. */
struct page_tree_node {
    uint64_t present; /* bit n: slots[n] is not NULL */
    uint32_t refs;    /* slots and roots that lead here */
    void *slots[PAGE_TREE_WAYS];
};

struct page_tree {
    void *root; /* a node; at height 0 the page with index 0, or NULL */
    uint64_t count_pages;
    uint8_t height; /* levels of nodes */
};

/* Nodes that were taken before a change, so that the change cannot fail. */
#define PAGE_TREE_RESERVE_NODES (2 * PAGE_TREE_MAX_HEIGHT)
struct page_tree_reserve {
    struct page_tree_node *nodes[PAGE_TREE_RESERVE_NODES];
    unsigned count;
};

/* Once, after kheap_init. */
void page_tree_init_cache(void);

void page_tree_init(struct page_tree *tree);

/* The page in a slot, NULL if there is none. *out_shared (only set if there is one): another tree
 * shows it too. */
static inline struct page *page_tree_find(const struct page_tree *tree, uint64_t index,
                                          bool *out_shared)
{
    const void *at = tree->root;
    unsigned shift = PAGE_TREE_WAY_BITS * tree->height;
    uint32_t most_refs = 0;

    if (index >> shift != 0)
        return NULL;
    while (shift > 0 && at != NULL) {
        const struct page_tree_node *node = at;
        most_refs |= node->refs - 1;
        shift -= PAGE_TREE_WAY_BITS;
        at = node->slots[(index >> shift) % PAGE_TREE_WAYS];
    }
    if (at != NULL)
        *out_shared = (most_refs | (((const struct page *)at)->shares - 1)) != 0;
    return (struct page *)at;
}

/* The node in which the slot of |index| is empty and can be filled by page_tree_insert_at: all
 * nodes down to it are there and this tree's alone. NULL: that is not so. */
static inline struct page_tree_node *page_tree_find_hole(const struct page_tree *tree,
                                                         uint64_t index)
{
    struct page_tree_node *node = tree->root;
    unsigned shift = PAGE_TREE_WAY_BITS * tree->height;

    if (shift == 0 || index >> shift != 0)
        return NULL;
    while (node != NULL && node->refs == 1) {
        void **slot;
        shift -= PAGE_TREE_WAY_BITS;
        slot = &node->slots[(index >> shift) % PAGE_TREE_WAYS];
        if (shift == 0)
            return *slot == NULL ? node : NULL;
        node = *slot;
    }
    return NULL;
}

/* Puts |page| into the empty slot that page_tree_find_hole found, in a tree unchanged since. */
static inline void page_tree_insert_at(struct page_tree *tree, uint64_t index,
                                       struct page_tree_node *leaf, struct page *page)
{
    leaf->slots[index % PAGE_TREE_WAYS] = page;
    leaf->present |= 1ul << index % PAGE_TREE_WAYS;
    page->shares++;
    tree->count_pages++;
}

/* Consecutive slots with pages, |index| the first of them, that are all shared (as above) or all
 * not. At most |max_count|, not 0, and no more than one node holds. NULL: there is none at |index|.
 * Valid until the tree changes. */
struct page *const *page_tree_find_run(const struct page_tree *tree, uint64_t index,
                                       uint64_t max_count, uint64_t *out_count, bool *out_shared);

/* Puts |page| (takes its reference, unless another slot of these trees owns it) into an empty slot.
 * ZX_ERR_NO_MEMORY: no node; nothing changed. */
MUST_USE zx_status_t page_tree_insert(struct page_tree *tree, uint64_t index, struct page *page);

/* The same for |count| consecutive slots, all of them empty, and the pages first[0..count). On
 * ZX_ERR_NO_MEMORY *out_done pages are in. */
MUST_USE zx_status_t page_tree_insert_run(struct page_tree *tree, uint64_t index,
                                          struct page *first, uint64_t count, uint64_t *out_done);

/* Swaps the page in an occupied slot, as page_tree_insert. The old one goes to |freed| (linked
 * through page.node, with the reference) if no slot holds it any more. */
MUST_USE zx_status_t page_tree_replace(struct page_tree *tree, uint64_t index, struct page *page,
                                       struct list_node *freed);

/* Empties the slots with first <= index < end. Pages that no slot holds any more go to |freed| in
 * rising order. ZX_ERR_NO_MEMORY: no node to copy a shared one that lies across an edge of the
 * range; nothing changed. */
MUST_USE zx_status_t page_tree_remove_range(struct page_tree *tree, uint64_t first, uint64_t end,
                                            struct list_node *freed);

/* Empties the tree, as page_tree_remove_range, but cannot fail. What is shared is not visited. */
void page_tree_clear(struct page_tree *tree, struct list_node *freed);

/* Makes |dst|, an empty tree, show the pages of |src| with first <= index < end under the same
 * indices. The cost does not depend on their number as long as the range leaves no page of |src|
 * out; otherwise one visit a node. ZX_ERR_NO_MEMORY: nothing changed. */
MUST_USE zx_status_t page_tree_share_range(const struct page_tree *src, uint64_t first,
                                           uint64_t end, struct page_tree *dst);

/* The first page at or after |index| and before |end|: its index in *out_index. NULL: none. */
struct page *page_tree_next(const struct page_tree *tree, uint64_t index, uint64_t end,
                            uint64_t *out_index);

/* The number of pages with first <= index < end. */
uint64_t page_tree_count_range(const struct page_tree *tree, uint64_t first, uint64_t end);

/* The same, leaving out those that another tree shows too. Visits every page. */
uint64_t page_tree_count_private(const struct page_tree *tree);

/* Fills a reserve (all zeros at first) with as many nodes as one insertion or replacement can need.
 * False: no memory; what it has stays. */
MUST_USE bool page_tree_reserve_fill(struct page_tree_reserve *reserve);
void page_tree_reserve_free(struct page_tree_reserve *reserve);
/* Puts |page| into the slot, whatever is there, with nodes from a full reserve. */
void page_tree_put_reserved(struct page_tree *tree, uint64_t index, struct page *page,
                            struct page_tree_reserve *reserve, struct list_node *freed);
