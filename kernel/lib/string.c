#include "kernel/lib/string.h"

#include <stdbool.h>
#include <stdint.h>

/* The compiler may turn loops into calls of these very functions; the Makefile builds this file
 * with -fno-tree-loop-distribute-patterns, and word loops use may_alias types. */
typedef uint64_t __attribute__((may_alias)) word_t;

static bool words_are_aligned(const void *a, const void *b)
{
    return (((uintptr_t)a | (uintptr_t)b) & 7) == 0;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t len_bytes)
{
    return memmove(dst, src, len_bytes);
}

static void copy_forward(uint8_t *to, const uint8_t *from, size_t len_bytes)
{
    if (words_are_aligned(to, from)) {
        for (; len_bytes >= 32; to += 32, from += 32, len_bytes -= 32) {
            word_t a = ((const word_t *)from)[0], b = ((const word_t *)from)[1];
            word_t c = ((const word_t *)from)[2], d = ((const word_t *)from)[3];
            ((word_t *)to)[0] = a;
            ((word_t *)to)[1] = b;
            ((word_t *)to)[2] = c;
            ((word_t *)to)[3] = d;
        }
        for (; len_bytes >= 8; to += 8, from += 8, len_bytes -= 8)
            *(word_t *)to = *(const word_t *)from;
    }
    while (len_bytes-- > 0)
        *to++ = *from++;
}

static void copy_backward(uint8_t *to, const uint8_t *from, size_t len_bytes)
{
    if (((((uintptr_t)to + len_bytes) | ((uintptr_t)from + len_bytes)) & 7) == 0) {
        for (; len_bytes >= 8; len_bytes -= 8)
            *(word_t *)(to + len_bytes - 8) = *(const word_t *)(from + len_bytes - 8);
    }
    while (len_bytes-- > 0)
        to[len_bytes] = from[len_bytes];
}

void *memmove(void *dst, const void *src, size_t len_bytes)
{
    if ((uintptr_t)dst - (uintptr_t)src >= len_bytes)
        copy_forward(dst, src, len_bytes);
    else
        copy_backward(dst, src, len_bytes);
    return dst;
}

void *memset(void *dst, int value, size_t len_bytes)
{
    uint8_t *to = dst;
    uint64_t pattern = (uint8_t)value * 0x0101010101010101ul;

    for (; len_bytes > 0 && ((uintptr_t)to & 7) != 0; len_bytes--)
        *to++ = (uint8_t)value;
    for (; len_bytes >= 32; to += 32, len_bytes -= 32) {
        ((word_t *)to)[0] = pattern;
        ((word_t *)to)[1] = pattern;
        ((word_t *)to)[2] = pattern;
        ((word_t *)to)[3] = pattern;
    }
    for (; len_bytes >= 8; to += 8, len_bytes -= 8)
        *(word_t *)to = pattern;
    while (len_bytes-- > 0)
        *to++ = (uint8_t)value;
    return dst;
}

int memcmp(const void *a, const void *b, size_t len_bytes)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < len_bytes; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

void *memchr(const void *mem, int value, size_t len_bytes)
{
    const uint8_t *bytes = mem;
    for (size_t i = 0; i < len_bytes; i++) {
        if (bytes[i] == (uint8_t)value)
            return (void *)(uintptr_t)&bytes[i];
    }
    return NULL;
}

size_t strlen(const char *s)
{
    return strnlen(s, SIZE_MAX);
}

size_t strnlen(const char *s, size_t max_bytes)
{
    size_t len = 0;
    while (len < max_bytes && s[len] != '\0')
        len++;
    return len;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t max_bytes)
{
    for (size_t i = 0; i < max_bytes; i++) {
        uint8_t x = (uint8_t)a[i], y = (uint8_t)b[i];
        if (x != y)
            return x < y ? -1 : 1;
        if (x == 0)
            return 0;
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (*s == '\0')
            return NULL;
    }
}
