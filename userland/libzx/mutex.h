// The mutexes behind <threads.h> and <pthread.h>: normal, recursive and error-checking ones.
#ifndef USERLAND_LIBZX_MUTEX_H_
#define USERLAND_LIBZX_MUTEX_H_

#include <threads.h>
#include <zircon/types.h>

enum mutex_type { MUTEX_NORMAL = 0, MUTEX_RECURSIVE = 1, MUTEX_ERRORCHECK = 2 };

// ZX_OK; ZX_ERR_TIMED_OUT; ZX_ERR_BAD_STATE: the caller holds an error-checking one already;
// ZX_ERR_OUT_OF_RANGE: locked too often.
zx_status_t mutex_lock(mtx_t *mutex, zx_time_t deadline);
// The same without waiting: ZX_ERR_SHOULD_WAIT when it is held.
zx_status_t mutex_try_lock(mtx_t *mutex);
// ZX_ERR_ACCESS_DENIED: the caller does not hold a recursive or error-checking one.
zx_status_t mutex_unlock(mtx_t *mutex);

// Releases the mutex (held, however often), sleeps until a signal or, perhaps, for no reason, takes
// it again as often. ZX_ERR_TIMED_OUT; ZX_ERR_ACCESS_DENIED: as mutex_unlock.
zx_status_t mutex_wait(cnd_t *condition, mtx_t *mutex, zx_time_t deadline);

#endif // USERLAND_LIBZX_MUTEX_H_
