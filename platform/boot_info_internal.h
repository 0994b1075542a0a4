// Between the files that make up discovery. Each takes its subject from the tree.
#pragma once

#include "platform/boot_info.h"

struct discovery {
    const struct fdt *fdt;
    struct boot_info *info;
    uint64_t boot_hart_id;
    char *err;
    size_t err_bytes;
};

// Writes the reason for a failure and returns `status`.
zx_status_t discovery_fail(struct discovery *d, zx_status_t status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

// memory.c: banks; fails when there is none.
zx_status_t discover_banks(struct discovery *d);
// memory.c: everything reserved, the initrd included. After discover_banks and discover_chosen.
zx_status_t discover_reserved(struct discovery *d);

// harts.c: harts and timebase.
zx_status_t discover_harts(struct discovery *d);
// harts.c: decides which harts are usable. After discover_devices.
zx_status_t discover_usable_harts(struct discovery *d);

// isa.c: the extensions (enum boot_isa) that a cpu node names; 0 when it is not a 64-bit hart.
uint32_t isa_from_node(const struct fdt *fdt, uint32_t cpu);

// chosen.c: bootargs, initrd, seeds.
void discover_chosen(struct discovery *d);

// devices.c: one walk over the tree for everything found by compatible. After discover_harts.
void discover_devices(struct discovery *d);

// intc.c: one PLIC.
void discover_plic(struct discovery *d, uint32_t node);

// console.c: the serial console. After discover_devices.
void discover_console(struct discovery *d);

// A compatible string and what to do with a node that has it.
struct device_match {
    const char *compatible;
    void (*found)(struct discovery *d, uint32_t node);
};

// devices.c: address, size and interrupt of a device; the first one found stays.
void device_note(struct discovery *d, uint32_t node, struct boot_device *out);

// Devices that only one SoC has (quirk_*.c), closed by a null compatible.
extern const struct device_match quirk_jh7110_devices[];
