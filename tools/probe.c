// make probe DTB=file: prints what platform discovery makes of a device tree. Runs on the host, on
// the same code that the kernel boots with. Exit status 1 when the tree cannot be booted from.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/boot_info.h"

static uint8_t *file_read(const char *path, size_t *len_bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    uint8_t *data = NULL;
    size_t used = 0, got;
    do {
        uint8_t *grown = realloc(data, used + 65536);
        if (grown == NULL) {
            break;
        }
        data = grown;
        got = fread(data + used, 1, 65536, file);
        used += got;
    } while (got > 0);
    fclose(file);
    *len_bytes = used;
    return data;
}

static void print_range(const char *label, const struct boot_range *range, const char *note)
{
    printf("  %-10s %#14" PRIx64 " - %#14" PRIx64 "  %10" PRIu64 " KiB  %s\n", label, range->base,
           range->base + range->size_bytes - 1, range->size_bytes / 1024, note);
}

static void print_memory(const struct boot_info *info)
{
    printf("memory: %" PRIu64 " MiB\n", boot_info_ram_bytes(info) >> 20);
    for (uint32_t i = 0; i < info->bank_count; i++) {
        print_range("bank", &info->banks[i], "");
    }
    for (uint32_t i = 0; i < info->reserved_count; i++) {
        const struct boot_reserved *r = &info->reserved[i];
        char note[64];
        snprintf(note, sizeof(note), "%s%s", boot_reserved_kind_string(r->kind),
                 r->no_map ? ", no-map" : "");
        print_range("reserved", &r->range, note);
    }
    paddr_t cursor = 0;
    struct boot_range free_range;
    while (boot_info_next_free(info, &cursor, &free_range)) {
        print_range("free", &free_range, "");
    }
}

static void print_isa(const char *label, uint32_t isa)
{
    printf("%s", label);
    for (uint32_t bit = 0; bit < BOOT_ISA_COUNT; bit++) {
        if ((isa & 1u << bit) != 0) {
            printf(" %s", boot_isa_name(bit));
        }
    }
    printf("\n");
}

static void print_harts(const struct boot_info *info)
{
    printf("harts: %u, timebase %" PRIu64 " Hz\n", info->hart_count, info->timebase_hz);
    for (uint32_t i = 0; i < info->hart_count; i++) {
        const struct boot_hart *hart = &info->harts[i];
        printf("  hart %" PRIu64 "%s: %s", hart->id, i == info->boot_hart ? " (boot)" : "",
               boot_hart_state_string(hart->state));
        if (hart->va_bits > 0) {
            printf(", sv%u", hart->va_bits);
        }
        if (hart->plic != BOOT_NO_PLIC) {
            printf(", PLIC %u context %u", hart->plic, hart->plic_context);
        }
        print_isa(", isa", hart->isa);
    }
    print_isa("features of all usable harts:", info->isa_all);
}

static void print_console(const struct boot_info *info)
{
    static const char *const kinds[] = {"none (firmware's console)", "8250", "DesignWare 8250",
                                        "SiFive UART"};
    const struct boot_console *console = &info->console;
    const struct uart_config *uart = &console->uart;
    printf("console: %s", kinds[uart->kind]);
    if (uart->kind != UART_KIND_NONE) {
        printf(" at %#" PRIx64 " size %#" PRIx64 ", reg-shift %u, reg-offset %u, io-width %u, "
               "clock %u Hz, options %s",
               uart->base, uart->size_bytes, uart->reg_shift, uart->reg_offset,
               uart->io_width_bytes, uart->clock_hz,
               console->options != NULL ? console->options : "none");
        if (console->plic != BOOT_NO_PLIC) {
            printf(", irq %u at PLIC %u", uart->irq, console->plic);
        }
    }
    printf("\n");
}

static void print_device(const char *label, const struct boot_device *device)
{
    if (device->size_bytes > 0) {
        printf("%s: %#" PRIx64 " size %#" PRIx64 " irq %u\n", label, device->base,
               device->size_bytes, device->irq);
    }
}

