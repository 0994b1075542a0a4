/* <threads.h> and <pthread.h>: what ordinary test programs use. */
#include <errno.h>
#include <pthread.h>
#include <threads.h>
#include <zircon/threads.h>

#include "tests/conformance/tap.h"

#define ADDERS 4
#define ROUNDS 2000

static mtx_t mutex;
static cnd_t condition;
static int counter;

static int add_under_mutex(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        mtx_lock(&mutex);
        counter += 1;
        mtx_unlock(&mutex);
    }
    return *(int *)arg;
}

TEST(threads, mutex_excludes_and_join_gives_results)
{
    thrd_t threads[ADDERS];
    int args[ADDERS];

    ASSERT_EQ(mtx_init(&mutex, mtx_plain), thrd_success);
    counter = 0;
    for (int i = 0; i < ADDERS; i++) {
        args[i] = -i;
        ASSERT_EQ(thrd_create(&threads[i], add_under_mutex, &args[i]), thrd_success);
    }
    for (int i = 0; i < ADDERS; i++) {
        int result = 99;
        EXPECT_EQ(thrd_join(threads[i], &result), thrd_success);
        EXPECT_EQ(result, -i);
    }
    EXPECT_EQ(counter, ADDERS * ROUNDS);
    mtx_destroy(&mutex);
}

TEST(threads, recursive_mutex_counts)
{
    mtx_t recursive;

    ASSERT_EQ(mtx_init(&recursive, mtx_recursive), thrd_success);
    EXPECT_EQ(mtx_lock(&recursive), thrd_success);
    EXPECT_EQ(mtx_trylock(&recursive), thrd_success);
    EXPECT_EQ(mtx_unlock(&recursive), thrd_success);
    EXPECT_EQ(mtx_unlock(&recursive), thrd_success);
    EXPECT_EQ(mtx_unlock(&recursive), thrd_error);
}

TEST(threads, timed_lock_times_out)
{
    mtx_t timed;
    struct timespec soon;

    ASSERT_EQ(mtx_init(&timed, mtx_plain | mtx_timed), thrd_success);
    ASSERT_EQ(mtx_lock(&timed), thrd_success);
    EXPECT_EQ(mtx_trylock(&timed), thrd_busy);
    ASSERT_EQ(timespec_get(&soon, TIME_UTC), TIME_UTC);
    soon.tv_nsec += 1000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_nsec -= 1000000000;
        soon.tv_sec++;
    }
    EXPECT_EQ(mtx_timedlock(&timed, &soon), thrd_timedout);
    EXPECT_EQ(mtx_unlock(&timed), thrd_success);
}

static int turn;

/* Two threads take turns; each sees the other's turn before its own. */
static int take_turns(void *arg)
{
    int me = *(int *)arg;

    for (int i = 0; i < ROUNDS; i++) {
        mtx_lock(&mutex);
        while (turn != me)
            cnd_wait(&condition, &mutex);
        turn = 1 - me;
        counter++;
        cnd_signal(&condition);
        mtx_unlock(&mutex);
    }
    return 0;
}

TEST(threads, condition_wakes_in_turns)
{
    thrd_t a, b;
    int zero = 0, one = 1;

    ASSERT_EQ(mtx_init(&mutex, mtx_plain), thrd_success);
    ASSERT_EQ(cnd_init(&condition), thrd_success);
    turn = counter = 0;
    ASSERT_EQ(thrd_create(&a, take_turns, &zero), thrd_success);
    ASSERT_EQ(thrd_create(&b, take_turns, &one), thrd_success);
    EXPECT_EQ(thrd_join(a, NULL), thrd_success);
    EXPECT_EQ(thrd_join(b, NULL), thrd_success);
    EXPECT_EQ(counter, 2 * ROUNDS);
}

static tss_t key;
static int destroyed;

static void destroy_value(void *value)
{
    __atomic_fetch_add(&destroyed, *(int *)value, __ATOMIC_RELAXED);
}

static int use_key(void *arg)
{
    if (tss_get(key) != NULL || tss_set(key, arg) != thrd_success || tss_get(key) != arg)
        return 1;
    thrd_exit(7);
}

TEST(threads, specific_values_are_destroyed_at_exit)
{
    thrd_t thread;
    int value = 5, result = 0;

    destroyed = 0;
    ASSERT_EQ(tss_create(&key, destroy_value), thrd_success);
    EXPECT_EQ(tss_set(key, &result), thrd_success);
    ASSERT_EQ(thrd_create(&thread, use_key, &value), thrd_success);
    EXPECT_EQ(thrd_join(thread, &result), thrd_success);
    EXPECT_EQ(result, 7);
    EXPECT_EQ(destroyed, 5);
    EXPECT(tss_get(key) == &result);
    tss_delete(key);
}

static int times_called;

static void count_call(void)
{
    times_called++;
}

