/* Shared by the files of kernel/sched. */
#pragma once

#include "kernel/lib/bits.h"
#include "kernel/sched/sched.h"

/* One hart's scheduling state. Times are values of arch_ticks. */
struct run_queue {
    struct spinlock lock; /* rank SCHED */
    struct thread *current;
    /* A ready thread in no list: whoever runs woke it and is about to sleep, and then it is next,
     * without a way through the lists. It counts as waiting behind the others of its priority. */
    struct thread *handed;
    uint32_t ready_mask;  /* bit p: ready[p] is not empty */
    uint32_t count_ready; /* in the lists */
    struct thread *idle;
    struct thread *buried; /* who ran before |current| and is dead; until finish_switch */
    uint64_t run_start;    /* when |current| began to run */
    uint64_t hand_off_end; /* when an idle hart is to fetch what waits; UINT64_MAX: never */
    uint64_t slice_armed;  /* the timer interrupts at this time at the latest */
    struct sched_stats stats;
    bool need_resched; /* written on this hart or under lock; read on this hart */
    bool is_online;
    struct list_node ready[PRIORITY_COUNT]; /* struct thread.run_node */
} __attribute__((aligned(64)));

extern struct run_queue run_queues[MAX_HARTS];

extern hart_mask_t sched_online;    /* atomic */
extern hart_mask_t sched_idle_hint; /* atomic: who is probably idle, for placement */

/* Interrupts off. */
static inline struct run_queue *this_queue(void)
{
    return atomic_load_relaxed(&thread_current()->queue);
}

/* From now on |thread| belongs to that hart; the lock of the queue it belonged to is held, or it is
 * new. */
static inline void thread_set_hart(struct thread *thread, unsigned hart)
{
    atomic_store_relaxed(&thread->hart, hart);
    atomic_store_relaxed(&thread->queue, &run_queues[hart]);
}

/* Takes a ready thread out of its queue. */
void sched_dequeue_locked(struct run_queue *queue, struct thread *thread);

/* Chooses who runs next on this hart and switches to it. The caller has put the current thread
 * where it belongs (a queue, blocked, dead). Returns, lock released, when the thread runs again. */
void sched_reschedule_locked(struct run_queue *queue);

/* Sets the lengths of slices; once the clock runs. */
void sched_init_times(void);

/* The hart that |thread|, in no queue, should become ready on. */
unsigned sched_choose_hart(const struct thread *thread);

/* True if |thread|, which the running thread wakes, may be the next one to run on this hart once
 * the running thread sleeps, in what is left of its slice. This queue's lock is held. */
static inline bool sched_may_hand_off_locked(const struct run_queue *queue,
                                             const struct thread *thread)
{
    const struct thread *waker = thread_current();

    return queue->handed == NULL && waker != queue->idle && waker->priority == thread->priority &&
           (queue->ready_mask >> thread->priority) == 0 &&
           (thread->affinity & BIT(arch_hart_index())) != 0;
}

/* Hands it over. */
void sched_hand_off_locked(struct run_queue *queue, struct thread *thread);

/* True if somebody is ready besides the running thread. A glance. */
static inline bool sched_has_ready(const struct run_queue *queue)
{
    return queue->ready_mask != 0 || queue->handed != NULL;
}

/* Queues a thread that is in no queue, whose |hart| says where, and makes that hart, or an idle
 * one, notice. Interrupts off, no queue's lock held. */
void sched_make_ready(struct thread *thread);

/* Locks the queue that |thread| belongs to. Interrupts off. */
static inline struct run_queue *sched_lock_queue_of(struct thread *thread)
{
    for (;;) {
        struct run_queue *queue = atomic_load_relaxed(&thread->queue);
        spin_lock(&queue->lock);
        if (LIKELY(atomic_load_relaxed(&thread->queue) == queue))
            return queue;
        spin_unlock(&queue->lock);
    }
}

void timer_queue_init(unsigned hart_index);

/* Runs the expired timers of this hart and programs the next interrupt. Interrupts off. */
void timer_run_expired(void);

/* Lets this hart be interrupted at |ticks| for the scheduler, or earlier. The wish ends with the
 * interrupt. Interrupts off; the run queue's lock may be held. */
void timer_set_slice_end(uint64_t ticks);

/* Takes a dead thread, off its stack now. Interrupts off, no lock. */
void reaper_add(struct thread *thread);

/* The first function of every new thread. */
void thread_first_run(void *thread);

/* Takes care of the dead thread that the last switch left. Releases the lock. */
void sched_bury_locked(struct run_queue *queue);

/* Second half of a switch, in the new thread: releases the run queue and deals with a dead
 * predecessor. Interrupts off. */
static inline void finish_switch(void)
{
    struct run_queue *queue = this_queue();

    if (UNLIKELY(queue->buried != NULL))
        sched_bury_locked(queue);
    else
        spin_unlock(&queue->lock);
}

/* The park timer of |thread| fired. Interrupt context. */
void thread_park_timed_out(struct thread *thread);
