/* Resources: the right to do what concerns the whole machine, as a handle. */
#pragma once

#include <zircon/syscalls/object.h>
#include <zircon/syscalls/resource.h>

#include "kernel/object/handle.h"

/* One reference on a resource of |kind| over [base, base + size); the root resource stands for all
 * of them. |name| is cut at 31 characters. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t resource_create(zx_rsrc_kind_t kind, zx_rsrc_flags_t flags, uint64_t base,
                                     uint64_t size, const char *name, struct object **out);

/* Whether the current process's handle |value| allows to use [base, base + size) of |kind|: a
 * resource of that kind which covers the range, or the root resource. ZX_ERR_BAD_HANDLE,
 * ZX_ERR_WRONG_TYPE (no resource, or of another kind), ZX_ERR_OUT_OF_RANGE (does not cover it). */
MUST_USE zx_status_t resource_check(zx_handle_t value, zx_rsrc_kind_t kind, uint64_t base,
                                    uint64_t size);

/* The same for one of ZX_RSRC_SYSTEM_*_BASE. */
MUST_USE zx_status_t resource_check_system(zx_handle_t value, zx_rsrc_system_base_t base);

void resource_get_info(struct object *resource, zx_info_resource_t *out);
