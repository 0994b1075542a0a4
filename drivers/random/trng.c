// Sources: binding rng/starfive,jh7110-trng.yaml; the lists of registers in Linux 6.12,
// drivers/char/hw_random/jh7110-trng.c, and in U-Boot, drivers/rng/jh7110_rng.c, which polls too.
#include "drivers/random/trng.h"

#include "arch/arch.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/string.h"

#define REG_CTRL       0x00u // commands
#define REG_STAT       0x04u // what it is doing
#define REG_MODE       0x08u
#define REG_IE         0x10u // interrupt enable
#define REG_ISTAT      0x14u // events, cleared by writing 1
#define REG_RAND0      0x20u // the number, lowest word first
#define REG_AUTO_RQSTS 0x60u // requests until it seeds itself again, 0: never
#define REG_AUTO_AGE   0x64u // the same in time

#define CTRL_NOP      0u
#define CTRL_GENERATE 1u
#define CTRL_RESEED   2u // from the noise source

#define STAT_GENERATING BIT(30)
#define STAT_SEEDING    BIT(31)

#define MODE_256_BITS BIT(3)

#define EVENT_RANDOM_READY BIT(0)
#define EVENT_SEED_DONE    BIT(1)
#define EVENT_LOCKUP       BIT(4) // the noise source is stuck
#define EVENTS             (EVENT_RANDOM_READY | EVENT_SEED_DONE | EVENT_LOCKUP)
#define IE_GLOBAL          BIT(31)

#define RANDOM_WORDS 8u

// Reads of a register before the device counts as dead; a request takes microseconds, seeding up
// to a millisecond, and a read at least some 50 ns.
#define POLL_LIMIT 1000000u

static uint32_t reg_read(volatile void *mmio, uint32_t off)
{
    return arch_mmio_read32((volatile uint8_t *)mmio + off);
}

static void reg_write(volatile void *mmio, uint32_t off, uint32_t value)
{
    arch_mmio_write32((volatile uint8_t *)mmio + off, value);
}

static zx_status_t wait_idle(volatile void *mmio)
{
    for (uint32_t polls = POLL_LIMIT; polls > 0; polls--) {
        if ((reg_read(mmio, REG_STAT) & (STAT_GENERATING | STAT_SEEDING)) == 0) {
            return ZX_OK;
        }
    }
    return ZX_ERR_TIMED_OUT;
}

// Gives a command and waits for its event.
static zx_status_t run_command(volatile void *mmio, uint32_t command, uint32_t event)
{
    zx_status_t status = wait_idle(mmio);
    if (status != ZX_OK) {
        return status;
    }
    reg_write(mmio, REG_ISTAT, EVENTS);
    reg_write(mmio, REG_CTRL, command);
    for (uint32_t polls = POLL_LIMIT; polls > 0; polls--) {
        uint32_t events = reg_read(mmio, REG_ISTAT);
        if ((events & EVENT_LOCKUP) != 0) {
            return ZX_ERR_IO;
        }
        if ((events & event) != 0) {
            reg_write(mmio, REG_ISTAT, event);
            return ZX_OK;
        }
    }
    return ZX_ERR_TIMED_OUT;
}

// The events are enabled at the device and read by polling: nobody listens to its interrupt.
static zx_status_t start(volatile void *mmio)
{
    reg_write(mmio, REG_AUTO_AGE, 0);
    reg_write(mmio, REG_AUTO_RQSTS, 0);
    reg_write(mmio, REG_IE, (uint32_t)(IE_GLOBAL | EVENTS));
    reg_write(mmio, REG_MODE, reg_read(mmio, REG_MODE) | (uint32_t)MODE_256_BITS);
    return run_command(mmio, CTRL_RESEED, EVENT_SEED_DONE);
}

static void stop(volatile void *mmio)
{
    reg_write(mmio, REG_CTRL, CTRL_NOP);
    reg_write(mmio, REG_IE, 0);
    reg_write(mmio, REG_ISTAT, EVENTS);
}

static zx_status_t next_number(volatile void *mmio, uint32_t number[RANDOM_WORDS])
{
    zx_status_t status = run_command(mmio, CTRL_GENERATE, EVENT_RANDOM_READY);
    for (uint32_t i = 0; i < RANDOM_WORDS && status == ZX_OK; i++) {
        number[i] = reg_read(mmio, REG_RAND0 + i * 4);
    }
    return status;
}

static zx_status_t fill(volatile void *mmio, uint8_t *out, size_t len_bytes)
{
    uint32_t last[RANDOM_WORDS], number[RANDOM_WORDS];
    // The first number is only there to compare the second with: a source that is stuck, or a bus
    // that answers for a missing device, always says the same (FIPS 140-2, section 4.9.2).
    zx_status_t status = next_number(mmio, last);
    while (status == ZX_OK && len_bytes > 0) {
        status = next_number(mmio, number);
        if (status != ZX_OK) {
            break;
        }
        if (memcmp(number, last, sizeof(number)) == 0) {
            return ZX_ERR_IO;
        }
        size_t count = MIN(len_bytes, sizeof(number));
        memcpy(out, number, count);
        memcpy(last, number, sizeof(last));
        out += count;
        len_bytes -= count;
    }
    return status;
}

zx_status_t trng_read(volatile void *mmio, void *out, size_t len_bytes)
{
    zx_status_t status = start(mmio);
    if (status == ZX_OK) {
        status = fill(mmio, out, len_bytes);
    }
    stop(mmio);
    if (status != ZX_OK) {
        memset(out, 0, len_bytes);
    }
    return status;
}
