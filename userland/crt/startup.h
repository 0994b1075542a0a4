// The bootstrap message of a new process and what is kept from it.
#ifndef USERLAND_CRT_STARTUP_H_
#define USERLAND_CRT_STARTUP_H_

#include <stddef.h>
#include <zircon/types.h>

struct startup_strings {
    char *args;    // argc strings, one after the other
    size_t argc;   // 0 without a message
    char *environ; // envc strings
    size_t envc;
};

// Returns the bytes of the first message in a bootstrap channel, waiting for it if there is none
// yet; 0 for ZX_HANDLE_INVALID, or when the channel has no message to give.
size_t startup_message_bytes(zx_handle_t bootstrap);

// Reads that message into buffer (bytes long, as startup_message_bytes said, plus one byte that is
// set to NUL), stores its handles for zx_take_startup_handle and zx_process_self and its like, and
// reports where the strings lie. Takes bootstrap. A malformed message leaves the strings empty and
// its handles closed.
void startup_receive(zx_handle_t bootstrap, void *buffer, size_t bytes,
                     struct startup_strings *strings);

// Writes argc pointers, NULL, envc pointers, NULL into vectors.
void startup_fill_vectors(const struct startup_strings *strings, char **vectors);

// Sets what zx_thread_self returns in the calling thread. Borrows thread.
void startup_set_thread_self(zx_handle_t thread);

// The resource the process was given (PA_RESOURCE), or ZX_HANDLE_INVALID. Borrowed.
zx_handle_t startup_resource(void);

#endif // USERLAND_CRT_STARTUP_H_
