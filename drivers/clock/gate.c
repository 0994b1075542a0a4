// Clock gates and reset lines in the style of StarFive's clock and reset generators.
//
// Sources: bindings clock/starfive,jh7110-syscrg.yaml and clock/starfive,jh7110-stgcrg.yaml; Linux
// 6.12, drivers/clk/starfive/clk-starfive-jh71x0.h (a register a clock, bit 31 enables) and
// drivers/reset/starfive/reset-starfive-jh71x0.c (assert and status registers).
#include "drivers/clock/gate.h"

#include "arch/arch.h"
#include "kernel/lib/bits.h"

#define CLOCK_ON BIT(31)

// Reads of the status register until a device counts as stuck in reset. A clock that runs lets it
// out within microseconds; a read takes at least some 50 ns.
#define RESET_POLL_LIMIT 100000u

static volatile uint8_t *reg_addr(volatile void *mmio, uint32_t off)
{
    return (volatile uint8_t *)mmio + off;
}

static bool off_is_valid(const struct clock_gate *gate, uint32_t off)
{
    return is_aligned(off, 4) && (uint64_t)off + 4 <= gate->size_bytes;
}

bool clock_gate_is_valid(const struct clock_gate *gate)
{
    if (gate->clock_count > CLOCK_GATE_MAX_CLOCKS || !is_aligned(gate->base, 4)) {
        return false;
    }
    for (uint32_t i = 0; i < gate->clock_count; i++) {
        if (!off_is_valid(gate, gate->clock_offs[i])) {
            return false;
        }
    }
    return off_is_valid(gate, gate->assert_off) && off_is_valid(gate, gate->status_off);
}

static bool is_out_of_reset(const struct clock_gate *gate, volatile void *mmio)
{
    if (gate->reset_bits == 0) {
        return true;
    }
    uint32_t status = arch_mmio_read32(reg_addr(mmio, gate->status_off));
    return (status & gate->reset_bits) == gate->reset_bits;
}

bool clock_gate_is_open(const struct clock_gate *gate, volatile void *mmio)
{
    for (uint32_t i = 0; i < gate->clock_count; i++) {
        if ((arch_mmio_read32(reg_addr(mmio, gate->clock_offs[i])) & CLOCK_ON) == 0) {
            return false;
        }
    }
    return is_out_of_reset(gate, mmio);
}

zx_status_t clock_gate_open(const struct clock_gate *gate, volatile void *mmio)
{
    // The clocks first: a device comes out of reset only with its clocks running.
    for (uint32_t i = 0; i < gate->clock_count; i++) {
        volatile uint8_t *reg = reg_addr(mmio, gate->clock_offs[i]);
        uint32_t value = arch_mmio_read32(reg);
        if ((value & CLOCK_ON) == 0) {
            arch_mmio_write32(reg, value | (uint32_t)CLOCK_ON);
        }
    }
    if (gate->reset_bits != 0) {
        volatile uint8_t *assert_reg = reg_addr(mmio, gate->assert_off);
        uint32_t asserted = arch_mmio_read32(assert_reg);
        arch_mmio_write32(assert_reg, asserted & ~gate->reset_bits);
    }
    for (uint32_t polls = RESET_POLL_LIMIT; polls > 0; polls--) {
        if (is_out_of_reset(gate, mmio)) {
            return ZX_OK;
        }
    }
    return ZX_ERR_TIMED_OUT;
}
