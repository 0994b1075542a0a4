// Programs of the ramdisk: finding one by name, starting it, waiting for its end.
#ifndef USERLAND_LIBZX_PROGRAM_H_
#define USERLAND_LIBZX_PROGRAM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

#include "formats/cpio.h"
#include "userland/libzx/launch.h"

// System handles that this process was started with, borrowed; ZX_HANDLE_INVALID if it was not.
// The first call takes them from the start-up list.
zx_handle_t program_vdso_vmo(void);
zx_handle_t program_bootfs_vmo(void);

// The ramdisk as this process sees it, mapped at the first call and kept. ZX_ERR_NOT_FOUND when the
// process has no ramdisk, or the error of mapping it.
zx_status_t program_bootfs(const void **archive, size_t *archive_bytes);

struct program_args {
    const char *const *argv; // argv[0] is the program's name: "bin/" may be left out
    uint32_t argc;
    zx_handle_t job; // borrowed; ZX_HANDLE_INVALID for zx_job_default()
    bool is_trusted; // gets the system's resource (console input, statistics, power) and ramdisk
    const struct launch_handle *handles; // taken, also on failure
    uint32_t num_handles;
};

// Starts a program, which inherits the caller's environment: init's is the kernel's command line,
// each word as NAME=VALUE. *process gets its handle, the caller's. ZX_ERR_NOT_FOUND: no such
// program; ZX_ERR_OUT_OF_RANGE: too many handles; else as launch_process.
zx_status_t program_start(const struct program_args *args, zx_handle_t *process);

// Waits until the process (borrowed) has ended and gets its return code. ZX_ERR_TIMED_OUT.
zx_status_t program_wait(zx_handle_t process, zx_time_t deadline, int64_t *return_code);

// "exit code N", or for a process the kernel ended, why: "killed by an unhandled exception".
// Returns a pointer to a buffer of the calling thread.
const char *program_end_string(int64_t return_code);

#endif // USERLAND_LIBZX_PROGRAM_H_
