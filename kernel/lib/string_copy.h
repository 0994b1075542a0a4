/* Bounded string copy, apart from string.h so that host tests can use it beside the C library. */
#pragma once

#include <stddef.h>

/* Copies at most |dst_bytes| - 1 characters of |src| and always terminates (dst_bytes > 0). Returns
 * the number of characters copied. */
static inline size_t string_copy(char *dst, const char *src, size_t dst_bytes)
{
    size_t len = 0;
    while (len + 1 < dst_bytes && src[len] != '\0') {
        dst[len] = src[len];
        len++;
    }
    dst[len] = '\0';
    return len;
}
