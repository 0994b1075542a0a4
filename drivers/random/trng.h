// The JH7110's true random number generator, binding rng/starfive,jh7110-trng.yaml: 256 bits a
// request, from a ring of noise sources behind a generator that it seeds itself.
//
// Polled, for seeding at boot: one caller, nothing is kept between calls. Every wait is bounded.
#pragma once

#include <stdbool.h>
#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/lib/compiler.h"

// Bytes of the register window that are used.
#define TRNG_WINDOW_BYTES 0x68u

// Fills `out` with `len_bytes` fresh random bytes and leaves the device idle. `mmio` maps the
// device's registers; its clocks run and it is out of reset. ZX_ERR_TIMED_OUT when it does not
// answer, ZX_ERR_IO when it reports a fault of its own or gives the same numbers twice; `out` is
// zero then.
MUST_USE zx_status_t trng_read(volatile void *mmio, void *out, size_t len_bytes);
