// RAM banks and what is reserved in them.
#include "kernel/lib/string.h"
#include "platform/boot_info_internal.h"

// Sv39 page-table entries hold physical addresses of 56 bits (RISC-V Privileged Architecture
// 20211203, section 4.4.1).
#define PADDR_LIMIT (1ull << 56)

// What firmware at the start of RAM is given when the tree does not mention it: OpenSBI's usual
// place and room, since kernels are loaded 2 MiB above the start of RAM.
#define FIRMWARE_BYTES (2ull << 20)

static uint64_t range_end(const struct boot_range *range)
{
    return range->base + range->size_bytes;
}

// ---- Banks ----

// Inserts [base, end) into the sorted list and merges what touches.
static void bank_add(struct boot_info *info, uint64_t base, uint64_t end)
{
    struct boot_range *banks = info->banks;
    uint32_t first = 0;
    while (first < info->bank_count && range_end(&banks[first]) < base) {
        first++;
    }
    uint32_t last = first; // banks[first..last) are swallowed by the new one
    while (last < info->bank_count && banks[last].base <= end) {
        base = MIN(base, banks[last].base);
        end = MAX(end, range_end(&banks[last]));
        last++;
    }
    if (first == last && info->bank_count == BOOT_MAX_BANKS) {
        info->warnings |= BOOT_WARN_BANKS_CUT;
        return;
    }
    memmove(&banks[first + 1], &banks[last], (info->bank_count - last) * sizeof(banks[0]));
    banks[first] = (struct boot_range){base, end - base};
    info->bank_count = info->bank_count - (last - first) + 1;
}

// Shrinks every bank to whole pages; drops those without one.
static void banks_align(struct boot_info *info)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < info->bank_count; i++) {
        uint64_t base = round_up(info->banks[i].base, PAGE_SIZE_BYTES);
        uint64_t end = round_down(range_end(&info->banks[i]), PAGE_SIZE_BYTES);
        if (base < end) {
            info->banks[kept++] = (struct boot_range){base, end - base};
        }
    }
    info->bank_count = kept;
}

static bool is_memory_node(const struct fdt *fdt, uint32_t node)
{
    const char *type = fdt_prop_string(fdt, node, "device_type");
    if (type != NULL) {
        return strcmp(type, "memory") == 0;
    }
    const char *name = fdt_node_name(fdt, node);
    return strcmp(name, "memory") == 0 || strncmp(name, "memory@", 7) == 0;
}

zx_status_t discover_banks(struct discovery *d)
{
    const struct fdt *fdt = d->fdt;
    for (uint32_t node = fdt_first_child(fdt, fdt->root); node != FDT_NONE;
         node = fdt_next_sibling(fdt, node)) {
        if (!is_memory_node(fdt, node) || !fdt_is_available(fdt, node)) {
            continue;
        }
        uint64_t base, size_bytes;
        for (uint32_t i = 0; fdt_child_reg(fdt, fdt->root, node, i, &base, &size_bytes) == ZX_OK;
             i++) {
            if (base < PADDR_LIMIT && size_bytes > 0) {
                bank_add(d->info, base, base + MIN(size_bytes, PADDR_LIMIT - base));
            }
        }
    }
    banks_align(d->info);
    if (d->info->bank_count == 0) {
        return discovery_fail(d, ZX_ERR_NOT_FOUND, "the device tree describes no memory");
    }
    return ZX_OK;
}

uint64_t boot_info_ram_bytes(const struct boot_info *info)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < info->bank_count; i++) {
        bytes += info->banks[i].size_bytes;
    }
    return bytes;
}

// ---- Reserved ranges ----

// Cuts [*base, *end) to the banks it touches: from within the first one to within the last one.
// False when it touches none.
static bool clip_to_banks(const struct boot_info *info, uint64_t *base, uint64_t *end)
{
    uint64_t low = UINT64_MAX, high = 0;
    for (uint32_t i = 0; i < info->bank_count; i++) {
        const struct boot_range *bank = &info->banks[i];
        if (*base < range_end(bank) && bank->base < *end) {
            low = MIN(low, MAX(*base, bank->base));
            high = MAX(high, MIN(*end, range_end(bank)));
        }
    }
    *base = low;
    *end = high;
    return low < high;
}

zx_status_t boot_info_reserve(struct boot_info *info, paddr_t base, uint64_t size_bytes,
                              enum boot_reserved_kind kind, bool no_map)
{
    if (size_bytes == 0 || base >= PADDR_LIMIT) {
        return ZX_OK;
    }
    uint64_t end = base + MIN(size_bytes, PADDR_LIMIT - base);
    base = round_down(base, PAGE_SIZE_BYTES);
    end = round_up(end, PAGE_SIZE_BYTES);
    if (!clip_to_banks(info, &base, &end)) {
        return ZX_OK;
    }
    uint32_t at = 0;
    for (; at < info->reserved_count && info->reserved[at].range.base <= base; at++) {
        struct boot_reserved *r = &info->reserved[at];
        if (range_end(&r->range) >= base && r->kind == kind && r->no_map == no_map) {
            r->range.size_bytes = MAX(end, range_end(&r->range)) - r->range.base;
            return ZX_OK;
        }
    }
    if (info->reserved_count == BOOT_MAX_RESERVED) {
        return ZX_ERR_NO_RESOURCES;
    }
    memmove(&info->reserved[at + 1], &info->reserved[at],
            (info->reserved_count - at) * sizeof(info->reserved[0]));
    info->reserved[at] = (struct boot_reserved){{base, end - base}, kind, no_map};
    info->reserved_count++;
    return ZX_OK;
}

