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

/* Writes a line of the kernel's log, "[seconds.micros] text", to the console. Callable from any
 * context, interrupt handlers and panics included; a line is never torn by another hart's. */
void kprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The log's way out: called with interrupts off and the log's lock held. Until one is set, lines
 * are kept and handed to the first one. */
void kprintf_set_output(printf_sink sink, void *ctx);

/* From now on kprintf ignores the log's lock (other harts are stopped or stuck): panic only. */
void kprintf_enter_panic(void);
