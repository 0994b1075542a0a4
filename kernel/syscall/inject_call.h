/* Debug builds: a system call made with its allocations refused one after the other. */
#pragma once

#include "kernel/lib/compiler.h"

#ifdef DEBUG

/* Makes a call with its arguments; the result of the C function. */
typedef uint64_t (*call_fn)(const uint64_t regs[8]);

/* What call |number| returns. Under INJECT_EACH it is made until no allocation is left to refuse:
 * as a refused call must change nothing, the caller sees no difference. Logs each status other than
 * ZX_ERR_NO_MEMORY that a refusal leads to, once a call and status. */
uint64_t inject_call(uint32_t number, call_fn call, const uint64_t regs[8]);

#endif
