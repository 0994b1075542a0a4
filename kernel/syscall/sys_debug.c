/* The serial console for programs that have nothing better. */
#include "kernel/object/console.h"
#include "kernel/object/resource.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

#define DEBUG_WRITE_MAX 256u
#define DEBUG_READ_MAX  256u

zx_status_t sys_debug_write(const char __user *buffer_user, size_t buffer_size)
{
    char buffer[DEBUG_WRITE_MAX];
    size_t len = MIN(buffer_size, (size_t)DEBUG_WRITE_MAX);
    zx_status_t status = user_copy_in(buffer, buffer_user, len);
    if (status != ZX_OK)
        return status;
    console_write(buffer, len);
    return ZX_OK;
}

zx_status_t sys_debug_read(zx_handle_t handle, char __user *buffer_user, size_t buffer_size,
                           size_t __user *actual_user)
{
    char buffer[DEBUG_READ_MAX];
    size_t len = 0;
    zx_status_t status = resource_check_system(handle, ZX_RSRC_SYSTEM_DEBUG_BASE);
    if (status != ZX_OK)
        return status;
    if (buffer_size > 0) {
        status = console_read(buffer, MIN(buffer_size, sizeof(buffer)), ZX_TIME_INFINITE, &len);
        if (status != ZX_OK)
            return status;
    }
    status = user_copy_out(buffer_user, buffer, len);
    if (status != ZX_OK)
        return status;
    return user_copy_out(actual_user, &len, sizeof(len));
}
