/* The model test's way to kernel/vm on the fake machine. */
#pragma once

#include <stdint.h>

#include "tests/model/real.h"

/* Once a process. */
void real_boot(void);

/* A new address space with an empty arena, whose random choices follow from |seed|. */
struct real *real_create(uint64_t seed);

/* Ends it. False: pages or objects are left that were not there before. */
bool real_destroy(struct real *real);
