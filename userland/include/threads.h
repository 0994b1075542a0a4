// C11 threads (ISO C, 7.26). picolibc's own header of this name needs a port's
// <machine/_threads.h>; this one stands in for it.
#ifndef BERYL_THREADS_H_
#define BERYL_THREADS_H_

#include <time.h>
#include <zircon/compiler.h>
#include <zircon/types.h>

__BEGIN_CDECLS

#ifndef __cplusplus
#define thread_local _Thread_local
#endif

struct thread;
typedef struct thread *thrd_t;
typedef int (*thrd_start_t)(void *);
typedef uint32_t tss_t;
typedef void (*tss_dtor_t)(void *);

typedef struct {
    zx_futex_t state;
    uint32_t type;      // mtx_plain ...
    uintptr_t owner;    // of a recursive one
    uint32_t recursion; // further locks by the owner
} mtx_t;

typedef struct {
    zx_futex_t state;
} cnd_t;

typedef struct {
    zx_futex_t state;
} once_flag;

#define ONCE_FLAG_INIT                                                                             \
    {                                                                                              \
        0                                                                                          \
    }
#define TSS_DTOR_ITERATIONS 4

// Zircon programs initialise static mutexes and conditions like this.
#define MTX_INIT                                                                                   \
    {                                                                                              \
        0, 0, 0, 0                                                                                 \
    }
#define CND_INIT                                                                                   \
    {                                                                                              \
        0                                                                                          \
    }

enum { mtx_plain = 0, mtx_recursive = 1, mtx_timed = 2 };
enum { thrd_success = 0, thrd_busy = 1, thrd_error = 2, thrd_nomem = 3, thrd_timedout = 4 };

int thrd_create(thrd_t *thread, thrd_start_t fn, void *arg);
int thrd_create_with_name(thrd_t *thread, thrd_start_t fn, void *arg, const char *name);
thrd_t thrd_current(void);
int thrd_detach(thrd_t thread);
int thrd_equal(thrd_t a, thrd_t b);
__NO_RETURN void thrd_exit(int result);
int thrd_join(thrd_t thread, int *result);
int thrd_sleep(const struct timespec *duration, struct timespec *remaining);
void thrd_yield(void);

// Deadlines are absolute, on the clock of timespec_get (docs/userland.md).
int mtx_init(mtx_t *mutex, int type);
void mtx_destroy(mtx_t *mutex);
int mtx_lock(mtx_t *mutex);
int mtx_timedlock(mtx_t *__restrict mutex, const struct timespec *__restrict deadline);
int mtx_trylock(mtx_t *mutex);
int mtx_unlock(mtx_t *mutex);

int cnd_init(cnd_t *condition);
void cnd_destroy(cnd_t *condition);
int cnd_signal(cnd_t *condition);
int cnd_broadcast(cnd_t *condition);
int cnd_wait(cnd_t *condition, mtx_t *mutex);
int cnd_timedwait(cnd_t *__restrict condition, mtx_t *__restrict mutex,
                  const struct timespec *__restrict deadline);

void call_once(once_flag *flag, void (*fn)(void));

int tss_create(tss_t *key, tss_dtor_t destructor);
void tss_delete(tss_t key);
void *tss_get(tss_t key);
int tss_set(tss_t key, void *value);

__END_CDECLS

#endif // BERYL_THREADS_H_
