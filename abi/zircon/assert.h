// Assertions for programs: a condition that does not hold ends the process with a message.
#ifndef ZIRCON_ASSERT_H_
#define ZIRCON_ASSERT_H_

#include <zircon/compiler.h>

__BEGIN_CDECLS

// Writes the printf-like text to standard error and ends the process by an exception.
void __zx_panic(const char *format, ...) __NO_RETURN __attribute__((__format__(__printf__, 1, 2)));

__END_CDECLS

#define ZX_PANIC(fmt, ...) __zx_panic((fmt), ##__VA_ARGS__)

#define ZX_ASSERT(cond)                                                                            \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            __zx_panic("ASSERT FAILED at (%s:%d): %s\n", __FILE__, __LINE__, #cond);               \
    } while (0)

#define ZX_ASSERT_MSG(cond, msg, ...)                                                              \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            __zx_panic("ASSERT FAILED at (%s:%d): %s\n" msg "\n", __FILE__, __LINE__, #cond,       \
                       ##__VA_ARGS__);                                                             \
    } while (0)

// Checked in debug builds of programs (ZX_DEBUG_ASSERT_IMPLEMENTED not 0).
#ifndef ZX_DEBUG_ASSERT_IMPLEMENTED
#ifdef NDEBUG
#define ZX_DEBUG_ASSERT_IMPLEMENTED 0
#else
#define ZX_DEBUG_ASSERT_IMPLEMENTED 1
#endif
#endif

#define ZX_DEBUG_ASSERT(cond)                                                                      \
    do {                                                                                           \
        if (ZX_DEBUG_ASSERT_IMPLEMENTED)                                                           \
            ZX_ASSERT(cond);                                                                       \
    } while (0)

#define ZX_DEBUG_ASSERT_MSG(cond, msg, ...)                                                        \
    do {                                                                                           \
        if (ZX_DEBUG_ASSERT_IMPLEMENTED)                                                           \
            ZX_ASSERT_MSG(cond, msg, ##__VA_ARGS__);                                               \
    } while (0)

#endif // ZIRCON_ASSERT_H_
