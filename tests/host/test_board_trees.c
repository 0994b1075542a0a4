// Our own trees in platform/dts: discovery finds in them what it finds in the board's, and they
// survive what boot loaders do to them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <libfdt.h>
#include <string.h>

#include "platform/boot_info.h"
#include "tests/host/dtb_fixture.h"

#define GIB (1ull << 30)

static const uint32_t sizes_gib[] = {2, 4, 8};

static uint8_t *load_ours(uint32_t size_gib, size_t *len_bytes)
{
    char path[256];
    snprintf(path, sizeof(path), "%svisionfive2-%ug.dtb", BOARD_DTB_FOLDER, size_gib);
    return dtb_load_path(path, len_bytes);
}

static void discover(uint8_t *blob, size_t len_bytes, uint64_t boot_hart, struct boot_info *info)
{
    struct fdt fdt;
    char err[128];
    assert_int_equal(fdt_open(blob, len_bytes, &fdt), FDT_OK);
    assert_int_equal(boot_info_from_fdt(&fdt, boot_hart, info, err, sizeof(err)), ZX_OK);
}

static void compare_harts(const struct boot_info *ours, const struct boot_info *board)
{
    assert_int_equal(ours->hart_count, board->hart_count);
    for (uint32_t i = 0; i < board->hart_count; i++) {
        assert_int_equal(ours->harts[i].id, board->harts[i].id);
        assert_int_equal(ours->harts[i].state, board->harts[i].state);
        assert_int_equal(ours->harts[i].isa, board->harts[i].isa);
        assert_int_equal(ours->harts[i].va_bits, board->harts[i].va_bits);
        assert_int_equal(ours->harts[i].plic, board->harts[i].plic);
        assert_int_equal(ours->harts[i].plic_context, board->harts[i].plic_context);
    }
    assert_int_equal(ours->timebase_hz, board->timebase_hz);
    assert_int_equal(ours->plic_count, board->plic_count);
    assert_memory_equal(&ours->plics[0].config, &board->plics[0].config,
                        sizeof(board->plics[0].config));
}

static void compare_device(const struct boot_device *ours, const struct boot_device *board)
{
    assert_int_equal(ours->base, board->base);
    assert_int_equal(ours->size_bytes, board->size_bytes);
}

static void test_same_as_the_board(void **state)
{
    (void)state;
    static struct boot_info ours, board;
    size_t len;
    for (size_t i = 0; i < ARRAY_COUNT(sizes_gib); i++) {
        for (uint64_t boot_hart = 1; boot_hart <= 4; boot_hart++) {
            uint8_t *theirs = dtb_load("visionfive2-linux.dtb", &len);
            discover(theirs, len, boot_hart, &board);
            uint8_t *blob = load_ours(sizes_gib[i], &len);
            discover(blob, len, boot_hart, &ours);
            compare_harts(&ours, &board);
            assert_memory_equal(&ours.console.uart, &board.console.uart, sizeof(ours.console.uart));
            assert_int_equal(ours.console.plic, board.console.plic);
            assert_string_equal(ours.console.options, board.console.options);
            compare_device(&ours.watchdog, &board.watchdog);
            compare_device(&ours.trng, &board.trng);
            assert_int_equal(ours.warnings, 0);
            free(blob);
            free(theirs);
        }
    }
}

static void test_memory(void **state)
{
    (void)state;
    static struct boot_info info;
    size_t len;
    for (size_t i = 0; i < ARRAY_COUNT(sizes_gib); i++) {
        uint8_t *blob = load_ours(sizes_gib[i], &len);
        discover(blob, len, 1, &info);
        assert_int_equal(info.bank_count, 1);
        assert_int_equal(info.banks[0].base, 0x40000000);
        assert_int_equal(info.banks[0].size_bytes, sizes_gib[i] * GIB);
        assert_int_equal(info.reserved_count, 1);
        assert_int_equal(info.reserved[0].kind, BOOT_RESERVED_NODE);
        assert_true(info.reserved[0].no_map);
        assert_int_equal(info.reserved[0].range.base, 0x40000000);
        assert_int_equal(info.reserved[0].range.size_bytes, 0x200000);
        free(blob);
    }
}

// Within the room that the file itself brings: command line, initrd, seeds, the real size of the
// memory (in /memory, by U-Boot's way to find it), and the firmware's own reservations.
static void fix_up(void *blob)
{
    int chosen = fdt_path_offset(blob, "/chosen");
    uint8_t seed[64] = {1};
    assert_int_equal(fdt_setprop_string(blob, chosen, "bootargs", "run=test poweroff"), 0);
    assert_int_equal(fdt_setprop_u64(blob, chosen, "linux,initrd-start", 0x46100000), 0);
    assert_int_equal(fdt_setprop_u64(blob, chosen, "linux,initrd-end", 0x46200000), 0);
    assert_int_equal(fdt_setprop_u32(blob, chosen, "boot-hartid", 4), 0);
    assert_int_equal(fdt_setprop(blob, chosen, "rng-seed", seed, sizeof(seed)), 0);
    int memory = fdt_subnode_offset(blob, 0, "memory");
    assert_true(memory >= 0);
    uint64_t reg[2] = {cpu_to_fdt64(0x40000000), cpu_to_fdt64(8 * GIB)};
    assert_int_equal(fdt_setprop(blob, memory, "reg", reg, sizeof(reg)), 0);
    int reserved = fdt_path_offset(blob, "/reserved-memory");
    int node = fdt_add_subnode(blob, reserved, "mmode_resv0@40000000");
    assert_true(node >= 0);
    reg[1] = cpu_to_fdt64(0x80000);
    assert_int_equal(fdt_setprop(blob, node, "reg", reg, sizeof(reg)), 0);
    assert_int_equal(fdt_setprop_empty(blob, node, "no-map"), 0);
}

static void test_fixed_up_by_a_boot_loader(void **state)
{
    (void)state;
    static struct boot_info info;
    size_t len;
    uint8_t *blob = load_ours(2, &len);
    assert_int_equal(fdt_totalsize(blob), len);
    fix_up(blob);
    discover(blob, len, 4, &info);
    assert_int_equal(info.banks[0].size_bytes, 8 * GIB);
    assert_string_equal(info.bootargs, "run=test poweroff");
    assert_int_equal(info.initrd.base, 0x46100000);
    assert_int_equal(info.initrd.size_bytes, 0x100000);
    assert_int_equal(info.rng_seed_bytes, 64);
    assert_int_equal(info.warnings, 0);
    // Nothing of the firmware's 2 MiB is free, whatever it reserves inside them.
    struct boot_range range;
    paddr_t cursor = 0;
    assert_true(boot_info_next_free(&info, &cursor, &range));
    assert_int_equal(range.base, 0x40200000);
    assert_int_equal(range.base + range.size_bytes, 0x46100000);
    free(blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_board),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_fixed_up_by_a_boot_loader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
