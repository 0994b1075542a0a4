/* Timer objects. */
#include "kernel/object/policy.h"
#include "kernel/object/timer_obj.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_timer_create(uint32_t options, zx_clock_t clock_id, zx_handle_t __user *out_user)
{
    struct object *timer;
    if (options > ZX_TIMER_SLACK_LATE)
        return ZX_ERR_INVALID_ARGS;
    if (clock_id != ZX_CLOCK_MONOTONIC && clock_id != ZX_CLOCK_BOOT)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = policy_check(ZX_POL_NEW_TIMER);
    if (status != ZX_OK)
        return status;
    status = timer_obj_create(options, clock_id, &timer);
    if (status != ZX_OK)
        return status;
    return user_put_handle(timer, timer->ops->default_rights, out_user);
}

zx_status_t sys_timer_set(zx_handle_t handle, zx_time_t deadline, zx_duration_t slack)
{
    struct object *timer;
    if (slack < 0)
        return ZX_ERR_OUT_OF_RANGE;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_TIMER, ZX_RIGHT_WRITE, &timer, NULL);
    if (status != ZX_OK)
        return status;
    timer_obj_set(timer, deadline, MAX(slack, policy_min_slack_ns()));
    object_put(timer);
    return ZX_OK;
}

zx_status_t sys_timer_cancel(zx_handle_t handle)
{
    struct object *timer;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_TIMER, ZX_RIGHT_WRITE, &timer, NULL);
    if (status != ZX_OK)
        return status;
    timer_obj_cancel(timer);
    object_put(timer);
    return ZX_OK;
}
