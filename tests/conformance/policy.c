/* Job policies: setting, inheriting, each condition with each action; critical processes. */
#include "tests/conformance/child.h"

#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/policy.h>

static zx_handle_t job_new(zx_handle_t parent)
{
    zx_handle_t job;

    ASSERT_OK(zx_job_create(parent, 0, &job));
    return job;
}

static zx_status_t set_policy(zx_handle_t job, uint32_t options, uint32_t condition,
                              uint32_t action, uint32_t flags)
{
    zx_policy_basic_v2_t entry = {condition, action, flags};

    return zx_job_set_policy(job, options, ZX_JOB_POL_BASIC_V2, &entry, 1);
}

/* Runs an act of the child in a job with one policy; returns how it ended. */
static int64_t run_under(uint32_t condition, uint32_t action, const char *act)
{
    zx_handle_t job = job_new(zx_job_default());

    ASSERT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, condition, action, ZX_POL_OVERRIDE_DENY));
    struct child child = child_start(act, NULL, ZX_HANDLE_INVALID, job);
    int64_t code = child_end(&child);
    close_handle(job);
    return code;
}

static const struct {
    uint32_t condition;
    const char *act;
    zx_status_t allowed, denied; /* what the act comes to */
} conditions[] = {
    {ZX_POL_BAD_HANDLE, "bad-handle", ZX_ERR_BAD_HANDLE, ZX_ERR_BAD_HANDLE},
    {ZX_POL_BAD_HANDLE, "duplicate-bad-handle", ZX_ERR_BAD_HANDLE, ZX_ERR_BAD_HANDLE},
    {ZX_POL_WRONG_OBJECT, "wrong-object", ZX_ERR_WRONG_TYPE, ZX_ERR_WRONG_TYPE},
    {ZX_POL_VMAR_WX, "writable-code", ZX_ERR_INVALID_ARGS, ZX_ERR_ACCESS_DENIED},
    {ZX_POL_NEW_VMO, "new-vmo", ZX_OK, ZX_ERR_ACCESS_DENIED},
    {ZX_POL_NEW_CHANNEL, "new-channel", ZX_OK, ZX_ERR_ACCESS_DENIED},
    {ZX_POL_NEW_EVENT, "new-event", ZX_OK, ZX_ERR_ACCESS_DENIED},
    {ZX_POL_NEW_EVENTPAIR, "new-eventpair", ZX_OK, ZX_ERR_ACCESS_DENIED},
    {ZX_POL_NEW_PORT, "new-port", ZX_OK, ZX_ERR_ACCESS_DENIED},
    {ZX_POL_NEW_FIFO, "new-fifo", ZX_OK, ZX_ERR_ACCESS_DENIED},
    {ZX_POL_NEW_SOCKET, "new-socket", ZX_OK, ZX_ERR_ACCESS_DENIED},
    {ZX_POL_NEW_TIMER, "new-timer", ZX_OK, ZX_ERR_ACCESS_DENIED},
    {ZX_POL_NEW_PROCESS, "new-process", ZX_OK, ZX_ERR_ACCESS_DENIED},
    {ZX_POL_NEW_IOB, "new-iob", ZX_OK, ZX_ERR_ACCESS_DENIED},
    {ZX_POL_NEW_IOB, "new-shared-region", ZX_OK, ZX_ERR_ACCESS_DENIED},
};
#define NUM_CONDITIONS (sizeof(conditions) / sizeof(conditions[0]))

TEST(policy, each_condition_allowed)
{
    for (size_t i = 0; i < NUM_CONDITIONS; i++)
        EXPECT_EQ(run_under(conditions[i].condition, ZX_POL_ACTION_ALLOW, conditions[i].act),
                  -(int64_t)conditions[i].allowed);
}

