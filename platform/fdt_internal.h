// The token stream of the structure block (Devicetree Specification v0.4, section 5.4).
#pragma once

#include "platform/fdt.h"

#define FDT_BEGIN_NODE 1u
#define FDT_END_NODE   2u
#define FDT_PROP       3u
#define FDT_NOP        4u
#define FDT_END        9u

// One decoded token. For BEGIN_NODE `data` is the name and `len_bytes` its length without the NUL;
// for PROP it is the value, `name_off` the offset of the name in the strings block.
struct fdt_token {
    uint32_t kind;
    uint32_t next_off;
    uint32_t data_off;
    uint32_t len_bytes;
    uint32_t name_off;
};

// Decodes the token at offset `off` of the blob. False when it is cut off, unknown or out of the
// structure block.
bool fdt_token_read(const struct fdt *fdt, uint32_t off, struct fdt_token *out);

// Decodes the BEGIN_NODE token at `node`; false when there is none.
bool fdt_node_read(const struct fdt *fdt, uint32_t node, struct fdt_token *out);

// The path from the root to `node`, both included: path[0] is the root. Returns the number of
// nodes, or 0 when there is no such node.
uint32_t fdt_ancestry(const struct fdt *fdt, uint32_t node, uint32_t path[FDT_MAX_DEPTH]);
