/* The model test against kernel/vm. Each run is a child process, so that a crash or a report of a
 * sanitizer is a failure like others, which is then made as short as it gets. MODEL_STEPS and
 * MODEL_SEED in the environment choose the run; MODEL_ONLY=4,17,... those steps of MODEL_EPOCH. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/host/model_real.h"
#include "tests/model/run.h"

#define SHRINK_ATTEMPTS 1500u

/* What a child process tells. */
struct report {
    volatile uint64_t seed; /* of the epoch */
    volatile uint32_t step;
    struct model_count counts[MODEL_KINDS];
    char message[256];
};

static struct report *report;

/* How a run is done, for all attempts to shorten it. */
struct run {
    uint64_t seed; /* of the epoch */
    bool is_wrong, is_verbose;
};

/* ---- In the child --------------------------------------------------------------------------- */

static bool run_epoch(const struct run *run, const uint32_t *steps, uint32_t count)
{
    static struct model model;
    struct real *real = real_create(run->seed);

    report->seed = run->seed;
    model_init(&model, real, run->seed);
    model.is_wrong = run->is_wrong;
    model.is_verbose = run->is_verbose;
    model_run(&model, steps, count, &report->step);
    model_finish(&model);
    if (!real_destroy(real))
        model_fail(&model, "at the end there is more memory in use than at the beginning");
    for (unsigned i = 0; i < MODEL_KINDS; i++) {
        report->counts[i].done += model.counts[i].done;
        report->counts[i].refused += model.counts[i].refused;
        report->counts[i].idle += model.counts[i].idle;
    }
    memcpy(report->message, model.message, sizeof(report->message));
    return !model.has_failed;
}

/* ---- In the parent -------------------------------------------------------------------------- */

static void silence(void)
{
    int null = open("/dev/null", O_WRONLY);

    if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
        _exit(2);
}

/* True if the child does not end well. */
static bool wait_fails(pid_t child)
{
    int status;

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static bool epoch_fails(const struct run *run, const uint32_t *steps, uint32_t count)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!run->is_verbose)
            silence();
        bool ok = run_epoch(run, steps, count);
        fflush(stdout);
        _exit(ok ? 0 : 1);
    }
    return wait_fails(child);
}

static bool attempt(void *ctx, const uint32_t *steps, uint32_t count)
{
    return epoch_fails(ctx, steps, count);
}

static uint64_t count_operations(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < MODEL_KINDS; i++)
        sum += report->counts[i].done + report->counts[i].refused;
    return sum;
}

/* All epochs of a run, in one child. */
static bool run_fails(uint64_t seed, uint64_t operations, bool is_wrong)
{
    memset(report, 0, sizeof(*report));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        for (uint64_t epoch = 0; count_operations() < operations; epoch++) {
            struct run run = {model_epoch_seed(seed, epoch), is_wrong, false};
            if (!run_epoch(&run, NULL, MODEL_EPOCH_STEPS))
                _exit(1);
        }
        _exit(0);
    }
    return wait_fails(child);
}

/* Shortens the failure that |report| tells of. Returns how many of |steps| are left. */
static uint32_t shrink(struct run *run, uint32_t steps[MODEL_EPOCH_STEPS])
{
    uint32_t count = MODEL_EPOCH_STEPS;

    for (uint32_t i = 0; i < count; i++)
        steps[i] = i;
    /* A leak shows only at the end. */
    if (epoch_fails(run, steps, report->step + 1))
        count = report->step + 1;
    return model_shrink(steps, count, SHRINK_ATTEMPTS, attempt, run);
}

static void tell(struct run *run, const uint32_t *steps, uint32_t count)
{
    printf("fails with %u steps:\n", (unsigned)count);
    run->is_verbose = true;
    (void)epoch_fails(run, steps, count);
    printf("%s\n", report->message[0] != '\0' ? report->message : "(ended without a word)");
    printf("again: MODEL_EPOCH=%#llx MODEL_ONLY=", (unsigned long long)run->seed);
    for (uint32_t i = 0; i < count; i++)
        printf("%u%s", (unsigned)steps[i], i + 1 < count ? "," : "\n");
    fflush(stdout);
}

static uint64_t env_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 0) : otherwise;
}

/* ---- Tests ---------------------------------------------------------------------------------- */

/* |all|: there were enough steps for every kind to have succeeded and to have been refused. */
static void tell_counts(bool all)
{
    for (unsigned i = 0; i < MODEL_KINDS; i++) {
        const struct model_count *count = &report->counts[i];
        printf("#   %-20s %9llu done %9llu refused %9llu idle\n", model_kind_name(i),
               (unsigned long long)count->done, (unsigned long long)count->refused,
               (unsigned long long)count->idle);
        assert_true(!all || count->done > 0);
        assert_true(!all || count->refused > 0 || strncmp(model_kind_name(i), "close", 5) == 0);
    }
}

static void test_against_model(void **state)
{
    static uint32_t steps[MODEL_EPOCH_STEPS];
    uint64_t seed = env_number("MODEL_SEED", 1), count = env_number("MODEL_STEPS", 300000);
    struct timespec begin, end;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    bool fails = run_fails(seed, count, false);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (!fails) {
        printf("# model: %llu operations of seed %llu in %lld s\n",
               (unsigned long long)count_operations(), (unsigned long long)seed,
               (long long)(end.tv_sec - begin.tv_sec));
        tell_counts(count >= 100000);
        return;
    }
    struct run run = {.seed = report->seed};
    printf("seed %llu fails in step %u of the epoch %#llx; making it shorter\n",
           (unsigned long long)seed, (unsigned)report->step, (unsigned long long)report->seed);
    uint32_t left = shrink(&run, steps);
    tell(&run, steps, left);
    fail();
}

/* A model that is wrong about decommit must be found out, and in few steps: a VMO, something
 * written to it, the decommit. */
static void test_shrinker(void **state)
{
    static uint32_t steps[MODEL_EPOCH_STEPS];

    (void)state;
    assert_true(run_fails(1, 100000, true));
    struct run run = {.seed = report->seed, .is_wrong = true};
    uint32_t count = shrink(&run, steps);
    assert_true(count >= 3 && count <= 12);
    assert_true(epoch_fails(&run, steps, count));
    /* The same without the mistake. */
    run.is_wrong = false;
    assert_false(epoch_fails(&run, steps, count));
}

/* The steps that were printed for a failure. */
static int run_only(char *only)
{
    static uint32_t steps[MODEL_EPOCH_STEPS];
    struct run run = {.seed = env_number("MODEL_EPOCH", 0), .is_verbose = true};
    uint32_t count = 0;

    for (char *word = strtok(only, ","); word != NULL && count < MODEL_EPOCH_STEPS;
         word = strtok(NULL, ","))
        steps[count++] = (uint32_t)strtoul(word, NULL, 0);
    bool fails = epoch_fails(&run, steps, count);
    printf("%s\n", !fails                       ? "all agreed"
                   : report->message[0] != '\0' ? report->message
                                                : "(ended without a word)");
    return fails ? 1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_shrinker),
    };
    char *only = getenv("MODEL_ONLY");

    report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED)
        return 2;
    real_boot();
    if (only != NULL && only[0] != '\0')
        return run_only(only);
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