TEST(policy, each_condition_denied)
{
    COVERS(vmo_create, ZX_ERR_ACCESS_DENIED);
    COVERS(channel_create, ZX_ERR_ACCESS_DENIED);
    COVERS(event_create, ZX_ERR_ACCESS_DENIED);
    COVERS(eventpair_create, ZX_ERR_ACCESS_DENIED);
    COVERS(port_create, ZX_ERR_ACCESS_DENIED);
    COVERS(fifo_create, ZX_ERR_ACCESS_DENIED);
    COVERS(socket_create, ZX_ERR_ACCESS_DENIED);
    COVERS(timer_create, ZX_ERR_ACCESS_DENIED);
    COVERS(process_create, ZX_ERR_ACCESS_DENIED);
    COVERS(iob_create, ZX_ERR_ACCESS_DENIED);
    COVERS(iob_create_shared_region, ZX_ERR_ACCESS_DENIED);
    for (size_t i = 0; i < NUM_CONDITIONS; i++)
        EXPECT_EQ(run_under(conditions[i].condition, ZX_POL_ACTION_DENY, conditions[i].act),
                  -(int64_t)conditions[i].denied);
}

TEST(policy, each_condition_kills)
{
    for (size_t i = 0; i < NUM_CONDITIONS; i++)
        EXPECT_EQ(run_under(conditions[i].condition, ZX_POL_ACTION_KILL, conditions[i].act),
                  ZX_TASK_RETCODE_POLICY_KILL);
}

TEST(policy, an_unhandled_policy_exception_ends_the_process)
{
    EXPECT_EQ(run_under(ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW_EXCEPTION, "new-event"),
              ZX_TASK_RETCODE_EXCEPTION_KILL);
    EXPECT_EQ(run_under(ZX_POL_BAD_HANDLE, ZX_POL_ACTION_DENY_EXCEPTION, "bad-handle"),
              ZX_TASK_RETCODE_EXCEPTION_KILL);
}

/* Lets the child's policy exception be handled, and returns how the child ended. */
static int64_t run_handled(uint32_t condition, uint32_t action, const char *act, uint32_t data)
{
    zx_handle_t job = job_new(zx_job_default()), channel, exception, thread;
    zx_exception_info_t info;
    zx_exception_report_t report;
    uint32_t state = ZX_EXCEPTION_STATE_HANDLED;

    ASSERT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, condition, action, ZX_POL_OVERRIDE_DENY));
    ASSERT_OK(zx_task_create_exception_channel(job, 0, &channel));
    struct child child = child_start(act, NULL, ZX_HANDLE_INVALID, job);
    ASSERT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE), NULL));
    ASSERT_OK(zx_channel_read(channel, 0, &info, &exception, sizeof(info), 1, NULL, NULL));
    EXPECT_EQ(info.type, ZX_EXCP_POLICY_ERROR);
    EXPECT_EQ(info.pid, koid_of(child.process));
    ASSERT_OK(zx_exception_get_thread(exception, &thread));
    ASSERT_OK(zx_object_get_info(thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &report, sizeof(report),
                                 NULL, NULL));
    EXPECT_EQ(report.context.synth_code,
              condition == ZX_POL_NEW_IOB ? ZX_EXCP_POLICY_CODE_NEW_IOB : condition);
    EXPECT_EQ(report.context.synth_data, data);
    ASSERT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state)));
    close_handle(thread);
    close_handle(exception);
    int64_t code = child_end(&child);
    close_handle(channel);
    close_handle(job);
    return code;
}

