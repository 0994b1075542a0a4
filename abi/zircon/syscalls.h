// The system calls. Each returns ZX_OK or a negative status unless its prototype says otherwise;
// on failure out-parameters keep their values. docs/syscalls has a page for each.
#ifndef ZIRCON_SYSCALLS_H_
#define ZIRCON_SYSCALLS_H_

#include <zircon/syscall-macros.h>
#include <zircon/syscalls/types.h>
#include <zircon/types.h>

__BEGIN_CDECLS

// The underscored spellings are the same functions.
#define SYSCALL(number, name, ret, count, ...)                                                     \
    ret zx_##name ZX_PARAMS(count, __VA_ARGS__);                                                   \
    ret _zx_##name ZX_PARAMS(count, __VA_ARGS__);
#define SYSCALL_VOID(number, name, count, ...)                                                     \
    void zx_##name ZX_PARAMS(count, __VA_ARGS__);                                                  \
    void _zx_##name ZX_PARAMS(count, __VA_ARGS__);
#define SYSCALL_NORETURN(number, name, count, ...)                                                 \
    void zx_##name ZX_PARAMS(count, __VA_ARGS__) __NO_RETURN;                                      \
    void _zx_##name ZX_PARAMS(count, __VA_ARGS__) __NO_RETURN;
#define VDSOCALL(name, ret, count, ...)                                                            \
    ret zx_##name ZX_PARAMS(count, __VA_ARGS__);                                                   \
    ret _zx_##name ZX_PARAMS(count, __VA_ARGS__);
#define VDSOCALL_NORETURN(name, count, ...)                                                        \
    void zx_##name ZX_PARAMS(count, __VA_ARGS__) __NO_RETURN;                                      \
    void _zx_##name ZX_PARAMS(count, __VA_ARGS__) __NO_RETURN;
#include <zircon/syscalls.def>

__END_CDECLS

#endif // ZIRCON_SYSCALLS_H_
