/* Panics and assertions. */
#pragma once

#include "kernel/lib/compiler.h"

/* Stops the machine with a message, registers, a backtrace and the state of every hart; powers off
 * with a failure status where the machine can, waits otherwise. Callable from any context. */
NORETURN void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* What a panic needs of the layers above: everything may panic, so panic knows none of them. */
struct panic_hooks {
    void (*enter)(void); /* makes the log's output work without locks and interrupts */
    void (*stop)(void);  /* powers off with a failure status; returns if it cannot, and then the
                            hart waits for ever so that a person can read the screen */
};
/* Keeps the pointer. Boot only. */
void panic_set_hooks(const struct panic_hooks *hooks);

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
