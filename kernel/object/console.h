/* The console as the kernel's log and the debug calls share it: one serial line, written in whole
 * pieces, and a queue of what was typed. The device is main.c's business: it gives a function to
 * write with and hands over each received character. */
#pragma once

#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/lib/compiler.h"

/* Where output goes: |write| sends bytes as they are, called with the console's lock held and
 * interrupts off. Output before this is lost (the log keeps its lines itself). */
void console_set_output(void (*write)(void *ctx, const char *text, size_t len_bytes), void *ctx);

/* Runs fn(ctx) with the console's lock held and interrupts off: the way to call the functions of
 * the device that must not run at the same time as |write|, its interrupt handler for one. fn calls
 * console_input_locked for what it receives; it must not log. Any context. */
void console_with_lock(void (*fn)(void *ctx), void *ctx);

/* Writes text of a user as one piece; "\n" becomes "\r\n". Any context. */
void console_write(const char *text, size_t len_bytes);

/* The log's output, for kprintf_set_output. A line of the log that comes while a user's line is
 * unfinished starts on a new line. */
void console_write_log(void *ctx, const char *text, size_t len_bytes);

/* From now on the lock is ignored: the other harts are stopped. Panic only. */
void console_enter_panic(void);

/* A character was received; dropped when CONSOLE_INPUT_BYTES of them wait. console_input: any
 * context without the console's lock. console_input_locked: inside console_with_lock only. */
#define CONSOLE_INPUT_BYTES 1024u
void console_input(char c);
void console_input_locked(char c);

/* Takes up to |max_bytes| > 0 characters that were typed; sleeps for the first one until
 * |deadline_ns|. ZX_ERR_TIMED_OUT, ZX_ERR_INTERNAL_INTR_*. */
MUST_USE zx_status_t console_read(char *out, size_t max_bytes, zx_time_t deadline_ns,
                                  size_t *out_bytes);
