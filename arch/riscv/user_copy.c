/* User memory: range checks around the routines of user_copy.S. */
#include "arch/arch.h"
#include "kernel/lib/panic.h"

/* user_copy.S; 0, or not after a fault */
long user_load_u32(const void *src_user, uint32_t *out);
long user_load_u32_nofault(const void *src_user, uint32_t *out);
long user_probe_write(uint32_t *dst_user);

/* Called by user_copy.S. */
zx_status_t user_store_u32_unaligned(uintptr_t dst_user, uint32_t value);

zx_status_t user_store_u32_unaligned(uintptr_t dst_user, uint32_t value)
{
    return arch_copy_to_user(dst_user, &value, sizeof(value));
}

zx_status_t arch_probe_user_write(uintptr_t dst_user, size_t len_bytes)
{
    DEBUG_ASSERT(arch_irq_is_enabled());
    if (!user_range_is_valid(dst_user, len_bytes))
        return ZX_ERR_INVALID_ARGS;
    for (uintptr_t page = round_down(dst_user, PAGE_SIZE_BYTES); page < dst_user + len_bytes;
         page += PAGE_SIZE_BYTES) {
        if (user_probe_write((uint32_t *)page) != 0)
            return ZX_ERR_INVALID_ARGS;
    }
    return ZX_OK;
}

static bool u32_is_valid(uintptr_t src_user)
{
    return is_aligned(src_user, sizeof(uint32_t)) &&
           user_range_is_valid(src_user, sizeof(uint32_t));
}

zx_status_t arch_load_user_u32(uintptr_t src_user, uint32_t *out)
{
    DEBUG_ASSERT(arch_irq_is_enabled());
    if (!u32_is_valid(src_user) || user_load_u32((const void *)src_user, out) != 0)
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

zx_status_t arch_load_user_u32_nofault(uintptr_t src_user, uint32_t *out)
{
    if (!u32_is_valid(src_user))
        return ZX_ERR_INVALID_ARGS;
    if (user_load_u32_nofault((const void *)src_user, out) != 0)
        return ZX_ERR_SHOULD_WAIT;
    return ZX_OK;
}
