/* The "newc" cpio reader. Layout: cpio(5), "New ASCII Format": a magic of six characters, thirteen
 * fields of eight hexadecimal digits, the name, the data; name and data padded to four bytes. */
#include "kernel/lib/cpio.h"

#include "kernel/lib/string.h"

#define CPIO_HEADER_BYTES 110u
#define CPIO_MAGIC_BYTES  6u
#define CPIO_FIELD_BYTES  8u

/* Numbers of the fields. */
#define CPIO_FIELD_MODE     1u
#define CPIO_FIELD_FILESIZE 6u
#define CPIO_FIELD_NAMESIZE 11u

#define CPIO_MODE_TYPE    0170000u
#define CPIO_MODE_REGULAR 0100000u

static bool read_field(const uint8_t *header, unsigned number, uint32_t *out)
{
    const uint8_t *digits = header + CPIO_MAGIC_BYTES + number * CPIO_FIELD_BYTES;
    uint32_t value = 0;

    for (unsigned i = 0; i < CPIO_FIELD_BYTES; i++) {
        uint8_t c = digits[i];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10u;
        else if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10u;
        else
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

static bool magic_is_good(const uint8_t *header)
{
    return memcmp(header, "07070", 5) == 0 && (header[5] == '1' || header[5] == '2');
}

zx_status_t cpio_next_file(const void *data, size_t len_bytes, size_t *position,
                           struct cpio_file *out)
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
    if (name_bytes == 0 || name_bytes > len_bytes - name_at ||
        archive[name_at + name_bytes - 1] != '\0')
        return ZX_ERR_IO_DATA_INTEGRITY;
    const char *name = (const char *)archive + name_at;
    if (strcmp(name, "TRAILER!!!") == 0)
        return ZX_ERR_STOP;

    size_t data_at = round_up(name_at + name_bytes, 4);
    if (data_at > len_bytes || file_bytes > len_bytes - data_at)
        return ZX_ERR_IO_DATA_INTEGRITY;
    *position = round_up(data_at + file_bytes, 4);
    out->name = name;
    out->data = archive + data_at;
    out->size_bytes = file_bytes;
    out->mode = mode;
    return ZX_OK;
}

static const char *skip_root(const char *name)
{
    if (name[0] == '.' && name[1] == '/')
        name++;
    while (*name == '/')
        name++;
    return name;
}

zx_status_t cpio_find_file(const void *data, size_t len_bytes, const char *name,
                           struct cpio_file *out)
{
    size_t position = 0;
    struct cpio_file file;
    zx_status_t status;

    while ((status = cpio_next_file(data, len_bytes, &position, &file)) == ZX_OK) {
        if ((file.mode & CPIO_MODE_TYPE) == CPIO_MODE_REGULAR &&
            strcmp(skip_root(file.name), skip_root(name)) == 0) {
            *out = file;
            return ZX_OK;
        }
    }
    return status == ZX_ERR_STOP ? ZX_ERR_NOT_FOUND : status;
}
