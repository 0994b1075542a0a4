/* Sleeping. The clocks are read in the vDSO. */
#include "kernel/object/wait.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscalls.h"

zx_status_t sys_nanosleep(zx_time_t deadline)
{
    if (deadline <= 0) {
        thread_yield();
        return ZX_OK;
    }
    return wait_until(deadline);
}
