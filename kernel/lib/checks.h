/* What compilers can watch over in debug builds: undefined behaviour, and return addresses on the
 * stack. The functions that they call are in checks.c; each finding is a panic. */
#pragma once

#include "kernel/lib/compiler.h"

#ifdef DEBUG
/* Chooses the word that guards return addresses. From a function that does not return, as those
 * that are running have stored the old one; on one hart, before there are others. */
void stack_guard_set(uint64_t value);
#else
static inline void stack_guard_set(uint64_t value)
{
    (void)value;
}
#endif
