/* Jobs and their signals; the memory of other processes; who owns a futex. */
#include "tests/conformance/child.h"

#include <stdatomic.h>
#include <string.h>

#include "userland/libzx/thread.h"

static zx_signals_t signals_of(zx_handle_t handle)
{
    zx_signals_t observed = 0;

    EXPECT_STATUS(zx_object_wait_one(handle, 0, 0, &observed), ZX_ERR_TIMED_OUT);
    return observed;
}

TEST(job, signals_say_what_is_in_it)
{
    zx_handle_t job, below, vmar, process;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    EXPECT_EQ(rights_of(job), ZX_DEFAULT_JOB_RIGHTS);
    EXPECT_EQ(signals_of(job), ZX_JOB_NO_JOBS | ZX_JOB_NO_PROCESSES);
    ASSERT_OK(zx_job_create(job, 0, &below));
    EXPECT_EQ(signals_of(job), ZX_JOB_NO_PROCESSES);
    process = process_new(job, &vmar);
    EXPECT_EQ(signals_of(job), 0);
    close_handle(below); /* nothing else keeps it */
    EXPECT_EQ(signals_of(job), ZX_JOB_NO_JOBS);
    ASSERT_OK(zx_task_kill(process));
    EXPECT_EQ(signals_of(job), ZX_JOB_NO_JOBS | ZX_JOB_NO_PROCESSES);
    ASSERT_OK(zx_task_kill(job));
    EXPECT_EQ(signals_of(job), ZX_JOB_TERMINATED | ZX_JOB_NO_JOBS | ZX_JOB_NO_PROCESSES);
    close_handle(vmar);
    close_handle(process);
    close_handle(job);
}

TEST(job, a_killed_job_takes_nothing_new)
{
    zx_handle_t job, out = SENTINEL_HANDLE, other = SENTINEL_HANDLE;
    zx_info_job_t info;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    ASSERT_OK(zx_task_kill(job));
    EXPECT_STATUS(zx_job_create(job, 0, &out), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_process_create(job, "x", 1, 0, &out, &other), ZX_ERR_BAD_STATE);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    EXPECT_EQ(other, SENTINEL_HANDLE);
    ASSERT_OK(zx_object_get_info(job, ZX_INFO_JOB, &info, sizeof(info), NULL, NULL));
    EXPECT(info.exited);
    EXPECT_EQ(info.return_code, ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_OK(zx_task_kill(job)); /* again */
    close_handle(job);
}

TEST(job, the_tree_has_a_depth)
{
    zx_handle_t jobs[40];
    int count = 0;
    zx_status_t status;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &jobs[count++]));
    while ((status = zx_job_create(jobs[count - 1], 0, &jobs[count])) == ZX_OK && count < 39)
        count++;
    EXPECT_STATUS(status, ZX_ERR_OUT_OF_RANGE);
    EXPECT(count > 8);
    /* Killing the top reaches the bottom. */
    ASSERT_OK(zx_task_kill(jobs[0]));
    EXPECT_OK(
        zx_object_wait_one(jobs[count - 1], ZX_JOB_TERMINATED, zx_deadline_after(PATIENCE), NULL));
    while (count > 0)
        close_handle(jobs[--count]);
}

