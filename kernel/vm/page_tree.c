/* A radix tree with 64 ways a level. A tree that holds nothing but the page with index 0 has no
 * node; otherwise it is as high as its largest index needs, at most 9 levels. */
#include "kernel/vm/page_tree.h"

#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/vm/kheap.h"

#define WAY_BITS     6u
#define WAYS         (1u << WAY_BITS)
#define INDEX_BITS   52u
#define MAX_HEIGHT   ((INDEX_BITS + WAY_BITS - 1) / WAY_BITS)
#define MAX_RESERVED (2 * MAX_HEIGHT)

struct page_tree_node {
    uint64_t present; /* bit n: slots[n] is not NULL */
    void *slots[WAYS];
};

static struct kcache *node_cache;

void page_tree_init_cache(void)
{
    node_cache = kcache_create("page_tree_node", sizeof(struct page_tree_node), 8);
}

void page_tree_init(struct page_tree *tree)
{
    *tree = (struct page_tree){.root = NULL};
}

static unsigned way(uint64_t index, unsigned level)
{
    return (unsigned)(index >> (WAY_BITS * level)) % WAYS;
}

/* Levels that |index| needs: 0 for index 0 alone. */
static unsigned height_for(uint64_t index)
{
    return index == 0 ? 0 : log2_floor(index) / WAY_BITS + 1;
}

static void node_set(struct page_tree_node *node, unsigned slot, void *value)
{
    node->slots[slot] = value;
    if (value != NULL)
        node->present |= 1ul << slot;
    else
        node->present &= ~(1ul << slot);
}

/* The slot of |index|, or NULL if a node on the way is missing. */
static void **find_slot(const struct page_tree *tree, uint64_t index)
{
    struct page_tree_node *node = tree->root;

    if (tree->height == 0 || height_for(index) > tree->height)
        return NULL;
    for (unsigned level = tree->height - 1u; level > 0; level--) {
        node = node->slots[way(index, level)];
        if (node == NULL)
            return NULL;
    }
    return &node->slots[way(index, 0)];
}

struct page *page_tree_lookup(const struct page_tree *tree, uint64_t index)
{
    void **slot;

    if (tree->height == 0)
        return index == 0 ? tree->root : NULL;
    slot = find_slot(tree, index);
    return slot == NULL ? NULL : *slot;
}

/* ---- Insertion
 * ----------------------------------------------------------------------------------- */

/* Nodes for one insertion, taken before anything is changed. */
struct reserve {
    struct page_tree_node *nodes[MAX_RESERVED];
    unsigned count;
};

static struct page_tree_node *reserve_take(struct reserve *reserve)
{
    ASSERT(reserve->count > 0);
    return reserve->nodes[--reserve->count];
}

static bool reserve_fill(struct reserve *reserve, unsigned count)
{
    reserve->count = 0;
    while (reserve->count < count) {
        struct page_tree_node *node = kcache_zalloc(node_cache);
        if (node == NULL) {
            while (reserve->count > 0)
                kcache_free(node_cache, reserve_take(reserve));
            return false;
        }
        reserve->nodes[reserve->count++] = node;
    }
    return true;
}

/* Nodes that are missing between the root of a tree of |height| and the slot of |index|. */
static unsigned count_missing(const struct page_tree *tree, uint64_t index, unsigned height)
{
    const struct page_tree_node *node = tree->root;
    unsigned grown = height - tree->height;

    if (tree->root == NULL)
        return height;
    /* The old root ends up below the first slots of the new ones, where |index| does not lead. */
    if (grown > 0)
        return grown + height - 1;
    for (unsigned level = height; level-- > 1;) {
        node = node->slots[way(index, level)];
        if (node == NULL)
            return level;
    }
    return 0;
}

/* Puts new roots over the old one. */
static void grow(struct page_tree *tree, unsigned height, struct reserve *reserve)
{
    if (tree->root == NULL) {
        tree->root = reserve_take(reserve);
        tree->height = (uint8_t)height;
    }
    while (tree->height < height) {
        struct page_tree_node *node = reserve_take(reserve);
        node_set(node, 0, tree->root);
        tree->root = node;
        tree->height++;
    }
}