TEST(threads, once_means_once)
{
    static once_flag flag = ONCE_FLAG_INIT;

    times_called = 0;
    call_once(&flag, count_call);
    call_once(&flag, count_call);
    EXPECT_EQ(times_called, 1);
}

static int look_at_self(void *arg)
{
    zx_info_handle_basic_t info;
    zx_handle_t handle = thrd_get_zx_handle(thrd_current());

    (void)arg;
    if (handle != zx_thread_self())
        return 1;
    return zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof(info), NULL, NULL) ==
                       ZX_OK &&
                   info.type == ZX_OBJ_TYPE_THREAD
               ? 0
               : 2;
}

TEST(threads, a_thread_has_its_handle)
{
    thrd_t thread;
    int result = -1;

    ASSERT_EQ(thrd_create_with_name(&thread, look_at_self, NULL, "looker"), thrd_success);
    EXPECT_EQ(thrd_join(thread, &result), thrd_success);
    EXPECT_EQ(result, 0);
    EXPECT_EQ(look_at_self(NULL), 0);
    EXPECT(!thrd_equal(thrd_current(), NULL));
}

static void *return_argument(void *arg)
{
    return arg;
}

TEST(pthread, join_gives_the_pointer)
{
    pthread_t thread;
    void *result = NULL;
    int here;

    ASSERT_EQ(pthread_create(&thread, NULL, return_argument, &here), 0);
    EXPECT_EQ(pthread_join(thread, &result), 0);
    EXPECT(result == &here);
}

TEST(pthread, error_checking_mutex)
{
    pthread_mutex_t checked;
    pthread_mutexattr_t attr;

    ASSERT_EQ(pthread_mutexattr_init(&attr), 0);
    EXPECT_EQ(pthread_mutexattr_settype(&attr, 99), EINVAL);
    ASSERT_EQ(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK), 0);
    ASSERT_EQ(pthread_mutex_init(&checked, &attr), 0);
    EXPECT_EQ(pthread_mutex_unlock(&checked), EPERM);
    EXPECT_EQ(pthread_mutex_lock(&checked), 0);
    EXPECT_EQ(pthread_mutex_lock(&checked), EDEADLK);
    EXPECT_EQ(pthread_mutex_trylock(&checked), EBUSY);
    EXPECT_EQ(pthread_mutex_unlock(&checked), 0);
}

static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static int shared_a, shared_b, torn;

/* Writers keep two words equal; readers must never see them differ. */
static void *read_and_write(void *arg)
{
    (void)arg;
    intptr_t serial = pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    for (int i = 0; i < ROUNDS / 4; i++) {
        pthread_rwlock_wrlock(&rwlock);
        shared_a++;
        shared_b++;
        pthread_rwlock_unlock(&rwlock);
        pthread_rwlock_rdlock(&rwlock);
        if (shared_a != shared_b)
            __atomic_store_n(&torn, 1, __ATOMIC_RELAXED);
        pthread_rwlock_unlock(&rwlock);
    }
    return (void *)serial;
}

TEST(pthread, barrier_and_rwlock)
{
    pthread_t threads[3];
    intptr_t serials = 0;

    shared_a = shared_b = torn = 0;
    ASSERT_EQ(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
    ASSERT_EQ(pthread_barrier_init(&barrier, NULL, 3), 0);
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(pthread_create(&threads[i], NULL, read_and_write, NULL), 0);
    for (int i = 0; i < 3; i++) {
        void *serial;
        EXPECT_EQ(pthread_join(threads[i], &serial), 0);
        serials += (intptr_t)serial;
    }
    EXPECT_EQ(serials, 1);
    EXPECT_EQ(torn, 0);
    EXPECT_EQ(shared_a, 3 * (ROUNDS / 4));
}

static void *leave_handle(void *arg)
{
    zx_handle_duplicate(zx_thread_self(), ZX_RIGHT_SAME_RIGHTS, arg);
    return NULL;
}

TEST(pthread, detached_threads_are_cleaned_up)
{
    pthread_attr_t attr;
    pthread_t thread;
    zx_handle_t handles[8] = {0};

    ASSERT_EQ(pthread_attr_init(&attr), 0);
    ASSERT_EQ(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED), 0);
    ASSERT_EQ(pthread_attr_setstacksize(&attr, 32768), 0);
    for (int i = 0; i < 8; i++) {
        ASSERT_EQ(pthread_create(&thread, &attr, leave_handle, &handles[i]), 0);
        while (__atomic_load_n(&handles[i], __ATOMIC_ACQUIRE) == ZX_HANDLE_INVALID)
            sched_yield();
        EXPECT_OK(zx_object_wait_one(handles[i], ZX_THREAD_TERMINATED, ZX_TIME_INFINITE, NULL));
        zx_handle_close(handles[i]);
    }
    /* The next thread to be made frees those that ended. */
    ASSERT_EQ(pthread_create(&thread, NULL, return_argument, NULL), 0);
    EXPECT_EQ(pthread_join(thread, NULL), 0);
}
