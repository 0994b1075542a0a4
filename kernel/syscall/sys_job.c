/* Jobs. */
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_job_create(zx_handle_t parent_job, uint32_t options, zx_handle_t __user *out)
{
    struct job *parent, *job;
    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = lookup_job(parent_job, ZX_RIGHT_MANAGE_JOB, &parent, NULL);
    if (status != ZX_OK)
        return status;
    status = job_create(parent, &job);
    object_put(&parent->object);
    if (status != ZX_OK)
        return status;
    return user_put_handle(&job->object, ZX_DEFAULT_JOB_RIGHTS, out);
}

#define POLICY_MAX_ENTRIES POLICY_CONDITION_COUNT /* Zircon's limit */

/* Copies the entries in, those of the first version without flags: they cannot be overridden. */
static zx_status_t copy_entries(uint32_t topic, const void __user *policy_user, uint32_t count,
                                zx_policy_basic_v2_t *out)
{
    zx_policy_basic_v1_t old[POLICY_MAX_ENTRIES];
    if (policy_user == NULL || count == 0)
        return ZX_ERR_INVALID_ARGS;
    if (count > POLICY_MAX_ENTRIES)
        return ZX_ERR_OUT_OF_RANGE;
    if (topic == ZX_JOB_POL_BASIC_V2)
        return user_copy_in(out, policy_user, count * sizeof(*out));
    zx_status_t status = user_copy_in(old, policy_user, count * sizeof(old[0]));
    for (uint32_t i = 0; i < count && status == ZX_OK; i++)
        out[i] = (zx_policy_basic_v2_t){old[i].condition, old[i].policy, ZX_POL_OVERRIDE_DENY};
    return status;
}

static zx_status_t set_basic_policy(zx_handle_t handle, uint32_t options, uint32_t topic,
                                    const void __user *policy_user, uint32_t count)
{
    zx_policy_basic_v2_t entries[POLICY_MAX_ENTRIES];
    struct job *job;
    zx_status_t status = copy_entries(topic, policy_user, count, entries);
    if (status != ZX_OK)
        return status;
    status = lookup_job(handle, ZX_RIGHT_SET_POLICY, &job, NULL);
    if (status != ZX_OK)
        return status;
    if (options != ZX_JOB_POL_RELATIVE && options != ZX_JOB_POL_ABSOLUTE)
        status = ZX_ERR_INVALID_ARGS;
    else
        status = job_set_policy(job, options == ZX_JOB_POL_ABSOLUTE, entries, count);
    object_put(&job->object);
    return status;
}

static zx_status_t set_slack_policy(zx_handle_t handle, uint32_t options,
                                    const void __user *policy_user, uint32_t count)
{
    zx_policy_timer_slack_t slack;
    struct job *job;
    if (options != ZX_JOB_POL_RELATIVE || count != 1 || policy_user == NULL)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = user_copy_in(&slack, policy_user, sizeof(slack));
    if (status != ZX_OK)
        return status;
    status = lookup_job(handle, ZX_RIGHT_SET_POLICY, &job, NULL);
    if (status != ZX_OK)
        return status;
    if (slack.min_slack < 0 || slack.default_mode > ZX_TIMER_SLACK_LATE)
        status = ZX_ERR_INVALID_ARGS;
    else
        status = job_set_min_slack(job, slack.min_slack);
    object_put(&job->object);
    return status;
}

/* What is said is looked at before whom it is said to. */
zx_status_t sys_job_set_policy(zx_handle_t handle, uint32_t options, uint32_t topic,
                               const void __user *policy, uint32_t policy_size)
{
    if (topic == ZX_JOB_POL_BASIC_V1 || topic == ZX_JOB_POL_BASIC_V2)
        return set_basic_policy(handle, options, topic, policy, policy_size);
    if (topic == ZX_JOB_POL_TIMER_SLACK)
        return set_slack_policy(handle, options, policy, policy_size);
    return ZX_ERR_INVALID_ARGS;
}

zx_status_t sys_job_set_critical(zx_handle_t job_handle, uint32_t options,
                                 zx_handle_t process_handle)
{
    struct job *job;
    struct process *process;
    if (options & ~ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = lookup_job(job_handle, ZX_RIGHT_DESTROY, &job, NULL);
    if (status != ZX_OK)
        return status;
    status = lookup_process(process_handle, ZX_RIGHT_WAIT, &process, NULL);
    if (status == ZX_OK) {
        status = process_set_critical(process, job,
                                      (options & ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO) != 0);
        object_put(&process->object);
    }
    object_put(&job->object);
    return status;
}
