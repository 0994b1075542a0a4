/* Which harts are interrupted when translations are taken away: by the counters of
 * zx_info_cpu_stats_t, generic_ipis being what a hart was asked by others. */
#include "tests/conformance/child.h"

#include <zircon/syscalls/object.h>

#include "userland/crt/startup.h"
#include "userland/libzx/thread.h"

#define HARTS_MAX    64
#define SPINNERS_MAX 3
#define PAGES        16

struct counters {
    zx_info_cpu_stats_t harts[HARTS_MAX];
    size_t count;
};

static void counters_read(struct counters *out)
{
    ASSERT_OK(zx_object_get_info(startup_resource(), ZX_INFO_CPU_STATS, out->harts,
                                 sizeof(out->harts), &out->count, NULL));
}

static bool nobody_switched(const struct counters *before, const struct counters *after)
{
    for (size_t i = 0; i < after->count; i++) {
        if (before->harts[i].context_switches != after->harts[i].context_switches)
            return false;
    }
    return true;
}

/* ---- Threads that keep a hart each ---- */

struct spinner {
    atomic_int stop;
    atomic_ulong turns;
    struct thread *thread;
};

static struct spinner spinners[SPINNERS_MAX];

static int spin(void *arg)
{
    struct spinner *spinner = arg;

    while (atomic_load_explicit(&spinner->stop, memory_order_relaxed) == 0)
        atomic_fetch_add_explicit(&spinner->turns, 1, memory_order_relaxed);
    return 0;
}

static size_t spinners_start(void)
{
    size_t count = zx_system_get_num_cpus() - 1;

    count = count < SPINNERS_MAX ? count : SPINNERS_MAX;
    for (size_t i = 0; i < count; i++) {
        atomic_store(&spinners[i].stop, 0);
        ASSERT_OK(thread_spawn("spinner", spin, &spinners[i], &spinners[i].thread));
    }
    return count;
}

static void spinners_stop(size_t count)
{
    for (size_t i = 0; i < count; i++)
        atomic_store(&spinners[i].stop, 1);
    for (size_t i = 0; i < count; i++)
        thread_join(spinners[i].thread);
}

static void spinners_wait_for_turns(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned long before = atomic_load(&spinners[i].turns);
        while (atomic_load(&spinners[i].turns) == before)
            continue;
    }
}

/* ---- What is counted ---- */

typedef zx_status_t (*change_fn)(zx_vaddr_t base);

static zx_status_t take_away(zx_vaddr_t base)
{
    return zx_vmar_unmap(zx_vmar_root_self(), base, PAGES * PAGE);
}

static zx_status_t narrow(zx_vaddr_t base)
{
    return zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ, base, PAGES * PAGE);
}

static zx_status_t grant(zx_vaddr_t base)
{
    return zx_vmar_protect(zx_vmar_root_self(), RW, base, PAGES * PAGE);
}

static zx_vaddr_t map_touched(zx_handle_t vmo)
{
    zx_vaddr_t base = map_anywhere(RW, vmo, PAGES * PAGE);

    for (size_t i = 0; i < PAGES; i++)
        *(volatile uint64_t *)(base + i * PAGE) = i;
    return base;
}

/* One change while each spinner, and this thread, runs on a hart of its own from the first look at
 * the counters to the last: no hart switches in between, though all of them get on. |before| and
 * |after| are taken around the change. */
static void measure(change_fn change, bool is_granting, size_t count_spinners,
                    struct counters *before, struct counters *after)
{
    static struct counters first;
    zx_time_t deadline = zx_deadline_after(PATIENCE);
    zx_handle_t vmo = vmo_new(PAGES * PAGE);
    bool is_valid = false;

    while (!is_valid) {
        zx_vaddr_t base = map_touched(vmo);
        if (is_granting)
            ASSERT_OK(narrow(base));
        counters_read(&first);
        spinners_wait_for_turns(count_spinners);
        counters_read(before);
        ASSERT_OK(change(base));
        counters_read(after);
        is_valid = nobody_switched(&first, after);
        if (change != take_away)
            unmap(base, PAGES * PAGE);
        ASSERT(zx_clock_get_monotonic() < deadline);
    }
    close_handle(vmo);
}

/* Each of the spinners' harts has been interrupted |times| times, no other hart has. */
static void expect_interrupts(const struct counters *before, const struct counters *after,
                              size_t count_spinners, uint64_t times)
{
    size_t interrupted = 0;

    for (size_t i = 0; i < after->count; i++) {
        uint64_t more = after->harts[i].generic_ipis - before->harts[i].generic_ipis;
        EXPECT(more == 0 || more == times);
        interrupted += more != 0;
    }
    EXPECT_EQ(interrupted, times == 0 ? 0 : count_spinners);
}

static void measure_and_expect(change_fn change, size_t count_spinners, uint64_t times)
{
    static struct counters before, after;

    measure(change, change == grant, count_spinners, &before, &after);
    expect_interrupts(&before, &after, count_spinners, times);
}

TEST(shootdown, unmap_and_protect_interrupt_each_hart_once)
{
    size_t count = spinners_start();

    measure_and_expect(take_away, count, 1);
    measure_and_expect(narrow, count, 1);
    spinners_stop(count);
}

TEST(shootdown, granting_interrupts_nobody)
{
    size_t count = spinners_start();

    measure_and_expect(grant, count, 0);
    spinners_stop(count);
}

/* The other harts have run this program before, and have left it. */
TEST(shootdown, harts_that_left_are_not_interrupted)
{
    size_t count = spinners_start();

    spinners_wait_for_turns(count);
    spinners_stop(count);
    measure_and_expect(take_away, 0, 0);
    measure_and_expect(narrow, 0, 0);
}
