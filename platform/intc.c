// PLICs and which of their contexts is whose (binding
// interrupt-controller/sifive,plic-1.0.0.yaml).
#include "platform/boot_info_internal.h"

// Supervisor external interrupt (RISC-V Privileged Architecture 20211203, table 4.2). Any other
// value means a context of M-mode (11) or one that is not connected (0xffffffff).
#define CAUSE_S_EXTERNAL 9u

static struct boot_hart *hart_by_intc(struct boot_info *info, uint32_t phandle)
{
    for (uint32_t i = 0; i < info->hart_count && phandle != 0; i++) {
        if (info->harts[i].intc_phandle == phandle) {
            return &info->harts[i];
        }
    }
    return NULL;
}

// Number of cells that follow a phandle in interrupts-extended. Harts' own controllers have one.
static uint32_t specifier_cells(struct discovery *d, uint32_t phandle)
{
    uint32_t cells = 1;
    if (hart_by_intc(d->info, phandle) == NULL) {
        fdt_prop_u32(d->fdt, fdt_node_by_phandle(d->fdt, phandle), "#interrupt-cells", &cells);
    }
    return cells;
}

// Walks the contexts: their number, and when `plic` is an index, which hart owns which.
static bool walk_contexts(struct discovery *d, const struct fdt_prop *list, uint32_t plic,
                          uint32_t *count)
{
    uint32_t left = list->len_bytes / 4;
    const uint8_t *at = list->data;
    *count = 0;
    while (left > 0) {
        uint32_t phandle = fdt_be32(at);
        uint32_t cells = specifier_cells(d, phandle);
        if (cells == 0 || cells >= left) {
            return false;
        }
        struct boot_hart *hart = hart_by_intc(d->info, phandle);
        if (plic != BOOT_NO_PLIC && hart != NULL && hart->plic == BOOT_NO_PLIC &&
            fdt_be32(at + 4) == CAUSE_S_EXTERNAL) {
            hart->plic = plic;
            hart->plic_context = *count;
        }
        at += 4 + cells * 4;
        left -= 1 + cells;
        (*count)++;
    }
    return true;
}

void discover_plic(struct discovery *d, uint32_t node)
{
    struct boot_info *info = d->info;
    if (info->plic_count == BOOT_MAX_PLICS) {
        info->warnings |= BOOT_WARN_PLICS_CUT;
        return;
    }
    struct boot_plic plic = {.node = node};
    struct fdt_prop list;
    if (fdt_reg(d->fdt, node, 0, &plic.config.base, &plic.config.size_bytes) != ZX_OK ||
        !fdt_prop_u32(d->fdt, node, "riscv,ndev", &plic.config.source_count) ||
        !fdt_prop_get(d->fdt, node, "interrupts-extended", &list) ||
        !walk_contexts(d, &list, BOOT_NO_PLIC, &plic.config.context_count) ||
        !plic_config_is_valid(&plic.config)) {
        info->warnings |= BOOT_WARN_PLIC_BAD;
        return;
    }
    uint32_t count;
    walk_contexts(d, &list, info->plic_count, &count);
    info->plics[info->plic_count++] = plic;
}
