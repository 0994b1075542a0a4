/* Device registers as plain memory. In a file of its own: a test that models a device defines these
 * functions itself, and the linker then leaves this file out. */
#include "arch/arch.h"

uint32_t arch_mmio_read8(const volatile void *reg)
{
    return *(const volatile uint8_t *)reg;
}

uint32_t arch_mmio_read16(const volatile void *reg)
{
    return *(const volatile uint16_t *)reg;
}

uint32_t arch_mmio_read32(const volatile void *reg)
{
    return *(const volatile uint32_t *)reg;
}

void arch_mmio_write8(volatile void *reg, uint32_t value)
{
    *(volatile uint8_t *)reg = (uint8_t)value;
}

void arch_mmio_write16(volatile void *reg, uint32_t value)
{
    *(volatile uint16_t *)reg = (uint16_t)value;
}

void arch_mmio_write32(volatile void *reg, uint32_t value)
{
    *(volatile uint32_t *)reg = value;
}
