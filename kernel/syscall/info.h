/* What the topics of zx_object_get_info share: where records go. */
#pragma once

#include <zircon/syscalls/object.h>

#include "kernel/object/object.h"
#include "kernel/syscall/user.h"

/* The caller's arguments. */
struct info_request {
    zx_handle_t handle;
    uint32_t topic;
    void __user *buffer;
    size_t buffer_bytes;
    size_t __user *actual; /* these two may be NULL */
    size_t __user *avail;
};

/* Writes the one record of a topic. ZX_ERR_BUFFER_TOO_SMALL: with *actual 0 and *avail 1. */
MUST_USE zx_status_t info_put_record(const struct info_request *request, const void *record,
                                     size_t record_bytes);

/* Number of records of |record_bytes| that the caller has room for. */
size_t info_capacity(const struct info_request *request, size_t record_bytes);

/* Writes |count| records (<= capacity) out of |available|. */
MUST_USE zx_status_t info_put_array(const struct info_request *request, const void *records,
                                    size_t record_bytes, size_t count, size_t available);

/* The families of topics, by what they look at. ZX_ERR_NOT_SUPPORTED: not one of theirs. */
MUST_USE zx_status_t info_task(const struct info_request *request);
MUST_USE zx_status_t info_vm(const struct info_request *request);
MUST_USE zx_status_t info_machine(const struct info_request *request);
