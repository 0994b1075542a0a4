/* Random numbers for programs. */
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/sched/thread.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

void sys_cprng_draw(void __user *buffer_user, size_t buffer_size)
{
    uint8_t chunk[ZX_CPRNG_DRAW_MAX_LEN];
    uint8_t __user *dst_user = buffer_user;
    while (buffer_size > 0 && !thread_is_killed()) {
        size_t len = MIN(buffer_size, sizeof(chunk));
        random_bytes(chunk, len);
        /* A caller that went on without its random numbers would be worse than one that dies. */
        if (user_copy_out(dst_user, chunk, len) != ZX_OK)
            sys_process_exit(ZX_TASK_RETCODE_SYSCALL_KILL);
        dst_user += len;
        buffer_size -= len;
    }
    memset(chunk, 0, sizeof(chunk));
}

zx_status_t sys_cprng_add_entropy(const void __user *buffer_user, size_t buffer_size)
{
    uint8_t entropy[ZX_CPRNG_ADD_ENTROPY_MAX_LEN];
    if (buffer_size > sizeof(entropy))
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = user_copy_in(entropy, buffer_user, buffer_size);
    if (status != ZX_OK)
        return status;
    random_seed(entropy, buffer_size);
    return ZX_OK;
}
