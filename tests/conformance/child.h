/* Child processes of tests. */
#pragma once

#include "tests/conformance/util.h"
#include "userland/programs/conformance_child/protocol.h"

struct child {
    zx_handle_t process;
    zx_handle_t channel; /* this side's end */
};

/* Starts bin/conformance_child ACT [ARGUMENT]. |object| (taken) may be ZX_HANDLE_INVALID, |job|
 * (borrowed) too; |argument| may be NULL. */
struct child child_start(const char *act, const char *argument, zx_handle_t object,
                         zx_handle_t job);

/* Waits for the process's end, closes all of the child's handles and returns the code. */
int64_t child_end(const struct child *child);

/* A process without program or threads, and its root region. */
zx_handle_t process_new(zx_handle_t job, zx_handle_t *root_vmar);

/* Waits until a thread is in a state; false after PATIENCE. */
bool thread_reaches_state(zx_handle_t thread, zx_thread_state_t state);
