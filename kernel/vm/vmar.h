/* Address regions: the tree of VMARs and mappings of one address space.
 *
 * A VMAR is reference-counted: handles own references, and a live parent owns one on each child.
 * vmar_destroy (or unmapping over it) takes it out of the tree; it then stays as a dead husk until
 * the last reference goes, and every operation on it gives ZX_ERR_BAD_STATE.
 *
 * Options are ZX_VM_* bits, already checked against the caller's handle rights. None of the
 * functions knows handles. They take the address space's lock; none may be held. */
#pragma once

#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/sync/refcount.h"
#include "kernel/vm/mapping.h"
#include "kernel/vm/region_tree.h"

struct aspace;
struct vmo;

struct vmar {
    struct region region; /* region.is_vmar == true; base and size never change */
    struct refcount refs;
    struct aspace *aspace; /* one reference, also once dead */
    uint32_t options;      /* ZX_VM_CAN_MAP_* and ZX_VM_COMPACT; never change */
    char name[32];
    /* Under the aspace's lock: */
    struct region_tree children;
    bool is_dead;
};

void vmar_get(struct vmar *vmar);
/* No VM lock held. The last put frees a dead VMAR. */
void vmar_put(struct vmar *vmar);

/* A child region. |options|: SPECIFIC, OFFSET_IS_UPPER_LIMIT, CAN_MAP_*, COMPACT, ALIGN. Returns
 * one reference in *out. The errors, in order: ZX_ERR_INVALID_ARGS (other options, a bad ALIGN,
 * size unaligned); ZX_ERR_BAD_STATE (dead); INVALID_ARGS (size 0); ZX_ERR_ACCESS_DENIED (a
 * CAN_MAP_READ, WRITE or EXECUTE that the parent lacks); INVALID_ARGS (SPECIFIC with UPPER_LIMIT,
 * an offset without either, offset unaligned); ACCESS_DENIED (SPECIFIC or UPPER_LIMIT, parent
 * without CAN_MAP_SPECIFIC); INVALID_ARGS (out of bounds, SPECIFIC place not aligned as asked);
 * ZX_ERR_ALREADY_EXISTS (SPECIFIC place taken); ZX_ERR_NO_RESOURCES (no place); ZX_ERR_NO_MEMORY.
 */
MUST_USE zx_status_t vmar_allocate(struct vmar *parent, uint32_t options, uint64_t offset,
                                   uint64_t size_bytes, struct vmar **out);

struct vmar_map_args {
    uint32_t options; /* SPECIFIC, SPECIFIC_OVERWRITE, OFFSET_IS_UPPER_LIMIT, PERM_*, MAP_RANGE,
                         ALLOW_FAULTS, FAULT_BEYOND_STREAM_SIZE (paged, not contiguous),
                         REQUIRE_NON_RESIZABLE, ALIGN */
    uint64_t vmar_offset;
    struct vmo *vmo; /* borrowed; the mapping takes its own reference */
    uint64_t vmo_offset;
    uint64_t len_bytes;            /* page multiple */
    uint32_t max_perms;            /* MMU_PERM_* that both handles allow */
    struct mapping_keeper *keeper; /* borrowed or NULL */
    /* The mapping stays as it is until the address space is cleared: what would remove, replace or
     * protect any of it is ZX_ERR_ACCESS_DENIED. An address space has one such mapping at most; a
     * second one is ZX_ERR_ACCESS_DENIED, before all other errors but those of the arguments. */
    bool is_fixed;
};

/* Adds a mapping and gives its address. PERM_EXECUTE without PERM_READ is an execute-only mapping;
 * the caller refuses it where the ABI does. The errors, in order: ZX_ERR_NOT_SUPPORTED (resizable
 * VMO and REQUIRE_NON_RESIZABLE); ZX_ERR_INVALID_ARGS (other options, WRITE without READ, MAP_RANGE
 * with SPECIFIC_OVERWRITE, vmo_offset or length unaligned); ZX_ERR_OUT_OF_RANGE (vmo_offset + len
 * overflows); then those of vmar_allocate with PERM_* for CAN_MAP_*. SPECIFIC_OVERWRITE: a
 * sub-region in the way is ZX_ERR_INVALID_ARGS. On failure nothing changed, also for
 * SPECIFIC_OVERWRITE. Failing to populate for MAP_RANGE is not an error. */
