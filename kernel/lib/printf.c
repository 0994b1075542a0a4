#include "kernel/lib/printf.h"

#include "kernel/lib/string.h"

struct output {
    printf_sink sink;
    void *ctx;
    size_t count;
};

struct spec {
    bool left, zero, plus, space, alt;
    int width;
    int precision; /* -1: none given */
    int length;    /* bytes of the argument */
};

static void emit(struct output *out, const char *text, size_t len_bytes)
{
    if (len_bytes > 0)
        out->sink(out->ctx, text, len_bytes);
    out->count += len_bytes;
}

static void emit_fill(struct output *out, char c, int count)
{
    for (; count > 0; count--)
        emit(out, &c, 1);
}

/* Pads |text| of |len| to the width; |prefix| (sign, 0x) stays in front of zero padding. */
static void emit_field(struct output *out, const struct spec *spec, const char *prefix,
                       const char *text, int len, int zeros)
{
    int prefix_len = (int)strlen(prefix);
    int fill = spec->width - prefix_len - zeros - len;

    if (!spec->left && !spec->zero)
        emit_fill(out, ' ', fill);
    emit(out, prefix, (size_t)prefix_len);
    if (!spec->left && spec->zero)
        emit_fill(out, '0', fill);
    emit_fill(out, '0', zeros);
    emit(out, text, (size_t)len);
    if (spec->left)
        emit_fill(out, ' ', fill);
}

static void emit_number(struct output *out, struct spec *spec, uint64_t value, unsigned base,
                        bool upper, const char *prefix)
{
    char digits[24];
    int len = 0;
    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    if (spec->precision >= 0)
        spec->zero = false;
    while (value != 0) {
        digits[sizeof(digits) - 1 - (size_t)len++] = set[value % base];
        value /= base;
    }
    int least = spec->precision >= 0 ? spec->precision : 1;
    emit_field(out, spec, prefix, digits + sizeof(digits) - (size_t)len, len,
               least > len ? least - len : 0);
}

static void emit_string(struct output *out, struct spec *spec, const char *s)
{
    if (s == NULL)
        s = "(null)";
    size_t len = strnlen(s, spec->precision >= 0 ? (size_t)spec->precision : SIZE_MAX);
    spec->zero = false;
    emit_field(out, spec, "", s, (int)len, 0);
}

static int parse_number(const char **fmt)
{
    int value = 0;
    while (**fmt >= '0' && **fmt <= '9' && value < 100000)
        value = value * 10 + (*(*fmt)++ - '0');
    return value;
}

static void parse_flags(struct spec *spec, const char **fmt)
{
    for (;; (*fmt)++) {
        if (**fmt == '-')
            spec->left = true;
        else if (**fmt == '0')
            spec->zero = true;
        else if (**fmt == '+')
            spec->plus = true;
        else if (**fmt == ' ')
            spec->space = true;
        else if (**fmt == '#')
            spec->alt = true;
        else
            return;
    }
}

static void parse_length(struct spec *spec, const char **fmt)
{
    spec->length = sizeof(int);
    switch (**fmt) {
    case 'h':
        (*fmt)++;
        spec->length = sizeof(short);
        if (**fmt == 'h') {
            (*fmt)++;
            spec->length = sizeof(char);
        }
        break;
    case 'l':
        (*fmt)++;
        if (**fmt == 'l')
            (*fmt)++;
        spec->length = sizeof(long);
        break;
    case 'z':
    case 't':
    case 'j':
        (*fmt)++;
        spec->length = sizeof(long);
        break;
    default:
        break;
    }
}

/* Narrows an argument that was read as 64 bits to its length, with or without its sign. */
static uint64_t narrow(uint64_t value, int length_bytes, bool is_signed)
{
    int drop = 64 - 8 * length_bytes;
    if (is_signed)
        return (uint64_t)((int64_t)(value << drop) >> drop);
    return value << drop >> drop;
}

static void emit_signed(struct output *out, struct spec *spec, int64_t value)
{
    const char *prefix = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";
    emit_number(out, spec, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, false, prefix);
}

static void emit_pointer(struct output *out, struct spec *spec, uint64_t value)
{
    spec->precision = 16;
    emit_number(out, spec, value, 16, false, "0x");
}

size_t printf_to(printf_sink sink, void *ctx, const char *fmt, va_list args)
{
    struct output out = {.sink = sink, .ctx = ctx};

    while (*fmt != '\0') {
        const char *percent = strchr(fmt, '%');
        size_t plain = percent != NULL ? (size_t)(percent - fmt) : strlen(fmt);
        emit(&out, fmt, plain);
        fmt += plain;
        if (*fmt++ == '\0')
            break;

        struct spec spec = {.precision = -1};
        parse_flags(&spec, &fmt);
        spec.width = *fmt == '*' ? (fmt++, va_arg(args, int)) : parse_number(&fmt);
        if (spec.width < 0) {
            spec.left = true;
            spec.width = -spec.width;
        }
        if (*fmt == '.') {
            fmt++;
            spec.precision = *fmt == '*' ? (fmt++, va_arg(args, int)) : parse_number(&fmt);
        }
        parse_length(&spec, &fmt);

        char c = *fmt;
        if (c != '\0')
            fmt++;
        switch (c) {
        case 'd':
        case 'i': {
            uint64_t v = spec.length == sizeof(long) ? va_arg(args, uint64_t)
                                                     : (uint64_t)va_arg(args, unsigned);
            emit_signed(&out, &spec, (int64_t)narrow(v, spec.length, true));
            break;
        }
        case 'u':
        case 'o':
        case 'x':
        case 'X': {
            uint64_t v = spec.length == sizeof(long) ? va_arg(args, uint64_t)
                                                     : (uint64_t)va_arg(args, unsigned);
            v = narrow(v, spec.length, false);
            const char *prefix = spec.alt && v != 0 ? (c == 'o'   ? "0"
                                                       : c == 'x' ? "0x"
                                                                  : "0X")
                                                    : "";
            unsigned base = c == 'u' ? 10 : c == 'o' ? 8 : 16;
            emit_number(&out, &spec, v, base, c == 'X', c == 'u' ? "" : prefix);
            break;
        }
        case 'p':
            emit_pointer(&out, &spec, (uintptr_t)va_arg(args, void *));
            break;
        case 's':
            emit_string(&out, &spec, va_arg(args, const char *));
            break;
        case 'c': {
            char ch = (char)va_arg(args, int);
            spec.zero = false;
            emit_field(&out, &spec, "", &ch, 1, 0);
            break;
        }
        case '%':
            emit(&out, "%", 1);
            break;
        default:
            emit(&out, "%?", 2);
            break;
        }
    }
    return out.count;
}

struct bounded {
    char *dst;
    size_t room_bytes; /* left, the terminator's byte excluded */
};

static void bounded_sink(void *ctx, const char *text, size_t len_bytes)
{
    struct bounded *to = ctx;
    size_t take = MIN(len_bytes, to->room_bytes);
    memcpy(to->dst, text, take);
    to->dst += take;
    to->room_bytes -= take;
}

int kernel_vsnprintf(char *dst, size_t dst_bytes, const char *fmt, va_list args)
{
    struct bounded to = {dst, dst_bytes > 0 ? dst_bytes - 1 : 0};
    size_t count = printf_to(bounded_sink, &to, fmt, args);
    if (dst_bytes > 0)
        *to.dst = '\0';
    return (int)count;
}

int kernel_snprintf(char *dst, size_t dst_bytes, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int count = kernel_vsnprintf(dst, dst_bytes, fmt, args);
    va_end(args);
    return count;
}
