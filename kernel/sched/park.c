/* Parking: how threads sleep, are woken, and are told to stop. */
#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/sched/sched_internal.h"

void thread_park_timed_out(struct thread *thread)
{
    atomic_store(&thread->park_timed_out, true);
    thread_unpark(thread);
}

static inline zx_status_t pending_interruption(const struct thread *thread)
{
    uint32_t signals = atomic_load_relaxed(&thread->signals);

    if (LIKELY((signals & (THREAD_SIGNAL_KILL | THREAD_SIGNAL_SUSPEND)) == 0))
        return ZX_OK;
    return (signals & THREAD_SIGNAL_KILL) != 0 ? ZX_ERR_INTERNAL_INTR_KILLED
                                               : ZX_ERR_INTERNAL_INTR_RETRY;
}

/* Sleeps unless a token or (if interruptible) a signal is there already. Who sends a signal sets it
 * before it takes the lock to look whether the thread sleeps. */
static void block(struct thread *self, bool interruptible)
{
    arch_irq_disable();
    struct run_queue *queue = this_queue();

    spin_lock(&queue->lock);
    if (self->token || (interruptible && pending_interruption(self) != ZX_OK)) {
        self->token = false;
        spin_unlock(&queue->lock);
    } else {
        self->park_interruptible = interruptible;
        self->run_state = THREAD_BLOCKED;
        sched_reschedule_locked(queue);
    }
    arch_irq_enable();
}

/* The same, interruptible, if somebody was handed over and nobody else is ready here: the way most
 * threads go to sleep on a round trip. Needs no timer, calls nothing but the switch. False: block
 * has to. */
static inline bool block_for_handed(void)
{
    struct thread *self = thread_current();
    struct run_queue *queue;
    struct thread *next;
    uint64_t now;

    arch_irq_disable();
    queue = this_queue();
    if (UNLIKELY(!spin_trylock(&queue->lock)))
        goto fail;
    next = queue->handed;
    if (UNLIKELY(next == NULL || queue->ready_mask != 0 || self->token ||
                 pending_interruption(self) != ZX_OK)) {
        spin_unlock(&queue->lock);
        goto fail;
    }
    now = arch_ticks();
    self->park_interruptible = true;
    self->run_state = THREAD_BLOCKED;
    self->runtime_ticks += now - queue->run_start;
    queue->run_start = now;
    queue->handed = NULL;
    queue->need_resched = false;
    queue->hand_off_end = UINT64_MAX;
    queue->stats.count_hand_offs++;
    queue->current = next;
    next->slice_end = self->slice_end;
    next->run_state = THREAD_RUNNING;
    lock_rank_release(&queue->lock); /* as in switch_locked */
    arch_context_switch(self, next, next->aspace);
    lock_rank_acquire(&this_queue()->lock, LOCK_RANK_SCHED);
    finish_switch();
    arch_irq_enable();
    return true;

fail:
    arch_irq_enable();
    return false;
}

NOINLINE static zx_status_t park_until(struct thread *self, zx_time_t deadline_ns,
                                       bool interruptible)
{
    if (deadline_ns <= clock_monotonic_ns())
        return ZX_ERR_TIMED_OUT;
    atomic_store(&self->park_timed_out, false);
    timer_set(&self->park_timer, deadline_ns);
    block(self, interruptible);
    timer_cancel(&self->park_timer);
    if (atomic_load(&self->park_timed_out))
        return ZX_ERR_TIMED_OUT;
    return interruptible ? pending_interruption(self) : ZX_OK;
}

zx_status_t thread_park(zx_time_t deadline_ns, bool interruptible)
{
    struct thread *self = thread_current();

    DEBUG_ASSERT(arch_irq_is_enabled());
    lock_rank_assert_below(LOCK_RANK_HANDLE);
    if (deadline_ns != ZX_TIME_INFINITE)
        return park_until(self, deadline_ns, interruptible);
    block(self, interruptible);
    return interruptible ? pending_interruption(self) : ZX_OK;
}

NOINLINE static zx_status_t park_for_otherwise(zx_time_t deadline_ns)
{
    zx_status_t status = thread_park(deadline_ns, true);

    atomic_store_relaxed(&thread_current()->park_reason, 0);
    return status;
}

