/* Between the files of userboot. */
#pragma once

#include "formats/elf.h"
#include "kernel/object/process.h"
#include "kernel/object/vm_obj.h"

/* What has been put into the new process. */
struct userboot_image {
    struct vmar_object *loaded; /* the region that holds the program: one reference */
    vaddr_t entry;
    vaddr_t stack_top;
    vaddr_t vdso_base;
};

/* Maps the program |file| (an ELF, |elf| its parsed headers), the vDSO and a stack into |root|, the
 * root VMAR of |process|. On failure the process is to be thrown away. ZX_ERR_NO_MEMORY and what
 * mapping gives. */
MUST_USE zx_status_t userboot_load(struct process *process, struct vmar *root, const void *file,
                                   const struct elf_image *elf, struct userboot_image *out);