MUST_USE zx_status_t vmar_map(struct vmar *vmar, const struct vmar_map_args *args,
                              vaddr_t *out_addr);

/* Unmaps and destroys everything inside [addr, addr + len), splitting mappings at the edges; the
 * length is rounded up. |op_children|: the handle may reach into sub-regions. *out_found (may be
 * NULL) tells whether there was anything. On return no hart reaches the range any more.
 * ZX_ERR_INVALID_ARGS: addr unaligned, length 0 or too large; ZX_ERR_BAD_STATE: dead; INVALID_ARGS:
 * not inside the region; ZX_ERR_ACCESS_DENIED: the fixed mapping is there; INVALID_ARGS: a
 * sub-region partly covered or covered without |op_children|; ZX_ERR_NO_MEMORY. On failure nothing
 * changed. */
MUST_USE zx_status_t vmar_unmap(struct vmar *vmar, vaddr_t addr, uint64_t len_bytes,
                                bool op_children, bool *out_found);

/* Removes the fixed mapping again, for a caller that has just made it and told nobody. */
void vmar_unmap_fixed(struct vmar *vmar);

/* Sets permissions of the mappings in [addr, addr + len), also in sub-regions; length rounded up.
 * |options|: PERM_* only. Permissions that are taken away are gone on every hart on return.
 * ZX_ERR_INVALID_ARGS: addr unaligned, other options, WRITE without READ, length 0 or too large;
 * ZX_ERR_BAD_STATE: dead; INVALID_ARGS: not inside the region. Then mapping by mapping:
 * ZX_ERR_NOT_FOUND: a gap; ZX_ERR_ACCESS_DENIED: more than the mapping may ever have; INVALID_ARGS:
 * in a sub-region without |op_children|; ACCESS_DENIED: in a sub-region and gaining a permission.
 * ZX_ERR_NO_MEMORY. On failure nothing changed. */
MUST_USE zx_status_t vmar_protect(struct vmar *vmar, uint32_t options, vaddr_t addr,
                                  uint64_t len_bytes, bool op_children);

/* Destroys the region and all inside. ZX_ERR_NOT_SUPPORTED: a root. ZX_ERR_BAD_STATE: dead.
 * ZX_ERR_ACCESS_DENIED: the fixed mapping is inside. */
MUST_USE zx_status_t vmar_destroy(struct vmar *vmar);

/* |op|: ZX_VMAR_OP_*, done to the VMOs behind [addr, addr + len); length rounded up.
 * ZX_ERR_INVALID_ARGS: unknown op, length 0 or too large, addr unaligned; ZX_ERR_BAD_STATE: dead;
 * ZX_ERR_OUT_OF_RANGE: not inside the region. Then mapping by mapping, before anything is done:
 * BAD_STATE: a gap; INVALID_ARGS: in a sub-region, and COMMIT, DECOMMIT, ZERO, PREFETCH or without
 * |op_children|; ZX_ERR_ACCESS_DENIED: COMMIT, DECOMMIT, ZERO and the mapping could never be
 * written. Then the errors of the VMO's operation, with the mappings to the left done. */
MUST_USE zx_status_t vmar_op_range(struct vmar *vmar, uint32_t op, vaddr_t addr, uint64_t len_bytes,
                                   bool op_children);

/* Facts for ZX_INFO_VMAR. ZX_ERR_BAD_STATE never: dead regions still know their range. */
void vmar_get_range(struct vmar *vmar, vaddr_t *out_base, uint64_t *out_len_bytes);
