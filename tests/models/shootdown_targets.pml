/* Whom a shootdown must ask: no hart uses a translation of a page that has been given back.
 *
 * Mirrors arch/riscv/tlb.c: tlb_batch_finish and harts_to_ask are initiator(); load_aspace and
 * mmu_aspace_switch are the switches in hart(); serve and fence_batch_here its answer. The address
 * space keeps its ASID on each hart, so translations outlive a switch to another address space.
 * Memory is sequentially consistent here: the fences between the accesses are taken for granted,
 * their order is not.
 *
 * broken ONE_LOOK     asks only the harts that were active before the stale bits were set
 * broken LATE_ACTIVE  a hart tests its stale bit before it says that it is active
 * broken FREE_EARLY   the page is given back before the answers are there
 * broken ANSWER_FIRST a hart answers before it fences
 * broken CHANGE_LATE  the table is changed after the harts were chosen
 */
#define HARTS  2 /* besides the initiator's */
#define ROUNDS 2

byte entry = 1;        /* page that the table entry shows; 0: none */
bool freed[ROUNDS + 1];
byte tlb[HARTS];       /* page that the hart's translation shows; 0: none */
bool loaded[HARTS];    /* satp holds the address space */
bool is_active[HARTS], stale[HARTS];
bool asked[HARTS], answered[HARTS];

/* The hardware may look the entry up whenever satp points there, asked or not. */
inline walk(me)
{
    d_step { loaded[me] && entry != 0 -> tlb[me] = entry }
}

proctype hart(byte me)
{
    bool is_stale;
end:
    do
    :: walk(me)
    :: d_step { loaded[me] && tlb[me] != 0 -> assert(!freed[tlb[me]]) } /* a store of the user's */
    :: asked[me] ->
#ifdef ANSWER_FIRST
        answered[me] = true;
        if :: walk(me) :: d_step { loaded[me] && tlb[me] != 0 -> assert(!freed[tlb[me]]) }
           :: true fi;
        tlb[me] = 0;
#else
        tlb[me] = 0;
        answered[me] = true;
#endif
        asked[me] = false
    :: !loaded[me] -> /* load_aspace */
#ifdef LATE_ACTIVE
        is_stale = stale[me];
        is_active[me] = true;
#else
        is_active[me] = true;
        is_stale = stale[me];
#endif
        if :: is_stale -> stale[me] = false :: else fi;
        loaded[me] = true;
        if :: walk(me) :: true fi;
        if :: is_stale -> tlb[me] = 0 :: else fi
    :: loaded[me] -> /* to another address space, or to none */
        loaded[me] = false;
        is_active[me] = false
    od
}

proctype initiator()
{
    byte i, round;
    bool ask[HARTS];
    for (round : 1 .. ROUNDS) {
#ifndef CHANGE_LATE
        entry = 0;
#endif
        for (i : 0 .. HARTS - 1) { ask[i] = is_active[i] }
#ifndef ONE_LOOK
        for (i : 0 .. HARTS - 1) { if :: !ask[i] -> stale[i] = true :: else fi }
        for (i : 0 .. HARTS - 1) { ask[i] = ask[i] || is_active[i] }
#else
        for (i : 0 .. HARTS - 1) { if :: !ask[i] -> stale[i] = true :: else fi }
#endif
#ifdef CHANGE_LATE
        entry = 0;
#endif
        for (i : 0 .. HARTS - 1) {
            if :: ask[i] -> answered[i] = false; asked[i] = true :: else fi
        }
#ifdef FREE_EARLY
        freed[round] = true;
#endif
        for (i : 0 .. HARTS - 1) { if :: ask[i] -> answered[i] :: else fi }
        freed[round] = true;
        /* Another page at the same address; granting asks nobody. */
        if :: round < ROUNDS -> entry = round + 1 :: else fi
    }
}

init
{
    byte i;
    atomic {
        run initiator();
        for (i : 0 .. HARTS - 1) { run hart(i) }
    }
}
