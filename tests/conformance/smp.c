/* Several harts at once: what is taken away by one must be gone for all. On one hart the same tests
 * run by preemption. */
#include "tests/conformance/child.h"

#include <string.h>
#include <zircon/syscalls/exception.h>

#include "userland/libzx/thread.h"

#define WRITERS 3
#define ROUNDS  60

/* ---- Threads that store to a page without pause. When one faults, its exception waits in its
 * channel until the page is back. ---- */

struct writer {
    zx_vaddr_t word;
    atomic_int stop;
    struct thread *thread;
    zx_handle_t exceptions;
};

static int write_on(void *arg)
{
    struct writer *writer = arg;

    while (atomic_load_explicit(&writer->stop, memory_order_relaxed) == 0)
        (*(volatile uint64_t *)writer->word)++;
    return 0;
}

static void writers_start(struct writer *writers, zx_vaddr_t page)
{
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.word = page + (size_t)i * 64};
        ASSERT_OK(thread_spawn("writer", write_on, &writers[i], &writers[i].thread));
        ASSERT_OK(zx_task_create_exception_channel(thread_handle(writers[i].thread), 0,
                                                   &writers[i].exceptions));
    }
    for (int i = 0; i < WRITERS; i++) {
        while (load(writers[i].word) == 0)
            zx_nanosleep(0);
    }
}

static void writer_resume(struct writer *writer)
{
    zx_exception_info_t info;
    zx_handle_t exception;
    uint32_t state = ZX_EXCEPTION_STATE_HANDLED;

    if (zx_channel_read(writer->exceptions, 0, &info, &exception, sizeof(info), 1, NULL, NULL) !=
        ZX_OK)
        return;
    EXPECT_EQ(info.type, ZX_EXCP_FATAL_PAGE_FAULT);
    EXPECT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state)));
    close_handle(exception);
}

/* The page is writable again: everyone goes on. Returns when each has stored. */
static void writers_resume(struct writer *writers)
{
    zx_time_t deadline = zx_deadline_after(PATIENCE);

    for (int i = 0; i < WRITERS; i++) {
        uint64_t before = load(writers[i].word);
        while (load(writers[i].word) == before) {
            writer_resume(&writers[i]);
            ASSERT(zx_clock_get_monotonic() < deadline);
            zx_nanosleep(0);
        }
    }
}

static void writers_stop(struct writer *writers)
{
    for (int i = 0; i < WRITERS; i++)
        atomic_store(&writers[i].stop, 1);
    for (int i = 0; i < WRITERS; i++) {
        zx_time_t deadline = zx_deadline_after(PATIENCE);
        while (zx_object_wait_one(thread_handle(writers[i].thread), ZX_THREAD_TERMINATED,
                                  zx_deadline_after(ZX_MSEC(1)), NULL) != ZX_OK) {
            writer_resume(&writers[i]);
            ASSERT(zx_clock_get_monotonic() < deadline);
        }
        thread_join(writers[i].thread);
        close_handle(writers[i].exceptions);
    }
}

/* The page that an alias of it shows must not change any more. */
static void expect_still(zx_vaddr_t alias)
{
    uint64_t before[WRITERS];

    for (int i = 0; i < WRITERS; i++)
        before[i] = load(alias + (size_t)i * 64);
    zx_time_t until = zx_deadline_after(ZX_USEC(300));
    while (zx_clock_get_monotonic() < until)
        continue;
    for (int i = 0; i < WRITERS; i++)
        EXPECT_EQ(load(alias + (size_t)i * 64), before[i]);
}

struct stage {
    zx_handle_t vmar, vmo;
    zx_vaddr_t page, alias;
    struct writer writers[WRITERS];
};

static struct stage *stage_new(void)
{
    static struct stage stage;

    stage.vmar = vmar_new(CAN_MAP_RW, 16 * PAGE, &stage.page);
    stage.vmo = vmo_new(PAGE);
    map_at(stage.vmar, RW, 0, stage.vmo, 0, PAGE);
    stage.alias = map_anywhere(RW, stage.vmo, PAGE);
    writers_start(stage.writers, stage.page);
    return &stage;
}

static void stage_drop(struct stage *stage)
{
    writers_stop(stage->writers);
    unmap(stage->alias, PAGE);
    vmar_drop(stage->vmar);
    close_handle(stage->vmo);
}

