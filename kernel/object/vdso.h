/* The vDSO: the one image whose text may make system calls. */
#pragma once

#include "abi/vdso_constants.h"
#include "kernel/object/vm_obj.h"

/* Makes the vDSO's VMO from the image (an ELF shared object of |len_bytes|, kernel memory, copied),
 * writing |constants| into the page made for them. Once, at boot. ZX_ERR_IO_DATA_INTEGRITY: not a
 * vDSO. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vdso_init(const void *image, size_t len_bytes,
                               const struct vdso_constants *constants);

/* The VMO's object, borrowed, for ever. NULL before vdso_init. */
struct vmo_object *vdso_vmo_object(void);

/* Rights of the handle that the first process gets. */
zx_rights_t vdso_vmo_rights(void);

bool vdso_is_vmo(const struct vmo *vmo);

/* The page range of the image that holds its text. */
void vdso_code_range(uint64_t *out_offset, uint64_t *out_len_bytes);
