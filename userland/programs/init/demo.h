// The IOB demo: two processes exchange messages through an IOBuffer, and what must fail does.
#ifndef USERLAND_PROGRAMS_INIT_DEMO_H_
#define USERLAND_PROGRAMS_INIT_DEMO_H_

#include <stdbool.h>

// Runs the demo and prints its transcript, whose last line says PASS or FAIL. True: passed.
bool demo_run(void);

#endif // USERLAND_PROGRAMS_INIT_DEMO_H_
