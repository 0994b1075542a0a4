/* The hand-off from who wakes a futex to who waits for it: no wake-up is lost, nobody touches a waiter
 * that has left (it lies on its thread's stack), and lists change only under their bucket's lock.
 *
 * Mirrors kernel/object/futex.c: futex_wait, wait_enqueue_locked, wait_leave, wake_locked,
 * requeue_locked; kernel/sched/park.c: thread_park and block, unpark, thread_park_timed_out. Thread
 * TIMED has a deadline. A run queue's lock is an atomic step.
 *
 * broken CHECK_OUTSIDE the word is compared before the bucket is locked
 * broken NO_TOKEN      an unpark of a thread that does not sleep yet is forgotten
 * broken LEAVE_AT_ONCE a waiter that sees that it was woken leaves without the lock
 * broken OLD_BUCKET    a waiter that gives up takes the lock of the bucket where it began
 * broken WAKE_FIRST    the waker unparks before it marks the waiter as woken
 */
#define WAITERS 2
#define TIMED   0
#define NOWHERE 9

bool word;                    /* what the user's word is compared with: false when waiting is right */
bool lock[2];                 /* buckets: of the first futex, and of the one requeued to */
byte list[WAITERS] = NOWHERE; /* the bucket whose list the waiter is in */
byte bucket[WAITERS];         /* waiter.bucket */
bool woken[WAITERS], exists[WAITERS];
bool blocked[WAITERS], token[WAITERS], timed_out[WAITERS];
bool timer_set;
byte count_done;

inline take(b) { d_step { !lock[b] -> lock[b] = true } }
inline drop(b) { lock[b] = false }

inline unpark(w)
{
    d_step {
        if
        :: blocked[w] -> blocked[w] = false
#ifdef NO_TOKEN
        :: else
#else
        :: else -> token[w] = true
#endif
        fi
    }
}

inline park(w)
{
    d_step {
        if
        :: token[w] -> token[w] = false
        :: else -> blocked[w] = true
        fi
    };
    !blocked[w]
}

proctype waiter(byte me)
{
    byte b;
    bool out_of_time;

    exists[me] = true;
#ifdef CHECK_OUTSIDE
    if :: word -> goto left :: else fi;
    take(0);
#else
    take(0);
    if :: word -> drop(0); goto left :: else fi;
#endif
    list[me] = 0;
    bucket[me] = 0;
    drop(0);
    if :: me == TIMED -> timer_set = true :: else fi;
    do
    :: woken[me] ->
#ifdef LEAVE_AT_ONCE
        goto left
#else
        break
#endif
    :: timed_out[me] -> out_of_time = true; break
    :: !woken[me] && !timed_out[me] -> park(me)
    od;
    if :: me == TIMED -> timer_set = false :: else fi;
    do /* wait_leave */
    :: b = bucket[me];
#ifdef OLD_BUCKET
        b = 0;
        take(b);
        break
#else
        take(b);
        if :: bucket[me] == b -> break :: else -> drop(b) fi
#endif
    od;
    if
    :: !woken[me] ->
        assert(list[me] == b && out_of_time);
        list[me] = NOWHERE
    :: else -> assert(list[me] == NOWHERE)
    fi;
    drop(b);
left:
    exists[me] = false;
    d_step { count_done++ }
}

/* The timer's interrupt: it is cancelled before the thread goes on, and unparks a thread, not a
 * waiter. */
proctype timer()
{
end:
    do
    :: d_step { timer_set && !timed_out[TIMED] -> timed_out[TIMED] = true } ; unpark(TIMED)
    od
}

inline wake_all(b, w)
{
    for (w : 0 .. WAITERS - 1) {
        if
        :: list[w] == b ->
            assert(exists[w]);
            list[w] = NOWHERE;
#ifdef WAKE_FIRST
            unpark(w);
            woken[w] = true
#else
            woken[w] = true;
            assert(exists[w]); /* waiter->thread is read */
            unpark(w)
#endif
        :: else
        fi
    }
}

/* Moves some waiters to the other futex, at any time. */
proctype requeuer()
{
    byte w;
    take(0);
    take(1);
    for (w : 0 .. WAITERS - 1) {
        if
        :: list[w] == 0 -> assert(exists[w]); list[w] = NOWHERE; bucket[w] = 1; list[w] = 1
        :: true
        fi
    }
    drop(1);
    drop(0);
    /* Those that it moved are its own to wake, once the word has changed. */
    word;
    take(1);
    wake_all(1, w);
    drop(1)
}

proctype waker()
{
    byte w;
    word = true;
    take(0);
    wake_all(0, w);
    drop(0)
}

init
{
    byte i;
    atomic {
        for (i : 0 .. WAITERS - 1) { run waiter(i) }
        run timer();
        run requeuer();
        run waker()
    }
    /* Everybody gets through: otherwise this is an end that spin calls invalid. */
    count_done == WAITERS
}
