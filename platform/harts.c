// Harts and the timebase: /cpus (binding riscv/cpus.yaml).
#include "kernel/lib/string.h"
#include "platform/boot_info_internal.h"

static uint32_t va_bits_of(const struct fdt *fdt, uint32_t cpu)
{
    const char *type = fdt_prop_string(fdt, cpu, "mmu-type");
    if (type == NULL) {
        return 0;
    }
    // A hart with a wider mode always has the narrower ones.
    if (strcmp(type, "riscv,sv39") == 0) {
        return 39;
    }
    if (strcmp(type, "riscv,sv48") == 0) {
        return 48;
    }
    return strcmp(type, "riscv,sv57") == 0 ? 57 : 0;
}

// Phandle of the hart's own interrupt controller, by which the PLIC refers to the hart.
static uint32_t intc_phandle_of(const struct fdt *fdt, uint32_t cpu)
{
    for (uint32_t node = fdt_first_child(fdt, cpu); node != FDT_NONE;
         node = fdt_next_sibling(fdt, node)) {
        if (fdt_prop_exists(fdt, node, "interrupt-controller")) {
            return fdt_phandle(fdt, node);
        }
    }
    return 0;
}

static enum boot_hart_state hart_state(const struct fdt *fdt, uint32_t cpu,
                                       const struct boot_hart *hart)
{
    if (!fdt_is_available(fdt, cpu)) {
        return BOOT_HART_DISABLED;
    }
    if (hart->va_bits == 0) {
        return BOOT_HART_NO_MMU;
    }
    return (hart->isa & BOOT_ISA_REQUIRED) == BOOT_ISA_REQUIRED ? BOOT_HART_USABLE
                                                                : BOOT_HART_BAD_ISA;
}

static bool is_cpu_node(const struct fdt *fdt, uint32_t node)
{
    const char *type = fdt_prop_string(fdt, node, "device_type");
    if (type != NULL) {
        return strcmp(type, "cpu") == 0;
    }
    return strncmp(fdt_node_name(fdt, node), "cpu@", 4) == 0;
}

static void hart_read(const struct fdt *fdt, uint32_t cpu, uint64_t id, struct boot_hart *out)
{
    *out = (struct boot_hart){
        .id = id,
        .isa = isa_from_node(fdt, cpu),
        .va_bits = va_bits_of(fdt, cpu),
        .plic = BOOT_NO_PLIC,
        .intc_phandle = intc_phandle_of(fdt, cpu),
    };
    fdt_prop_u32(fdt, cpu, "riscv,cbom-block-size", &out->cbom_block_bytes);
    fdt_prop_u32(fdt, cpu, "riscv,cboz-block-size", &out->cboz_block_bytes);
    out->state = hart_state(fdt, cpu, out);
}

// Adds a hart. When the table is full the boot hart still gets a place, the last one.
static void hart_add(struct discovery *d, uint32_t cpu, uint64_t id)
{
    struct boot_info *info = d->info;
    uint32_t at = info->hart_count;
    bool is_boot = id == d->boot_hart_id && info->boot_hart == UINT32_MAX;
    if (at == BOOT_MAX_HARTS) {
        info->warnings |= BOOT_WARN_HARTS_CUT;
        if (!is_boot) {
            return;
        }
        at--;
    } else {
        info->hart_count++;
    }
    hart_read(d->fdt, cpu, id, &info->harts[at]);
    for (uint32_t i = 0; i < at; i++) {
        if (info->harts[i].id == id) {
            info->harts[at].state = BOOT_HART_DUPLICATE;
        }
    }
    if (is_boot) {
        info->boot_hart = at;
    }
}

zx_status_t discover_harts(struct discovery *d)
{
    const struct fdt *fdt = d->fdt;
    struct boot_info *info = d->info;
    uint32_t cpus = fdt_node_at(fdt, "/cpus");
    bool timebase = fdt_prop_u64(fdt, cpus, "timebase-frequency", &info->timebase_hz);
    info->boot_hart = UINT32_MAX;
    for (uint32_t node = fdt_first_child(fdt, cpus); node != FDT_NONE;
         node = fdt_next_sibling(fdt, node)) {
        uint64_t id, unused_bytes;
        if (!is_cpu_node(fdt, node) ||
            fdt_child_reg(fdt, cpus, node, 0, &id, &unused_bytes) != ZX_OK) {
            continue;
        }
        hart_add(d, node, id);
        if (!timebase && id == d->boot_hart_id) {
            timebase = fdt_prop_u64(fdt, node, "timebase-frequency", &info->timebase_hz);
        }
    }
    if (info->boot_hart == UINT32_MAX) {
        info->boot_hart = 0;
        return discovery_fail(d, ZX_ERR_NOT_FOUND,
                              "boot hart %llu is not among the %u harts of the device tree",
                              (unsigned long long)d->boot_hart_id, info->hart_count);
    }
    if (info->timebase_hz == 0) {
        return discovery_fail(d, ZX_ERR_NOT_FOUND, "the device tree has no timebase-frequency");
    }
    return ZX_OK;
}

// The boot hart runs in S-mode with the firmware's consent, so a tree that calls it disabled or
// gives it no external interrupts is wrong about it or merely incomplete.
static void boot_hart_tolerate(struct boot_info *info)
{
    struct boot_hart *hart = &info->harts[info->boot_hart];
    bool able = hart->va_bits != 0 && (hart->isa & BOOT_ISA_REQUIRED) == BOOT_ISA_REQUIRED;
    if (able && (hart->state == BOOT_HART_DISABLED || hart->state == BOOT_HART_NO_EXTERNAL)) {
        hart->state = BOOT_HART_USABLE;
        info->warnings |= BOOT_WARN_BOOT_HART_ODD;
    }
}

zx_status_t discover_usable_harts(struct discovery *d)
{
    struct boot_info *info = d->info;
    for (uint32_t i = 0; i < info->hart_count; i++) {
        struct boot_hart *hart = &info->harts[i];
        // Firmware accepts to start a monitor core without S-mode and then hangs; such a core shows
        // in every tree by having no supervisor external interrupt.
        if (hart->state == BOOT_HART_USABLE && info->plic_count > 0 && hart->plic == BOOT_NO_PLIC) {
            hart->state = BOOT_HART_NO_EXTERNAL;
        }
    }
    boot_hart_tolerate(info);
    info->isa_all = UINT32_MAX;
    for (uint32_t i = 0; i < info->hart_count; i++) {
        if (info->harts[i].state == BOOT_HART_USABLE) {
            info->isa_all &= info->harts[i].isa;
        }
    }
    const struct boot_hart *boot = &info->harts[info->boot_hart];
    if (boot->state != BOOT_HART_USABLE) {
        info->isa_all = 0;
        return discovery_fail(d, ZX_ERR_NOT_SUPPORTED, "boot hart %llu cannot be used: %s",
                              (unsigned long long)boot->id, boot_hart_state_string(boot->state));
    }
    return ZX_OK;
}
