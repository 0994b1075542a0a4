// Names of status values.
#ifndef ZIRCON_STATUS_H_
#define ZIRCON_STATUS_H_

#include <zircon/compiler.h>
#include <zircon/types.h>

__BEGIN_CDECLS

// Returns the spelling of a status ("ZX_ERR_NO_MEMORY"), or "(UNKNOWN)". Never NULL; the string
// is constant. No locks.
const char *zx_status_get_string(zx_status_t status);

__END_CDECLS

#endif // ZIRCON_STATUS_H_
