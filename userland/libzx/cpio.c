#include "userland/libzx/cpio.h"

#include <string.h>

// The header is 6 bytes of magic and 13 numbers of 8 hexadecimal digits; cpio(5), "New ASCII
// Format". Name and data each start at a multiple of 4.
#define HEADER_BYTES  110
#define FIELD_MODE    1
#define FIELD_SIZE    6
#define FIELD_NAMELEN 11

static bool field_read(const char *header, unsigned index, uint32_t *out)
{
    const char *digits = header + 6 + 8 * index;
    uint32_t value = 0;

    for (unsigned i = 0; i < 8; i++) {
        char c = digits[i];
        uint32_t digit;

        if (c >= '0' && c <= '9') {
            digit = (uint32_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = (uint32_t)(c - 'a') + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = (uint32_t)(c - 'A') + 10;
        } else {
            return false;
        }
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

static size_t align4(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

zx_status_t cpio_next(const void *archive, size_t archive_bytes, size_t *offset,
                      struct cpio_entry *entry)
{
    size_t at = *offset;
    const char *header = (const char *)archive + at;
    uint32_t mode;
    uint32_t size;
    uint32_t name_bytes;
    size_t data_at;
    const char *name;

    if (at == archive_bytes) {
        return ZX_ERR_STOP;
    }
    if (at > archive_bytes || archive_bytes - at < HEADER_BYTES ||
        (memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0) ||
        !field_read(header, FIELD_MODE, &mode) || !field_read(header, FIELD_SIZE, &size) ||
        !field_read(header, FIELD_NAMELEN, &name_bytes)) {
        return ZX_ERR_IO_DATA_INTEGRITY;
    }
    name = header + HEADER_BYTES;
    if (name_bytes == 0 || name_bytes > archive_bytes - at - HEADER_BYTES ||
        memchr(name, '\0', name_bytes) != name + name_bytes - 1) {
        return ZX_ERR_IO_DATA_INTEGRITY;
    }
    if (strcmp(name, "TRAILER!!!") == 0) {
        return ZX_ERR_STOP;
    }
    data_at = align4(at + HEADER_BYTES + name_bytes);
    if (data_at > archive_bytes || size > archive_bytes - data_at) {
        return ZX_ERR_IO_DATA_INTEGRITY;
    }
    while (name[0] == '/' || (name[0] == '.' && name[1] == '/')) {
        name++;
    }
    entry->name = name;
    entry->mode = mode;
    entry->data = (const unsigned char *)archive + data_at;
    entry->size = size;
    // The padding after the last entry may be cut off.
    at = align4(data_at + size);
    *offset = at < archive_bytes ? at : archive_bytes;
    return ZX_OK;
}

zx_status_t cpio_find(const void *archive, size_t archive_bytes, const char *name,
                      struct cpio_entry *entry)
{
    size_t offset = 0;
    struct cpio_entry candidate;

    for (;;) {
        zx_status_t status = cpio_next(archive, archive_bytes, &offset, &candidate);

        if (status != ZX_OK) {
            return status == ZX_ERR_STOP ? ZX_ERR_NOT_FOUND : status;
        }
        if ((candidate.mode & CPIO_MODE_TYPE) == CPIO_MODE_FILE &&
            strcmp(candidate.name, name) == 0) {
            *entry = candidate;
            return ZX_OK;
        }
    }
}
