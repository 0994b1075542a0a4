// Stands before the host's file of that name, which asks glibc for its version. The C library is
// picolibc.
#ifndef BERYL_OS_DEFINES_H_
#define BERYL_OS_DEFINES_H_
#endif
