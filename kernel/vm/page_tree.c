/* A radix tree with 64 ways a level. A tree that holds nothing but the page with index 0 has no
 * node; otherwise it is at least as high as its largest index needs, at most 9 levels. That bounds
 * the recursion of the walks below, too. */
#include "kernel/vm/page_tree.h"

#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/page.h"

#define WAY_BITS PAGE_TREE_WAY_BITS
#define WAYS     PAGE_TREE_WAYS

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

/* Whether |index| needs more levels than the tree has. */
static bool is_beyond(const struct page_tree *tree, uint64_t index)
{
    return index >> WAY_BITS * tree->height != 0;
}

/* Levels of the tree once it holds |index|. */
static unsigned height_with(const struct page_tree *tree, uint64_t index)
{
    return is_beyond(tree, index) ? height_for(index) : tree->height;
}

static void node_set(struct page_tree_node *node, unsigned slot, void *value)
{
    node->slots[slot] = value;
    if (value != NULL)
        node->present |= 1ul << slot;
    else
        node->present &= ~(1ul << slot);
}

struct page *const *page_tree_find_run(const struct page_tree *tree, uint64_t index,
                                       uint64_t max_count, uint64_t *out_count, bool *out_shared)
{
    unsigned shift = WAY_BITS * tree->height;
    const struct page_tree_node *node = tree->root;
    uint32_t above = 0; /* not 0: some node is shared */
    struct page *const *pages;
    uint64_t count, limit;

    if (index >> shift != 0 || node == NULL)
        return NULL;
    if (shift == 0) {
        *out_count = 1;
        *out_shared = ((struct page *)tree->root)->shares > 1;
        return (struct page *const *)&tree->root;
    }
    for (;;) {
        above |= node->refs - 1;
        shift -= WAY_BITS;
        if (shift == 0)
            break;
        node = node->slots[(index >> shift) % WAYS];
        if (node == NULL)
            return NULL;
    }
    pages = (struct page *const *)&node->slots[index % WAYS];
    if (pages[0] == NULL)
        return NULL;
    *out_shared = (above | (pages[0]->shares - 1)) != 0;
    limit = MIN(max_count, WAYS - index % WAYS);
    for (count = 1; count < limit && pages[count] != NULL; count++) {
        if (above == 0 && (pages[count]->shares > 1) != *out_shared)
            break;
    }
    *out_count = count;
    return pages;
}

/* ---- Reserves ------------------------------------------------------------------------------- */

static bool reserve_fill_to(struct page_tree_reserve *reserve, unsigned count)
{
    while (reserve->count < count) {
        struct page_tree_node *node = kcache_alloc(node_cache);
        if (node == NULL)
            return false;
        reserve->nodes[reserve->count++] = node;
    }
    return true;
}

bool page_tree_reserve_fill(struct page_tree_reserve *reserve)
{
    return reserve_fill_to(reserve, PAGE_TREE_RESERVE_NODES);
}

void page_tree_reserve_free(struct page_tree_reserve *reserve)
{
    while (reserve->count > 0)
        kcache_free(node_cache, reserve->nodes[--reserve->count]);
}

/* Fills an empty reserve, or leaves it empty. */
static zx_status_t reserve_exactly(struct page_tree_reserve *reserve, unsigned count)
{
    reserve->count = 0;
    if (reserve_fill_to(reserve, count))
        return ZX_OK;
    page_tree_reserve_free(reserve);
    return ZX_ERR_NO_MEMORY;
}

/* Its contents are undefined. */
static struct page_tree_node *reserve_take(struct page_tree_reserve *reserve)
{
    ASSERT(reserve->count > 0);
    return reserve->nodes[--reserve->count];
}

/* A node without slots, for one to lead to it. */
static struct page_tree_node *reserve_take_empty(struct page_tree_reserve *reserve)
{
    struct page_tree_node *node = reserve_take(reserve);

    memset(node, 0, sizeof(*node));
    node->refs = 1;
    return node;
}

/* ---- Sharing -------------------------------------------------------------------------------- */

/* One more slot holds |value|, a page below level 0 and a node below others. */
static void value_get(void *value, unsigned level)
{
    if (level == 0)
        ((struct page *)value)->shares++;
    else
        ((struct page_tree_node *)value)->refs++;
}

