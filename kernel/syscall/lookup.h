/* Handle lookups by type, and the references they give. */
#pragma once

#include "kernel/object/exception.h"
#include "kernel/object/handle.h"
#include "kernel/object/iob.h"
#include "kernel/object/iob_shared.h"
#include "kernel/object/job.h"
#include "kernel/object/process.h"
#include "kernel/object/thread.h"
#include "kernel/object/vm_obj.h"

/* As handle_get for one type; the reference is given back with object_put(&x->object). */
#define DEFINE_LOOKUP(name_, struct_, type_, from_)                                                \
    MUST_USE static inline zx_status_t lookup_##name_(zx_handle_t value, zx_rights_t needed,       \
                                                      struct struct_ **out, zx_rights_t *rights)   \
    {                                                                                              \
        struct object *object;                                                                     \
        zx_status_t status = handle_get(value, type_, needed, &object, rights);                    \
        if (status == ZX_OK)                                                                       \
            *out = from_(object);                                                                  \
        return status;                                                                             \
    }

DEFINE_LOOKUP(job, job, ZX_OBJ_TYPE_JOB, job_from_object)
DEFINE_LOOKUP(process, process, ZX_OBJ_TYPE_PROCESS, process_from_object)
DEFINE_LOOKUP(thread, user_thread, ZX_OBJ_TYPE_THREAD, user_thread_from_object)
DEFINE_LOOKUP(vmar, vmar_object, ZX_OBJ_TYPE_VMAR, vmar_from_object)
DEFINE_LOOKUP(vmo, vmo_object, ZX_OBJ_TYPE_VMO, vmo_from_object)
DEFINE_LOOKUP(iob, iob_endpoint, ZX_OBJ_TYPE_IOB, iob_from_object)
DEFINE_LOOKUP(iob_shared, iob_shared, ZX_OBJ_TYPE_IOB_SHARED_REGION, iob_shared_from_object)
DEFINE_LOOKUP(exception, exception, ZX_OBJ_TYPE_EXCEPTION, exception_from_object)

#undef DEFINE_LOOKUP
