// Clock gates, the random number generator and the watchdog against models of the devices. The
// models punish what the hardware punishes: touching a device whose clock is off stalls the bus, a
// locked watchdog ignores writes, a generator without a seed never answers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "arch/arch.h"
#include "drivers/clock/gate.h"
#include "drivers/random/trng.h"
#include "drivers/watchdog/sp805.h"
#include "platform/boot_info.h"
#include "tests/host/dtb_fixture.h"

// ---- Clock and reset generator ----

#define CLOCK_ON   0x80000000u
#define CRG_SYS    0
#define CRG_STG    1
#define CRG_WORDS  (0x320 / 4)
#define RESET_TAKE 5u // reads of the status until a device is out of reset

enum trng_fault { TRNG_FINE, TRNG_SILENT, TRNG_ALWAYS_BUSY, TRNG_LOCKUP, TRNG_CONSTANT };

static struct {
    uint32_t crg[2][CRG_WORDS];
    uint32_t status_reads;
    bool reset_stuck;

    struct {
        enum trng_fault fault;
        uint32_t ie, istat, mode, stat, command, rand[8];
        uint32_t busy_reads; // until the command is done
        bool seeded;
        uint64_t random;
        uint32_t requests, reseeds;
    } trng;

    struct {
        uint32_t load, control;
        uint64_t value; // counts left
        bool locked, pending, was_reset;
        uint32_t writes_ignored;
    } wdt;
} dev;

// Where the models of this file are, and what the bus knows of them.
#define SYSCRG_BASE 0x13020000u
#define STGCRG_BASE 0x10230000u
#define TRNG_BASE   0x1600c000u
#define WDT_BASE    0x13070000u

static uint32_t crg_assert_off(int crg, uint32_t id)
{
    return crg == CRG_SYS ? 0x2f8 + id / 32 * 4 : 0x74;
}

static uint32_t *crg_reg(int crg, uint32_t off)
{
    assert_int_equal(off % 4, 0);
    assert_true(off / 4 < CRG_WORDS);
    return &dev.crg[crg][off / 4];
}

static bool clock_is_on(int crg, uint32_t id)
{
    return (*crg_reg(crg, id * 4) & CLOCK_ON) != 0;
}

static bool in_reset(int crg, uint32_t id)
{
    return (*crg_reg(crg, crg_assert_off(crg, id)) & 1u << id % 32) != 0;
}

static bool trng_clocked(void)
{
    return clock_is_on(CRG_STG, 15) && clock_is_on(CRG_STG, 16);
}

static bool wdt_clocked(void)
{
    return clock_is_on(CRG_SYS, 122) && clock_is_on(CRG_SYS, 123);
}

// A line follows its assert bit, with a delay, and only while the clocks of its device run.
static uint32_t crg_status(int crg, uint32_t word)
{
    uint32_t status = 0;
    if (dev.reset_stuck || ++dev.status_reads < RESET_TAKE) {
        return 0;
    }
    if (crg == CRG_STG && word == 0 && trng_clocked() && !in_reset(CRG_STG, 3)) {
        status |= 1u << 3;
    }
    for (uint32_t id = 109; crg == CRG_SYS && word == 3 && id <= 110; id++) {
        if (wdt_clocked() && !in_reset(CRG_SYS, id)) {
            status |= 1u << id % 32;
        }
    }
    return status;
}

static uint32_t crg_read(int crg, uint32_t off)
{
    uint32_t first = crg == CRG_SYS ? 0x308 : 0x78;
    uint32_t words = crg == CRG_SYS ? 4 : 1;
    if (off >= first && off < first + words * 4) {
        return crg_status(crg, (off - first) / 4);
    }
    return *crg_reg(crg, off);
}

// ---- Random number generator ----

static void trng_check_access(void)
{
    if (!clock_is_on(CRG_SYS, 96) || !trng_clocked() || in_reset(CRG_STG, 3)) {
        fail_msg("the bus stalls: the generator has no clock or is in reset");
    }
}

static void trng_event(uint32_t bits)
{
    dev.trng.istat |= bits & dev.trng.ie;
}

static void trng_finish(void)
{
    dev.trng.stat = 0;
    if (dev.trng.fault == TRNG_LOCKUP) {
        trng_event(1u << 4);
        return;
    }
    if (dev.trng.command == 2) {
        dev.trng.seeded = true;
        dev.trng.reseeds++;
        trng_event(1u << 1);
        return;
    }
    if (!dev.trng.seeded) {
        return;
    }
    dev.trng.requests++;
    for (uint32_t i = 0; i < ((dev.trng.mode & 8) != 0 ? 8 : 4); i++) {
        dev.trng.rand[i] = dev.trng.fault == TRNG_CONSTANT
                               ? 0x5a5a5a5au
                               : (uint32_t)(random_next(&dev.trng.random) >> 32);
    }
    trng_event(1u << 0);
}

