/* The children of a VMAR in address order: a balanced tree (AVL) that also knows the largest gap in
 * each subtree, so that find, insert, remove and the search for a free place are O(log n). Guarded
 * by the address space's lock. */
#pragma once

#include "kernel/lib/compiler.h"

struct vmar;

/* What VMARs and mappings have in common. */
struct region {
    struct region *left, *right, *up;
    vaddr_t base;
    uint64_t size_bytes;
    /* Of the subtree rooted here: */
    vaddr_t subtree_first;      /* lowest base */
    vaddr_t subtree_end;        /* highest base + size */
    uint64_t subtree_gap_bytes; /* largest gap between neighbours inside */
    struct vmar *parent;        /* weak; NULL: root VMAR, or no longer in the tree */
    int8_t balance_height;
    bool is_vmar;
};

static inline vaddr_t region_end(const struct region *region)
{
    return region->base + region->size_bytes;
}

struct region_tree {
    struct region *root;
    uint64_t count;
};

/* The region that contains |addr|, or NULL. */
static inline struct region *region_tree_find(const struct region_tree *tree, vaddr_t addr)
{
    struct region *node = tree->root;
    while (node != NULL) {
        if (addr < node->base)
            node = node->left;
        else if (addr >= region_end(node))
            node = node->right;
        else
            break;
    }
    return node;
}

/* The first region whose end is above |addr|, or NULL. */
struct region *region_tree_lower_bound(const struct region_tree *tree, vaddr_t addr);

/* The region with the lowest base, and the neighbours of one; NULL: none. */
struct region *region_tree_first(const struct region_tree *tree);
struct region *region_next(const struct region *region);
struct region *region_prev(const struct region *region);

/* Puts |region| (borrowed until it is removed) into the tree. Its base and size are set and overlap
 * nothing in the tree. */
void region_tree_insert(struct region_tree *tree, struct region *region);
void region_tree_remove(struct region_tree *tree, struct region *region);

/* After base or size of a region in the tree changed without passing a neighbour. */
void region_tree_update(struct region_tree *tree, struct region *region);

/* A request for a free place inside [first, end). */
struct gap_request {
    vaddr_t first, end;   /* the place must lie in here */
    uint64_t size_bytes;  /* page multiple, non-zero */
    uint64_t align_bytes; /* power of two >= page size */
};

/* True if nothing in the tree overlaps [base, base + size). */
bool region_tree_is_free(const struct region_tree *tree, vaddr_t base, uint64_t size_bytes);

/* The lowest place at which the request fits; false: none. O(log n) plus the gaps that are long
 * enough for the size but not for the alignment too. */
bool region_tree_lowest_place(const struct region_tree *tree, const struct gap_request *request,
                              vaddr_t *out);

/* The free range around the free address |addr|: the end of the region below, or |*first| if that
 * is higher; the base of the region above, or |*end| if that is lower. */
void region_tree_gap_around(const struct region_tree *tree, vaddr_t addr, vaddr_t *first,
                            vaddr_t *end);

/* The number of aligned places at which the request fits, and the |nth| of them in address order
 * (0-based; false: there are not so many). O(gaps that are long enough): for small trees. */
uint64_t region_tree_count_places(const struct region_tree *tree,
                                  const struct gap_request *request);
bool region_tree_nth_place(const struct region_tree *tree, const struct gap_request *request,
                           uint64_t nth, vaddr_t *out);

/* Panics if an invariant is broken: order, balance, augmented fields. Tests and debug. */
void region_tree_check(const struct region_tree *tree);
