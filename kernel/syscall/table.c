/* The dispatch table that the trap code indexes with the number of the call. */
#include "arch/arch.h"
#include "kernel/syscall/syscalls.h"

#define ROW(number, name)                   [number] = (uintptr_t)sys_##name,
#define SYSCALL(number, name, ...)          ROW(number, name)
#define SYSCALL_VOID(number, name, ...)     ROW(number, name)
#define SYSCALL_NORETURN(number, name, ...) ROW(number, name)
const uintptr_t syscall_table[] = {
#include <zircon/syscalls.def>
};
const uint32_t syscall_table_count = ARRAY_COUNT(syscall_table);

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