static void trng_tick(void)
{
    if (dev.trng.stat != 0 && dev.trng.fault != TRNG_ALWAYS_BUSY && --dev.trng.busy_reads == 0) {
        trng_finish();
    }
}

static uint32_t trng_register(uint32_t off)
{
    trng_check_access();
    trng_tick();
    if (off >= 0x20 && off < 0x40) {
        assert_int_equal(dev.trng.stat, 0); // half a number
        return dev.trng.rand[(off - 0x20) / 4];
    }
    switch (off) {
    case 0x04:
        return dev.trng.stat;
    case 0x08:
        return dev.trng.mode;
    case 0x14:
        return dev.trng.istat;
    default:
        fail_msg("read of the generator's register %#x", off);
        return 0;
    }
}

static void trng_command(uint32_t command)
{
    if (command == 0) {
        return;
    }
    assert_true(command == 1 || command == 2);
    assert_int_equal(dev.trng.stat, 0); // commands while busy are lost
    if (dev.trng.fault == TRNG_SILENT) {
        return;
    }
    dev.trng.command = command;
    dev.trng.stat = command == 2 ? 1u << 31 : 1u << 30;
    dev.trng.busy_reads = command == 2 ? 400 : 20;
}

static void trng_write(uint32_t off, uint32_t value)
{
    trng_check_access();
    switch (off) {
    case 0x00:
        trng_command(value);
        break;
    case 0x08:
        dev.trng.mode = value;
        break;
    case 0x10:
        dev.trng.ie = value;
        break;
    case 0x14:
        dev.trng.istat &= ~value;
        break;
    case 0x60:
    case 0x64:
        assert_int_equal(value, 0);
        break;
    default:
        fail_msg("write of the generator's register %#x", off);
    }
}

// ---- Watchdog ----

// Lets `counts` go by.
static void wdt_run(uint64_t counts)
{
    while ((dev.wdt.control & 1) != 0 && counts >= dev.wdt.value) {
        counts -= dev.wdt.value;
        if (dev.wdt.pending) {
            dev.wdt.was_reset |= (dev.wdt.control & 2) != 0;
            return;
        }
        dev.wdt.pending = true;
        dev.wdt.value = dev.wdt.load;
    }
    dev.wdt.value -= counts;
}

static void wdt_check_access(void)
{
    if (!wdt_clocked() || in_reset(CRG_SYS, 109)) {
        fail_msg("the bus stalls: the watchdog has no clock or is in reset");
    }
}

static uint32_t wdt_register(uint32_t off)
{
    wdt_check_access();
    switch (off) {
    case 0x000:
        return dev.wdt.load;
    case 0x008:
        return dev.wdt.control;
    case 0xc00:
        return dev.wdt.locked;
    default:
        fail_msg("read of the watchdog's register %#x", off);
        return 0;
    }
}

static void wdt_write(uint32_t off, uint32_t value)
{
    wdt_check_access();
    if (off == 0xc00) {
        dev.wdt.locked = value != 0x1acce551;
    } else if (dev.wdt.locked) {
        dev.wdt.writes_ignored++;
    } else if (off == 0x00c) {
        dev.wdt.pending = false;
        dev.wdt.value = dev.wdt.load;
    } else {
        fail_msg("write of the watchdog's register %#x", off);
    }
}

static void stg_check_access(void)
{
    if (!clock_is_on(CRG_SYS, 96)) {
        fail_msg("the bus stalls: its part behind the NOC has no clock");
    }
}

// ---- The bus: addresses are those of the machine, none is ever dereferenced ----

uint32_t arch_mmio_read32(const volatile void *addr)
{
    uint64_t at = (uint64_t)(uintptr_t)addr;
    if (at >= SYSCRG_BASE && at < SYSCRG_BASE + 0x10000) {
        return crg_read(CRG_SYS, (uint32_t)(at - SYSCRG_BASE));
    }
    if (at >= STGCRG_BASE && at < STGCRG_BASE + 0x10000) {
        stg_check_access();
        return crg_read(CRG_STG, (uint32_t)(at - STGCRG_BASE));
    }
    if (at >= TRNG_BASE && at < TRNG_BASE + 0x4000) {
        return trng_register((uint32_t)(at - TRNG_BASE));
    }
    assert_true(at >= WDT_BASE && at < WDT_BASE + 0x10000);
    return wdt_register((uint32_t)(at - WDT_BASE));
}

