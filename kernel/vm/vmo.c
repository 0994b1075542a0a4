/* VMOs: life, sizes, facts. */
#include "kernel/vm/vmo.h"

#include "arch/mmu.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/lib/string_copy.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo_internal.h"

static struct kcache *vmo_cache, *family_cache;

void vmo_init(void)
{
    page_tree_init_cache();
    vmo_discard_init();
    vmo_cache = kcache_create("vmo", sizeof(struct vmo), 8);
    family_cache = kcache_create("vmo_family", sizeof(struct vmo_family), 8);
}

/* ---- Life ----------------------------------------------------------------------------------- */

static struct vmo_family *family_create(void)
{
    struct vmo_family *family = kcache_alloc(family_cache);

    if (family == NULL)
        return NULL;
    refcount_init(&family->refs);
    mutex_init(&family->lock, LOCK_RANK_VMO);
    list_init(&family->copies);
    list_init(&family->members);
    return family;
}

static uint64_t count_created; /* atomic */

struct vmo *vmo_alloc(struct vmo_family *family, enum vmo_kind kind, uint64_t size_bytes,
                      uint64_t content_size_bytes)
{
    struct vmo *vmo = kcache_zalloc(vmo_cache);

    if (vmo == NULL)
        return NULL;
    list_init(&vmo->member_node);
    if (family != NULL) {
        refcount_get(&family->refs);
    } else {
        family = family_create();
        if (family == NULL) {
            kcache_free(vmo_cache, vmo);
            return NULL;
        }
        list_push_back(&family->members, &vmo->member_node);
    }
    refcount_init(&vmo->refs);
    refcount_init(&vmo->links);
    vmo->serial = atomic_fetch_add_relaxed(&count_created, 1);
    vmo->kind = (uint8_t)kind;
    vmo->family = family;
    spinlock_init(&vmo->children_lock, LOCK_RANK_PAIR);
    vmo->cache_policy = ZX_CACHE_POLICY_CACHED;
    vmo->size_bytes = size_bytes;
    vmo->content_size_bytes = content_size_bytes;
    page_tree_init(&vmo->pages);
    list_init(&vmo->children);
    list_init(&vmo->child_node);
    list_init(&vmo->aliases);
    list_init(&vmo->mappings);
    list_init(&vmo->alias_node);
    list_init(&vmo->discard_node);
    return vmo;
}

zx_status_t vmo_create(uint64_t size_bytes, uint32_t options, struct vmo **out)
{
    const uint32_t known =
        ZX_VMO_RESIZABLE | ZX_VMO_DISCARDABLE | ZX_VMO_TRAP_DIRTY | ZX_VMO_UNBOUNDED;
    uint64_t rounded;
    struct vmo *vmo;

    if ((options & ~known) != 0 ||
        (options & (ZX_VMO_UNBOUNDED | ZX_VMO_RESIZABLE)) == (ZX_VMO_UNBOUNDED | ZX_VMO_RESIZABLE))
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VMO_TRAP_DIRTY) != 0)
        return ZX_ERR_NOT_SUPPORTED;
    if (!vmo_round_size(size_bytes, &rounded))
        return ZX_ERR_OUT_OF_RANGE;
    if ((options & ZX_VMO_UNBOUNDED) != 0)
        rounded = VMO_MAX_SIZE_BYTES;
    vmo = vmo_alloc(NULL, VMO_PAGED, rounded, size_bytes);
    if (vmo == NULL)
        return ZX_ERR_NO_MEMORY;
    vmo->options = options;
    *out = vmo;
    return ZX_OK;
}

zx_status_t vmo_create_physical(paddr_t base, uint64_t size_bytes, struct vmo **out)
{
    struct vmo *vmo;

    if (!is_aligned(base | size_bytes, PAGE_SIZE_BYTES) || size_bytes == 0 ||
        size_bytes - 1 > UINT64_MAX - base)
        return ZX_ERR_INVALID_ARGS;
    vmo = vmo_alloc(NULL, VMO_PHYSICAL, size_bytes, size_bytes);
    if (vmo == NULL)
        return ZX_ERR_NO_MEMORY;
    vmo->physical_base = base;
    vmo->cache_policy = ZX_CACHE_POLICY_UNCACHED;
    *out = vmo;
    return ZX_OK;
}

/* Gives consecutive pages to a new VMO. Those that do not get in are put. */
static zx_status_t insert_run(struct vmo *vmo, struct page *first, uint64_t count_pages)
{
    zx_status_t status = ZX_OK;

    vmo_lock(vmo);
    for (uint64_t i = 0; i < count_pages; i++) {
        if (status == ZX_OK)
            status = vmo_insert_page_locked(vmo, i << PAGE_SHIFT, &first[i]);
        if (status != ZX_OK)
            page_put(&first[i]);
    }
    vmo_unlock(vmo);
    return status;
}

