// The device-tree reader: on trees made by hand, and against libfdt on real and on damaged trees.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <libfdt.h>
#include <string.h>

#include "platform/fdt.h"
#include "tests/host/dtb_fixture.h"

static const char *const real_trees[] = {
    "qemu-virt-1.dtb",  "qemu-virt-4.dtb",     "qemu-virt-numa.dtb",    "qemu-sifive-u.dtb",
    "qemu-spike.dtb",   "qemu-virt-aia.dtb",   "visionfive2-linux.dtb", "visionfive2-vendor-2g.dtb",
    "qemu-virt-64.dtb", "qemu-virt-aplic.dtb", "qemu-sifive-u-2.dtb",   "qemu-spike-2.dtb",
};
#define REAL_TREE_COUNT (sizeof(real_trees) / sizeof(real_trees[0]))

// ---- Trees made by hand ----

// Starts a tree of at most `room` bytes, the root node open.
static void tree_begin(uint8_t *blob, int room)
{
    assert_int_equal(fdt_create(blob, room), 0);
    assert_int_equal(fdt_add_reservemap_entry(blob, 0x80000000, 0x20000), 0);
    assert_int_equal(fdt_add_reservemap_entry(blob, 0x123456789000, 0x1001), 0);
    assert_int_equal(fdt_finish_reservemap(blob), 0);
    fdt_begin_node(blob, "");
}

// Closes the root and opens the result with the reader.
static struct fdt tree_end(uint8_t *blob)
{
    fdt_end_node(blob);
    assert_int_equal(fdt_finish(blob), 0);
    struct fdt fdt;
    assert_int_equal(fdt_open(blob, fdt_totalsize(blob), &fdt), FDT_OK);
    return fdt;
}

static void cells(uint8_t *blob, const char *name, const uint32_t *values, uint32_t count)
{
    uint8_t data[256];
    for (uint32_t i = 0; i < count; i++) {
        put_be32(data + i * 4, values[i]);
    }
    assert_int_equal(fdt_property(blob, name, data, (int)count * 4), 0);
}
#define CELLS(blob, name, ...)                                                                     \
    cells(blob, name, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4)

// A small tree with one of everything; the base of most damaged trees.
static struct fdt small_tree(uint8_t *blob, int room)
{
    tree_begin(blob, room);
    CELLS(blob, "#address-cells", 2);
    CELLS(blob, "#size-cells", 2);
    fdt_property(blob, "compatible", "a,first\0b,second", 17);
    fdt_begin_node(blob, "aliases");
    fdt_property_string(blob, "serial0", "/soc/serial@1000");
    fdt_property_string(blob, "loop", "loop");
    fdt_property_string(blob, "relative", "soc");
    fdt_end_node(blob);
    fdt_begin_node(blob, "chosen");
    fdt_property_string(blob, "#bootargs", "debug");
    fdt_property(blob, "empty", NULL, 0);
    fdt_property(blob, "raw", "abc", 3);
    fdt_end_node(blob);
    fdt_begin_node(blob, "intc");
    CELLS(blob, "phandle", 7);
    CELLS(blob, "#interrupt-cells", 2);
    fdt_end_node(blob);
    fdt_begin_node(blob, "soc");
    CELLS(blob, "#address-cells", 1);
    CELLS(blob, "#size-cells", 1);
    CELLS(blob, "interrupt-parent", 7);
    CELLS(blob, "ranges", 0, 0, 0x10000000, 0x100000, 0x80000000, 1, 0, 0x1000);
    fdt_begin_node(blob, "serial@1000");
    CELLS(blob, "reg", 0x1000, 0x100, 0x80000f00, 0x100, 0x80000f01, 0x100, 0x200000, 4);
    CELLS(blob, "interrupts", 5, 1, 6, 2);
    fdt_property_string(blob, "status", "okay");
    fdt_property(blob, "compatible", "b,second\0c,third", 17);
    fdt_end_node(blob);
    fdt_begin_node(blob, "serial@2000");
    CELLS(blob, "interrupts-extended", 7, 9, 8, 7, 11, 10);
    fdt_property_string(blob, "status", "disabled");
    CELLS(blob, "linux,phandle", 8);
    fdt_end_node(blob);
    fdt_end_node(blob);
    return tree_end(blob);
}

