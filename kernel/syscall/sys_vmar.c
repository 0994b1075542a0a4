/* Address regions: allocate, destroy, unmap, protect, op_range. Mapping is in sys_vmar_map.c. */
#include "kernel/syscall/abi.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"
#include "kernel/syscall/vm_options.h"

#define ALLOCATE_OPTIONS                                                                           \
    (ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT | ZX_VM_CAN_MAP_SPECIFIC | VM_CAN_MAP_RWX |      \
     ZX_VM_COMPACT | VM_ALIGN_MASK)

/* Undoes an allocation; that somebody else destroyed it meanwhile is as good. */
static void undo_allocate(struct vmar *vmar)
{
    zx_status_t status = vmar_destroy(vmar);
    (void)status;
}

/* Hands out the address and the handle of a new region, or nothing and destroys it. Takes |child|.
 */
static zx_status_t put_child(struct vmar_object *child, zx_handle_t __user *child_vmar,
                             zx_vaddr_t __user *child_addr)
{
    struct vmar *vmar = child->vmar;
    zx_vaddr_t before;
    vaddr_t base;
    uint64_t len_bytes;

    vmar_get(vmar);
    vmar_get_range(vmar, &base, &len_bytes);
    zx_status_t status = user_copy_in(&before, child_addr, sizeof(before));
    if (status == ZX_OK)
        status = user_put_u64(child_addr, base);
    if (status == ZX_OK) {
        status = user_put_handle(&child->object, vmar_object_rights(child), child_vmar);
        if (status != ZX_OK && user_put_u64(child_addr, before) != ZX_OK)
            status = ZX_ERR_INVALID_ARGS;
    } else {
        object_put(&child->object);
    }
    if (status != ZX_OK)
        undo_allocate(vmar);
    vmar_put(vmar);
    return status;
}

static zx_status_t allocate_in(struct vmar_object *parent, zx_vm_option_t options, size_t offset,
                               size_t size, zx_handle_t __user *child_vmar,
                               zx_vaddr_t __user *child_addr)
{
    struct vmar_object *child;
    struct vmar *vmar;
    zx_status_t status = vmar_allocate(parent->vmar, options, offset, size, &vmar);
    if (status == ZX_ERR_NO_RESOURCES && abi_allocate_no_room_is_no_memory())
        return ZX_ERR_NO_MEMORY;
    if (status != ZX_OK)
        return status;
    status = vmar_object_create(vmar, parent->process, &child);
    if (status != ZX_OK) {
        undo_allocate(vmar);
        vmar_put(vmar);
        return status;
    }
    return put_child(child, child_vmar, child_addr);
}

zx_status_t sys_vmar_allocate(zx_handle_t parent_vmar, zx_vm_option_t options, size_t offset,
                              size_t size, zx_handle_t __user *child_vmar,
                              zx_vaddr_t __user *child_addr)
{
    struct vmar_object *parent;
    zx_status_t status = lookup_vmar(parent_vmar, vm_rights_for_can_map(options), &parent, NULL);
    if (status != ZX_OK)
        return status;
    options &= ~ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED;
    if (!vm_options_are_known(options) || (options & ~ALLOCATE_OPTIONS) != 0)
        status = ZX_ERR_INVALID_ARGS;
    else
        status = allocate_in(parent, options, offset, size, child_vmar, child_addr);
    object_put(&parent->object);
    return status;
}

zx_status_t sys_vmar_destroy(zx_handle_t handle)
{
    struct vmar_object *vmar;
    zx_status_t status = lookup_vmar(handle, ZX_RIGHT_OP_CHILDREN, &vmar, NULL);
    if (status != ZX_OK)
        return status;
    status = vmar_destroy(vmar->vmar);
    object_put(&vmar->object);
    return status;
}

static bool len_is_acceptable(size_t len)
{
    return is_aligned(len, PAGE_SIZE_BYTES) || !abi_vmar_len_must_be_aligned();
}

static zx_status_t unmap_in(struct vmar_object *vmar, zx_rights_t rights, vaddr_t addr, size_t len)
{
    bool found = false;
    if (!len_is_acceptable(len))
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status =
        vmar_unmap(vmar->vmar, addr, len, (rights & ZX_RIGHT_OP_CHILDREN) != 0, &found);
    if (status == ZX_OK && !found && abi_unmap_of_nothing_fails())
        return ZX_ERR_NOT_FOUND;
    return status;
}

zx_status_t sys_vmar_unmap(zx_handle_t handle, zx_vaddr_t addr, size_t len)
{
    struct vmar_object *vmar;
    zx_rights_t rights;
    zx_status_t status = lookup_vmar(handle, 0, &vmar, &rights);
    if (status != ZX_OK)
        return status;
    status = unmap_in(vmar, rights, addr, len);
    object_put(&vmar->object);
    return status;
}

static zx_status_t protect_in(struct vmar_object *vmar, zx_rights_t rights, zx_vm_option_t options,
                              vaddr_t addr, size_t len)
{
    if (!vm_perms_are_valid(options))
        return ZX_ERR_INVALID_ARGS;
    options &= ~ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED; /* RISC-V can map execute-only */
    if ((options & ~VM_PERM_MASK) != 0 || !len_is_acceptable(len))
        return ZX_ERR_INVALID_ARGS;
    return vmar_protect(vmar->vmar, options, addr, len, (rights & ZX_RIGHT_OP_CHILDREN) != 0);
}

zx_status_t sys_vmar_protect(zx_handle_t handle, zx_vm_option_t options, zx_vaddr_t addr,
                             size_t len)
{
    struct vmar_object *vmar;
    zx_rights_t rights;
    zx_status_t status = vm_check_policy(options);
    if (status != ZX_OK)
        return status;
    status = lookup_vmar(handle, vm_rights_for_perms(options), &vmar, &rights);
    if (status != ZX_OK)
        return status;
    status = protect_in(vmar, rights, options, addr, len);
    object_put(&vmar->object);
    return status;
}

static bool op_changes_memory(uint32_t op)
{
    return op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT;
}

static bool op_size_is_acceptable(uint32_t op, size_t size)
{
    return op != ZX_VMAR_OP_DECOMMIT || is_aligned(size, PAGE_SIZE_BYTES) ||
           !abi_vmar_decommit_needs_whole_pages();
}

zx_status_t sys_vmar_op_range(zx_handle_t handle, uint32_t op, zx_vaddr_t address, size_t size,
                              void __user *buffer, size_t buffer_size)
{
    struct vmar_object *vmar;
    zx_rights_t needed =
        op_changes_memory(op) && abi_vmar_commit_needs_write_right() ? ZX_RIGHT_WRITE : 0;
    zx_rights_t rights;
    zx_status_t status = lookup_vmar(handle, needed, &vmar, &rights);
    if (status != ZX_OK)
        return status;
    if (buffer != NULL || buffer_size != 0 || !op_size_is_acceptable(op, size))
        status = ZX_ERR_INVALID_ARGS;
    else
        status = vmar_op_range(vmar->vmar, op, address, size, (rights & ZX_RIGHT_OP_CHILDREN) != 0);
    object_put(&vmar->object);
    return status;
}