zx_status_t vmo_create_contiguous(uint64_t size_bytes, unsigned align_log2, struct vmo **out)
{
    uint64_t rounded;
    struct page *pages;
    struct vmo *vmo;
    zx_status_t status;

    if (size_bytes == 0 || align_log2 >= 64)
        return ZX_ERR_INVALID_ARGS;
    if (!round_up_checked(size_bytes, PAGE_SIZE_BYTES, &rounded))
        return ZX_ERR_OUT_OF_RANGE;
    vmo = vmo_alloc(NULL, VMO_PAGED, rounded, size_bytes);
    if (vmo == NULL)
        return ZX_ERR_NO_MEMORY;
    vmo->is_contiguous = true;
    pages = pmm_alloc_contiguous(rounded >> PAGE_SHIFT, align_log2, PAGE_VMO, PMM_ZERO);
    status = pages != NULL ? insert_run(vmo, pages, rounded >> PAGE_SHIFT) : ZX_ERR_NO_MEMORY;
    if (status != ZX_OK) {
        vmo_put(vmo);
        return status;
    }
    *out = vmo;
    return ZX_OK;
}

zx_status_t vmo_create_from_reserved(paddr_t base, uint64_t size_bytes, struct vmo **out)
{
    uint64_t rounded;
    struct vmo *vmo;
    zx_status_t status;

    if (!round_up_checked(size_bytes, PAGE_SIZE_BYTES, &rounded) ||
        !pmm_adopt_reserved(base, rounded >> PAGE_SHIFT))
        return ZX_ERR_INVALID_ARGS;
    vmo = vmo_alloc(NULL, VMO_PAGED, rounded, size_bytes);
    if (vmo == NULL)
        return ZX_ERR_NO_MEMORY;
    vmo->is_frozen = true;
    status = insert_run(vmo, page_from_paddr(base), rounded >> PAGE_SHIFT);
    if (status != ZX_OK) {
        vmo_put(vmo);
        return status;
    }
    *out = vmo;
    return ZX_OK;
}

void vmo_get(struct vmo *vmo)
{
    refcount_get(&vmo->refs);
}

void vmo_free(struct vmo *vmo)
{
    ASSERT(vmo->parent == NULL && list_is_empty(&vmo->children));
    if (refcount_put(&vmo->family->refs))
        kcache_free(family_cache, vmo->family);
    kcache_free(vmo_cache, vmo);
}

/* Its last user is gone: drops what only users need. */
static void release_contents(struct vmo *vmo)
{
    struct list_node freed = LIST_INIT(freed);

    vmo_discard_forget(vmo);
    vmo_lock(vmo);
    ASSERT(list_is_empty(&vmo->mappings) && vmo->count_mappings == 0);
    ASSERT(list_is_empty(&vmo->aliases));
    list_remove(&vmo->alias_node);
    list_remove(&vmo->member_node);
    page_tree_clear(&vmo->pages, &freed);
    vmo_unlock(vmo);
    pmm_put_list(&freed);
}

void vmo_put(struct vmo *vmo)
{
    while (vmo != NULL && refcount_put(&vmo->refs)) {
        struct vmo *source = vmo->source;
        release_contents(vmo);
        vmo_leave_kin(vmo);
        vmo = source;
    }
}

/* ---- Facts ---------------------------------------------------------------------------------- */

void vmo_set_name(struct vmo *vmo, const char *name)
{
    vmo_lock(vmo);
    string_copy(vmo->name, name, sizeof(vmo->name));
    vmo_unlock(vmo);
}

void vmo_copy_name(struct vmo *vmo, char out[32])
{
    vmo_lock(vmo);
    memcpy(out, vmo->name, sizeof(vmo->name));
    vmo_unlock(vmo);
}

zx_status_t vmo_set_cache_policy(struct vmo *vmo, uint32_t policy)
{
    zx_status_t status = ZX_OK;

    if (policy > ZX_CACHE_POLICY_MASK)
        return ZX_ERR_INVALID_ARGS;
    vmo_lock(vmo);
    if (vmo->count_mappings > 0 || vmo->is_snapshot || vmo->source != NULL ||
        !list_is_empty(&vmo->children))
        status = ZX_ERR_BAD_STATE;
    else
        vmo->cache_policy = (uint8_t)policy;
    vmo_unlock(vmo);
    return status;
}

uint64_t vmo_count_committed(struct vmo *vmo, uint64_t *out_private)
{
    uint64_t count;

    vmo_lock(vmo);
    count = vmo_count_range_locked(vmo, 0, vmo->size_bytes);
    if (out_private != NULL)
        *out_private = page_tree_count_private(&vmo->pages);
    vmo_unlock(vmo);
    return count;
}

/* ---- Sizes ---------------------------------------------------------------------------------- */

uint64_t vmo_size_bytes(struct vmo *vmo)
{
    uint64_t size_bytes;

    vmo_lock(vmo);
    size_bytes = vmo->size_bytes;
    vmo_unlock(vmo);
    return size_bytes;
}

bool vmo_is_discardable(const struct vmo *vmo)
{
    return (vmo->options & ZX_VMO_DISCARDABLE) != 0;
}

