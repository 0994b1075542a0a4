#include "tests/conformance/stress.h"

#include <stdlib.h>

#include "userland/libzx/thread.h"

uint32_t stress_random(struct stress_worker *worker, uint32_t limit)
{
    uint32_t x = worker->random;

    /* xorshift (Marsaglia) */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    worker->random = x;
    return (uint32_t)((uint64_t)x * limit >> 32);
}

static int worker_body(void *arg)
{
    struct stress_worker *worker = arg;
    const char *seconds = getenv("stress_seconds");
    zx_time_t end = zx_deadline_after(seconds != NULL ? ZX_SEC(atoi(seconds)) : STRESS_DURATION);

    while (zx_clock_get_monotonic() < end && !test_has_failed()) {
        worker->round(worker);
        worker->count_rounds++;
    }
    return 0;
}

void stress_run(void (*round)(struct stress_worker *worker), void *shared)
{
    struct stress_worker workers[STRESS_WORKERS];
    struct thread *threads[STRESS_WORKERS];
    unsigned count = 0;

    for (; count < STRESS_WORKERS; count++) {
        workers[count] = (struct stress_worker){
            .round = round, .shared = shared, .index = count, .random = 0x9e3779b9u * (count + 1)};
        if (!EXPECT_OK(thread_spawn("stress", worker_body, &workers[count], &threads[count])))
            break;
    }
    for (unsigned i = 0; i < count; i++) {
        thread_join(threads[i]);
        EXPECT(workers[i].count_rounds > 0);
    }
}
