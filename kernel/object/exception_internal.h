/* Inside kernel/object: what is said about an exception that nobody handled. */
#pragma once

#include "kernel/object/thread.h"

/* Writes a block of lines to the log: process, thread, cause, address, registers. The calling
 * thread is the one in the exception. */
void exception_print(struct user_thread *thread, const struct arch_exception *exception);
