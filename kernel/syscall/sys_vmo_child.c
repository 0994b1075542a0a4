/* Children of memory objects. */
#include "kernel/object/policy.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

#define SNAPSHOT_KINDS                                                                             \
    (ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE |                             \
     ZX_VMO_CHILD_SNAPSHOT_MODIFIED)

/* A snapshot may be written, since nobody else sees that, but then not be executed on the strength
 * of the parent's right. RESIZE tells of the child alone. */
static zx_rights_t child_rights(zx_rights_t parent_rights, uint32_t options)
{
    zx_rights_t rights =
        (parent_rights & ~ZX_RIGHT_RESIZE) | ZX_RIGHT_GET_PROPERTY | ZX_RIGHT_SET_PROPERTY;

    if (options & ZX_VMO_CHILD_RESIZABLE)
        rights |= ZX_RIGHT_RESIZE;
    if (options & ZX_VMO_CHILD_NO_WRITE)
        return rights & ~ZX_RIGHT_WRITE;
    if (options & SNAPSHOT_KINDS)
        return (rights | ZX_RIGHT_WRITE) & ~ZX_RIGHT_EXECUTE;
    return rights;
}

zx_status_t sys_vmo_create_child(zx_handle_t handle, uint32_t options, uint64_t offset,
                                 uint64_t size, zx_handle_t __user *out)
{
    struct vmo_object *parent, *object;
    struct vmo *child;
    zx_rights_t rights;
    zx_status_t status = policy_check(ZX_POL_NEW_VMO);
    if (status != ZX_OK)
        return status;
    status = lookup_vmo(handle, ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ, &parent, &rights);
    if (status != ZX_OK)
        return status;
    /* Otherwise a reference would be a way to the right to resize its parent. */
    if (options == (ZX_VMO_CHILD_REFERENCE | ZX_VMO_CHILD_RESIZABLE) && !(rights & ZX_RIGHT_RESIZE))
        status = ZX_ERR_ACCESS_DENIED;
    else
        status = vmo_create_child(parent->vmo, options, offset, size, &child);
    object_put(&parent->object);
    if (status != ZX_OK)
        return status;
    child->is_immutable = (options & (ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_NO_WRITE)) ==
                          (ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_NO_WRITE);
    status = vmo_object_create(child, &object);
    if (status != ZX_OK) {
        vmo_put(child);
        return status;
    }
    return user_put_handle(&object->object, child_rights(rights, options), out);
}
