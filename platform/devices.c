// Everything that is found by its compatible string, in one walk over the tree.
#include "platform/boot_info_internal.h"

void device_note(struct discovery *d, uint32_t node, struct boot_device *out)
{
    struct boot_device device = {0};
    if (out->size_bytes > 0 ||
        fdt_reg(d->fdt, node, 0, &device.base, &device.size_bytes) != ZX_OK) {
        return;
    }
    struct fdt_irq irq;
    if (fdt_interrupt(d->fdt, node, 0, &irq) == ZX_OK) {
        device.irq = irq.cells[0];
    }
    *out = device;
}

static void found_test(struct discovery *d, uint32_t node)
{
    device_note(d, node, &d->info->test);
}

// A register in another node (bindings power/reset/syscon-poweroff.yaml and syscon-reboot.yaml).
// Those that only set some bits of it (mask) are left alone.
static void syscon_note(struct discovery *d, uint32_t node, struct boot_syscon *out)
{
    uint32_t phandle, off, value;
    uint64_t base, size_bytes;
    if (!fdt_prop_u32(d->fdt, node, "regmap", &phandle) ||
        !fdt_prop_u32(d->fdt, node, "offset", &off) ||
        !fdt_prop_u32(d->fdt, node, "value", &value) || fdt_prop_exists(d->fdt, node, "mask")) {
        return;
    }
    uint32_t regmap = fdt_node_by_phandle(d->fdt, phandle);
    if (fdt_reg(d->fdt, regmap, 0, &base, &size_bytes) == ZX_OK && size_bytes >= 4 &&
        off <= size_bytes - 4 && (off & 3) == 0) {
        *out = (struct boot_syscon){base + off, value};
    }
}

static void found_poweroff(struct discovery *d, uint32_t node)
{
    syscon_note(d, node, &d->info->poweroff);
}

static void found_reboot(struct discovery *d, uint32_t node)
{
    syscon_note(d, node, &d->info->reboot);
}

static const struct device_match devices[] = {
    {"sifive,plic-1.0.0", discover_plic}, {"riscv,plic0", discover_plic},
    {"sifive,test1", found_test},         {"syscon-poweroff", found_poweroff},
    {"syscon-reboot", found_reboot},      {NULL, NULL},
};

static const struct device_match *const tables[] = {devices, quirk_jh7110_devices};

static const struct device_match *match_of(const struct fdt *fdt, uint32_t node)
{
    struct fdt_prop compatible;
    if (!fdt_prop_get(fdt, node, "compatible", &compatible)) {
        return NULL;
    }
    for (uint32_t i = 0; i < ARRAY_COUNT(tables); i++) {
        for (const struct device_match *match = tables[i]; match->compatible != NULL; match++) {
            if (fdt_prop_contains(&compatible, match->compatible)) {
                return match;
            }
        }
    }
    return NULL;
}

void discover_devices(struct discovery *d)
{
    for (uint32_t node = d->fdt->root; node != FDT_NONE;
         node = fdt_node_after(d->fdt, node, NULL)) {
        const struct device_match *match = match_of(d->fdt, node);
        if (match != NULL && fdt_is_available(d->fdt, node)) {
            match->found(d, node);
        }
    }
    if (d->info->plic_count == 0) {
        d->info->warnings |= BOOT_WARN_NO_PLIC;
    }
}
