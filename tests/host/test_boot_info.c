// Platform discovery: what it finds in real trees, the traps of boards' trees, and that damaged
// trees never break its promises.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <libfdt.h>
#include <string.h>

#include "platform/boot_info.h"
#include "tests/host/dtb_fixture.h"

#define MIB (1ull << 20)

// One tree and what was found in it. The strings in `info` point into `blob`.
struct found {
    uint8_t *blob;
    struct boot_info info;
    zx_status_t status;
    char err[128];
};

static void discover_blob(struct found *found, uint8_t *blob, size_t len, uint64_t boot_hart)
{
    struct fdt fdt;
    found->blob = blob;
    assert_int_equal(fdt_open(blob, len, &fdt), FDT_OK);
    found->status =
        boot_info_from_fdt(&fdt, boot_hart, &found->info, found->err, sizeof(found->err));
}

static struct found *discover(const char *name, uint64_t boot_hart)
{
    struct found *found = calloc(1, sizeof(*found));
    size_t len;
    uint8_t *blob = dtb_load(name, &len);
    discover_blob(found, blob, len, boot_hart);
    return found;
}

// Loads a tree into a larger buffer and applies `edit` to it with libfdt before discovery.
static struct found *discover_edited(const char *name, uint64_t boot_hart, void (*edit)(void *blob))
{
    struct found *found = calloc(1, sizeof(*found));
    size_t len;
    uint8_t *original = dtb_load(name, &len);
    uint8_t *blob = malloc(len + 8192);
    assert_int_equal(fdt_open_into(original, blob, (int)len + 8192), 0);
    free(original);
    edit(blob);
    discover_blob(found, blob, len + 8192, boot_hart);
    return found;
}

static void done(struct found *found)
{
    free(found->blob);
    free(found);
}

static void check_range(const struct boot_range *range, uint64_t base, uint64_t size_bytes)
{
    assert_int_equal(range->base, base);
    assert_int_equal(range->size_bytes, size_bytes);
}

static void check_usable(const struct boot_info *info, uint32_t index, uint32_t context)
{
    assert_int_equal(info->harts[index].state, BOOT_HART_USABLE);
    assert_int_equal(info->harts[index].plic, 0);
    assert_int_equal(info->harts[index].plic_context, context);
}

// ---- Real trees ----

static void check_visionfive2(const struct boot_info *info)
{
    assert_int_equal(info->hart_count, 5);
    assert_int_not_equal(info->harts[0].state, BOOT_HART_USABLE);
    assert_int_equal(info->harts[0].plic, BOOT_NO_PLIC);
    for (uint32_t hart = 1; hart <= 4; hart++) {
        assert_int_equal(info->harts[hart].id, hart);
        assert_int_equal(info->harts[hart].va_bits, 39);
        check_usable(info, hart, 2 * hart);
    }
    assert_int_equal(info->timebase_hz, 4000000);
    assert_int_equal(info->isa_all & (BOOT_ISA_SSTC | BOOT_ISA_SVPBMT | BOOT_ISA_ZICBOM), 0);
    assert_int_equal(info->isa_all & BOOT_ISA_REQUIRED, BOOT_ISA_REQUIRED);
    assert_true((info->isa_all & BOOT_ISA_ZBB) != 0);
    assert_int_equal(info->plic_count, 1);
    assert_int_equal(info->plics[0].config.base, 0xc000000);
    assert_int_equal(info->plics[0].config.size_bytes, 0x4000000);
    assert_int_equal(info->plics[0].config.source_count, 136);
    assert_int_equal(info->plics[0].config.context_count, 9);
    const struct uart_config *uart = &info->console.uart;
    assert_int_equal(uart->kind, UART_KIND_DW_APB);
    assert_int_equal(uart->base, 0x10000000);
    assert_int_equal(uart->size_bytes, 0x10000);
    assert_int_equal(uart->reg_shift, 2);
    assert_int_equal(uart->io_width_bytes, 4);
    assert_int_equal(uart->clock_hz, 0);
    assert_int_equal(uart->irq, 32);
    assert_int_equal(info->console.plic, 0);
    assert_int_equal(info->watchdog.base, 0x13070000);
    assert_int_equal(info->trng.base, 0x1600c000);
    assert_int_equal(info->trng.irq, 30);
    assert_int_equal(info->test.size_bytes, 0);
    assert_string_equal(info->bootargs, "");
}