TEST(policy, handled_exceptions)
{
    EXPECT_EQ(run_handled(ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW_EXCEPTION, "new-event", 0), 0);
    EXPECT_EQ(run_handled(ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY_EXCEPTION, "new-event", 0),
              -ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(run_handled(ZX_POL_NEW_IOB, ZX_POL_ACTION_ALLOW_EXCEPTION, "new-iob", 0), 0);
    EXPECT_EQ(
        run_handled(ZX_POL_BAD_HANDLE, ZX_POL_ACTION_DENY_EXCEPTION, "bad-handle", 0x7ffffff3),
        -ZX_ERR_BAD_HANDLE);
}

TEST(policy, asking_whether_a_handle_is_valid_is_no_offence)
{
    EXPECT_EQ(run_under(ZX_POL_BAD_HANDLE, ZX_POL_ACTION_KILL, "ask-bad-handle"),
              -ZX_ERR_BAD_HANDLE);
}

TEST(policy, new_any_stands_for_all_that_is_made)
{
    for (size_t i = 0; i < NUM_CONDITIONS; i++) {
        bool is_new = conditions[i].condition > ZX_POL_NEW_ANY;
        EXPECT_EQ(run_under(ZX_POL_NEW_ANY, ZX_POL_ACTION_DENY, conditions[i].act),
                  -(int64_t)(is_new ? conditions[i].denied : conditions[i].allowed));
    }
}

TEST(policy, a_child_job_inherits)
{
    zx_handle_t job = job_new(zx_job_default());

    ASSERT_OK(set_policy(job, ZX_JOB_POL_RELATIVE, ZX_POL_NEW_PORT, ZX_POL_ACTION_DENY,
                         ZX_POL_OVERRIDE_DENY));
    ASSERT_OK(set_policy(job, ZX_JOB_POL_RELATIVE, ZX_POL_NEW_FIFO, ZX_POL_ACTION_DENY,
                         ZX_POL_OVERRIDE_ALLOW));
    zx_handle_t below = job_new(job);
    /* The one is fixed for ever, the other may be changed. */
    EXPECT_STATUS(set_policy(below, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_PORT, ZX_POL_ACTION_ALLOW, 0),
                  ZX_ERR_ALREADY_EXISTS);
    EXPECT_OK(set_policy(below, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_PORT, ZX_POL_ACTION_DENY, 0));
    EXPECT_OK(set_policy(below, ZX_JOB_POL_RELATIVE, ZX_POL_NEW_PORT, ZX_POL_ACTION_ALLOW, 0));
    EXPECT_OK(set_policy(below, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_FIFO, ZX_POL_ACTION_ALLOW, 0));
    struct child child = child_start("new-port", NULL, ZX_HANDLE_INVALID, below);
    EXPECT_EQ(child_end(&child), -ZX_ERR_ACCESS_DENIED);
    child = child_start("new-fifo", NULL, ZX_HANDLE_INVALID, below);
    EXPECT_EQ(child_end(&child), 0);
    close_handle(below);
    close_handle(job);
}

TEST(policy, all_or_nothing)
{
    zx_handle_t job = job_new(zx_job_default());
    zx_policy_basic_v2_t entries[] = {
        {ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_DENY},
        {ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW, ZX_POL_OVERRIDE_DENY},
    };

    EXPECT_STATUS(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V2, entries, 2),
                  ZX_ERR_ALREADY_EXISTS);
    struct child child = child_start("new-event", NULL, ZX_HANDLE_INVALID, job);
    EXPECT_EQ(child_end(&child), 0);
    close_handle(job);
}

TEST(policy, the_first_version_cannot_be_overridden)
{
    zx_handle_t job = job_new(zx_job_default());
    zx_policy_basic_v1_t entry = {ZX_POL_NEW_TIMER, ZX_POL_ACTION_DENY};

    ASSERT_OK(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V1, &entry, 1));
    entry.policy = ZX_POL_ACTION_ALLOW;
    EXPECT_STATUS(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V1, &entry, 1),
                  ZX_ERR_ALREADY_EXISTS);
    struct child child = child_start("new-timer", NULL, ZX_HANDLE_INVALID, job);
    EXPECT_EQ(child_end(&child), -ZX_ERR_ACCESS_DENIED);
    close_handle(job);
}

