#include "platform/fdt.h"

#include "kernel/lib/string.h"
#include "platform/fdt_internal.h"

// Header fields (Devicetree Specification v0.4, section 5.2), in bytes from the start.
#define HEADER_MAGIC           0u
#define HEADER_TOTAL_BYTES     4u
#define HEADER_STRUCT_OFF      8u
#define HEADER_STRINGS_OFF     12u
#define HEADER_RESERVE_OFF     16u
#define HEADER_VERSION         20u
#define HEADER_LAST_COMPATIBLE 24u
#define HEADER_BOOT_CPU        28u
#define HEADER_STRINGS_BYTES   32u
#define HEADER_STRUCT_BYTES    36u // from version 17 on
#define HEADER_BYTES_V16       36u
#define HEADER_BYTES_V17       40u

#define FDT_MAGIC         0xd00dfeedu
#define FDT_VERSION_OLD   16u
#define FDT_VERSION_KNOWN 17u

#define RESERVE_ENTRY_BYTES 16u

static uint32_t word(const struct fdt *fdt, uint32_t off)
{
    return fdt_be32(fdt->blob + off);
}

uint32_t fdt_claimed_bytes(const void *blob)
{
    const uint8_t *bytes = blob;
    return fdt_be32(bytes + HEADER_MAGIC) == FDT_MAGIC ? fdt_be32(bytes + HEADER_TOTAL_BYTES) : 0;
}

const char *fdt_error_string(enum fdt_error error)
{
    switch (error) {
    case FDT_OK:
        return "no error";
    case FDT_BAD_TRUNCATED:
        return "device tree is cut off";
    case FDT_BAD_MAGIC:
        return "no device tree (wrong magic number)";
    case FDT_BAD_VERSION:
        return "device tree version is not supported";
    case FDT_BAD_LAYOUT:
        return "a block of the device tree lies outside it";
    case FDT_BAD_RESERVE_MAP:
        return "memory reservation list of the device tree has no end";
    case FDT_BAD_STRINGS:
        return "a property name lies outside the strings of the device tree";
    case FDT_BAD_TOKEN:
        return "bad token in the device tree";
    case FDT_BAD_STRUCTURE:
        return "tokens of the device tree do not form a tree";
    case FDT_BAD_DEPTH:
        return "device tree is nested too deeply";
    }
    return "unknown device tree error";
}

// ---- Tokens ----

// Rounds a length up to whole tokens; the caller has checked that it is within the blob.
static uint32_t token_align(uint32_t len_bytes)
{
    return (len_bytes + 3u) & ~3u;
}

bool fdt_token_read(const struct fdt *fdt, uint32_t off, struct fdt_token *out)
{
    if (off < fdt->struct_off || off > fdt->struct_end || fdt->struct_end - off < 4 ||
        ((off - fdt->struct_off) & 3) != 0) {
        return false;
    }
    uint32_t room = fdt->struct_end - off - 4;
    *out = (struct fdt_token){.kind = word(fdt, off), .next_off = off + 4};
    switch (out->kind) {
    case FDT_END_NODE:
    case FDT_NOP:
    case FDT_END:
        return true;
    case FDT_BEGIN_NODE:
        out->data_off = off + 4;
        while (out->len_bytes < room && fdt->blob[out->data_off + out->len_bytes] != 0) {
            out->len_bytes++;
        }
        if (out->len_bytes == room || token_align(out->len_bytes + 1) > room) {
            return false;
        }
        out->next_off += token_align(out->len_bytes + 1);
        return true;
    case FDT_PROP:
        if (room < 8) {
            return false;
        }
        room -= 8;
        out->len_bytes = word(fdt, off + 4);
        out->name_off = word(fdt, off + 8);
        out->data_off = off + 12;
        if (out->len_bytes > room || token_align(out->len_bytes) > room) {
            return false;
        }
        out->next_off = out->data_off + token_align(out->len_bytes);
        return true;
    default:
        return false;
    }
}

