// Acts of a child that tell where its parts are or look for what is not its own.
#ifndef USERLAND_PROGRAMS_CONFORMANCE_CHILD_PLACES_H_
#define USERLAND_PROGRAMS_CONFORMANCE_CHILD_PLACES_H_

#include <stdbool.h>
#include <zircon/types.h>

// Does the act "places", "guess" or "overflow" and stores the exit code; false if |act| is none of
// them.
bool places_act(const char *act, zx_handle_t channel, int *code);

#endif // USERLAND_PROGRAMS_CONFORMANCE_CHILD_PLACES_H_
