/* The first look at the registers of a thread. */
#pragma once

#include <stdint.h>

struct first_registers {
    uint64_t x[31]; /* x1 to x31 */
    uint64_t f[32];
    uint64_t fcsr;
    uint32_t is_done;
};

/* The entry of a thread: stores all registers at the first argument, then ends the thread. */
extern const char fresh_thread[];
