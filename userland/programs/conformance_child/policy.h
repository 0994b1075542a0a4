// Acts that a job's policy may forbid.
#ifndef USERLAND_PROGRAMS_CONFORMANCE_CHILD_POLICY_H_
#define USERLAND_PROGRAMS_CONFORMANCE_CHILD_POLICY_H_

#include <stdbool.h>

// Does the act and sets *code to its status, negated. False: there is no such act.
bool policy_act(const char *name, int *code);

#endif // USERLAND_PROGRAMS_CONFORMANCE_CHILD_POLICY_H_
