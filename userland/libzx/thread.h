// Threads of user programs: a stack with guard pages, thread-local storage, a name.
#ifndef USERLAND_LIBZX_THREAD_H_
#define USERLAND_LIBZX_THREAD_H_

#include <zircon/types.h>

struct thread;

// Starts fn(arg) in a new thread of this process and returns it in *thread. The name is copied.
// Pair each with one thread_join. ZX_ERR_NO_MEMORY, or the error of a system call.
zx_status_t thread_spawn(const char *name, int (*fn)(void *arg), void *arg, struct thread **thread);

// Waits for the thread to end, frees everything it used, and returns what fn returned. Takes
// thread.
int thread_join(struct thread *thread);

// The thread's handle, borrowed until thread_join.
zx_handle_t thread_handle(const struct thread *thread);

#endif // USERLAND_LIBZX_THREAD_H_
