/* Futexes. */
#include "tests/conformance/child.h"
#include "userland/libzx/thread.h"

struct waiter {
    zx_futex_t *word;
    int expected;
    zx_time_t deadline;
    atomic_int status;
    atomic_int is_done;
    struct thread *thread;
};

static int wait_once(void *arg)
{
    struct waiter *waiter = arg;

    atomic_store(&waiter->status, zx_futex_wait(waiter->word, waiter->expected, ZX_HANDLE_INVALID,
                                                waiter->deadline));
    atomic_store(&waiter->is_done, 1);
    return 0;
}

/* Returns when the thread sleeps. */
static void waiter_start(struct waiter *waiter, zx_futex_t *word)
{
    *waiter = (struct waiter){
        .word = word, .expected = atomic_load(word), .deadline = zx_deadline_after(PATIENCE)};
    ASSERT_OK(thread_spawn("waiter", wait_once, waiter, &waiter->thread));
    ASSERT(thread_reaches_state(thread_handle(waiter->thread), ZX_THREAD_STATE_BLOCKED_FUTEX));
}

/* Waits for the end of the thread: it must have been woken. */
static void waiter_end(struct waiter *waiter)
{
    thread_join(waiter->thread);
    EXPECT_OK(atomic_load(&waiter->status));
}

static int count_done(struct waiter *waiters, int count)
{
    int done = 0;

    for (int i = 0; i < count; i++)
        done += atomic_load(&waiters[i].is_done);
    return done;
}

/* Waits for |want| of them, and a little longer for one too many. */
static int settled_done(struct waiter *waiters, int count, int want)
{
    zx_time_t deadline = zx_deadline_after(PATIENCE);

    while (count_done(waiters, count) < want && zx_clock_get_monotonic() < deadline)
        zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    zx_nanosleep(zx_deadline_after(ZX_MSEC(10)));
    return count_done(waiters, count);
}

TEST(futex, a_changed_word_does_not_wait)
{
    zx_futex_t word = 5;

    EXPECT_STATUS(zx_futex_wait(&word, 4, ZX_HANDLE_INVALID, ZX_TIME_INFINITE), ZX_ERR_BAD_STATE);
}

TEST(futex, times_out)
{
    zx_futex_t word = 5;
    zx_time_t deadline = zx_deadline_after(ZX_MSEC(5));

    EXPECT_STATUS(zx_futex_wait(&word, 5, ZX_HANDLE_INVALID, deadline), ZX_ERR_TIMED_OUT);
    EXPECT(zx_clock_get_monotonic() >= deadline);
    EXPECT_STATUS(zx_futex_wait(&word, 5, ZX_HANDLE_INVALID, 0), ZX_ERR_TIMED_OUT);
}