bool fdt_node_read(const struct fdt *fdt, uint32_t node, struct fdt_token *out)
{
    return fdt_token_read(fdt, node, out) && out->kind == FDT_BEGIN_NODE;
}

// ---- Opening ----

static bool block_fits(const struct fdt *fdt, uint32_t header_bytes, uint32_t off, uint32_t bytes)
{
    return off >= header_bytes && off <= fdt->total_bytes && bytes <= fdt->total_bytes - off;
}

static enum fdt_error open_header(struct fdt *fdt, size_t max_bytes)
{
    if (max_bytes < HEADER_BYTES_V16) {
        return FDT_BAD_TRUNCATED;
    }
    if (word(fdt, HEADER_MAGIC) != FDT_MAGIC) {
        return FDT_BAD_MAGIC;
    }
    fdt->version = word(fdt, HEADER_VERSION);
    uint32_t last_compatible = word(fdt, HEADER_LAST_COMPATIBLE);
    if (fdt->version < FDT_VERSION_OLD || last_compatible > FDT_VERSION_KNOWN ||
        last_compatible > fdt->version) {
        return FDT_BAD_VERSION;
    }
    bool sized = fdt->version >= FDT_VERSION_KNOWN;
    uint32_t header_bytes = sized ? HEADER_BYTES_V17 : HEADER_BYTES_V16;
    fdt->total_bytes = word(fdt, HEADER_TOTAL_BYTES);
    if (fdt->total_bytes > max_bytes || fdt->total_bytes < header_bytes) {
        return FDT_BAD_TRUNCATED;
    }
    // Offsets stay below INT32_MAX, so that adding a token to one cannot wrap.
    if (fdt->total_bytes > INT32_MAX) {
        return FDT_BAD_LAYOUT;
    }
    fdt->boot_cpu = word(fdt, HEADER_BOOT_CPU);
    fdt->struct_off = word(fdt, HEADER_STRUCT_OFF);
    fdt->strings_off = word(fdt, HEADER_STRINGS_OFF);
    fdt->strings_bytes = word(fdt, HEADER_STRINGS_BYTES);
    fdt->reserve_off = word(fdt, HEADER_RESERVE_OFF);
    if ((fdt->struct_off & 3) != 0 || !block_fits(fdt, header_bytes, fdt->struct_off, 0) ||
        !block_fits(fdt, header_bytes, fdt->strings_off, fdt->strings_bytes) ||
        !block_fits(fdt, header_bytes, fdt->reserve_off, 0)) {
        return FDT_BAD_LAYOUT;
    }
    uint32_t struct_bytes =
        sized ? word(fdt, HEADER_STRUCT_BYTES) : fdt->total_bytes - fdt->struct_off;
    if (!block_fits(fdt, header_bytes, fdt->struct_off, struct_bytes)) {
        return FDT_BAD_LAYOUT;
    }
    fdt->struct_end = fdt->struct_off + struct_bytes;
    // With the block cut after its last NUL, every offset inside it starts a terminated string.
    while (fdt->strings_bytes > 0 && fdt->blob[fdt->strings_off + fdt->strings_bytes - 1] != 0) {
        fdt->strings_bytes--;
    }
    return FDT_OK;
}

static enum fdt_error open_reserve_map(struct fdt *fdt)
{
    uint32_t room = fdt->total_bytes - fdt->reserve_off;
    for (fdt->reserve_count = 0; room >= RESERVE_ENTRY_BYTES; fdt->reserve_count++) {
        uint32_t off = fdt->reserve_off + fdt->reserve_count * RESERVE_ENTRY_BYTES;
        if (fdt_be64(fdt->blob + off) == 0 && fdt_be64(fdt->blob + off + 8) == 0) {
            return FDT_OK;
        }
        room -= RESERVE_ENTRY_BYTES;
    }
    return FDT_BAD_RESERVE_MAP;
}

