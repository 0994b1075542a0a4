/* Jobs. */
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_job_create(zx_handle_t parent_job, uint32_t options, zx_handle_t *out)
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
