// The model test through the system calls: random operations on VMOs and regions by several
// threads, each in a region of its own, each step compared with a model.
//   model [operations] [seed] [lanes]      100000, 1, 4
//   model only EPOCH STEP,STEP,...         the steps that were printed for a failure
// The steps run in processes of their own: one that the kernel ends has failed like any other, and
// its steps are made fewer as long as they still fail.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "tests/model/user/shared.h"
#include "userland/libzx/program.h"

#define SHRINK_ATTEMPTS 600u
#define SHARES          10u // of the operations one is done by threads of one process

static zx_handle_t shared_vmo;
static struct shared *shared;

static zx_status_t map_shared(void)
{
    uint64_t bytes = model_round_up(sizeof(struct shared));
    zx_vaddr_t addr;
    zx_status_t status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0,
                                     shared_vmo, 0, bytes, &addr);

    if (status == ZX_OK)
        shared = (struct shared *)addr;
    return status;
}

// Starts `model |what| first count`.
static zx_handle_t start_process(const char *what, unsigned first, unsigned count)
{
    char first_text[12], count_text[12];
    const char *argv[] = {"model", what, first_text, count_text};
    struct launch_handle handle = {.info = SHARED_HANDLE};
    struct program_args args = {.argv = argv, .argc = 4, .handles = &handle, .num_handles = 1};
    zx_handle_t process;
    zx_status_t status = zx_handle_duplicate(shared_vmo, ZX_RIGHT_SAME_RIGHTS, &handle.handle);

    snprintf(first_text, sizeof(first_text), "%u", first);
    snprintf(count_text, sizeof(count_text), "%u", count);
    if (status == ZX_OK)
        status = program_start(&args, &process);
    if (status != ZX_OK) {
        printf("model: cannot start a process: %s\n", zx_status_get_string(status));
        exit(1);
    }
    return process;
}

// Waits for its end. True: it did not end well.
static bool process_fails(zx_handle_t process)
{
    int64_t code = -1;
    zx_status_t status = program_wait(process, ZX_TIME_INFINITE, &code);

    zx_handle_close(process);
    return status != ZX_OK || code != 0;
}

// True if the steps fail, alone.
static bool attempt(void *ctx, const uint32_t *steps, uint32_t count)
{
    uint64_t seed = *(const uint64_t *)ctx;

    memset(&shared->lanes[0], 0, sizeof(shared->lanes[0]));
    shared->lanes[0].seed = seed;
    shared->count_steps = count;
    memcpy(shared->steps, steps, count * sizeof(*steps));
    return process_fails(start_process("replay", 0, 1));
}

// Replays them with a word on each. Returns an exit code.
static int tell(uint64_t seed, const uint32_t *steps, uint32_t count)
{
    shared->is_verbose = 1;
    bool fails = attempt(&seed, steps, count);
    const char *message = shared->lanes[0].message;
    printf("%s\n", !fails               ? "all agreed"
                   : message[0] != '\0' ? message
                                        : "(the process was ended)");
    return fails ? 1 : 0;
}

static void shrink(uint64_t seed)
{
    static uint32_t steps[MODEL_EPOCH_STEPS];
    uint32_t count = MODEL_EPOCH_STEPS;

    for (uint32_t i = 0; i < count; i++)
        steps[i] = i;
    if (!attempt(&seed, steps, count)) {
        printf("epoch %#llx alone, with one thread, does not fail\n", (unsigned long long)seed);
        return;
    }
    count = model_shrink(steps, count, SHRINK_ATTEMPTS, attempt, &seed);
    printf("epoch %#llx fails with %u steps:\n", (unsigned long long)seed, (unsigned)count);
    tell(seed, steps, count);
    printf("again: model only %#llx ", (unsigned long long)seed);
    for (uint32_t i = 0; i < count; i++)
        printf("%u%s", (unsigned)steps[i], i + 1 < count ? "," : "\n");
}

