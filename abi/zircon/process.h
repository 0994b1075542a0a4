// Handles that a process was given at its start. User-space state, no system calls.
#ifndef ZIRCON_PROCESS_H_
#define ZIRCON_PROCESS_H_

#include <stdint.h>
#include <zircon/compiler.h>
#include <zircon/types.h>

__BEGIN_CDECLS

// Removes a handle from the start-up list and returns it; the caller owns it then. hnd_info is
// PA_HND(type, arg). ZX_HANDLE_INVALID when no such handle came or it was taken before.
// Thread-safe.
zx_handle_t zx_take_startup_handle(uint32_t hnd_info);

// Borrowed handles, valid for the life of the process; ZX_HANDLE_INVALID when the process was
// started without them. zx_thread_self is the calling thread's.
zx_handle_t zx_thread_self(void);
zx_handle_t zx_process_self(void);
zx_handle_t zx_vmar_root_self(void);
zx_handle_t zx_job_default(void);

__END_CDECLS

#endif // ZIRCON_PROCESS_H_
