// The serial console: which port, and everything its driver needs (bindings serial/8250.yaml,
// serial/snps-dw-apb-uart.yaml, serial/sifive-serial.yaml; chosen.yaml for stdout-path).
#include "kernel/lib/string.h"
#include "platform/boot_info_internal.h"

static const struct {
    const char *compatible;
    enum uart_kind kind;
} uart_kinds[] = {
    // The first string that a port has decides, so the special comes before the general.
    {"snps,dw-apb-uart", UART_KIND_DW_APB},
    {"ns16550a", UART_KIND_8250},
    {"ns16550", UART_KIND_8250},
    {"ns8250", UART_KIND_8250},
    {"sifive,uart0", UART_KIND_SIFIVE},
};

static enum uart_kind uart_kind_of(const struct fdt *fdt, uint32_t node)
{
    struct fdt_prop compatible;
    if (!fdt_prop_get(fdt, node, "compatible", &compatible)) {
        return UART_KIND_NONE;
    }
    for (uint32_t i = 0; i < ARRAY_COUNT(uart_kinds); i++) {
        if (fdt_prop_contains(&compatible, uart_kinds[i].compatible)) {
            return uart_kinds[i].kind;
        }
    }
    return UART_KIND_NONE;
}

// The port's interrupt, if it goes to a PLIC that is in use.
static void read_irq(struct discovery *d, uint32_t node, struct boot_console *out)
{
    struct fdt_irq irq;
    if (fdt_interrupt(d->fdt, node, 0, &irq) != ZX_OK) {
        return;
    }
    for (uint32_t i = 0; i < d->info->plic_count; i++) {
        const struct boot_plic *plic = &d->info->plics[i];
        if (plic->node == irq.controller && irq.cells[0] >= 1 &&
            irq.cells[0] <= plic->config.source_count && irq.cells[0] < PLIC_MAX_SOURCES) {
            out->plic = i;
            out->uart.irq = irq.cells[0];
        }
    }
}

// Describes the port at `node`. False when there is no driver for it or the description is wrong.
static bool read_uart(struct discovery *d, uint32_t node, struct boot_console *out)
{
    const struct fdt *fdt = d->fdt;
    struct boot_console console = {.plic = BOOT_NO_PLIC, .node = node};
    struct uart_config *uart = &console.uart;
    uart->kind = uart_kind_of(fdt, node);
    if (uart->kind == UART_KIND_NONE || !fdt_is_available(fdt, node) ||
        fdt_prop_exists(fdt, node, "big-endian") ||
        fdt_reg(fdt, node, 0, &uart->base, &uart->size_bytes) != ZX_OK) {
        return false;
    }
    uart->io_width_bytes = uart->kind == UART_KIND_SIFIVE ? 4 : 1;
    if (uart->kind != UART_KIND_SIFIVE) {
        fdt_prop_u32(fdt, node, "reg-shift", &uart->reg_shift);
        fdt_prop_u32(fdt, node, "reg-offset", &uart->reg_offset);
        fdt_prop_u32(fdt, node, "reg-io-width", &uart->io_width_bytes);
    }
    fdt_prop_u32(fdt, node, "clock-frequency", &uart->clock_hz);
    if (!uart_config_is_valid(uart)) {
        return false;
    }
    read_irq(d, node, &console);
    *out = console;
    return true;
}

// stdout-path is a path or alias, with options after a colon.
static bool read_stdout(struct discovery *d, struct boot_console *out)
{
    uint32_t chosen = fdt_node_at(d->fdt, "/chosen");
    const char *path = fdt_prop_string(d->fdt, chosen, "stdout-path");
    if (path == NULL) {
        path = fdt_prop_string(d->fdt, chosen, "linux,stdout-path");
    }
    if (path == NULL) {
        return false;
    }
    const char *colon = strchr(path, ':');
    size_t path_bytes = colon != NULL ? (size_t)(colon - path) : strlen(path);
    uint32_t node = fdt_node_at_bytes(d->fdt, path, path_bytes);
    if (!read_uart(d, node, out)) {
        d->info->warnings |= BOOT_WARN_STDOUT_BAD;
        return false;
    }
    out->options = colon != NULL ? colon + 1 : NULL;
    return true;
}

void discover_console(struct discovery *d)
{
    struct boot_info *info = d->info;
    bool found = read_stdout(d, &info->console) ||
                 read_uart(d, fdt_node_at(d->fdt, "serial0"), &info->console);
    for (uint32_t node = d->fdt->root; !found && node != FDT_NONE;
         node = fdt_node_after(d->fdt, node, NULL)) {
        found = read_uart(d, node, &info->console);
    }
    if (!found) {
        info->warnings |= BOOT_WARN_NO_CONSOLE;
    } else if (info->console.plic == BOOT_NO_PLIC) {
        info->warnings |= BOOT_WARN_CONSOLE_NO_IRQ;
    }
}
