/* Prototypes of the functions behind the table of system calls: sys_NAME for each row of
 * abi/zircon/syscalls.def. */
#pragma once

#include <zircon/syscall-macros.h>
#include <zircon/syscalls/clock.h>
#include <zircon/syscalls/types.h>
#include <zircon/types.h>

#include "kernel/lib/compiler.h"

#define SYSCALL(number, name, ret, count, ...) ret sys_##name ZX_PARAMS(count, __VA_ARGS__);
#define SYSCALL_VOID(number, name, count, ...) void sys_##name ZX_PARAMS(count, __VA_ARGS__);
#define SYSCALL_NORETURN(number, name, count, ...)                                                 \
    NORETURN void sys_##name ZX_PARAMS(count, __VA_ARGS__);
#include <zircon/syscalls.def>

/* The answer of every call that nothing implements. */
zx_status_t sys_not_supported(void);

/* The name of a call without prefix, or "?" for a number that has none. */
const char *syscall_name(uint64_t number);