void boot_info_drop_initrd(struct boot_info *info)
{
    info->initrd = (struct boot_range){0, 0};
    uint32_t kept = 0;
    for (uint32_t i = 0; i < info->reserved_count; i++) {
        if (info->reserved[i].kind != BOOT_RESERVED_INITRD) {
            info->reserved[kept++] = info->reserved[i];
        }
    }
    info->reserved_count = kept;
}

bool boot_info_next_free(const struct boot_info *info, paddr_t *cursor, struct boot_range *out)
{
    uint64_t start = *cursor;
    for (uint32_t b = 0; b < info->bank_count; b++) {
        const struct boot_range *bank = &info->banks[b];
        start = MAX(start, bank->base);
        uint64_t end = range_end(bank);
        for (uint32_t i = 0; i < info->reserved_count && start < end; i++) {
            const struct boot_range *r = &info->reserved[i].range;
            if (range_end(r) <= start) {
                continue;
            }
            if (r->base > start) {
                end = MIN(end, r->base);
                break;
            }
            start = range_end(r);
        }
        if (start < end) {
            *out = (struct boot_range){start, end - start};
            *cursor = end;
            return true;
        }
    }
    return false;
}

// The children of /reserved-memory (reserved-memory.yaml). Those without reg ask for memory to be
// set aside for drivers that do not exist here. A node that cannot be translated through ranges is
// taken as written: reserving too much is the safe mistake.
static zx_status_t reserve_nodes(struct discovery *d)
{
    const struct fdt *fdt = d->fdt;
    uint32_t parent = fdt_node_at(fdt, "/reserved-memory");
    for (uint32_t node = fdt_first_child(fdt, parent); node != FDT_NONE;
         node = fdt_next_sibling(fdt, node)) {
        if (!fdt_is_available(fdt, node) || !fdt_prop_exists(fdt, node, "reg")) {
            continue;
        }
        bool no_map = fdt_prop_exists(fdt, node, "no-map");
        for (uint32_t i = 0;; i++) {
            uint64_t base, size_bytes;
            zx_status_t status = fdt_child_reg(fdt, parent, node, i, &base, &size_bytes);
            if (status == ZX_ERR_NOT_FOUND && i > 0) {
                break;
            }
            if (status != ZX_OK) {
                d->info->warnings |= BOOT_WARN_RESERVED_BAD;
                break;
            }
            fdt_reg(fdt, node, i, &base, &size_bytes);
            status = boot_info_reserve(d->info, base, size_bytes, BOOT_RESERVED_NODE, no_map);
            if (status != ZX_OK) {
                return status;
            }
        }
    }
    return ZX_OK;
}

static zx_status_t reserve_list(struct discovery *d)
{
    uint64_t base, size_bytes;
    for (uint32_t i = 0; fdt_reserve_entry(d->fdt, i, &base, &size_bytes); i++) {
        zx_status_t status =
            boot_info_reserve(d->info, base, size_bytes, BOOT_RESERVED_MEMRESERVE, false);
        if (status != ZX_OK) {
            return status;
        }
    }
    return ZX_OK;
}

// Firmware protects itself (PMP) and says where in the tree it hands over; a tree that was loaded
// from a file does not know. Then the start of RAM is left alone.
static zx_status_t reserve_firmware(struct discovery *d)
{
    struct boot_info *info = d->info;
    uint64_t base = info->banks[0].base;
    if (info->reserved_count > 0 && info->reserved[0].range.base < base + FIRMWARE_BYTES) {
        return ZX_OK;
    }
    info->warnings |= BOOT_WARN_FIRMWARE_ASSUMED;
    return boot_info_reserve(info, base, MIN(FIRMWARE_BYTES, info->banks[0].size_bytes),
                             BOOT_RESERVED_FIRMWARE, true);
}

static zx_status_t reserve_initrd(struct discovery *d)
{
    struct boot_info *info = d->info;
    if (info->initrd.size_bytes == 0) {
        return ZX_OK;
    }
    uint64_t base = info->initrd.base;
    uint64_t end = range_end(&info->initrd);
    for (uint32_t i = 0; i < info->bank_count; i++) {
        if (base >= info->banks[i].base && end <= range_end(&info->banks[i])) {
            return boot_info_reserve(info, base, end - base, BOOT_RESERVED_INITRD, false);
        }
    }
    info->warnings |= BOOT_WARN_INITRD_BAD;
    info->initrd = (struct boot_range){0, 0};
    return ZX_OK;
}

zx_status_t discover_reserved(struct discovery *d)
{
    zx_status_t status = reserve_nodes(d);
    if (status == ZX_OK) {
        status = reserve_list(d);
    }
    if (status == ZX_OK) {
        status = reserve_firmware(d);
    }
    if (status == ZX_OK) {
        status = reserve_initrd(d);
    }
    if (status != ZX_OK) {
        return discovery_fail(d, status, "more than %u reserved memory ranges", BOOT_MAX_RESERVED);
    }
    return ZX_OK;
}
