// Reader for flattened device trees (Devicetree Specification v0.4, chapter 5).
//
// The blob is untrusted. fdt_open() checks the header, the bounds of every block and the whole
// token stream once; after that every other function is total: whatever node offset, path or index
// it is given, it reads only inside the blob and ends after at most one pass over the tree (a
// bounded number of passes for address translation). Nothing is allocated and nothing is written,
// so a struct fdt may be used from several harts at once.
//
// A node is named by the offset of its BEGIN_NODE token from the start of the blob. FDT_NONE is no
// node; every function accepts it and answers "none".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/errors.h>
#include <zircon/types.h>

#define FDT_NONE UINT32_MAX

// Deepest nesting accepted; Linux stops at the same depth.
#define FDT_MAX_DEPTH 64

enum fdt_error {
    FDT_OK = 0,
    FDT_BAD_TRUNCATED,   // less memory than the header claims or needs
    FDT_BAD_MAGIC,       // not a device tree
    FDT_BAD_VERSION,     // not readable as version 16 or 17
    FDT_BAD_LAYOUT,      // a block lies outside the blob or is misaligned
    FDT_BAD_RESERVE_MAP, // memory reservation block has no end
    FDT_BAD_STRINGS,     // a property's name lies outside the strings block
    FDT_BAD_TOKEN,       // unknown or cut-off token
    FDT_BAD_STRUCTURE,   // tokens in an order that is no tree
    FDT_BAD_DEPTH,       // nested deeper than FDT_MAX_DEPTH
};

// An opened tree. Borrows the blob, which must stay mapped and unchanged.
struct fdt {
    const uint8_t *blob;
    uint32_t total_bytes;
    uint32_t version;
    uint32_t boot_cpu;   // boot_cpuid_phys of the header
    uint32_t struct_off; // structure block, [struct_off, struct_end)
    uint32_t struct_end;
    uint32_t strings_off; // strings block, cut after its last NUL
    uint32_t strings_bytes;
    uint32_t reserve_off; // memory reservation block
    uint32_t reserve_count;
    uint32_t root; // the root node
};

// One property. `name` and `data` point into the blob; `data` has no alignment.
struct fdt_prop {
    const char *name;
    const uint8_t *data;
    uint32_t len_bytes;
    uint32_t next_off; // where fdt_prop_next goes on
};

// One interrupt specifier: the controller it belongs to and its cells.
#define FDT_MAX_IRQ_CELLS 4
struct fdt_irq {
    uint32_t controller; // node
    uint32_t cell_count; // 1..FDT_MAX_IRQ_CELLS
    uint32_t cells[FDT_MAX_IRQ_CELLS];
};

