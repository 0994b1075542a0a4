/* What the tests of IOBuffers share. */
#pragma once

#include <zircon/syscalls/iob.h>

#include "tests/conformance/util.h"

#define IOB_EP0_RW  (ZX_IOB_EP0_CAN_MAP_READ | ZX_IOB_EP0_CAN_MAP_WRITE)
#define IOB_EP1_RW  (ZX_IOB_EP1_CAN_MAP_READ | ZX_IOB_EP1_CAN_MAP_WRITE)
#define IOB_BOTH_RW (IOB_EP0_RW | IOB_EP1_RW)

struct iob {
    zx_handle_t ep[2];
};

/* A private region without discipline. */
zx_iob_region_t iob_region(zx_iob_access_t access, uint64_t size_bytes);
/* An IOBuffer of one region. */
struct iob iob_new(zx_iob_access_t access, uint64_t size_bytes);
void iob_drop(const struct iob *iob);
bool iob_peer_is_closed(zx_handle_t endpoint);