bool vmo_has_stream(const struct vmo *vmo)
{
    return vmo->kind == VMO_PAGED && !vmo->is_contiguous;
}

bool vmo_is_frozen(const struct vmo *vmo)
{
    return vmo->source != NULL ? vmo->source->is_frozen : vmo->is_frozen;
}

bool vmo_is_resizable(const struct vmo *vmo)
{
    return (vmo->options & ZX_VMO_RESIZABLE) != 0;
}

static void set_own_sizes_locked(struct vmo *vmo, uint64_t size_bytes, uint64_t content_size_bytes)
{
    bool shrinks = content_size_bytes < vmo->content_size_bytes;

    vmo->size_bytes = size_bytes;
    vmo->content_size_bytes = content_size_bytes;
    if (shrinks)
        vmo_trim_mappings_locked(vmo);
}

/* References have the sizes of their source. */
static void set_sizes_locked(struct vmo *vmo, uint64_t size_bytes, uint64_t content_size_bytes)
{
    set_own_sizes_locked(vmo, size_bytes, content_size_bytes);
    list_for_each (node, &vmo->aliases) {
        struct vmo *alias = list_entry(node, struct vmo, alias_node);
        if (alias->is_reference)
            set_own_sizes_locked(alias, size_bytes, content_size_bytes);
    }
}

static zx_status_t set_size_locked(struct vmo *vmo, uint64_t rounded, uint64_t size_bytes,
                                   struct list_node *freed)
{
    uint64_t old_size = vmo->size_bytes, old_content = vmo->content_size_bytes;
    /* What lies between the old and the new end of the content reads as zeros, even if somebody
     * wrote past the end through a mapping. */
    uint64_t first = MIN(old_content, size_bytes);
    uint64_t end = MIN(MAX(old_content, size_bytes), MIN(old_size, rounded));
    zx_status_t status = vmo_own_edges_locked(vmo, first, end);

    /* If the content shrinks then the last step has no page to drop and cannot fail. */
    if (status == ZX_OK && size_bytes >= old_content)
        status = vmo_zero_range_locked(vmo, first, end, freed);
    if (status == ZX_OK && rounded < old_size)
        status = vmo_drop_range_locked(vmo, rounded, old_size, true, freed);
    if (status == ZX_OK && size_bytes < old_content) {
        status = vmo_zero_range_locked(vmo, first, end, freed);
        ASSERT(status == ZX_OK);
    }
    if (status == ZX_OK)
        set_sizes_locked(vmo, rounded, size_bytes);
    return status;
}

zx_status_t vmo_set_size(struct vmo *vmo, uint64_t size_bytes)
{
    struct list_node freed = LIST_INIT(freed);
    uint64_t rounded, offset = 0;
    zx_status_t status;

    if (!vmo_is_resizable(vmo))
        return ZX_ERR_UNAVAILABLE;
    if (!vmo_round_size(size_bytes, &rounded))
        return ZX_ERR_OUT_OF_RANGE;
    vmo = vmo_resolve(vmo, &offset);
    do {
        vmo_lock(vmo);
        status = set_size_locked(vmo, rounded, size_bytes, &freed);
        vmo_unlock(vmo);
        pmm_put_list(&freed);
    } while (vmo_reclaim_for_retry(status));
    return status;
}

uint64_t vmo_get_stream_size(struct vmo *vmo)
{
    uint64_t size_bytes;

    vmo_lock(vmo);
    size_bytes = vmo->content_size_bytes;
    vmo_unlock(vmo);
    return size_bytes;
}

static zx_status_t set_stream_size_locked(struct vmo *vmo, uint64_t size_bytes,
                                          struct list_node *freed)
{
    uint64_t old_bytes = vmo->content_size_bytes, offset = 0;
    uint64_t first = MIN(old_bytes, size_bytes), end = MAX(old_bytes, size_bytes);
    struct vmo *source = vmo_resolve(vmo, &offset);

    if (size_bytes > vmo->size_bytes)
        return ZX_ERR_OUT_OF_RANGE;
    if (first < end && vmo->kind == VMO_PAGED &&
        vmo_zero_range_locked(source, offset + first, offset + end, freed) != ZX_OK)
        return ZX_ERR_NO_MEMORY;
    if (vmo->is_reference || vmo->source == NULL)
        set_sizes_locked(source, source->size_bytes, size_bytes);
    else
        set_own_sizes_locked(vmo, vmo->size_bytes, size_bytes);
    return ZX_OK;
}

zx_status_t vmo_set_stream_size(struct vmo *vmo, uint64_t size_bytes)
{
    struct list_node freed = LIST_INIT(freed);
    zx_status_t status;

    do {
        vmo_lock(vmo);
        status = set_stream_size_locked(vmo, size_bytes, &freed);
        vmo_unlock(vmo);
        pmm_put_list(&freed);
    } while (vmo_reclaim_for_retry(status));
    return status;
}
