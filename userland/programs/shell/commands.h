// The shell's commands.
#ifndef USERLAND_PROGRAMS_SHELL_COMMANDS_H_
#define USERLAND_PROGRAMS_SHELL_COMMANDS_H_

#include <stdbool.h>
#include <stdint.h>
#include <zircon/types.h>

// Runs a command, or the program of the ramdisk that has its name; says on the console what went
// wrong. argc is at least 1.
void command_run(const char *const *argv, uint32_t argc);

// tasks.c. Each lists or acts on what the shell's job contains; pid is a process's koid.
void command_ps(const char *const *argv, uint32_t argc);
void command_kill(const char *const *argv, uint32_t argc);

// maps.c
void command_maps(const char *const *argv, uint32_t argc);

// Opens the process with that koid anywhere below the shell's job; the caller owns *process.
// ZX_ERR_NOT_FOUND.
zx_status_t find_process(zx_koid_t koid, zx_handle_t *process);

// The same for a word of the command line, with a message when it fails.
bool open_process_argument(const char *word, zx_handle_t *process);

// Returns an array topic's records in an array of malloc and their number in *count, or NULL after
// a message.
void *get_info_array(zx_handle_t handle, uint32_t topic, size_t record_bytes, size_t *count);

#endif // USERLAND_PROGRAMS_SHELL_COMMANDS_H_
