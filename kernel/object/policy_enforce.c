/* Job policies as they are enforced. */
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/object.h>

#include "kernel/object/job.h"
#include "kernel/object/policy.h"
#include "kernel/object/process.h"
#include "kernel/object/thread.h"

/* The conditions are the codes, but for one. */
static uint32_t exception_code(uint32_t condition)
{
    return condition == ZX_POL_NEW_IOB ? ZX_EXCP_POLICY_CODE_NEW_IOB : condition;
}

static zx_status_t enforce(struct process *process, uint32_t condition, uint32_t data)
{
    uint32_t action = process->job->policy.actions[condition];
    switch (action) {
    case ZX_POL_ACTION_ALLOW:
        return ZX_OK;
    case ZX_POL_ACTION_ALLOW_EXCEPTION:
    case ZX_POL_ACTION_DENY_EXCEPTION:
        user_thread_raise_later(ZX_EXCP_POLICY_ERROR, exception_code(condition), data);
        return action == ZX_POL_ACTION_ALLOW_EXCEPTION ? ZX_OK : ZX_ERR_ACCESS_DENIED;
    case ZX_POL_ACTION_KILL:
        process_kill(process, ZX_TASK_RETCODE_POLICY_KILL);
        return ZX_ERR_ACCESS_DENIED;
    default:
        return ZX_ERR_ACCESS_DENIED;
    }
}

zx_status_t policy_check(uint32_t condition)
{
    struct process *process = process_current();
    return process != NULL ? enforce(process, condition, 0) : ZX_OK;
}

void policy_note_failure(zx_handle_t value, zx_status_t status)
{
    struct process *process = process_current();
    if (process == NULL)
        return;
    if (status == ZX_ERR_BAD_HANDLE)
        (void)enforce(process, ZX_POL_BAD_HANDLE, value);
    else if (status == ZX_ERR_WRONG_TYPE)
        (void)enforce(process, ZX_POL_WRONG_OBJECT, value);
}

zx_duration_t policy_min_slack_ns(void)
{
    struct process *process = process_current();
    return process != NULL ? process->job->policy.min_slack_ns : 0;
}
