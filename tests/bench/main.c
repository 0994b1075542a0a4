/* The bench: prints a row for each figure, tabs between name, value, mean, unit and definition.
 *   bench                    all figures
 *   bench only NAME [RUNS]   one figure; with RUNS, the bare operation that often (for a profile)
 *   bench peer SERVICE       the second process of a figure of IPC
 *   bench none               nothing, for the figures of the boot */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/status.h>

#include "tests/bench/bench.h"

static const char *only;
static long profile_runs = -1;
static uint32_t samples[SAMPLES];

void must(zx_status_t status, const char *what)
{
    if (status == ZX_OK)
        return;
    printf("bench: %s: %s\n", what, zx_status_get_string(status));
    exit(1);
}

bool bench_is_wanted(const char *name)
{
    return only == NULL || strcmp(only, name) == 0;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static uint64_t run_once(const struct operation *operation, void *state)
{
    if (operation->prepare != NULL)
        operation->prepare(state);
    uint64_t begin = instret();
    operation->run(state);
    uint64_t end = instret();
    if (operation->tidy != NULL)
        operation->tidy(state);
    return end - begin;
}

static void do_nothing(void *state)
{
    (void)state;
}

struct result measure(const struct operation *operation, void *state, unsigned count_samples)
{
    static const struct operation nothing = {.run = do_nothing};
    unsigned count = profile_runs < 0 ? count_samples : (unsigned)profile_runs;
    uint64_t sum = 0, own = run_once(&nothing, NULL);

    for (unsigned i = 0; i < WARM_UP; i++)
        run_once(operation, state);
    memset(samples, 0, sizeof(samples)); /* no sample is to meet a page fault of its own */
    for (unsigned i = 0; i < count; i++) {
        uint64_t cost = run_once(operation, state) - own;
        samples[i % SAMPLES] = (uint32_t)cost;
        sum += cost;
    }
    if (profile_runs >= 0)
        return (struct result){0};
    qsort(samples, count, sizeof(samples[0]), compare);
    return (struct result){.median = samples[count / 2], .mean = (sum + count / 2) / count};
}

void report(const char *name, uint64_t value, uint64_t mean, const char *unit,
            const char *definition)
{
    if (profile_runs < 0)
        printf("bench\t%s\t%llu\t%llu\t%s\t%s\n", name, (unsigned long long)value,
               (unsigned long long)mean, unit, definition);
}

void bench(const char *name, const struct operation *operation, void *state, unsigned count_samples,
           unsigned divisor, const char *definition)
{
    if (!bench_is_wanted(name))
        return;
    struct result result = measure(operation, state, count_samples);
    report(name, (result.median + divisor / 2) / divisor, (result.mean + divisor / 2) / divisor,
           "instructions", definition);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "peer") == 0)
        return bench_peer(argv[2]);
    if (argc > 1 && strcmp(argv[1], "none") == 0)
        return 0;
    if (argc > 2 && strcmp(argv[1], "only") == 0)
        only = argv[2];
    if (argc > 3)
        profile_runs = strtol(argv[3], NULL, 10);
    bench_sizes(); /* first: the kernel's caches are still those of an idle system */
    bench_system();
    bench_memory();
    bench_faults();
    bench_ipc();
    bench_tasks();
    printf("bench: done\n");
    return 0;
}
