/* Shared by the files of kernel/sched. */
#pragma once

#include "kernel/sched/sched.h"

/* One hart's scheduling state. */
struct run_queue {
    struct spinlock lock;                   /* rank SCHED */
    struct list_node ready[PRIORITY_COUNT]; /* struct thread.run_node */
    uint32_t ready_mask;                    /* bit p: ready[p] is not empty */
    uint32_t count_ready;
    struct thread *current;
    struct thread *idle;
    struct thread *switched_from; /* who ran before |current|, until finish_switch */
    zx_time_t hand_off_ns;        /* when an idle hart is to fetch what was handed off here */
    struct sched_stats stats;
    bool need_resched; /* written on this hart or under lock; read on this hart */
    bool is_online;
} __attribute__((aligned(64)));

extern struct run_queue run_queues[MAX_HARTS];

void timer_queue_init(unsigned hart_index);

/* Runs the expired timers of this hart and programs the next interrupt. Interrupts off. */
void timer_run_expired(void);

/* When the running thread should be interrupted in favour of its equals; ZX_TIME_INFINITE: never.
 * Interrupts off; the run queue's lock may be held. */
void timer_set_slice_end(zx_time_t slice_end_ns);

/* Takes a dead thread, off its stack now. Interrupts off, no lock. */
void reaper_add(struct thread *thread);

/* The first function of every new thread. */
void thread_first_run(void *thread);

/* Second half of a switch, in the new thread: releases the run queue and deals with a dead
 * predecessor. Interrupts off. */
void finish_switch(void);

/* The park timer of |thread| fired. Interrupt context. */
void thread_park_timed_out(struct thread *thread);
