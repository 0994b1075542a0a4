/* The scheduler: run queues, switching, placement, preemption. */
#include "arch/mmu.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/sched/sched_internal.h"

/* How long equals wait for each other: a hundredth of a second. */
#define SLICES_A_SECOND 100

/* A thread woken by one that is about to sleep itself (half of every round trip) waits this part of
 * a second, 50 us, for the waker's hart; then an idle hart is told to fetch it. Shorter than what
 * interrupting an idle hart and moving the working set costs, twice, many times over. */
#define HAND_OFFS_A_SECOND 20000

static uint64_t slice_ticks, hand_off_ticks;

struct run_queue run_queues[MAX_HARTS];

hart_mask_t sched_online;
hart_mask_t sched_idle_hint;

void sched_init_times(void)
{
    slice_ticks = clock_ticks_per_second() / SLICES_A_SECOND;
    hand_off_ticks = clock_ticks_per_second() / HAND_OFFS_A_SECOND;
}

/* ---- Queue operations, lock held ---- */

static void enqueue_locked(struct run_queue *queue, struct thread *thread, bool front)
{
    unsigned priority = thread->priority;

    thread->run_state = THREAD_READY;
    if (front)
        list_push_front(&queue->ready[priority], &thread->run_node);
    else
        list_push_back(&queue->ready[priority], &thread->run_node);
    queue->ready_mask |= 1u << priority;
    queue->count_ready++;
}

void sched_dequeue_locked(struct run_queue *queue, struct thread *thread)
{
    list_remove(&thread->run_node);
    if (list_is_empty(&queue->ready[thread->priority]))
        queue->ready_mask &= ~(1u << thread->priority);
    queue->count_ready--;
}

/* Puts the thread that was handed over where it would be if it had only been woken. */
static void unhand_locked(struct run_queue *queue)
{
    struct thread *thread = queue->handed;

    if (thread == NULL)
        return;
    queue->handed = NULL;
    enqueue_locked(queue, thread, false);
}

static struct thread *pick_next_locked(struct run_queue *queue)
{
    struct thread *handed = queue->handed;

    if (handed != NULL && (queue->ready_mask >> handed->priority) == 0) {
        queue->handed = NULL;
        return handed;
    }
    unhand_locked(queue);
    if (queue->ready_mask == 0)
        return queue->idle;
    unsigned priority = log2_floor(queue->ready_mask);
    struct thread *next = list_entry(queue->ready[priority].next, struct thread, run_node);
    sched_dequeue_locked(queue, next);
    return next;
}

/* Arms the timer only if somebody of the same priority waits: a hart with one thread, or none,
 * takes no ticks. An interrupt that is due already serves as well. */
static inline void update_slice_locked(struct run_queue *queue)
{
    const struct thread *current = queue->current;
    uint64_t end = queue->hand_off_end;

    if (queue->handed != NULL || (queue->ready_mask >> current->priority) != 0)
        end = MIN(end, current->slice_end);
    if (UNLIKELY(end < queue->slice_armed) && current != queue->idle) {
        queue->slice_armed = end;
        timer_set_slice_end(end);
    }
}

/* From the running thread, accounted for up to now, to another one. */
static void switch_locked(struct run_queue *queue, struct thread *prev, struct thread *next)
{
    queue->stats.count_switches++;
    next->run_state = THREAD_RUNNING;
    queue->current = next;
    update_slice_locked(queue);
    if (next == queue->idle)
        atomic_fetch_or(&sched_idle_hint, BIT(next->hart));
    else if (prev == queue->idle)
        atomic_fetch_and(&sched_idle_hint, ~BIT(next->hart));
    if (prev->run_state == THREAD_DEAD)
        queue->buried = prev;
    lock_rank_release(&queue->lock); /* the lock passes to |next|, which finish_switch notes */
    arch_context_switch(prev, next, next->aspace);
    lock_rank_acquire(&this_queue()->lock, LOCK_RANK_SCHED);
    finish_switch();
}

void sched_reschedule_locked(struct run_queue *queue)
{
    struct thread *prev = queue->current;
    struct thread *next = pick_next_locked(queue);
    uint64_t now = arch_ticks();

    queue->need_resched = false;
    if (queue->ready_mask == 0) /* else who was handed off may still be waiting */
        queue->hand_off_end = UINT64_MAX;
    prev->runtime_ticks += now - queue->run_start;
    queue->run_start = now;
    next->slice_end = now + slice_ticks;
    if (next != prev) {
        switch_locked(queue, prev, next);
        return;
    }
    queue->stats.count_kept++;
    next->run_state = THREAD_RUNNING;
    update_slice_locked(queue);
    spin_unlock(&queue->lock);
}

void sched_bury_locked(struct run_queue *queue)
{
    struct thread *dead = queue->buried;

    queue->buried = NULL;
    spin_unlock(&queue->lock);
    reaper_add(dead);
}

void thread_first_run(void *arg)
{
    struct thread *thread = arg;

    lock_rank_acquire(&this_queue()->lock, LOCK_RANK_SCHED);
    finish_switch();
    arch_irq_enable();
    thread->entry(thread->entry_arg);
    thread_exit();
}

/* ---- Placement ---- */

