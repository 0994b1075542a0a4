/* What the files of the address-space half of kernel/vm share. "_locked": the address space's lock
 * is held; VMO locks are taken inside where needed. */
#pragma once

#include "kernel/vm/aspace.h"
#include "kernel/vm/mapping.h"
#include "kernel/vm/vmar.h"
#include "kernel/vm/vmo.h"

#define VMAR_CAN_MAP_RWX (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)
#define VMAR_PERM_MASK   (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)
#define VMAR_ALIGN_MASK  (0xffu << ZX_VM_ALIGN_BASE)

static inline struct vmar *vmar_from_region(struct region *region)
{
    return container_of(region, struct vmar, region);
}

static inline struct mapping *mapping_from_region(struct region *region)
{
    return container_of(region, struct mapping, region);
}

/* PERM_READ, WRITE, EXECUTE of the CAN_MAP_* of the same names. */
static inline uint32_t vmar_perms(const struct vmar *vmar)
{
    _Static_assert(ZX_VM_CAN_MAP_READ == ZX_VM_PERM_READ << 7, "CAN_MAP_* are PERM_* shifted");
    return (vmar->options & VMAR_CAN_MAP_RWX) >> 7;
}

/* ---- The dying ------------------------------------------------------------------------------ */

/* Mappings and VMARs that were taken out of the tree. Their references can only be dropped without
 * locks, so they wait here. */
struct dying {
    struct region *first; /* linked through region.up */
};

void dying_push(struct dying *dying, struct region *region);
/* Frees the mappings, with their references on VMOs and keepers, and drops the parents' references
 * on VMARs. No VM lock held. */
void dying_release(struct dying *dying);

/* ---- Shootdowns ------------------------------------------------------------------------------ */

/* One change of translations. A thread that holds the address space's lock, but not the locks of
 * the VMOs that are mapped, counts itself in the address space: one that takes pages away from such
 * a VMO meanwhile would find their translations gone from the tables though other harts may still
 * use them; it sees the count and then fences everything. The mappings must stay in their VMOs'
 * lists, as they are, until shootdown_finish. */
struct shootdown {
    struct aspace *aspace;
    bool is_counted;
    bool keep_tables; /* the change is for a VMO, whose mappings stay: so do tables */
    struct tlb_batch batch;
};

void shootdown_begin_locked(struct shootdown *shootdown, struct aspace *aspace);
/* For a change to what one VMO shows in |aspace|, whose lock need not be held: the VMO's is. */
void shootdown_begin_vmo_locked(struct shootdown *shootdown, struct aspace *aspace);
/* Removes the translations of a range, and perhaps some around it (they come back by faults).
 * Cannot fail. */
void shootdown_drop(struct shootdown *shootdown, vaddr_t va, uint64_t len_bytes);
/* Leaves no more than |flags| (permissions and memory type) in the translations of a range. */
void shootdown_narrow(struct shootdown *shootdown, vaddr_t va, uint64_t len_bytes, uint32_t flags);
/* Waits until every hart has forgotten them. */
void shootdown_finish(struct shootdown *shootdown);

/* ---- Mappings -------------------------------------------------------------------------------- */

/* Boot. */
void mapping_init_cache(void);

/* Memory for a mapping; NULL: none. mapping_free_unused accepts NULL. */
struct mapping *mapping_alloc(void);
void mapping_free_unused(struct mapping *mapping);
/* Drops the references of a detached mapping and frees it. No lock held. */
void mapping_destroy(struct mapping *mapping);

/* Makes |mapping|, whose region.base, region.size_bytes, vmo_offset, keeper, perms, max_perms and
 * ends_with_stream are set, a child of |vmar| that shows |vmo|. Takes its own references. */
void mapping_attach_locked(struct mapping *mapping, struct vmar *vmar, struct vmo *vmo);
/* Takes it out of its VMAR and its VMO's list. Its translations are gone already. */
void mapping_detach_locked(struct mapping *mapping);

/* Cuts it in two at |at|, strictly inside; |fresh| (takes it) becomes the upper part. */
void mapping_split_locked(struct mapping *mapping, vaddr_t at, struct mapping *fresh);
/* Shortens it to [base, end), or [base, old end), inside what it was. */
void mapping_shrink_locked(struct mapping *mapping, vaddr_t base, vaddr_t end);
void mapping_set_perms_locked(struct mapping *mapping, uint32_t perms);

/* Makes the page at |va| accessible, and some of those around it that are present in the VMO.
 * Errors as aspace_fault. */