static void test_properties(void **state)
{
    (void)state;
    uint8_t blob[4096];
    struct fdt fdt = small_tree(blob, sizeof(blob));
    uint32_t chosen = fdt_node_at(&fdt, "/chosen");
    struct fdt_prop prop;
    assert_true(fdt_prop_get(&fdt, chosen, "#bootargs", &prop));
    assert_int_equal(prop.len_bytes, 6);
    assert_true(fdt_prop_exists(&fdt, chosen, "empty"));
    assert_false(fdt_prop_exists(&fdt, chosen, "bootargs"));
    assert_string_equal(fdt_prop_string(&fdt, chosen, "#bootargs"), "debug");
    assert_null(fdt_prop_string(&fdt, chosen, "raw"));
    assert_null(fdt_prop_string(&fdt, chosen, "empty"));
    assert_string_equal(fdt_prop_string_at(&fdt, fdt.root, "compatible", 1), "b,second");
    assert_null(fdt_prop_string_at(&fdt, fdt.root, "compatible", 2));
    assert_true(fdt_is_compatible(&fdt, fdt.root, "b,second"));
    assert_false(fdt_is_compatible(&fdt, fdt.root, "b,sec"));
    assert_false(fdt_is_compatible(&fdt, fdt.root, "second"));
    uint32_t value = 99;
    uint64_t wide = 99;
    assert_false(fdt_prop_u32(&fdt, chosen, "raw", &value));
    assert_false(fdt_prop_u64(&fdt, chosen, "raw", &wide));
    assert_int_equal(value, 99);
    assert_int_equal(wide, 99);
    assert_true(fdt_prop_u64(&fdt, fdt.root, "#size-cells", &wide));
    assert_int_equal(wide, 2);
}

static void test_paths(void **state)
{
    (void)state;
    uint8_t blob[4096];
    struct fdt fdt = small_tree(blob, sizeof(blob));
    uint32_t serial = fdt_node_at(&fdt, "/soc/serial@1000");
    assert_string_equal(fdt_node_name(&fdt, serial), "serial@1000");
    assert_int_equal(fdt_node_at(&fdt, "serial0"), serial);
    assert_int_equal(fdt_node_at_bytes(&fdt, "serial0:115200n8", 7), serial);
    assert_int_equal(fdt_node_at(&fdt, "/soc/serial"), serial);
    assert_int_equal(fdt_node_at(&fdt, "//soc//serial@1000/"), serial);
    assert_int_equal(fdt_node_at(&fdt, "/"), fdt.root);
    assert_int_equal(fdt_node_at(&fdt, ""), FDT_NONE);
    assert_int_equal(fdt_node_at(&fdt, "loop"), FDT_NONE);
    assert_int_equal(fdt_node_at(&fdt, "relative"), FDT_NONE);
    assert_int_equal(fdt_node_at(&fdt, "serial"), FDT_NONE);
    assert_int_equal(fdt_node_at(&fdt, "/soc/serial@1"), FDT_NONE);
    assert_int_equal(fdt_parent(&fdt, serial), fdt_node_at(&fdt, "/soc"));
    assert_int_equal(fdt_parent(&fdt, fdt.root), FDT_NONE);
    assert_int_equal(fdt_parent(&fdt, serial + 4), FDT_NONE);
    uint32_t second = fdt_next_sibling(&fdt, serial);
    assert_string_equal(fdt_node_name(&fdt, second), "serial@2000");
    assert_int_equal(fdt_next_sibling(&fdt, second), FDT_NONE);
    assert_int_equal(fdt_first_child(&fdt, second), FDT_NONE);
    assert_int_equal(fdt_node_by_phandle(&fdt, 8), second);
    assert_int_equal(fdt_node_by_phandle(&fdt, 0), FDT_NONE);
    assert_int_equal(fdt_node_by_phandle(&fdt, 1), FDT_NONE);
    assert_true(fdt_is_available(&fdt, serial));
    assert_false(fdt_is_available(&fdt, second));
    assert_int_equal(fdt_next_compatible(&fdt, FDT_NONE, "b,second"), fdt.root);
    assert_int_equal(fdt_next_compatible(&fdt, fdt.root, "b,second"), serial);
    assert_int_equal(fdt_next_compatible(&fdt, serial, "b,second"), FDT_NONE);
}

