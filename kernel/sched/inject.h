/* Allocations that fail on purpose, in debug builds: the thread that makes a system call is told
 * which of its allocations is refused. Each allocation of frames or kernel heap asks
 * arch_inject_failure, and that asks here. */
#pragma once

#include "kernel/lib/compiler.h"

#ifdef DEBUG

enum inject_mode {
    INJECT_OFF,
    INJECT_EACH,   /* each call is made again and again, with its 1st, 2nd ... allocation refused,
                      until none is left to refuse */
    INJECT_RANDOM, /* one allocation in so many is refused, and the caller sees it */
};

/* A thread's own part. */
struct inject {
    uint64_t countdown; /* allocations up to the one to be refused; 0: none */
    uint64_t random;
    bool is_active; /* in a call or fault whose allocations may be refused */
    bool has_failed;
};

/* What happens from now on, in all threads but those of the process that owns |exempt| (its handle
 * table; may be NULL). |one_in| counts for INJECT_RANDOM. */
void inject_set_mode(enum inject_mode mode, uint32_t one_in, const void *exempt);
enum inject_mode inject_mode(void);

/* From here to inject_end the current thread's |nth| allocation (1 is the first; 0: none) is
 * refused, or random ones in INJECT_RANDOM. False: the thread is exempt, or already between the
 * two, and nothing has begun. */
bool inject_begin(uint64_t nth);
/* True: an allocation was refused since inject_begin. */
bool inject_end(void);

/* Called for each allocation, in any context: true if it is to fail. */
bool inject_allocation(void);

#endif