static void test_visionfive2_linux(void **state)
{
    (void)state;
    for (uint64_t boot = 1; boot <= 4; boot++) { // the firmware picks any of them
        struct found *found = discover("visionfive2-linux.dtb", boot);
        const struct boot_info *info = &found->info;
        assert_int_equal(found->status, ZX_OK);
        check_visionfive2(info);
        assert_int_equal(info->boot_hart, boot);
        assert_int_equal(info->harts[0].state, BOOT_HART_DISABLED);
        assert_int_equal(info->bank_count, 1);
        check_range(&info->banks[0], 0x40000000, 4096 * MIB);
        assert_string_equal(info->console.options, "115200n8");
        // This tree comes from a file, so the firmware is not in it.
        assert_int_equal(info->reserved_count, 1);
        assert_int_equal(info->reserved[0].kind, BOOT_RESERVED_FIRMWARE);
        assert_true(info->reserved[0].no_map);
        check_range(&info->reserved[0].range, 0x40000000, 2 * MIB);
        assert_int_equal(info->initrd.size_bytes, 0);
        done(found);
    }
}

static void test_visionfive2_vendor(void **state)
{
    (void)state;
    struct found *found = discover("visionfive2-vendor-2g.dtb", 3);
    struct boot_info *info = &found->info;
    assert_int_equal(found->status, ZX_OK);
    check_visionfive2(info);
    check_range(&info->banks[0], 0x40000000, 2048 * MIB);
    assert_string_equal(info->console.options, "115200");
    // Reserved ranges above 2 GB are outside this board's RAM; linux,cma has no reg.
    assert_int_equal(info->reserved_count, 2);
    check_range(&info->reserved[1].range, 0x46100000, 0x4c000000 - 0x46100000);
    assert_int_equal(info->reserved[1].kind, BOOT_RESERVED_INITRD);
    check_range(&info->initrd, 0x46100000, 0x4c000000 - 0x46100000);
    boot_info_drop_initrd(info);
    assert_int_equal(info->reserved_count, 1);
    assert_int_equal(info->initrd.size_bytes, 0);
    done(found);
}

static void test_qemu_virt(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t harts;
        uint64_t mib;
    } cases[] = {{"qemu-virt-1.dtb", 1, 128},
                 {"qemu-virt-4.dtb", 4, 512},
                 {"qemu-virt-8.dtb", 8, 8192},
                 {"qemu-virt-64.dtb", 64, 4096},
                 {"qemu-virt-aclint.dtb", 4, 128}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct found *found = discover(cases[i].name, cases[i].harts - 1);
        const struct boot_info *info = &found->info;
        assert_int_equal(found->status, ZX_OK);
        assert_int_equal(info->hart_count, cases[i].harts);
        for (uint32_t hart = 0; hart < info->hart_count; hart++) {
            check_usable(info, hart, 2 * hart + 1);
        }
        check_range(&info->banks[0], 0x80000000, cases[i].mib * MIB);
        assert_int_equal(info->timebase_hz, 10000000);
        assert_true((info->isa_all & BOOT_ISA_SSTC) != 0);
        assert_int_equal(info->console.uart.kind, UART_KIND_8250);
        assert_int_equal(info->console.uart.base, 0x10000000);
        assert_int_equal(info->console.uart.irq, 10);
        assert_int_equal(info->console.uart.io_width_bytes, 1);
        assert_int_equal(info->console.uart.reg_shift, 0);
        assert_int_equal(info->console.uart.clock_hz, 3686400);
        assert_int_equal(info->test.base, 0x100000);
        assert_int_equal(info->poweroff.addr, 0x100000);
        assert_int_equal(info->poweroff.value, 0x5555);
        assert_int_equal(info->reboot.value, 0x7777);
        assert_int_equal(info->rng_seed_bytes, 32);
        done(found);
    }
}

