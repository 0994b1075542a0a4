/* Job policies: what processes of a job may do without asking, and what happens if they try. */
#pragma once

#include <zircon/errors.h>
#include <zircon/syscalls/policy.h>
#include <zircon/types.h>

#include "kernel/lib/compiler.h"

#define POLICY_CONDITION_COUNT (ZX_POL_AMBIENT_MARK_VMO_EXEC + 1)

/* Fixed while the job has children; a child begins with its parent's. */
struct job_policy {
    uint8_t actions[POLICY_CONDITION_COUNT]; /* ZX_POL_ACTION_* */
    uint32_t fixed_mask;                     /* conditions that can no longer be changed */
    zx_duration_t min_slack_ns;              /* of timers */
};

/* Adds |count| entries to |policy| in order. |absolute|: an entry that contradicts a fixed
 * condition is ZX_ERR_ALREADY_EXISTS; otherwise it is skipped. ZX_ERR_INVALID_ARGS: unknown
 * condition or flag. ZX_ERR_NOT_SUPPORTED: unknown action. On failure |policy| is unchanged. */
MUST_USE zx_status_t policy_add(struct job_policy *policy, bool absolute,
                                const zx_policy_basic_v2_t *entries, size_t count);

/* The calling process is about to do what |condition| (ZX_POL_NEW_* and the like) names.
 * ZX_ERR_ACCESS_DENIED: its job does not allow that. The policy may also end the process, or make
 * the thread raise an exception when its system call is over. */
MUST_USE zx_status_t policy_check(uint32_t condition);

/* The calling process used a value that is no handle (ZX_ERR_BAD_HANDLE), or a handle of the wrong
 * type (ZX_ERR_WRONG_TYPE). The call fails in any case; the policy may add to that as in
 * policy_check. A handle_failure_fn. */
void policy_note_failure(zx_handle_t value, zx_status_t status);

/* The least slack of timers that the calling process sets. */
zx_duration_t policy_min_slack_ns(void);
