/* VMARs and VMOs as objects: thin wrappers that give struct vmar and struct vmo handles, koids and
 * signals. A mapping keeps struct vmo alive after its object is gone. */
#pragma once

#include "kernel/object/object.h"
#include "kernel/vm/vmar.h"
#include "kernel/vm/vmo.h"

struct process;

struct vmar_object {
    struct object object;
    struct vmar *vmar;       /* one reference */
    struct process *process; /* one reference: its address space outlives the VMAR */
};

struct vmo_object {
    struct object object;
    struct vmo *vmo;            /* one reference */
    struct vmo_watcher watcher; /* keeps ZX_VMO_ZERO_CHILDREN as long as there are handles */
};

static inline struct vmar_object *vmar_from_object(struct object *object)
{
    return container_of(object, struct vmar_object, object);
}

static inline struct vmo_object *vmo_from_object(struct object *object)
{
    return container_of(object, struct vmo_object, object);
}

/* Wraps |vmar| of |process|; takes the caller's reference on |vmar| on success only.
 * ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmar_object_create(struct vmar *vmar, struct process *process,
                                        struct vmar_object **out);

/* Rights of a first handle: what all VMARs have and one for each ZX_VM_CAN_MAP_*. */
zx_rights_t vmar_object_rights(const struct vmar_object *object);

/* Wraps |vmo|, a new one, and gives it the object's koid; takes the caller's reference on |vmo| on
 * success only. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t vmo_object_create(struct vmo *vmo, struct vmo_object **out);

/* Rights of a first handle. */
zx_rights_t vmo_object_rights(const struct vmo_object *object);
