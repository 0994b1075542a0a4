#include <stdarg.h>
#include <stdio.h>
#include <zircon/assert.h>

void __zx_panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fflush(NULL);
    __builtin_trap();
}
