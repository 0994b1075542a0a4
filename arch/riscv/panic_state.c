/* What a panic shows: registers, backtraces, and what the other harts were doing. */
#include "arch/riscv/panic_state.h"

#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"
#include "arch/riscv/symbols.h"
#include "arch/riscv/thread.h"
#include "arch/riscv/unwind.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"

/* How long other harts get to report, in parts of a second. */
#define REPORT_TIME_DIVISOR 4

const char *trap_cause_name(uint64_t cause)
{
    static const char *const names[] = {
        "instruction address misaligned",
        "instruction access fault",
        "illegal instruction",
        "breakpoint",
        "load address misaligned",
        "load access fault",
        "store address misaligned",
        "store access fault",
        "environment call from user mode",
        "environment call from supervisor mode",
        "cause 10",
        "cause 11",
        "instruction page fault",
        "load page fault",
        "cause 14",
        "store page fault",
    };

    if ((cause & CAUSE_INTERRUPT) != 0)
        return "interrupt";
    return cause < ARRAY_COUNT(names) ? names[cause] : "unknown cause";
}

/* ---- Backtraces ---- */

static uint32_t collect_from_trap(const struct trap_frame *frame, uint64_t *pcs)
{
    struct unwind_state state = {frame->x[REG_PC], frame->x[REG_SP], frame->x[REG_RA]};

    return unwind_collect(&state, pcs, PANIC_BACKTRACE_MAX);
}

static void print_pcs(const uint64_t *pcs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t offset;
        /* A return address may be the first of the next function. */
        const char *name = symbol_find(i == 0 ? pcs[i] : pcs[i] - 1, &offset);

        if (name != NULL)
            kprintf("  #%-2u %016lx %s+%#lx", i, pcs[i], name, i == 0 ? offset : offset + 1);
        else
            kprintf("  #%-2u %016lx", i, pcs[i]);
    }
}

/* ---- Other harts ---- */

void panic_halt_this_hart(const struct trap_frame *frame)
{
    struct hart *hart = this_hart();
    struct hart_state *state = &hart->last_words;

    arch_irq_disable();
    state->thread = arch_current_thread();
    if (frame != NULL) {
        state->pc = frame->x[REG_PC];
        state->cause = frame->cause;
        state->status = frame->status;
        state->count_pcs = collect_from_trap(frame, state->pcs);
    } else {
        struct unwind_state here = {0};
        UNWIND_HERE(here);
        state->pc = here.pc;
        state->count_pcs = unwind_collect(&here, state->pcs, PANIC_BACKTRACE_MAX);
    }
    atomic_store(&state->is_recorded, 1);
    for (;;)
        arch_wait_for_interrupt();
}

void arch_halt_others(void)
{
    hart_mask_t others = harts_started() & ~BIT(arch_hart_index());
    uint64_t deadline = arch_ticks() + riscv_features.timebase_hz / REPORT_TIME_DIVISOR;

    if (others != 0)
        arch_ipi_send(others, IPI_HALT);
    for (; others != 0; others &= others - 1) {
        const struct hart_state *state = &harts[lowest_bit(others)].last_words;
        while (atomic_load(&state->is_recorded) == 0 && arch_ticks() < deadline)
            arch_cpu_relax();
    }
}

static void print_other_hart(unsigned index)
{
    const struct hart_state *state = &harts[index].last_words;
    uint64_t id = harts[index].id;

    if (atomic_load(&state->is_recorded) == 0) {
        kprintf("hart %u (id %lu): does not answer", index, id);
    } else if (state->pc < USER_TOP) {
        kprintf("hart %u (id %lu): thread \"%s\" in user mode at %#lx", index, id,
                upcall_thread_name(state->thread), state->pc);
    } else {
        kprintf("hart %u (id %lu): thread \"%s\"", index, id, upcall_thread_name(state->thread));
        print_pcs(state->pcs, state->count_pcs);
    }
}

static void print_other_harts(void)
{
    hart_mask_t others = harts_started() & ~BIT(arch_hart_index());

    for (; others != 0; others &= others - 1)
        print_other_hart(lowest_bit(others));
}

/* ---- This hart ---- */

static void print_registers(const struct trap_frame *frame)
{
    static const char *const names[32] = {"pc", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                          "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                          "a6", "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                          "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

    kprintf("scause %#lx (%s)  stval %#lx  sstatus %#lx", frame->cause,
            trap_cause_name(frame->cause), frame->tval, frame->status);
    for (unsigned i = 0; i < 32; i += 4)
        kprintf("%-3s %016lx  %-3s %016lx  %-3s %016lx  %-3s %016lx", names[i], frame->x[i],
                names[i + 1], frame->x[i + 1], names[i + 2], frame->x[i + 2], names[i + 3],
                frame->x[i + 3]);
}

void arch_print_state(void)
{
    const struct trap_frame *frame = this_hart()->panic_frame;
    uint64_t pcs[PANIC_BACKTRACE_MAX];
    uint32_t count;

    if (frame != NULL) {
        print_registers(frame);
        count = collect_from_trap(frame, pcs);
    } else {
        struct unwind_state here = {0};
        UNWIND_HERE(here);
        count = unwind_collect(&here, pcs, PANIC_BACKTRACE_MAX);
    }
    kprintf("backtrace of hart %u (id %lu), thread \"%s\":", arch_hart_index(), this_hart()->id,
            upcall_thread_name(arch_current_thread()));
    print_pcs(pcs, count);
    print_other_harts();
}

void panic_in_trap(struct trap_frame *frame, const char *fmt, ...)
{
    struct hart *hart = this_hart();
    char text[128];
    va_list args;

    /* panic() itself notices a second panic; a third means that its way out traps as well. */
    if (hart->count_panics++ >= 2) {
        for (;;)
            arch_wait_for_interrupt();
    }
    if (hart->panic_frame == NULL)
        hart->panic_frame = frame;
    va_start(args, fmt);
    kernel_vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    panic("%s", text);
}