TEST(smp, no_store_lands_after_unmap)
{
    struct stage *stage = stage_new();

    for (int i = 0; i < ROUNDS; i++) {
        ASSERT_OK(zx_vmar_unmap(stage->vmar, stage->page, PAGE));
        expect_still(stage->alias);
        map_at(stage->vmar, RW, 0, stage->vmo, 0, PAGE);
        writers_resume(stage->writers);
    }
    stage_drop(stage);
}

TEST(smp, no_store_lands_after_protect)
{
    struct stage *stage = stage_new();

    for (int i = 0; i < ROUNDS; i++) {
        ASSERT_OK(
            zx_vmar_protect(stage->vmar, i % 2 == 0 ? ZX_VM_PERM_READ : 0, stage->page, PAGE));
        expect_still(stage->alias);
        ASSERT_OK(zx_vmar_protect(stage->vmar, RW, stage->page, PAGE));
        writers_resume(stage->writers);
    }
    stage_drop(stage);
}

TEST(smp, no_store_lands_in_what_was_overwritten)
{
    struct stage *stage = stage_new();
    zx_handle_t second = vmo_new(PAGE);
    zx_vaddr_t addr, second_alias = map_anywhere(RW, second, PAGE);

    /* Nobody faults: each store goes to the one page or to the other. */
    for (int i = 0; i < ROUNDS; i++) {
        ASSERT_OK(zx_vmar_map(stage->vmar, RW | ZX_VM_SPECIFIC_OVERWRITE, 0,
                              i % 2 == 0 ? second : stage->vmo, 0, PAGE, &addr));
        expect_still(i % 2 == 0 ? stage->alias : second_alias);
    }
    unmap(second_alias, PAGE);
    stage_drop(stage);
    close_handle(second);
}

TEST(smp, no_store_lands_after_a_region_is_destroyed)
{
    struct stage *stage = stage_new();

    for (int i = 0; i < ROUNDS / 4; i++) {
        zx_handle_t child;
        zx_vaddr_t base;
        ASSERT_OK(zx_vmar_unmap(stage->vmar, stage->page, PAGE));
        ASSERT_OK(zx_vmar_allocate(stage->vmar,
                                   CAN_MAP_RW | ZX_VM_SPECIFIC | ZX_VM_CAN_MAP_SPECIFIC, 0, PAGE,
                                   &child, &base));
        map_at(child, RW, 0, stage->vmo, 0, PAGE);
        writers_resume(stage->writers);
        ASSERT_OK(zx_vmar_destroy(child));
        expect_still(stage->alias);
        close_handle(child);
        map_at(stage->vmar, RW, 0, stage->vmo, 0, PAGE);
        writers_resume(stage->writers);
    }
    stage_drop(stage);
}

/* Pages that a VMO gives back become another VMO's; the pattern in them must survive stores by
 * those who had the old pages mapped. */
TEST(smp, no_store_lands_in_a_page_that_is_used_again)
{
    enum { COUNT = 16 };
    struct stage *stage = stage_new();
    static uint64_t pattern[512], back[512];

    for (size_t i = 0; i < 512; i++)
        pattern[i] = 0xc0ffee0000000000 | i;
    for (int round = 0; round < ROUNDS; round++) {
        zx_handle_t heir = vmo_new(COUNT * PAGE);
        ASSERT_OK(zx_vmo_op_range(stage->vmo, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0));
        for (uint64_t i = 0; i < COUNT; i++)
            ASSERT_OK(zx_vmo_write(heir, pattern, i * PAGE, PAGE));
        for (uint64_t i = 0; i < COUNT; i++) {
            ASSERT_OK(zx_vmo_read(heir, back, i * PAGE, PAGE));
            ASSERT(memcmp(back, pattern, PAGE) == 0);
        }
        close_handle(heir);
    }
    stage_drop(stage);
}

