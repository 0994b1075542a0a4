/* Names of the kernel's functions. */
#pragma once

#include "kernel/lib/compiler.h"

/* The function that |pc| lies in, with the distance from its start; NULL outside the text. */
const char *symbol_find(vaddr_t pc, uint64_t *out_offset);

/* True for addresses of kernel instructions. */
bool symbol_is_text(vaddr_t pc);
