/* The dispatch table that the trap code indexes with the number of the call.
 *
 * The entries are wrappers, since the registers are the user's: the C calling convention lets a
 * function assume that a 32-bit argument comes sign-extended, so each one is cut to its type here;
 * and a call without a result must not return what happens to be in a0. */
#include "arch/arch.h"
#include "arch/syscall_count.h"
#include "kernel/syscall/syscalls.h"

#define REGS                                                                                       \
    uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6,     \
        uint64_t a7
#define USE_REGS() (void)a0, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7

#define SYSCALL(number, name, ret, count, ...)                                                     \
    static ret enter_##name(REGS)                                                                  \
    {                                                                                              \
        USE_REGS();                                                                                \
        return sys_##name(ZX_PASS(count, __VA_ARGS__));                                            \
    }
#define SYSCALL_VOID(number, name, count, ...)                                                     \
    static uint64_t enter_##name(REGS)                                                             \
    {                                                                                              \
        USE_REGS();                                                                                \
        sys_##name(ZX_PASS(count, __VA_ARGS__));                                                   \
        return 0;                                                                                  \
    }
#define SYSCALL_NORETURN(number, name, count, ...)                                                 \
    NORETURN static uint64_t enter_##name(REGS)                                                    \
    {                                                                                              \
        USE_REGS();                                                                                \
        sys_##name(ZX_PASS(count, __VA_ARGS__));                                                   \
    }
#include <zircon/syscalls.def>

#define ROW(number, name)                   [number] = (uintptr_t)enter_##name,
#define SYSCALL(number, name, ...)          ROW(number, name)
#define SYSCALL_VOID(number, name, ...)     ROW(number, name)
#define SYSCALL_NORETURN(number, name, ...) ROW(number, name)
const uintptr_t syscall_table[] = {
#include <zircon/syscalls.def>
};
_Static_assert(ARRAY_COUNT(syscall_table) == SYSCALL_COUNT, "the trap code checks numbers");

#define NAME_ROW(number, name)              [number] = #name,
#define SYSCALL(number, name, ...)          NAME_ROW(number, name)
#define SYSCALL_VOID(number, name, ...)     NAME_ROW(number, name)
#define SYSCALL_NORETURN(number, name, ...) NAME_ROW(number, name)
static const char *const names[] = {
#include <zircon/syscalls.def>
};

const char *syscall_name(uint64_t number)
{
    return number < ARRAY_COUNT(names) ? names[number] : "?";
}