zx_status_t thread_park_for(uint32_t reason, zx_time_t deadline_ns)
{
    DEBUG_ASSERT(arch_irq_is_enabled());
    lock_rank_assert_below(LOCK_RANK_HANDLE);
    atomic_store_relaxed(&thread_current()->park_reason, reason);
    if (deadline_ns != ZX_TIME_INFINITE || !block_for_handed())
        return park_for_otherwise(deadline_ns);
    atomic_store_relaxed(&thread_current()->park_reason, 0);
    return pending_interruption(thread_current());
}

/* A blocked thread in nobody's list: in no other hands until it is queued, since a second unpark
 * sees READY. The lock of |queue|, which the thread belongs to, is held and given back. */
static void wake_locked(struct run_queue *queue, struct thread *thread, bool hand_off)
{
    unsigned here = arch_hart_index();
    bool is_handed = false;

    thread->run_state = THREAD_READY;
    if (hand_off && (thread->affinity & BIT(here)) != 0 && !sched_has_ready(this_queue())) {
        thread_set_hart(thread, here);
        spin_unlock(&queue->lock);
        queue = this_queue();
        spin_lock(&queue->lock);
        is_handed = sched_may_hand_off_locked(queue, thread);
        if (is_handed)
            sched_hand_off_locked(queue, thread);
        spin_unlock(&queue->lock);
    } else {
        thread_set_hart(thread, sched_choose_hart(thread));
        spin_unlock(&queue->lock);
    }
    if (!is_handed)
        sched_make_ready(thread);
}

NOINLINE static void unpark(struct thread *thread, bool hand_off)
{
    irq_state_t irq = arch_irq_save();
    struct run_queue *queue = sched_lock_queue_of(thread);

    if (thread->run_state == THREAD_BLOCKED) {
        wake_locked(queue, thread, hand_off);
    } else {
        thread->token = true;
        spin_unlock(&queue->lock);
    }
    arch_irq_restore(irq);
}

void thread_unpark(struct thread *thread)
{
    unpark(thread, false);
}

/* Tries what needs no more than this hart's queue, no timer and no other hart; calls nothing. */
void thread_unpark_hand_off(struct thread *thread)
{
    irq_state_t irq = arch_irq_save();
    struct run_queue *queue = this_queue();
    bool is_done = false;

    if (LIKELY(spin_trylock(&queue->lock))) {
        is_done = LIKELY(atomic_load_relaxed(&thread->queue) == queue &&
                         thread->run_state == THREAD_BLOCKED &&
                         sched_may_hand_off_locked(queue, thread) &&
                         thread_current()->slice_end >= queue->slice_armed);
        if (is_done) {
            thread->run_state = THREAD_READY;
            queue->handed = thread;
            atomic_fence(); /* pairs with the one in steal_work */
            if (UNLIKELY(atomic_load_relaxed(&sched_idle_hint) != 0)) {
                thread->run_state = THREAD_BLOCKED;
                queue->handed = NULL;
                is_done = false;
            }
        }
        spin_unlock(&queue->lock);
    }
    arch_irq_restore(irq);
    if (UNLIKELY(!is_done))
        unpark(thread, true);
}

void thread_signal(struct thread *thread, uint32_t signals)
{
    irq_state_t irq = arch_irq_save();
    struct run_queue *queue;
    bool wake, interrupt_it;

    atomic_fetch_or(&thread->signals, signals);
    atomic_store(&thread->arch.work_pending, 1);
    queue = sched_lock_queue_of(thread);
    wake = thread->run_state == THREAD_BLOCKED && thread->park_interruptible;
    interrupt_it = thread->run_state == THREAD_RUNNING && thread->hart != arch_hart_index();
    spin_unlock(&queue->lock);
    if (wake)
        thread_unpark(thread);
    if (interrupt_it)
        arch_ipi_send(BIT(thread->hart), IPI_RESCHEDULE);
    arch_irq_restore(irq);
}

void thread_clear_signal(struct thread *thread, uint32_t signals)
{
    if ((atomic_fetch_and(&thread->signals, ~signals) & ~signals) != 0)
        return;
    atomic_store(&thread->arch.work_pending, 0);
    if (atomic_load(&thread->signals) != 0)
        atomic_store(&thread->arch.work_pending, 1);
}

uint64_t thread_runtime_ns(struct thread *thread)
{
    irq_state_t irq = arch_irq_save();
    struct run_queue *queue = sched_lock_queue_of(thread);
    uint64_t total = thread->runtime_ticks;
    if (queue->current == thread)
        total += arch_ticks() - queue->run_start;
    spin_unlock(&queue->lock);
    arch_irq_restore(irq);
    return clock_ticks_to_ns(total);
}
