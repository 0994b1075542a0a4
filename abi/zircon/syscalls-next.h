// Calls and constants that Zircon keeps apart as not yet stable; here they are with the others.
#ifndef ZIRCON_SYSCALLS_NEXT_H_
#define ZIRCON_SYSCALLS_NEXT_H_

#include <zircon/syscalls.h>

#endif // ZIRCON_SYSCALLS_NEXT_H_