// Only a name without a unit address leaves the unit address open.
static void test_unit_addresses(void **state)
{
    (void)state;
    uint8_t blob[4096];
    tree_begin(blob, sizeof(blob));
    fdt_begin_node(blob, "a@1@2");
    fdt_end_node(blob);
    fdt_begin_node(blob, "a@1");
    fdt_end_node(blob);
    struct fdt fdt = tree_end(blob);
    assert_string_equal(fdt_node_name(&fdt, fdt_node_at(&fdt, "/a@1")), "a@1");
    assert_string_equal(fdt_node_name(&fdt, fdt_node_at(&fdt, "/a")), "a@1@2");
}

// Of several properties of one name the first counts, also when it is malformed.
static void test_phandles(void **state)
{
    (void)state;
    uint8_t blob[4096];
    tree_begin(blob, sizeof(blob));
    fdt_begin_node(blob, "malformed");
    CELLS(blob, "phandle", 1, 2);
    CELLS(blob, "phandle", 3);
    fdt_end_node(blob);
    fdt_begin_node(blob, "both");
    CELLS(blob, "linux,phandle", 4);
    CELLS(blob, "phandle", 5);
    fdt_end_node(blob);
    fdt_begin_node(blob, "old");
    CELLS(blob, "phandle", 6, 7);
    CELLS(blob, "linux,phandle", 8);
    fdt_end_node(blob);
    struct fdt fdt = tree_end(blob);
    static const uint32_t expected[] = {0, 5, 8};
    uint32_t node = fdt_first_child(&fdt, fdt.root);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(fdt_phandle(&fdt, node), expected[i]);
        assert_int_equal(fdt_get_phandle(blob, (int)(node - fdt.struct_off)), expected[i]);
        node = fdt_next_sibling(&fdt, node);
    }
}

static void test_nothing_for_no_node(void **state)
{
    (void)state;
    uint8_t blob[4096];
    struct fdt fdt = small_tree(blob, sizeof(blob));
    const uint32_t nodes[] = {
        FDT_NONE,           0, 3, fdt.struct_end, fdt.struct_end - 2, fdt.root + 1, fdt.total_bytes,
        fdt.total_bytes + 4};
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        uint64_t a, b;
        struct fdt_prop prop;
        struct fdt_irq irq;
        assert_int_equal(fdt_first_child(&fdt, nodes[i]), FDT_NONE);
        assert_int_equal(fdt_next_sibling(&fdt, nodes[i]), FDT_NONE);
        assert_int_equal(fdt_parent(&fdt, nodes[i]), FDT_NONE);
        assert_string_equal(fdt_node_name(&fdt, nodes[i]), "");
        assert_false(fdt_prop_first(&fdt, nodes[i], &prop));
        assert_int_equal(fdt_reg(&fdt, nodes[i], 0, &a, &b), ZX_ERR_NOT_FOUND);
        assert_int_equal(fdt_interrupt(&fdt, nodes[i], 0, &irq), ZX_ERR_NOT_FOUND);
    }
}

static void test_addresses(void **state)
{
    (void)state;
    uint8_t blob[4096];
    struct fdt fdt = small_tree(blob, sizeof(blob));
    uint32_t serial = fdt_node_at(&fdt, "serial0");
    uint64_t addr = 1, size = 1;
    assert_int_equal(fdt_reg_raw(&fdt, serial, 0, &addr, &size), ZX_OK);
    assert_int_equal(addr, 0x1000);
    assert_int_equal(fdt_reg(&fdt, serial, 0, &addr, &size), ZX_OK);
    assert_int_equal(addr, 0x10001000);
    assert_int_equal(size, 0x100);
    assert_int_equal(fdt_reg(&fdt, serial, 1, &addr, &size), ZX_OK); // second range, to its end
    assert_int_equal(addr, 0x100000f00);
    addr = 1;
    assert_int_equal(fdt_reg(&fdt, serial, 2, &addr, &size), ZX_ERR_OUT_OF_RANGE); // one byte over
    assert_int_equal(fdt_reg(&fdt, serial, 3, &addr, &size), ZX_ERR_OUT_OF_RANGE); // in no range
    assert_int_equal(fdt_reg(&fdt, serial, 4, &addr, &size), ZX_ERR_NOT_FOUND);
    assert_int_equal(addr, 1);
}

