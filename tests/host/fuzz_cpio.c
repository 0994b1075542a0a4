/* The cpio reader: whatever the bytes are, entries lie in the archive and the walk ends. */
#include <zircon/errors.h>

#include "formats/cpio.h"
#include "tests/host/fuzz.h"

static void check_entry(const uint8_t *archive, size_t size, const struct cpio_entry *entry)
{
    const uint8_t *name = (const uint8_t *)entry->name;
    CHECK(name >= archive && name < archive + size);
    CHECK(memchr(name, '\0', (size_t)(archive + size - name)) != NULL);
    CHECK(entry->data >= archive && entry->data <= archive + size);
    CHECK(entry->size_bytes <= (size_t)(archive + size - entry->data));
}

/* Looking an entry up by its name finds it, or one with that name before it. */
static void check_find(const uint8_t *archive, size_t size, const struct cpio_entry *entry)
{
    struct cpio_entry found;
    if ((entry->mode & CPIO_MODE_TYPE) != CPIO_MODE_FILE)
        return;
    CHECK(cpio_find(archive, size, entry->name, &found) == ZX_OK);
    check_entry(archive, size, &found);
    CHECK(strcmp(found.name, entry->name) == 0);
    CHECK((found.mode & CPIO_MODE_TYPE) == CPIO_MODE_FILE);
    CHECK(found.data <= entry->data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *archive = fuzz_copy(data, size);
    struct cpio_entry entry, before;
    size_t position = 0, last = 0;
    zx_status_t status;

    memset(&entry, 0, sizeof(entry));
    for (;;) {
        before = entry;
        status = cpio_next(archive, size, &position, &entry);
        if (status != ZX_OK)
            break;
        CHECK(position > last && position <= size);
        check_entry(archive, size, &entry);
        check_find(archive, size, &entry);
        last = position;
    }
    CHECK(status == ZX_ERR_STOP || status == ZX_ERR_IO_DATA_INTEGRITY);
    CHECK(position == last && memcmp(&entry, &before, sizeof(entry)) == 0);
    free(archive);
    return 0;
}
