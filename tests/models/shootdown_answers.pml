/* How a shootdown asks and waits: every initiator gets its answers, whoever else initiates at the same
 * time, and nobody looks at a request whose initiator has gone on (it lies on a stack).
 *
 * Mirrors arch/riscv/tlb.c: ask_and_wait, post, wait_for_acks, tlb_serve_inbox; arch/riscv/smp.c:
 * arch_ipi_send, take_ipis, ipi_receive_while_waiting. Interrupts are off while a hart initiates. The
 * inbox has one slot, so that a full one is tried out. ACK_SPINS is any number: after each look the
 * hart may go to sleep.
 *
 * broken WAIT_DEAF     a waiting hart does not serve its own inbox
 * broken POST_DEAF     nor does one that waits for room in another's
 * broken FLAG_LATE     a hart looks for the last answer before it says that it will sleep
 * broken FORGET_LATE   the interrupt is forgotten after its word was read
 * broken LATE_ACCESS   a target looks at a request after it has answered
 */
#define HARTS  3
#define NOBODY 9

byte inbox[HARTS] = NOBODY; /* whose request is there */
byte pending[HARTS];        /* of one's own request: harts that have not answered, a bit each */
bool alive[HARTS];          /* the request exists */
bool awaits[HARTS];
bool word[HARTS], interrupt[HARTS]; /* hart.ipi_pending, and the bit that wfi waits for */

inline send_ipi(to)
{
    if
    :: d_step { !word[to] -> word[to] = true } ; interrupt[to] = true
    :: d_step { word[to] -> skip }
    fi
}

inline serve_inbox(me, from, was_last)
{
    if
    :: inbox[me] != NOBODY ->
        d_step { from = inbox[me]; assert(alive[from]); inbox[me] = NOBODY };
        d_step {
            pending[from] = pending[from] & ~(1 << me);
            was_last = pending[from] == 0
        }
#ifdef LATE_ACCESS
        assert(alive[from]);
#endif
        if :: was_last && awaits[from] -> send_ipi(from) :: else fi;
        d_step { from = 0; was_last = false }
    :: else
    fi
}

inline take_ipis(me, from, was_last)
{
#ifdef FORGET_LATE
    word[me] = false;
    interrupt[me] = false;
#else
    interrupt[me] = false;
    word[me] = false;
#endif
    serve_inbox(me, from, was_last)
}

proctype hart(byte me)
{
    byte from, to;
    bool was_last, initiates = true;

    do
    :: interrupt[me] -> take_ipis(me, from, was_last) /* user mode, or the idle loop's wfi */
    :: initiates ->
        d_step {
            initiates = false;
            alive[me] = true;
            pending[me] = ((1 << HARTS) - 1) & ~(1 << me)
        };
        for (to : 0 .. HARTS - 1) { /* post */
            do
            :: to == me -> break
            :: d_step { to != me && inbox[to] == NOBODY -> inbox[to] = me } ; break
#ifndef POST_DEAF
            :: to != me && inbox[to] != NOBODY -> serve_inbox(me, from, was_last)
#endif
            od
        }
        for (to : 0 .. HARTS - 1) { if :: to != me -> send_ipi(to) :: else fi }
        do /* wait_for_acks */
        :: pending[me] == 0 -> break
        :: else ->
#ifndef WAIT_DEAF
            serve_inbox(me, from, was_last);
#endif
            if
            :: true /* another look */
            :: true ->
#ifdef FLAG_LATE
                if
                :: pending[me] != 0 && inbox[me] == NOBODY -> awaits[me] = true; interrupt[me]
                :: else
                fi;
#else
                awaits[me] = true;
                if :: pending[me] != 0 && inbox[me] == NOBODY -> interrupt[me] :: else fi;
#endif
                awaits[me] = false;
#ifndef WAIT_DEAF
                if :: interrupt[me] -> take_ipis(me, from, was_last) :: else fi
#else
                interrupt[me] = false; word[me] = false
#endif
            fi
        od;
        alive[me] = false
    :: !initiates && !interrupt[me] && inbox[me] == NOBODY -> /* nothing to do */
end:    interrupt[me]
    od
}

init
{
    byte i;
    atomic {
        for (i : 0 .. HARTS - 1) { run hart(i) }
    }
}
