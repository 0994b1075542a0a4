/* Races on purpose: several threads do a thing over and over for a while, and the kernel must come
 * through with its books in order. */
#pragma once

#include <stdatomic.h>

#include "tests/conformance/util.h"

#define STRESS_WORKERS  6 /* more than there are harts as a rule */
#define STRESS_DURATION ZX_MSEC(1000)

/* One of the threads of stress_run. */
struct stress_worker {
    void (*round)(struct stress_worker *worker);
    void *shared;
    unsigned index;
    uint32_t random;
    uint64_t count_rounds;
};

/* Calls round for each of STRESS_WORKERS workers, each on a thread of its own, again and again for
 * STRESS_DURATION (or as many seconds as the environment's stress_seconds says), or until something
 * has failed. |round| notes failures with EXPECT. */
void stress_run(void (*round)(struct stress_worker *worker), void *shared);

/* A number below |limit|, the worker's own sequence. */
uint32_t stress_random(struct stress_worker *worker, uint32_t limit);
