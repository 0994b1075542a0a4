// Many threads that write to one ring buffer.
#ifndef USERLAND_PROGRAMS_CONFORMANCE_CHILD_RING_H_
#define USERLAND_PROGRAMS_CONFORMANCE_CHILD_RING_H_

#include <stdint.h>
#include <zircon/types.h>

// RING_WRITERS threads write RING_RECORDS records each (protocol.h) to region 0 of the endpoint, as
// writers first, first + 1 ... Returns 0 if each record was taken.
int write_rings(zx_handle_t endpoint, uint32_t first);

#endif // USERLAND_PROGRAMS_CONFORMANCE_CHILD_RING_H_
