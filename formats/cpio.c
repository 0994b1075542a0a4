/* The "newc" cpio reader. Layout: cpio(5), "New ASCII Format": a magic of six characters, thirteen
 * fields of eight hexadecimal digits, the name, the data; name and data padded to four bytes. */
#include "formats/cpio.h"

#include <stdbool.h>
#include <zircon/errors.h>

#define CPIO_HEADER_BYTES 110u
#define CPIO_MAGIC_BYTES  6u
#define CPIO_FIELD_BYTES  8u

/* Numbers of the fields. */
#define CPIO_FIELD_MODE     1u
#define CPIO_FIELD_FILESIZE 6u
#define CPIO_FIELD_NAMESIZE 11u

static bool strings_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static bool magic_is_good(const uint8_t *header)
{
    static const uint8_t begin[CPIO_MAGIC_BYTES - 1] = {'0', '7', '0', '7', '0'};

    for (unsigned i = 0; i < sizeof(begin); i++) {
        if (header[i] != begin[i])
            return false;
    }
    return header[sizeof(begin)] == '1' || header[sizeof(begin)] == '2';
}

static bool read_field(const uint8_t *header, unsigned number, uint32_t *out)
{
    const uint8_t *digits = header + CPIO_MAGIC_BYTES + (size_t)number * CPIO_FIELD_BYTES;
    uint32_t value = 0;

    for (unsigned i = 0; i < CPIO_FIELD_BYTES; i++) {
        uint8_t c = digits[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)c - 'a' + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)c - 'A' + 10;
        else
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

/* The name fills its |name_bytes|: a zero at the end and none before. */
static bool name_is_good(const uint8_t *name, size_t name_bytes)
{
    for (size_t i = 0; i + 1 < name_bytes; i++) {
        if (name[i] == '\0')
            return false;
    }
    return name_bytes > 0 && name[name_bytes - 1] == '\0';
}

static const char *skip_root(const char *name)
{
    while (name[0] == '/' || (name[0] == '.' && name[1] == '/'))
        name++;
    return name;
}

static size_t pad(size_t len_bytes)
{
    return (len_bytes + 3) & ~(size_t)3;
}

zx_status_t cpio_next(const void *data, size_t len_bytes, size_t *position, struct cpio_entry *out)
{
    const uint8_t *archive = data;
    size_t at = *position;
    uint32_t mode, file_bytes, name_bytes;

    if (at > len_bytes || len_bytes - at < CPIO_HEADER_BYTES || !magic_is_good(archive + at))
        return ZX_ERR_IO_DATA_INTEGRITY;
    if (!read_field(archive + at, CPIO_FIELD_MODE, &mode) ||
        !read_field(archive + at, CPIO_FIELD_FILESIZE, &file_bytes) ||
        !read_field(archive + at, CPIO_FIELD_NAMESIZE, &name_bytes))
        return ZX_ERR_IO_DATA_INTEGRITY;

    size_t name_at = at + CPIO_HEADER_BYTES;
    if (name_bytes > len_bytes - name_at || !name_is_good(archive + name_at, name_bytes))
        return ZX_ERR_IO_DATA_INTEGRITY;
    const char *name = (const char *)archive + name_at;
    if (strings_equal(name, "TRAILER!!!"))
        return ZX_ERR_STOP;

    size_t data_at = pad(name_at + name_bytes);
    if (data_at > len_bytes || file_bytes > len_bytes - data_at)
        return ZX_ERR_IO_DATA_INTEGRITY;
    size_t next_at = pad(data_at + file_bytes);
    *position = next_at < len_bytes ? next_at : len_bytes;
    out->name = skip_root(name);
    out->data = archive + data_at;
    out->size_bytes = file_bytes;
    out->mode = mode;
    return ZX_OK;
}

zx_status_t cpio_find(const void *data, size_t len_bytes, const char *name, struct cpio_entry *out)
{
    size_t position = 0;
    struct cpio_entry entry;
    zx_status_t status;

    name = skip_root(name);
    while ((status = cpio_next(data, len_bytes, &position, &entry)) == ZX_OK) {
        if ((entry.mode & CPIO_MODE_TYPE) == CPIO_MODE_FILE && strings_equal(entry.name, name)) {
            *out = entry;
            return ZX_OK;
        }
    }
    return status == ZX_ERR_STOP ? ZX_ERR_NOT_FOUND : status;
}
