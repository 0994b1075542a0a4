#include "kernel/sched/inject.h"

#include "kernel/sched/thread.h"
#include "kernel/sync/atomic.h"

#ifdef DEBUG

static uint32_t current_mode; /* atomic: enum inject_mode */
static uint32_t one_in_many;  /* atomic */
static const void *exempt_handles;

void inject_set_mode(enum inject_mode mode, uint32_t one_in, const void *exempt)
{
    atomic_store(&current_mode, INJECT_OFF);
    atomic_store(&one_in_many, MAX(one_in, 1u));
    exempt_handles = exempt;
    atomic_store(&current_mode, mode);
}

enum inject_mode inject_mode(void)
{
    return (enum inject_mode)atomic_load(&current_mode);
}

bool inject_begin(uint64_t nth)
{
    struct thread *thread = thread_current();

    if (inject_mode() == INJECT_OFF || thread->inject.is_active || thread->handles == NULL ||
        thread->handles == exempt_handles)
        return false;
    if (thread->inject.random == 0)
        thread->inject.random = thread->koid * 0x9e3779b97f4a7c15u + arch_ticks();
    thread->inject.countdown = nth;
    thread->inject.has_failed = false;
    thread->inject.is_active = true;
    return true;
}

bool inject_end(void)
{
    struct thread *thread = thread_current();

    thread->inject.is_active = false;
    return thread->inject.has_failed;
}

static bool is_next(struct inject *inject)
{
    if (inject_mode() == INJECT_EACH)
        return inject->countdown != 0 && --inject->countdown == 0;
    /* xorshift64 (Marsaglia) */
    inject->random ^= inject->random << 13;
    inject->random ^= inject->random >> 7;
    inject->random ^= inject->random << 17;
    return inject_mode() == INJECT_RANDOM && inject->random % atomic_load(&one_in_many) == 0;
}

bool inject_allocation(void)
{
    struct thread *thread = thread_current();

    if (thread == NULL || !thread->inject.is_active || thread->held.count_interrupts != 0 ||
        !is_next(&thread->inject))
        return false;
    thread->inject.has_failed = true;
    return true;
}

#endif
