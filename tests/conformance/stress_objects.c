/* Handles, waits, messages and futexes that many threads share. */
#include <string.h>
#include <zircon/syscalls/port.h>

#include "tests/conformance/stress.h"

/* ---- Handles --------------------------------------------------------------------------------- */

#define NUM_SLOTS 8

/* Handles that any worker may replace, close, wait on or duplicate at any time. */
struct handle_slots {
    _Atomic(zx_handle_t) values[NUM_SLOTS];
    zx_handle_t port;
};

static void put_new_event(struct handle_slots *slots, unsigned slot)
{
    zx_handle_t event = ZX_HANDLE_INVALID, old;

    EXPECT_OK(zx_event_create(0, &event));
    old = atomic_exchange(&slots->values[slot], event);
    if (old != ZX_HANDLE_INVALID)
        EXPECT_OK(zx_handle_close(old)); /* nobody else closes what was taken out */
}

static void expect_or_bad_handle(zx_status_t status, zx_status_t also)
{
    EXPECT(status == ZX_OK || status == ZX_ERR_BAD_HANDLE || status == also);
}

static void use_shared_handle(struct stress_worker *worker)
{
    struct handle_slots *slots = worker->shared;
    unsigned slot = stress_random(worker, NUM_SLOTS);
    zx_handle_t event = atomic_load(&slots->values[slot]), copy;
    zx_port_packet_t packet;

    switch (stress_random(worker, 6)) {
    case 0:
        put_new_event(slots, slot);
        break;
    case 1:
        if (zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &copy) == ZX_OK)
            EXPECT_OK(zx_handle_close(copy));
        break;
    case 2:
    case 3: /* closed while the observer comes */
        expect_or_bad_handle(zx_object_wait_async(event, slots->port, slot, ZX_USER_SIGNAL_0, 0),
                             ZX_OK);
        break;
    case 4:
        expect_or_bad_handle(zx_object_signal(event, 0, ZX_USER_SIGNAL_0), ZX_OK);
        while (zx_port_wait(slots->port, 0, &packet) == ZX_OK)
            EXPECT(packet.key < NUM_SLOTS);
        break;
    default:
        expect_or_bad_handle(zx_port_cancel(slots->port, event, slot), ZX_ERR_NOT_FOUND);
        break;
    }
}

TEST(stress, handles_closed_while_in_use)
{
    struct handle_slots slots = {0};
    zx_port_packet_t packet;

    ASSERT_OK(zx_port_create(0, &slots.port));
    for (unsigned i = 0; i < NUM_SLOTS; i++)
        put_new_event(&slots, i);
    stress_run(use_shared_handle, &slots);
    for (unsigned i = 0; i < NUM_SLOTS; i++)
        close_handle(slots.values[i]);
    while (zx_port_wait(slots.port, 0, &packet) == ZX_OK)
        ;
    close_handle(slots.port);
}

/* Both endpoints' last handles close while a message with a duplicate is written. */
static void duplicate_while_closing(struct stress_worker *worker)
{
    struct handle_slots *slots = worker->shared;
    unsigned slot = stress_random(worker, 2);
    zx_handle_t end = atomic_load(&slots->values[slot]), copy, fresh[2], old;

    if (zx_handle_duplicate(end, ZX_RIGHT_SAME_RIGHTS, &copy) == ZX_OK) {
        /* A handle that lives keeps its end open. */
        zx_status_t status = zx_object_signal_peer(copy, 0, ZX_USER_SIGNAL_0);
        EXPECT(status == ZX_OK || status == ZX_ERR_PEER_CLOSED);
        EXPECT_OK(zx_handle_close(copy));
    }
    if (stress_random(worker, 3) != 0)
        return;
    if (!EXPECT_OK(zx_eventpair_create(0, &fresh[0], &fresh[1])))
        return;
    EXPECT_OK(zx_handle_duplicate(fresh[0], ZX_RIGHT_SAME_RIGHTS, &copy));
    EXPECT_OK(zx_handle_close(copy));
    EXPECT_STATUS(zx_object_wait_one(fresh[1], ZX_EVENTPAIR_PEER_CLOSED, 0, NULL),
                  ZX_ERR_TIMED_OUT);
    for (unsigned i = 0; i < 2; i++) {
        old = atomic_exchange(&slots->values[i], fresh[i]);
        if (old != ZX_HANDLE_INVALID)
            EXPECT_OK(zx_handle_close(old));
    }
}

