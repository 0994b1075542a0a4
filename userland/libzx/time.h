// Times of the C library and POSIX as zx_time_t.
#ifndef USERLAND_LIBZX_TIME_H_
#define USERLAND_LIBZX_TIME_H_

#include <stdbool.h>
#include <time.h>
#include <zircon/types.h>

// Nanoseconds of a time or duration; saturates at ZX_TIME_INFINITE.
zx_time_t time_from_timespec(const struct timespec *time);
// Whether its nanoseconds are below a second.
bool timespec_is_valid(const struct timespec *time);
struct timespec time_to_timespec(zx_time_t time);

#endif // USERLAND_LIBZX_TIME_H_
