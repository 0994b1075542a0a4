/* How many system calls there are; their numbers are dense. */
#pragma once

enum {
    SYSCALL_COUNT = 0
#define SYSCALL(...)          +1
#define SYSCALL_VOID(...)     +1
#define SYSCALL_NORETURN(...) +1
#include <zircon/syscalls.def>
};
