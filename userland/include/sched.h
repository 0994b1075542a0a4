// picolibc's <sched.h> with the one function that makes sense here.
#ifndef BERYL_SCHED_H_
#define BERYL_SCHED_H_

#include_next <sched.h>
#include <zircon/compiler.h>

__BEGIN_CDECLS

int sched_yield(void);

__END_CDECLS

#endif // BERYL_SCHED_H_