// Big-endian 32-bit word at `p`, which needs no alignment.
static inline uint32_t fdt_be32(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

// Big-endian 64-bit word at `p`, which needs no alignment.
static inline uint64_t fdt_be64(const void *p)
{
    return (uint64_t)fdt_be32(p) << 32 | fdt_be32((const uint8_t *)p + 4);
}

// Checks the blob at `blob`, of which `max_bytes` bytes may be read, and fills `out` (only on
// FDT_OK). Borrows the blob for as long as `out` is used.
enum fdt_error fdt_open(const void *blob, size_t max_bytes, struct fdt *out);

// A short English sentence for an error, for a console.
const char *fdt_error_string(enum fdt_error error);

// Total size in bytes claimed by the header at `blob` (at least 8 readable bytes), or 0 when it is
// no device tree. For finding how much to map before fdt_open.
uint32_t fdt_claimed_bytes(const void *blob);

// ---- Nodes (fdt.c) ----

// First child of `node` in document order, or FDT_NONE.
uint32_t fdt_first_child(const struct fdt *fdt, uint32_t node);

// Next child of the same parent, or FDT_NONE.
uint32_t fdt_next_sibling(const struct fdt *fdt, uint32_t node);

// Next node in document order, or FDT_NONE. When `depth` is given it is adjusted by the difference
// in depth between the two nodes.
uint32_t fdt_node_after(const struct fdt *fdt, uint32_t node, int *depth);

// Name of the node with its unit address ("serial@10000000"; "" for the root and for FDT_NONE).
const char *fdt_node_name(const struct fdt *fdt, uint32_t node);

// ---- Properties (fdt.c) ----

// First property of `node`; false when it has none.
bool fdt_prop_first(const struct fdt *fdt, uint32_t node, struct fdt_prop *out);

// The property after `prop` in the same node, stored in `prop`; false (unchanged) after the last.
bool fdt_prop_next(const struct fdt *fdt, struct fdt_prop *prop);

// The property of that exact name; false when there is none. Of duplicates, the first.
bool fdt_prop_get(const struct fdt *fdt, uint32_t node, const char *name, struct fdt_prop *out);

// True when the property exists, whatever its value.
bool fdt_prop_exists(const struct fdt *fdt, uint32_t node, const char *name);

// A property of exactly one 32-bit cell; false (out untouched) when absent or of another size.
bool fdt_prop_u32(const struct fdt *fdt, uint32_t node, const char *name, uint32_t *out);

// A property of one or two cells as a number; false (out untouched) when absent or other sizes.
bool fdt_prop_u64(const struct fdt *fdt, uint32_t node, const char *name, uint64_t *out);

// A property that is a NUL-terminated string (the first of a list). Null when absent or not
// terminated.
const char *fdt_prop_string(const struct fdt *fdt, uint32_t node, const char *name);

// String number `index` of a list property, or null.
const char *fdt_prop_string_at(const struct fdt *fdt, uint32_t node, const char *name,
                               uint32_t index);

// True when the string list `prop` contains exactly `string`.
bool fdt_prop_contains(const struct fdt_prop *prop, const char *string);

// True when the node has the string-list property and it contains exactly `string`.
bool fdt_prop_has_string(const struct fdt *fdt, uint32_t node, const char *name,
                         const char *string);

// ---- Searches (fdt_find.c) ----

// Parent of `node`, or FDT_NONE for the root or for no node. One pass over the tree.
uint32_t fdt_parent(const struct fdt *fdt, uint32_t node);

// Child of `node` whose name is the first `name_bytes` bytes of `name`. A name without '@' also
// matches a child with any unit address; the first match in document order wins.
uint32_t fdt_child_named(const struct fdt *fdt, uint32_t node, const char *name, size_t name_bytes);

// Node at a path of `path_bytes` bytes: absolute ("/soc/serial@10000000") or starting with an alias
// ("serial0"). FDT_NONE when there is no such node.
uint32_t fdt_node_at_bytes(const struct fdt *fdt, const char *path, size_t path_bytes);

// The same for a NUL-terminated path.
uint32_t fdt_node_at(const struct fdt *fdt, const char *path);

// Node with that phandle ("phandle" or the older "linux,phandle"). 0 and 0xffffffff are none.
uint32_t fdt_node_by_phandle(const struct fdt *fdt, uint32_t phandle);

// The node's phandle, or 0 when it has none.
uint32_t fdt_phandle(const struct fdt *fdt, uint32_t node);

// True when `string` is one of the node's compatible strings.
bool fdt_is_compatible(const struct fdt *fdt, uint32_t node, const char *string);

// First node after `after` in document order (from the root when FDT_NONE) that is compatible with
// `string`, or FDT_NONE.
uint32_t fdt_next_compatible(const struct fdt *fdt, uint32_t after, const char *string);

// True when status is absent, "okay" or "ok".
bool fdt_is_available(const struct fdt *fdt, uint32_t node);

// ---- Addresses and interrupts (fdt_addr.c) ----

// Address and size of entry `index` of reg as written in the tree, before translation. size is 0
// when the parent has #size-cells = 0. ZX_ERR_NOT_FOUND when there is no such entry,
// ZX_ERR_NOT_SUPPORTED when numbers have more than two cells.
zx_status_t fdt_reg_raw(const struct fdt *fdt, uint32_t node, uint32_t index, uint64_t *addr,
                        uint64_t *size_bytes);

// The same for a node that is known to be a child of `bus`; saves the search for the parent.
zx_status_t fdt_child_reg(const struct fdt *fdt, uint32_t bus, uint32_t node, uint32_t index,
                          uint64_t *addr, uint64_t *size_bytes);

// The same as fdt_reg_raw, but as a CPU physical address, translated by the ranges of every bus
// above the node. ZX_ERR_NOT_SUPPORTED also when a bus does not map its children,
// ZX_ERR_OUT_OF_RANGE when no range covers the whole entry or the result exceeds 64 bits.
zx_status_t fdt_reg(const struct fdt *fdt, uint32_t node, uint32_t index, uint64_t *addr,
                    uint64_t *size_bytes);

// The controller that the node's interrupts go to: interrupt-parent of the node or of the nearest
// ancestor that has one, else the nearest ancestor with #interrupt-cells. FDT_NONE when none.
uint32_t fdt_interrupt_parent(const struct fdt *fdt, uint32_t node);

// Interrupt specifier `index` of the node, from interrupts-extended or interrupts.
// ZX_ERR_NOT_FOUND when there is none, ZX_ERR_NOT_SUPPORTED for specifiers of more than
// FDT_MAX_IRQ_CELLS cells, ZX_ERR_BAD_STATE for a reference to no controller.
zx_status_t fdt_interrupt(const struct fdt *fdt, uint32_t node, uint32_t index,
                          struct fdt_irq *out);

// ---- Memory reservation block (fdt.c) ----

// Entry `index` (below fdt->reserve_count) of the /memreserve/ list; false past the end.
bool fdt_reserve_entry(const struct fdt *fdt, uint32_t index, uint64_t *addr, uint64_t *size_bytes);
