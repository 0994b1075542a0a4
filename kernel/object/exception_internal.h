/* Inside kernel/object: what is said about an exception that nobody handled. */
#pragma once

#include "kernel/object/thread.h"

/* A debugger's news, told by the thread itself before it enters user mode and when it has left it
 * for good. A debugger's answer to the start may be that the thread ends, then it does not return.
 */
void exception_announce_start(struct user_thread *thread);
void exception_announce_end(struct user_thread *thread);

/* Raises what user_thread_raise_later noted. On the thread itself, on its way to user mode. */
void exception_raise_pending(struct user_thread *thread);

/* Writes a block of lines to the log: process, thread, cause, address, registers. The calling
 * thread is the one in the exception. */
void exception_print(struct user_thread *thread, const struct arch_exception *exception);

/* The same in one line for a synthetic exception. */
void exception_print_synthetic(struct user_thread *thread, const zx_exception_report_t *report);
