#include "tests/conformance/tap.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/syscalls/object.h>

#include "userland/crt/startup.h"

#define MAX_FAILURES 8
#define MAX_TESTS    1024

/* The section's bounds, from the linker. */
extern const struct test_case __start_test_cases[], __stop_test_cases[];

static struct {
    jmp_buf end;
    const char *skip_reason;
    int count_failures; /* atomic: tests may fail on threads of their own */
    char failures[MAX_FAILURES][200];
} current;

void test_fail(const char *file, int line, const char *fmt, ...)
{
    int slot = __atomic_fetch_add(&current.count_failures, 1, __ATOMIC_RELAXED);
    va_list args;

    if (slot >= MAX_FAILURES)
        return;
    const char *base = strrchr(file, '/');
    int used = snprintf(current.failures[slot], sizeof(current.failures[slot]),
                        "%s:%d: ", base != NULL ? base + 1 : file, line);
    va_start(args, fmt);
    vsnprintf(current.failures[slot] + used, sizeof(current.failures[slot]) - (size_t)used, fmt,
              args);
    va_end(args);
}

bool test_has_failed(void)
{
    return __atomic_load_n(&current.count_failures, __ATOMIC_RELAXED) != 0;
}

void test_abort(void)
{
    longjmp(current.end, 1);
}

void test_skip(const char *reason)
{
    current.skip_reason = reason;
    longjmp(current.end, 1);
}

bool test_check_status(const char *file, int line, const char *what, zx_status_t got,
                       zx_status_t want)
{
    if (got == want)
        return true;
    test_fail(file, line, "%s: got %s, want %s", what, zx_status_get_string(got),
              zx_status_get_string(want));
    return false;
}

bool test_check_equal(const char *file, int line, const char *what, uint64_t got, uint64_t want)
{
    if (got == want)
        return true;
    test_fail(file, line, "%s: got %#llx, want %#llx", what, (unsigned long long)got,
              (unsigned long long)want);
    return false;
}

/* ---- Leaks ---- */

struct counts {
    uint32_t handles;
    uint64_t free_bytes;
    /* In use: */
    uint64_t heap_bytes, vmo_bytes, table_bytes, stack_bytes;
};

static struct counts take_counts(void)
{
    struct counts counts = {0};
    zx_info_kmem_stats_t memory;

    zx_info_process_handle_stats_t stats;
    if (zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_HANDLE_STATS, &stats, sizeof(stats),
                           NULL, NULL) == ZX_OK) {
        for (size_t i = 0; i < sizeof(stats.handle_count) / sizeof(stats.handle_count[0]); i++)
            counts.handles += stats.handle_count[i];
    }
    if (zx_object_get_info(startup_resource(), ZX_INFO_KMEM_STATS, &memory, sizeof(memory), NULL,
                           NULL) == ZX_OK) {
        counts.free_bytes = memory.free_bytes;
        counts.heap_bytes = memory.total_heap_bytes - memory.free_heap_bytes;
        counts.vmo_bytes = memory.vmo_bytes;
        counts.table_bytes = memory.mmu_overhead_bytes;
        counts.stack_bytes = memory.other_bytes;
    }
    return counts;
}

static bool is_no_more(const struct counts *after, const struct counts *before)
{
    return after->free_bytes >= before->free_bytes && after->heap_bytes <= before->heap_bytes &&
           after->vmo_bytes <= before->vmo_bytes && after->table_bytes <= before->table_bytes &&
           after->stack_bytes <= before->stack_bytes;
}

/* A command to a debug kernel; a release build has none. */
static zx_status_t command(const char *text)
{
    return zx_debug_send_command(startup_resource(), text, strlen(text));
}

/* What ended tasks held is freed a little after they are seen to have ended. */
static struct counts settled_counts(const struct counts *before)
{
    zx_time_t deadline = zx_deadline_after(ZX_MSEC(500));
    struct counts after = take_counts();

    while (!is_no_more(&after, before) && zx_clock_get_monotonic() < deadline) {
        zx_nanosleep(zx_deadline_after(ZX_MSEC(5)));
        after = take_counts();
    }
    return after;
}

/* False: more of some kind of memory is in use than before, to the byte in the heap. */
static bool check_leaks(const struct counts *before)
{
    struct counts after = settled_counts(before);

    if (after.handles != before->handles)
        test_fail("leak", 0, "handles: %u before, %u after", before->handles, after.handles);
    return is_no_more(&after, before);
}

