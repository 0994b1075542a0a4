/* The debug log: records that programs write, kept in a ring until newer ones need the room, for
 * readers that each have a place of their own in it. Records go to the console as well. */
#pragma once

#include <zircon/syscalls/log.h>

#include "kernel/object/object.h"

/* A way to the log, with READ for |is_reader|, whose place is at the oldest record. One reference
 * in *out. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t debuglog_create(bool is_reader, struct object **out);

/* Adds a record of the calling thread's: |len_bytes| <= ZX_LOG_RECORD_DATA_MAX. */
void debuglog_write(uint32_t flags, const char *text, size_t len_bytes);

/* Takes the next record; *out_bytes of *out are of use. ZX_ERR_SHOULD_WAIT: there is none.
 * ZX_ERR_BAD_STATE: not a reader. */
MUST_USE zx_status_t debuglog_read(struct object *log, zx_log_record_t *out, size_t *out_bytes);
