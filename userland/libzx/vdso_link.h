// Binding of the zx_* functions to the vDSO. Each function is a short jump through a slot; an
// empty slot is filled on its first use, by name, so that a program pays only for what it calls.
#ifndef USERLAND_LIBZX_VDSO_LINK_H_
#define USERLAND_LIBZX_VDSO_LINK_H_

#include <stdint.h>

// Reads the vDSO's dynamic section. vdso is the base it is mapped at; call once, before any zx_*
// function. Traps if vdso is NULL or has no symbol table: nothing can be called then.
void vdso_link_init(const void *vdso);

// Finds function number index of the table, fills its slot and returns its address; a function
// that returns ZX_ERR_NOT_SUPPORTED stands in for one that this vDSO lacks. Safe to race.
uintptr_t vdso_link_resolve(uint64_t index);

// The base given to vdso_link_init.
const void *vdso_link_base(void);

#endif // USERLAND_LIBZX_VDSO_LINK_H_