/* The first use of something may leave memory behind for the next one: a page of this program's
 * data, a cache of the kernel's. A leak takes more each time. */
#define LEAK_RUNS 4

/* ---- Running ---- */

static void report(size_t number, const struct test_case *test)
{
    int failures = __atomic_load_n(&current.count_failures, __ATOMIC_RELAXED);

    printf("%s %zu - %s", failures == 0 ? "ok" : "not ok", number, test->name);
    if (failures == 0 && current.skip_reason != NULL)
        printf(" # SKIP %s", current.skip_reason);
    printf("\n");
    if (failures == 0)
        return;
    printf("  ---\n  failures: %d\n  messages:\n", failures);
    for (int i = 0; i < failures && i < MAX_FAILURES; i++)
        printf("    - '%s'\n", current.failures[i]);
    printf("  ...\n");
}

/* True: the test left as many free pages as there were. */
static bool run_once(const struct test_case *test, struct counts *before)
{
    (void)command("mark");
    *before = take_counts();
    if (setjmp(current.end) == 0)
        test->run();
    return current.count_failures > 0 || check_leaks(before);
}

static bool run_one(size_t number, const struct test_case *test)
{
    struct counts before, after;
    int runs = 1;

    printf("# start %s\n", test->name);
    current.count_failures = 0;
    current.skip_reason = NULL;
    while (!run_once(test, &before) && current.count_failures == 0) {
        if (runs++ == LEAK_RUNS) {
            after = take_counts();
            test_fail("leak", 0, "free pages: %llu before, %llu after, and fewer after each run",
                      (unsigned long long)before.free_bytes / ZX_PAGE_SIZE,
                      (unsigned long long)after.free_bytes / ZX_PAGE_SIZE);
            test_fail("leak", 0, "heap %lld bytes, VMOs %lld, tables %lld, stacks %lld pages more",
                      (long long)(after.heap_bytes - before.heap_bytes),
                      (long long)(after.vmo_bytes - before.vmo_bytes) / (long long)ZX_PAGE_SIZE,
                      (long long)(after.table_bytes - before.table_bytes) / (long long)ZX_PAGE_SIZE,
                      (long long)(after.stack_bytes - before.stack_bytes) /
                          (long long)ZX_PAGE_SIZE);
            (void)command("compare"); /* the kernel's log has the kinds of objects */
        }
    }
    (void)command("check");
    report(number, test);
    return current.count_failures == 0;
}

/* Arguments: none for all tests, else names or the beginnings of names. */
static bool is_selected(const struct test_case *test, int argc, char **argv)
{
    if (argc < 2)
        return true;
    for (int i = 1; i < argc; i++) {
        if (strncmp(test->name, argv[i], strlen(argv[i])) == 0)
            return true;
    }
    return false;
}

/* The compiler may put the tests of a file in any order; they run in the order of the source. */
static int compare_tests(const void *a, const void *b)
{
    const struct test_case *x = *(const struct test_case *const *)a;
    const struct test_case *y = *(const struct test_case *const *)b;
    int order = strcmp(x->file, y->file);

    return order != 0 ? order : x->line - y->line;
}

int main(int argc, char **argv)
{
    static const struct test_case *tests[MAX_TESTS];
    size_t count = 0, failed = 0;

    for (const struct test_case *test = __start_test_cases; test < __stop_test_cases; test++) {
        if (is_selected(test, argc, argv) && count < MAX_TESTS)
            tests[count++] = test;
    }
    if (__stop_test_cases - __start_test_cases > MAX_TESTS) {
        printf("Bail out! MAX_TESTS is too small\n");
        return 1;
    }
    qsort(tests, count, sizeof(const struct test_case *), compare_tests);
    if (getenv("inject") != NULL) {
        zx_status_t status = command("inject each");
        if (status != ZX_OK) {
            printf("Bail out! inject: %s\n", zx_status_get_string(status));
            return 1;
        }
    }
    printf("TAP version 14\n1..%zu\n", count);
    for (size_t i = 0; i < count; i++)
        failed += run_one(i + 1, tests[i]) ? 0 : 1;
    printf("# %zu tests, %zu failed\n", count, failed);
    return failed == 0 ? 0 : 1;
}