// Walks all tokens once. Afterwards the stream is known to be one tree whose nodes hold their
// properties before their children, closed by FDT_END.
static enum fdt_error open_structure(struct fdt *fdt)
{
    uint32_t off = fdt->struct_off;
    uint32_t depth = 0;
    bool properties_allowed = false;
    struct fdt_token token;
    fdt->root = FDT_NONE;
    for (;; off = token.next_off) {
        if (!fdt_token_read(fdt, off, &token)) {
            return FDT_BAD_TOKEN;
        }
        switch (token.kind) {
        case FDT_BEGIN_NODE:
            if (depth == 0 && (fdt->root != FDT_NONE || token.len_bytes != 0)) {
                return FDT_BAD_STRUCTURE; // a second root, or a root with a name
            }
            if (depth == FDT_MAX_DEPTH) {
                return FDT_BAD_DEPTH;
            }
            fdt->root = depth == 0 ? off : fdt->root;
            depth++;
            properties_allowed = true;
            break;
        case FDT_END_NODE:
            if (depth == 0) {
                return FDT_BAD_STRUCTURE;
            }
            depth--;
            properties_allowed = false;
            break;
        case FDT_PROP:
            if (!properties_allowed) {
                return FDT_BAD_STRUCTURE;
            }
            if (token.name_off >= fdt->strings_bytes) {
                return FDT_BAD_STRINGS;
            }
            break;
        case FDT_END:
            return depth == 0 && fdt->root != FDT_NONE ? FDT_OK : FDT_BAD_STRUCTURE;
        default:
            break;
        }
    }
}

enum fdt_error fdt_open(const void *blob, size_t max_bytes, struct fdt *out)
{
    struct fdt fdt = {.blob = blob};
    enum fdt_error error = open_header(&fdt, max_bytes);
    if (error == FDT_OK) {
        error = open_reserve_map(&fdt);
    }
    if (error == FDT_OK) {
        error = open_structure(&fdt);
    }
    if (error == FDT_OK) {
        *out = fdt;
    }
    return error;
}

// ---- Nodes ----

uint32_t fdt_node_after(const struct fdt *fdt, uint32_t node, int *depth)
{
    struct fdt_token token;
    if (!fdt_node_read(fdt, node, &token)) {
        return FDT_NONE;
    }
    int change = 1;
    for (;;) {
        uint32_t off = token.next_off;
        if (!fdt_token_read(fdt, off, &token) || token.kind == FDT_END) {
            return FDT_NONE;
        }
        if (token.kind == FDT_BEGIN_NODE) {
            if (depth != NULL) {
                *depth += change;
            }
            return off;
        }
        if (token.kind == FDT_END_NODE) {
            change--;
        }
    }
}

uint32_t fdt_first_child(const struct fdt *fdt, uint32_t node)
{
    int depth = 0;
    uint32_t next = fdt_node_after(fdt, node, &depth);
    return depth == 1 ? next : FDT_NONE;
}

uint32_t fdt_next_sibling(const struct fdt *fdt, uint32_t node)
{
    int depth = 0;
    do {
        node = fdt_node_after(fdt, node, &depth);
    } while (node != FDT_NONE && depth > 0);
    return depth == 0 ? node : FDT_NONE;
}

const char *fdt_node_name(const struct fdt *fdt, uint32_t node)
{
    struct fdt_token token;
    return fdt_node_read(fdt, node, &token) ? (const char *)fdt->blob + token.data_off : "";
}

// ---- Properties ----

// Finds the property at or after `off`, before any other token but NOP.
static bool prop_from(const struct fdt *fdt, uint32_t off, struct fdt_prop *out)
{
    struct fdt_token token;
    do {
        if (!fdt_token_read(fdt, off, &token)) {
            return false;
        }
        off = token.next_off;
    } while (token.kind == FDT_NOP);
    if (token.kind != FDT_PROP || token.name_off >= fdt->strings_bytes) {
        return false;
    }
    *out = (struct fdt_prop){
        .name = (const char *)fdt->blob + fdt->strings_off + token.name_off,
        .data = fdt->blob + token.data_off,
        .len_bytes = token.len_bytes,
        .next_off = token.next_off,
    };
    return true;
}