static void print_devices(const struct boot_info *info)
{
    for (uint32_t i = 0; i < info->plic_count; i++) {
        const struct plic_config *plic = &info->plics[i].config;
        printf("PLIC %u: %#" PRIx64 " size %#" PRIx64 ", %u sources, %u contexts\n", i, plic->base,
               plic->size_bytes, plic->source_count, plic->context_count);
    }
    print_device("test device", &info->test);
    print_device("watchdog", &info->watchdog);
    print_device("random numbers", &info->trng);
    if (info->poweroff.addr != 0) {
        printf("poweroff: write %#x to %#" PRIx64 "\n", info->poweroff.value, info->poweroff.addr);
    }
    if (info->reboot.addr != 0) {
        printf("reboot: write %#x to %#" PRIx64 "\n", info->reboot.value, info->reboot.addr);
    }
}

static void print_chosen(const struct boot_info *info)
{
    printf("bootargs: \"%s\"\n", info->bootargs);
    if (info->initrd.size_bytes > 0) {
        printf("initrd: %#" PRIx64 ", %" PRIu64 " bytes (contents not checked)\n",
               info->initrd.base, info->initrd.size_bytes);
    }
    printf("seeds: rng-seed %u bytes, kaslr-seed %s\n", info->rng_seed_bytes,
           info->kaslr_seed != 0 ? "yes" : "no");
}

// Without a given boot hart: the first one that the tree calls able.
static uint64_t boot_hart_guess(const struct fdt *fdt, struct boot_info *info)
{
    char unused[128];
    boot_info_from_fdt(fdt, UINT64_MAX, info, unused, sizeof(unused));
    for (uint32_t i = 0; i < info->hart_count; i++) {
        if (boot_info_from_fdt(fdt, info->harts[i].id, info, unused, sizeof(unused)) == ZX_OK) {
            if ((info->warnings & BOOT_WARN_BOOT_HART_ODD) == 0) {
                return info->harts[i].id;
            }
        }
    }
    return info->hart_count > 0 ? info->harts[0].id : 0;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s FILE.dtb [BOOT-HART-ID]\n", argv[0]);
        return 2;
    }
    size_t len_bytes = 0;
    uint8_t *blob = file_read(argv[1], &len_bytes);
    if (blob == NULL) {
        fprintf(stderr, "%s: cannot be read\n", argv[1]);
        return 2;
    }
    struct fdt fdt;
    enum fdt_error error = fdt_open(blob, len_bytes, &fdt);
    if (error != FDT_OK) {
        fprintf(stderr, "%s: cannot boot: %s\n", argv[1], fdt_error_string(error));
        free(blob);
        return 1;
    }
    static struct boot_info info;
    uint64_t hart = argc == 3 ? strtoull(argv[2], NULL, 0) : boot_hart_guess(&fdt, &info);
    char err[128];
    zx_status_t status = boot_info_from_fdt(&fdt, hart, &info, err, sizeof(err));
    printf("model: %s\n", info.model);
    print_memory(&info);
    print_harts(&info);
    print_devices(&info);
    print_console(&info);
    print_chosen(&info);
    for (uint32_t bit = 0; bit < BOOT_WARN_COUNT; bit++) {
        if ((info.warnings & 1u << bit) != 0) {
            printf("warning: %s\n", boot_warning_string(bit));
        }
    }
    paddr_t cursor = 0;
    struct boot_range free_range;
    if (status == ZX_OK && !boot_info_next_free(&info, &cursor, &free_range)) {
        status = ZX_ERR_NO_MEMORY;
        snprintf(err, sizeof(err), "all of the memory is reserved");
    }
    if (status != ZX_OK) {
        fprintf(stderr, "%s: cannot boot: %s\n", argv[1], err);
    }
    free(blob);
    return status == ZX_OK ? 0 : 1;
}
