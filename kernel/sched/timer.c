#include "kernel/sched/timer.h"

#include "kernel/lib/panic.h"
#include "kernel/sched/sched_internal.h"
/* A queue is a pairing heap with the earliest deadline at the root. A node's |prev| is its parent
 * if it is a first child, else its left sibling. */

struct timer_queue {
    struct spinlock lock;
    struct timer *root;
    uint64_t slice_ticks;      /* the scheduler's wish, UINT64_MAX: none */
    uint64_t programmed_ticks; /* when the hardware will interrupt ... */
    zx_time_t programmed_ns;   /* ... on the other clock */
} __attribute__((aligned(64)));

static struct timer_queue queues[MAX_HARTS];

void timer_queue_init(unsigned hart_index)
{
    spinlock_init(&queues[hart_index].lock, LOCK_RANK_TIMER);
    queues[hart_index].root = NULL;
    queues[hart_index].slice_ticks = UINT64_MAX;
    queues[hart_index].programmed_ticks = UINT64_MAX;
    queues[hart_index].programmed_ns = ZX_TIME_INFINITE;
}

void timer_init(struct timer *timer, timer_callback callback, void *ctx)
{
    *timer = (struct timer){.callback = callback, .ctx = ctx, .hart = -1};
}

static struct timer *heap_meld(struct timer *a, struct timer *b)
{
    if (a == NULL)
        return b;
    if (b == NULL)
        return a;
    if (b->deadline_ns < a->deadline_ns) {
        struct timer *swap = a;
        a = b;
        b = swap;
    }
    b->prev = a;
    b->sibling = a->child;
    if (a->child != NULL)
        a->child->prev = b;
    a->child = b;
    return a;
}

/* Melds a list of siblings into one heap, in two passes as pairing heaps do. */
static struct timer *heap_meld_siblings(struct timer *first)
{
    struct timer *pairs = NULL, *heap = NULL;

    while (first != NULL) {
        struct timer *a = first, *b = a->sibling;
        first = b != NULL ? b->sibling : NULL;
        a->sibling = NULL;
        a->prev = NULL;
        if (b != NULL) {
            b->sibling = NULL;
            b->prev = NULL;
        }
        a = heap_meld(a, b);
        a->sibling = pairs;
        pairs = a;
    }
    while (pairs != NULL) {
        struct timer *next = pairs->sibling;
        pairs->sibling = NULL;
        heap = heap_meld(heap, pairs);
        pairs = next;
    }
    return heap;
}

static void heap_remove(struct timer_queue *queue, struct timer *timer)
{
    struct timer *rest = heap_meld_siblings(timer->child);

    if (queue->root == timer) {
        queue->root = rest;
    } else {
        if (timer->prev->child == timer)
            timer->prev->child = timer->sibling;
        else
            timer->prev->sibling = timer->sibling;
        if (timer->sibling != NULL)
            timer->sibling->prev = timer->prev;
        queue->root = heap_meld(queue->root, rest);
    }
    timer->child = NULL;
    timer->sibling = NULL;
    timer->prev = NULL;
    if (queue->root != NULL) {
        queue->root->prev = NULL;
        queue->root->sibling = NULL;
    }
}

/* The hardware is programmed for the earlier of the first timer and the scheduler's wish. An
 * interrupt that would come too early stays: setting the timer costs more (a call to the firmware
 * where there is no Sstc) than a needless interrupt now and then. */
static void program_locked(struct timer_queue *queue, uint64_t ticks, zx_time_t ns)
{
    queue->programmed_ticks = ticks;
    queue->programmed_ns = ns;
    arch_timer_set(ticks);
}

static void program_timer_locked(struct timer_queue *queue)
{
    zx_time_t first = queue->root->deadline_ns;

    if (first < queue->programmed_ns)
        program_locked(queue, clock_ns_to_ticks_ceil(first), first);
}

static void program_slice_locked(struct timer_queue *queue)
{
    uint64_t ticks = queue->slice_ticks;

    if (ticks < queue->programmed_ticks)
        program_locked(queue, ticks, clock_monotonic_ns_at(ticks));
}

void timer_set(struct timer *timer, zx_time_t deadline_ns)
{
    irq_state_t irq = arch_irq_save();
    unsigned hart = arch_hart_index();
    struct timer_queue *queue = &queues[hart];

    spin_lock(&queue->lock);
    ASSERT(timer->hart < 0);
    timer->deadline_ns = deadline_ns;
    timer->child = NULL;
    timer->sibling = NULL;
    timer->prev = NULL;
    queue->root = heap_meld(queue->root, timer);
    atomic_store(&timer->hart, (int32_t)hart);
    if (queue->root == timer)
        program_timer_locked(queue);
    spin_unlock(&queue->lock);
    arch_irq_restore(irq);
}

bool timer_cancel(struct timer *timer)
{
    for (;;) {
        int32_t hart = atomic_load(&timer->hart);
        if (hart < 0)
            return false;

        struct timer_queue *queue = &queues[hart];
        irq_state_t irq = spin_lock_irqsave(&queue->lock);
        bool same = timer->hart == hart;
        bool running = same && timer->running;
        if (same && !running) {
            heap_remove(queue, timer);
            atomic_store(&timer->hart, -1);
        }
        spin_unlock_irqrestore(&queue->lock, irq);
        if (same && !running)
            return true;
        if (running && (unsigned)hart == arch_hart_index())
            return false; /* called from the callback itself */
        arch_cpu_relax();
    }
}

void timer_set_slice_end(uint64_t ticks)
{
    struct timer_queue *queue = &queues[arch_hart_index()];

    spin_lock(&queue->lock);
    queue->slice_ticks = ticks;
    program_slice_locked(queue);
    spin_unlock(&queue->lock);
}

void timer_run_expired(void)
{
    struct timer_queue *queue = &queues[arch_hart_index()];

    spin_lock(&queue->lock);
    queue->slice_ticks = UINT64_MAX;
    queue->programmed_ticks = UINT64_MAX;
    queue->programmed_ns = ZX_TIME_INFINITE;
    zx_time_t now = clock_monotonic_ns();
    while (queue->root != NULL && queue->root->deadline_ns <= now) {
        struct timer *timer = queue->root;
        timer_callback callback = timer->callback;
        heap_remove(queue, timer);
        timer->running = true;
        spin_unlock(&queue->lock);
        callback(timer, timer->ctx);
        spin_lock(&queue->lock);
        timer->running = false;
        /* After this store a canceller returns and may free the timer. */
        atomic_store(&timer->hart, -1);
        now = clock_monotonic_ns();
    }
    if (queue->root != NULL)
        program_timer_locked(queue);
    spin_unlock(&queue->lock);
}
