// The model test's way to the kernel: system calls in a region of this process.
#ifndef TESTS_MODEL_USER_REAL_SYSCALLS_H_
#define TESTS_MODEL_USER_REAL_SYSCALLS_H_

#include "tests/model/real.h"

// A new arena. NULL: the kernel gives none.
struct real *real_create(void);

// Destroys the arena and gives everything back.
void real_destroy(struct real *real);

#endif // TESTS_MODEL_USER_REAL_SYSCALLS_H_
