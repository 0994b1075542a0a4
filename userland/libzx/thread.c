#include "userland/libzx/thread.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "userland/crt/startup.h"
#include "userland/crt/tls.h"
#include "userland/libzx/lock.h"
#include "userland/libzx/stack.h"
#include "userland/libzx/thread_keys.h"

enum { JOINABLE, DETACHED, ENDED }; // who frees: the joiner; the ending thread's list; the joiner

struct thread {
    zx_handle_t handle;
    zx_handle_t region;             // holds the stack between two guard pages
    void *(*pointer_fn)(void *arg); // of thread_spawn_pointer
    int (*int_fn)(void *arg);       // of thread_spawn
    void *arg;
    uintptr_t result;
    atomic_int state;
    struct thread *next_ended; // in the list of detached threads that have ended
    unsigned char tls[];
};

static struct thread first_thread; // stands for every thread that thread_spawn did not make
static _Thread_local struct thread *self;

// Detached threads that ended or are about to: a thread cannot free the stack it runs on.
static struct lock ended_lock;
static struct thread *ended;

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
    self = thread;
    if (thread->int_fn != NULL) {
        thread_end((uintptr_t)(intptr_t)thread->int_fn(thread->arg));
    }
    thread_end((uintptr_t)thread->pointer_fn(thread->arg));
}

struct thread *thread_self(void)
{
    return self != NULL ? self : &first_thread;
}

void thread_end(uintptr_t result)
{
    struct thread *thread = thread_self();

    thread_keys_destroy_values();
    fflush(stdout);
    thread->result = result;
    if (thread != &first_thread && atomic_exchange(&thread->state, ENDED) == DETACHED) {
        lock_acquire(&ended_lock);
        thread->next_ended = ended;
        ended = thread;
        lock_release(&ended_lock);
    }
    zx_thread_exit();
}

static void thread_free(struct thread *thread)
{
    zx_vmar_destroy(thread->region);
    zx_handle_close(thread->region);
    zx_handle_close(thread->handle);
    free(thread);
}

// Frees the detached threads that have ended.
static void free_ended(void)
{
    struct thread *list;

    lock_acquire(&ended_lock);
    list = ended;
    ended = NULL;
    lock_release(&ended_lock);
    while (list != NULL) {
        struct thread *next = list->next_ended;

        zx_object_wait_one(list->handle, ZX_THREAD_TERMINATED, ZX_TIME_INFINITE, NULL);
        thread_free(list);
        list = next;
    }
}

// Makes the memory of a thread and its stack. *sp is the stack's high end.
static zx_status_t thread_alloc(size_t stack_bytes, struct thread **thread, zx_vaddr_t *sp)
{
    struct thread *t = calloc(1, sizeof(*t) + tls_block_bytes());
    zx_status_t status;

    if (t == NULL) {
        return ZX_ERR_NO_MEMORY;
    }
    stack_bytes = (stack_bytes + ZX_PAGE_SIZE - 1) & ~((size_t)ZX_PAGE_SIZE - 1);
    status = stack_map(zx_vmar_root_self(), stack_bytes, &t->region, sp);
    if (status != ZX_OK) {
        free(t);
        return status;
    }
    *thread = t;
    return ZX_OK;
}

static zx_status_t start(struct thread *t, const char *name, zx_vaddr_t sp)
{
    zx_status_t status = zx_thread_create(zx_process_self(), name, strlen(name), 0, &t->handle);

    if (status == ZX_OK) {
        status = zx_thread_start(t->handle, (zx_vaddr_t)thread_entry, sp,
                                 (uintptr_t)tls_block_init(t->tls), (uintptr_t)t);
    }
    if (status != ZX_OK) {
        thread_free(t);
    }
    return status;
}

zx_status_t thread_spawn_pointer(const struct thread_options *options, void *(*fn)(void *arg),
                                 void *arg, struct thread **thread)
{
    bool has_name = options != NULL && options->name != NULL;
    bool has_stack = options != NULL && options->stack_bytes != 0;
    struct thread *t;
    zx_vaddr_t sp;
    zx_status_t status;

    free_ended();
    status = thread_alloc(has_stack ? options->stack_bytes : THREAD_STACK_BYTES, &t, &sp);
    if (status != ZX_OK) {
        return status;
    }
    t->pointer_fn = fn;
    t->arg = arg;
    *thread = t; // before the new thread can look for it
    return start(t, has_name ? options->name : "thread", sp);
}

zx_status_t thread_spawn(const char *name, int (*fn)(void *arg), void *arg, struct thread **thread)
{
    struct thread *t;
    zx_vaddr_t sp;
    zx_status_t status;

    free_ended();
    status = thread_alloc(THREAD_STACK_BYTES, &t, &sp);
    if (status != ZX_OK) {
        return status;
    }
    t->int_fn = fn;
    t->arg = arg;
    *thread = t;
    return start(t, name, sp);
}

zx_handle_t thread_handle(const struct thread *thread)
{
    return thread == &first_thread ? zx_thread_self() : thread->handle;
}

zx_status_t thread_check_joinable(struct thread *thread)
{
    if (thread == &first_thread || atomic_load(&thread->state) == DETACHED) {
        return ZX_ERR_INVALID_ARGS;
    }
    return thread == self ? ZX_ERR_BAD_STATE : ZX_OK;
}

uintptr_t thread_join(struct thread *thread)
{
    uintptr_t result;

    zx_object_wait_one(thread->handle, ZX_THREAD_TERMINATED, ZX_TIME_INFINITE, NULL);
    result = thread->result;
    thread_free(thread);
    return result;
}

void thread_detach(struct thread *thread)
{
    // If it has ended already, nobody else will free it.
    if (atomic_exchange(&thread->state, DETACHED) == ENDED) {
        thread_join(thread);
    }
}
