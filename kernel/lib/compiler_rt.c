/* What the compiler calls for bit counts when the instruction set has none (RV64GC without Zbb).
 * The names are those of its run-time library, which the kernel does not link. */
#include "kernel/lib/compiler_rt.h"

/* A table of 64 entries indexed by the top six bits of an isolated bit times a de Bruijn sequence.
 */
#define DE_BRUIJN_64 0x03f79d71b4cb0a89ul
static const uint8_t bit_index[64] = {
    0,  1,  48, 2,  57, 49, 28, 3,  61, 58, 50, 42, 38, 29, 17, 4,  62, 55, 59, 36, 53, 51,
    43, 22, 45, 39, 33, 30, 24, 18, 12, 5,  63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
    44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6,
};

int __ctzdi2(uint64_t value)
{
    return bit_index[((value & (0 - value)) * DE_BRUIJN_64) >> 58];
}

int __clzdi2(uint64_t value)
{
    value |= value >> 1;
    value |= value >> 2;
    value |= value >> 4;
    value |= value >> 8;
    value |= value >> 16;
    value |= value >> 32;
    return 63 - bit_index[((value - (value >> 1)) * DE_BRUIJN_64) >> 58];
}

int __popcountdi2(uint64_t value)
{
    value -= (value >> 1) & 0x5555555555555555ul;
    value = (value & 0x3333333333333333ul) + ((value >> 2) & 0x3333333333333333ul);
    value = (value + (value >> 4)) & 0x0f0f0f0f0f0f0f0ful;
    return (int)((value * 0x0101010101010101ul) >> 56);
}
