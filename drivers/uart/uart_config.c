// Checks of a port's description; touches no device.
#include "drivers/uart/uart_internal.h"

#define REG_MSR_8250 0x06u // last register used of a plain 8250 (PC16550D data sheet, section 8)
#define SIFIVE_BYTES 0x1cu // size of the registers (SiFive FU540-C000 Manual v1p4, table 13.2)

// Registers 16 bytes apart: more than any binding's example, and far from where a shift overflows.
#define MAX_REG_SHIFT 4u

static bool window_fits_8250(const struct uart_config *config)
{
    if (config->reg_shift > MAX_REG_SHIFT) {
        return false;
    }
    uint32_t last = config->kind == UART_KIND_DW_APB ? UART_DW_REG_USR : REG_MSR_8250;
    uint64_t last_off = config->reg_offset + ((uint64_t)last << config->reg_shift);
    // Accesses must be naturally aligned and must not overlap the next register.
    return config->io_width_bytes <= 1u << config->reg_shift &&
           is_aligned(config->base + config->reg_offset, config->io_width_bytes) &&
           last_off + config->io_width_bytes <= config->size_bytes;
}

static bool window_fits_sifive(const struct uart_config *config)
{
    return config->io_width_bytes == 4 && is_aligned(config->base + config->reg_offset, 4) &&
           (uint64_t)config->reg_offset + SIFIVE_BYTES <= config->size_bytes;
}

bool uart_config_is_valid(const struct uart_config *config)
{
    uint32_t width = config->io_width_bytes;
    if (width != 1 && width != 2 && width != 4) {
        return false;
    }
    switch (config->kind) {
    case UART_KIND_8250:
    case UART_KIND_DW_APB:
        return window_fits_8250(config);
    case UART_KIND_SIFIVE:
        return window_fits_sifive(config);
    case UART_KIND_NONE:
        break;
    }
    return false;
}
