/* Who runs when: threads that wake each other share a turn, and harts without work take no ticks.
 */
#include "tests/conformance/child.h"

#include <zircon/syscalls/object.h>

#include "userland/crt/startup.h"
#include "userland/libzx/thread.h"

#define HARTS_MAX 64
#define PAIRS_MAX 8
#define ROUNDS    5

/* ---- Pairs ---- */

struct pair {
    zx_futex_t turn; /* whose it is: 0 or 1; 2: the game is over */
    atomic_ulong rounds;
    struct player {
        struct pair *pair;
        int side;
        struct thread *thread;
    } players[2];
};

static int play(void *arg)
{
    struct player *self = arg;
    struct pair *pair = self->pair;

    for (;;) {
        int turn = atomic_load(&pair->turn);
        if (turn == 2)
            return 0;
        if (turn != self->side) {
            (void)zx_futex_wait(&pair->turn, turn, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
            continue;
        }
        atomic_fetch_add(&pair->rounds, 1);
        if (atomic_compare_exchange_strong(&pair->turn, &turn, 1 - self->side))
            (void)zx_futex_wake(&pair->turn, 1);
    }
}

static void pair_start(struct pair *pair)
{
    atomic_store(&pair->turn, 0);
    atomic_store(&pair->rounds, 0);
    for (int side = 0; side < 2; side++) {
        pair->players[side] = (struct player){.pair = pair, .side = side};
        ASSERT_OK(thread_spawn("player", play, &pair->players[side], &pair->players[side].thread));
    }
}

static void pair_stop(struct pair *pair)
{
    atomic_store(&pair->turn, 2);
    ASSERT_OK(zx_futex_wake(&pair->turn, UINT32_MAX));
    for (int side = 0; side < 2; side++)
        thread_join(pair->players[side].thread);
}

struct counter {
    atomic_int stop;
    atomic_ulong turns;
};

static int count_on(void *arg)
{
    struct counter *counter = arg;

    while (atomic_load_explicit(&counter->stop, memory_order_relaxed) == 0)
        atomic_fetch_add_explicit(&counter->turns, 1, memory_order_relaxed);
    return 0;
}

/* Without a limit: how long a turn takes is the host's business, and whoever starves never ends. */
static void wait_for_more(atomic_ulong *count, unsigned long more)
{
    unsigned long until = atomic_load(count) + more;

    while (atomic_load(count) < until)
        zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
}

/* On each hart a pair that always wakes the other before it sleeps, and more threads than harts
 * that never sleep: whoever is handed a hart gets what is left of a turn, so all get on. */
TEST(scheduler, pairs_and_loners_all_get_on)
{
    static struct pair pairs[PAIRS_MAX];
    static struct counter counters[PAIRS_MAX + 1];
    struct thread *loners[PAIRS_MAX + 1];
    size_t count = zx_system_get_num_cpus();

    count = count < PAIRS_MAX ? count : PAIRS_MAX;
    for (size_t i = 0; i < count; i++)
        pair_start(&pairs[i]);
    for (size_t i = 0; i <= count; i++) {
        atomic_store(&counters[i].stop, 0);
        ASSERT_OK(thread_spawn("loner", count_on, &counters[i], &loners[i]));
    }
    for (size_t i = 0; i < count; i++)
        wait_for_more(&pairs[i].rounds, ROUNDS);
    for (size_t i = 0; i <= count; i++) {
        for (int turn = 0; turn < 3; turn++)
            wait_for_more(&counters[i].turns, 1);
    }
    for (size_t i = 0; i <= count; i++)
        atomic_store(&counters[i].stop, 1);
    for (size_t i = 0; i <= count; i++)
        thread_join(loners[i]);
    for (size_t i = 0; i < count; i++)
        pair_stop(&pairs[i]);
}

/* ---- Idle harts ---- */

static size_t read_harts(zx_info_cpu_stats_t *out)
{
    size_t count;

    ASSERT_OK(zx_object_get_info(startup_resource(), ZX_INFO_CPU_STATS, out,
                                 HARTS_MAX * sizeof(*out), &count, NULL));
    return count;
}

/* While everybody sleeps, the timer comes for the sleeper, and once at most a hart for a turn that
 * nobody contests any more. */
TEST(scheduler, sleeping_takes_no_ticks)
{
    static zx_info_cpu_stats_t before[HARTS_MAX], after[HARTS_MAX];

    zx_nanosleep(zx_deadline_after(ZX_MSEC(100)));
    size_t count = read_harts(before);
    zx_nanosleep(zx_deadline_after(ZX_SEC(1)));
    ASSERT_EQ(read_harts(after), count);
    uint64_t ticks = 0, switches = 0;
    for (size_t i = 0; i < count; i++) {
        ticks += after[i].timer_ints - before[i].timer_ints;
        switches += after[i].context_switches - before[i].context_switches;
    }
    EXPECT(ticks <= 1 + count);
    EXPECT(switches <= 2);
}
