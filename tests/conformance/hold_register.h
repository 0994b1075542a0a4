/* A thread whose registers others look at. */
#pragma once

#include <stdatomic.h>

/* Keeps value in fs5 (f21), sets *is_ready and waits until *stop is not 0; returns what fs5 holds
 * then. */
double hold_in_fs5(double value, atomic_int *is_ready, atomic_int *stop);