static void test_bus_without_ranges(void **state)
{
    (void)state;
    uint8_t blob[4096];
    tree_begin(blob, sizeof(blob));
    fdt_begin_node(blob, "i2c");
    CELLS(blob, "#address-cells", 1);
    CELLS(blob, "#size-cells", 0);
    fdt_begin_node(blob, "chip@36");
    CELLS(blob, "reg", 0x36);
    fdt_end_node(blob);
    fdt_end_node(blob);
    fdt_begin_node(blob, "pci");
    CELLS(blob, "#address-cells", 3);
    CELLS(blob, "#size-cells", 2);
    fdt_begin_node(blob, "dev");
    CELLS(blob, "reg", 0, 0, 0, 0, 0);
    fdt_end_node(blob);
    fdt_end_node(blob);
    struct fdt fdt = tree_end(blob);
    uint64_t addr, size;
    uint32_t chip = fdt_node_at(&fdt, "/i2c/chip");
    assert_int_equal(fdt_reg_raw(&fdt, chip, 0, &addr, &size), ZX_OK);
    assert_int_equal(addr, 0x36);
    assert_int_equal(size, 0);
    assert_int_equal(fdt_reg(&fdt, chip, 0, &addr, &size), ZX_ERR_NOT_SUPPORTED);
    assert_int_equal(fdt_reg(&fdt, fdt_node_at(&fdt, "/pci/dev"), 0, &addr, &size),
                     ZX_ERR_NOT_SUPPORTED);
}

static void test_interrupts(void **state)
{
    (void)state;
    uint8_t blob[4096];
    struct fdt fdt = small_tree(blob, sizeof(blob));
    uint32_t intc = fdt_node_at(&fdt, "/intc");
    uint32_t serial = fdt_node_at(&fdt, "serial0");
    struct fdt_irq irq;
    assert_int_equal(fdt_interrupt_parent(&fdt, serial), intc); // inherited from /soc
    assert_int_equal(fdt_interrupt(&fdt, serial, 1, &irq), ZX_OK);
    assert_int_equal(irq.controller, intc);
    assert_int_equal(irq.cell_count, 2);
    assert_int_equal(irq.cells[0], 6);
    assert_int_equal(irq.cells[1], 2);
    assert_int_equal(fdt_interrupt(&fdt, serial, 2, &irq), ZX_ERR_NOT_FOUND);
    uint32_t second = fdt_next_sibling(&fdt, serial);
    assert_int_equal(fdt_interrupt(&fdt, second, 1, &irq), ZX_OK);
    assert_int_equal(irq.cells[0], 11);
    assert_int_equal(fdt_interrupt(&fdt, second, 2, &irq), ZX_ERR_NOT_FOUND);
    assert_int_equal(fdt_interrupt(&fdt, intc, 0, &irq), ZX_ERR_NOT_FOUND);
}

static void test_reserve_entries(void **state)
{
    (void)state;
    uint8_t blob[4096];
    struct fdt fdt = small_tree(blob, sizeof(blob));
    uint64_t addr, size;
    assert_int_equal(fdt.reserve_count, 2);
    assert_true(fdt_reserve_entry(&fdt, 1, &addr, &size));
    assert_int_equal(addr, 0x123456789000);
    assert_int_equal(size, 0x1001);
    assert_false(fdt_reserve_entry(&fdt, 2, &addr, &size));
}

// ---- What is refused ----

static void test_truncation(void **state)
{
    (void)state;
    uint8_t blob[4096];
    small_tree(blob, sizeof(blob));
    size_t total = fdt_totalsize(blob);
    for (size_t len = 0; len < total; len++) {
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, blob, len);
        struct fdt fdt;
        assert_int_equal(fdt_open(exact, len, &fdt), FDT_BAD_TRUNCATED);
        free(exact);
    }
}

// Opens the small tree with one header word replaced.
static enum fdt_error open_with(uint32_t header_off, uint32_t value)
{
    uint8_t blob[4096];
    small_tree(blob, sizeof(blob));
    size_t total = fdt_totalsize(blob);
    put_be32(blob + header_off, value);
    struct fdt fdt;
    return fdt_open(blob, total, &fdt);
}

