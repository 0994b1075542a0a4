/* Option words of the address region calls. */
#pragma once

#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/lib/compiler.h"

#define VM_PERM_MASK   (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)
#define VM_ALIGN_MASK  (0xffu << ZX_VM_ALIGN_BASE)
#define VM_CAN_MAP_RWX (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)

/* True if every bit has a meaning and the alignment is one that exists. */
bool vm_options_are_known(zx_vm_option_t options);

/* The rights READ, WRITE and EXECUTE for PERM_* and for CAN_MAP_* bits. */
zx_rights_t vm_rights_for_perms(zx_vm_option_t options);
zx_rights_t vm_rights_for_can_map(zx_vm_option_t options);

/* PERM_* for the rights READ, WRITE and EXECUTE. */
zx_vm_option_t vm_perms_for_rights(zx_rights_t rights);

/* WRITE needs READ. EXECUTE does too, unless ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED asks for memory
 * that can be executed only, which RISC-V has. */
bool vm_perms_are_valid(zx_vm_option_t options);

/* What the policy of the caller's job says to memory that is writable and executable.
 * ZX_ERR_ACCESS_DENIED. */
MUST_USE zx_status_t vm_check_policy(zx_vm_option_t options);