void arch_mmio_write32(volatile void *addr, uint32_t value)
{
    uint64_t at = (uint64_t)(uintptr_t)addr;
    if (at >= SYSCRG_BASE && at < SYSCRG_BASE + 0x10000) {
        *crg_reg(CRG_SYS, (uint32_t)(at - SYSCRG_BASE)) = value;
    } else if (at >= STGCRG_BASE && at < STGCRG_BASE + 0x10000) {
        stg_check_access();
        *crg_reg(CRG_STG, (uint32_t)(at - STGCRG_BASE)) = value;
    } else if (at >= TRNG_BASE && at < TRNG_BASE + 0x4000) {
        trng_write((uint32_t)(at - TRNG_BASE), value);
    } else {
        assert_true(at >= WDT_BASE && at < WDT_BASE + 0x10000);
        wdt_write((uint32_t)(at - WDT_BASE), value);
    }
}

// ---- Tests ----

static struct boot_info info;

// The state after a cold start: clocks off, everything in reset; and the description that platform
// discovery makes of the board's tree.
static void start(const char *tree)
{
    memset(&dev, 0, sizeof(dev));
    dev.trng.random = 1;
    for (uint32_t word = 0; word < 4; word++) {
        dev.crg[CRG_SYS][0x2f8 / 4 + word] = UINT32_MAX;
    }
    dev.crg[CRG_STG][0x74 / 4] = UINT32_MAX;
    size_t len_bytes;
    uint8_t *blob = dtb_load(tree, &len_bytes);
    struct fdt fdt;
    char err[128];
    assert_int_equal(fdt_open(blob, len_bytes, &fdt), FDT_OK);
    assert_int_equal(boot_info_from_fdt(&fdt, 1, &info, err, sizeof(err)), ZX_OK);
    free(blob);
}

static const char *const trees[] = {"visionfive2-linux.dtb", "visionfive2-vendor-2g.dtb"};

static volatile void *at(paddr_t base)
{
    return (volatile void *)(uintptr_t)base; // NOLINT(performance-no-int-to-ptr)
}

// The clock before the generator's own controller; it has no reset.
static void open_bus(void)
{
    const struct clock_gate *bus = &info.trng_bus;
    assert_true(clock_gate_is_valid(bus));
    uint32_t before[CRG_WORDS];
    memcpy(before, dev.crg[CRG_SYS], sizeof(before));
    assert_false(clock_gate_is_open(bus, at(bus->base)));
    assert_int_equal(clock_gate_open(bus, at(bus->base)), ZX_OK);
    assert_true(clock_gate_is_open(bus, at(bus->base)));
    before[96] |= CLOCK_ON;
    assert_memory_equal(before, dev.crg[CRG_SYS], sizeof(before));
}

static void test_gate_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(trees); i++) {
        start(trees[i]);
        const struct clock_gate *gate = &info.trng_gate;
        assert_true(clock_gate_is_valid(gate));
        open_bus();
        dev.crg[CRG_STG][15] = 0x00000003; // a divider's bits stay
        uint32_t before[CRG_WORDS];
        memcpy(before, dev.crg[CRG_STG], sizeof(before));
        assert_false(clock_gate_is_open(gate, at(gate->base)));
        assert_memory_equal(before, dev.crg[CRG_STG], sizeof(before)); // asking changes nothing
        dev.status_reads = 0;
        assert_int_equal(clock_gate_open(gate, at(gate->base)), ZX_OK);
        assert_true(clock_gate_is_open(gate, at(gate->base)));
        before[15] |= CLOCK_ON;
        before[16] |= CLOCK_ON;
        before[0x74 / 4] &= ~(1u << 3);
        assert_memory_equal(before, dev.crg[CRG_STG], sizeof(before));  // and nothing else
        assert_int_equal(clock_gate_open(gate, at(gate->base)), ZX_OK); // a second time
    }
}

static void test_gate_stuck(void **state)
{
    (void)state;
    start(trees[0]);
    dev.reset_stuck = true;
    open_bus();
    const struct clock_gate *gate = &info.trng_gate;
    assert_int_equal(clock_gate_open(gate, at(gate->base)), ZX_ERR_TIMED_OUT);
}

static void test_gate_validity(void **state)
{
    (void)state;
    start(trees[0]);
    struct clock_gate gate = info.watchdog_gate;
    assert_true(clock_gate_is_valid(&gate));
    gate.size_bytes = 0x314; // the status register just outside
    assert_false(clock_gate_is_valid(&gate));
    gate = info.watchdog_gate;
    gate.clock_count = 3;
    assert_false(clock_gate_is_valid(&gate));
    gate = info.watchdog_gate;
    gate.clock_offs[1] = 0x1ee;
    assert_false(clock_gate_is_valid(&gate));
    gate = (struct clock_gate){0};
    assert_false(clock_gate_is_valid(&gate));
}

static zx_status_t draw(void *out, size_t len_bytes)
{
    open_bus();
    const struct clock_gate *gate = &info.trng_gate;
    assert_int_equal(clock_gate_open(gate, at(gate->base)), ZX_OK);
    return trng_read(at(info.trng.base), out, len_bytes);
}