static void test_header(void **state)
{
    (void)state;
    assert_int_equal(open_with(0, 0xd00dfeee), FDT_BAD_MAGIC);
    assert_int_equal(open_with(4, 0xffffffff), FDT_BAD_TRUNCATED);
    assert_int_equal(open_with(8, 0xfffffffc), FDT_BAD_LAYOUT);
    assert_int_equal(open_with(8, 0x39), FDT_BAD_LAYOUT);
    assert_int_equal(open_with(8, 8), FDT_BAD_LAYOUT); // inside the header
    assert_int_equal(open_with(12, 0xffffff00), FDT_BAD_LAYOUT);
    assert_int_equal(open_with(16, 0xfffffff8), FDT_BAD_LAYOUT);
    assert_int_equal(open_with(20, 15), FDT_BAD_VERSION);
    assert_int_equal(open_with(24, 18), FDT_BAD_VERSION);
    assert_int_equal(open_with(32, 0x7fffffff), FDT_BAD_LAYOUT);
    assert_int_equal(open_with(32, 0), FDT_BAD_STRINGS);
    assert_int_equal(open_with(36, 0x7fffffff), FDT_BAD_LAYOUT);
    assert_int_equal(open_with(36, 16), FDT_BAD_TOKEN);
    assert_int_equal(open_with(20, 18), FDT_OK); // newer, but compatible with 16
    assert_int_equal(open_with(20, 16), FDT_OK); // older: no structure size in the header
}

static void test_structure(void **state)
{
    (void)state;
    static const struct {
        uint32_t words[8];
        enum fdt_error error;
    } cases[] = {
        {{1, 0, 2, 9}, FDT_OK},
        {{4, 1, 0, 4, 2, 4, 9}, FDT_OK},                 // NOPs everywhere
        {{9}, FDT_BAD_STRUCTURE},                        // no root
        {{1, 0, 9}, FDT_BAD_STRUCTURE},                  // not closed
        {{1, 0, 2, 2, 9}, FDT_BAD_STRUCTURE},            // closed twice
        {{1, 0, 2, 1, 0, 2, 9}, FDT_BAD_STRUCTURE},      // two roots
        {{1, 0x61000000, 2, 9}, FDT_BAD_STRUCTURE},      // a root with a name
        {{3, 0, 0, 1, 0, 2, 9}, FDT_BAD_STRUCTURE},      // property outside a node
        {{1, 0, 3, 0, 1, 2, 9}, FDT_BAD_STRINGS},        // name past the strings
        {{1, 0, 3, 0x7fffffff, 0, 2, 9}, FDT_BAD_TOKEN}, // value past the end
        {{1, 0, 3, 0xfffffffe, 0, 2, 9}, FDT_BAD_TOKEN}, // wraps when rounded
        {{1, 0, 5, 2, 9}, FDT_BAD_TOKEN},                // unknown token
        {{1, 0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161},
         FDT_BAD_TOKEN}, // a name without end
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t blob[40 + 16 + 32 + 1] = {0};
        const uint32_t header[10] = {0xd00dfeed, sizeof(blob), 56, 88, 40, 17, 16, 0, 1, 32};
        for (size_t w = 0; w < 10; w++) {
            put_be32(blob + w * 4, header[w]);
        }
        for (size_t w = 0; w < 8; w++) {
            put_be32(blob + 56 + w * 4, cases[i].words[w]);
        }
        struct fdt fdt;
        assert_int_equal(fdt_open(blob, sizeof(blob), &fdt), cases[i].error);
    }
}

static void test_depth(void **state)
{
    (void)state;
    for (int depth = FDT_MAX_DEPTH - 1; depth <= FDT_MAX_DEPTH; depth++) {
        uint8_t blob[8192];
        tree_begin(blob, sizeof(blob));
        for (int i = 0; i < depth; i++) {
            fdt_begin_node(blob, "n");
        }
        for (int i = 0; i < depth; i++) {
            fdt_end_node(blob);
        }
        fdt_end_node(blob);
        assert_int_equal(fdt_finish(blob), 0);
        struct fdt fdt;
        assert_int_equal(fdt_open(blob, fdt_totalsize(blob), &fdt),
                         depth < FDT_MAX_DEPTH ? FDT_OK : FDT_BAD_DEPTH);
    }
}

static void test_unended_reserve_map(void **state)
{
    (void)state;
    uint8_t blob[4096];
    small_tree(blob, sizeof(blob));
    uint32_t total = fdt_totalsize(blob);
    // The list moved to the very end, where no terminator follows.
    put_be32(blob + 16, total - 8);
    struct fdt fdt;
    assert_int_equal(fdt_open(blob, total, &fdt), FDT_BAD_RESERVE_MAP);
}

