#include "userland/libzx/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "userland/crt/startup.h"
#include "userland/crt/tls.h"
#include "userland/libzx/stack.h"

#define STACK_BYTES ((size_t)64 << 10)

struct thread {
    zx_handle_t handle;
    zx_handle_t region; // holds the stack between two guard pages
    int (*fn)(void *arg);
    void *arg;
    int result;
    unsigned char tls[];
};

// First code of a thread: a0 = thread pointer, a1 = struct thread. The kernel starts threads with
// every other register zero.
__asm__(".text\n"
        ".type thread_entry, @function\n"
        "thread_entry:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined ra\n"
        "    mv tp, a0\n"
        "    mv a0, a1\n"
        "    .option push\n"
        "    .option norelax\n"
        "    lla gp, __global_pointer$\n"
        "    .option pop\n"
        "    call thread_main\n"
        "    unimp\n"
        "    .cfi_endproc\n"
        ".size thread_entry, . - thread_entry\n");

extern const char thread_entry[] __attribute__((visibility("hidden")));
__attribute__((noreturn, used, visibility("hidden"))) void thread_main(struct thread *thread);

void thread_main(struct thread *thread)
{
    startup_set_thread_self(thread->handle);
    thread->result = thread->fn(thread->arg);
    fflush(stdout);
    zx_thread_exit();
}

static void thread_free(struct thread *thread)
{
    zx_vmar_destroy(thread->region);
    zx_handle_close(thread->region);
    zx_handle_close(thread->handle);
    free(thread);
}

zx_status_t thread_spawn(const char *name, int (*fn)(void *arg), void *arg, struct thread **thread)
{
    struct thread *t = calloc(1, sizeof(*t) + tls_block_bytes());
    zx_vaddr_t sp = 0;
    zx_status_t status;

    if (t == NULL) {
        return ZX_ERR_NO_MEMORY;
    }
    t->fn = fn;
    t->arg = arg;
    status = stack_map(zx_vmar_root_self(), STACK_BYTES, &t->region, &sp);
    if (status != ZX_OK) {
        free(t);
        return status;
    }
    status = zx_thread_create(zx_process_self(), name, strlen(name), 0, &t->handle);
    if (status == ZX_OK) {
        status = zx_thread_start(t->handle, (zx_vaddr_t)thread_entry, sp,
                                 (uintptr_t)tls_block_init(t->tls), (uintptr_t)t);
    }
    if (status != ZX_OK) {
        thread_free(t);
        return status;
    }
    *thread = t;
    return ZX_OK;
}

zx_handle_t thread_handle(const struct thread *thread)
{
    return thread->handle;
}

int thread_join(struct thread *thread)
{
    int result;

    zx_object_wait_one(thread->handle, ZX_THREAD_TERMINATED, ZX_TIME_INFINITE, NULL);
    result = thread->result;
    thread_free(thread);
    return result;
}
