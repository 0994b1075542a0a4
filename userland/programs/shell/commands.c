#include "userland/programs/shell/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>
#include <zircon/syscalls/system.h>

#include "userland/crt/startup.h"
#include "userland/libzx/program.h"
#include "userland/programs/shell/line_edit.h"

static void command_help(const char *const *argv, uint32_t argc);

// Runs a program to its end. False: there is no such program.
static bool run_program(const char *const *argv, uint32_t argc)
{
    struct program_args args = {.argv = argv, .argc = argc, .is_trusted = true};
    zx_handle_t process;
    int64_t code = 0;

    zx_status_t status = program_start(&args, &process);
    if (status == ZX_ERR_NOT_FOUND)
        return false;
    if (status == ZX_OK) {
        status = program_wait(process, ZX_TIME_INFINITE, &code);
        zx_handle_close(process);
    }
    if (status != ZX_OK)
        printf("%s: %s\n", argv[0], zx_status_get_string(status));
    else if (code != 0)
        printf("%s: %s\n", argv[0], program_end_string(code));
    return true;
}

static void command_run_program(const char *const *argv, uint32_t argc)
{
    if (argc < 2)
        printf("usage: run PROGRAM [ARGUMENT ...]\n");
    else if (!run_program(argv + 1, argc - 1))
        printf("run: there is no program %s; ls lists them\n", argv[1]);
}

static void command_ls(const char *const *argv, uint32_t argc)
{
    const void *archive;
    size_t archive_bytes, offset = 0;
    struct cpio_entry entry;

    (void)argv;
    (void)argc;
    zx_status_t status = program_bootfs(&archive, &archive_bytes);
    while (status == ZX_OK &&
           (status = cpio_next(archive, archive_bytes, &offset, &entry)) == ZX_OK) {
        if ((entry.mode & CPIO_MODE_TYPE) == CPIO_MODE_FILE)
            printf("%10zu  %s\n", entry.size_bytes, entry.name);
    }
    if (status != ZX_ERR_STOP)
        printf("ls: the ramdisk: %s\n", zx_status_get_string(status));
}

static void print_memory(const char *what, uint64_t bytes)
{
    printf("  %-24s %10llu KiB\n", what, (unsigned long long)bytes / 1024);
}

static void command_free(const char *const *argv, uint32_t argc)
{
    zx_info_kmem_stats_t stats;

    (void)argv;
    (void)argc;
    zx_status_t status = zx_object_get_info(startup_resource(), ZX_INFO_KMEM_STATS, &stats,
                                            sizeof(stats), NULL, NULL);
    if (status != ZX_OK) {
        printf("free: %s\n", zx_status_get_string(status));
        return;
    }
    print_memory("total", stats.total_bytes);
    print_memory("free", stats.free_bytes);
    print_memory("memory objects", stats.vmo_bytes);
    print_memory("page tables", stats.mmu_overhead_bytes);
    print_memory("kernel heap", stats.total_heap_bytes);
    print_memory("of it not in use", stats.free_heap_bytes);
    print_memory("messages", stats.ipc_bytes);
    print_memory("wired (kernel, boot)", stats.wired_bytes);
    print_memory("other", stats.other_bytes);
}

static void power(const char *name, uint32_t command)
{
    zx_status_t status = zx_system_powerctl(startup_resource(), command, NULL);

    printf("%s: %s\n", name, zx_status_get_string(status));
}

static void command_poweroff(const char *const *argv, uint32_t argc)
{
    (void)argc;
    power(argv[0], ZX_SYSTEM_POWERCTL_SHUTDOWN);
}

static void command_reboot(const char *const *argv, uint32_t argc)
{
    (void)argc;
    power(argv[0], ZX_SYSTEM_POWERCTL_REBOOT);
}

static void command_history(const char *const *argv, uint32_t argc)
{
    const char *entry;

    (void)argv;
    (void)argc;
    for (size_t i = 0; (entry = line_edit_history(i)) != NULL; i++)
        printf("%3zu  %s\n", i + 1, entry);
}

static const struct command {
    const char *name;
    void (*run)(const char *const *argv, uint32_t argc);
    const char *usage;
    const char *help;
} commands[] = {
    {"help", command_help, "help", "this list"},
    {"run", command_run_program, "run PROGRAM [ARGUMENT ...]",
     "run a program of the ramdisk (its name alone does, too)"},
    {"ls", command_ls, "ls", "the ramdisk's files with their sizes"},
    {"ps", command_ps, "ps", "jobs, processes, threads"},
    {"maps", command_maps, "maps PID", "a process's address space"},
    {"kill", command_kill, "kill PID", "end a process"},
    {"free", command_free, "free", "the machine's memory"},
    {"history", command_history, "history", "lines typed before (arrow up brings them back)"},
    {"poweroff", command_poweroff, "poweroff", "stop the machine"},
    {"reboot", command_reboot, "reboot", "start it again"},
};

#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void command_help(const char *const *argv, uint32_t argc)
{
    (void)argv;
    (void)argc;
    for (size_t i = 0; i < NUM_COMMANDS; i++)
        printf("  %-28s%s\n", commands[i].usage, commands[i].help);
}

void command_run(const char *const *argv, uint32_t argc)
{
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        if (strcmp(argv[0], commands[i].name) == 0) {
            commands[i].run(argv, argc);
            return;
        }
    }
    if (!run_program(argv, argc))
        printf("%s: no such command or program; help and ls list them\n", argv[0]);
}
