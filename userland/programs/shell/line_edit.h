// Line editing on a serial terminal: cursor keys, history, lines longer than the screen.
#ifndef USERLAND_PROGRAMS_SHELL_LINE_EDIT_H_
#define USERLAND_PROGRAMS_SHELL_LINE_EDIT_H_

#include <stdbool.h>
#include <stddef.h>

// Bytes of the longest line with its NUL.
#define LINE_EDIT_MAX 512

// Shows the prompt and reads a line into line (size bytes, at most LINE_EDIT_MAX are used), without
// its end of line and with a NUL. Ctrl-C drops what was typed and gives an empty line. A line that
// is not blank enters the history. False when the console has no more input. Not thread-safe.
bool line_edit_read(const char *prompt, char *line, size_t size);

// Entry i of the history, 0 being the oldest that is kept, or NULL when there is none. The string
// is valid until the next line_edit_read.
const char *line_edit_history(size_t i);

#endif // USERLAND_PROGRAMS_SHELL_LINE_EDIT_H_
