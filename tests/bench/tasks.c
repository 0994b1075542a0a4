/* Threads and processes. */
#include <zircon/process.h>

#include "tests/bench/bench.h"
#include "userland/libzx/program.h"

#define STACK_BYTES 4096u

static void thread_body(void)
{
    zx_thread_exit();
}

static void thread_round(void *state)
{
    static char stack[STACK_BYTES] __attribute__((aligned(16)));
    zx_handle_t thread;

    (void)state;
    must(zx_thread_create(zx_process_self(), "t", 1, 0, &thread), "thread_create");
    must(zx_thread_start(thread, (zx_vaddr_t)thread_body, (zx_vaddr_t)stack + sizeof(stack), 0, 0),
         "thread_start");
    must(zx_object_wait_one(thread, ZX_TASK_TERMINATED, ZX_TIME_INFINITE, NULL), "wait");
    must(zx_handle_close(thread), "close");
}

static void process_round(void *state)
{
    static const char *const argv[] = {"bench_exit"};
    struct program_args args = {.argv = argv, .argc = 1};
    zx_handle_t process;
    int64_t code;

    (void)state;
    must(program_start(&args, &process), "start");
    must(program_wait(process, ZX_TIME_INFINITE, &code), "wait");
    must(zx_handle_close(process), "close");
}

void bench_tasks(void)
{
    bench("thread_create_join", &(struct operation){.run = thread_round}, NULL, SAMPLES, 1,
          "zx_thread_create, zx_thread_start on a stack that is there, zx_thread_exit, "
          "zx_object_wait_one, zx_handle_close");
    bench("process_spawn", &(struct operation){.run = process_round}, NULL, 256, 1,
          "a C program from the ramdisk: created, loaded, started, ended, waited for, closed (256 "
          "rounds)");
}
