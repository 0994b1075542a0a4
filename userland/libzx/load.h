// Placing ELF images into the address space of another process.
#ifndef USERLAND_LIBZX_LOAD_H_
#define USERLAND_LIBZX_LOAD_H_

#include <stdint.h>
#include <zircon/types.h>

#include "formats/elf.h"

// Where an image's bytes are.
struct load_source {
    const void *file; // all of the file that the image was parsed from, borrowed
    const char *name; // given to copies
    zx_handle_t vmo; // borrowed: the VMO that the file lies in, or ZX_HANDLE_INVALID; never written
    uint64_t vmo_offset; // where it does
};

// Reserves the image's span inside parent (borrowed) and fills it from the source. A segment that
// is not written and lies at a page of the source's VMO is mapped from there; each other one gets
// its own copy. *region is the new region's handle (the caller's), *base its address. On failure
// nothing stays mapped.
zx_status_t load_program(zx_handle_t parent, const struct elf_image *image,
                         const struct load_source *source, zx_handle_t *region, zx_vaddr_t *base);

// The same straight from a VMO (borrowed) that holds the file page-aligned and is never written:
// every segment must lie in the file completely and be read-only. The vDSO is one.
// ZX_ERR_NOT_SUPPORTED for another image.
zx_status_t load_shared(zx_handle_t parent, const struct elf_image *image, zx_handle_t vmo,
                        zx_vaddr_t *base);

#endif // USERLAND_LIBZX_LOAD_H_
