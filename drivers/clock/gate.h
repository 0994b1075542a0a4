// What must be on before a device may be touched: bits that let its clocks through, and the bit
// that holds it in reset, all in the registers of a clock and reset controller.
//
// Reading a register of a device whose bus clock is off may stall the bus for good, so a driver
// asks here first. The caller serialises accesses to one controller; boot does it by running alone.
#pragma once

#include <stdbool.h>
#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/lib/compiler.h"

#define CLOCK_GATE_MAX_CLOCKS 2u

// A controller's window and the places of one device in it.
struct clock_gate {
    paddr_t base;                               // physical address of the controller's registers
    uint64_t size_bytes;                        // of the window; 0: the device needs no gate
    uint32_t clock_offs[CLOCK_GATE_MAX_CLOCKS]; // registers; bit 31 lets the clock through
    uint32_t clock_count;
    uint32_t assert_off; // register in which reset_bits hold the device in reset
    uint32_t status_off; // register in which reset_bits are 1 once the device is out of reset
    uint32_t reset_bits; // 0: clocks only
};

// True when all registers lie inside the window, aligned.
bool clock_gate_is_valid(const struct clock_gate *gate);

// True when every clock is on and the device is out of reset. Only reads. `mmio` maps the window.
bool clock_gate_is_open(const struct clock_gate *gate, volatile void *mmio);

// Switches the clocks on, then ends the reset. ZX_ERR_TIMED_OUT when the device does not come out
// of reset: it must not be touched then. `mmio` maps the window.
zx_status_t clock_gate_open(const struct clock_gate *gate, volatile void *mmio);
