// The first process. It starts everything else: the demo, a program that the command line names, or
// the shell.
//   run=demo|test|bench|shell|PROGRAM args   what to run; without it the demo, then the shell
//   poweroff                                 power off afterwards; else the shell comes
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/system.h>

#include "userland/crt/startup.h"
#include "userland/libzx/program.h"
#include "userland/programs/init/demo.h"

#define MAX_WORDS 16

// Splits |line| in place at blanks. Returns the number of words.
static uint32_t split_words(char *line, const char **words)
{
    uint32_t count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(line, " ", &rest); word != NULL && count < MAX_WORDS;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    return count;
}

// Runs a program of the ramdisk to its end. True: it ended with exit code 0.
static bool run_program(const char *const *argv, uint32_t argc)
{
    struct program_args args = {.argv = argv, .argc = argc, .is_trusted = true};
    zx_handle_t process;
    int64_t code = -1;

    zx_status_t status = program_start(&args, &process);
    if (status != ZX_OK) {
        printf("init: cannot start %s: %s\n", argv[0], zx_status_get_string(status));
        return false;
    }
    status = program_wait(process, ZX_TIME_INFINITE, &code);
    zx_handle_close(process);
    if (status != ZX_OK || code != 0)
        printf("init: %s: %s\n", argv[0],
               status != ZX_OK ? zx_status_get_string(status) : program_end_string(code));
    return status == ZX_OK && code == 0;
}

// What run= asks for. True: it succeeded.
static bool run_wish(const char *wish)
{
    const char *words[MAX_WORDS];
    char line[256];

    if (strcmp(wish, "demo") == 0)
        return demo_run();
    snprintf(line, sizeof(line), "%s", strcmp(wish, "test") == 0 ? "conformance" : wish);
    uint32_t count = split_words(line, words);
    if (count == 0) {
        printf("init: run= names nothing\n");
        return false;
    }
    return run_program(words, count);
}

static void power_off(bool ok)
{
    zx_system_powerctl_arg_t arg = {0};

    arg.shutdown.status = ok ? 0 : 1;
    fflush(stdout);
    zx_status_t status = zx_system_powerctl(startup_resource(), ZX_SYSTEM_POWERCTL_SHUTDOWN, &arg);
    printf("init: cannot power off: %s\n", zx_status_get_string(status));
}

int main(void)
{
    static const char *const shell[] = {"shell"};
    const char *wish = getenv("run");
    bool ok = run_wish(wish != NULL ? wish : "demo");

    if (getenv("poweroff") != NULL)
        power_off(ok);
    for (;;)
        run_program(shell, 1);
}
