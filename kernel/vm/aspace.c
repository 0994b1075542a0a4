/* Address spaces: creation, end, faults. */
#include "kernel/vm/aspace.h"

#include "kernel/lib/panic.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmar_internal.h"

#define ROOT_OPTIONS (VMAR_CAN_MAP_RWX | ZX_VM_CAN_MAP_SPECIFIC)

static struct kcache *aspace_cache;

/* ---- Random numbers ---------------------------------------------------------------------------
 */

/* splitmix64: each address space draws its generator's state from one sequence. */
static uint64_t seed_state = 0x6a09e667f3bcc908ull;

void aspace_seed(uint64_t seed)
{
    atomic_store(&seed_state, seed);
}

static uint64_t next_seed(void)
{
    uint64_t z = atomic_fetch_add(&seed_state, 0x9e3779b97f4a7c15ull) + 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static uint64_t rotate_bits_left(uint64_t value, unsigned count)
{
    return value << count | value >> (64 - count);
}

/* xoroshiro128++ (Blackman, Vigna). */
static uint64_t random_u64(uint64_t state[2])
{
    uint64_t a = state[0], b = state[1];
    uint64_t result = rotate_bits_left(a + b, 17) + a;
    b ^= a;
    state[0] = rotate_bits_left(a, 49) ^ b ^ (b << 21);
    state[1] = rotate_bits_left(b, 28);
    return result;
}

uint64_t aspace_random_below_locked(struct aspace *aspace, uint64_t limit)
{
    /* Numbers in the incomplete last stretch of |limit| numbers would favour small results. */
    uint64_t excess = (UINT64_MAX % limit + 1) % limit, value;
    do {
        value = random_u64(aspace->random);
    } while (value > UINT64_MAX - excess);
    return value % limit;
}

/* ---- Beginning and end ------------------------------------------------------------------------
 */

void aspace_init(void)
{
    aspace_cache = kcache_create("aspace", sizeof(struct aspace), _Alignof(struct aspace));
    mapping_init_cache();
    vmar_init_cache();
}

zx_status_t aspace_create(struct aspace **out)
{
    struct aspace *aspace = kcache_zalloc(aspace_cache);
    if (aspace == NULL)
        return ZX_ERR_NO_MEMORY;
    refcount_init(&aspace->refs);
    mutex_init(&aspace->lock, LOCK_RANK_ASPACE);
    aspace->random[0] = next_seed();
    aspace->random[1] = next_seed() | 1; /* the generator's state must not be all zeros */
    if (mmu_aspace_init(&aspace->arch) != ZX_OK)
        goto fail;
    aspace->root =
        vmar_alloc(aspace, USER_BASE, USER_TOP - PAGE_SIZE_BYTES - USER_BASE, ROOT_OPTIONS, "root");
    if (aspace->root == NULL)
        goto fail_arch;
    *out = aspace;
    return ZX_OK;

fail_arch:
    mmu_aspace_destroy(&aspace->arch);
fail:
    kcache_free(aspace_cache, aspace);
    return ZX_ERR_NO_MEMORY;
}

void aspace_put(struct aspace *aspace)
{
    if (refcount_put(&aspace->refs))
        kcache_free(aspace_cache, aspace);
}

void aspace_clear(struct aspace *aspace)
{
    struct dying dying = {NULL};

    mutex_lock(&aspace->lock);
    if (aspace->root != NULL) {
        struct vmar *root = aspace->root;
        struct shootdown shootdown;
        shootdown_begin_locked(&shootdown, aspace);
        shootdown_drop(&shootdown, root->region.base, root->region.size_bytes);
        shootdown_finish(&shootdown);
        vmar_kill_locked(root, &dying);
        aspace->root = NULL;
    }
    mutex_unlock(&aspace->lock);
    dying_release(&dying);
}

void aspace_destroy(struct aspace *aspace)
{
    ASSERT(aspace->root == NULL);
    mmu_aspace_destroy(&aspace->arch);
    aspace_put(aspace);
}

/* ---- Faults -----------------------------------------------------------------------------------
 */

struct mapping *aspace_find_mapping_locked(struct aspace *aspace, vaddr_t addr)
{
    struct vmar *vmar = aspace->root;
    while (vmar != NULL) {
        struct region *region = region_tree_find(&vmar->children, addr);
        if (region == NULL)
            return NULL;
        if (!region->is_vmar)
            return mapping_from_region(region);
        vmar = vmar_from_region(region);
    }
    return NULL;
}

zx_status_t aspace_fault(struct aspace *aspace, vaddr_t addr, uint32_t access)
{
    struct mapping *mapping;
    vaddr_t va = round_down(addr, PAGE_SIZE_BYTES);
    zx_status_t status = ZX_ERR_NOT_FOUND;

    mutex_lock(&aspace->lock);
    aspace->count_faults++;
    mapping = aspace->last_fault;
    if (mapping == NULL || va - mapping->region.base >= mapping->region.size_bytes) {
        mapping = aspace_find_mapping_locked(aspace, va);
        aspace->last_fault = mapping;
    }
    if (mapping != NULL)
        status = mapping_fault_locked(mapping, va, access);
    mutex_unlock(&aspace->lock);
    /* This hart may still believe in less than what the tables grant, now or already before: then
     * this fence is all that was missing. */
    if (status == ZX_OK)
        mmu_fence_local(&aspace->arch, va, access);
    return status;
}

zx_status_t aspace_get_vmo(struct aspace *aspace, vaddr_t addr, uint32_t access, bool within_rights,
                           struct vmo **out, uint64_t *out_offset)
{
    struct mapping *mapping;
    zx_status_t status = ZX_OK;

    mutex_lock(&aspace->lock);
    mapping = aspace_find_mapping_locked(aspace, addr);
    if (mapping == NULL) {
        status = ZX_ERR_NOT_FOUND;
    } else if (within_rights && (access & ~(uint32_t)mapping->max_perms) != 0) {
        status = ZX_ERR_ACCESS_DENIED;
    } else if ((access & MMU_PERM_WRITE) != 0 && vmo_is_frozen(mapping->vmo)) {
        status = ZX_ERR_ACCESS_DENIED;
    } else {
        vmo_get(mapping->vmo);
        *out = mapping->vmo;
        *out_offset = mapping_offset_of(mapping, addr);
        vmo_lock(mapping->vmo);
        if (*out_offset >= vmo_shown_end_locked(mapping))
            status = ZX_ERR_OUT_OF_RANGE;
        vmo_unlock(mapping->vmo);
        if (status != ZX_OK)
            vmo_put(mapping->vmo); /* never the last: the mapping has one */
    }
    mutex_unlock(&aspace->lock);
    return status;
}
