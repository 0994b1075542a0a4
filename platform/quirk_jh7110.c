// StarFive JH7110 (VisionFive 2): devices that no other SoC has. Bindings
// watchdog/starfive,jh7100-wdt.yaml and rng/starfive,jh7110-trng.yaml.
//
// Which clocks and resets they need is written here and not read from the tree: the trees of
// mainline and of StarFive number them differently, and the hardware is the same.
#include "platform/boot_info_internal.h"

// The clock and reset generators: bindings clock/starfive,jh7110-syscrg.yaml and
// clock/starfive,jh7110-stgcrg.yaml.
#define SYSCRG_BASE 0x13020000u
#define STGCRG_BASE 0x10230000u
#define CRG_BYTES   0x10000u

// Their registers, in bytes (Linux 6.12, drivers/clk/starfive/clk-starfive-jh71x0.c and
// drivers/reset/starfive/reset-starfive-jh7110.c): one a clock, then the resets, 32 a word.
#define CRG_CLOCK_OFF(id)     ((id)*4u)
#define SYSCRG_ASSERT_OFF(id) (0x2f8u + (id) / 32 * 4)
#define SYSCRG_STATUS_OFF(id) (0x308u + (id) / 32 * 4)
#define STGCRG_ASSERT_OFF     0x74u
#define STGCRG_STATUS_OFF     0x78u
#define CRG_RESET_BIT(id)     (1u << (id) % 32)

// Numbers of clocks and resets: dt-bindings/clock/starfive,jh7110-crg.h and
// dt-bindings/reset/starfive,jh7110-crg.h.
#define SYSCLK_NOC_STG_AXI  96u
#define SYSCLK_WDT_APB      122u
#define SYSCLK_WDT_CORE     123u
#define SYSRST_WDT_APB      109u
#define SYSRST_WDT_CORE     110u
#define STGCLK_SEC_AHB      15u
#define STGCLK_SEC_MISC_AHB 16u
#define STGRST_SEC_AHB      3u

// SYSCLK_WDT_CORE comes straight from the oscillator (Linux 6.12, clk-starfive-jh7110-sys.c).
#define OSCILLATOR_HZ 24000000u

static void found_watchdog(struct discovery *d, uint32_t node)
{
    device_note(d, node, &d->info->watchdog);
    d->info->watchdog_hz = OSCILLATOR_HZ;
    d->info->watchdog_gate = (struct clock_gate){
        .base = SYSCRG_BASE,
        .size_bytes = CRG_BYTES,
        .clock_offs = {CRG_CLOCK_OFF(SYSCLK_WDT_APB), CRG_CLOCK_OFF(SYSCLK_WDT_CORE)},
        .clock_count = 2,
        .assert_off = SYSCRG_ASSERT_OFF(SYSRST_WDT_APB),
        .status_off = SYSCRG_STATUS_OFF(SYSRST_WDT_APB),
        .reset_bits = CRG_RESET_BIT(SYSRST_WDT_APB) | CRG_RESET_BIT(SYSRST_WDT_CORE),
    };
}

static void found_trng(struct discovery *d, uint32_t node)
{
    device_note(d, node, &d->info->trng);
    // Linux never switches this one off, and U-Boot's mainline switches it on: everything in the
    // STG part of the SoC is behind it.
    d->info->trng_bus = (struct clock_gate){
        .base = SYSCRG_BASE,
        .size_bytes = CRG_BYTES,
        .clock_offs = {CRG_CLOCK_OFF(SYSCLK_NOC_STG_AXI)},
        .clock_count = 1,
    };
    d->info->trng_gate = (struct clock_gate){
        .base = STGCRG_BASE,
        .size_bytes = CRG_BYTES,
        .clock_offs = {CRG_CLOCK_OFF(STGCLK_SEC_AHB), CRG_CLOCK_OFF(STGCLK_SEC_MISC_AHB)},
        .clock_count = 2,
        .assert_off = STGCRG_ASSERT_OFF,
        .status_off = STGCRG_STATUS_OFF,
        .reset_bits = CRG_RESET_BIT(STGRST_SEC_AHB),
    };
}

const struct device_match quirk_jh7110_devices[] = {
    {"starfive,jh7110-wdt", found_watchdog},
    {"starfive,jh7110-trng", found_trng},
    {NULL, NULL},
};
