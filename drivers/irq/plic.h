// RISC-V platform-level interrupt controller, bindings sifive,plic-1.0.0 and riscv,plic0.
//
// A PLIC delivers each source to contexts; a context is one privilege mode of one hart, numbered by
// the device tree. Only S-mode contexts are ever touched here: those of M-mode are the firmware's.
//
// Locking: a context's functions are called on the hart it belongs to with interrupts off, or by
// another hart under a lock that is also held around plic_dispatch of that context. plic_init and
// plic_set_handler are called before the source is enabled anywhere, or with it disabled
// everywhere.
#pragma once

#include <stdbool.h>
#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/lib/compiler.h"

// Sources that can have a handler: 1 .. PLIC_MAX_SOURCES - 1.
#define PLIC_MAX_SOURCES 256u

struct plic_config {
    paddr_t base;           // physical address of the register window
    uint64_t size_bytes;    // of the window
    uint32_t source_count;  // riscv,ndev: sources are 1..source_count
    uint32_t context_count; // entries of interrupts-extended
};

// Handles source `irq`, in interrupt context, interrupts off.
typedef void (*plic_handler_fn)(void *ctx, uint32_t irq);

struct plic {
    volatile uint8_t *regs;
    struct plic_config config;
    struct {
        plic_handler_fn fn;
        void *ctx;
    } handlers[PLIC_MAX_SOURCES];
};

// True when the counts are within the specification and the window covers all contexts.
bool plic_config_is_valid(const struct plic_config *config);

// Sets every source's priority to 0 (never delivered). `mmio` maps the whole register window and
// stays mapped. ZX_ERR_NOT_SUPPORTED for an invalid configuration.
zx_status_t plic_init(struct plic *plic, const struct plic_config *config, volatile void *mmio);

// Prepares an S-mode context: no source enabled, threshold 0 so that every priority >= 1 passes
// (firmware leaves it at its maximum). ZX_ERR_OUT_OF_RANGE for a context that does not exist.
zx_status_t plic_init_context(struct plic *plic, uint32_t context);

// Sets the handler for a source; `ctx` is borrowed. A null `fn` removes it. ZX_ERR_OUT_OF_RANGE for
// a source that does not exist or is not below PLIC_MAX_SOURCES.
zx_status_t plic_set_handler(struct plic *plic, uint32_t irq, plic_handler_fn fn, void *ctx);

// Lets the source interrupt that context, at priority 1. ZX_ERR_OUT_OF_RANGE for a source or
// context that does not exist.
zx_status_t plic_enable(struct plic *plic, uint32_t context, uint32_t irq);

// The reverse; an interrupt that is already claimed can still be completed. ZX_ERR_OUT_OF_RANGE as
// for plic_enable.
zx_status_t plic_disable(struct plic *plic, uint32_t context, uint32_t irq);

// Takes the most urgent pending interrupt of a valid context; 0 when there is none.
uint32_t plic_claim(struct plic *plic, uint32_t context);

// Ends the handling of a claimed interrupt, also when the source was disabled meanwhile.
void plic_complete(struct plic *plic, uint32_t context, uint32_t irq);

// Handles everything pending for a valid context, at most once per source that exists. A source
// without a handler is disabled on this context, since it would fire forever. Returns the last such
// source for the caller to report, or 0.
uint32_t plic_dispatch(struct plic *plic, uint32_t context);
