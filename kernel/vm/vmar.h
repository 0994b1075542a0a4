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
    struct region region; /* region.is_vmar == true */
    struct refcount refs;
    struct aspace *aspace;       /* owned by the process, outlives the use; NULL once dead */
    struct region_tree children; /* under the aspace's lock */
    uint32_t options;            /* ZX_VM_CAN_MAP_* and ZX_VM_COMPACT */
    bool is_dead;
    char name[32];
};

void vmar_get(struct vmar *vmar);
void vmar_put(struct vmar *vmar);

/* A child region. |options|: SPECIFIC, OFFSET_IS_UPPER_LIMIT, CAN_MAP_*, COMPACT, ALIGN. Returns
 * one reference in *out. The errors and their order are those of zircon-abi 4a, steps 5-15:
 * ZX_ERR_BAD_STATE, INVALID_ARGS, ACCESS_DENIED, ALREADY_EXISTS, NO_RESOURCES, NO_MEMORY. */
MUST_USE zx_status_t vmar_allocate(struct vmar *parent, uint32_t options, uint64_t offset,
                                   uint64_t size_bytes, struct vmar **out);

struct vmar_map_args {
    uint32_t options; /* SPECIFIC, SPECIFIC_OVERWRITE, OFFSET_IS_UPPER_LIMIT, PERM_*, MAP_RANGE,
                         ALLOW_FAULTS, ALIGN */
    uint64_t vmar_offset;
    struct vmo *vmo; /* borrowed; the mapping takes its own reference */
    uint64_t vmo_offset;
    uint64_t len_bytes;            /* page multiple */
    uint32_t max_perms;            /* MMU_PERM_* that both handles allow */
    struct mapping_keeper *keeper; /* borrowed or NULL */
};

/* Adds a mapping and gives its address. Errors as zircon-abi 4b, from step 13 on, with the VMAR's
 * CAN_MAP_* against PERM_* as ACCESS_DENIED. On failure nothing changed, also for
 * SPECIFIC_OVERWRITE. Failing to populate for MAP_RANGE is not an error. */
MUST_USE zx_status_t vmar_map(struct vmar *vmar, const struct vmar_map_args *args,
                              vaddr_t *out_addr);

/* Unmaps and destroys everything inside [addr, addr + len), splitting mappings at the edges.
 * |op_children|: the handle may reach into sub-regions. *out_found (not NULL) tells whether there
 * was anything. ZX_ERR_INVALID_ARGS, BAD_STATE, NO_MEMORY (nothing changed). */
MUST_USE zx_status_t vmar_unmap(struct vmar *vmar, vaddr_t addr, uint64_t len_bytes,
                                bool op_children, bool *out_found);

/* Sets permissions. |options|: PERM_* only. Errors as zircon-abi 4d; all or nothing. */
MUST_USE zx_status_t vmar_protect(struct vmar *vmar, uint32_t options, vaddr_t addr,
                                  uint64_t len_bytes, bool op_children);

/* Destroys the region and all inside. ZX_ERR_NOT_SUPPORTED: a root. ZX_ERR_BAD_STATE: dead. */
MUST_USE zx_status_t vmar_destroy(struct vmar *vmar);

/* |op|: ZX_VMAR_OP_*. Errors as zircon-abi 4f. */
MUST_USE zx_status_t vmar_op_range(struct vmar *vmar, uint32_t op, vaddr_t addr, uint64_t len_bytes,
                                   bool op_children);

/* Facts for ZX_INFO_VMAR. ZX_ERR_BAD_STATE never: dead regions still know their range. */
void vmar_get_range(struct vmar *vmar, vaddr_t *out_base, uint64_t *out_len_bytes);
