/* What panic needs from the boot code: a console that works without interrupts and locks, and a way
 * to stop the machine that tells the outside that something failed. */
#pragma once

#include "kernel/lib/panic.h"
#include "kernel/lib/printf.h"

/* |sink| writes synchronously, whatever state the console's driver is in. */
void panic_set_output(printf_sink sink, void *ctx);

/* |stop| powers off with a failure status; it returns if it cannot, and then the hart waits for
 * ever so that a person can read the screen. */
void panic_set_stop(void (*stop)(void));
