#include "kernel/lib/checks.h"

#include "kernel/lib/panic.h"

#ifdef DEBUG

/* ---- Stack ---------------------------------------------------------------------------------- */

/* Read by name in every function that -fstack-protector-strong guards. */
extern uintptr_t __stack_chk_guard;
NORETURN void __stack_chk_fail(void);

uintptr_t __stack_chk_guard = 0x57ac4bad57ac4bad;

/* The lowest byte in memory is 0, so that no string carries the word along. */
__attribute__((no_stack_protector)) void stack_guard_set(uint64_t value)
{
    __stack_chk_guard = value & ~0xfful;
}

void __stack_chk_fail(void)
{
    panic("a function's stack frame was overrun");
}

/* ---- Undefined behaviour -------------------------------------------------------------------- */

/* The first member of all that the compiler passes. */
struct place {
    const char *file;
    uint32_t line, column;
};

#define HANDLER(name, what)                                                                        \
    NORETURN void __ubsan_handle_##name(const struct place *place);                                \
    void __ubsan_handle_##name(const struct place *place)                                          \
    {                                                                                              \
        panic("undefined behaviour: %s at %s:%u:%u", (what), place->file, place->line,             \
              place->column);                                                                      \
    }

HANDLER(add_overflow, "overflow of +")
HANDLER(sub_overflow, "overflow of -")
HANDLER(mul_overflow, "overflow of *")
HANDLER(negate_overflow, "overflow of a negation")
HANDLER(divrem_overflow, "division by zero, or its overflow")
HANDLER(shift_out_of_bounds, "shift by too much or of a negative number")
HANDLER(out_of_bounds, "index out of bounds")
HANDLER(type_mismatch_v1, "pointer that is null, misaligned or to too small an object")
HANDLER(alignment_assumption, "misaligned pointer")
HANDLER(pointer_overflow, "overflow of a pointer")
HANDLER(builtin_unreachable, "unreachable code reached")
HANDLER(missing_return, "function without a result")
HANDLER(load_invalid_value, "value that its type does not have")
HANDLER(vla_bound_not_positive, "array without elements")
HANDLER(nonnull_arg, "null pointer as an argument")
HANDLER(invalid_builtin, "bit count of zero")

#endif
