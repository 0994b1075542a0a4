#include "userland/libzx/stack.h"

#include <zircon/syscalls.h>

zx_status_t stack_map(zx_handle_t parent, size_t stack_bytes, zx_handle_t *region, zx_vaddr_t *sp)
{
    static const char name[] = "stack";
    const size_t guard_bytes = zx_system_get_page_size();
    zx_handle_t vmo;
    zx_handle_t vmar = ZX_HANDLE_INVALID;
    zx_vaddr_t address;
    zx_status_t status = zx_vmo_create(stack_bytes, 0, &vmo);

    if (status != ZX_OK) {
        return status;
    }
    zx_object_set_property(vmo, ZX_PROP_NAME, name, sizeof(name) - 1);
    status =
        zx_vmar_allocate(parent, ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC,
                         0, stack_bytes + 2 * guard_bytes, &vmar, &address);
    if (status == ZX_OK) {
        status = zx_vmar_map(vmar, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC, guard_bytes,
                             vmo, 0, stack_bytes, &address);
        if (status == ZX_OK) {
            *region = vmar;
            *sp = address + stack_bytes;
        } else {
            zx_vmar_destroy(vmar);
            zx_handle_close(vmar);
        }
    }
    zx_handle_close(vmo);
    return status;
}
