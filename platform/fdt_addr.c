// Addresses (reg, ranges) and interrupts of nodes (Devicetree Specification v0.4, 2.3 and 2.4).
#include "platform/fdt.h"
#include "platform/fdt_internal.h"

#define ADDRESS_CELLS_DEFAULT 2u
#define SIZE_CELLS_DEFAULT    1u

// The widths of the numbers in the children of a bus.
struct bus_cells {
    uint32_t address;
    uint32_t size;
};

static struct bus_cells bus_cells_of(const struct fdt *fdt, uint32_t bus)
{
    struct bus_cells cells = {ADDRESS_CELLS_DEFAULT, SIZE_CELLS_DEFAULT};
    fdt_prop_u32(fdt, bus, "#address-cells", &cells.address);
    fdt_prop_u32(fdt, bus, "#size-cells", &cells.size);
    return cells;
}

static bool bus_cells_supported(struct bus_cells cells)
{
    return cells.address >= 1 && cells.address <= 2 && cells.size <= 2;
}

// Reads a number of 0 to 2 cells and moves `at` past it.
static uint64_t cells_read(const uint8_t **at, uint32_t cells)
{
    uint64_t value = 0;
    for (; cells > 0; cells--) {
        value = value << 32 | fdt_be32(*at);
        *at += 4;
    }
    return value;
}

zx_status_t fdt_child_reg(const struct fdt *fdt, uint32_t bus, uint32_t node, uint32_t index,
                          uint64_t *addr, uint64_t *size_bytes)
{
    struct fdt_prop reg;
    if (!fdt_prop_get(fdt, node, "reg", &reg)) {
        return ZX_ERR_NOT_FOUND;
    }
    struct bus_cells cells = bus_cells_of(fdt, bus);
    if (!bus_cells_supported(cells)) {
        return ZX_ERR_NOT_SUPPORTED;
    }
    uint32_t entry_bytes = (cells.address + cells.size) * 4;
    if (index >= reg.len_bytes / entry_bytes) {
        return ZX_ERR_NOT_FOUND;
    }
    const uint8_t *at = reg.data + index * entry_bytes;
    *addr = cells_read(&at, cells.address);
    *size_bytes = cells_read(&at, cells.size);
    return ZX_OK;
}

zx_status_t fdt_reg_raw(const struct fdt *fdt, uint32_t node, uint32_t index, uint64_t *addr,
                        uint64_t *size_bytes)
{
    uint32_t parent = fdt_parent(fdt, node);
    return parent == FDT_NONE ? ZX_ERR_NOT_FOUND
                              : fdt_child_reg(fdt, parent, node, index, addr, size_bytes);
}

// Turns an address in the children of `bus` into an address among the siblings of `bus`.
static zx_status_t bus_translate(const struct fdt *fdt, uint32_t bus, uint32_t parent,
                                 uint64_t size_bytes, uint64_t *addr)
{
    struct fdt_prop ranges;
    if (!fdt_prop_get(fdt, bus, "ranges", &ranges)) {
        return ZX_ERR_NOT_SUPPORTED;
    }
    if (ranges.len_bytes == 0) {
        return ZX_OK;
    }
    struct bus_cells inner = bus_cells_of(fdt, bus);
    struct bus_cells outer = bus_cells_of(fdt, parent);
    if (!bus_cells_supported(inner) || !bus_cells_supported(outer) || inner.size == 0) {
        return ZX_ERR_NOT_SUPPORTED;
    }
    uint32_t entry_bytes = (inner.address + outer.address + inner.size) * 4;
    const uint8_t *at = ranges.data;
    for (uint32_t left = ranges.len_bytes / entry_bytes; left > 0; left--) {
        uint64_t inner_base = cells_read(&at, inner.address);
        uint64_t outer_base = cells_read(&at, outer.address);
        uint64_t range_bytes = cells_read(&at, inner.size);
        uint64_t offset = *addr - inner_base;
        if (*addr < inner_base || offset >= range_bytes || size_bytes > range_bytes - offset) {
            continue;
        }
        if (outer_base > UINT64_MAX - offset) {
            return ZX_ERR_OUT_OF_RANGE;
        }
        *addr = outer_base + offset;
        return ZX_OK;
    }
    return ZX_ERR_OUT_OF_RANGE;
}

