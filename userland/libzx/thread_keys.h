// Thread-specific values: what thread.c needs of thread_keys.c.
#ifndef USERLAND_LIBZX_THREAD_KEYS_H_
#define USERLAND_LIBZX_THREAD_KEYS_H_

// Runs the destructors of the calling thread's values until none is left, in at most
// THREAD_KEY_ROUNDS_MAX rounds.
void thread_keys_destroy_values(void);

#endif // USERLAND_LIBZX_THREAD_KEYS_H_
