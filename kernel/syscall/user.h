/* What the syscall functions share: fault-safe copies of arguments, and handing out handles.
 *
 * A syscall function is `zx_status_t sys_NAME(...)` with the prototype that abi/zircon/syscalls.def
 * gives it; user pointers are never dereferenced, only passed to these. */
#pragma once

#include <zircon/errors.h>
#include <zircon/types.h>

#include "arch/arch.h"
#include "kernel/lib/panic.h"
#include "kernel/object/handle.h"

/* Copies between kernel and user memory. ZX_ERR_INVALID_ARGS for a bad pointer. A zero length never
 * fails. */
MUST_USE static inline zx_status_t user_copy_in(void *dst, const void __user *src_user,
                                                size_t len_bytes)
{
    DEBUG_ASSERT(arch_irq_is_enabled());
    return arch_copy_from_user(dst, (uintptr_t)src_user, len_bytes);
}

MUST_USE static inline zx_status_t user_copy_out(void __user *dst_user, const void *src,
                                                 size_t len_bytes)
{
    DEBUG_ASSERT(arch_irq_is_enabled());
    return arch_copy_to_user((uintptr_t)dst_user, src, len_bytes);
}

/* *dst_user = value, for the usual out-parameters; the _optional ones accept NULL. */
MUST_USE static inline zx_status_t user_put_u32(uint32_t __user *dst_user, uint32_t value)
{
    DEBUG_ASSERT(arch_irq_is_enabled());
    return arch_store_user_u32((uintptr_t)dst_user, value);
}

MUST_USE static inline zx_status_t user_put_u64(uint64_t __user *dst_user, uint64_t value)
{
    return user_copy_out(dst_user, &value, sizeof(value));
}

MUST_USE static inline zx_status_t user_put_size_optional(size_t __user *dst_user, size_t value)
{
    return dst_user ? user_copy_out(dst_user, &value, sizeof(value)) : ZX_OK;
}

MUST_USE static inline zx_status_t user_put_u32_optional(uint32_t __user *dst_user, uint32_t value)
{
    return dst_user ? user_put_u32(dst_user, value) : ZX_OK;
}

/* Gives the current process a handle to each of |count| (<= 4) objects and stores the values at
 * out_user[i]. Takes the references. All or nothing: on failure no handle stays, the references are
 * dropped and no out-variable was touched. An object without a handle then sees on_zero_handles,
 * even the one whose handle could not be made. */
struct handle_out {
    struct object *object;
    zx_rights_t rights;
    zx_handle_t __user *out_user;
};
MUST_USE zx_status_t user_put_handles(struct handle_out *outs, size_t count);

/* The same for one object. */
MUST_USE zx_status_t user_put_handle(struct object *object, zx_rights_t rights,
                                     zx_handle_t __user *out_user);

/* Copies a name argument of |len_bytes| into |out|, truncated to 31 characters and terminated.
 * ZX_ERR_INVALID_ARGS: NULL (unless the length is 0) or unreadable. */
MUST_USE zx_status_t user_copy_name(const char __user *name_user, size_t len_bytes, char out[32]);
