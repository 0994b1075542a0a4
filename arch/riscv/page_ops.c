/* Whole pages, a cache line at a time. */
#include "arch/arch.h"

void arch_page_zero(void *page)
{
    uint64_t *word = page;
    uint64_t *end = word + PAGE_SIZE_BYTES / sizeof(*word);

    for (; word < end; word += 128) {
#pragma GCC unroll 128
        for (unsigned i = 0; i < 128; i++)
            word[i] = 0;
        __asm__ volatile("" : : : "memory"); /* stays a loop: no call of memset */
    }
}

void arch_page_copy(void *dst, const void *src)
{
    uint64_t *to = dst;
    const uint64_t *from = src;
    uint64_t *end = to + PAGE_SIZE_BYTES / sizeof(*to);

    for (; to < end; to += 16, from += 16) {
        uint64_t a = from[0], b = from[1], c = from[2], d = from[3];
        uint64_t e = from[4], f = from[5], g = from[6], h = from[7];
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
        to[4] = e;
        to[5] = f;
        to[6] = g;
        to[7] = h;
        a = from[8], b = from[9], c = from[10], d = from[11];
        e = from[12], f = from[13], g = from[14], h = from[15];
        to[8] = a;
        to[9] = b;
        to[10] = c;
        to[11] = d;
        to[12] = e;
        to[13] = f;
        to[14] = g;
        to[15] = h;
        __asm__ volatile("" : : : "memory");
    }
}
