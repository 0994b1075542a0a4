// /chosen: what the boot loader passes on (Devicetree Specification v0.4, section 3.6, and the
// dt-schema chosen.yaml).
#include "platform/boot_info_internal.h"

// The initrd as [start, end). Whether it lies in RAM is checked once RAM is known, whether it is an
// initrd at all only its reader can tell: there are trees with a fixed range and nothing in it.
static void read_initrd(struct discovery *d, uint32_t chosen)
{
    uint64_t start, end;
    if (!fdt_prop_u64(d->fdt, chosen, "linux,initrd-start", &start) ||
        !fdt_prop_u64(d->fdt, chosen, "linux,initrd-end", &end)) {
        return;
    }
    if (end <= start) {
        // Boot loaders write 0, 0 or equal addresses for "none".
        d->info->warnings |= end < start ? BOOT_WARN_INITRD_BAD : 0;
        return;
    }
    d->info->initrd = (struct boot_range){start, end - start};
}

void discover_chosen(struct discovery *d)
{
    struct boot_info *info = d->info;
    uint32_t chosen = fdt_node_at(d->fdt, "/chosen");
    const char *bootargs = fdt_prop_string(d->fdt, chosen, "bootargs");
    if (bootargs != NULL) {
        info->bootargs = bootargs;
    }
    read_initrd(d, chosen);
    struct fdt_prop seed;
    if (fdt_prop_get(d->fdt, chosen, "rng-seed", &seed) && seed.len_bytes > 0) {
        info->rng_seed = seed.data;
        info->rng_seed_bytes = seed.len_bytes;
    }
    fdt_prop_u64(d->fdt, chosen, "kaslr-seed", &info->kaslr_seed);
}
