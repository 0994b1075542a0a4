/* Clock objects. The version of a structure comes in the upper bits of the options. */
#include "kernel/object/clock_obj.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

#define VERSION_MASK     (~0ull << ZX_CLOCK_ARGS_VERSION_SHIFT)
#define VERSION_OF(word) ((word) >> ZX_CLOCK_ARGS_VERSION_SHIFT)

zx_status_t sys_clock_create(uint64_t options, const void __user *args_user,
                             zx_handle_t __user *out_user)
{
    zx_clock_create_args_v1_t args = {0};
    struct object *clock;
    zx_status_t status = ZX_OK;
    if (VERSION_OF(options) == 1)
        status = user_copy_in(&args, args_user, sizeof(args));
    else if (VERSION_OF(options) != 0 || args_user != NULL)
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = clock_obj_create(options & ~VERSION_MASK, args.backstop_time, &clock);
    if (status != ZX_OK)
        return status;
    return user_put_handle(clock, clock->ops->default_rights, out_user);
}

zx_status_t sys_clock_read(zx_handle_t handle, zx_time_t __user *now_user)
{
    struct object *clock;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_CLOCK, ZX_RIGHT_READ, &clock, NULL);
    if (status != ZX_OK)
        return status;
    zx_time_t now = clock_obj_read(clock);
    object_put(clock);
    return user_copy_out(now_user, &now, sizeof(now));
}

zx_status_t sys_clock_get_details(zx_handle_t handle, uint64_t options, void __user *details_user)
{
    zx_clock_details_v1_t details;
    struct object *clock;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_CLOCK, ZX_RIGHT_READ, &clock, NULL);
    if (status != ZX_OK)
        return status;
    if (options == ZX_CLOCK_ARGS_VERSION(1))
        clock_obj_get_details(clock, &details);
    else
        status = ZX_ERR_INVALID_ARGS;
    object_put(clock);
    return status == ZX_OK ? user_copy_out(details_user, &details, sizeof(details)) : status;
}

/* The arguments in the form of the newest version. */
static zx_status_t copy_update_args(uint64_t options, const void __user *args_user,
                                    zx_clock_update_args_v2_t *out)
{
    zx_clock_update_args_v1_t old;
    if (VERSION_OF(options) == 2)
        return user_copy_in(out, args_user, sizeof(*out));
    if (VERSION_OF(options) != 1 || (options & ZX_CLOCK_UPDATE_OPTION_REFERENCE_VALUE_VALID))
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = user_copy_in(&old, args_user, sizeof(old));
    if (status != ZX_OK)
        return status;
    *out = (zx_clock_update_args_v2_t){
        .rate_adjust = old.rate_adjust,
        .synthetic_value = old.value,
        .error_bound = old.error_bound,
    };
    return ZX_OK;
}

zx_status_t sys_clock_update(zx_handle_t handle, uint64_t options, const void __user *args_user)
{
    zx_clock_update_args_v2_t args;
    struct object *clock;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_CLOCK, ZX_RIGHT_WRITE, &clock, NULL);
    if (status != ZX_OK)
        return status;
    status = copy_update_args(options, args_user, &args);
    if (status == ZX_OK)
        status = clock_obj_update(clock, options & ~VERSION_MASK, &args);
    object_put(clock);
    return status;
}
