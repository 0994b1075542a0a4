/* Memory objects as drivers need them: at given addresses, contiguous, not cached. */
#include "kernel/object/policy.h"
#include "kernel/object/resource.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"
#include "kernel/vm/pmm.h"

/* Takes |vmo|. */
static zx_status_t put_vmo(struct vmo *vmo, zx_handle_t __user *out)
{
    struct vmo_object *object;
    zx_status_t status = vmo_object_create(vmo, &object);
    if (status != ZX_OK) {
        vmo_put(vmo);
        return status;
    }
    return user_put_handle(&object->object, vmo_object_rights(object), out);
}

/* RAM belongs to the allocator, and some of it to the kernel itself. */
static bool touches_ram(paddr_t base, uint64_t len_bytes)
{
    const struct ram_range *banks;
    size_t count_banks = pmm_boot_banks(&banks);

    for (size_t i = 0; i < count_banks; i++) {
        if (base < banks[i].base + banks[i].len_bytes && banks[i].base - base < len_bytes)
            return true;
        if (base >= banks[i].base && base - banks[i].base < banks[i].len_bytes)
            return true;
    }
    return false;
}

zx_status_t sys_vmo_create_physical(zx_handle_t resource, zx_paddr_t paddr, size_t size,
                                    zx_handle_t __user *out)
{
    uint64_t rounded;
    struct vmo *vmo;
    zx_status_t status = policy_check(ZX_POL_NEW_VMO);

    if (status != ZX_OK)
        return status;
    if (!round_up_checked(size, PAGE_SIZE_BYTES, &rounded))
        return ZX_ERR_INVALID_ARGS;
    status = resource_check(resource, ZX_RSRC_KIND_MMIO, paddr, rounded);
    if (status != ZX_OK)
        return status;
    if (!is_aligned(paddr, PAGE_SIZE_BYTES) || rounded == 0)
        return ZX_ERR_INVALID_ARGS;
    if (paddr > PADDR_LIMIT || rounded > PADDR_LIMIT - paddr)
        return ZX_ERR_INVALID_ARGS;
    if (touches_ram(paddr, rounded))
        return ZX_ERR_OUT_OF_RANGE;
    status = vmo_create_physical(paddr, rounded, &vmo);
    return status == ZX_OK ? put_vmo(vmo, out) : status;
}

/* There are no bus transaction initiators, because no IOMMU stands between devices and memory; the
 * root resource does in their place. */
zx_status_t sys_vmo_create_contiguous(zx_handle_t bti, size_t size, uint32_t alignment_log2,
                                      zx_handle_t __user *out)
{
    struct vmo *vmo;
    zx_status_t status = policy_check(ZX_POL_NEW_VMO);

    if (status == ZX_OK)
        status = resource_check(bti, ZX_RSRC_KIND_ROOT, 0, 0);
    if (status != ZX_OK)
        return status;
    if (alignment_log2 == 0)
        alignment_log2 = PAGE_SHIFT;
    if (alignment_log2 < PAGE_SHIFT || alignment_log2 >= 64)
        return ZX_ERR_INVALID_ARGS;
    status = vmo_create_contiguous(size, alignment_log2, &vmo);
    return status == ZX_OK ? put_vmo(vmo, out) : status;
}

zx_status_t sys_vmo_set_cache_policy(zx_handle_t handle, uint32_t policy)
{
    struct vmo_object *vmo;
    zx_status_t status;

    if (policy & ~ZX_CACHE_POLICY_MASK)
        return ZX_ERR_INVALID_ARGS;
    status = lookup_vmo(handle, ZX_RIGHT_MAP, &vmo, NULL);
    if (status != ZX_OK)
        return status;
    status = vmo_set_cache_policy(vmo->vmo, policy);
    object_put(&vmo->object);
    return status;
}
