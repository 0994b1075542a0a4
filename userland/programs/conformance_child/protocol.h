// What the conformance suite and its child process agree on.
#ifndef USERLAND_PROGRAMS_CONFORMANCE_CHILD_PROTOCOL_H_
#define USERLAND_PROGRAMS_CONFORMANCE_CHILD_PROTOCOL_H_

#include <zircon/processargs.h>

// Start-up handles: an end of a channel, and an object if the act needs one.
#define CHILD_CHANNEL PA_HND(PA_USER0, 0)
#define CHILD_OBJECT  PA_HND(PA_USER0, 1)

// The exit code of a child that could not do its act, or survived it.
#define CHILD_FAILED 99

#define CHILD_FUTEX_ROUNDS 500

#endif // USERLAND_PROGRAMS_CONFORMANCE_CHILD_PROTOCOL_H_
