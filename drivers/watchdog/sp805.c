// Sources: Arm Watchdog Module (SP805) Technical Reference Manual (DDI 0270), chapter 3
// "Programmer's Model"; Linux 6.12, drivers/watchdog/starfive-wdt.c, has the same registers for the
// JH7110 and unlocks them with the same key.
#include "drivers/watchdog/sp805.h"

#include "arch/arch.h"
#include "kernel/lib/bits.h"

#define REG_LOAD    0x000u
#define REG_CONTROL 0x008u
#define REG_INTCLR  0x00cu // any write: interrupt cleared, count starts again
#define REG_LOCK    0xc00u // bit 0: all other registers ignore writes

#define CONTROL_INTEN BIT(0) // the counter runs
#define CONTROL_RESEN BIT(1) // its second end resets the machine

#define LOCKED     BIT(0)
#define UNLOCK_KEY 0x1acce551u
#define LOCK_AGAIN 0u // anything but the key

#define NS_PER_SECOND 1000000000ull

static uint32_t reg_read(volatile void *mmio, uint32_t off)
{
    return arch_mmio_read32((volatile uint8_t *)mmio + off);
}

static void reg_write(volatile void *mmio, uint32_t off, uint32_t value)
{
    arch_mmio_write32((volatile uint8_t *)mmio + off, value);
}

bool sp805_is_running(volatile void *mmio)
{
    uint32_t both = CONTROL_INTEN | CONTROL_RESEN;
    return (reg_read(mmio, REG_CONTROL) & both) == both;
}

uint64_t sp805_period_ns(volatile void *mmio, uint32_t clock_hz)
{
    return reg_read(mmio, REG_LOAD) * NS_PER_SECOND / clock_hz;
}

void sp805_feed(volatile void *mmio)
{
    bool locked = (reg_read(mmio, REG_LOCK) & LOCKED) != 0;
    if (locked) {
        reg_write(mmio, REG_LOCK, UNLOCK_KEY);
    }
    reg_write(mmio, REG_INTCLR, 1);
    if (locked) {
        reg_write(mmio, REG_LOCK, LOCK_AGAIN);
    }
}