static void test_qemu_numa(void **state)
{
    (void)state;
    struct found *found = discover("qemu-virt-numa.dtb", 2);
    const struct boot_info *info = &found->info;
    assert_int_equal(found->status, ZX_OK);
    assert_int_equal(info->bank_count, 1); // two nodes side by side
    check_range(&info->banks[0], 0x80000000, 1024 * MIB);
    assert_int_equal(info->plic_count, 2); // one for each node, with two harts each
    for (uint32_t hart = 0; hart < 4; hart++) {
        assert_int_equal(info->harts[hart].state, BOOT_HART_USABLE);
        assert_int_equal(info->harts[hart].plic, hart / 2);
        assert_int_equal(info->harts[hart].plic_context, 2 * (hart % 2) + 1);
    }
    assert_int_equal(info->plics[1].config.base, 0xc600000);
    assert_int_equal(info->console.plic, 0);
    done(found);
}

static void test_qemu_sifive_u(void **state)
{
    (void)state;
    struct found *found = discover("qemu-sifive-u.dtb", 1);
    const struct boot_info *info = &found->info;
    assert_int_equal(found->status, ZX_OK);
    assert_int_equal(info->harts[0].state, BOOT_HART_NO_MMU);
    check_usable(info, 1, 2);
    check_usable(info, 4, 8);
    assert_int_equal(info->console.uart.kind, UART_KIND_SIFIVE);
    assert_int_equal(info->console.uart.base, 0x10010000);
    assert_int_equal(info->console.uart.irq, 4);
    assert_int_equal(info->timebase_hz, 1000000);
    assert_int_equal(info->isa_all & BOOT_ISA_SSTC, 0);
    done(found);
    found = discover("qemu-sifive-u-2.dtb", 1);
    assert_int_equal(found->status, ZX_OK);
    assert_int_equal(found->info.hart_count, 2);
    check_usable(&found->info, 1, 2);
    assert_int_equal(found->info.plics[0].config.context_count, 3);
    check_range(&found->info.banks[0], 0x80000000, 8192 * MIB); // on both sides of 4 GiB
    done(found);
    found = discover("qemu-sifive-u.dtb", 0);
    assert_int_equal(found->status, ZX_ERR_NOT_SUPPORTED);
    assert_string_equal(found->err, "boot hart 0 cannot be used: no MMU with Sv39");
    done(found);
}

static void test_without_plic_or_uart(void **state)
{
    (void)state;
    struct found *found = discover("qemu-virt-aia.dtb", 1);
    assert_int_equal(found->status, ZX_OK);
    assert_int_equal(found->info.harts[0].state, BOOT_HART_USABLE);
    assert_int_equal(found->info.console.uart.kind, UART_KIND_8250);
    assert_int_equal(found->info.console.plic, BOOT_NO_PLIC);
    assert_int_equal(found->info.warnings & (BOOT_WARN_NO_PLIC | BOOT_WARN_CONSOLE_NO_IRQ),
                     BOOT_WARN_NO_PLIC | BOOT_WARN_CONSOLE_NO_IRQ);
    done(found);
    found = discover("qemu-virt-aplic.dtb", 0); // an interrupt controller of another kind
    assert_int_equal(found->status, ZX_OK);
    assert_int_equal(found->info.harts[1].state, BOOT_HART_USABLE);
    assert_int_equal(found->info.console.plic, BOOT_NO_PLIC);
    done(found);
    found = discover("qemu-spike-2.dtb", 3);
    assert_int_equal(found->status, ZX_OK);
    assert_int_equal(found->info.boot_hart, 3);
    assert_int_equal(found->info.bank_count, 1); // over 4 GiB
    check_range(&found->info.banks[0], 0x80000000, 3072 * MIB);
    done(found);
    found = discover("qemu-spike.dtb", 0);
    assert_int_equal(found->status, ZX_OK);
    assert_int_equal(found->info.console.uart.kind, UART_KIND_NONE);
    assert_int_equal(found->info.warnings & (BOOT_WARN_NO_CONSOLE | BOOT_WARN_STDOUT_BAD),
                     BOOT_WARN_NO_CONSOLE | BOOT_WARN_STDOUT_BAD);
    done(found);
}

