// Arm's SP805 watchdog, which the JH7110 has (binding watchdog/starfive,jh7100-wdt.yaml).
//
// A counter runs down from LOAD at the watchdog's clock. At zero it raises an interrupt and starts
// again; at zero with the interrupt still there it resets the machine. Only one that the firmware
// has started is ever fed, and none is started or stopped. The caller serialises.
#pragma once

#include <stdbool.h>
#include <zircon/types.h>

// Bytes of the register window that are used.
#define SP805_WINDOW_BYTES 0xc04u

// True when it counts and will reset the machine. `mmio` maps its registers; its bus clock runs.
bool sp805_is_running(volatile void *mmio);

// Nanoseconds from feeding until the counter is at zero, at `clock_hz` counts a second (not 0).
// Twice that until the reset.
uint64_t sp805_period_ns(volatile void *mmio, uint32_t clock_hz);

// Starts the count again and takes back the interrupt. Write access is as locked afterwards as it
// was before. Any context.
void sp805_feed(volatile void *mmio);
