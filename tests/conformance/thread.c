/* Threads. */
#include "tests/conformance/child.h"

#include <string.h>

#include "tests/conformance/registers.h"
#include "userland/libzx/thread.h"

static int return_argument(void *arg)
{
    return (int)(intptr_t)arg;
}

TEST(thread, runs_and_is_joined)
{
    struct thread *thread;

    for (intptr_t i = 0; i < 100; i++) {
        ASSERT_OK(thread_spawn("t", return_argument, (void *)i, &thread));
        EXPECT_EQ(thread_join(thread), i);
    }
}

TEST(thread, many_at_once)
{
    enum { COUNT = 40 };
    struct thread *threads[COUNT];

    for (intptr_t i = 0; i < COUNT; i++)
        ASSERT_OK(thread_spawn("t", return_argument, (void *)i, &threads[i]));
    for (intptr_t i = 0; i < COUNT; i++)
        EXPECT_EQ(thread_join(threads[i]), i);
}

TEST(thread, states)
{
    zx_handle_t thread;
    zx_info_thread_t info;
    struct thread *other;

    ASSERT_OK(zx_thread_create(zx_process_self(), "new", 3, 0, &thread));
    EXPECT_EQ(rights_of(thread), ZX_DEFAULT_THREAD_RIGHTS);
    ASSERT_OK(zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.state, ZX_THREAD_STATE_NEW);
    close_handle(thread);
    ASSERT_OK(thread_spawn("t", return_argument, NULL, &other));
    EXPECT_OK(zx_object_wait_one(thread_handle(other), ZX_THREAD_TERMINATED,
                                 zx_deadline_after(PATIENCE), NULL));
    EXPECT(thread_reaches_state(thread_handle(other), ZX_THREAD_STATE_DEAD));
    thread_join(other);
}

static int sleep_until_killed(void *arg)
{
    (void)arg;
    zx_nanosleep(zx_deadline_after(PATIENCE));
    return 0;
}

TEST(thread, says_that_it_sleeps)
{
    struct thread *thread;

    ASSERT_OK(thread_spawn("sleeper", sleep_until_killed, NULL, &thread));
    EXPECT(thread_reaches_state(thread_handle(thread), ZX_THREAD_STATE_BLOCKED_SLEEPING));
    EXPECT_OK(zx_task_kill(thread_handle(thread)));
    thread_join(thread);
}

static int spin_until_killed(void *arg)
{
    while (true)
        (*(volatile uint64_t *)arg)++;
    return 0;
}

TEST(thread, can_be_killed_while_it_runs)
{
    static volatile uint64_t counter;
    struct thread *thread;

    counter = 0;
    ASSERT_OK(thread_spawn("spinner", spin_until_killed, (void *)&counter, &thread));
    while (counter == 0)
        zx_nanosleep(0);
    EXPECT_OK(zx_task_kill(thread_handle(thread)));
    thread_join(thread);
    uint64_t seen = counter;
    zx_nanosleep(zx_deadline_after(ZX_MSEC(5)));
    EXPECT_EQ(counter, seen);
}