// ---- Edited trees ----

static int node(void *blob, const char *path)
{
    int offset = fdt_path_offset(blob, path);
    assert_true(offset >= 0);
    return offset;
}

// The vendor's older trees: hart 0 looks like the others, except at the PLIC.
static void edit_hart0_okay(void *blob)
{
    int cpu = node(blob, "/cpus/cpu@0");
    fdt_setprop_string(blob, cpu, "status", "okay");
    fdt_setprop_string(blob, cpu, "mmu-type", "riscv,sv39");
    fdt_setprop_string(blob, cpu, "riscv,isa", "rv64imafdc");
    fdt_delprop(blob, cpu, "riscv,isa-base");
}

static void test_hart_without_s_context(void **state)
{
    (void)state;
    struct found *found = discover_edited("visionfive2-linux.dtb", 1, edit_hart0_okay);
    assert_int_equal(found->status, ZX_OK);
    assert_int_equal(found->info.harts[0].state, BOOT_HART_NO_EXTERNAL);
    check_usable(&found->info, 1, 2);
    done(found);
}

static void edit_many_banks(void *blob)
{
    int memory = node(blob, "/memory@80000000");
    fdt_del_node(blob, memory);
    memory = fdt_add_subnode(blob, 0, "memory");
    fdt_setprop_string(blob, memory, "device_type", "memory");
    static const uint64_t banks[][2] = {
        {0x200000000, 0x10000000}, {0x80000800, 0x10000000}, {0x90000800, 0x100},
        {0xa0000000, 0},           {0xb0000000, 0x10000000}, {0xa8000000, 0x8000000},
        {0xb1000000, 0x1000},      {0xd0000001, 0xffe},      {0xffffffffff000000, 0x2000000},
    };
    for (size_t i = 0; i < ARRAY_COUNT(banks); i++) {
        fdt_appendprop_u64(blob, memory, "reg", banks[i][0]);
        fdt_appendprop_u64(blob, memory, "reg", banks[i][1]);
    }
}

static void test_banks(void **state)
{
    (void)state;
    struct found *found = discover_edited("qemu-virt-1.dtb", 0, edit_many_banks);
    const struct boot_info *info = &found->info;
    assert_int_equal(found->status, ZX_OK);
    assert_int_equal(info->bank_count, 3);
    check_range(&info->banks[0], 0x80001000, 0xffff000); // inwards to pages, two parts joined
    check_range(&info->banks[1], 0xa8000000, 0x18000000);
    check_range(&info->banks[2], 0x200000000, 0x10000000);
    assert_int_equal(boot_info_ram_bytes(info), 0xffff000 + 0x28000000);
    done(found);
}

static void add_reserved(void *blob, const char *name, uint64_t base, uint64_t size_bytes,
                         bool no_map)
{
    int parent = fdt_path_offset(blob, "/reserved-memory");
    if (parent < 0) {
        parent = fdt_add_subnode(blob, 0, "reserved-memory");
        fdt_setprop_u32(blob, parent, "#address-cells", 2);
        fdt_setprop_u32(blob, parent, "#size-cells", 2);
        fdt_setprop_empty(blob, parent, "ranges");
    }
    int child = fdt_add_subnode(blob, parent, name);
    assert_true(child >= 0);
    fdt_appendprop_u64(blob, child, "reg", base);
    fdt_appendprop_u64(blob, child, "reg", size_bytes);
    if (no_map) {
        fdt_setprop_empty(blob, child, "no-map");
    }
}

