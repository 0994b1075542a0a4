/* Calls that do next to nothing. */
#include "tests/bench/bench.h"

static void null_syscall(void *state)
{
    (void)state;
    (void)zx_handle_close(ZX_HANDLE_INVALID);
}

static void clock_vdso(void *state)
{
    (void)state;
    (void)zx_clock_get_monotonic();
}

void bench_system(void)
{
    bench("null_syscall", &(struct operation){.run = null_syscall}, NULL, SAMPLES, 1,
          "zx_handle_close of ZX_HANDLE_INVALID");
    bench("clock_vdso", &(struct operation){.run = clock_vdso}, NULL, SAMPLES, 1,
          "zx_clock_get_monotonic");
}
