/* Formatted output for the kernel: %d %i %u %x %X %o %p %s %c %% with flags "-0+ #", width,
 * precision ("*" too) and the length modifiers hh h l ll z t j. No floating point, no %n. */
#pragma once

#include <stdarg.h>

#include "kernel/lib/compiler.h"

/* Sends |len_bytes| characters on; |ctx| is the caller's. */
typedef void (*printf_sink)(void *ctx, const char *text, size_t len_bytes);

/* Formats into |sink|. Returns the number of characters produced. */
size_t printf_to(printf_sink sink, void *ctx, const char *fmt, va_list args);

/* As C's: always terminates when dst_bytes > 0, returns the untruncated length. */
int kernel_vsnprintf(char *dst, size_t dst_bytes, const char *fmt, va_list args);
int kernel_snprintf(char *dst, size_t dst_bytes, const char *fmt, ...) PRINTF_LIKE(3, 4);