static void edit_reserved(void *blob)
{
    add_reserved(blob, "outside", 0x40000000, 0x1000, false);
    add_reserved(blob, "tail", 0x87fff800, 0x10000000, false); // odd, and over the end of RAM
    add_reserved(blob, "below", 0x7ffff000, 0x2000, true);
    add_reserved(blob, "mmode_resv1", 0x80000000, 0x80000, true); // overlaps the one before
    add_reserved(blob, "wrap", 0xfffffffffffff000, 0x2000, true);
    add_reserved(blob, "nothing", 0x81000000, 0, false);
    add_reserved(blob, "off", 0x82000000, 0x1000, false);
    fdt_setprop_string(blob, node(blob, "/reserved-memory/off"), "status", "disabled");
    assert_int_equal(fdt_add_mem_rsv(blob, 0x83000001, 0xfff), 0);
    int chosen = node(blob, "/chosen");
    fdt_setprop_u32(blob, chosen, "linux,initrd-start", 0x84000123); // one cell is legal
    fdt_setprop_u64(blob, chosen, "linux,initrd-end", 0x84001124);
    fdt_setprop_string(blob, chosen, "bootargs", "run=demo seed=1");
    fdt_setprop_u64(blob, chosen, "kaslr-seed", 0x1122334455667788);
}

static void test_reserved(void **state)
{
    (void)state;
    struct found *found = discover_edited("qemu-virt-1.dtb", 0, edit_reserved);
    struct boot_info *info = &found->info;
    assert_int_equal(found->status, ZX_OK);
    static const struct boot_reserved expected[] = {
        {{0x80000000, 0x80000}, BOOT_RESERVED_NODE, true},
        {{0x83000000, 0x1000}, BOOT_RESERVED_MEMRESERVE, false},
        {{0x84000000, 0x2000}, BOOT_RESERVED_INITRD, false},
        {{0x87fff000, 0x1000}, BOOT_RESERVED_NODE, false},
    };
    assert_int_equal(info->reserved_count, ARRAY_COUNT(expected));
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        check_range(&info->reserved[i].range, expected[i].range.base, expected[i].range.size_bytes);
        assert_int_equal(info->reserved[i].kind, expected[i].kind);
        assert_int_equal(info->reserved[i].no_map, expected[i].no_map);
    }
    check_range(&info->initrd, 0x84000123, 0x1001);
    assert_string_equal(info->bootargs, "run=demo seed=1");
    assert_int_equal(info->kaslr_seed, 0x1122334455667788);
    assert_int_equal(info->warnings & BOOT_WARN_FIRMWARE_ASSUMED, 0);
    // A range added by the kernel, and what is free then.
    assert_int_equal(boot_info_reserve(info, 0x80200000, 0x123456, BOOT_RESERVED_KERNEL, false),
                     ZX_OK);
    static const uint64_t free_ranges[][2] = {{0x80080000, 0x80200000},
                                              {0x80324000, 0x83000000},
                                              {0x83001000, 0x84000000},
                                              {0x84002000, 0x87fff000}};
    paddr_t cursor = 0;
    struct boot_range range;
    for (size_t i = 0; i < ARRAY_COUNT(free_ranges); i++) {
        assert_true(boot_info_next_free(info, &cursor, &range));
        check_range(&range, free_ranges[i][0], free_ranges[i][1] - free_ranges[i][0]);
    }
    assert_false(boot_info_next_free(info, &cursor, &range));
    done(found);
}

static void edit_too_many_reserved(void *blob)
{
    for (uint64_t i = 0; i <= BOOT_MAX_RESERVED; i++) {
        assert_int_equal(fdt_add_mem_rsv(blob, 0x80000000 + i * 0x10000, 0x1000), 0);
    }
}

static void test_too_many_reserved(void **state)
{
    (void)state;
    struct found *found = discover_edited("qemu-virt-1.dtb", 0, edit_too_many_reserved);
    assert_int_equal(found->status, ZX_ERR_NO_RESOURCES);
    assert_string_equal(found->err, "more than 64 reserved memory ranges");
    done(found);
}

static void edit_no_memory(void *blob)
{
    fdt_setprop_string(blob, node(blob, "/memory@80000000"), "status", "disabled");
}

static void edit_no_timebase(void *blob)
{
    fdt_delprop(blob, node(blob, "/cpus"), "timebase-frequency");
}

static void edit_initrd_outside(void *blob)
{
    int chosen = node(blob, "/chosen");
    fdt_setprop_u64(blob, chosen, "linux,initrd-start", 0x87fff000);
    fdt_setprop_u64(blob, chosen, "linux,initrd-end", 0x88001000);
}

