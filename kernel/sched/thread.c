#include "kernel/sched/thread.h"

#include "arch/mmu.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/printf.h"
#include "kernel/lib/string_copy.h"
#include "kernel/sched/sched_internal.h"

static void park_timeout(struct timer *timer, void *ctx)
{
    (void)timer;
    thread_park_timed_out(ctx);
}

zx_status_t thread_init(struct thread *thread, const char *name, uint8_t priority,
                        struct arch_aspace *aspace, void (*entry)(void *), void *arg,
                        void (*reap)(struct thread *))
{
    void *stack = arch_kernel_stack_alloc();
    if (stack == NULL)
        return ZX_ERR_NO_MEMORY;

    thread->stack = stack;
    thread->aspace = aspace;
    thread->priority = priority;
    thread->affinity = ~0ul;
    thread_set_hart(thread, 0);
    thread->entry = entry;
    thread->entry_arg = arg;
    thread->reap = reap;
    thread->run_state = THREAD_INITIAL;
    list_init(&thread->run_node);
    list_init(&thread->reap_node);
    timer_init(&thread->park_timer, park_timeout, thread);
    string_copy(thread->name, name, sizeof(thread->name));
    arch_thread_init(&thread->arch, (char *)stack + KERNEL_STACK_BYTES, thread_first_run, thread);
    return ZX_OK;
}

void thread_destroy(struct thread *thread)
{
    ASSERT(thread->run_state == THREAD_INITIAL || thread->run_state == THREAD_DEAD);
    arch_kernel_stack_free(thread->stack);
    thread->stack = NULL;
}

const char *upcall_thread_name(const struct thread *thread)
{
    return thread != NULL ? thread->name : "none";
}

#ifdef DEBUG
struct held_locks *thread_held_locks(void)
{
    struct thread *thread = thread_current();
    return thread != NULL ? &thread->held : NULL;
}
#endif
