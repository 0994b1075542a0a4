/* The kernel's log: whole lines on the console. */
#pragma once

#include "kernel/lib/printf.h"

/* Writes one line, "[seconds.micros] text" (a newline is added), cut off at LOG_LINE_BYTES.
 * Callable from any context, interrupt handlers and panics included; lines of several harts never
 * mix. */
#define LOG_LINE_BYTES 512
void kprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The log's way out: called with interrupts off and the log's lock held. NULL: lines are dropped.
 */
void log_set_output(printf_sink sink, void *ctx);

/* Gives the microseconds since boot for the time stamps. Until it is set they read 0. */
void log_set_clock(uint64_t (*now_us)(void));

/* From now on the log's lock is ignored (other harts are stopped or stuck): panic only. */
void log_enter_panic(void);