// ---- Against libfdt ----

// Compares searches that start at one node: parent, path, phandle, compatible.
static void compare_searches(const struct fdt *fdt, const void *blob, uint32_t node)
{
    int offset = (int)(node - fdt->struct_off);
    int parent = fdt_parent_offset(blob, offset);
    assert_int_equal(fdt_parent(fdt, node),
                     parent < 0 ? FDT_NONE : fdt->struct_off + (uint32_t)parent);
    char path[512];
    if (fdt_get_path(blob, offset, path, sizeof(path)) == 0) {
        int found = fdt_path_offset(blob, path);
        assert_int_equal(fdt_node_at(fdt, path),
                         found < 0 ? FDT_NONE : fdt->struct_off + (uint32_t)found);
    }
    uint32_t phandle = fdt_get_phandle(blob, offset);
    assert_int_equal(fdt_phandle(fdt, node), phandle);
    int owner = fdt_node_offset_by_phandle(blob, phandle);
    assert_int_equal(fdt_node_by_phandle(fdt, phandle),
                     owner < 0 ? FDT_NONE : fdt->struct_off + (uint32_t)owner);
    int child = fdt_first_subnode(blob, offset);
    assert_int_equal(fdt_first_child(fdt, node),
                     child < 0 ? FDT_NONE : fdt->struct_off + (uint32_t)child);
    int sibling = fdt_next_subnode(blob, offset);
    assert_int_equal(fdt_next_sibling(fdt, node),
                     sibling < 0 ? FDT_NONE : fdt->struct_off + (uint32_t)sibling);
}

static void compare_properties(const struct fdt *fdt, const void *blob, uint32_t node)
{
    int at = fdt_first_property_offset(blob, (int)(node - fdt->struct_off));
    struct fdt_prop prop;
    bool found = fdt_prop_first(fdt, node, &prop);
    while (found) {
        assert_true(at >= 0);
        const char *name;
        int len;
        const void *value = fdt_getprop_by_offset(blob, at, &name, &len);
        assert_ptr_equal(value, prop.data);
        assert_ptr_equal(name, prop.name);
        assert_int_equal(len, prop.len_bytes);
        at = fdt_next_property_offset(blob, at);
        found = fdt_prop_next(fdt, &prop);
    }
    assert_int_equal(at, -FDT_ERR_NOTFOUND);
}

// Compares the whole tree; searches from every `stride`-th node.
static void compare_trees(const struct fdt *fdt, const void *blob, uint32_t stride)
{
    int their_depth = 0, our_depth = 0;
    int theirs = fdt_next_node(blob, -1, &their_depth);
    uint32_t ours = fdt->root;
    their_depth = 0;
    uint32_t count = 0;
    while (ours != FDT_NONE) {
        assert_int_equal(theirs, ours - fdt->struct_off);
        assert_int_equal(their_depth, our_depth);
        assert_string_equal(fdt_get_name(blob, theirs, NULL), fdt_node_name(fdt, ours));
        compare_properties(fdt, blob, ours);
        // libfdt's searches start at offset 0 and fail when a NOP stands before the root.
        if (count++ % stride == 0 && fdt->root == fdt->struct_off) {
            compare_searches(fdt, blob, ours);
        }
        theirs = fdt_next_node(blob, theirs, &their_depth);
        ours = fdt_node_after(fdt, ours, &our_depth);
    }
    assert_true(theirs < 0 || their_depth < 0);
    int reserved = fdt_num_mem_rsv(blob);
    for (int i = 0; i < reserved; i++) {
        uint64_t addr, size, their_addr, their_size;
        assert_true(fdt_reserve_entry(fdt, (uint32_t)i, &addr, &size));
        assert_int_equal(fdt_get_mem_rsv(blob, i, &their_addr, &their_size), 0);
        assert_int_equal(addr, their_addr);
        assert_int_equal(size, their_size);
    }
}

static void test_real_trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < REAL_TREE_COUNT; i++) {
        size_t len;
        uint8_t *blob = dtb_load(real_trees[i], &len);
        struct fdt fdt;
        assert_int_equal(fdt_open(blob, len, &fdt), FDT_OK);
        assert_int_equal(fdt_claimed_bytes(blob), len);
        compare_trees(&fdt, blob, 1);
        free(blob);
    }
}

