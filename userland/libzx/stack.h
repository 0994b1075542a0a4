// Stacks for threads, in this process or another.
#ifndef USERLAND_LIBZX_STACK_H_
#define USERLAND_LIBZX_STACK_H_

#include <zircon/types.h>

// Maps a new stack of stack_bytes (page-aligned) into parent (borrowed), with an unmapped page on
// each side. *region is the handle of the region that holds all of it (the caller's; destroy it to
// free the stack), *sp the stack's high end. On failure nothing stays mapped.
zx_status_t stack_map(zx_handle_t parent, size_t stack_bytes, zx_handle_t *region, zx_vaddr_t *sp);

#endif // USERLAND_LIBZX_STACK_H_