TEST(thread, name)
{
    zx_handle_t thread;
    char name[ZX_MAX_NAME_LEN];

    ASSERT_OK(zx_thread_create(zx_process_self(), "a name", 6, 0, &thread));
    ASSERT_OK(zx_object_get_property(thread, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT(strcmp(name, "a name") == 0);
    close_handle(thread);
}

TEST(thread, creation_checks_its_arguments)
{
    zx_handle_t thread = SENTINEL_HANDLE, self = zx_process_self();
    zx_handle_t weak = duplicate_without(self, ZX_RIGHT_MANAGE_THREAD);

    EXPECT_STATUS(zx_thread_create(ZX_HANDLE_INVALID, "t", 1, 0, &thread), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_thread_create(zx_job_default(), "t", 1, 0, &thread), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_thread_create(weak, "t", 1, 0, &thread), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_thread_create(self, "t", 1, 1, &thread), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        EXPECT_STATUS(zx_thread_create(self, bad, 8, 0, &thread), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_thread_create(self, "t", 1, 0, bad), ZX_ERR_INVALID_ARGS);
    }
    EXPECT_EQ(thread, SENTINEL_HANDLE);
    close_handle(weak);
}

TEST(thread, starts_once)
{
    struct thread *thread;

    ASSERT_OK(thread_spawn("sleeper", sleep_until_killed, NULL, &thread));
    EXPECT_STATUS(zx_thread_start(thread_handle(thread), 0x200000, 0, 0, 0), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_task_kill(thread_handle(thread)));
    EXPECT_OK(zx_object_wait_one(thread_handle(thread), ZX_THREAD_TERMINATED,
                                 zx_deadline_after(PATIENCE), NULL));
    EXPECT_STATUS(zx_thread_start(thread_handle(thread), 0x200000, 0, 0, 0), ZX_ERR_BAD_STATE);
    thread_join(thread);
}

TEST(thread, starts_at_user_addresses_only)
{
    static const zx_vaddr_t bad[] = {KERNEL_ADDRESS, UINTPTR_MAX, (zx_vaddr_t)1 << 38,
                                     NONCANONICAL_ADDRESS};
    zx_handle_t thread, vmar, process = process_new(zx_job_default(), &vmar);

    ASSERT_OK(zx_thread_create(process, "t", 1, 0, &thread));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        EXPECT_STATUS(zx_thread_start(thread, bad[i], 0, 0, 0), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_thread_start(zx_thread_self(), bad[i], 0, 0, 0), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_process_start(process, thread, bad[i], 0, ZX_HANDLE_INVALID, 0),
                      ZX_ERR_INVALID_ARGS);
    }
    /* Nothing has happened to them. */
    EXPECT_OK(zx_process_start(process, thread, 0, 0, ZX_HANDLE_INVALID, 0));
    EXPECT_OK(
        zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(PATIENCE), NULL));
    close_handle(thread);
    close_handle(vmar);
    close_handle(process);
}

static _Thread_local int own = 5;
static _Thread_local int own_zero;

static int check_thread_local(void *arg)
{
    int value = (int)(intptr_t)arg;

    if (own != 5 || own_zero != 0)
        return -1;
    own = value;
    own_zero = value;
    for (int i = 0; i < 20; i++) {
        zx_nanosleep(0);
        if (own != value || own_zero != value)
            return -2;
    }
    return value;
}

TEST(thread, has_its_own_thread_local_data)
{
    enum { COUNT = 8 };
    struct thread *threads[COUNT];

    for (intptr_t i = 0; i < COUNT; i++)
        ASSERT_OK(thread_spawn("t", check_thread_local, (void *)(i + 100), &threads[i]));
    for (intptr_t i = 0; i < COUNT; i++)
        EXPECT_EQ(thread_join(threads[i]), i + 100);
    EXPECT_EQ(own, 5);
}

static int check_registers(void *arg)
{
    uint64_t seed = (uint64_t)arg * 0x9e3779b97f4a7c15;

    /* Each stretch is longer than a time slice in between, and yields mix the harts. */
    for (int i = 0; i < 8; i++) {
        if (registers_survive(seed + (uint64_t)i * 1000, i % 2 == 0 ? 2000000 : 1000) != 0)
            return 1;
        zx_nanosleep(0);
    }
    return 0;
}

TEST(thread, registers_survive_preemption)
{
    enum { MOST = 32 };
    struct thread *threads[MOST];
    int count = (int)zx_system_get_num_cpus() * 2 + 1;

    if (count > MOST)
        count = MOST;
    for (intptr_t i = 0; i < count; i++)
        ASSERT_OK(thread_spawn("registers", check_registers, (void *)(i + 1), &threads[i]));
    for (int i = 0; i < count; i++)
        EXPECT_EQ(thread_join(threads[i]), 0);
}