zx_status_t page_tree_insert(struct page_tree *tree, uint64_t index, struct page *page)
{
    unsigned height = MAX(height_for(index), (unsigned)tree->height);
    struct page_tree_node *node;
    struct reserve reserve;

    ASSERT(page != NULL && index < 1ul << INDEX_BITS);
    if (height == 0) {
        ASSERT(tree->root == NULL);
        tree->root = page;
        tree->count_pages = 1;
        return ZX_OK;
    }
    if (!reserve_fill(&reserve, count_missing(tree, index, height)))
        return ZX_ERR_NO_MEMORY;
    if (height > tree->height)
        grow(tree, height, &reserve);
    node = tree->root;
    for (unsigned level = height; level-- > 1;) {
        unsigned slot = way(index, level);
        if (node->slots[slot] == NULL)
            node_set(node, slot, reserve_take(&reserve));
        node = node->slots[slot];
    }
    ASSERT(reserve.count == 0 && node->slots[way(index, 0)] == NULL);
    node_set(node, way(index, 0), page);
    tree->count_pages++;
    return ZX_OK;
}

struct page *page_tree_replace(struct page_tree *tree, uint64_t index, struct page *page)
{
    void **slot = tree->height == 0 ? &tree->root : find_slot(tree, index);
    struct page *old;

    ASSERT(page != NULL && slot != NULL && *slot != NULL && (tree->height > 0 || index == 0));
    old = *slot;
    *slot = page;
    return old;
}

/* ---- Removal
 * --------------------------------------------------------------------------------------- */

/* Takes away roots that have nothing but a first slot. */
static void shrink(struct page_tree *tree)
{
    while (tree->height > 0) {
        struct page_tree_node *root = tree->root;
        if (root->present > 1)
            return;
        tree->root = root->slots[0];
        kcache_free(node_cache, root);
        /* An empty root leaves an empty tree, whatever its height was. */
        tree->height = tree->root == NULL ? 0 : tree->height - 1;
    }
}

struct page *page_tree_remove(struct page_tree *tree, uint64_t index)
{
    struct page_tree_node *path[MAX_HEIGHT];
    struct page *page = page_tree_lookup(tree, index);

    if (page == NULL)
        return NULL;
    tree->count_pages--;
    if (tree->height == 0) {
        tree->root = NULL;
        return page;
    }
    path[tree->height - 1] = tree->root;
    for (unsigned level = tree->height - 1u; level > 0; level--)
        path[level - 1] = path[level]->slots[way(index, level)];
    for (unsigned level = 0; level < tree->height; level++) {
        node_set(path[level], way(index, level), NULL);
        if (path[level]->present != 0 || level == tree->height - 1u)
            break;
        kcache_free(node_cache, path[level]);
    }
    shrink(tree);
    return page;
}

/* ---- Walks
 * ------------------------------------------------------------------------------------------- */

struct page *page_tree_next(const struct page_tree *tree, uint64_t index, uint64_t end,
                            uint64_t *out_index)
{
    if (tree->height == 0) {
        if (tree->root == NULL || index != 0 || end == 0)
            return NULL;
        *out_index = 0;
        return tree->root;
    }
    while (index < end && height_for(index) <= tree->height) {
        const struct page_tree_node *node = tree->root;
        unsigned level = tree->height - 1u;
        uint64_t rest;
        for (;; level--) {
            unsigned wanted = way(index, level), found;
            rest = node->present & ~0ul << wanted;
            if (rest == 0)
                break;
            found = lowest_bit(rest);
            if (found != wanted)
                index = ((index >> WAY_BITS * level) + (found - wanted)) << WAY_BITS * level;
            if (level == 0 && index >= end)
                return NULL;
            if (level == 0) {
                *out_index = index;
                return node->slots[found];
            }
            node = node->slots[found];
        }
        /* Nothing more in this node: on with the first index behind it. */
        index = ((index >> WAY_BITS * (level + 1)) + 1) << WAY_BITS * (level + 1);
    }
    return NULL;
}

zx_status_t page_tree_for_each(const struct page_tree *tree, uint64_t first, uint64_t end,
                               page_tree_visitor fn, void *ctx)
{
    struct page *page;

    for (uint64_t index = first; (page = page_tree_next(tree, index, end, &index)) != NULL;
         index++) {
        zx_status_t status = fn(ctx, index, page);
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

void page_tree_remove_range(struct page_tree *tree, uint64_t first, uint64_t end,
                            void (*fn)(void *ctx, struct page *page), void *ctx)
{
    uint64_t index = first;

    while (page_tree_next(tree, index, end, &index) != NULL) {
        fn(ctx, page_tree_remove(tree, index));
        index++;
    }
}
