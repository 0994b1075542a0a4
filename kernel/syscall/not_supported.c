/* Every system call has a weak definition here that answers ZX_ERR_NOT_SUPPORTED; writing the
 * function sys_NAME elsewhere is all that it takes to implement a call. The types of the aliases
 * differ on purpose: the answer does not depend on the arguments. */
#include <zircon/errors.h>

zx_status_t sys_not_supported(void);

zx_status_t sys_not_supported(void)
{
    return ZX_ERR_NOT_SUPPORTED;
}

#define WEAK_CALL(name)                                                                            \
    zx_status_t sys_##name(void) __attribute__((weak, alias("sys_not_supported")));
#define SYSCALL(number, name, ...)          WEAK_CALL(name)
#define SYSCALL_VOID(number, name, ...)     WEAK_CALL(name)
#define SYSCALL_NORETURN(number, name, ...) WEAK_CALL(name)
#include <zircon/syscalls.def>
