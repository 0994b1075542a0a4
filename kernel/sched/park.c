/* Parking: how threads sleep, are woken, and are told to stop. */
#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/sched/sched_internal.h"

void thread_park_timed_out(struct thread *thread)
{
    atomic_store(&thread->park_timed_out, true);
    thread_unpark(thread);
}

static zx_status_t pending_interruption(const struct thread *thread)
{
    uint32_t signals = atomic_load(&thread->signals);

    if ((signals & THREAD_SIGNAL_KILL) != 0)
        return ZX_ERR_INTERNAL_INTR_KILLED;
    if ((signals & THREAD_SIGNAL_SUSPEND) != 0)
        return ZX_ERR_INTERNAL_INTR_RETRY;
    return ZX_OK;
}

/* Sleeps unless a token or (if interruptible) a signal is there already. */
static void block(struct thread *self)
{
    irq_state_t irq = arch_irq_save();
    struct run_queue *queue = this_queue();

    spin_lock(&queue->lock);
    if (self->token || (self->park_interruptible && pending_interruption(self) != ZX_OK)) {
        self->token = false;
        spin_unlock(&queue->lock);
    } else {
        self->run_state = THREAD_BLOCKED;
        sched_reschedule_locked(queue);
    }
    arch_irq_restore(irq);
}

zx_status_t thread_park(zx_time_t deadline_ns, bool interruptible)
{
    struct thread *self = thread_current();
    bool timed = deadline_ns != ZX_TIME_INFINITE;

    DEBUG_ASSERT(arch_irq_is_enabled());
    lock_rank_assert_below(LOCK_RANK_HANDLE);
    self->park_interruptible = interruptible;
    if (timed) {
        if (deadline_ns <= clock_monotonic_ns())
            return ZX_ERR_TIMED_OUT;
        atomic_store(&self->park_timed_out, false);
        timer_set(&self->park_timer, deadline_ns);
    }
    block(self);
    if (timed) {
        timer_cancel(&self->park_timer);
        if (atomic_load(&self->park_timed_out))
            return ZX_ERR_TIMED_OUT;
    }
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

static void unpark(struct thread *thread, bool waker_sleeps_soon)
{
    irq_state_t irq = arch_irq_save();
    struct run_queue *queue = sched_lock_queue_of(thread);
    bool was_blocked = thread->run_state == THREAD_BLOCKED;
    bool is_hand_off = was_blocked && waker_sleeps_soon && sched_may_hand_off(thread);

    if (was_blocked) {
        /* In no queue and in no other hands until sched_make_ready: a second unpark sees READY. */
        thread->run_state = THREAD_READY;
        atomic_store(&thread->hart, is_hand_off ? arch_hart_index() : sched_choose_hart(thread));
    } else {
        thread->token = true;
    }
    spin_unlock(&queue->lock);
    if (was_blocked)
        sched_make_ready(thread, is_hand_off);
    arch_irq_restore(irq);
}

void thread_unpark(struct thread *thread)
{
    unpark(thread, false);
}

void thread_unpark_hand_off(struct thread *thread)
{
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
    uint64_t total = thread->runtime_ns;
    if (queue->current == thread)
        total += (uint64_t)(clock_monotonic_ns() - thread->run_start_ns);
    spin_unlock(&queue->lock);
    arch_irq_restore(irq);
    return total;
}