// libfdt adds a property's length to its offset before it checks the sum; a length that wraps makes
// it read wild memory. True when anything in the blob could be read as such a property: when the
// reader has refused such a tree, libfdt cannot be asked for its opinion.
static bool may_have_wild_length(const uint8_t *blob, size_t len)
{
    for (size_t at = 0; at + 8 <= len; at++) {
        if (blob[at + 3] == FDT_PROP && blob[at + 4] >= 0x40 && fdt_be32(blob + at) == FDT_PROP) {
            return true;
        }
    }
    return false;
}

// Trees that libfdt takes and the reader refuses: each refusal has its own reason.
static bool refusal_is_ours(const uint8_t *blob, enum fdt_error error)
{
    switch (error) {
    case FDT_BAD_STRINGS:
        return fdt_be32(blob + 20) == 16; // it ignores the size of the strings then
    case FDT_BAD_LAYOUT:
        return fdt_be32(blob + 8) % 4 != 0;
    case FDT_BAD_DEPTH:
    case FDT_BAD_STRUCTURE:   // properties behind children, several roots
    case FDT_BAD_RESERVE_MAP: // ends only with an entry that is zero in both fields
        return true;
    default:
        return false;
    }
}

// libfdt wants FDT_END right behind the root; the specification lets a NOP stand anywhere.
static bool nop_before_end(const struct fdt *fdt)
{
    for (uint32_t at = fdt->struct_off; at + 8 <= fdt->struct_end; at += 4) {
        if (fdt_be32(fdt->blob + at) == FDT_NOP && fdt_be32(fdt->blob + at + 4) == FDT_END) {
            return true;
        }
    }
    return false;
}

// Damages copies of a tree `rounds` times. Returns how many were accepted.
static uint64_t fuzz(const uint8_t *original, size_t len, uint64_t rounds, uint64_t *random,
                     uint32_t stride)
{
    uint8_t *blob = malloc(len);
    uint64_t accepted = 0;
    for (uint64_t round = 0; round < rounds; round++) {
        memcpy(blob, original, len);
        dtb_mutate(blob, len, random);
        struct fdt fdt;
        enum fdt_error error = fdt_open(blob, len, &fdt);
        // Nor about versions before 16, whose names and values it pads without checking.
        if (error == FDT_BAD_VERSION || (error != FDT_OK && may_have_wild_length(blob, len))) {
            continue;
        }
        int theirs = fdt_check_full(blob, len);
        if (error == FDT_OK) {
            assert_true(theirs == 0 || (theirs == -FDT_ERR_BADSTRUCTURE && nop_before_end(&fdt)));
            compare_trees(&fdt, blob, stride);
            accepted++;
        } else if (theirs == 0 && !refusal_is_ours(blob, error)) {
            fail_msg("libfdt accepts, the reader says: %s", fdt_error_string(error));
        }
    }
    free(blob);
    return accepted;
}

static void test_damaged_trees(void **state)
{
    (void)state;
    uint64_t rounds = number_from_env("FUZZ_ROUNDS", 200000);
    uint64_t seed = number_from_env("FUZZ_SEED", 1);
    uint64_t random = seed * 2 + 1;
    print_message("%llu damaged trees, seed %llu\n", (unsigned long long)rounds,
                  (unsigned long long)seed);
    uint8_t blob[4096];
    small_tree(blob, sizeof(blob));
    uint64_t small_rounds = rounds - rounds / 50;
    uint64_t accepted = fuzz(blob, fdt_totalsize(blob), small_rounds, &random, 4);
    // Both outcomes must be common, or the comparison shows nothing.
    assert_true(accepted > small_rounds / 20 && accepted < small_rounds - small_rounds / 20);
    for (size_t i = 0; i < REAL_TREE_COUNT; i++) {
        size_t len;
        uint8_t *original = dtb_load(real_trees[i], &len);
        fuzz(original, len, rounds / 50 / REAL_TREE_COUNT, &random, 16);
        free(original);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_unit_addresses),
        cmocka_unit_test(test_phandles),
        cmocka_unit_test(test_nothing_for_no_node),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_bus_without_ranges),
        cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_reserve_entries),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_unended_reserve_map),
        cmocka_unit_test(test_real_trees),
        cmocka_unit_test(test_damaged_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
