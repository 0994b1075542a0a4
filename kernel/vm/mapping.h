/* A mapping: a range of addresses that shows a range of a VMO. It owns a reference on its VMO and,
 * if it was made through an IOB endpoint, on that endpoint's keeper. */
#pragma once

#include <zircon/errors.h>

#include "kernel/lib/list.h"
#include "kernel/vm/region_tree.h"

struct vmo;
struct aspace;

/* Something a mapping keeps alive and that wants to know when its last mapping is gone. get and put
 * are called without VM locks (put), or with them (get: must not sleep or take locks). */
struct mapping_keeper {
    void (*get)(struct mapping_keeper *keeper);
    void (*put)(struct mapping_keeper *keeper);
};

struct mapping {
    struct region region; /* region.is_vmar == false */
    /* Written with the aspace's lock and the VMO's lock both held, so either is enough to read
     * (region.base and size too): */
    struct vmo *vmo;
    uint64_t vmo_offset;           /* page-aligned */
    struct list_node vmo_node;     /* in vmo->mappings */
    struct aspace *aspace;         /* weak */
    struct mapping_keeper *keeper; /* or NULL */
    uint8_t perms;                 /* MMU_PERM_* now */
    uint8_t max_perms;             /* what Protect may ever set, from the handles at map time */
    uint8_t cache_policy;
    bool ends_with_stream; /* shows nothing past the page that the VMO's stream size lies in */
};

/* Makes [offset, offset + len) of the VMO absent from the page tables wherever this mapping shows
 * it, and waits for the shootdown. The VMO's lock is held; called by vmo code. */
void mapping_unmap_vmo_range_vmo_locked(struct mapping *mapping, uint64_t vmo_offset,
                                        uint64_t len_bytes);

/* Takes write permission from the translations of that range, instead of all. */
void mapping_write_protect_vmo_range_vmo_locked(struct mapping *mapping, uint64_t vmo_offset,
                                                uint64_t len_bytes);

/* If it may be executed: every hart that does fetches what was written until now. */
void mapping_sync_icache_vmo_locked(struct mapping *mapping);