static void page_release(struct page *page, struct list_node *freed)
{
    ASSERT(page->shares > 0);
    if (--page->shares == 0)
        list_push_back(freed, &page->node);
}

static void node_release(struct page_tree_node *node, unsigned level, struct list_node *freed)
{
    if (--node->refs > 0)
        return;
    /* Bit by bit: most nodes are full, or have their few slots in front. */
    for (uint64_t rest = node->present, slot = 0; rest != 0; rest >>= 1, slot++) {
        if ((rest & 1) == 0)
            continue;
        if (level == 0)
            page_release(node->slots[slot], freed);
        else
            node_release(node->slots[slot], level - 1, freed);
    }
    kcache_free(node_cache, node);
}

/* The node to change in place of |node|: itself, or a copy if others lead to it. */
static struct page_tree_node *node_own(struct page_tree_node *node, unsigned level,
                                       struct page_tree_reserve *reserve)
{
    struct page_tree_node *copy;

    if (node->refs == 1)
        return node;
    copy = reserve_take(reserve);
    memcpy(copy, node, sizeof(*copy));
    copy->refs = 1;
    for (uint64_t rest = node->present, slot = 0; rest != 0; rest >>= 1, slot++) {
        if ((rest & 1) != 0)
            value_get(node->slots[slot], level);
    }
    node->refs--;
    return copy;
}

/* ---- Insertion ------------------------------------------------------------------------------ */

/* Nodes that a change of the slot of |index| in a tree made |height| high needs: the missing ones,
 * and copies of shared ones with all that is below them on the way. */
static unsigned count_needed(const struct page_tree *tree, uint64_t index, unsigned height)
{
    const struct page_tree_node *node = tree->root;
    unsigned grown = height - tree->height, count = 0;
    bool shared = false;

    if (tree->root == NULL)
        return height;
    /* The old root ends up below the first slots of the new ones, where |index| does not lead. */
    if (grown > 0)
        return grown + height - 1;
    for (unsigned level = height; level-- > 0;) {
        if (node == NULL)
            return count + level + 1;
        shared |= node->refs > 1;
        count += shared;
        node = node->slots[way(index, level)];
    }
    return count;
}

/* Puts new roots over the old one. */
static void grow(struct page_tree *tree, unsigned height, struct page_tree_reserve *reserve)
{
    if (tree->root == NULL)
        tree->height = (uint8_t)height;
    while (tree->height < height) {
        struct page_tree_node *node = reserve_take_empty(reserve);
        node_set(node, 0, tree->root);
        tree->root = node;
        tree->height++;
    }
}

/* The slot of |index|, in a node that is this tree's alone. *out_leaf: that node; NULL: the root.
 */
static void **slot_own(struct page_tree *tree, uint64_t index, struct page_tree_reserve *reserve,
                       struct page_tree_node **out_leaf)
{
    struct page_tree_node *parent = NULL;
    void **slot = &tree->root;

    grow(tree, height_with(tree, index), reserve);
    for (unsigned level = tree->height; level-- > 0;) {
        struct page_tree_node *node = *slot;
        if (node == NULL) {
            node = reserve_take_empty(reserve);
        } else {
            node = node_own(node, level, reserve);
        }
        if (parent == NULL)
            tree->root = node;
        else
            node_set(parent, way(index, level + 1), node);
        parent = node;
        slot = &node->slots[way(index, level)];
    }
    *out_leaf = parent;
    return slot;
}

void page_tree_put_reserved(struct page_tree *tree, uint64_t index, struct page *page,
                            struct page_tree_reserve *reserve, struct list_node *freed)
{
    struct page_tree_node *leaf;
    void **slot;
    struct page *old;

    ASSERT(page != NULL && index < 1ul << PAGE_TREE_INDEX_BITS);
    slot = slot_own(tree, index, reserve, &leaf);
    old = *slot;
    page->shares++;
    if (leaf == NULL)
        *slot = page;
    else
        node_set(leaf, way(index, 0), page);
    if (old != NULL)
        page_release(old, freed);
    else
        tree->count_pages++;
}

static zx_status_t put(struct page_tree *tree, uint64_t index, struct page *page,
                       struct list_node *freed)
{
    unsigned height = height_with(tree, index);
    struct page_tree_reserve reserve;

