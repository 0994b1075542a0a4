/* Events and event pairs. */
#include "kernel/object/event.h"
#include "kernel/object/policy.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_event_create(uint32_t options, zx_handle_t __user *out_user)
{
    struct object *event;
    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = policy_check(ZX_POL_NEW_EVENT);
    if (status != ZX_OK)
        return status;
    status = event_create(&event);
    if (status != ZX_OK)
        return status;
    return user_put_handle(event, event->ops->default_rights, out_user);
}

zx_status_t sys_eventpair_create(uint32_t options, zx_handle_t __user *out0_user,
                                 zx_handle_t __user *out1_user)
{
    struct object *ends[2];
    if (options != 0)
        return ZX_ERR_NOT_SUPPORTED;
    zx_status_t status = policy_check(ZX_POL_NEW_EVENTPAIR);
    if (status != ZX_OK)
        return status;
    status = eventpair_create(&ends[0], &ends[1]);
    if (status != ZX_OK)
        return status;
    struct handle_out outs[2] = {
        {ends[0], ends[0]->ops->default_rights, out0_user},
        {ends[1], ends[1]->ops->default_rights, out1_user},
    };
    return user_put_handles(outs, ARRAY_COUNT(outs));
}
