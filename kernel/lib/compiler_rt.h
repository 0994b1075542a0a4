/* Functions that the compiler itself calls; see compiler_rt.c. Not for calling by name. */
#pragma once

#include "kernel/lib/compiler.h"

int __ctzdi2(uint64_t value);      /* trailing zeros; value != 0 */
int __clzdi2(uint64_t value);      /* leading zeros; value != 0 */
int __popcountdi2(uint64_t value); /* bits set */
