/* What a hart without work does, and how harts begin. */
#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string_copy.h"
#include "kernel/sched/sched_internal.h"

/* ---- Idle ---- */

/* Moves a ready thread of a busy hart here. True: there is something to run. */
static bool steal_work(unsigned self)
{
    hart_mask_t others = atomic_load_relaxed(&sched_online) & ~BIT(self);

    /* This hart is in sched_idle_hint already. Either it sees what others have queued before they
     * looked there, or they see it and call: sched_make_ready. */
    atomic_fence();
    for (; others != 0; others &= others - 1) {
        struct run_queue *queue = &run_queues[lowest_bit(others)];
        struct thread *stolen = NULL;

        if (!sched_has_ready(queue))
            continue;
        spin_lock(&queue->lock);
        if (queue->handed != NULL && (queue->handed->affinity & BIT(self)) != 0) {
            stolen = queue->handed;
            queue->handed = NULL;
        }
        for (uint32_t mask = queue->ready_mask; mask != 0 && stolen == NULL;) {
            unsigned priority = log2_floor(mask);
            mask &= ~(1u << priority);
            list_for_each (node, &queue->ready[priority]) {
                struct thread *thread = list_entry(node, struct thread, run_node);
                if ((thread->affinity & BIT(self)) != 0) {
                    sched_dequeue_locked(queue, thread);
                    stolen = thread;
                    break;
                }
            }
        }
        if (stolen != NULL)
            thread_set_hart(stolen, self);
        spin_unlock(&queue->lock);
        if (stolen != NULL) {
            sched_make_ready(stolen);
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
            sched_reschedule_locked(queue);
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
    out->count_switches += queue->stats.count_hand_offs;
    spin_unlock_irqrestore(&queue->lock, irq);
}

uint64_t sched_idle_ns(unsigned hart_index)
{
    struct run_queue *queue = &run_queues[hart_index];
    irq_state_t irq = spin_lock_irqsave(&queue->lock);
    uint64_t total = 0;

    if (queue->idle != NULL) {
        total = queue->idle->runtime_ticks;
        if (queue->current == queue->idle)
            total += arch_ticks() - queue->run_start;
    }
    spin_unlock_irqrestore(&queue->lock, irq);
    return clock_ticks_to_ns(total);
}

hart_mask_t sched_online_harts(void)
{
    return atomic_load(&sched_online);
}

/* ---- Start-up ---- */

static void run_queue_init(unsigned hart_index, struct thread *idle)
{
    struct run_queue *queue = &run_queues[hart_index];

    spinlock_init(&queue->lock, LOCK_RANK_SCHED);
    for (unsigned i = 0; i < PRIORITY_COUNT; i++)
        list_init(&queue->ready[i]);
    thread_set_hart(idle, hart_index);
    idle->affinity = BIT(hart_index);
    idle->priority = PRIORITY_IDLE;
    idle->run_state = THREAD_RUNNING;
    queue->idle = idle;
    queue->current = idle;
    queue->hand_off_end = UINT64_MAX;
    queue->slice_armed = UINT64_MAX;
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

    run_queues[hart].run_start = arch_ticks();
    atomic_fetch_or(&sched_online, BIT(hart));
    atomic_fetch_or(&sched_idle_hint, BIT(hart));
}
