// SiFive test finisher (compatible sifive,test1 and sifive,test0), as emulated by QEMU: the only
// way to give the emulator an exit status of one's own.
#pragma once

#include <stdint.h>

// Ends the emulator: with exit status 0 when `status` is 0, else with `status` (its low 8 bits are
// what the host sees; a status that would look like success there is reported as 1). `mmio` maps
// the device's first word. Returns only if the device does not react. Any context.
void sifive_test_exit(volatile void *mmio, uint32_t status);

// Resets the machine. Returns only if the device does not react. Any context.
void sifive_test_reset(volatile void *mmio);
