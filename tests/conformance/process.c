/* Jobs and processes: creation, start, ends. */
#include "tests/conformance/child.h"

#include <string.h>

TEST(process, exit_codes)
{
    static const struct {
        const char *text;
        int64_t code;
    } cases[] = {{"0", 0}, {"1", 1}, {"255", 255}, {"-7", -7}, {"123456", 123456}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct child child = child_start("exit", cases[i].text, 0, 0);
        EXPECT_EQ(child_end(&child), cases[i].code);
    }
}

TEST(process, the_last_thread_ends_it)
{
    struct child child = child_start("thread-exit", NULL, 0, 0);

    EXPECT_EQ(child_end(&child), 0);
}

TEST(process, any_thread_may_end_it)
{
    struct child child = child_start("abort-by-thread", "42", 0, 0);

    EXPECT_EQ(child_end(&child), 42);
}

TEST(process, its_handles_are_closed_at_its_end)
{
    zx_handle_t mine, theirs;

    ASSERT_OK(zx_eventpair_create(0, &mine, &theirs));
    struct child child = child_start("wait", NULL, theirs, 0);
    EXPECT_STATUS(zx_object_wait_one(mine, ZX_EVENTPAIR_PEER_CLOSED, 0, NULL), ZX_ERR_TIMED_OUT);
    ASSERT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_end(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_OK(
        zx_object_wait_one(mine, ZX_EVENTPAIR_PEER_CLOSED, zx_deadline_after(PATIENCE), NULL));
    close_handle(mine);
}

TEST(process, killing_one_that_sleeps)
{
    struct child child = child_start("wait", NULL, 0, 0);
    zx_info_process_t info;

    EXPECT_STATUS(zx_object_wait_one(child.process, ZX_PROCESS_TERMINATED,
                                     zx_deadline_after(ZX_MSEC(20)), NULL),
                  ZX_ERR_TIMED_OUT);
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_OK(zx_object_wait_one(child.process, ZX_PROCESS_TERMINATED, zx_deadline_after(PATIENCE),
                                 NULL));
    ASSERT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.flags, ZX_INFO_PROCESS_FLAG_STARTED | ZX_INFO_PROCESS_FLAG_EXITED);
    EXPECT_OK(zx_task_kill(child.process)); /* again is fine */
    EXPECT_EQ(child_end(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
}

TEST(process, killing_one_that_runs)
{
    struct child child = child_start("spin", NULL, 0, 0);

    zx_nanosleep(zx_deadline_after(ZX_MSEC(10)));
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_end(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
}

TEST(process, killing_needs_destroy_and_a_task)
{
    struct child child = child_start("wait", NULL, 0, 0);
    zx_handle_t weak = duplicate_without(child.process, ZX_RIGHT_DESTROY), event;

    EXPECT_STATUS(zx_task_kill(weak), ZX_ERR_ACCESS_DENIED);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_task_kill(event), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_task_kill(ZX_HANDLE_INVALID), ZX_ERR_BAD_HANDLE);
    close_handle(weak);
    close_handle(event);
    ASSERT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_end(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
}

TEST(process, killing_a_job_kills_what_is_in_it)
{
    zx_handle_t job, inner, late = SENTINEL_HANDLE, vmar;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    ASSERT_OK(zx_job_create(job, 0, &inner));
    struct child a = child_start("wait", NULL, 0, job), b = child_start("spin", NULL, 0, inner);
    ASSERT_OK(zx_task_kill(job));
    EXPECT_EQ(child_end(&a), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_EQ(child_end(&b), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, zx_deadline_after(PATIENCE), NULL));
    EXPECT_STATUS(zx_process_create(job, "late", 4, 0, &late, &vmar), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_job_create(inner, 0, &late), ZX_ERR_BAD_STATE);
    EXPECT_EQ(late, SENTINEL_HANDLE);
    close_handle(inner);
    close_handle(job);
}

TEST(process, an_echo_of_bytes_and_handles)
{
    struct child child = child_start("echo", NULL, 0, 0);
    zx_handle_t event;
    char text[8];
    uint32_t bytes, handles;

    for (int i = 0; i < 50; i++) {
        ASSERT_OK(zx_event_create(0, &event));
        zx_koid_t koid = koid_of(event);
        ASSERT_OK(zx_channel_write(child.channel, 0, "abcdefg", 8, &event, 1));
        ASSERT_OK(zx_object_wait_one(child.channel, ZX_CHANNEL_READABLE,
                                     zx_deadline_after(PATIENCE), NULL));
        ASSERT_OK(
            zx_channel_read(child.channel, 0, text, &event, sizeof(text), 1, &bytes, &handles));
        EXPECT_EQ(bytes, 8);
        EXPECT(memcmp(text, "abcdefg", 8) == 0);
        EXPECT_EQ(koid_of(event), koid);
        close_handle(event);
    }
    int64_t code;
    close_handle(child.channel);
    ASSERT_OK(zx_handle_duplicate(child.process, ZX_RIGHT_SAME_RIGHTS, &child.channel));
    code = child_end(&child);
    EXPECT_EQ(code, 0);
}

/* ---- zx_process_create ---- */

TEST(process, creation)
{
    zx_handle_t vmar, process = process_new(zx_job_default(), &vmar);
    zx_info_process_t info;
    zx_info_vmar_t range;
    char name[ZX_MAX_NAME_LEN];

    EXPECT_EQ(rights_of(process), ZX_DEFAULT_PROCESS_RIGHTS);
    EXPECT_EQ(basic_info(process).related_koid, koid_of(zx_job_default()));
    EXPECT_EQ(rights_of(vmar), ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHTS_IO | ZX_RIGHT_EXECUTE);
    ASSERT_OK(zx_object_get_info(vmar, ZX_INFO_VMAR, &range, sizeof(range), NULL, NULL));
    EXPECT_EQ(range.base, 0x200000);
    ASSERT_OK(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.flags, 0);
    ASSERT_OK(zx_object_get_property(process, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT(strcmp(name, "empty") == 0);
    EXPECT_STATUS(zx_vmar_destroy(vmar), ZX_ERR_NOT_SUPPORTED);
    close_handle(vmar);
    close_handle(process); /* it dies with its last handle */
}

TEST(process, creation_checks_its_arguments)
{
    zx_handle_t process = SENTINEL_HANDLE, vmar = SENTINEL_HANDLE, event;
    zx_handle_t job = zx_job_default();
    zx_handle_t weak = duplicate_without(job, ZX_RIGHT_MANAGE_PROCESS);

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_process_create(ZX_HANDLE_INVALID, "x", 1, 0, &process, &vmar),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_process_create(event, "x", 1, 0, &process, &vmar), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_process_create(weak, "x", 1, 0, &process, &vmar), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_process_create(job, "x", 1, 0x80, &process, &vmar), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_create(job, NULL, 1, 0, &process, &vmar), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        EXPECT_STATUS(zx_process_create(job, bad, 8, 0, &process, &vmar), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_process_create(job, "x", 1, 0, bad, &vmar), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_process_create(job, "x", 1, 0, &process, bad), ZX_ERR_INVALID_ARGS);
    }
    EXPECT_EQ(process, SENTINEL_HANDLE);
    EXPECT_EQ(vmar, SENTINEL_HANDLE);
    close_handle(weak);
    close_handle(event);
}

TEST(process, memory_can_be_prepared_before_it_starts)
{
    zx_handle_t vmar, process = process_new(zx_job_default(), &vmar), vmo = vmo_new(2 * PAGE);
    zx_vaddr_t addr;
    uint64_t value = 0x1234, back = 0;
    size_t actual = 0;

    ASSERT_OK(zx_vmar_map(vmar, RW, 0, vmo, 0, 2 * PAGE, &addr));
    EXPECT_OK(zx_process_write_memory(process, addr + PAGE - 4, &value, 8, &actual));
    EXPECT_EQ(actual, 8);
    EXPECT_OK(zx_process_read_memory(process, addr + PAGE - 4, &back, 8, &actual));
    EXPECT_EQ(actual, 8);
    EXPECT_EQ(back, value);
    EXPECT_OK(zx_vmo_read(vmo, &back, PAGE - 4, 8));
    EXPECT_EQ(back, value);
    EXPECT_STATUS(zx_process_read_memory(process, addr - PAGE, &back, 8, &actual),
                  ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_process_read_memory(process, addr, NULL, 8, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_read_memory(process, addr, &back, 0, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_process_read_memory(process, KERNEL_ADDRESS, &back, 8, &actual),
                  ZX_ERR_NOT_FOUND);
    close_handle(vmar);
    close_handle(process);
    close_handle(vmo);
}

TEST(process, killing_one_that_never_started)
{
    zx_handle_t vmar, process = process_new(zx_job_default(), &vmar), vmo = vmo_new(PAGE);
    zx_vaddr_t addr;

    ASSERT_OK(zx_vmar_map(vmar, RW, 0, vmo, 0, PAGE, &addr));
    EXPECT_OK(zx_task_kill(process));
    EXPECT_OK(
        zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(PATIENCE), NULL));
    EXPECT_MAP_FAILS(vmar, RW, 0, vmo, 0, PAGE, ZX_ERR_BAD_STATE);
    close_handle(vmar);
    close_handle(process);
    close_handle(vmo);
}

/* ---- zx_process_start ---- */

TEST(process, start_checks_its_arguments)
{
    zx_handle_t vmar[2], process[2], thread, arg;

    for (int i = 0; i < 2; i++)
        process[i] = process_new(zx_job_default(), &vmar[i]);
    ASSERT_OK(zx_thread_create(process[0], "t", 1, 0, &thread));
    EXPECT_STATUS(zx_thread_start(thread, 0x200000, 0, 0, 0), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_process_start(process[1], thread, 0x200000, 0, ZX_HANDLE_INVALID, 0),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_process_start(ZX_HANDLE_INVALID, thread, 0x200000, 0, ZX_HANDLE_INVALID, 0),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_process_start(process[0], process[0], 0x200000, 0, ZX_HANDLE_INVALID, 0),
                  ZX_ERR_WRONG_TYPE);
    /* The argument is consumed by a failure, too. */
    ASSERT_OK(zx_event_create(0, &arg));
    EXPECT_STATUS(zx_process_start(process[1], thread, 0x200000, 0, arg, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_handle_check_valid(arg), ZX_ERR_BAD_HANDLE);
    /* What is wrong with the handles before it comes first. */
    ASSERT_OK(zx_event_create(0, &arg));
    ASSERT_OK(zx_handle_replace(arg, ZX_RIGHT_WAIT, &arg));
    EXPECT_STATUS(zx_process_start(thread, thread, 0x200000, 0, arg, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_handle_check_valid(arg), ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_event_create(0, &arg));
    ASSERT_OK(zx_handle_replace(arg, ZX_RIGHT_WAIT, &arg));
    EXPECT_STATUS(zx_process_start(process[0], thread, 0x200000, 0, arg, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_handle_check_valid(arg), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_process_start(process[0], thread, 0x200000, 0, arg, 0), ZX_ERR_BAD_HANDLE);
    close_handle(thread);
    for (int i = 0; i < 2; i++) {
        close_handle(vmar[i]);
        close_handle(process[i]);
    }
}

TEST(process, one_that_faults_at_once_is_ended)
{
    zx_handle_t vmar, process = process_new(zx_job_default(), &vmar), thread, arg;
    zx_info_process_t info;

    ASSERT_OK(zx_thread_create(process, "t", 1, 0, &thread));
    ASSERT_OK(zx_event_create(0, &arg));
    ASSERT_OK(zx_process_start(process, thread, 0x200000, 0, arg, 0));
    EXPECT_OK(
        zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(PATIENCE), NULL));
    ASSERT_OK(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.return_code, ZX_TASK_RETCODE_EXCEPTION_KILL);
    EXPECT_STATUS(zx_process_start(process, thread, 0x200000, 0, ZX_HANDLE_INVALID, 0),
                  ZX_ERR_BAD_STATE);
    close_handle(thread);
    close_handle(vmar);
    close_handle(process);
}

TEST(process, a_hundred_one_after_the_other)
{
    for (int i = 0; i < 100; i++) {
        zx_handle_t vmar, process = process_new(zx_job_default(), &vmar), thread;
        ASSERT_OK(zx_thread_create(process, "t", 1, 0, &thread));
        ASSERT_OK(zx_process_start(process, thread, 0x200000, 0, ZX_HANDLE_INVALID, 0));
        if (i % 2 == 0)
            EXPECT_OK(zx_task_kill(process));
        EXPECT_OK(
            zx_object_wait_one(process, ZX_PROCESS_TERMINATED, zx_deadline_after(PATIENCE), NULL));
        close_handle(thread);
        close_handle(vmar);
        close_handle(process);
    }
}
