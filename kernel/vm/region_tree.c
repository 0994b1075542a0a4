/* An AVL tree with parent links. A node's subtree_* fields depend on its own range and on its
 * children only, so a change is carried up from the place where it happened until a node comes out
 * the same as before. */
#include "kernel/vm/region_tree.h"

#include "kernel/lib/panic.h"

static int height_of(const struct region *node)
{
    return node != NULL ? node->balance_height : 0;
}

/* Computes the subtree fields from the children. True if any of them changed. */
static bool refresh(struct region *node)
{
    const struct region *left = node->left, *right = node->right;
    vaddr_t first = left != NULL ? left->subtree_first : node->base;
    vaddr_t end = right != NULL ? right->subtree_end : region_end(node);
    int height = 1 + MAX(height_of(left), height_of(right));
    uint64_t gap = 0;
    if (left != NULL)
        gap = MAX(left->subtree_gap_bytes, node->base - left->subtree_end);
    if (right != NULL) {
        uint64_t after = right->subtree_first - region_end(node);
        gap = MAX(gap, MAX(right->subtree_gap_bytes, after));
    }
    if (first == node->subtree_first && end == node->subtree_end &&
        gap == node->subtree_gap_bytes && height == node->balance_height)
        return false;
    node->subtree_first = first;
    node->subtree_end = end;
    node->subtree_gap_bytes = gap;
    node->balance_height = (int8_t)height;
    return true;
}

/* Lets |fresh| (may be NULL) hang where |old| hung. */
static void replace_child(struct region_tree *tree, struct region *old, struct region *fresh)
{
    struct region *up = old->up;
    if (up == NULL)
        tree->root = fresh;
    else if (up->left == old)
        up->left = fresh;
    else
        up->right = fresh;
    if (fresh != NULL)
        fresh->up = up;
}

/* Both rotations return the new root of the subtree, refreshed. */
static struct region *rotate_left(struct region_tree *tree, struct region *node)
{
    struct region *top = node->right;
    replace_child(tree, node, top);
    node->right = top->left;
    if (node->right != NULL)
        node->right->up = node;
    top->left = node;
    node->up = top;
    refresh(node);
    refresh(top);
    return top;
}

static struct region *rotate_right(struct region_tree *tree, struct region *node)
{
    struct region *top = node->left;
    replace_child(tree, node, top);
    node->left = top->right;
    if (node->left != NULL)
        node->left->up = node;
    top->right = node;
    node->up = top;
    refresh(node);
    refresh(top);
    return top;
}

/* Restores the balance of |node|, whose children are right. Returns the root of the subtree, or
 * NULL if the node was in balance. */
static struct region *rebalance(struct region_tree *tree, struct region *node)
{
    int difference = height_of(node->left) - height_of(node->right);
    if (difference > 1) {
        if (height_of(node->left->left) < height_of(node->left->right))
            rotate_left(tree, node->left);
        return rotate_right(tree, node);
    }
    if (difference < -1) {
        if (height_of(node->right->right) < height_of(node->right->left))
            rotate_right(tree, node->right);
        return rotate_left(tree, node);
    }
    return NULL;
}

/* Refreshes and balances from |node| up, as far as something changes. */
static void fix_up(struct region_tree *tree, struct region *node)
{
    while (node != NULL) {
        struct region *top = rebalance(tree, node);
        if (top == NULL && !refresh(node))
            return;
        node = (top != NULL ? top : node)->up;
    }
}

