/* The thread that buries the dead: a thread cannot free the stack it runs on. */
#include "kernel/lib/panic.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/sched_internal.h"

static struct {
    struct spinlock lock;
    struct list_node dead;    /* struct thread.reap_node */
    struct list_node waiters; /* struct drain_waiter.node */
    uint64_t count_added, count_reaped;
    struct thread *thread;
} reaper = {
    .lock = SPINLOCK_INIT(LOCK_RANK_MUTEX),
    .dead = LIST_INIT(reaper.dead),
    .waiters = LIST_INIT(reaper.waiters),
};

struct drain_waiter {
    struct list_node node;
    struct thread *thread;
    uint64_t until; /* value of count_reaped to wait for */
    bool done;
};

void reaper_add(struct thread *thread)
{
    spin_lock(&reaper.lock);
    list_push_back(&reaper.dead, &thread->reap_node);
    reaper.count_added++;
    thread_unpark(reaper.thread);
    spin_unlock(&reaper.lock);
}

static void wake_drained_locked(void)
{
    list_for_each_safe (node, next, &reaper.waiters) {
        struct drain_waiter *waiter = list_entry(node, struct drain_waiter, node);
        if (waiter->until > reaper.count_reaped)
            continue;
        list_remove(node);
        waiter->done = true;
        thread_unpark(waiter->thread);
    }
}

static void reaper_main(void *arg)
{
    (void)arg;
    for (;;) {
        irq_state_t irq = spin_lock_irqsave(&reaper.lock);
        struct list_node *node = list_pop_front(&reaper.dead);
        spin_unlock_irqrestore(&reaper.lock, irq);
        if (node == NULL) {
            (void)thread_park(ZX_TIME_INFINITE, false);
            continue;
        }
        struct thread *thread = list_entry(node, struct thread, reap_node);
        thread->reap(thread);

        irq = spin_lock_irqsave(&reaper.lock);
        reaper.count_reaped++;
        wake_drained_locked();
        spin_unlock_irqrestore(&reaper.lock, irq);
    }
}

void sched_start_reaper(void)
{
    static struct thread thread;

    if (thread_init(&thread, "reaper", PRIORITY_HIGH, NULL, reaper_main, NULL, NULL) != ZX_OK)
        panic("no memory for the reaper");
    reaper.thread = &thread;
    thread_start(&thread);
}

void sched_drain_reaper(void)
{
    struct drain_waiter waiter = {.thread = thread_current()};
    irq_state_t irq = spin_lock_irqsave(&reaper.lock);
    bool must_wait = reaper.count_reaped < reaper.count_added;

    if (must_wait) {
        waiter.until = reaper.count_added;
        list_push_back(&reaper.waiters, &waiter.node);
    }
    spin_unlock_irqrestore(&reaper.lock, irq);
    for (bool done = !must_wait; !done;) {
        (void)thread_park(ZX_TIME_INFINITE, false);
        irq = spin_lock_irqsave(&reaper.lock);
        done = waiter.done;
        spin_unlock_irqrestore(&reaper.lock, irq);
    }
}
