// Which extensions a hart has, from either way of saying it (bindings riscv/cpus.yaml and
// riscv/extensions.yaml): the list riscv,isa-extensions, or the older string riscv,isa.
#include "kernel/lib/string.h"
#include "platform/boot_info_internal.h"

// In the order of enum boot_isa.
static const char *const isa_names[BOOT_ISA_COUNT] = {
    "i",      "m",      "a",       "f",       "d",     "c",           "h",        "v",
    "sstc",   "svpbmt", "svnapot", "svinval", "svadu", "svade",       "zicbom",   "zicboz",
    "zicbop", "zba",    "zbb",     "zbs",     "zawrs", "zihintpause", "sscofpmf",
};

const char *boot_isa_name(uint32_t bit_index)
{
    return bit_index < BOOT_ISA_COUNT ? isa_names[bit_index] : "unknown";
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// The bits for one extension name of `len_bytes` characters, in any case; 0 when it is not known.
static uint32_t isa_bits(const char *name, size_t len_bytes)
{
    if (len_bytes == 1 && lower(name[0]) == 'g') {
        return BOOT_ISA_I | BOOT_ISA_M | BOOT_ISA_A | BOOT_ISA_F | BOOT_ISA_D;
    }
    for (uint32_t i = 0; i < BOOT_ISA_COUNT; i++) {
        const char *known = isa_names[i];
        size_t at = 0;
        while (at < len_bytes && known[at] != 0 && lower(name[at]) == known[at]) {
            at++;
        }
        if (at == len_bytes && known[at] == 0) {
            return 1u << i;
        }
    }
    return 0;
}

// Length of a version ("2", "2p0") at `text`, 0 when there is none.
static size_t version_length(const char *text)
{
    size_t len = 0;
    while (is_digit(text[len])) {
        len++;
    }
    if (len > 0 && lower(text[len]) == 'p' && is_digit(text[len + 1])) {
        len++;
        while (is_digit(text[len])) {
            len++;
        }
    }
    return len;
}

// Length of the name in a multi-letter element of `len_bytes` characters, without its version.
static size_t name_length(const char *text, size_t len_bytes)
{
    size_t end = len_bytes;
    while (end > 0 && is_digit(text[end - 1])) {
        end--;
    }
    if (end > 1 && end < len_bytes && lower(text[end - 1]) == 'p' && is_digit(text[end - 2])) {
        end--;
        while (end > 0 && is_digit(text[end - 1])) {
            end--;
        }
    }
    return end;
}

// Parses what follows "rv64" in riscv,isa: single letters, each with an optional version, then
// multi-letter names that start with s, x or z, separated by underscores.
static uint32_t isa_from_string(const char *text)
{
    uint32_t isa = 0;
    while (*text != 0) {
        char c = lower(*text);
        size_t len_bytes = 1;
        if (c == '_') {
            text++;
            continue;
        }
        // Old trees end the single letters with the privilege modes "su", which are no extensions.
        if (c == 's' && lower(text[1]) == 'u' && (text[2] == 0 || text[2] == '_')) {
            text += 2;
            continue;
        }
        if (c == 's' || c == 'x' || c == 'z') {
            while (text[len_bytes] != 0 && text[len_bytes] != '_') {
                len_bytes++;
            }
            isa |= isa_bits(text, name_length(text, len_bytes));
        } else {
            isa |= isa_bits(text, 1);
            len_bytes += version_length(text + 1);
        }
        text += len_bytes;
    }
    return isa;
}

uint32_t isa_from_node(const struct fdt *fdt, uint32_t cpu)
{
    struct fdt_prop list;
    const char *base = fdt_prop_string(fdt, cpu, "riscv,isa-base");
    if (base != NULL && fdt_prop_get(fdt, cpu, "riscv,isa-extensions", &list)) {
        if (strcmp(base, "rv64i") != 0) {
            return 0;
        }
        uint32_t isa = 0, start = 0;
        for (uint32_t end = 0; end < list.len_bytes; end++) {
            if (list.data[end] == 0) {
                isa |= isa_bits((const char *)list.data + start, end - start);
                start = end + 1;
            }
        }
        return isa;
    }
    const char *text = fdt_prop_string(fdt, cpu, "riscv,isa");
    if (text == NULL || strlen(text) < 5 || lower(text[0]) != 'r' || lower(text[1]) != 'v' ||
        text[2] != '6' || text[3] != '4') {
        return 0;
    }
    return isa_from_string(text + 4);
}
