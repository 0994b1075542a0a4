#include "kernel/object/resource.h"

#include "kernel/lib/string.h"
#include "kernel/lib/string_copy.h"
#include "kernel/vm/kheap.h"

struct resource {
    struct object object;
    zx_info_resource_t info; /* fixed */
};

static struct resource *resource_from(struct object *object)
{
    return container_of(object, struct resource, object);
}

static void resource_destroy(struct object *object)
{
    kfree(resource_from(object));
}

static zx_status_t resource_get_name(struct object *object, char out[32])
{
    memcpy(out, resource_from(object)->info.name, ZX_MAX_NAME_LEN);
    return ZX_OK;
}

static const struct object_ops resource_ops = {
    .type = ZX_OBJ_TYPE_RESOURCE,
    .default_rights = ZX_DEFAULT_RESOURCE_RIGHTS,
    .destroy = resource_destroy,
    .get_name = resource_get_name,
};

zx_status_t resource_create(zx_rsrc_kind_t kind, zx_rsrc_flags_t flags, uint64_t base,
                            uint64_t size, const char *name, struct object **out)
{
    struct resource *resource = kzalloc(sizeof(*resource));
    if (!resource)
        return ZX_ERR_NO_MEMORY;
    object_init(&resource->object, &resource_ops, 0);
    resource->info.kind = kind;
    resource->info.flags = flags;
    resource->info.base = base;
    resource->info.size = size;
    string_copy(resource->info.name, name, sizeof(resource->info.name));
    *out = &resource->object;
    return ZX_OK;
}

static zx_status_t resource_covers(const struct resource *resource, zx_rsrc_kind_t kind,
                                   uint64_t base, uint64_t size)
{
    const zx_info_resource_t *info = &resource->info;
    if (info->kind == ZX_RSRC_KIND_ROOT)
        return ZX_OK;
    if (info->kind != kind)
        return ZX_ERR_WRONG_TYPE;
    if (base < info->base || size > info->size || base - info->base > info->size - size)
        return ZX_ERR_OUT_OF_RANGE;
    return ZX_OK;
}

zx_status_t resource_check(zx_handle_t value, zx_rsrc_kind_t kind, uint64_t base, uint64_t size)
{
    struct object *object;
    zx_status_t status = handle_get(value, ZX_OBJ_TYPE_RESOURCE, 0, &object, NULL);
    if (status != ZX_OK)
        return status;
    status = resource_covers(resource_from(object), kind, base, size);
    object_put(object);
    return status;
}

zx_status_t resource_check_system(zx_handle_t value, zx_rsrc_system_base_t base)
{
    return resource_check(value, ZX_RSRC_KIND_SYSTEM, base, 1);
}

void resource_get_info(struct object *object, zx_info_resource_t *out)
{
    *out = resource_from(object)->info;
}
