/* The machine as a whole. */
#include <zircon/syscalls/system.h>

#include "kernel/object/power.h"
#include "kernel/object/resource.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_system_powerctl(zx_handle_t resource, uint32_t cmd,
                                const zx_system_powerctl_arg_t __user *arg_user)
{
    zx_system_powerctl_arg_t arg = {0};
    zx_status_t status = resource_check_system(resource, ZX_RSRC_SYSTEM_POWER_BASE);
    if (status != ZX_OK)
        return status;
    switch (cmd) {
    case ZX_SYSTEM_POWERCTL_SHUTDOWN:
        if (arg_user)
            status = user_copy_in(&arg, arg_user, sizeof(arg));
        if (status != ZX_OK)
            return status;
        power_down(POWER_OFF, arg.shutdown.status);
        return ZX_ERR_INTERNAL; /* nothing could */
    case ZX_SYSTEM_POWERCTL_REBOOT:
        power_down(POWER_REBOOT, 0);
        return ZX_ERR_INTERNAL;
    case ZX_SYSTEM_POWERCTL_ENABLE_ALL_CPUS:
    case ZX_SYSTEM_POWERCTL_DISABLE_ALL_CPUS_BUT_PRIMARY:
    case ZX_SYSTEM_POWERCTL_REBOOT_BOOTLOADER:
    case ZX_SYSTEM_POWERCTL_REBOOT_RECOVERY:
        return ZX_ERR_NOT_SUPPORTED;
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}
