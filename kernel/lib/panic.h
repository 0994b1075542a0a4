/* Panics and assertions. */
#pragma once

#include "kernel/lib/compiler.h"

/* Stops the machine with a message, registers, a backtrace and the state of every hart; powers off
 * with a failure status where the machine can, waits otherwise. Callable from any context. */
NORETURN void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Kept in release builds. */
#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (UNLIKELY(!(cond)))                                                                     \
            panic("assertion failed: %s at %s:%d", #cond, __FILE__, __LINE__);                     \
    } while (0)

#ifdef DEBUG
#define DEBUG_ASSERT(cond) ASSERT(cond)
#else
#define DEBUG_ASSERT(cond)                                                                         \
    do {                                                                                           \
        (void)sizeof(cond);                                                                        \
    } while (0)
#endif
