/* Deferred destruction, between object.c and handle.c. */
#pragma once

#include "kernel/object/handle.h"

/* What a thread that is destroying objects or closing handles has still to do. It lies on the stack
 * of the outermost call; thread_current()->releases leads to it. */
struct object_releases {
    struct object *objects; /* linked by next_release; no references left */
    struct handle *handles; /* linked by struct handle.next_closing */
};

/* Closes |handle|, or destroys |object| whose last reference is gone (the other one is NULL), and
 * then everything that this leads to; from inside such a call it only queues. */
void object_release(struct object *object, struct handle *handle);

/* Closes one handle: count, on_zero_handles, reference. Called by object_release only. */
void handle_close_now(struct handle *handle);
