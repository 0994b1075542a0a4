#include "arch/riscv/unwind.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/symbols.h"
#include "arch/riscv/trap_frame.h"

/* trap_entry.S: where the C code of a trap returns to with the frame at sp. */
extern char trap_from_kernel_return[], trap_stack_overflow_return[];

/* A frame larger than this is reserved in two steps, the second right behind the saving of
 * registers. */
#define SECOND_STEP_INSTRUCTIONS 24

/* ---- Instructions ---------------------------------------------------------------------------- */

enum { RA = 1, SP = 2 };

struct instruction {
    uint32_t bits;
    unsigned len_bytes;
};

/* The text is aligned to two bytes only. */
static struct instruction fetch(uint64_t pc)
{
    const uint16_t *at = (const uint16_t *)pc;
    uint32_t low = at[0];

    /* "The two least-significant bits of all 32-bit instructions are set" (unprivileged spec,
     * "Base Instruction-Length Encoding"). */
    if ((low & 3) != 3)
        return (struct instruction){low, 2};
    return (struct instruction){low | (uint32_t)at[1] << 16, 4};
}

static uint32_t field(uint32_t bits, unsigned from, unsigned count)
{
    return bits >> from & ((1u << count) - 1);
}

/* What the instruction adds to sp as a constant; 0: nothing. Formats: unprivileged spec, ADDI,
 * C.ADDI16SP and C.ADDI with rd = sp. */
static int64_t sp_step(const struct instruction *insn)
{
    uint32_t bits = insn->bits;

    if (insn->len_bytes == 4)
        return (bits & 0xfffff) == (SP << 15 | SP << 7 | 0x13) ? (int32_t)bits >> 20 : 0;
    if ((bits & 0xef83) == (3u << 13 | SP << 7 | 1)) {
        uint32_t step = field(bits, 6, 1) << 4 | field(bits, 2, 1) << 5 | field(bits, 5, 1) << 6 |
                        field(bits, 3, 2) << 7;
        return (int64_t)step - (int64_t)(field(bits, 12, 1) << 9);
    }
    if ((bits & 0xef83) == (SP << 7 | 1))
        return (int64_t)field(bits, 2, 5) - (int64_t)(field(bits, 12, 1) << 5);
    return 0;
}

/* sd ra, offset(sp) and C.SDSP. */
static bool saves_ra(const struct instruction *insn, uint64_t *out_offset)
{
    uint32_t bits = insn->bits;

    if (insn->len_bytes == 4) {
        *out_offset = (uint64_t)(field(bits, 7, 5) | field(bits, 25, 7) << 5);
        return (bits & 0x1fff07f) == (RA << 20 | SP << 15 | 3u << 12 | 0x23) && bits >> 31 == 0;
    }
    *out_offset = (uint64_t)(field(bits, 10, 3) << 3 | field(bits, 7, 3) << 6);
    return (bits & 0xe07f) == (7u << 13 | RA << 2 | 2);
}

/* JAL, JALR and branches; C.J, C.BEQZ, C.BNEZ, C.JR and C.JALR. */
static bool leaves(const struct instruction *insn)
{
    uint32_t bits = insn->bits;

    if (insn->len_bytes == 4)
        return (bits & 0x7f) == 0x6f || (bits & 0x7f) == 0x67 || (bits & 0x7f) == 0x63;
    return (bits & 3) == 1 ? bits >> 13 >= 5 : (bits & 0xe07f) == 0x8002;
}

/* ---- Frames ---------------------------------------------------------------------------------- */

struct frame {
    uint64_t size_bytes;
    uint64_t ra_offset; /* from sp */
    bool has_ra;
};

/* What the function from |begin| on has put on its stack when it is at |end|. The compiler gives a
 * function one place where it reserves its frame, at the start or behind an early way out. */
static struct frame frame_of(uint64_t begin, uint64_t end)
{
    struct frame frame = {0};
    unsigned since_first = 0;
    bool is_open = true;

    for (uint64_t pc = begin; pc < end && (is_open || !frame.has_ra);) {
        struct instruction insn = fetch(pc);
        int64_t step = sp_step(&insn);
        uint64_t offset;

        if (step < 0 && is_open) {
            frame.size_bytes += (uint64_t)-step;
            frame.ra_offset += frame.has_ra ? (uint64_t)-step : 0;
        } else if (!frame.has_ra && frame.size_bytes != 0 && saves_ra(&insn, &offset)) {
            frame.has_ra = true;
            frame.ra_offset = offset;
        }
        if (frame.size_bytes != 0 && (leaves(&insn) || ++since_first > SECOND_STEP_INSTRUCTIONS))
            is_open = false;
        pc += insn.len_bytes;
    }
    return frame;
}

/* ---- Stacks ---------------------------------------------------------------------------------- */

/* True if |len_bytes| at |addr| lie on the thread's stack or on the hart's emergency stack. */
static bool is_on_stack(uint64_t addr, uint64_t len_bytes)
{
    uint64_t top = riscv_this_thread()->kernel_stack_top;
    uint64_t emergency = this_hart()->emergency_top;

    if (!is_aligned(addr, sizeof(uint64_t)))
        return false;
    if (addr >= top - KERNEL_STACK_BYTES && addr + len_bytes <= top)
        return true;
    return emergency != 0 && addr >= emergency - EMERGENCY_STACK_BYTES &&
           addr + len_bytes <= emergency;
}

/* From the C code of a trap to what it interrupted. */
static bool step_through_trap(struct unwind_state *state)
{
    const struct trap_frame *frame = (const struct trap_frame *)state->sp;

    if (!is_on_stack(state->sp, sizeof(*frame)))
        return false;
    *state = (struct unwind_state){frame->x[REG_PC], frame->x[REG_SP], frame->x[REG_RA]};
    return true;
}

static bool step_through_call(struct unwind_state *state)
{
    /* A return address may be the first of the next function. */
    uint64_t at = state->ra != 0 ? state->pc : state->pc - 1;
    uint64_t distance = 0, ra = state->ra;

    if (symbol_find(at, &distance) == NULL) {
        if (ra == 0)
            return false;
        *state = (struct unwind_state){ra, state->sp, 0}; /* a jump to nowhere */
        return symbol_is_text(ra);
    }
    struct frame frame = frame_of(at - distance, state->pc);
    uint64_t slot = state->sp + frame.ra_offset;
    /* The innermost function may be about to leave, with its frame given back already. */
    if (frame.has_ra && is_on_stack(slot, sizeof(uint64_t)) &&
        symbol_is_text(*(const uint64_t *)slot)) {
        ra = *(const uint64_t *)slot;
        state->sp += frame.size_bytes;
    } else if (ra != 0 && !frame.has_ra) {
        state->sp += frame.size_bytes;
    }
    state->pc = ra;
    state->ra = 0;
    return symbol_is_text(ra);
}

uint32_t unwind_collect(const struct unwind_state *from, uint64_t *pcs, uint32_t max)
{
    struct unwind_state state = *from;
    uint32_t count = 0;

    pcs[count++] = state.pc;
    while (count < max) {
        bool is_trap = state.pc == (uint64_t)trap_from_kernel_return ||
                       state.pc == (uint64_t)trap_stack_overflow_return;
        if (!(is_trap ? step_through_trap(&state) : step_through_call(&state)))
            break;
        pcs[count++] = state.pc;
    }
    return count;
}
