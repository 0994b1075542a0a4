/* Option words of the address region calls. */
#include "kernel/syscall/vm_options.h"

#include "kernel/object/policy.h"

/* Bits 0..15 have meanings. */
#define VM_OPTIONS_KNOWN (0xffffu | VM_ALIGN_MASK)

bool vm_options_are_known(zx_vm_option_t options)
{
    uint32_t align_log2 = (options & VM_ALIGN_MASK) >> ZX_VM_ALIGN_BASE;
    if ((options & ~VM_OPTIONS_KNOWN) != 0)
        return false;
    return align_log2 == 0 || (align_log2 >= ZX_VM_ALIGN_1KB >> ZX_VM_ALIGN_BASE &&
                               align_log2 <= ZX_VM_ALIGN_4GB >> ZX_VM_ALIGN_BASE);
}

zx_rights_t vm_rights_for_perms(zx_vm_option_t options)
{
    return ((options & ZX_VM_PERM_READ) ? ZX_RIGHT_READ : 0) |
           ((options & ZX_VM_PERM_WRITE) ? ZX_RIGHT_WRITE : 0) |
           ((options & ZX_VM_PERM_EXECUTE) ? ZX_RIGHT_EXECUTE : 0);
}

zx_rights_t vm_rights_for_can_map(zx_vm_option_t options)
{
    return ((options & ZX_VM_CAN_MAP_READ) ? ZX_RIGHT_READ : 0) |
           ((options & ZX_VM_CAN_MAP_WRITE) ? ZX_RIGHT_WRITE : 0) |
           ((options & ZX_VM_CAN_MAP_EXECUTE) ? ZX_RIGHT_EXECUTE : 0);
}

zx_vm_option_t vm_perms_for_rights(zx_rights_t rights)
{
    return ((rights & ZX_RIGHT_READ) ? ZX_VM_PERM_READ : 0) |
           ((rights & ZX_RIGHT_WRITE) ? ZX_VM_PERM_WRITE : 0) |
           ((rights & ZX_RIGHT_EXECUTE) ? ZX_VM_PERM_EXECUTE : 0);
}

bool vm_perms_are_valid(zx_vm_option_t options)
{
    if (options & ZX_VM_PERM_READ)
        return true;
    if (options & ZX_VM_PERM_WRITE)
        return false;
    return !(options & ZX_VM_PERM_EXECUTE) || (options & ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED);
}

zx_status_t vm_check_policy(zx_vm_option_t options)
{
    const zx_vm_option_t both = ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE;
    return (options & both) == both ? policy_check(ZX_POL_VMAR_WX) : ZX_OK;
}
