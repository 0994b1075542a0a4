// Placing ELF images into the address space of another process.
#ifndef USERLAND_LIBZX_LOAD_H_
#define USERLAND_LIBZX_LOAD_H_

#include <zircon/types.h>

#include "formats/elf.h"

// Reserves the image's span inside parent (borrowed) and fills it from file, the bytes the image
// was parsed from. Each segment gets its own copy. name is given to the copies. *region is the new
// region's handle (the caller's), *base its address. On failure nothing stays mapped.
zx_status_t load_copy(zx_handle_t parent, const struct elf_image *image, const void *file,
                      const char *name, zx_handle_t *region, zx_vaddr_t *base);

// The same straight from a VMO (borrowed) that holds the file page-aligned and is never written:
// every segment must lie in the file completely and be read-only. The vDSO is one.
// ZX_ERR_NOT_SUPPORTED for another image.
zx_status_t load_shared(zx_handle_t parent, const struct elf_image *image, zx_handle_t vmo,
                        zx_vaddr_t *base);

#endif // USERLAND_LIBZX_LOAD_H_
