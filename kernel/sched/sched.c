#include "kernel/sched/sched.h"

#include "arch/mmu.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string_copy.h"
#include "kernel/sched/sched_internal.h"

#define SLICE_NS 10000000 /* 10 ms: how long equals wait for each other */

/* A thread woken by one that is about to sleep itself (half of every round trip) waits this long
 * for the waker's hart; then an idle hart is told to fetch it. Shorter than what interrupting an
 * idle hart and moving the working set costs, twice, many times over. */
#define HAND_OFF_NS 50000 /* 50 us */

struct run_queue run_queues[MAX_HARTS];

static hart_mask_t online_harts; /* atomic */
static hart_mask_t idle_harts;   /* atomic; a hint for placement */

static struct run_queue *this_queue(void)
{
    return &run_queues[arch_hart_index()];
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

static void dequeue_locked(struct run_queue *queue, struct thread *thread)
{
    list_remove(&thread->run_node);
    if (list_is_empty(&queue->ready[thread->priority]))
        queue->ready_mask &= ~(1u << thread->priority);
    queue->count_ready--;
}

static struct thread *pick_next_locked(struct run_queue *queue)
{
    if (queue->ready_mask == 0)
        return queue->idle;
    unsigned priority = log2_floor(queue->ready_mask);
    struct thread *next = list_entry(queue->ready[priority].next, struct thread, run_node);
    dequeue_locked(queue, next);
    return next;
}

/* Arms the slice timer only if somebody of the same priority waits: a hart with one thread, or
 * none, takes no ticks. */
static void update_slice_locked(struct run_queue *queue)
{
    struct thread *current = queue->current;
    bool contested = (queue->ready_mask >> current->priority) != 0 && current != queue->idle;
    zx_time_t end = contested ? current->slice_end_ns : ZX_TIME_INFINITE;

    timer_set_slice_end(MIN(end, queue->hand_off_ns));
}

/* Chooses who runs next and switches to it. The caller has put the current thread where it belongs
 * (a queue, blocked, dead). Returns, lock released, when the thread runs again. */
static void reschedule_locked(struct run_queue *queue)
{
    struct thread *prev = queue->current;
    struct thread *next = pick_next_locked(queue);
    zx_time_t now = clock_monotonic_ns();

    queue->stats.count_reschedules++;
    queue->stats.count_switches += next != prev;
    queue->need_resched = false;
    if (queue->ready_mask == 0) /* else who was handed off may still be waiting */
        queue->hand_off_ns = ZX_TIME_INFINITE;
    prev->runtime_ns += (uint64_t)(now - prev->run_start_ns);
    next->run_start_ns = now;
    next->slice_end_ns = now + SLICE_NS;
    next->run_state = THREAD_RUNNING;
    next->hart = arch_hart_index();
    queue->current = next;
    update_slice_locked(queue);
    if (next == prev) {
        spin_unlock(&queue->lock);
        return;
    }
    if (next == queue->idle)
        atomic_fetch_or(&idle_harts, BIT(next->hart));
    else if (prev == queue->idle)
        atomic_fetch_and(&idle_harts, ~BIT(next->hart));
    if (next->aspace != prev->aspace)
        mmu_aspace_switch(prev->aspace, next->aspace);
    queue->switched_from = prev;
    lock_rank_release(&queue->lock); /* the lock passes to |next|, which finish_switch notes */
    arch_context_switch(prev, next);
    lock_rank_acquire(&this_queue()->lock, LOCK_RANK_SCHED);
    finish_switch();
}

void finish_switch(void)
{
    struct run_queue *queue = this_queue();
    struct thread *prev = queue->switched_from;
    bool is_dead = prev->run_state == THREAD_DEAD;

    queue->switched_from = NULL;
    spin_unlock(&queue->lock);
    if (is_dead)
        reaper_add(prev);
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

/* True if this hart is about to be free for |thread|, which the running thread wakes. */
static bool may_hand_off(const struct thread *thread)
{
    struct run_queue *queue = this_queue();

    return (thread->affinity & BIT(arch_hart_index())) != 0 && queue->current != queue->idle &&
           queue->current->priority == thread->priority &&
           atomic_load_relaxed(&queue->count_ready) == 0;
}

/* The hart that |thread| should become ready on: where it ran last if that is idle (its cache is
 * warm), else any idle one, else where it ran last. */
static unsigned choose_hart(const struct thread *thread)
{
    hart_mask_t allowed = thread->affinity & atomic_load_relaxed(&online_harts);
    hart_mask_t idle = allowed & atomic_load_relaxed(&idle_harts);

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
    hart_mask_t idle = allowed & atomic_load_relaxed(&idle_harts) & ~BIT(arch_hart_index());

    if (idle != 0)
        arch_ipi_send(BIT(lowest_bit(idle)), IPI_RESCHEDULE); /* it leaves wfi */
}

/* Queues a thread that is in no queue, whose |hart| says where, and makes that hart notice. */
static void make_ready(struct thread *thread, bool is_hand_off)
{
    unsigned hart = thread->hart;
    struct run_queue *queue = &run_queues[hart];
    hart_mask_t affinity = thread->affinity; /* it may be gone once it can run */
    bool interrupt_it;

    spin_lock(&queue->lock);
    enqueue_locked(queue, thread, false);
    atomic_fence(); /* pairs with the one in steal_work */
    if (is_hand_off && atomic_load_relaxed(&idle_harts) != 0)
        queue->hand_off_ns = clock_monotonic_ns() + HAND_OFF_NS;
    interrupt_it = thread->priority > queue->current->priority;
    if (interrupt_it)
        queue->need_resched = true;
    if (hart == arch_hart_index())
        update_slice_locked(queue);
    else
        interrupt_it |= thread->priority == queue->current->priority; /* it must arm its slice */
    bool must_wait = queue->current != queue->idle || queue->count_ready > 1;
    spin_unlock(&queue->lock);
    if (must_wait && !is_hand_off)
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
    thread->hart = choose_hart(thread);
    make_ready(thread, false);
    arch_irq_restore(irq);
}

/* Locks the queue that |thread| belongs to. Interrupts off. */
static struct run_queue *lock_queue_of(struct thread *thread)
{
    for (;;) {
        unsigned hart = atomic_load(&thread->hart);
        struct run_queue *queue = &run_queues[hart];
        spin_lock(&queue->lock);
        if (atomic_load(&thread->hart) == hart)
            return queue;
        spin_unlock(&queue->lock);
    }
}

/* ---- Parking ---- */

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
        reschedule_locked(queue);
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
    struct run_queue *queue = lock_queue_of(thread);
    bool was_blocked = thread->run_state == THREAD_BLOCKED;
    bool is_hand_off = was_blocked && waker_sleeps_soon && may_hand_off(thread);

    if (was_blocked) {
        /* In no queue and in no other hands until make_ready: a second unpark sees READY. */
        thread->run_state = THREAD_READY;
        atomic_store(&thread->hart, is_hand_off ? arch_hart_index() : choose_hart(thread));
    } else {
        thread->token = true;
    }
    spin_unlock(&queue->lock);
    if (was_blocked)
        make_ready(thread, is_hand_off);
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
    queue = lock_queue_of(thread);
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
    struct run_queue *queue = lock_queue_of(thread);
    uint64_t total = thread->runtime_ns;
    if (queue->current == thread)
        total += (uint64_t)(clock_monotonic_ns() - thread->run_start_ns);
    spin_unlock(&queue->lock);
    arch_irq_restore(irq);
    return total;
}

/* ---- Giving up the hart ---- */

static void requeue_current(bool front)
{
    struct run_queue *queue = this_queue();

    spin_lock(&queue->lock);
    if (queue->current != queue->idle)
        enqueue_locked(queue, queue->current, front);
    reschedule_locked(queue);
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
    reschedule_locked(queue);
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
    zx_time_t now = clock_monotonic_ns();
    if (queue->current->slice_end_ns <= now &&
        (queue->ready_mask >> queue->current->priority) != 0) {
        queue->need_resched = true;
        wants_help = true;
    }
    if (queue->hand_off_ns <= now) {
        queue->hand_off_ns = ZX_TIME_INFINITE;
        wants_help |= queue->ready_mask != 0;
    }
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
    requeue_current(queue->current->slice_end_ns > clock_monotonic_ns());
}

/* ---- Idle ---- */

/* Moves a ready thread of a busy hart here. True: there is something to run. */
static bool steal_work(unsigned self)
{
    hart_mask_t others = atomic_load_relaxed(&online_harts) & ~BIT(self);

    /* This hart is in idle_harts already. Either it sees what others have queued before they looked
     * there, or they see it and call: make_ready. */
    atomic_fence();
    for (; others != 0; others &= others - 1) {
        struct run_queue *queue = &run_queues[lowest_bit(others)];
        struct thread *stolen = NULL;

        if (atomic_load_relaxed(&queue->count_ready) == 0)
            continue;
        spin_lock(&queue->lock);
        for (uint32_t mask = queue->ready_mask; mask != 0 && stolen == NULL;) {
            unsigned priority = log2_floor(mask);
            mask &= ~(1u << priority);
            list_for_each (node, &queue->ready[priority]) {
                struct thread *thread = list_entry(node, struct thread, run_node);
                if ((thread->affinity & BIT(self)) != 0) {
                    stolen = thread;
                    break;
                }
            }
        }
        if (stolen != NULL) {
            dequeue_locked(queue, stolen);
            atomic_store(&stolen->hart, self);
        }
        spin_unlock(&queue->lock);
        if (stolen != NULL) {
            make_ready(stolen, false);
            return true;
        }
    }
    return false;
}

void sched_idle(void)
{
    for (;;) {
        arch_irq_disable();
        struct run_queue *queue = this_queue();
        if (queue->ready_mask != 0 || steal_work(arch_hart_index())) {
            spin_lock(&queue->lock);
            reschedule_locked(queue);
        } else {
            arch_wait_for_interrupt();
        }
        arch_irq_enable();
    }
}

void sched_get_stats(unsigned hart_index, struct sched_stats *out)
{
    struct run_queue *queue = &run_queues[hart_index];
    irq_state_t irq = spin_lock_irqsave(&queue->lock);
    *out = queue->stats;
    spin_unlock_irqrestore(&queue->lock, irq);
}

uint64_t sched_idle_ns(unsigned hart_index)
{
    struct run_queue *queue = &run_queues[hart_index];
    irq_state_t irq = spin_lock_irqsave(&queue->lock);
    uint64_t total = 0;

    if (queue->idle != NULL) {
        total = queue->idle->runtime_ns;
        if (queue->current == queue->idle)
            total += (uint64_t)(clock_monotonic_ns() - queue->idle->run_start_ns);
    }
    spin_unlock_irqrestore(&queue->lock, irq);
    return total;
}

hart_mask_t sched_online_harts(void)
{
    return atomic_load(&online_harts);
}

/* ---- Start-up ---- */

static void run_queue_init(unsigned hart_index, struct thread *idle)
{
    struct run_queue *queue = &run_queues[hart_index];

    spinlock_init(&queue->lock, LOCK_RANK_SCHED);
    for (unsigned i = 0; i < PRIORITY_COUNT; i++)
        list_init(&queue->ready[i]);
    idle->hart = hart_index;
    idle->affinity = BIT(hart_index);
    idle->priority = PRIORITY_IDLE;
    idle->run_state = THREAD_RUNNING;
    queue->idle = idle;
    queue->current = idle;
    queue->hand_off_ns = ZX_TIME_INFINITE;
    timer_queue_init(hart_index);
}

void sched_init_boot_hart(void)
{
    static struct thread boot_idle;

    string_copy(boot_idle.name, "idle/0", sizeof(boot_idle.name));
    list_init(&boot_idle.run_node);
    run_queue_init(0, &boot_idle);
    arch_set_current_thread(&boot_idle);
}

void sched_init_idle(unsigned hart_index, struct thread *idle)
{
    run_queue_init(hart_index, idle);
}

void sched_hart_online(void)
{
    unsigned hart = arch_hart_index();

    run_queues[hart].idle->run_start_ns = clock_monotonic_ns();
    atomic_fetch_or(&online_harts, BIT(hart));
    atomic_fetch_or(&idle_harts, BIT(hart));
}