bool fdt_prop_first(const struct fdt *fdt, uint32_t node, struct fdt_prop *out)
{
    struct fdt_token token;
    return fdt_node_read(fdt, node, &token) && prop_from(fdt, token.next_off, out);
}

bool fdt_prop_next(const struct fdt *fdt, struct fdt_prop *prop)
{
    return prop_from(fdt, prop->next_off, prop);
}

bool fdt_prop_get(const struct fdt *fdt, uint32_t node, const char *name, struct fdt_prop *out)
{
    struct fdt_prop prop;
    for (bool found = fdt_prop_first(fdt, node, &prop); found; found = fdt_prop_next(fdt, &prop)) {
        if (strcmp(prop.name, name) == 0) {
            *out = prop;
            return true;
        }
    }
    return false;
}

bool fdt_prop_exists(const struct fdt *fdt, uint32_t node, const char *name)
{
    struct fdt_prop prop;
    return fdt_prop_get(fdt, node, name, &prop);
}

bool fdt_prop_u32(const struct fdt *fdt, uint32_t node, const char *name, uint32_t *out)
{
    struct fdt_prop prop;
    if (!fdt_prop_get(fdt, node, name, &prop) || prop.len_bytes != 4) {
        return false;
    }
    *out = fdt_be32(prop.data);
    return true;
}

bool fdt_prop_u64(const struct fdt *fdt, uint32_t node, const char *name, uint64_t *out)
{
    struct fdt_prop prop;
    if (!fdt_prop_get(fdt, node, name, &prop) || (prop.len_bytes != 4 && prop.len_bytes != 8)) {
        return false;
    }
    *out = prop.len_bytes == 4 ? fdt_be32(prop.data) : fdt_be64(prop.data);
    return true;
}

const char *fdt_prop_string_at(const struct fdt *fdt, uint32_t node, const char *name,
                               uint32_t index)
{
    struct fdt_prop prop;
    if (!fdt_prop_get(fdt, node, name, &prop)) {
        return NULL;
    }
    uint32_t start = 0;
    for (uint32_t end = 0; end < prop.len_bytes; end++) {
        if (prop.data[end] != 0) {
            continue;
        }
        if (index == 0) {
            return (const char *)prop.data + start;
        }
        index--;
        start = end + 1;
    }
    return NULL;
}

const char *fdt_prop_string(const struct fdt *fdt, uint32_t node, const char *name)
{
    return fdt_prop_string_at(fdt, node, name, 0);
}

bool fdt_prop_contains(const struct fdt_prop *prop, const char *string)
{
    uint32_t string_bytes = (uint32_t)strlen(string) + 1; // with its NUL
    const uint8_t *at = prop->data;
    for (uint32_t left = prop->len_bytes; left >= string_bytes;) {
        const uint8_t *nul = memchr(at, 0, left);
        if (nul == NULL) {
            return false;
        }
        uint32_t entry_bytes = (uint32_t)(nul - at) + 1;
        if (entry_bytes == string_bytes && memcmp(at, string, string_bytes) == 0) {
            return true;
        }
        at += entry_bytes;
        left -= entry_bytes;
    }
    return false;
}

bool fdt_prop_has_string(const struct fdt *fdt, uint32_t node, const char *name, const char *string)
{
    struct fdt_prop prop;
    return fdt_prop_get(fdt, node, name, &prop) && fdt_prop_contains(&prop, string);
}

// ---- Memory reservation block ----

bool fdt_reserve_entry(const struct fdt *fdt, uint32_t index, uint64_t *addr, uint64_t *size_bytes)
{
    if (index >= fdt->reserve_count) {
        return false;
    }
    const uint8_t *entry = fdt->blob + fdt->reserve_off + index * RESERVE_ENTRY_BYTES;
    *addr = fdt_be64(entry);
    *size_bytes = fdt_be64(entry + 8);
    return true;
}
