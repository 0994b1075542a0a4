// Starting processes: an ELF file in memory becomes a running process with its bootstrap message.
#ifndef USERLAND_LIBZX_LAUNCH_H_
#define USERLAND_LIBZX_LAUNCH_H_

#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

// Handles a launch can pass on beyond those that every process gets.
#define LAUNCH_MAX_HANDLES 32

struct launch_handle {
    uint32_t info;      // PA_HND(PA_USER0, n), PA_HND(PA_RESOURCE, 0) ...
    zx_handle_t handle; // taken
};

struct elf_image;

struct launch_args {
    const char *name; // of the process
    const void *elf;  // the file, borrowed for the call
    size_t elf_bytes; // its size
    // The VMO that the file lies in, borrowed, with READ, EXECUTE and MAP, and where it does: pages
    // that are not written are mapped from there then. ZX_HANDLE_INVALID: they are copied from
    // |elf|.
    zx_handle_t elf_vmo;
    uint64_t elf_vmo_offset;
    // The parsed head of the vDSO, borrowed; NULL: it is read from the VMO.
    const struct elf_image *vdso_image;
    zx_handle_t job;      // borrowed; ZX_HANDLE_INVALID for zx_job_default()
    zx_handle_t vdso_vmo; // borrowed
    size_t stack_bytes;   // of the first thread, page-aligned; 0 for LAUNCH_STACK_BYTES
    const char *const *argv;
    uint32_t argc;
    const char *const *envp;
    uint32_t envc;
    const struct launch_handle *handles;
    uint32_t num_handles;
};

#define LAUNCH_STACK_BYTES ((size_t)256 << 10)

// Creates a process, maps the file and the vDSO into it, gives it a stack with a guard page on
// each side, and starts it with a bootstrap message that carries its own process, thread and root
// region, a duplicate of the job and of the vDSO, the loaded region, and args->handles.
// *process gets the process's handle, which the caller owns. args->handles are consumed whether
// the call succeeds or fails; nothing else is left behind on failure.
// ZX_ERR_IO_DATA_INTEGRITY for a file that is no sound ELF, ZX_ERR_NOT_SUPPORTED for a sound one of
// another kind (not position-independent, another machine, no entry), ZX_ERR_OUT_OF_RANGE for too
// many handles, ZX_ERR_BUFFER_TOO_SMALL for too long strings, or the error of a system call.
zx_status_t launch_process(const struct launch_args *args, zx_handle_t *process);

// The same for a file that fills a VMO (borrowed; needs READ and MAP) from its start: elf and
// elf_bytes of args are ignored, the VMO's stream size counts.
zx_status_t launch_process_vmo(const struct launch_args *args, zx_handle_t elf_vmo,
                               zx_handle_t *process);

// Reads and parses the head of a vDSO for launch_args.vdso_image. Errors as above.
zx_status_t launch_parse_vdso(zx_handle_t vdso_vmo, struct elf_image *image);

#endif // USERLAND_LIBZX_LAUNCH_H_