TEST(stress, pairs_duplicated_while_closing)
{
    struct handle_slots slots = {0};

    stress_run(duplicate_while_closing, &slots);
    for (unsigned i = 0; i < 2; i++) {
        if (slots.values[i] != ZX_HANDLE_INVALID)
            close_handle(slots.values[i]);
    }
}

/* ---- Messages -------------------------------------------------------------------------------- */

/* All workers write to and read from both ends of one channel; handles travel along and nothing is
 * lost: each event pair's other end sees its fate. */
static void pass_handles(struct stress_worker *worker)
{
    const zx_handle_t *ends = worker->shared;
    zx_handle_t pair[2], got = ZX_HANDLE_INVALID;
    uint32_t value;

    if (!EXPECT_OK(zx_eventpair_create(0, &pair[0], &pair[1])))
        return;
    value = worker->index;
    EXPECT_OK(zx_channel_write(ends[0], 0, &value, sizeof(value), &pair[1], 1));
    EXPECT_OK(zx_object_wait_one(ends[1], ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE), NULL));
    /* There are as many messages as readers, so there is one for each. */
    EXPECT_OK(zx_channel_read(ends[1], 0, &value, &got, sizeof(value), 1, NULL, NULL));
    EXPECT(value < STRESS_WORKERS);
    EXPECT_OK(zx_handle_close(got));
    EXPECT_OK(
        zx_object_wait_one(pair[0], ZX_EVENTPAIR_PEER_CLOSED, zx_deadline_after(PATIENCE), NULL));
    EXPECT_OK(zx_handle_close(pair[0]));
}

TEST(stress, messages_with_handles)
{
    zx_handle_t ends[2];

    ASSERT_OK(zx_channel_create(0, &ends[0], &ends[1]));
    stress_run(pass_handles, ends);
    close_handle(ends[0]);
    close_handle(ends[1]);
}

/* ---- Futexes --------------------------------------------------------------------------------- */

struct futex_lock {
    zx_futex_t word; /* 0 free, 1 taken, 2 taken and somebody may wait */
    zx_futex_t side; /* waiters that were moved here */
    uint64_t inside; /* only under the lock */
    atomic_ullong total;
};

static void lock(struct stress_worker *worker, struct futex_lock *lock)
{
    int seen = 0;

    if (atomic_compare_exchange_strong(&lock->word, &seen, 1))
        return;
    while (atomic_exchange(&lock->word, 2) != 0) {
        /* Short deadlines sometimes: a wait that is leaving meets a wake. */
        zx_time_t deadline = stress_random(worker, 4) == 0 ? zx_deadline_after(ZX_USEC(50))
                                                           : zx_deadline_after(PATIENCE);
        zx_status_t status = zx_futex_wait(&lock->word, 2, ZX_HANDLE_INVALID, deadline);
        EXPECT(status == ZX_OK || status == ZX_ERR_BAD_STATE || status == ZX_ERR_TIMED_OUT);
    }
}

static void unlock(struct stress_worker *worker, struct futex_lock *lock)
{
    if (atomic_exchange(&lock->word, 0) != 2)
        return;
    if (stress_random(worker, 4) == 0) {
        /* By way of another futex: first all move, then all wake. */
        zx_futex_requeue(&lock->word, 0, 0, &lock->side, UINT32_MAX, ZX_HANDLE_INVALID);
        EXPECT_OK(zx_futex_wake(&lock->side, UINT32_MAX));
    }
    EXPECT_OK(zx_futex_wake(&lock->word, 1));
}

static void count_under_lock(struct stress_worker *worker)
{
    struct futex_lock *shared = worker->shared;

    lock(worker, shared);
    shared->inside++;
    unlock(worker, shared);
    atomic_fetch_add(&shared->total, 1);
}

TEST(stress, futex_lock)
{
    struct futex_lock shared = {0};

    stress_run(count_under_lock, &shared);
    EXPECT_EQ(shared.inside, shared.total);
    EXPECT_EQ(shared.word, 0);
}