TEST(job, create_checks_its_arguments)
{
    zx_handle_t out = SENTINEL_HANDLE;
    zx_handle_t weak = duplicate_without(zx_job_default(), ZX_RIGHT_MANAGE_JOB);

    EXPECT_STATUS(zx_job_create(zx_job_default(), 1, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_create(zx_job_default(), 0, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_create(weak, 0, &out), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_job_create(zx_process_self(), 0, &out), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_job_create(ZX_HANDLE_INVALID, 0, &out), ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    close_handle(weak);
}

/* ---- Memory of other processes ---- */

TEST(job, memory_is_read_up_to_its_end)
{
    zx_handle_t vmar, process = process_new(zx_job_default(), &vmar), vmo = vmo_new(2 * PAGE);
    static uint8_t buffer[4 * 4096];
    zx_vaddr_t addr;
    size_t actual = 77;

    /* Two pages of which the second is not readable, one page past the VMO's end, then nothing. */
    ASSERT_OK(zx_vmar_map(vmar, ZX_VM_PERM_READ | ZX_VM_ALLOW_FAULTS, 0, vmo, 0, 3 * PAGE, &addr));
    ASSERT_OK(zx_vmar_protect(vmar, 0, addr + PAGE, PAGE));
    vmo_store(vmo, 0, 11);
    vmo_store(vmo, 2 * PAGE - 8, 22);
    memset(buffer, 0xee, sizeof(buffer));
    ASSERT_OK(zx_process_read_memory(process, addr, buffer, sizeof(buffer), &actual));
    EXPECT_EQ(actual, 2 * PAGE);
    EXPECT_EQ(*(uint64_t *)buffer, 11);
    EXPECT_EQ(*(uint64_t *)(buffer + 2 * PAGE - 8), 22);
    EXPECT_EQ(buffer[2 * PAGE], 0xee);
    EXPECT_STATUS(zx_process_read_memory(process, addr + 2 * PAGE, buffer, 8, &actual),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_process_read_memory(process, addr + 3 * PAGE, buffer, 8, &actual),
                  ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_process_write_memory(process, addr + 2 * PAGE, buffer, 8, &actual),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_process_write_memory(process, addr + 3 * PAGE, buffer, 8, &actual),
                  ZX_ERR_NOT_FOUND);
    /* Permissions of the mapping do not matter. */
    *(uint64_t *)buffer = 33;
    EXPECT_OK(zx_process_write_memory(process, addr + PAGE, buffer, 8, &actual));
    EXPECT_EQ(actual, 8);
    EXPECT_EQ(vmo_load(vmo, PAGE), 33);
    ASSERT_OK(zx_task_kill(process));
    EXPECT_STATUS(zx_process_read_memory(process, addr, buffer, 8, &actual), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_process_write_memory(process, addr, buffer, 8, &actual), ZX_ERR_BAD_STATE);
    close_handle(vmar);
    close_handle(process);
    close_handle(vmo);
}

TEST(job, memory_calls_check_their_arguments)
{
    uint64_t word = 0;
    size_t actual = 77;
    const size_t too_much = ((size_t)64 << 20) + 1;
    zx_handle_t self = zx_process_self();
    zx_handle_t weak = duplicate_without(self, ZX_RIGHT_WRITE);
    zx_vaddr_t at = (zx_vaddr_t)&word;

    EXPECT_STATUS(zx_process_read_memory(self, at, NULL, 8, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_read_memory(self, at, &word, 0, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_read_memory(self, at, &word, too_much, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_write_memory(self, at, NULL, 8, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_write_memory(self, at, &word, 0, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_write_memory(self, at, &word, too_much, &actual), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        EXPECT_STATUS(zx_process_read_memory(self, at, bad, 8, &actual), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_process_write_memory(self, at, bad, 8, &actual), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_process_read_memory(self, bad_addresses[i], &word, 8, &actual),
                      ZX_ERR_NOT_FOUND);
    }
    EXPECT_STATUS(zx_process_read_memory(weak, at, &word, 8, &actual), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_process_write_memory(weak, at, &word, 8, &actual), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    EXPECT_STATUS(zx_process_read_memory(zx_thread_self(), at, &word, 8, &actual),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_process_write_memory(zx_thread_self(), at, &word, 8, &actual),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_process_read_memory(ZX_HANDLE_INVALID, at, &word, 8, &actual),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_process_write_memory(ZX_HANDLE_INVALID, at, &word, 8, &actual),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(actual, 77);
    EXPECT_OK(zx_process_read_memory(self, at, &word, 8, &actual));
    EXPECT_EQ(actual, 8);
}

/* ---- Owners of futexes ---- */

struct sleeper {
    zx_futex_t *word;
    zx_handle_t owner;
    zx_status_t status;
};

static int sleep_with_owner(void *arg)
{
    struct sleeper *sleeper = arg;

    sleeper->status = zx_futex_wait(sleeper->word, 0, sleeper->owner, zx_deadline_after(PATIENCE));
    return 0;
}

static zx_koid_t owner_of(const zx_futex_t *word)
{
    zx_koid_t koid = 1;

    EXPECT_OK(zx_futex_get_owner(word, &koid));
    return koid;
}

static int sleep_for_ever(void *arg)
{
    (void)arg;
    return zx_nanosleep(ZX_TIME_INFINITE);
}

/* Kills the thread and waits for its end. */
static void end_thread(struct thread *thread)
{
    EXPECT_OK(zx_task_kill(thread_handle(thread)));
    EXPECT_OK(zx_object_wait_one(thread_handle(thread), ZX_THREAD_TERMINATED,
                                 zx_deadline_after(PATIENCE), NULL));
}

TEST(job, only_a_living_thread_owns_a_futex)
{
    static zx_futex_t words[2];
    struct thread *owner, *waiter;
    zx_handle_t fresh;

    atomic_store(&words[0], 0);
    ASSERT_OK(zx_thread_create(zx_process_self(), "fresh", 5, 0, &fresh));
    EXPECT_STATUS(zx_futex_wait(&words[0], 0, fresh, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_wait(&words[0], 1, fresh, 0), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_futex_requeue(&words[0], 0, 0, &words[1], 1, fresh), ZX_ERR_INVALID_ARGS);
    close_handle(fresh);

    ASSERT_OK(thread_spawn("owner", sleep_for_ever, NULL, &owner));
    struct sleeper sleeper = {&words[0], thread_handle(owner), 1};
    ASSERT_OK(thread_spawn("waiter", sleep_with_owner, &sleeper, &waiter));
    EXPECT(thread_reaches_state(thread_handle(waiter), ZX_THREAD_STATE_BLOCKED_FUTEX));
    EXPECT_EQ(owner_of(&words[0]), koid_of(thread_handle(owner)));
    end_thread(owner);
    EXPECT_EQ(owner_of(&words[0]), 0);
    EXPECT_OK(zx_futex_requeue(&words[0], 0, 0, &words[1], 1, thread_handle(owner)));
    EXPECT_EQ(owner_of(&words[1]), 0);
    EXPECT_OK(zx_futex_wake(&words[1], 1));
    thread_join(waiter);
    EXPECT_OK(sleeper.status);
    /* Waiting on behalf of a thread that has ended is waiting without an owner. */
    EXPECT_STATUS(zx_futex_wait(&words[0], 0, thread_handle(owner), 0), ZX_ERR_TIMED_OUT);
    thread_join(owner);
}

TEST(job, a_futex_has_an_owner_while_somebody_waits)
{
    static zx_futex_t words[2];
    struct sleeper sleepers[2] = {{&words[0], zx_thread_self(), 1},
                                  {&words[0], zx_thread_self(), 1}};
    zx_koid_t self = koid_of(zx_thread_self());
    struct thread *threads[2];
    zx_handle_t event;

    atomic_store(&words[0], 0);
    EXPECT_EQ(owner_of(&words[0]), 0);
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(thread_spawn("sleeper", sleep_with_owner, &sleepers[i], &threads[i]));
        EXPECT(thread_reaches_state(thread_handle(threads[i]), ZX_THREAD_STATE_BLOCKED_FUTEX));
    }
    EXPECT_EQ(owner_of(&words[0]), self);
    /* A thread that waits for the futex cannot own it, and neither can the one that asks. */
    EXPECT_STATUS(zx_futex_wait(&words[0], 0, zx_thread_self(), 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_wait(&words[0], 0, thread_handle(threads[0]), 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_requeue(&words[0], 0, 0, &words[1], 1, thread_handle(threads[1])),
                  ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_futex_wait(&words[0], 0, event, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_futex_wait(&words[0], 1, event, 0), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_futex_requeue(&words[0], 0, 0, &words[1], 1, event), ZX_ERR_WRONG_TYPE);
    close_handle(event);
    EXPECT_STATUS(zx_futex_wait(&words[0], 0, event, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(owner_of(&words[0]), self);

    EXPECT_OK(zx_futex_requeue(&words[0], 0, 0, &words[1], 1, zx_thread_self()));
    EXPECT_EQ(owner_of(&words[1]), self);
    EXPECT_OK(zx_futex_wake_single_owner(&words[1]));
    EXPECT_EQ(owner_of(&words[1]), 0); /* nobody waits there any more */
    EXPECT_OK(zx_futex_wake(&words[0], 1));
    EXPECT_EQ(owner_of(&words[0]), 0);
    for (int i = 0; i < 2; i++) {
        thread_join(threads[i]);
        EXPECT_OK(sleepers[i].status);
    }
    EXPECT_STATUS(zx_futex_get_owner(NULL, &self), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_futex_get_owner(&words[0], NULL), ZX_ERR_INVALID_ARGS);
}
