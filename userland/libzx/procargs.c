#include "userland/libzx/procargs.h"

#include <string.h>
#include <zircon/processargs.h>

// Whether count terminated strings lie at offset.
static bool strings_fit(const unsigned char *bytes, size_t size, uint32_t offset, uint32_t count)
{
    size_t at = offset;

    for (uint32_t i = 0; i < count; i++) {
        const unsigned char *end;

        if (at >= size) {
            return false;
        }
        end = memchr(bytes + at, '\0', size - at);
        if (end == NULL) {
            return false;
        }
        at = (size_t)(end - bytes) + 1;
    }
    return true;
}

zx_status_t procargs_parse(const void *bytes, size_t size, uint32_t num_handles,
                           struct procargs *out)
{
    zx_proc_args_t header;

    if (size < sizeof(header)) {
        return ZX_ERR_INVALID_ARGS;
    }
    memcpy(&header, bytes, sizeof(header));
    if (header.protocol != ZX_PROCARGS_PROTOCOL || header.version != ZX_PROCARGS_VERSION) {
        return ZX_ERR_INVALID_ARGS;
    }
    if (header.handle_info_off > size ||
        (size - header.handle_info_off) / sizeof(uint32_t) < num_handles) {
        return ZX_ERR_INVALID_ARGS;
    }
    if (!strings_fit(bytes, size, header.args_off, header.args_num) ||
        !strings_fit(bytes, size, header.environ_off, header.environ_num)) {
        return ZX_ERR_INVALID_ARGS;
    }
    out->bytes = bytes;
    out->handle_info_off = header.handle_info_off;
    out->args_off = header.args_off;
    out->args_num = header.args_num;
    out->environ_off = header.environ_off;
    out->environ_num = header.environ_num;
    return ZX_OK;
}

uint32_t procargs_handle_info(const struct procargs *args, uint32_t i)
{
    uint32_t info;

    memcpy(&info, args->bytes + args->handle_info_off + i * sizeof(info), sizeof(info));
    return info;
}

struct writer {
    unsigned char *buffer;
    size_t capacity;
    size_t used;
    bool full;
};

static void put_bytes(struct writer *w, const void *from, size_t bytes)
{
    if (w->full || w->capacity - w->used < bytes) {
        w->full = true;
        return;
    }
    memcpy(w->buffer + w->used, from, bytes);
    w->used += bytes;
}

static void put_strings(struct writer *w, const char *const *strings, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put_bytes(w, strings[i], strlen(strings[i]) + 1);
    }
}

zx_status_t procargs_build(void *buffer, size_t capacity, const uint32_t *infos,
                           uint32_t num_handles, const char *const *argv, uint32_t argc,
                           const char *const *envp, uint32_t envc, size_t *actual)
{
    struct writer w = {.buffer = buffer, .capacity = capacity};
    zx_proc_args_t header = {
        .protocol = ZX_PROCARGS_PROTOCOL,
        .version = ZX_PROCARGS_VERSION,
        .args_num = argc,
        .environ_num = envc,
    };

    put_bytes(&w, &header, sizeof(header));
    header.handle_info_off = (uint32_t)w.used;
    for (uint32_t i = 0; i < num_handles; i++) {
        put_bytes(&w, &infos[i], sizeof(infos[i]));
    }
    header.args_off = (uint32_t)w.used;
    put_strings(&w, argv, argc);
    header.environ_off = (uint32_t)w.used;
    put_strings(&w, envp, envc);
    header.names_off = (uint32_t)w.used;
    if (w.full) {
        return ZX_ERR_BUFFER_TOO_SMALL;
    }
    memcpy(w.buffer, &header, sizeof(header));
    *actual = w.used;
    return ZX_OK;
}
