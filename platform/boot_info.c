#include "platform/boot_info.h"

#include <stdarg.h>

#include "kernel/lib/printf.h"
#include "kernel/lib/string.h"
#include "platform/boot_info_internal.h"

zx_status_t discovery_fail(struct discovery *d, zx_status_t status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    kernel_vsnprintf(d->err, d->err_bytes, fmt, args);
    va_end(args);
    return status;
}

zx_status_t boot_info_from_fdt(const struct fdt *fdt, uint64_t boot_hart_id, struct boot_info *out,
                               char *err, size_t err_bytes)
{
    struct discovery d = {
        .fdt = fdt,
        .info = out,
        .boot_hart_id = boot_hart_id,
        .err = err,
        .err_bytes = err_bytes,
    };
    memset(out, 0, sizeof(*out));
    err[0] = 0;
    const char *model = fdt_prop_string(fdt, fdt->root, "model");
    out->model = model != NULL ? model : "";
    out->bootargs = "";
    out->console.plic = BOOT_NO_PLIC;
    out->console.node = FDT_NONE;

    discover_chosen(&d);
    zx_status_t status = discover_banks(&d);
    if (status == ZX_OK) {
        status = discover_reserved(&d);
    }
    if (status == ZX_OK) {
        status = discover_harts(&d);
    }
    // Also when something is missing: a machine that cannot boot can still be told to stop.
    discover_devices(&d);
    if (status == ZX_OK) {
        discover_console(&d);
        status = discover_usable_harts(&d);
    }
    return status;
}

const char *boot_hart_state_string(enum boot_hart_state state)
{
    switch (state) {
    case BOOT_HART_USABLE:
        return "usable";
    case BOOT_HART_DISABLED:
        return "disabled by the device tree";
    case BOOT_HART_NO_MMU:
        return "no MMU with Sv39";
    case BOOT_HART_BAD_ISA:
        return "not rv64imafdc";
    case BOOT_HART_NO_EXTERNAL:
        return "no S-mode context at the interrupt controller";
    case BOOT_HART_DUPLICATE:
        return "its id is taken by another hart";
    }
    return "unknown";
}

const char *boot_reserved_kind_string(enum boot_reserved_kind kind)
{
    switch (kind) {
    case BOOT_RESERVED_NODE:
        return "reserved-memory";
    case BOOT_RESERVED_MEMRESERVE:
        return "memreserve";
    case BOOT_RESERVED_FIRMWARE:
        return "firmware (assumed)";
    case BOOT_RESERVED_INITRD:
        return "initrd";
    case BOOT_RESERVED_DTB:
        return "device tree";
    case BOOT_RESERVED_KERNEL:
        return "kernel";
    }
    return "unknown";
}

const char *boot_warning_string(uint32_t bit_index)
{
    static const char *const text[BOOT_WARN_COUNT] = {
        "more memory banks than can be kept: some RAM is not used",
        "more harts than can be kept: some are not used",
        "more interrupt controllers than can be kept: some are not used",
        "an interrupt controller is described wrongly and is not used",
        "no PLIC: no device interrupts",
        "initrd lies outside RAM or has no size: ignored",
        "stdout-path names no serial port with a driver",
        "no serial port with a driver: the firmware's console is used",
        "the console's interrupt is not known: it is polled",
        "the tree does not say where the firmware is: the first 2 MiB of RAM are left to it",
        "a reserved range could not be read",
        "the boot hart is disabled or has no S-mode context in the tree",
    };
    return bit_index < BOOT_WARN_COUNT ? text[bit_index] : "unknown";
}
