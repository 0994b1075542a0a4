// Register map of the PLIC.
//
// Source: RISC-V Platform-Level Interrupt Controller Specification 1.0.0, chapter numbers below;
// the same map is in the SiFive FU540-C000 Manual v1p4, chapter 10.
#pragma once

#include "drivers/irq/plic.h"

#define PLIC_PRIORITY_BASE  0x000000u // chapter 4: one word for each source
#define PLIC_ENABLE_BASE    0x002000u // chapter 6: one bit for each source
#define PLIC_ENABLE_STRIDE  0x80u     // bytes between contexts
#define PLIC_CONTEXT_BASE   0x200000u // chapters 7 to 9
#define PLIC_CONTEXT_STRIDE 0x1000u
#define PLIC_CONTEXT_LIMIT  15872u // chapter 3
#define PLIC_SOURCE_LIMIT   1023u  // chapter 2; source 0 does not exist
#define PLIC_THRESHOLD      0x0u   // within a context
#define PLIC_CLAIM_COMPLETE 0x4u   // within a context

// Offset of the enable word of a source; its bit is irq % 32.
static inline uint32_t plic_enable_off(uint32_t context, uint32_t irq)
{
    return PLIC_ENABLE_BASE + context * PLIC_ENABLE_STRIDE + irq / 32 * 4;
}

// Offset of a register of a context.
static inline uint32_t plic_context_off(uint32_t context, uint32_t reg)
{
    return PLIC_CONTEXT_BASE + context * PLIC_CONTEXT_STRIDE + reg;
}