TEST(futex, bad_addresses_and_alignment)
{
    int words[2] = {0, 0};
    zx_futex_t *odd = (zx_futex_t *)((uintptr_t)words + 2);
    zx_futex_t word = 0;

    EXPECT_STATUS(zx_futex_wait(odd, 0, ZX_HANDLE_INVALID, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_wake(odd, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_wait(NULL, 0, ZX_HANDLE_INVALID, 0), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        zx_futex_t *bad = (zx_futex_t *)(bad_addresses[i] & ~(uintptr_t)3);
        EXPECT_STATUS(zx_futex_wait(bad, 0, ZX_HANDLE_INVALID, 0), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_futex_requeue(&word, 1, 0, bad, 1, ZX_HANDLE_INVALID),
                      ZX_ERR_INVALID_ARGS);
    }
}

TEST(futex, waking_nobody)
{
    zx_futex_t word = 0;

    EXPECT_OK(zx_futex_wake(&word, 0));
    EXPECT_OK(zx_futex_wake(&word, 1));
    EXPECT_OK(zx_futex_wake(&word, UINT32_MAX));
}

TEST(futex, wakes_as_many_as_asked_in_order)
{
    enum { COUNT = 4 };
    static zx_futex_t word;
    static struct waiter waiters[COUNT];

    for (int i = 0; i < COUNT; i++)
        waiter_start(&waiters[i], &word);
    EXPECT_OK(zx_futex_wake(&word, 0));
    EXPECT_OK(zx_futex_wake(&word, 1));
    EXPECT_EQ(settled_done(waiters, COUNT, 1), 1);
    EXPECT_EQ(atomic_load(&waiters[0].is_done), 1);
    EXPECT_OK(zx_futex_wake(&word, 2));
    EXPECT_EQ(settled_done(waiters, COUNT, 3), 3);
    EXPECT_EQ(atomic_load(&waiters[3].is_done), 0);
    EXPECT_OK(zx_futex_wake(&word, UINT32_MAX));
    for (int i = 0; i < COUNT; i++)
        waiter_end(&waiters[i]);
}

TEST(futex, other_words_are_other_futexes)
{
    static zx_futex_t words[2];
    static struct waiter waiter;

    waiter_start(&waiter, &words[0]);
    EXPECT_OK(zx_futex_wake(&words[1], UINT32_MAX));
    EXPECT_EQ(settled_done(&waiter, 1, 0), 0);
    EXPECT_OK(zx_futex_wake(&words[0], 1));
    waiter_end(&waiter);
}

TEST(futex, requeue_moves_waiters)
{
    enum { COUNT = 4 };
    static zx_futex_t from, to;
    static struct waiter waiters[COUNT];

    for (int i = 0; i < COUNT; i++)
        waiter_start(&waiters[i], &from);
    EXPECT_STATUS(zx_futex_requeue(&from, 1, 7, &to, 2, ZX_HANDLE_INVALID), ZX_ERR_BAD_STATE);
    EXPECT_EQ(settled_done(waiters, COUNT, 0), 0);
    EXPECT_OK(zx_futex_requeue(&from, 1, 0, &to, 2, ZX_HANDLE_INVALID));
    EXPECT_EQ(settled_done(waiters, COUNT, 1), 1);
    EXPECT_OK(zx_futex_wake(&to, UINT32_MAX));
    EXPECT_EQ(settled_done(waiters, COUNT, 3), 3);
    EXPECT_EQ(atomic_load(&waiters[3].is_done), 0);
    EXPECT_OK(zx_futex_wake(&from, 1));
    for (int i = 0; i < COUNT; i++)
        waiter_end(&waiters[i]);
}

TEST(futex, a_requeued_waiter_keeps_its_deadline)
{
    static zx_futex_t from, to;
    struct waiter waiter = {.word = &from, .deadline = zx_deadline_after(ZX_MSEC(100))};

    ASSERT_OK(thread_spawn("waiter", wait_once, &waiter, &waiter.thread));
    if (thread_reaches_state(thread_handle(waiter.thread), ZX_THREAD_STATE_BLOCKED_FUTEX))
        EXPECT_OK(zx_futex_requeue(&from, 0, 0, &to, 1, ZX_HANDLE_INVALID));
    thread_join(waiter.thread);
    EXPECT_STATUS(atomic_load(&waiter.status), ZX_ERR_TIMED_OUT);
    EXPECT(zx_clock_get_monotonic() >= waiter.deadline);
    EXPECT_OK(zx_futex_wake(&to, 1)); /* nobody is left behind there */
}

TEST(futex, requeue_checks_its_arguments)
{
    static zx_futex_t word, other;

    EXPECT_STATUS(zx_futex_requeue(&word, 1, 0, &word, 1, ZX_HANDLE_INVALID), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_requeue(&word, 1, 0, NULL, 1, ZX_HANDLE_INVALID), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(
        zx_futex_requeue(&word, 1, 0, (zx_futex_t *)((uintptr_t)&other + 1), 1, ZX_HANDLE_INVALID),
        ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_futex_requeue(&word, 1, 0, &other, 1, ZX_HANDLE_INVALID));
}

TEST(futex, two_mappings_of_one_page_are_one_futex)
{
    zx_handle_t vmo = vmo_new(PAGE);
    zx_vaddr_t a = map_anywhere(RW, vmo, PAGE), b = map_anywhere(RW, vmo, PAGE);
    static struct waiter waiter;

    waiter_start(&waiter, (zx_futex_t *)a);
    EXPECT_OK(zx_futex_wake((zx_futex_t *)b, 1));
    waiter_end(&waiter);
    unmap(a, PAGE);
    unmap(b, PAGE);
    close_handle(vmo);
}

TEST(futex, ping_pong_between_processes)
{
    zx_handle_t vmo = vmo_new(PAGE);
    zx_vaddr_t addr = map_anywhere(RW, vmo, PAGE);
    zx_futex_t *word = (zx_futex_t *)addr;
    struct child child =
        child_start("futex", NULL, duplicate(vmo, ZX_RIGHT_SAME_RIGHTS), ZX_HANDLE_INVALID);
    zx_status_t status = ZX_OK;

    for (int i = 0; i < CHILD_FUTEX_ROUNDS && (status == ZX_OK || status == ZX_ERR_BAD_STATE);
         i++) {
        atomic_store(word, 2 * i + 1);
        zx_futex_wake(word, 1);
        while (atomic_load(word) == 2 * i + 1) {
            status = zx_futex_wait(word, 2 * i + 1, ZX_HANDLE_INVALID, zx_deadline_after(PATIENCE));
            if (status != ZX_OK && status != ZX_ERR_BAD_STATE)
                break;
        }
    }
    EXPECT(status == ZX_OK || status == ZX_ERR_BAD_STATE);
    EXPECT_EQ(atomic_load(word), 2 * CHILD_FUTEX_ROUNDS);
    EXPECT_EQ(child_end(&child), 0);
    unmap(addr, PAGE);
    close_handle(vmo);
}

struct locked_counter {
    atomic_int state; /* 0 free, 1 held, 2 held and waited for */
    uint64_t value;
};

static int add_often(void *arg)
{
    struct locked_counter *counter = arg;

    for (int i = 0; i < 2000; i++) {
        int seen = 0;
        if (!atomic_compare_exchange_strong(&counter->state, &seen, 1)) {
            while (atomic_exchange(&counter->state, 2) != 0)
                zx_futex_wait(&counter->state, 2, ZX_HANDLE_INVALID, zx_deadline_after(PATIENCE));
        }
        counter->value++;
        if (atomic_exchange(&counter->state, 0) == 2)
            zx_futex_wake(&counter->state, 1);
    }
    return 0;
}

TEST(futex, a_lock_under_contention_counts_right)
{
    enum { COUNT = 6 };
    static struct locked_counter counter;
    struct thread *threads[COUNT];

    counter.value = 0;
    for (int i = 0; i < COUNT; i++)
        ASSERT_OK(thread_spawn("adder", add_often, &counter, &threads[i]));
    for (int i = 0; i < COUNT; i++)
        thread_join(threads[i]);
    EXPECT_EQ(counter.value, COUNT * 2000);
}
