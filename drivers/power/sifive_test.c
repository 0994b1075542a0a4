#include "drivers/power/sifive_test.h"

#include "arch/arch.h"

// One 32-bit register: command in bits 15..0, exit status in bits 31..16 for "fail"
// (source: QEMU, include/hw/misc/sifive_test.h).
#define COMMAND_FAIL  0x3333u
#define COMMAND_PASS  0x5555u
#define COMMAND_RESET 0x7777u

void sifive_test_exit(volatile void *mmio, uint32_t status)
{
    if (status == 0) {
        arch_mmio_write32(mmio, COMMAND_PASS);
        return;
    }
    uint32_t visible = (status & 0xffu) != 0 ? status & 0xffu : 1u;
    arch_mmio_write32(mmio, visible << 16 | COMMAND_FAIL);
}

void sifive_test_reset(volatile void *mmio)
{
    arch_mmio_write32(mmio, COMMAND_RESET);
}
