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

/* Sleeps unless a token or (if interruptible) a signal is there already: who sends a signal sets it
 * before it takes the lock to look whether the thread sleeps. */
static inline void block(struct thread *self, bool interruptible)
{
    irq_state_t irq = arch_irq_save();
    struct run_queue *queue = this_queue();

    spin_lock(&queue->lock);
    self->park_interruptible = interruptible;
    if (UNLIKELY(self->token || (interruptible && pending_interruption(self) != ZX_OK))) {
        self->token = false;
        spin_unlock(&queue->lock);
    } else {
        sched_block_locked(queue);
    }
    arch_irq_restore(irq);
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

zx_status_t thread_park_for(uint32_t reason, zx_time_t deadline_ns)
{
    struct thread *self = thread_current();

    atomic_store_relaxed(&self->park_reason, reason);
    zx_status_t status = thread_park(deadline_ns, true);
    atomic_store_relaxed(&self->park_reason, 0);
    return status;
}

/* A blocked thread in nobody's list: in no other hands until it is queued, since a second unpark
 * sees READY. The lock of |queue|, which the thread belongs to, is held and given back. */
NOINLINE static void wake_locked(struct run_queue *queue, struct thread *thread, bool hand_off)
{
    unsigned here = arch_hart_index();
    bool is_handed = false;

    thread->run_state = THREAD_READY;
    if (hand_off && (thread->affinity & BIT(here)) != 0 && !sched_has_ready(this_queue())) {
        atomic_store(&thread->hart, here);
        spin_unlock(&queue->lock);
        spin_lock(&this_queue()->lock);
        is_handed = sched_hand_off_locked(this_queue(), thread);
        spin_unlock(&this_queue()->lock);
    } else {
        atomic_store(&thread->hart, sched_choose_hart(thread));
        spin_unlock(&queue->lock);
    }
    if (!is_handed)
        sched_make_ready(thread);
}

void thread_unpark(struct thread *thread)
{
    irq_state_t irq = arch_irq_save();
    struct run_queue *queue = sched_lock_queue_of(thread);

    if (thread->run_state == THREAD_BLOCKED) {
        wake_locked(queue, thread, false);
    } else {
        thread->token = true;
        spin_unlock(&queue->lock);
    }
    arch_irq_restore(irq);
}

void thread_unpark_hand_off(struct thread *thread)
{
    irq_state_t irq = arch_irq_save();
    struct run_queue *queue = sched_lock_queue_of(thread);

    if (thread->run_state != THREAD_BLOCKED) {
        thread->token = true;
        spin_unlock(&queue->lock);
    } else if (LIKELY(queue == this_queue() && sched_hand_off_locked(queue, thread))) {
        spin_unlock(&queue->lock);
    } else {
        wake_locked(queue, thread, true);
    }
    arch_irq_restore(irq);
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
