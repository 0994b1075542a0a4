/* The kernel command line: words separated by blanks, each "name" or "name=value"; a value may be
 * in double quotes to contain blanks. The last of several words with one name counts. */
#pragma once

#include "kernel/lib/compiler.h"

/* Looks for |name| in |cmdline|. If it is there, copies its value ("" for a bare word) into |out|,
 * cut off at out_bytes - 1 characters, and returns true; else leaves |out| alone. |out| may be NULL
 * with out_bytes 0 to ask for presence only. */
bool bootargs_get(const char *cmdline, const char *name, char *out, size_t out_bytes);

/* The value of |name| as a decimal or 0x number. False, with *out untouched: absent, no number, or
 * too large. */
bool bootargs_get_u64(const char *cmdline, const char *name, uint64_t *out);

/* Iterates over the words: start with *cursor = cmdline. Copies the next word, without its quotes,
 * into |out| (cut off at out_bytes - 1) and moves the cursor behind it; false at the end. */
bool bootargs_next(const char **cursor, char *out, size_t out_bytes);