MUST_USE zx_status_t mapping_fault_locked(struct mapping *mapping, vaddr_t va, uint32_t access);
/* Maps the present pages of [va, end) that are not mapped yet, as far as memory for tables goes. */
void mapping_populate_locked(struct mapping *mapping, vaddr_t va, vaddr_t end);

/* The VMO offset that shows at |va|. */
static inline uint64_t mapping_offset_of(const struct mapping *mapping, vaddr_t va)
{
    return mapping->vmo_offset + (va - mapping->region.base);
}

static inline uint32_t mapping_flags(const struct mapping *mapping, uint32_t perms)
{
    return perms | (uint32_t)mapping->cache_policy << MMU_CACHE_SHIFT;
}

/* ---- VMARs ----------------------------------------------------------------------------------- */

void vmar_init_cache(void);

/* A VMAR of its own, with one reference. Takes a reference on |aspace|. NULL: no memory. */
struct vmar *vmar_alloc(struct aspace *aspace, vaddr_t base, uint64_t size_bytes, uint32_t options,
                        const char *name);

/* Takes |vmar| and everything inside out of the tree, dead. Its translations are gone already. */
void vmar_kill_locked(struct vmar *vmar, struct dying *dying);

/* What a placement needs of the options: steps 8-15 of the order in vmar_allocate's comment. */
struct place_request {
    uint32_t options; /* SPECIFIC, SPECIFIC_OVERWRITE (then overlaps are the caller's business),
                         OFFSET_IS_UPPER_LIMIT, ALIGN */
    uint64_t offset;
    uint64_t size_bytes; /* page multiple, non-zero */
};
MUST_USE zx_status_t vmar_place_locked(struct vmar *vmar, const struct place_request *request,
                                       vaddr_t *out);
/* True for an ALIGN field that the ABI defines (none, or 1 KiB to 4 GiB). */
bool vmar_align_is_valid(uint32_t options);

/* Rounds the length up. False: unaligned address, length 0 or too large. */
static inline bool vmar_round_range(vaddr_t addr, uint64_t len_bytes, uint64_t *out_len_bytes)
{
    return is_aligned(addr, PAGE_SIZE_BYTES) && len_bytes != 0 &&
           round_up_checked(len_bytes, PAGE_SIZE_BYTES, out_len_bytes);
}
/* True if [addr, addr + len) lies in the region. */
static inline bool vmar_contains(const struct vmar *vmar, vaddr_t addr, uint64_t len_bytes)
{
    const struct region *region = &vmar->region;
    return addr >= region->base && addr - region->base < region->size_bytes &&
           len_bytes <= region->size_bytes - (addr - region->base);
}

/* True if the range meets the fixed mapping. */
static inline bool aspace_is_fixed_locked(const struct aspace *aspace, vaddr_t addr,
                                          uint64_t len_bytes)
{
    return aspace->fixed_bytes != 0 && addr < aspace->fixed_base + aspace->fixed_bytes &&
           aspace->fixed_base < addr + len_bytes;
}

/* Clearing a range of what is in it, in two steps. */
struct cut {
    struct vmar *vmar;
    vaddr_t addr, end;
    struct region *first;  /* the lowest one there, or NULL */
    struct mapping *spare; /* for the upper part of a mapping that sticks out on both sides */
};
/* Checks and reserves. ZX_ERR_ACCESS_DENIED: the fixed mapping is there. ZX_ERR_INVALID_ARGS:
 * sub-regions that cannot be destroyed (see vmar_unmap). ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t cut_prepare_locked(struct cut *cut, struct vmar *vmar, vaddr_t addr,
                                        vaddr_t end, bool may_destroy_vmars);
/* Does it, shootdown included. */
void cut_commit_locked(struct cut *cut, struct dying *dying);

/* Steps through the mappings in [addr, end), also those in sub-regions, lowest first. */
struct mapping_cursor {
    struct vmar *top, *vmar;
    vaddr_t addr, end;
};
void mapping_cursor_init(struct mapping_cursor *cursor, struct vmar *vmar, vaddr_t addr,
                         vaddr_t end);
/* The mapping at the cursor, which moves to its end; NULL: a gap, or (mapping_cursor_is_done) the
 * end of the range. */
struct mapping *mapping_cursor_next(struct mapping_cursor *cursor);

static inline bool mapping_cursor_is_done(const struct mapping_cursor *cursor)
{
    return cursor->addr >= cursor->end;
}

/* A random number below |limit| (non-zero), each equally likely. */
uint64_t aspace_random_below_locked(struct aspace *aspace, uint64_t limit);

void aspace_put(struct aspace *aspace);