void sched_hand_off_locked(struct run_queue *queue, struct thread *thread)
{
    thread->run_state = THREAD_READY;
    queue->handed = thread;
    atomic_fence(); /* pairs with the one in steal_work */
    if (atomic_load_relaxed(&sched_idle_hint) != 0)
        queue->hand_off_end = MIN(queue->hand_off_end, arch_ticks() + hand_off_ticks);
    update_slice_locked(queue);
}

/* The hart that |thread| should become ready on: where it ran last if that is idle (its cache is
 * warm), else any idle one, else where it ran last. */
unsigned sched_choose_hart(const struct thread *thread)
{
    hart_mask_t allowed = thread->affinity & atomic_load_relaxed(&sched_online);
    hart_mask_t idle = allowed & atomic_load_relaxed(&sched_idle_hint);

    if (allowed == 0)
        return thread->hart;
    if ((idle & BIT(thread->hart)) != 0)
        return thread->hart;
    if (idle != 0)
        return lowest_bit(idle);
    return (allowed & BIT(thread->hart)) != 0 ? thread->hart : lowest_bit(allowed);
}

/* Makes an idle hart, if there is one that may, look for work at others. */
static void call_idle_hart(hart_mask_t allowed)
{
    hart_mask_t idle = allowed & atomic_load_relaxed(&sched_idle_hint) & ~BIT(arch_hart_index());

    if (idle != 0)
        arch_ipi_send(BIT(lowest_bit(idle)), IPI_RESCHEDULE); /* it leaves wfi */
}

/* Queues a thread that is in no queue, whose |hart| says where, and makes that hart notice. */
void sched_make_ready(struct thread *thread)
{
    unsigned hart = thread->hart;
    struct run_queue *queue = &run_queues[hart];
    hart_mask_t affinity = thread->affinity; /* it may be gone once it can run */
    bool interrupt_it;

    spin_lock(&queue->lock);
    unhand_locked(queue);
    enqueue_locked(queue, thread, false);
    atomic_fence(); /* pairs with the one in steal_work */
    interrupt_it = thread->priority > queue->current->priority;
    if (interrupt_it)
        queue->need_resched = true;
    if (hart == arch_hart_index())
        update_slice_locked(queue);
    else
        interrupt_it |= thread->priority == queue->current->priority; /* it must arm its slice */
    bool must_wait = queue->current != queue->idle || queue->count_ready > 1;
    spin_unlock(&queue->lock);
    if (must_wait)
        call_idle_hart(affinity);
    if (!interrupt_it)
        return;
    if (hart == arch_hart_index())
        arch_ipi_self_reschedule();
    else
        arch_ipi_send(BIT(hart), IPI_RESCHEDULE);
}

void thread_start(struct thread *thread)
{
    irq_state_t irq = arch_irq_save();
    thread->hart = arch_hart_index();
    thread_set_hart(thread, sched_choose_hart(thread));
    sched_make_ready(thread);
    arch_irq_restore(irq);
}

/* ---- Giving up the hart ---- */

static void requeue_current(bool front)
{
    struct run_queue *queue = this_queue();

    spin_lock(&queue->lock);
    unhand_locked(queue);
    if (queue->current != queue->idle)
        enqueue_locked(queue, queue->current, front);
    sched_reschedule_locked(queue);
}

void thread_yield(void)
{
    irq_state_t irq = arch_irq_save();
    requeue_current(false);
    arch_irq_restore(irq);
}

void thread_exit(void)
{
    arch_irq_disable();
    struct run_queue *queue = this_queue();
    spin_lock(&queue->lock);
    queue->current->run_state = THREAD_DEAD;
    sched_reschedule_locked(queue);
    panic("a dead thread ran");
}

/* ---- Interrupts ---- */

void upcall_timer(void)
{
    struct run_queue *queue = this_queue();
    bool wants_help = false;

    unsigned ranks = lock_rank_enter_interrupt();
    timer_run_expired();
    lock_rank_exit_interrupt(ranks);
    spin_lock(&queue->lock);
    queue->stats.count_timer_interrupts++;
    uint64_t now = arch_ticks();
    queue->slice_armed = UINT64_MAX;
    if (queue->current->slice_end <= now) {
        if (queue->handed != NULL || (queue->ready_mask >> queue->current->priority) != 0) {
            queue->need_resched = true;
            wants_help = true;
        } else {
            queue->current->slice_end = now + slice_ticks;
        }
    }
    if (queue->hand_off_end <= now) {
        queue->hand_off_end = UINT64_MAX;
        wants_help |= sched_has_ready(queue);
        unhand_locked(queue); /* from where idle harts may fetch it */
    }
    if (!queue->need_resched)
        update_slice_locked(queue);
    spin_unlock(&queue->lock);
    if (wants_help)
        call_idle_hart(~0ul);
}

void upcall_reschedule(void)
{
    struct run_queue *queue = this_queue();

    spin_lock(&queue->lock);
    queue->stats.count_reschedule_ipis++;
    if ((queue->ready_mask >> queue->current->priority) > 1)
        queue->need_resched = true;
    update_slice_locked(queue);
    spin_unlock(&queue->lock);
}

void upcall_interrupt_exit(void)
{
    struct run_queue *queue = this_queue();

    if (!queue->need_resched)
        return;
    /* A thread whose slice is over goes behind its equals, one that is preempted stays first. */
    requeue_current(queue->current->slice_end > arch_ticks());
}