struct region *region_tree_lower_bound(const struct region_tree *tree, vaddr_t addr)
{
    struct region *node = tree->root, *found = NULL;
    while (node != NULL) {
        if (region_end(node) > addr) {
            found = node;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return found;
}

static struct region *leftmost(struct region *node)
{
    while (node->left != NULL)
        node = node->left;
    return node;
}

struct region *region_tree_first(const struct region_tree *tree)
{
    return tree->root != NULL ? leftmost(tree->root) : NULL;
}

struct region *region_next(const struct region *region)
{
    if (region->right != NULL)
        return leftmost(region->right);
    while (region->up != NULL && region->up->right == region)
        region = region->up;
    return region->up;
}

struct region *region_prev(const struct region *region)
{
    if (region->left != NULL) {
        struct region *node = region->left;
        while (node->right != NULL)
            node = node->right;
        return node;
    }
    while (region->up != NULL && region->up->left == region)
        region = region->up;
    return region->up;
}

void region_tree_insert(struct region_tree *tree, struct region *region)
{
    struct region *up = NULL, **link = &tree->root;
    while (*link != NULL) {
        up = *link;
        link = region->base < up->base ? &up->left : &up->right;
    }
    region->left = NULL;
    region->right = NULL;
    region->up = up;
    refresh(region);
    *link = region;
    tree->count++;
    fix_up(tree, up);
}

void region_tree_remove(struct region_tree *tree, struct region *region)
{
    struct region *from; /* the lowest node whose children change */
    if (region->left == NULL || region->right == NULL) {
        from = region->up;
        replace_child(tree, region, region->left != NULL ? region->left : region->right);
    } else {
        struct region *heir = leftmost(region->right);
        from = heir;
        if (heir != region->right) {
            from = heir->up;
            replace_child(tree, heir, heir->right);
            heir->right = region->right;
            heir->right->up = heir;
        }
        heir->left = region->left;
        heir->left->up = heir;
        replace_child(tree, region, heir);
        /* What the ancestors know of this place, for refresh to compare with. The change that
         * starts at |from| does reach it: every node between had the heir as its first. */
        heir->subtree_first = region->subtree_first;
        heir->subtree_end = region->subtree_end;
        heir->subtree_gap_bytes = region->subtree_gap_bytes;
        heir->balance_height = region->balance_height;
    }
    region->left = NULL;
    region->right = NULL;
    region->up = NULL;
    tree->count--;
    fix_up(tree, from);
}

void region_tree_update(struct region_tree *tree, struct region *region)
{
    fix_up(tree, region);
}

/* ---- Gaps ----------------------------------------------------------------------------------- */

/* The lowest gap of at least |min_bytes| inside the subtree of |node|, which has one: returns the
 * region above it and its start. */
static const struct region *descend_to_gap(const struct region *node, uint64_t min_bytes,
                                           vaddr_t *out_first)
{
    for (;;) {
        const struct region *left = node->left;
        if (left != NULL && left->subtree_gap_bytes >= min_bytes) {
            node = left;
            continue;
        }
        if (left != NULL && node->base - left->subtree_end >= min_bytes) {
            *out_first = left->subtree_end;
            return node;
        }
        if (node->right->subtree_first - region_end(node) >= min_bytes) {
            *out_first = region_end(node);
            return leftmost(node->right);
        }
        node = node->right;
    }
}

/* The lowest gap of at least |min_bytes| between two regions that lies above |node|: the region
 * above the gap and the gap's start; NULL: none. */
static const struct region *next_gap(const struct region *node, uint64_t min_bytes,
                                     vaddr_t *out_first)
{
    for (;;) {
        const struct region *right = node->right;
        if (right != NULL) {
            if (right->subtree_first - region_end(node) >= min_bytes) {
                *out_first = region_end(node);
                return leftmost(node->right);
            }
            if (right->subtree_gap_bytes >= min_bytes)
                return descend_to_gap(right, min_bytes, out_first);
        }
        while (node->up != NULL && node->up->right == node)
            node = node->up;
        if (node->up == NULL)
            return NULL;
        if (node->up->base - node->subtree_end >= min_bytes) {
            *out_first = node->subtree_end;
            return node->up;
        }
        node = node->up;
    }
}

/* Walks the gaps in the request's range, clipped to it, that may be long enough. */
struct gap_walk {
    const struct region *above; /* NULL: this is the last one */
    vaddr_t first, end;
};

static void gap_walk_begin(const struct region_tree *tree, const struct gap_request *request,
                           struct gap_walk *walk)
{
    walk->above = region_tree_lower_bound(tree, request->first);
    walk->first = request->first;
    walk->end = request->end;
    if (walk->above != NULL)
        walk->end = MIN(request->end, MAX(walk->above->base, request->first));
}

static bool gap_walk_next(const struct region_tree *tree, const struct gap_request *request,
                          struct gap_walk *walk)
{
    if (walk->above == NULL)
        return false;
    walk->above = next_gap(walk->above, request->size_bytes, &walk->first);
    if (walk->above == NULL)
        walk->first = tree->root->subtree_end;
    if (walk->first >= request->end)
        return false;
    walk->end = walk->above != NULL ? MIN(walk->above->base, request->end) : request->end;
    return true;
}

/* Number of places in the walk's gap; the lowest one in *out_lowest if there are any. */
static uint64_t places_in_gap(const struct gap_walk *walk, const struct gap_request *request,
                              vaddr_t *out_lowest)
{
    uint64_t lowest;
    if (!round_up_checked(walk->first, request->align_bytes, &lowest) || lowest >= walk->end ||
        walk->end - lowest < request->size_bytes)
        return 0;
    *out_lowest = lowest;
    return (walk->end - request->size_bytes - lowest) / request->align_bytes + 1;
}

bool region_tree_is_free(const struct region_tree *tree, vaddr_t base, uint64_t size_bytes)
{
    const struct region *above = region_tree_lower_bound(tree, base);
    return above == NULL || (above->base > base && above->base - base >= size_bytes);
}

bool region_tree_lowest_place(const struct region_tree *tree, const struct gap_request *request,
                              vaddr_t *out)
{
    return region_tree_nth_place(tree, request, 0, out);
}

void region_tree_gap_around(const struct region_tree *tree, vaddr_t addr, vaddr_t *first,
                            vaddr_t *end)
{
    const struct region *node = tree->root;
    while (node != NULL) {
        if (node->base > addr) {
            *end = MIN(*end, node->base);
            node = node->left;
        } else {
            *first = MAX(*first, region_end(node));
            node = node->right;
        }
    }
}

uint64_t region_tree_count_places(const struct region_tree *tree, const struct gap_request *request)
{
    uint64_t count = 0;
    struct gap_walk walk;
    gap_walk_begin(tree, request, &walk);
    do {
        vaddr_t lowest;
        count += places_in_gap(&walk, request, &lowest);
    } while (gap_walk_next(tree, request, &walk));
    return count;
}

bool region_tree_nth_place(const struct region_tree *tree, const struct gap_request *request,
                           uint64_t nth, vaddr_t *out)
{
    struct gap_walk walk;
    gap_walk_begin(tree, request, &walk);
    do {
        vaddr_t lowest;
        uint64_t count = places_in_gap(&walk, request, &lowest);
        if (nth < count) {
            *out = lowest + nth * request->align_bytes;
            return true;
        }
        nth -= count;
    } while (gap_walk_next(tree, request, &walk));
    return false;
}

void region_tree_check(const struct region_tree *tree)
{
    uint64_t count = 0;
    const struct region *prev = NULL;
    ASSERT(tree->root == NULL || tree->root->up == NULL);
    for (struct region *node = region_tree_first(tree); node != NULL; node = region_next(node)) {
        struct region copy = *node;
        int difference = height_of(node->left) - height_of(node->right);
        ASSERT(difference >= -1 && difference <= 1);
        ASSERT(node->left == NULL || node->left->up == node);
        ASSERT(node->right == NULL || node->right->up == node);
        ASSERT(node->size_bytes != 0 && region_end(node) > node->base);
        ASSERT(prev == NULL || region_end(prev) <= node->base);
        ASSERT(!refresh(&copy));
        ASSERT(region_prev(node) == prev);
        prev = node;
        count++;
    }
    ASSERT(count == tree->count);
}
