/* An address space: page tables, a root VMAR, and the lock that guards the region tree. */
#pragma once

#include <zircon/errors.h>
#include <zircon/types.h>

#include "arch/mmu.h"
#include "kernel/sched/mutex.h"
#include "kernel/sync/refcount.h"
#include "kernel/vm/vmar.h"
#include "kernel/vm/vmo.h"

struct aspace {
    struct arch_aspace arch;
    struct refcount refs; /* the owner's, and one for each VMAR, live or dead */
    struct mutex lock;
    /* Under lock: */
    struct vmar *root;  /* one reference; NULL after aspace_clear */
    uint64_t random[2]; /* state of the generator that places regions */
    uint64_t count_faults;
    struct mapping *last_fault; /* where the last fault was; NULL: not known */
    /* Goes up whenever a mapping comes, goes or changes its range; read without the lock. */
    uint64_t layout_generation;
    vaddr_t fixed_base;   /* the fixed mapping (vmar_map_args), which covers this range */
    uint64_t fixed_bytes; /* 0: there is none */
    /* Atomic: translations have been removed or narrowed by this many threads that have not
     * finished their shootdowns. See shootdown_begin in vmar_internal.h. */
    uint32_t count_shootdowns;
};

/* Once, after kheap_init, before the first address space. */
void aspace_init(void);

/* An empty user address space whose root VMAR covers [USER_BASE, USER_TOP - one page) with every
 * CAN_MAP_*. Returns it in *out; owned by the caller. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t aspace_create(struct aspace **out);

/* Destroys the root VMAR and everything in it; the root's handles stay valid and dead. Called when
 * the process ends, when no thread of it can touch user memory any more. Idempotent. Sleeps. */
void aspace_clear(struct aspace *aspace);

/* After aspace_clear, when it is live on no hart: gives its page tables back and drops the owner's
 * reference. The struct itself goes with its last VMAR. */
void aspace_destroy(struct aspace *aspace);

/* Resolves a fault at |addr|. |access|: one of MMU_PERM_*. ZX_OK: the access can be retried.
 * ZX_ERR_NOT_FOUND: nothing mapped there. ZX_ERR_ACCESS_DENIED: the mapping does not allow it.
 * ZX_ERR_OUT_OF_RANGE: past the end of the VMO. ZX_ERR_NO_MEMORY. Sleeps. The address space is the
 * one that is current on this hart. */
MUST_USE zx_status_t aspace_fault(struct aspace *aspace, vaddr_t addr, uint32_t access);

/* The mapping that covers |addr|, in whatever sub-region; NULL: none. The lock is held, and the
 * answer holds until it is released. */
struct mapping *aspace_find_mapping_locked(struct aspace *aspace, vaddr_t addr);

/* Finds the VMO behind |addr| for another process's debugger, and the offset in it; takes a
 * reference on it. |access| is MMU_PERM_READ or MMU_PERM_WRITE; what the mapping permits now is
 * ignored, but |within_rights| not what it may ever have: pages that others show too are not to be
 * written through a handle that could not. What is frozen never is. ZX_ERR_NOT_FOUND: nothing
 * mapped there. ZX_ERR_ACCESS_DENIED: not allowed. ZX_ERR_OUT_OF_RANGE: past the end of what the
 * mapping shows. Sleeps. */
MUST_USE zx_status_t aspace_get_vmo(struct aspace *aspace, vaddr_t addr, uint32_t access,
                                    bool within_rights, struct vmo **out, uint64_t *out_offset);

/* One entry of a walk, as ZX_INFO_PROCESS_MAPS wants it. Valid during the call only. */
struct aspace_walk_entry {
    const char *name;
    vaddr_t base;
    uint64_t size_bytes;
    uint32_t depth;
    bool is_vmar;
    /* mappings: */
    struct vmo *vmo; /* borrowed; its lock is not held */
    uint32_t perms;
    uint64_t vmo_koid;
    uint64_t vmo_offset;
    uint64_t committed_bytes;
};

/* Visits the root (depth 1) and everything in it, depth first, in address order, under the lock.
 * fn must not sleep on user memory. ZX_ERR_BAD_STATE: cleared. */
typedef void (*aspace_walk_fn)(void *ctx, const struct aspace_walk_entry *entry);
MUST_USE zx_status_t aspace_walk(struct aspace *aspace, aspace_walk_fn fn, void *ctx);

/* The same below |vmar|, which is the first entry, at depth 0. ZX_ERR_BAD_STATE: dead. */
MUST_USE zx_status_t vmar_walk(struct vmar *vmar, aspace_walk_fn fn, void *ctx);

/* A mapping, for people: what covers an address, or is nearest to it. */
struct aspace_place {
    vaddr_t base;
    uint64_t size_bytes;
    vaddr_t region_base;        /* of the VMAR that it lies in: where a program's image begins */
    uint32_t perms;             /* ZX_VM_PERM_* */
    char name[ZX_MAX_NAME_LEN]; /* the VMO's */
};

/* Where an address lies, seen from the mapping that is told about it. */
enum aspace_relation { ASPACE_NOTHING, ASPACE_INSIDE, ASPACE_ABOVE, ASPACE_BELOW };

/* Describes the mapping that covers |addr|, otherwise the nearest one. ASPACE_NOTHING: there are no
 * mappings, and *out is untouched. Takes the lock and looks at each region: for reports only. */
enum aspace_relation aspace_describe(struct aspace *aspace, vaddr_t addr, struct aspace_place *out);

#ifdef DEBUG
/* Panics if a translation shows another page than the VMO's, or allows more than the mapping and
 * the VMO do, or lies outside of all mappings. Takes the lock and those of VMOs. */
void aspace_check(struct aspace *aspace);
#endif

/* Seeds the placement generators of all address spaces made from now on. */
void aspace_seed(uint64_t seed);

/* Memory by who uses it, for TASK_STATS. */
struct aspace_usage {
    uint64_t mapped_bytes;
    uint64_t private_bytes; /* committed, and nobody else has it */
    uint64_t shared_bytes;  /* committed, and others have it too */
    struct byte_share scaled_shared;
};

/* All 0 once it is cleared. Takes the lock. */
void aspace_get_usage(struct aspace *aspace, struct aspace_usage *out);