    if (reserve_exactly(&reserve, count_needed(tree, index, height)) != ZX_OK)
        return ZX_ERR_NO_MEMORY;
    page_tree_put_reserved(tree, index, page, &reserve, freed);
    ASSERT(reserve.count == 0);
    return ZX_OK;
}

/* The leaf of |index| if the nodes down to it are there and this tree's alone; else NULL. */
static struct page_tree_node *find_own_leaf(const struct page_tree *tree, uint64_t index)
{
    unsigned shift = WAY_BITS * tree->height;
    struct page_tree_node *node = tree->root;

    if (shift == 0 || index >> shift != 0)
        return NULL;
    for (;;) {
        if (node == NULL || node->refs != 1)
            return NULL;
        shift -= WAY_BITS;
        if (shift == 0)
            return node;
        node = node->slots[(index >> shift) % WAYS];
    }
}

zx_status_t page_tree_insert(struct page_tree *tree, uint64_t index, struct page *page)
{
    struct list_node freed = LIST_INIT(freed);
    zx_status_t status = put(tree, index, page, &freed);

    ASSERT(list_is_empty(&freed));
    return status;
}

/* Fills slots of a leaf, which are empty. */
static void fill_leaf(struct page_tree_node *leaf, unsigned slot, struct page *first,
                      unsigned count)
{
    uint64_t bits = ~0ul >> (WAYS - count) << slot;
    void **at = &leaf->slots[slot];

    ASSERT((leaf->present & bits) == 0);
    leaf->present |= bits;
    for (struct page *page = first; page < first + count; page++) {
        *at++ = page;
        page->shares++;
    }
}

zx_status_t page_tree_insert_run(struct page_tree *tree, uint64_t index, struct page *first,
                                 uint64_t count, uint64_t *out_done)
{
    uint64_t done = 0;

    while (done < count) {
        struct page_tree_node *leaf;
        zx_status_t status = page_tree_insert(tree, index + done, &first[done]);
        if (status != ZX_OK) {
            *out_done = done;
            return status;
        }
        done++;
        leaf = find_own_leaf(tree, index + done - 1);
        unsigned slot = (index + done) % WAYS;
        if (leaf != NULL && slot != 0 && done < count) {
            unsigned rest = (unsigned)MIN(count - done, WAYS - slot);
            fill_leaf(leaf, slot, &first[done], rest);
            tree->count_pages += rest;
            done += rest;
        }
    }
    *out_done = done;
    return ZX_OK;
}

zx_status_t page_tree_replace(struct page_tree *tree, uint64_t index, struct page *page,
                              struct list_node *freed)
{
    return put(tree, index, page, freed);
}

/* ---- Ranges --------------------------------------------------------------------------------- */

struct range {
    uint64_t first, end;
};

/* A node's place: its level, and the first index below it. */
struct place {
    unsigned level;
    uint64_t base;
};

static bool range_covers(const struct range *range, struct place at)
{
    return range->first <= at.base && range->end - at.base >= 1ul << WAY_BITS * (at.level + 1) &&
           range->end > at.base;
}

/* Bits of the present slots that reach into the range. The range is not empty. */
static uint64_t slots_in_range(const struct page_tree_node *node, struct place at,
                               const struct range *range)
{
    unsigned shift = WAY_BITS * at.level;
    uint64_t last = range->end - 1, lowest = 0, highest = WAYS - 1;

    if (last < at.base)
        return 0;
    if (range->first > at.base)
        lowest = (range->first - at.base) >> shift;
    highest = MIN(highest, (last - at.base) >> shift);
    if (lowest > highest)
        return 0;
    return node->present & ~0ul << lowest & ~0ul >> (WAYS - 1 - highest);
}

static struct place place_below(struct place at, unsigned slot)
{
    return (struct place){at.level - 1, at.base + ((uint64_t)slot << WAY_BITS * at.level)};
}

static struct place place_of_root(const struct page_tree *tree)
{
    return (struct place){tree->height - 1u, 0};
}

