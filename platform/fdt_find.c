// Finding nodes: parents, paths and aliases, phandles, compatible strings.
#include "kernel/lib/string.h"
#include "platform/fdt.h"
#include "platform/fdt_internal.h"

uint32_t fdt_ancestry(const struct fdt *fdt, uint32_t node, uint32_t path[FDT_MAX_DEPTH])
{
    int depth = 0;
    for (uint32_t at = fdt->root; at != FDT_NONE && at <= node;
         at = fdt_node_after(fdt, at, &depth)) {
        if (depth < 0 || depth >= FDT_MAX_DEPTH) {
            return 0;
        }
        path[depth] = at;
        if (at == node) {
            return (uint32_t)depth + 1;
        }
    }
    return 0;
}

uint32_t fdt_parent(const struct fdt *fdt, uint32_t node)
{
    uint32_t path[FDT_MAX_DEPTH];
    uint32_t count = fdt_ancestry(fdt, node, path);
    return count >= 2 ? path[count - 2] : FDT_NONE;
}

// True when the node's name is `name`, or `name` with a unit address added.
static bool name_matches(const struct fdt_token *node, const uint8_t *blob, const char *name,
                         size_t name_bytes)
{
    if (node->len_bytes < name_bytes || memcmp(blob + node->data_off, name, name_bytes) != 0) {
        return false;
    }
    if (node->len_bytes == name_bytes) {
        return true;
    }
    return blob[node->data_off + name_bytes] == '@' && memchr(name, '@', name_bytes) == NULL;
}

uint32_t fdt_child_named(const struct fdt *fdt, uint32_t node, const char *name, size_t name_bytes)
{
    for (uint32_t child = fdt_first_child(fdt, node); child != FDT_NONE;
         child = fdt_next_sibling(fdt, child)) {
        struct fdt_token token;
        if (fdt_node_read(fdt, child, &token) &&
            name_matches(&token, fdt->blob, name, name_bytes)) {
            return child;
        }
    }
    return FDT_NONE;
}

// Follows the components of `path` down from `node`.
static uint32_t node_below(const struct fdt *fdt, uint32_t node, const char *path,
                           size_t path_bytes)
{
    const char *end = path + path_bytes;
    while (node != FDT_NONE) {
        while (path < end && *path == '/') {
            path++;
        }
        if (path == end) {
            break;
        }
        const char *slash = memchr(path, '/', (size_t)(end - path));
        const char *stop = slash != NULL ? slash : end;
        node = fdt_child_named(fdt, node, path, (size_t)(stop - path));
        path = stop;
    }
    return node;
}

// The absolute path an alias stands for, or null. An alias cannot name another alias.
static const char *alias_path(const struct fdt *fdt, const char *alias, size_t alias_bytes)
{
    uint32_t aliases = fdt_child_named(fdt, fdt->root, "aliases", 7);
    struct fdt_prop prop;
    for (bool found = fdt_prop_first(fdt, aliases, &prop); found;
         found = fdt_prop_next(fdt, &prop)) {
        if (strlen(prop.name) == alias_bytes && memcmp(prop.name, alias, alias_bytes) == 0) {
            bool absolute = prop.len_bytes >= 2 && prop.data[0] == '/' &&
                            memchr(prop.data, 0, prop.len_bytes) != NULL;
            return absolute ? (const char *)prop.data : NULL;
        }
    }
    return NULL;
}

uint32_t fdt_node_at_bytes(const struct fdt *fdt, const char *path, size_t path_bytes)
{
    if (path_bytes == 0) {
        return FDT_NONE;
    }
    if (*path == '/') {
        return node_below(fdt, fdt->root, path, path_bytes);
    }
    const char *slash = memchr(path, '/', path_bytes);
    size_t alias_bytes = slash != NULL ? (size_t)(slash - path) : path_bytes;
    const char *target = alias_path(fdt, path, alias_bytes);
    if (target == NULL) {
        return FDT_NONE;
    }
    uint32_t node = node_below(fdt, fdt->root, target, strlen(target));
    return node_below(fdt, node, path + alias_bytes, path_bytes - alias_bytes);
}

uint32_t fdt_node_at(const struct fdt *fdt, const char *path)
{
    return fdt_node_at_bytes(fdt, path, strlen(path));
}

// Of several properties of one name the first counts. One pass: searches by phandle come here for
// every node.
uint32_t fdt_phandle(const struct fdt *fdt, uint32_t node)
{
    bool seen = false, seen_old = false;
    uint32_t old = 0;
    struct fdt_prop prop;
    for (bool found = fdt_prop_first(fdt, node, &prop); found; found = fdt_prop_next(fdt, &prop)) {
        if (!seen && strcmp(prop.name, "phandle") == 0) {
            if (prop.len_bytes == 4) {
                return fdt_be32(prop.data);
            }
            seen = true;
        } else if (!seen_old && strcmp(prop.name, "linux,phandle") == 0) {
            seen_old = true;
            old = prop.len_bytes == 4 ? fdt_be32(prop.data) : 0;
        }
    }
    return old;
}

uint32_t fdt_node_by_phandle(const struct fdt *fdt, uint32_t phandle)
{
    if (phandle == 0 || phandle == UINT32_MAX) {
        return FDT_NONE;
    }
    uint32_t node = fdt->root;
    while (node != FDT_NONE && fdt_phandle(fdt, node) != phandle) {
        node = fdt_node_after(fdt, node, NULL);
    }
    return node;
}

bool fdt_is_compatible(const struct fdt *fdt, uint32_t node, const char *string)
{
    return fdt_prop_has_string(fdt, node, "compatible", string);
}

uint32_t fdt_next_compatible(const struct fdt *fdt, uint32_t after, const char *string)
{
    uint32_t node = after == FDT_NONE ? fdt->root : fdt_node_after(fdt, after, NULL);
    while (node != FDT_NONE && !fdt_is_compatible(fdt, node, string)) {
        node = fdt_node_after(fdt, node, NULL);
    }
    return node;
}

bool fdt_is_available(const struct fdt *fdt, uint32_t node)
{
    struct fdt_prop status;
    if (!fdt_prop_get(fdt, node, "status", &status)) {
        return true;
    }
    const char *text = fdt_prop_string(fdt, node, "status");
    return text != NULL && (strcmp(text, "okay") == 0 || strcmp(text, "ok") == 0);
}