static void test_trng(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 31, 32, 33, 100};
    for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
        start(trees[i % 2]);
        uint8_t out[100 + 1];
        memset(out, 0xee, sizeof(out));
        assert_int_equal(draw(out, lengths[i]), ZX_OK);
        assert_int_equal(out[lengths[i]], 0xee);
        // It seeds itself first, and gives one number more than is handed out.
        assert_int_equal(dev.trng.reseeds, 1);
        assert_int_equal(dev.trng.requests, 1 + (lengths[i] + 31) / 32);
        // What is handed out is what the device gave, in order, all 256 bits of each request.
        uint64_t random = 1;
        uint32_t expected[8 * 5];
        for (uint32_t w = 0; w < ARRAY_COUNT(expected); w++) {
            expected[w] = (uint32_t)(random_next(&random) >> 32);
        }
        assert_memory_equal(out, expected + 8, lengths[i]);
        assert_int_equal(dev.trng.ie, 0); // left quiet
        assert_int_equal(dev.trng.istat, 0);
    }
}

static void test_trng_faults(void **state)
{
    (void)state;
    static const struct {
        enum trng_fault fault;
        zx_status_t status;
    } cases[] = {
        {TRNG_SILENT, ZX_ERR_TIMED_OUT},
        {TRNG_ALWAYS_BUSY, ZX_ERR_TIMED_OUT},
        {TRNG_LOCKUP, ZX_ERR_IO},
        {TRNG_CONSTANT, ZX_ERR_IO},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        start(trees[0]);
        dev.trng.fault = cases[i].fault;
        uint8_t out[40];
        static const uint8_t zeros[40];
        memset(out, 0xee, sizeof(out));
        assert_int_equal(draw(out, sizeof(out)), cases[i].status);
        assert_memory_equal(out, zeros, sizeof(out)); // nothing half random is left
        assert_int_equal(dev.trng.ie, 0);
    }
}

// What U-Boot's driver leaves when it has started the watchdog for `seconds`.
static void firmware_starts_watchdog(uint32_t seconds)
{
    *crg_reg(CRG_SYS, 122 * 4) = CLOCK_ON;
    *crg_reg(CRG_SYS, 123 * 4) = CLOCK_ON;
    *crg_reg(CRG_SYS, crg_assert_off(CRG_SYS, 109)) &= ~(3u << 109 % 32);
    dev.wdt.load = seconds * 24000000u / 2;
    dev.wdt.value = dev.wdt.load;
    dev.wdt.control = 3;
    dev.wdt.locked = true;
}

static void test_watchdog_left_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(trees); i++) {
        start(trees[i]);
        const struct clock_gate *gate = &info.watchdog_gate;
        // Without a clock it cannot run, and looking at it would stall the bus.
        assert_false(clock_gate_is_open(gate, at(gate->base)));
        firmware_starts_watchdog(10);
        assert_false(clock_gate_is_open(gate, at(gate->base))); // the line needs its time
        dev.status_reads = RESET_TAKE;
        assert_true(clock_gate_is_open(gate, at(gate->base)));
        assert_true(sp805_is_running(at(info.watchdog.base)));
        static const uint32_t harmless[] = {0, 1, 2};
        for (size_t c = 0; c < ARRAY_COUNT(harmless); c++) {
            dev.wdt.control = harmless[c];
            assert_false(sp805_is_running(at(info.watchdog.base)));
        }
    }
}

static void test_watchdog_fed(void **state)
{
    (void)state;
    for (int locked = 0; locked < 2; locked++) {
        start(trees[0]);
        firmware_starts_watchdog(3);
        dev.wdt.locked = locked != 0;
        uint64_t period_ns = sp805_period_ns(at(info.watchdog.base), info.watchdog_hz);
        assert_int_equal(period_ns, 1500000000);
        for (int i = 0; i < 100; i++) {
            wdt_run(dev.wdt.load - 1);
            sp805_feed(at(info.watchdog.base));
            assert_int_equal(dev.wdt.value, dev.wdt.load);
            assert_int_equal(dev.wdt.locked, locked);
        }
        assert_false(dev.wdt.pending);
        wdt_run(dev.wdt.load + 5); // fed late: the interrupt is there, the reset is not
        assert_true(dev.wdt.pending);
        sp805_feed(at(info.watchdog.base));
        assert_false(dev.wdt.pending || dev.wdt.was_reset);
        assert_int_equal(dev.wdt.writes_ignored, 0);
        wdt_run(2ull * dev.wdt.load); // the model does bite
        assert_true(dev.wdt.was_reset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gate_opens),    cmocka_unit_test(test_gate_stuck),
        cmocka_unit_test(test_gate_validity), cmocka_unit_test(test_trng),
        cmocka_unit_test(test_trng_faults),   cmocka_unit_test(test_watchdog_left_alone),
        cmocka_unit_test(test_watchdog_fed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
