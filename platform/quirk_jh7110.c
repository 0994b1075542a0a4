// StarFive JH7110 (VisionFive 2): devices that no other SoC has. Bindings
// watchdog/starfive,jh7100-wdt.yaml and rng/starfive,jh7110-trng.yaml.
#include "platform/boot_info_internal.h"

static void found_watchdog(struct discovery *d, uint32_t node)
{
    device_note(d, node, &d->info->watchdog);
}

static void found_trng(struct discovery *d, uint32_t node)
{
    device_note(d, node, &d->info->trng);
}

const struct device_match quirk_jh7110_devices[] = {
    {"starfive,jh7110-wdt", found_watchdog},
    {"starfive,jh7110-trng", found_trng},
    {NULL, NULL},
};