TEST(smp, no_store_lands_past_a_new_end)
{
    enum { COUNT = 16 };
    zx_vaddr_t page;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, 4 * PAGE, &page), vmo = vmo_new_resizable(PAGE);
    static struct writer writers[WRITERS];
    static uint64_t pattern[512], back[512];

    map_at(vmar, RW | ZX_VM_ALLOW_FAULTS, 0, vmo, 0, PAGE);
    writers_start(writers, page);
    memset(pattern, 0xa5, sizeof(pattern));
    for (int round = 0; round < ROUNDS / 2; round++) {
        zx_handle_t heir = vmo_new(COUNT * PAGE);
        ASSERT_OK(zx_vmo_set_size(vmo, 0));
        for (uint64_t i = 0; i < COUNT; i++)
            ASSERT_OK(zx_vmo_write(heir, pattern, i * PAGE, PAGE));
        for (uint64_t i = 0; i < COUNT; i++) {
            ASSERT_OK(zx_vmo_read(heir, back, i * PAGE, PAGE));
            ASSERT(memcmp(back, pattern, PAGE) == 0);
        }
        ASSERT_OK(zx_vmo_set_size(vmo, PAGE));
        writers_resume(writers);
        close_handle(heir);
    }
    writers_stop(writers);
    vmar_drop(vmar);
    close_handle(vmo);
}

/* ---- Storms ---- */

#define STORMERS 5

/* Maps, fills, checks and unmaps ranges of its own in a region that all share. */
static int storm_memory(void *arg)
{
    zx_handle_t vmar = *(zx_handle_t *)arg;
    uint64_t seed = (uint64_t)(uintptr_t)&vmar;

    for (int round = 0; round < 60; round++) {
        size_t pages = 1 + seed % 7;
        zx_handle_t vmo;
        zx_vaddr_t addr;
        seed = seed * 6364136223846793005 + 1442695040888963407;
        if (zx_vmo_create(pages * PAGE, 0, &vmo) != ZX_OK ||
            zx_vmar_map(vmar, RW, 0, vmo, 0, pages * PAGE, &addr) != ZX_OK)
            return 1;
        zx_handle_close(vmo);
        for (size_t i = 0; i < pages; i++)
            store(addr + i * PAGE, seed + i);
        if (zx_vmar_protect(vmar, ZX_VM_PERM_READ, addr, PAGE) != ZX_OK)
            return 2;
        for (size_t i = 0; i < pages; i++) {
            if (load(addr + i * PAGE) != seed + i)
                return 3;
        }
        if (pages > 2 && zx_vmar_unmap(vmar, addr + PAGE, PAGE) != ZX_OK)
            return 4;
        if (load(addr + (pages - 1) * PAGE) != seed + pages - 1)
            return 5;
        /* Not across the hole: another thread may have mapped something there. */
        size_t skip = pages > 2 ? 2 : 0;
        if (skip != 0 && zx_vmar_unmap(vmar, addr, PAGE) != ZX_OK)
            return 6;
        if (zx_vmar_unmap(vmar, addr + skip * PAGE, (pages - skip) * PAGE) != ZX_OK)
            return 7;
    }
    return 0;
}

static void run_storm(int (*fn)(void *arg), void *arg)
{
    struct thread *threads[STORMERS];

    for (int i = 0; i < STORMERS; i++)
        ASSERT_OK(thread_spawn("storm", fn, arg, &threads[i]));
    for (int i = 0; i < STORMERS; i++)
        EXPECT_EQ(thread_join(threads[i]), 0);
}

TEST(smp, mapping_storm_in_one_address_space)
{
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, 256 * PAGE, &base);

    run_storm(storm_memory, &vmar);
    EXPECT_STATUS(zx_vmar_unmap(vmar, base, 256 * PAGE), by_abi(ZX_ERR_NOT_FOUND, ZX_OK));
    vmar_drop(vmar);
}

TEST(smp, mapping_storm_in_several_address_spaces)
{
    enum { COUNT = 4 };
    struct child children[COUNT];
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, 256 * PAGE, &base);

    for (int i = 0; i < COUNT; i++)
        children[i] = child_start("storm", NULL, 0, 0);
    run_storm(storm_memory, &vmar);
    for (int i = 0; i < COUNT; i++)
        EXPECT_EQ(child_end(&children[i]), 0);
    vmar_drop(vmar);
}

/* All threads fault on the same pages of one mapping at the same time: each page is made once. */
struct shared_pages {
    zx_vaddr_t base;
    size_t pages;
};

static int touch_all(void *arg)
{
    const struct shared_pages *shared = arg;

    for (size_t i = 0; i < shared->pages; i++)
        __atomic_fetch_add((uint64_t *)(shared->base + i * PAGE), 1, __ATOMIC_RELAXED);
    return 0;
}

