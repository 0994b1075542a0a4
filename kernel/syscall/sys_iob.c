/* IOBuffers. */
#include "kernel/syscall/abi.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"
#include "kernel/vm/kheap.h"

/* What the documents ask of descriptions beyond what the object itself needs. */
static zx_status_t check_descriptions(const zx_iob_region_t *descriptions, size_t count)
{
    if (!abi_iob_region_options_must_be_zero())
        return ZX_OK;
    for (size_t i = 0; i < count; i++) {
        if (descriptions[i].type == ZX_IOB_REGION_TYPE_PRIVATE &&
            descriptions[i].private_region.options != 0)
            return ZX_ERR_INVALID_ARGS;
    }
    return ZX_OK;
}

/* Copies the descriptions in; the caller frees them. */
static zx_status_t copy_descriptions(const void *regions, size_t count, zx_iob_region_t **out)
{
    zx_iob_region_t *descriptions = kmalloc(count * sizeof(*descriptions));
    if (descriptions == NULL)
        return ZX_ERR_NO_MEMORY;
    zx_status_t status = user_copy_in(descriptions, regions, count * sizeof(*descriptions));
    if (status == ZX_OK)
        status = check_descriptions(descriptions, count);
    if (status != ZX_OK) {
        kfree(descriptions);
        return status;
    }
    *out = descriptions;
    return ZX_OK;
}

zx_status_t sys_iob_create(uint64_t options, const void *regions, size_t num_regions,
                           zx_handle_t *ep0_out, zx_handle_t *ep1_out)
{
    zx_iob_region_t *descriptions;
    struct iob_endpoint *ep0, *ep1;

    if (options != 0 || num_regions == 0)
        return ZX_ERR_INVALID_ARGS;
    if (num_regions > ZX_IOB_MAX_REGIONS)
        return ZX_ERR_OUT_OF_RANGE;
    zx_status_t status = copy_descriptions(regions, num_regions, &descriptions);
    if (status != ZX_OK)
        return status;
    status = iob_create(descriptions, num_regions, &ep0, &ep1);
    kfree(descriptions);
    if (status != ZX_OK)
        return status;
    struct handle_out outs[] = {
        {&ep0->object, ZX_DEFAULT_IOB_RIGHTS, ep0_out},
        {&ep1->object, ZX_DEFAULT_IOB_RIGHTS, ep1_out},
    };
    return user_put_handles(outs, ARRAY_COUNT(outs));
}
