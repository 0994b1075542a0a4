#include "kernel/lib/bootargs.h"

#include "kernel/lib/string.h"

#define WORD_BYTES 256

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool bootargs_next(const char **cursor, char *out, size_t out_bytes)
{
    const char *at = *cursor;
    size_t len = 0;
    bool quoted = false;

    while (is_blank(*at))
        at++;
    if (*at == '\0')
        return false;
    for (; *at != '\0' && (quoted || !is_blank(*at)); at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (len + 1 < out_bytes)
            out[len++] = *at;
    }
    out[len] = '\0';
    *cursor = at;
    return true;
}

bool bootargs_get(const char *cmdline, const char *name, char *out, size_t out_bytes)
{
    char word[WORD_BYTES];
    size_t name_len = strlen(name);
    bool found = false;

    while (bootargs_next(&cmdline, word, sizeof(word))) {
        if (strncmp(word, name, name_len) != 0)
            continue;
        const char *value = word + name_len;
        if (*value != '\0' && *value != '=')
            continue;
        if (*value == '=')
            value++;
        found = true;
        if (out_bytes == 0)
            continue;
        size_t len = MIN(strlen(value), out_bytes - 1);
        memcpy(out, value, len);
        out[len] = '\0';
    }
    return found;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

bool bootargs_get_u64(const char *cmdline, const char *name, uint64_t *out)
{
    char text[32];
    const char *at = text;
    unsigned base = 10;
    uint64_t value = 0;

    if (!bootargs_get(cmdline, name, text, sizeof(text)))
        return false;
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        base = 16;
        at += 2;
    }
    if (*at == '\0')
        return false;
    for (; *at != '\0'; at++) {
        unsigned digit = (unsigned)digit_value(*at);
        if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = value;
    return true;
}