TEST(smp, faults_on_the_same_pages)
{
    struct shared_pages shared = {.pages = 128};
    zx_handle_t vmo = vmo_new(shared.pages * PAGE);
    zx_info_vmo_t info;

    for (int round = 0; round < 5; round++) {
        shared.base = map_anywhere(RW, vmo, shared.pages * PAGE);
        run_storm(touch_all, &shared);
        for (size_t i = 0; i < shared.pages; i++)
            ASSERT_EQ(load(shared.base + i * PAGE), STORMERS);
        ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
        EXPECT_EQ(info.committed_bytes, shared.pages * PAGE);
        unmap(shared.base, shared.pages * PAGE);
        ASSERT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 0, shared.pages * PAGE, NULL, 0));
    }
    close_handle(vmo);
}

static int storm_processes(void *arg)
{
    (void)arg;
    for (int i = 0; i < 15; i++) {
        zx_handle_t process, vmar, thread;
        if (zx_process_create(zx_job_default(), "storm", 5, 0, &process, &vmar) != ZX_OK ||
            zx_thread_create(process, "t", 1, 0, &thread) != ZX_OK ||
            zx_process_start(process, thread, 0x200000, 0, ZX_HANDLE_INVALID, 0) != ZX_OK)
            return 1;
        if (i % 2 == 0)
            zx_task_kill(process);
        if (zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(PATIENCE), NULL) !=
            ZX_OK)
            return 2;
        zx_handle_close(thread);
        zx_handle_close(vmar);
        zx_handle_close(process);
    }
    return 0;
}

TEST(smp, processes_come_and_go)
{
    run_storm(storm_processes, NULL);
}

static int do_nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int storm_threads(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        struct thread *thread;
        if (thread_spawn("t", do_nothing, NULL, &thread) != ZX_OK)
            return 1;
        thread_join(thread);
    }
    return 0;
}

TEST(smp, threads_come_and_go)
{
    run_storm(storm_threads, NULL);
}

/* Every thread passes events around one ring of channels. */
struct ring {
    zx_handle_t in[STORMERS], out[STORMERS];
    atomic_int next;
};

#define RING_PASSES 100

static int pass_on(void *arg)
{
    struct ring *ring = arg;
    int self = atomic_fetch_add(&ring->next, 1);

    for (int i = 0; i < RING_PASSES; i++) {
        zx_handle_t event;
        if (zx_object_wait_one(ring->in[self], ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE),
                               NULL) != ZX_OK ||
            zx_channel_read(ring->in[self], 0, NULL, &event, 0, 1, NULL, NULL) != ZX_OK ||
            zx_channel_write(ring->out[self], 0, NULL, 0, &event, 1) != ZX_OK)
            return 1;
    }
    return 0;
}

TEST(smp, handles_travel_in_a_ring)
{
    static struct ring ring;
    zx_handle_t event;

    atomic_store(&ring.next, 0);
    for (int i = 0; i < STORMERS; i++)
        ASSERT_OK(zx_channel_create(0, &ring.out[i], &ring.in[(i + 1) % STORMERS]));
    for (int i = 0; i < STORMERS; i++) {
        ASSERT_OK(zx_event_create(0, &event));
        ASSERT_OK(zx_channel_write(ring.out[i], 0, NULL, 0, &event, 1));
    }
    run_storm(pass_on, &ring);
    for (int i = 0; i < STORMERS; i++) {
        close_handle(ring.in[i]);
        close_handle(ring.out[i]);
    }
}

/* One thread duplicates and closes a handle while the others use whatever value is there: each use
 * finds a handle or none, never another object's. */
struct handle_race {
    atomic_uint value;
    atomic_int users;
};

static int race_handle(void *arg)
{
    struct handle_race *race = arg;
    bool is_owner = atomic_fetch_add(&race->users, 1) == 0;

    for (int i = 0; i < 500; i++) {
        zx_handle_t event;
        if (!is_owner) {
            zx_status_t status = zx_object_signal(atomic_load(&race->value), 0, ZX_USER_SIGNAL_0);
            if (status != ZX_OK && status != ZX_ERR_BAD_HANDLE)
                return 1;
            continue;
        }
        if (zx_event_create(0, &event) != ZX_OK)
            return 2;
        zx_handle_close(atomic_exchange(&race->value, event));
    }
    return 0;
}

TEST(smp, handles_close_while_they_are_used)
{
    static struct handle_race race;

    atomic_store(&race.value, ZX_HANDLE_INVALID);
    atomic_store(&race.users, 0);
    run_storm(race_handle, &race);
    close_handle(atomic_load(&race.value));
}
