// The process that runs steps.
#include <stdio.h>
#include <string.h>
#include <zircon/status.h>

#include "tests/model/user/real_syscalls.h"
#include "tests/model/user/shared.h"
#include "userland/libzx/thread.h"

struct worker {
    struct shared *shared;
    uint32_t index;
    struct model model;
};

// One epoch from an empty arena. NULL for |steps|: all of 0 .. |count|.
static void run_epoch(struct worker *worker, uint64_t seed, const uint32_t *steps, uint32_t count)
{
    struct lane *lane = &worker->shared->lanes[worker->index];
    struct model *model = &worker->model;
    struct real *real = real_create();

    lane->seed = seed;
    if (real == NULL) {
        snprintf(lane->message, sizeof(lane->message), "there is no arena");
        lane->has_failed = 1;
        return;
    }
    model_init(model, real, seed);
    model->is_verbose = worker->shared->is_verbose != 0;
    model_run(model, steps, count, &lane->step);
    model_finish(model);
    real_destroy(real);
    for (unsigned i = 0; i < MODEL_KINDS; i++) {
        lane->counts[i].done += model->counts[i].done;
        lane->counts[i].refused += model->counts[i].refused;
        lane->counts[i].idle += model->counts[i].idle;
    }
    memcpy(lane->message, model->message, sizeof(lane->message));
    if (model->has_failed)
        lane->has_failed = 1;
}

static uint64_t count_operations(const struct lane *lane)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < MODEL_KINDS; i++)
        sum += lane->counts[i].done + lane->counts[i].refused;
    return sum;
}

static int lane_body(void *arg)
{
    struct worker *worker = arg;
    struct shared *shared = worker->shared;
    struct lane *lane = &shared->lanes[worker->index];

    for (uint64_t epoch = worker->index;
         count_operations(lane) < shared->lane_operations && !shared->stop;
         epoch += shared->count_lanes) {
        run_epoch(worker, model_epoch_seed(shared->seed, epoch), NULL, MODEL_EPOCH_STEPS);
        if (lane->has_failed)
            shared->stop = 1;
    }
    return 0;
}

int worker_run(struct shared *shared, uint32_t first, uint32_t count)
{
    static struct worker workers[LANES_MAX];
    struct thread *threads[LANES_MAX];
    uint32_t running = 0;

    for (; running < count; running++) {
        struct worker *worker = &workers[running];
        worker->shared = shared;
        worker->index = first + running;
        zx_status_t status = thread_spawn("model", lane_body, worker, &threads[running]);
        if (status != ZX_OK) {
            printf("model: no thread: %s\n", zx_status_get_string(status));
            shared->stop = 1;
            break;
        }
    }
    for (uint32_t i = 0; i < running; i++)
        thread_join(threads[i]);
    return shared->stop != 0 ? 1 : 0;
}

int worker_replay(struct shared *shared)
{
    static struct worker worker;

    worker.shared = shared;
    run_epoch(&worker, shared->lanes[0].seed, shared->steps, shared->count_steps);
    return shared->lanes[0].has_failed != 0 ? 1 : 0;
}
