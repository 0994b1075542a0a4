// What the processes of the model test share: one page range that the one that watches maps, and
// gives to those that run steps and may die of it.
#ifndef TESTS_MODEL_USER_SHARED_H_
#define TESTS_MODEL_USER_SHARED_H_

#include <stdint.h>
#include <zircon/processargs.h>

#include "tests/model/run.h"

#define SHARED_HANDLE PA_HND(PA_USER0, 0)
#define LANES_MAX     16u

// One thread's run.
struct lane {
    uint64_t seed; // of the epoch
    volatile uint32_t step;
    volatile uint32_t has_failed;
    struct model_count counts[MODEL_KINDS];
    char message[256];
};

struct shared {
    uint64_t seed;            // of a run
    uint64_t lane_operations; // of each lane
    uint32_t count_lanes;
    volatile uint32_t stop;
    struct lane lanes[LANES_MAX];
    // Of a replay, which uses the first lane:
    uint32_t is_verbose;
    uint32_t count_steps;
    uint32_t steps[MODEL_EPOCH_STEPS];
};

// Runs the epochs of |count| lanes from |first|, a thread each. Returns an exit code.
int worker_run(struct shared *shared, uint32_t first, uint32_t count);

// Runs shared->steps of the epoch of the first lane. Returns an exit code.
int worker_replay(struct shared *shared);

#endif // TESTS_MODEL_USER_SHARED_H_
