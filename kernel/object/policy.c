/* Job policies as they are set. */
#include "kernel/object/policy.h"

#include "kernel/lib/bits.h"

#define CONDITION_IS_NEW(c) ((c) >= ZX_POL_NEW_VMO && (c) <= ZX_POL_NEW_PAGER)

static zx_status_t set_one(struct job_policy *policy, bool absolute, uint32_t condition,
                           const zx_policy_basic_v2_t *entry)
{
    if (policy->fixed_mask & BIT(condition)) {
        if (policy->actions[condition] == entry->action)
            return ZX_OK;
        return absolute ? ZX_ERR_ALREADY_EXISTS : ZX_OK;
    }
    policy->actions[condition] = (uint8_t)entry->action;
    if (entry->flags == ZX_POL_OVERRIDE_DENY)
        policy->fixed_mask |= BIT(condition);
    return ZX_OK;
}

static zx_status_t set_entry(struct job_policy *policy, bool absolute,
                             const zx_policy_basic_v2_t *entry)
{
    if (entry->condition >= POLICY_CONDITION_COUNT || entry->flags > ZX_POL_OVERRIDE_DENY)
        return ZX_ERR_INVALID_ARGS;
    if (entry->action > ZX_POL_ACTION_KILL)
        return ZX_ERR_NOT_SUPPORTED;
    if (entry->condition != ZX_POL_NEW_ANY)
        return set_one(policy, absolute, entry->condition, entry);
    zx_status_t status = ZX_OK;
    for (uint32_t condition = 0; condition < POLICY_CONDITION_COUNT && status == ZX_OK;
         condition++) {
        if (CONDITION_IS_NEW(condition))
            status = set_one(policy, absolute, condition, entry);
    }
    return status;
}

zx_status_t policy_add(struct job_policy *policy, bool absolute,
                       const zx_policy_basic_v2_t *entries, size_t count)
{
    struct job_policy changed = *policy;
    for (size_t i = 0; i < count; i++) {
        zx_status_t status = set_entry(&changed, absolute, &entries[i]);
        if (status != ZX_OK)
            return status;
    }
    *policy = changed;
    return ZX_OK;
}
