/* IOBuffers and shared regions: creation. */
#include "kernel/object/policy.h"
#include "kernel/syscall/abi.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"
#include "kernel/vm/kheap.h"

/* The arguments of zx_iob_create in kernel memory. */
struct create_args {
    size_t count;
    struct iob_shared *shared[ZX_IOB_MAX_REGIONS]; /* one reference each, or NULL */
    zx_iob_region_t descriptions[];
};

/* What the documents ask of a description beyond what the object itself needs. */
static zx_status_t check_private_options(const zx_iob_region_t *description)
{
    if (description->type == ZX_IOB_REGION_TYPE_PRIVATE &&
        description->private_region.options != 0 && abi_iob_region_options_must_be_zero())
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

/* Checks each description and finds the shared region that it may name. */
static zx_status_t resolve(struct create_args *args)
{
    for (size_t i = 0; i < args->count; i++) {
        const zx_iob_region_t *description = &args->descriptions[i];
        uint64_t size_bytes;
        zx_status_t status = check_private_options(description);
        if (status == ZX_OK)
            status = iob_check_region(description, &size_bytes);
        if (status == ZX_OK && description->type == ZX_IOB_REGION_TYPE_SHARED)
            status = lookup_iob_shared(description->shared_region.shared_region, 0,
                                       &args->shared[i], NULL);
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

static void args_free(struct create_args *args)
{
    for (size_t i = 0; i < args->count; i++) {
        if (args->shared[i] != NULL)
            object_put(&args->shared[i]->object);
    }
    kfree(args);
}

static zx_status_t create(const void __user *regions, size_t count, struct iob_endpoint **out_ep0,
                          struct iob_endpoint **out_ep1)
{
    struct create_args *args = kzalloc(sizeof(*args) + count * sizeof(args->descriptions[0]));
    if (args == NULL)
        return ZX_ERR_NO_MEMORY;
    args->count = count;
    zx_status_t status =
        user_copy_in(args->descriptions, regions, count * sizeof(args->descriptions[0]));
    if (status == ZX_OK)
        status = resolve(args);
    if (status == ZX_OK)
        status = iob_create(args->descriptions, args->shared, count, out_ep0, out_ep1);
    args_free(args);
    return status;
}

zx_status_t sys_iob_create(uint64_t options, const void __user *regions, size_t num_regions,
                           zx_handle_t __user *ep0_out, zx_handle_t __user *ep1_out)
{
    struct iob_endpoint *ep0, *ep1;

    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = policy_check(ZX_POL_NEW_IOB);
    if (status != ZX_OK)
        return status;
    if (num_regions == 0)
        return ZX_ERR_INVALID_ARGS;
    if (num_regions > ZX_IOB_MAX_REGIONS)
        return ZX_ERR_OUT_OF_RANGE;
    status = create(regions, num_regions, &ep0, &ep1);
    if (status != ZX_OK)
        return status;
    struct handle_out outs[] = {
        {&ep0->object, ZX_DEFAULT_IOB_RIGHTS, ep0_out},
        {&ep1->object, ZX_DEFAULT_IOB_RIGHTS, ep1_out},
    };
    return user_put_handles(outs, ARRAY_COUNT(outs));
}

zx_status_t sys_iob_create_shared_region(uint64_t options, uint64_t size, zx_handle_t __user *out)
{
    struct iob_shared *shared;

    if (options != 0 || size == 0 || !is_aligned(size, PAGE_SIZE_BYTES))
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = policy_check(ZX_POL_NEW_IOB);
    if (status == ZX_OK)
        status = iob_shared_create(size, &shared);
    if (status != ZX_OK)
        return status;
    return user_put_handle(&shared->object, ZX_DEFAULT_IOB_SHARED_REGION_RIGHTS, out);
}