TEST(policy, set_checks_its_arguments)
{
    zx_handle_t job = job_new(zx_job_default()), below, weak;
    zx_policy_basic_v2_t entry = {ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_DENY};
    static const zx_policy_basic_v2_t many[18];
    const uint32_t v2 = ZX_JOB_POL_BASIC_V2;

    EXPECT_STATUS(zx_job_set_policy(job, 2, v2, &entry, 1), ZX_ERR_INVALID_ARGS);
    /* The policy is looked at before the job, the mode after it. */
    EXPECT_STATUS(zx_job_set_policy(ZX_HANDLE_INVALID, 0, 99, &entry, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(ZX_HANDLE_INVALID, 0, v2, NULL, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(ZX_HANDLE_INVALID, 0, v2, many, 18), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_job_set_policy(ZX_HANDLE_INVALID, 2, v2, &entry, 1), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_job_set_policy(job, 0, 99, &entry, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, 0, v2, NULL, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, 0, v2, &entry, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, 0, v2, many, 18), ZX_ERR_OUT_OF_RANGE);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_STATUS(zx_job_set_policy(job, 0, v2, (void *)bad_addresses[i], 1),
                      ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(set_policy(job, 0, 17, ZX_POL_ACTION_DENY, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(set_policy(job, 0, ZX_POL_NEW_EVENT, 5, 0), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(set_policy(job, 0, ZX_POL_NEW_EVENT, 0, 2), ZX_ERR_INVALID_ARGS);
    weak = duplicate_without(job, ZX_RIGHT_SET_POLICY);
    EXPECT_STATUS(zx_job_set_policy(weak, 0, v2, &entry, 1), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    EXPECT_STATUS(zx_job_set_policy(zx_process_self(), 0, v2, &entry, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_job_set_policy(ZX_HANDLE_INVALID, 0, v2, &entry, 1), ZX_ERR_BAD_HANDLE);
    below = job_new(job);
    EXPECT_STATUS(zx_job_set_policy(job, 0, v2, &entry, 1), ZX_ERR_BAD_STATE);
    close_handle(below);
    EXPECT_OK(zx_job_set_policy(job, 0, v2, &entry, 1));
    close_handle(job);
}

TEST(policy, timer_slack)
{
    zx_handle_t job = job_new(zx_job_default());
    zx_policy_timer_slack_t slack = {.min_slack = 1234, .default_mode = ZX_TIMER_SLACK_LATE};
    const uint32_t topic = ZX_JOB_POL_TIMER_SLACK;

    EXPECT_STATUS(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, topic, &slack, 1),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, 0, topic, &slack, 2), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, 0, topic, NULL, 1), ZX_ERR_INVALID_ARGS);
    slack.default_mode = ZX_TIMER_SLACK_LATE + 1;
    EXPECT_STATUS(zx_job_set_policy(job, 0, topic, &slack, 1), ZX_ERR_INVALID_ARGS);
    slack.default_mode = ZX_TIMER_SLACK_CENTER;
    slack.min_slack = -1;
    EXPECT_STATUS(zx_job_set_policy(job, 0, topic, &slack, 1), ZX_ERR_INVALID_ARGS);
    slack.min_slack = 1234;
    EXPECT_OK(zx_job_set_policy(job, 0, topic, &slack, 1));
    slack.min_slack = 7; /* less than it has already */
    EXPECT_OK(zx_job_set_policy(job, 0, topic, &slack, 1));
    struct child child = child_start("timer-slack", NULL, ZX_HANDLE_INVALID, job);
    EXPECT_EQ(child_end(&child), 1234);
    close_handle(job);
}

/* ---- Jobs: critical processes, the property ---- */

static int64_t job_return_code(zx_handle_t job)
{
    zx_info_job_t info = {0};

    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, zx_deadline_after(PATIENCE), NULL));
    EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB, &info, sizeof(info), NULL, NULL));
    EXPECT(info.exited);
    return info.return_code;
}

TEST(policy, a_critical_process_takes_its_job_along)
{
    zx_handle_t job = job_new(zx_job_default()), below = job_new(job);
    struct child bystander = child_start("wait", NULL, ZX_HANDLE_INVALID, below);
    struct child child = child_start("wait", NULL, ZX_HANDLE_INVALID, below);

    ASSERT_OK(zx_job_set_critical(job, 0, child.process));
    EXPECT_STATUS(zx_job_set_critical(below, 0, child.process), ZX_ERR_ALREADY_BOUND);
    close_handle(child.channel);
    EXPECT_EQ(job_return_code(job), ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
    EXPECT_EQ(child_end(&bystander), ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
    close_handle(child.process);
    close_handle(below);
    close_handle(job);
}

TEST(policy, critical_only_if_it_fails)
{
    for (int code = 0; code < 2; code++) {
        zx_handle_t job = job_new(zx_job_default());
        struct child bystander = child_start("wait", NULL, ZX_HANDLE_INVALID, job);
        struct child child = child_start("wait", NULL, ZX_HANDLE_INVALID, job);
        ASSERT_OK(zx_job_set_critical(job, ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO, child.process));
        if (code != 0)
            ASSERT_OK(zx_task_kill(child.process));
        else
            close_handle(child.channel);
        EXPECT_OK(zx_object_wait_one(child.process, ZX_PROCESS_TERMINATED,
                                     zx_deadline_after(PATIENCE), NULL));
        close_handle(child.process);
        if (code != 0) {
            close_handle(child.channel);
            EXPECT_EQ(job_return_code(job), ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
            child_end(&bystander);
        } else {
            EXPECT_STATUS(zx_object_wait_one(job, ZX_JOB_TERMINATED, 0, NULL), ZX_ERR_TIMED_OUT);
            ASSERT_OK(zx_task_kill(bystander.process));
            EXPECT_EQ(child_end(&bystander), ZX_TASK_RETCODE_SYSCALL_KILL);
        }
        close_handle(job);
    }
}

TEST(policy, critical_checks_its_arguments)
{
    zx_handle_t job = job_new(zx_job_default()), other = job_new(zx_job_default()), vmar, weak;
    zx_handle_t process = process_new(job, &vmar);

    EXPECT_STATUS(zx_job_set_critical(job, 2, process), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_critical(other, 0, process), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_critical(process, 0, process), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_job_set_critical(job, 0, job), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_job_set_critical(ZX_HANDLE_INVALID, 0, process), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_job_set_critical(job, 0, ZX_HANDLE_INVALID), ZX_ERR_BAD_HANDLE);
    weak = duplicate_without(job, ZX_RIGHT_DESTROY);
    EXPECT_STATUS(zx_job_set_critical(weak, 0, process), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    weak = duplicate_without(process, ZX_RIGHT_WAIT);
    EXPECT_STATUS(zx_job_set_critical(job, 0, weak), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    ASSERT_OK(zx_task_kill(process));
    EXPECT_STATUS(zx_job_set_critical(job, 0, process), ZX_ERR_BAD_STATE);
    close_handle(vmar);
    close_handle(process);
    close_handle(other);
    close_handle(job);
}

TEST(policy, kill_on_oom_property)
{
    zx_handle_t job = job_new(zx_job_default());
    zx_info_job_t info;
    size_t value = 2;

    EXPECT_STATUS(zx_object_set_property(job, ZX_PROP_JOB_KILL_ON_OOM, &value, sizeof(value)),
                  ZX_ERR_INVALID_ARGS);
    value = 1;
    EXPECT_STATUS(zx_object_set_property(job, ZX_PROP_JOB_KILL_ON_OOM, &value, 4),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_OK(zx_object_set_property(job, ZX_PROP_JOB_KILL_ON_OOM, &value, sizeof(value)));
    EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB, &info, sizeof(info), NULL, NULL));
    EXPECT(info.kill_on_oom);
    EXPECT(!info.exited);
    EXPECT_STATUS(
        zx_object_set_property(zx_process_self(), ZX_PROP_JOB_KILL_ON_OOM, &value, sizeof(value)),
        ZX_ERR_WRONG_TYPE);
    close_handle(job);
}
