/* VMAR and VMO objects. */
#include "kernel/object/vm_obj.h"

#include <zircon/syscalls/object.h>

#include "kernel/lib/string.h"
#include "kernel/object/process.h"
#include "kernel/vm/kheap.h"

/* ---- VMARs
 * ----------------------------------------------------------------------------------------- */

static void vmar_object_destroy(struct object *object)
{
    struct vmar_object *vmar = vmar_from_object(object);
    vmar_put(vmar->vmar);
    object_put(&vmar->process->object);
    kfree(vmar);
}

static const struct object_ops vmar_object_ops = {
    .type = ZX_OBJ_TYPE_VMAR,
    .default_rights = ZX_DEFAULT_VMAR_RIGHTS,
    .destroy = vmar_object_destroy,
};

zx_status_t vmar_object_create(struct vmar *vmar, struct process *process, struct vmar_object **out)
{
    struct vmar_object *object = kzalloc(sizeof(*object));
    if (object == NULL)
        return ZX_ERR_NO_MEMORY;
    object_init(&object->object, &vmar_object_ops, 0);
    object->vmar = vmar;
    object_get(&process->object);
    object->process = process;
    *out = object;
    return ZX_OK;
}

zx_rights_t vmar_object_rights(const struct vmar_object *object)
{
    zx_rights_t rights = ZX_DEFAULT_VMAR_RIGHTS;
    uint32_t options = object->vmar->options;
    if (options & ZX_VM_CAN_MAP_READ)
        rights |= ZX_RIGHT_READ;
    if (options & ZX_VM_CAN_MAP_WRITE)
        rights |= ZX_RIGHT_WRITE;
    if (options & ZX_VM_CAN_MAP_EXECUTE)
        rights |= ZX_RIGHT_EXECUTE;
    return rights;
}

/* ---- VMOs
 * ------------------------------------------------------------------------------------------ */

static void vmo_children_changed(struct vmo_watcher *watcher, bool has_children)
{
    struct vmo_object *vmo = container_of(watcher, struct vmo_object, watcher);
    object_update_signals(&vmo->object, has_children ? ZX_VMO_ZERO_CHILDREN : 0,
                          has_children ? 0 : ZX_VMO_ZERO_CHILDREN);
}

/* Nobody waits on an object without handles. The object's memory outlives this, and from now on no
 * child can find it. */
static void vmo_object_on_zero_handles(struct object *object)
{
    vmo_set_watcher(vmo_from_object(object)->vmo, NULL);
}

static void vmo_object_destroy(struct object *object)
{
    struct vmo_object *vmo = vmo_from_object(object);
    vmo_put(vmo->vmo);
    kfree(vmo);
}

static zx_status_t vmo_object_get_name(struct object *object, char out[32])
{
    vmo_copy_name(vmo_from_object(object)->vmo, out);
    return ZX_OK;
}

static zx_status_t vmo_object_set_name(struct object *object, const char *name)
{
    vmo_set_name(vmo_from_object(object)->vmo, name);
    return ZX_OK;
}

static zx_status_t vmo_object_get_number(struct object *object, uint32_t property, uint64_t *out)
{
    if (property != ZX_PROP_VMO_CONTENT_SIZE)
        return ZX_ERR_WRONG_TYPE;
    *out = vmo_get_stream_size(vmo_from_object(object)->vmo);
    return ZX_OK;
}

static zx_status_t vmo_object_set_number(struct object *object, zx_rights_t rights,
                                         uint32_t property, uint64_t value)
{
    if (property != ZX_PROP_VMO_CONTENT_SIZE)
        return ZX_ERR_WRONG_TYPE;
    if (!(rights & ZX_RIGHT_WRITE))
        return ZX_ERR_ACCESS_DENIED;
    return vmo_set_stream_size(vmo_from_object(object)->vmo, value);
}

static const struct object_ops vmo_object_ops = {
    .type = ZX_OBJ_TYPE_VMO,
    .default_rights = ZX_DEFAULT_VMO_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = vmo_object_destroy,
    .on_zero_handles = vmo_object_on_zero_handles,
    .get_name = vmo_object_get_name,
    .set_name = vmo_object_set_name,
    .get_number = vmo_object_get_number,
    .set_number = vmo_object_set_number,
};

zx_status_t vmo_object_create(struct vmo *vmo, struct vmo_object **out)
{
    struct vmo_object *object = kzalloc(sizeof(*object));
    if (object == NULL)
        return ZX_ERR_NO_MEMORY;
    object_init(&object->object, &vmo_object_ops, ZX_VMO_ZERO_CHILDREN);
    object->vmo = vmo;
    vmo->koid = object->object.koid;
    object->watcher.children_changed = vmo_children_changed;
    vmo_set_watcher(vmo, &object->watcher);
    *out = object;
    return ZX_OK;
}

zx_rights_t vmo_object_rights(const struct vmo_object *object)
{
    return ZX_DEFAULT_VMO_RIGHTS | (vmo_is_resizable(object->vmo) ? ZX_RIGHT_RESIZE : 0);
}
