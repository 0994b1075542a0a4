/* Debug builds: the kernel looks over its own books. */
#pragma once

#include "kernel/lib/compiler.h"

#ifdef DEBUG

/* Compares the page tables of every process with its mappings and VMOs, and walks the lists of the
 * physical allocator. Panics over whatever is wrong. By a thread, no locks; others may go on. */
void self_check(void);

/* Remembers how many heap objects of each kind there are. */
void self_check_mark(void);
/* True: there are no more of any kind than at the mark. Logs the kinds of which there are. */
bool self_check_compare(void);

#endif
