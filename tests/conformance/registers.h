/* Assembly of the tests that look at registers. */
#pragma once

#include <stdint.h>

/* Fills every register but sp, gp and tp, integer and floating point, with values derived from
 * seed, counts down from iterations, and compares. Returns how many had another value. */
uint64_t registers_survive(uint64_t seed, uint64_t iterations);

struct syscall_result {
    uint64_t a[8];
    uint64_t t[7];
    uint64_t ra_is_kept;
    uint64_t count_s_lost; /* of s0..s11, sp, gp, tp */
};

/* Does the ecall that is at the address ecall (followed by ret) with number in t0 and args in
 * a0..a7; every t and s register has a value of its own before. */
void raw_syscall(struct syscall_result *result, uintptr_t ecall, uint64_t number,
                 const uint64_t args[8]);

/* An ecall of this program's own, and a ret. */
extern const char own_ecall[];
