// picolibc's <time.h> with what it lacks of C11.
#ifndef BERYL_TIME_H_
#define BERYL_TIME_H_

#include_next <time.h>
#include <zircon/compiler.h>

__BEGIN_CDECLS

#define TIME_UTC 1

// Stores the time since the boot: there is no calendar. Returns base, or 0 for an unknown one.
int timespec_get(struct timespec *time, int base);

__END_CDECLS

#endif // BERYL_TIME_H_