zx_status_t fdt_reg(const struct fdt *fdt, uint32_t node, uint32_t index, uint64_t *addr,
                    uint64_t *size_bytes)
{
    uint32_t path[FDT_MAX_DEPTH];
    uint32_t count = fdt_ancestry(fdt, node, path);
    if (count < 2) {
        return ZX_ERR_NOT_FOUND;
    }
    uint64_t base, bytes;
    zx_status_t status = fdt_child_reg(fdt, path[count - 2], node, index, &base, &bytes);
    for (uint32_t level = count - 2; status == ZX_OK && level > 0; level--) {
        status = bus_translate(fdt, path[level], path[level - 1], bytes, &base);
    }
    if (status != ZX_OK) {
        return status;
    }
    if (bytes > 0 && base > UINT64_MAX - (bytes - 1)) {
        return ZX_ERR_OUT_OF_RANGE;
    }
    *addr = base;
    *size_bytes = bytes;
    return ZX_OK;
}

uint32_t fdt_interrupt_parent(const struct fdt *fdt, uint32_t node)
{
    uint32_t path[FDT_MAX_DEPTH];
    uint32_t count = fdt_ancestry(fdt, node, path);
    for (uint32_t level = count; level > 0; level--) {
        uint32_t at = path[level - 1];
        uint32_t phandle;
        if (fdt_prop_u32(fdt, at, "interrupt-parent", &phandle)) {
            return fdt_node_by_phandle(fdt, phandle);
        }
        if (level != count && fdt_prop_exists(fdt, at, "#interrupt-cells")) {
            return at;
        }
    }
    return FDT_NONE;
}

// Reads a specifier for `controller` at `data`, of which `room_bytes` are left.
static zx_status_t irq_read(const struct fdt *fdt, uint32_t controller, const uint8_t *data,
                            uint32_t room_bytes, struct fdt_irq *out)
{
    struct fdt_irq irq = {.controller = controller};
    if (controller == FDT_NONE ||
        !fdt_prop_u32(fdt, controller, "#interrupt-cells", &irq.cell_count)) {
        return ZX_ERR_BAD_STATE;
    }
    if (irq.cell_count == 0 || irq.cell_count > FDT_MAX_IRQ_CELLS) {
        return ZX_ERR_NOT_SUPPORTED;
    }
    if (room_bytes < irq.cell_count * 4) {
        return ZX_ERR_NOT_FOUND;
    }
    for (uint32_t i = 0; i < irq.cell_count; i++) {
        irq.cells[i] = fdt_be32(data + i * 4);
    }
    *out = irq;
    return ZX_OK;
}

// Entry `index` of an interrupts-extended list, whose entries have the widths of their controllers.
static zx_status_t irq_extended(const struct fdt *fdt, const struct fdt_prop *list, uint32_t index,
                                struct fdt_irq *out)
{
    uint32_t off = 0;
    while (list->len_bytes - off >= 4) {
        uint32_t controller = fdt_node_by_phandle(fdt, fdt_be32(list->data + off));
        off += 4;
        struct fdt_irq irq;
        zx_status_t status =
            irq_read(fdt, controller, list->data + off, list->len_bytes - off, &irq);
        if (status != ZX_OK) {
            return status;
        }
        if (index-- == 0) {
            *out = irq;
            return ZX_OK;
        }
        off += irq.cell_count * 4;
    }
    return ZX_ERR_NOT_FOUND;
}

zx_status_t fdt_interrupt(const struct fdt *fdt, uint32_t node, uint32_t index, struct fdt_irq *out)
{
    struct fdt_prop list;
    if (fdt_prop_get(fdt, node, "interrupts-extended", &list)) {
        return irq_extended(fdt, &list, index, out);
    }
    if (!fdt_prop_get(fdt, node, "interrupts", &list)) {
        return ZX_ERR_NOT_FOUND;
    }
    uint32_t controller = fdt_interrupt_parent(fdt, node);
    uint32_t cell_count = 0;
    if (!fdt_prop_u32(fdt, controller, "#interrupt-cells", &cell_count)) {
        return ZX_ERR_BAD_STATE;
    }
    if (cell_count == 0 || cell_count > FDT_MAX_IRQ_CELLS) {
        return ZX_ERR_NOT_SUPPORTED;
    }
    if (index >= list.len_bytes / (cell_count * 4)) {
        return ZX_ERR_NOT_FOUND;
    }
    uint32_t off = index * cell_count * 4;
    return irq_read(fdt, controller, list.data + off, list.len_bytes - off, out);
}
