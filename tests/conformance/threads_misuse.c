/* <threads.h> and <pthread.h>: what is unusual or wrong, and the ends of things. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "tests/conformance/tap.h"

static mtx_t mutex;
static cnd_t condition;
static int is_ready;

static int signal_under_mutex(void *arg)
{
    (void)arg;
    mtx_lock(&mutex); /* only free if the waiter gave up every one of its locks */
    mtx_lock(&mutex);
    is_ready = 1;
    mtx_unlock(&mutex);
    mtx_unlock(&mutex); /* and free again for the waiter */
    cnd_signal(&condition);
    return 0;
}

TEST(threads, condition_gives_up_a_recursive_mutex)
{
    thrd_t thread;

    ASSERT_EQ(mtx_init(&mutex, mtx_recursive), thrd_success);
    ASSERT_EQ(cnd_init(&condition), thrd_success);
    is_ready = 0;
    for (int i = 0; i < 3; i++)
        mtx_lock(&mutex);
    ASSERT_EQ(thrd_create(&thread, signal_under_mutex, NULL), thrd_success);
    while (!is_ready)
        ASSERT_EQ(cnd_wait(&condition, &mutex), thrd_success);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(mtx_unlock(&mutex), thrd_success);
    EXPECT_EQ(mtx_unlock(&mutex), thrd_error);
    EXPECT_EQ(thrd_join(thread, NULL), thrd_success);
    EXPECT_EQ(cnd_wait(&condition, &mutex), thrd_error);
}

TEST(threads, deadlines_are_checked)
{
    struct timespec bad = {0, 1000000000}, past = {0, 0};
    mtx_t plain;

    ASSERT_EQ(mtx_init(&plain, mtx_timed), thrd_success);
    ASSERT_EQ(cnd_init(&condition), thrd_success);
    EXPECT_EQ(mtx_timedlock(&plain, &bad), thrd_error);
    EXPECT_EQ(mtx_timedlock(&plain, &past), thrd_success);
    EXPECT_EQ(mtx_timedlock(&plain, &past), thrd_timedout);
    EXPECT_EQ(cnd_timedwait(&condition, &plain, &bad), thrd_error);
    EXPECT_EQ(cnd_timedwait(&condition, &plain, &past), thrd_timedout);
    EXPECT_EQ(mtx_unlock(&plain), thrd_success);
}

static void *join_self(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)pthread_join(pthread_self(), NULL);
}

TEST(pthread, joins_that_cannot_be)
{
    pthread_t thread;
    void *result;

    ASSERT_EQ(pthread_create(&thread, NULL, join_self, NULL), 0);
    ASSERT_EQ(pthread_join(thread, &result), 0);
    EXPECT_EQ((intptr_t)result, EDEADLK);
    EXPECT_EQ(pthread_join(pthread_self(), NULL), EINVAL); /* the first thread */
    EXPECT_EQ(pthread_detach(pthread_self()), EINVAL);
}

TEST(pthread, default_stack_size_is_told)
{
    pthread_attr_t attr;
    size_t size = 0;

    ASSERT_EQ(pthread_attr_init(&attr), 0);
    EXPECT_EQ(pthread_attr_getstacksize(&attr, &size), 0);
    EXPECT(size >= PTHREAD_STACK_MIN);
    EXPECT_EQ(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN - 1), EINVAL);
}

#define MEETING 4

static void *meet(void *barrier)
{
    return (void *)(intptr_t)pthread_barrier_wait(barrier);
}

/* The barrier's memory is overwritten as soon as destroy has returned. */
TEST(pthread, barrier_is_destroyed_while_others_leave)
{
    for (int i = 0; i < 200; i++) {
        pthread_barrier_t *barrier = malloc(sizeof(*barrier));
        pthread_t threads[MEETING - 1];
        int serial;

        ASSERT(barrier != NULL);
        ASSERT_EQ(pthread_barrier_init(barrier, NULL, MEETING), 0);
        for (int k = 0; k < MEETING - 1; k++)
            ASSERT_EQ(pthread_create(&threads[k], NULL, meet, barrier), 0);
        serial = pthread_barrier_wait(barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
        ASSERT_EQ(pthread_barrier_destroy(barrier), 0);
        memset(barrier, 0x55, sizeof(*barrier));
        for (int k = 0; k < MEETING - 1; k++) {
            void *result;
            ASSERT_EQ(pthread_join(threads[k], &result), 0);
            serial += (intptr_t)result == PTHREAD_BARRIER_SERIAL_THREAD;
        }
        EXPECT_EQ(serial, 1);
        for (size_t b = 0; b < sizeof(*barrier); b++)
            EXPECT_EQ(((unsigned char *)barrier)[b], 0x55);
        free(barrier);
    }
}