static void test_refusals(void **state)
{
    (void)state;
    struct found *found = discover("qemu-virt-1.dtb", 7);
    assert_int_equal(found->status, ZX_ERR_NOT_FOUND);
    assert_string_equal(found->err, "boot hart 7 is not among the 1 harts of the device tree");
    done(found);
    found = discover_edited("qemu-virt-1.dtb", 0, edit_no_memory);
    assert_int_equal(found->status, ZX_ERR_NOT_FOUND);
    assert_string_equal(found->err, "the device tree describes no memory");
    done(found);
    found = discover_edited("qemu-virt-1.dtb", 0, edit_no_timebase);
    assert_int_equal(found->status, ZX_ERR_NOT_FOUND);
    done(found);
    found = discover_edited("qemu-virt-1.dtb", 0, edit_initrd_outside);
    assert_int_equal(found->status, ZX_OK);
    assert_int_equal(found->info.initrd.size_bytes, 0);
    assert_true((found->info.warnings & BOOT_WARN_INITRD_BAD) != 0);
    done(found);
}

static const char *isa_string;

static void edit_isa(void *blob)
{
    fdt_setprop_string(blob, node(blob, "/cpus/cpu@0"), "riscv,isa", isa_string);
}

static void test_isa_strings(void **state)
{
    (void)state;
    const uint32_t base = BOOT_ISA_REQUIRED;
    static const struct {
        const char *text;
        uint32_t isa;
    } cases[] = {
        {"rv64imafdc", 0},
        {"rv64gc", 0},
        {"RV64GC_Sstc", BOOT_ISA_SSTC},
        {"rv64imafdcsu", 0}, // old trees append the privilege modes
        {"rv64imafdcv_zicbom_zicboz_svpbmt",
         BOOT_ISA_V | BOOT_ISA_ZICBOM | BOOT_ISA_ZICBOZ | BOOT_ISA_SVPBMT},
        {"rv64i2p1m2p0a2p1f2p2d2p2c2p0_zba1p0_svinval1p0_sstcx", BOOT_ISA_ZBA | BOOT_ISA_SVINVAL},
        {"rv64imafdczba_sstc", BOOT_ISA_ZBA | BOOT_ISA_SSTC},
        {"rv64imafdc_zbaa_xsstc_sst", 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        isa_string = cases[i].text;
        struct found *found = discover_edited("qemu-virt-1.dtb", 0, edit_isa);
        assert_int_equal(found->status, ZX_OK);
        assert_int_equal(found->info.harts[0].isa, base | cases[i].isa);
        done(found);
    }
    static const char *const bad[] = {"rv32imafdc", "rv64imac", "rv64", "", "imafdc"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        isa_string = bad[i];
        struct found *found = discover_edited("qemu-virt-1.dtb", 0, edit_isa);
        assert_int_equal(found->status, ZX_ERR_NOT_SUPPORTED);
        assert_int_equal(found->info.harts[0].state, BOOT_HART_BAD_ISA);
        done(found);
    }
}

static void edit_uart_window(void *blob)
{
    fdt_setprop_u32(blob, node(blob, "/soc/serial@10000000"), "reg-shift", 6);
}

static void edit_no_stdout(void *blob)
{
    fdt_delprop(blob, node(blob, "/chosen"), "stdout-path");
}

static void test_console_fallback(void **state)
{
    (void)state;
    // Without stdout-path: the alias serial0, or the first port.
    struct found *found = discover_edited("visionfive2-linux.dtb", 1, edit_no_stdout);
    assert_int_equal(found->info.console.uart.base, 0x10000000);
    assert_null(found->info.console.options);
    done(found);
    found = discover_edited("qemu-virt-1.dtb", 0, edit_no_stdout);
    assert_int_equal(found->info.console.uart.base, 0x10000000);
    done(found);
    // Registers that do not fit the window must not be touched.
    found = discover_edited("qemu-virt-1.dtb", 0, edit_uart_window);
    assert_int_equal(found->status, ZX_OK);
    assert_int_equal(found->info.console.uart.kind, UART_KIND_NONE);
    done(found);
}

// ---- Damaged trees ----

static void check_promises(const struct boot_info *info, zx_status_t status)
{
    for (uint32_t i = 0; i < info->bank_count; i++) {
        const struct boot_range *bank = &info->banks[i];
        assert_true(bank->size_bytes > 0 && ((bank->base | bank->size_bytes) & PAGE_MASK) == 0);
        assert_true(bank->base + bank->size_bytes <= 1ull << 56);
        if (i > 0) {
            assert_true(bank[-1].base + bank[-1].size_bytes < bank->base);
        }
    }
    for (uint32_t i = 0; i < info->reserved_count; i++) {
        const struct boot_range *range = &info->reserved[i].range;
        assert_true(range->size_bytes > 0 && ((range->base | range->size_bytes) & PAGE_MASK) == 0);
        if (i > 0) {
            assert_true(info->reserved[i - 1].range.base <= range->base);
        }
    }
    uint64_t free_bytes = 0;
    paddr_t cursor = 0;
    struct boot_range range;
    while (boot_info_next_free(info, &cursor, &range)) {
        for (uint32_t i = 0; i < info->reserved_count; i++) {
            const struct boot_range *r = &info->reserved[i].range;
            assert_true(range.base + range.size_bytes <= r->base ||
                        r->base + r->size_bytes <= range.base);
        }
        free_bytes += range.size_bytes;
    }
    assert_true(free_bytes <= boot_info_ram_bytes(info));
    if (status != ZX_OK) {
        return;
    }
    assert_int_equal(info->harts[info->boot_hart].state, BOOT_HART_USABLE);
    assert_true(info->timebase_hz > 0 && info->bank_count > 0);
    for (uint32_t i = 0; i < info->hart_count; i++) {
        const struct boot_hart *hart = &info->harts[i];
        assert_true(hart->plic == BOOT_NO_PLIC ||
                    hart->plic_context < info->plics[hart->plic].config.context_count);
    }
    if (info->console.uart.kind != UART_KIND_NONE) {
        assert_true(uart_config_is_valid(&info->console.uart));
    }
}

static void test_damaged_trees(void **state)
{
    (void)state;
    static const char *const names[] = {"qemu-virt-4.dtb", "qemu-virt-numa.dtb",
                                        "qemu-sifive-u.dtb", "visionfive2-vendor-2g.dtb"};
    uint64_t rounds = number_from_env("FUZZ_ROUNDS", 20000);
    uint64_t random = number_from_env("FUZZ_SEED", 1) * 2 + 1;
    uint64_t booted = 0;
    static struct boot_info info;
    for (size_t n = 0; n < ARRAY_COUNT(names); n++) {
        size_t len;
        uint8_t *original = dtb_load(names[n], &len);
        uint8_t *blob = malloc(len);
        uint64_t count = n == 3 ? rounds / 40 : rounds / 3;
        for (uint64_t round = 0; round < count; round++) {
            memcpy(blob, original, len);
            dtb_mutate(blob, len, &random);
            struct fdt fdt;
            char err[64];
            if (fdt_open(blob, len, &fdt) == FDT_OK) {
                zx_status_t status = boot_info_from_fdt(&fdt, 1, &info, err, sizeof(err));
                check_promises(&info, status);
                assert_true(status == ZX_OK || strlen(err) > 0);
                booted += status == ZX_OK;
            }
        }
        free(blob);
        free(original);
    }
    assert_true(booted > rounds / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_visionfive2_linux),
        cmocka_unit_test(test_visionfive2_vendor),
        cmocka_unit_test(test_qemu_virt),
        cmocka_unit_test(test_qemu_numa),
        cmocka_unit_test(test_qemu_sifive_u),
        cmocka_unit_test(test_without_plic_or_uart),
        cmocka_unit_test(test_hart_without_s_context),
        cmocka_unit_test(test_banks),
        cmocka_unit_test(test_reserved),
        cmocka_unit_test(test_too_many_reserved),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_isa_strings),
        cmocka_unit_test(test_console_fallback),
        cmocka_unit_test(test_damaged_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
