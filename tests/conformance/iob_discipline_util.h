/* What the tests of disciplines share. */
#pragma once

#include "tests/conformance/iob_util.h"

#define RING_TAG 0x0123456789abcdefull

zx_handle_t shared_new(uint64_t size_bytes);
/* A region that shows a shared region as a ring. */
zx_iob_region_t ring_region(zx_iob_access_t access, zx_handle_t shared, uint64_t tag);
/* An IOBuffer of one such region; endpoint 0 writes by mediation, both may map. */
struct iob ring_iob(zx_handle_t shared, uint64_t tag);
/* A private region with an id allocator; its access as given. */
zx_iob_region_t ids_region(zx_iob_access_t access, uint64_t size_bytes);

/* Maps region 0 from the start. */
zx_vaddr_t map_region0(zx_vm_option_t perms, zx_handle_t endpoint, size_t len_bytes);