// A lane that found a difference; without one the process was ended, and each may be why.
static void tell_failures(void)
{
    static struct lane lanes[LANES_MAX];
    bool found = false;

    memcpy(lanes, shared->lanes, sizeof(lanes));
    for (uint32_t i = 0; i < shared->count_lanes; i++)
        found |= lanes[i].has_failed != 0;
    for (uint32_t i = 0; i < shared->count_lanes; i++) {
        if (lanes[i].seed == 0 || (found && lanes[i].has_failed == 0))
            continue;
        printf("lane %u, epoch %#llx, step %u: %s\n", (unsigned)i,
               (unsigned long long)lanes[i].seed, (unsigned)lanes[i].step,
               lanes[i].has_failed ? lanes[i].message : "the process was ended");
        shrink(lanes[i].seed);
    }
}

static void tell_counts(zx_duration_t took)
{
    uint64_t operations = 0;

    for (unsigned kind = 0; kind < MODEL_KINDS; kind++) {
        struct model_count sum = {0};
        for (uint32_t i = 0; i < shared->count_lanes; i++) {
            sum.done += shared->lanes[i].counts[kind].done;
            sum.refused += shared->lanes[i].counts[kind].refused;
        }
        operations += sum.done + sum.refused;
        printf("  %-20s %8llu done %8llu refused\n", model_kind_name(kind),
               (unsigned long long)sum.done, (unsigned long long)sum.refused);
    }
    printf("model: PASS, %llu operations of seed %llu in %u lanes in %lld ms\n",
           (unsigned long long)operations, (unsigned long long)shared->seed,
           (unsigned)shared->count_lanes, (long long)(took / ZX_MSEC(1)));
}

// Lanes 0 .. count in a process each, then as many more as threads of one process: those share an
// address space, its lock, and its translations on all harts.
static int run(uint64_t operations, uint64_t seed, uint32_t count)
{
    zx_handle_t processes[LANES_MAX / 2];
    zx_time_t begin = zx_clock_get_monotonic();
    bool fails = false;

    shared->seed = seed;
    shared->count_lanes = 2 * count;
    shared->lane_operations = (operations * (SHARES - 1) / SHARES + count - 1) / count;
    for (uint32_t i = 0; i < count; i++)
        processes[i] = start_process("worker", i, 1);
    for (uint32_t i = 0; i < count; i++)
        fails |= process_fails(processes[i]);
    shared->lane_operations = (operations / SHARES + count - 1) / count;
    if (!fails && !process_fails(start_process("worker", count, count))) {
        tell_counts(zx_clock_get_monotonic() - begin);
        return 0;
    }
    printf("model: FAIL, seed %llu\n", (unsigned long long)seed);
    tell_failures();
    return 1;
}

static int run_only(uint64_t seed, char *list)
{
    static uint32_t steps[MODEL_EPOCH_STEPS];
    uint32_t count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(list, ",", &rest); word != NULL && count < MODEL_EPOCH_STEPS;
         word = strtok_r(NULL, ",", &rest))
        steps[count++] = (uint32_t)strtoul(word, NULL, 0);
    return tell(seed, steps, count);
}

static uint64_t number(int argc, char **argv, int index, uint64_t otherwise)
{
    return argc > index ? strtoull(argv[index], NULL, 0) : otherwise;
}

static int run_as_worker(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "replay") == 0)
        return worker_replay(shared);
    return worker_run(shared, (uint32_t)number(argc, argv, 2, 0),
                      (uint32_t)number(argc, argv, 3, 0));
}

int main(int argc, char **argv)
{
    zx_status_t status = ZX_OK;

    shared_vmo = zx_take_startup_handle(SHARED_HANDLE);
    bool is_worker = shared_vmo != ZX_HANDLE_INVALID;
    if (!is_worker)
        status = zx_vmo_create(model_round_up(sizeof(struct shared)), 0, &shared_vmo);
    if (status == ZX_OK)
        status = map_shared();
    if (status != ZX_OK) {
        printf("model: no memory to share: %s\n", zx_status_get_string(status));
        return 1;
    }
    if (is_worker)
        return run_as_worker(argc, argv);
    if (argc == 4 && strcmp(argv[1], "only") == 0)
        return run_only(strtoull(argv[2], NULL, 0), argv[3]);
    uint64_t lanes = number(argc, argv, 3, 4);
    if (argc > 4 || lanes == 0 || lanes > LANES_MAX / 2) {
        printf("usage: model [operations] [seed] [lanes, up to %u]\n", LANES_MAX / 2);
        return 1;
    }
    return run(number(argc, argv, 1, 100000), number(argc, argv, 2, 1), (uint32_t)lanes);
}