static uint64_t count_bits(uint64_t bits)
{
    uint64_t count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

static uint64_t count_below(const struct page_tree_node *node, struct place at,
                            const struct range *range)
{
    uint64_t rest = slots_in_range(node, at, range), count = 0;

    if (at.level == 0)
        return rest == ~0ul ? WAYS : count_bits(rest);
    for (; rest != 0; rest &= rest - 1) {
        unsigned slot = lowest_bit(rest);
        count += count_below(node->slots[slot], place_below(at, slot), range);
    }
    return count;
}

uint64_t page_tree_count_range(const struct page_tree *tree, uint64_t first, uint64_t end)
{
    struct range range = {first, end};

    if (tree->root == NULL || first >= end)
        return 0;
    if (tree->height == 0)
        return first == 0;
    return count_below(tree->root, place_of_root(tree), &range);
}

static uint64_t count_private_below(const struct page_tree_node *node, unsigned level)
{
    uint64_t count = 0;

    if (node->refs > 1)
        return 0;
    for (uint64_t rest = node->present; rest != 0; rest &= rest - 1) {
        const void *value = node->slots[lowest_bit(rest)];
        count += level > 0 ? count_private_below(value, level - 1)
                           : ((const struct page *)value)->shares == 1;
    }
    return count;
}

uint64_t page_tree_count_private(const struct page_tree *tree)
{
    if (tree->root == NULL)
        return 0;
    if (tree->height == 0)
        return ((const struct page *)tree->root)->shares == 1;
    return count_private_below(tree->root, tree->height - 1u);
}

/* ---- Removal -------------------------------------------------------------------------------- */

/* Takes away roots that have nothing but a first slot. */
static void shrink(struct page_tree *tree)
{
    while (tree->height > 0) {
        struct page_tree_node *root = tree->root;
        if (root != NULL && (root->present > 1 || root->refs > 1))
            return;
        /* An empty root leaves an empty tree, whatever its height was. */
        tree->root = root == NULL ? NULL : root->slots[0];
        if (root != NULL)
            kcache_free(node_cache, root);
        tree->height = tree->root == NULL ? 0 : tree->height - 1;
    }
}

/* Copies that remove_below makes. |shared|: some node above is copied. */
static unsigned count_copies(const struct page_tree_node *node, struct place at,
                             const struct range *range, bool shared)
{
    uint64_t rest = slots_in_range(node, at, range);
    unsigned count;

    if (rest == 0 || range_covers(range, at))
        return 0;
    shared |= node->refs > 1;
    count = shared;
    for (; at.level > 0 && rest != 0; rest &= rest - 1) {
        unsigned slot = lowest_bit(rest);
        count += count_copies(node->slots[slot], place_below(at, slot), range, shared);
    }
    return count;
}

/* Empties the range below |node|. Returns what takes its place. */
static struct page_tree_node *remove_below(struct page_tree_node *node, struct place at,
                                           const struct range *range,
                                           struct page_tree_reserve *reserve,
                                           struct list_node *freed)
{
    uint64_t rest = slots_in_range(node, at, range);

    if (rest == 0)
        return node;
    if (range_covers(range, at)) {
        node_release(node, at.level, freed);
        return NULL;
    }
    node = node_own(node, at.level, reserve);
    for (; rest != 0; rest &= rest - 1) {
        unsigned slot = lowest_bit(rest);
        if (at.level == 0) {
            page_release(node->slots[slot], freed);
            node_set(node, slot, NULL);
        } else {
            node_set(node, slot,
                     remove_below(node->slots[slot], place_below(at, slot), range, reserve, freed));
        }
    }
    if (node->present != 0)
        return node;
    kcache_free(node_cache, node);
    return NULL;
}

/* The page in a slot whose nodes are this tree's alone, if its leaf has others: no node goes.
 * False: it is not so, nothing changed. */
static bool remove_one(struct page_tree *tree, uint64_t index, struct list_node *freed)
{
    struct page_tree_node *leaf = find_own_leaf(tree, index);
    uint64_t bit = 1ul << index % WAYS;

    if (leaf == NULL || (leaf->present & ~bit) == 0)
        return false;
    if (tree->height == 1 && (leaf->present & ~bit) == 1)
        return false; /* the page with index 0 alone needs no node */
    if ((leaf->present & bit) == 0)
        return true;
    page_release(leaf->slots[index % WAYS], freed);
    node_set(leaf, index % WAYS, NULL);
    tree->count_pages--;
    return true;
}

zx_status_t page_tree_remove_range(struct page_tree *tree, uint64_t first, uint64_t end,
                                   struct list_node *freed)
{
    struct range range = {first, end};
    struct page_tree_reserve reserve;
    uint64_t count;

    if (end - first == 1 && tree->count_pages > 1 && remove_one(tree, first, freed))
        return ZX_OK;
    count = page_tree_count_range(tree, first, end);
    if (count == 0)
        return ZX_OK;
    if (tree->height == 0 || count == tree->count_pages) {
        page_tree_clear(tree, freed);
        return ZX_OK;
    }
    if (reserve_exactly(&reserve, count_copies(tree->root, place_of_root(tree), &range, false)) !=
        ZX_OK)
        return ZX_ERR_NO_MEMORY;
    tree->root = remove_below(tree->root, place_of_root(tree), &range, &reserve, freed);
    ASSERT(reserve.count == 0);
    tree->count_pages -= count;
    shrink(tree);
    return ZX_OK;
}

void page_tree_clear(struct page_tree *tree, struct list_node *freed)
{
    if (tree->root != NULL && tree->height == 0)
        page_release(tree->root, freed);
    else if (tree->root != NULL)
        node_release(tree->root, tree->height - 1u, freed);
    page_tree_init(tree);
}

/* ---- Sharing a range ------------------------------------------------------------------------ */

/* *out: a node that shows the range below |node|, NULL if there is nothing in it. */
static zx_status_t share_below(struct page_tree_node *node, struct place at,
                               const struct range *range, struct page_tree_node **out)
{
    uint64_t rest = slots_in_range(node, at, range);
    struct page_tree_node *copy;

    *out = NULL;
    if (rest == 0)
        return ZX_OK;
    if (range_covers(range, at)) {
        node->refs++;
        *out = node;
        return ZX_OK;
    }
    copy = kcache_zalloc(node_cache);
    if (copy == NULL)
        return ZX_ERR_NO_MEMORY;
    copy->refs = 1;
    for (; rest != 0; rest &= rest - 1) {
        unsigned slot = lowest_bit(rest);
        struct page_tree_node *below;
        if (at.level == 0) {
            value_get(node->slots[slot], 0);
            node_set(copy, slot, node->slots[slot]);
        } else if (share_below(node->slots[slot], place_below(at, slot), range, &below) == ZX_OK) {
            node_set(copy, slot, below);
        } else {
            struct list_node none = LIST_INIT(none);
            node_release(copy, at.level, &none);
            ASSERT(list_is_empty(&none));
            return ZX_ERR_NO_MEMORY;
        }
    }
    if (copy->present == 0)
        kcache_free(node_cache, copy);
    else
        *out = copy;
    return ZX_OK;
}

zx_status_t page_tree_share_range(const struct page_tree *src, uint64_t first, uint64_t end,
                                  struct page_tree *dst)
{
    struct range range = {first, end};
    struct page_tree_node *root;
    uint64_t index;

    ASSERT(dst->root == NULL);
    if (page_tree_next(src, first, end, &index) == NULL)
        return ZX_OK;
    if ((first == 0 || page_tree_next(src, 0, first, &index) == NULL) &&
        page_tree_next(src, end, 1ul << PAGE_TREE_INDEX_BITS, &index) == NULL) {
        value_get(src->root, src->height);
        *dst = *src;
        return ZX_OK;
    }
    if (share_below(src->root, place_of_root(src), &range, &root) != ZX_OK)
        return ZX_ERR_NO_MEMORY;
    dst->root = root;
    dst->height = src->height;
    dst->count_pages = page_tree_count_range(dst, first, end);
    shrink(dst);
    return ZX_OK;
}

/* ---- Walk ----------------------------------------------------------------------------------- */

struct page *page_tree_next(const struct page_tree *tree, uint64_t index, uint64_t end,
                            uint64_t *out_index)
{
    if (tree->height == 0) {
        if (tree->root == NULL || index != 0 || end == 0)
            return NULL;
        *out_index = 0;
        return tree->root;
    }
    while (index < end && !is_beyond(tree, index)) {
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
