/* Between the files that make up the info topics. */
#pragma once

#include "kernel/syscall/info.h"

struct vmo;

/* The flags of a VMO that was found through a handle. */
uint32_t info_flags_via_handle(const struct vmo *vmo);

/* Everything about a VMO but how it was found. Takes its lock. */
void info_fill_vmo(struct vmo *vmo, zx_info_vmo_t *out);

/* ZX_INFO_PROCESS_MAPS in its three versions. */
MUST_USE zx_status_t info_process_maps(const struct info_request *request);
/* ZX_INFO_VMAR_MAPS. */
MUST_USE zx_status_t info_vmar_maps(const struct info_request *request);
/* ZX_INFO_PROCESS_VMOS in its four versions. */
MUST_USE zx_status_t info_process_vmos(const struct info_request *request);

/* Bytes of the record of a VMO in a version of ZX_INFO_VMO or ZX_INFO_PROCESS_VMOS. */
size_t info_vmo_record_bytes(uint32_t topic);
