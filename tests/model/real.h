/* The code that is tested, as the model test calls it: kernel/vm itself (tests/host) or the system
 * calls (tests/model/user). VMOs and regions are named by the model's numbers; region 0 is the
 * arena. Each function answers with the status of the call that it stands for and leaves its
 * out-parameters alone on failure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/errors.h>
#include <zircon/types.h>

#include "tests/model/state.h"

struct real;

/* True: the checks of the system calls are there too, on rights and on what may fault later. */
extern const bool real_has_syscalls;
/* True: a failed access tells why. Otherwise each one is ZX_ERR_NOT_FOUND. */
extern const bool real_tells_fault;
/* True: instructions can be fetched. */
extern const bool real_can_execute;

/* After a step that leaves regions and mappings alone they are compared with a chance of one in so
 * many; after the others always. */
extern const unsigned real_walk_steps;

/* The base of the arena: MODEL_ARENA_PAGES pages, aligned to MODEL_ARENA_ALIGN. */
uint64_t real_arena_base(const struct real *real);

zx_status_t real_vmo_create(struct real *real, unsigned vmo, uint64_t size, uint32_t options);
zx_status_t real_vmo_create_child(struct real *real, unsigned parent, unsigned child,
                                  uint32_t options, uint64_t offset, uint64_t size);
/* Gives the handle back. */
void real_vmo_close(struct real *real, unsigned vmo);
/* What walks call it. */
uint64_t real_vmo_id(struct real *real, unsigned vmo);
zx_status_t real_vmo_read(struct real *real, unsigned vmo, void *to, uint64_t offset, size_t len);
zx_status_t real_vmo_write(struct real *real, unsigned vmo, const void *from, uint64_t offset,
                           size_t len);
zx_status_t real_vmo_op_range(struct real *real, unsigned vmo, uint32_t op, uint64_t offset,
                              uint64_t len);
zx_status_t real_vmo_set_size(struct real *real, unsigned vmo, uint64_t size);
zx_status_t real_vmo_get_size(struct real *real, unsigned vmo, uint64_t *out);
zx_status_t real_vmo_set_stream_size(struct real *real, unsigned vmo, uint64_t size);
zx_status_t real_vmo_get_stream_size(struct real *real, unsigned vmo, uint64_t *out);
zx_status_t real_vmo_transfer(struct real *real, unsigned dst, uint64_t dst_offset, uint64_t len,
                              unsigned src, uint64_t src_offset);

zx_status_t real_vmar_allocate(struct real *real, unsigned parent, unsigned child, uint32_t options,
                               uint64_t offset, uint64_t size, uint64_t *out_addr);
zx_status_t real_vmar_destroy(struct real *real, unsigned vmar);
void real_vmar_close(struct real *real, unsigned vmar);

struct real_map {
    uint32_t options;
    uint32_t vmo_perms; /* ZX_VM_PERM_*: what the handle on the VMO allows */
    unsigned vmo;
    uint64_t vmar_offset, vmo_offset, len;
};
zx_status_t real_vmar_map(struct real *real, unsigned vmar, const struct real_map *map,
                          uint64_t *out_addr);

/* |op_children|: whether the handle has that right. */
zx_status_t real_vmar_unmap(struct real *real, unsigned vmar, bool op_children, uint64_t addr,
                            uint64_t len);
zx_status_t real_vmar_protect(struct real *real, unsigned vmar, bool op_children, uint32_t perms,
                              uint64_t addr, uint64_t len);
zx_status_t real_vmar_op_range(struct real *real, unsigned vmar, bool op_children, uint32_t op,
                               uint64_t addr, uint64_t len);

/* The arena and all that is in it, depth first in order of addresses; depth 0 is the arena. At most
 * |max| records; returns how many there are. */
struct real_region {
    uint64_t base, size;
    unsigned depth;
    bool is_vmar;
    uint32_t perms;
    uint64_t vmo_id, vmo_offset;
};
size_t real_walk(struct real *real, struct real_region *out, size_t max);

/* One byte, as a thread of the process; |hart| chooses where, if there is a choice. */
zx_status_t real_access(struct real *real, unsigned hart, uint64_t addr, uint32_t access,
                        uint8_t *byte);

/* What can only be seen from inside, such as stale translations. */
bool real_is_consistent(struct real *real);
