// Threads of user programs: a stack with guard pages, thread-local storage, a name. <threads.h> and
// <pthread.h> are made of these.
#ifndef USERLAND_LIBZX_THREAD_H_
#define USERLAND_LIBZX_THREAD_H_

#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

struct thread;

#define THREAD_STACK_BYTES ((size_t)64 << 10)

struct thread_options {
    const char *name;   // copied
    size_t stack_bytes; // rounded up to pages; 0 for THREAD_STACK_BYTES
};

// Starts fn(arg) in a new thread of this process and returns it in *thread. Pair each with one
// thread_join or thread_detach. options may be NULL. ZX_ERR_NO_MEMORY, or the error of a system
// call.
zx_status_t thread_spawn_pointer(const struct thread_options *options, void *(*fn)(void *arg),
                                 void *arg, struct thread **thread);

// The same for a function with an int result (thread_join gives it, sign-extended).
zx_status_t thread_spawn(const char *name, int (*fn)(void *arg), void *arg, struct thread **thread);

// Whether the calling thread may join (or detach) it: ZX_ERR_BAD_STATE for itself, which it may
// detach; ZX_ERR_INVALID_ARGS for a thread that thread_spawn did not make or that is detached.
zx_status_t thread_check_joinable(struct thread *thread);

// Waits for the thread to end, frees everything it used, and returns what fn returned or what it
// gave to thread_end. Takes thread.
uintptr_t thread_join(struct thread *thread);

// Gives up the right to join; what the thread used is freed some time after its end. Takes thread.
void thread_detach(struct thread *thread);

// The calling thread; the first thread of the process and threads made by zx_thread_create have one
// too, which can be neither joined nor detached.
struct thread *thread_self(void);

// Ends the calling thread with a result, after the destructors of its thread-specific values. From
// the first thread: the process lives on until its last thread ends.
_Noreturn void thread_end(uintptr_t result);

// The thread's handle, borrowed until thread_join or thread_detach.
zx_handle_t thread_handle(const struct thread *thread);

// Thread-specific values, as tss_create and pthread_key_create have them. Keys are below
// THREAD_KEYS. thread_key_create: ZX_ERR_NO_RESOURCES. A key that was deleted may be given out
// again; its values start as NULL in every thread.
#define THREAD_KEYS           64u
#define THREAD_KEY_ROUNDS_MAX 4u // of destructors at a thread's end
zx_status_t thread_key_create(void (*destructor)(void *value), uint32_t *key);
void thread_key_delete(uint32_t key);
void *thread_key_get(uint32_t key);
zx_status_t thread_key_set(uint32_t key, void *value); // ZX_ERR_INVALID_ARGS: no such key

#endif // USERLAND_LIBZX_THREAD_H_
