// Assertions of user programs, which stay in every build, and those of debug builds (without
// NDEBUG). One that does not hold says so on the standard error stream and ends the process with a
// breakpoint exception.
#ifndef ZIRCON_ASSERT_H_
#define ZIRCON_ASSERT_H_

#include <zircon/compiler.h>

__BEGIN_CDECLS

// Prints the text, as printf makes it, and ends the process.
__NO_RETURN void __zx_panic(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

__END_CDECLS

#define ZX_PANIC(format, ...) __zx_panic(format, ##__VA_ARGS__)

#define ZX_ASSERT(condition)                                                                       \
    do {                                                                                           \
        if (!__builtin_expect(!!(condition), 1)) {                                                 \
            ZX_PANIC("%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                \
        }                                                                                          \
    } while (0)

#define ZX_ASSERT_MSG(condition, message, ...)                                                     \
    do {                                                                                           \
        if (!__builtin_expect(!!(condition), 1)) {                                                 \
            ZX_PANIC("%s:%d: does not hold: %s: " message "\n", __FILE__, __LINE__, #condition,    \
                     ##__VA_ARGS__);                                                               \
        }                                                                                          \
    } while (0)

#ifdef NDEBUG
#define ZX_DEBUG_ASSERT_IMPLEMENTED 0
#else
#define ZX_DEBUG_ASSERT_IMPLEMENTED 1
#endif

// The condition is compiled, but not evaluated, when debug assertions are off.
#define ZX_DEBUG_ASSERT(condition)                                                                 \
    do {                                                                                           \
        if (ZX_DEBUG_ASSERT_IMPLEMENTED) {                                                         \
            ZX_ASSERT(condition);                                                                  \
        }                                                                                          \
    } while (0)

#define ZX_DEBUG_ASSERT_MSG(condition, message, ...)                                               \
    do {                                                                                           \
        if (ZX_DEBUG_ASSERT_IMPLEMENTED) {                                                         \
            ZX_ASSERT_MSG(condition, message, ##__VA_ARGS__);                                      \
        }                                                                                          \
    } while (0)

// The same for a condition whose variables exist in debug builds only.
#if ZX_DEBUG_ASSERT_IMPLEMENTED
#define ZX_DEBUG_ASSERT_COND(condition) ZX_DEBUG_ASSERT(condition)
#else
#define ZX_DEBUG_ASSERT_COND(condition) ((void)0)
#endif

#endif // ZIRCON_ASSERT_H_
