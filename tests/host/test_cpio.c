/* The cpio reader: archives that are right, broken and mutated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zircon/errors.h>

#include "formats/cpio.h"
#include "tests/host/test_random.h"

#define ARCHIVE_MAX 4096u
#define MODE_FILE   0100644u
#define MODE_DIR    0040755u

struct archive {
    uint8_t bytes[ARCHIVE_MAX];
    size_t used;
};

static void put(struct archive *archive, const void *bytes, size_t len)
{
    assert_true(archive->used + len + 4 <= ARCHIVE_MAX);
    memcpy(archive->bytes + archive->used, bytes, len);
    archive->used += len;
    while (archive->used % 4 != 0)
        archive->bytes[archive->used++] = 0;
}

static void add(struct archive *archive, const char *name, uint32_t mode, const char *data)
{
    char head[512];
    size_t name_bytes = strlen(name) + 1;
    int len =
        snprintf(head, sizeof(head), "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
                 1u, mode, 0u, 0u, 1u, 0u, strlen(data), 0u, 0u, 0u, 0u, name_bytes, 0u);
    assert_int_equal(len, 110);
    memcpy(head + len, name, name_bytes);
    put(archive, head, (size_t)len + name_bytes);
    put(archive, data, strlen(data));
}

static void build(struct archive *archive)
{
    memset(archive, 0, sizeof(*archive));
    add(archive, ".", MODE_DIR, "");
    add(archive, "./bin", MODE_DIR, "");
    add(archive, "./bin/shell", MODE_FILE, "I am a shell");
    add(archive, "init", MODE_FILE, "I am init");
    add(archive, "/empty", MODE_FILE, "");
    add(archive, "TRAILER!!!", 0, "");
}

/* On a copy that ends where the archive ends, for ASan. */
static zx_status_t find_exact(const void *data, size_t len_bytes, const char *name,
                              size_t *out_offset, size_t *out_size)
{
    struct cpio_entry file;
    uint8_t *copy = malloc(len_bytes > 0 ? len_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, data, len_bytes);
    zx_status_t status = cpio_find(copy, len_bytes, name, &file);
    if (status == ZX_OK) {
        *out_offset = (size_t)(file.data - copy);
        *out_size = file.size_bytes;
        assert_true(*out_offset <= len_bytes && *out_size <= len_bytes - *out_offset);
        assert_true(strlen(file.name) < len_bytes);
    }
    free(copy);
    return status;
}

static void expect_content(const struct archive *archive, const char *name, const char *want)
{
    size_t offset, size;
    assert_int_equal(find_exact(archive->bytes, archive->used, name, &offset, &size), ZX_OK);
    assert_int_equal(size, strlen(want));
    assert_memory_equal(archive->bytes + offset, want, size);
}

static void finds_files(void **state)
{
    struct archive archive;
    size_t offset, size;
    (void)state;
    build(&archive);
    expect_content(&archive, "init", "I am init");
    expect_content(&archive, "/init", "I am init");
    expect_content(&archive, "bin/shell", "I am a shell");
    expect_content(&archive, "./bin/shell", "I am a shell");
    expect_content(&archive, ".//./bin/shell", "I am a shell");
    expect_content(&archive, "empty", "");
    assert_int_equal(find_exact(archive.bytes, archive.used, "inix", &offset, &size),
                     ZX_ERR_NOT_FOUND);
    assert_int_equal(find_exact(archive.bytes, archive.used, "ini", &offset, &size),
                     ZX_ERR_NOT_FOUND);
    /* A directory is no file. */
    assert_int_equal(find_exact(archive.bytes, archive.used, "bin", &offset, &size),
                     ZX_ERR_NOT_FOUND);
}

static void steps_in_order(void **state)
{
    static const char *const names[] = {".", "bin", "bin/shell", "init", "empty"};
    struct archive archive;
    struct cpio_entry file;
    size_t position = 0;
    (void)state;
    build(&archive);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(cpio_next(archive.bytes, archive.used, &position, &file), ZX_OK);
        assert_string_equal(file.name, names[i]);
    }
    assert_int_equal(cpio_next(archive.bytes, archive.used, &position, &file), ZX_ERR_STOP);
}

static void every_truncation(void **state)
{
    struct archive archive;
    size_t offset, size;
    (void)state;
    build(&archive);
    /* The trailer's header and name are 121 bytes; the three that pad them may be missing. */
    for (size_t len = 0; len < archive.used - 3; len++)
        assert_int_equal(find_exact(archive.bytes, len, "nowhere", &offset, &size),
                         ZX_ERR_IO_DATA_INTEGRITY);
    assert_int_equal(find_exact(archive.bytes, archive.used, "nowhere", &offset, &size),
                     ZX_ERR_NOT_FOUND);
}

/* Writes a header's field of the first entry and expects the archive to be called broken. */
static void expect_broken(unsigned field, const char *digits)
{
    struct archive archive;
    size_t offset, size;
    build(&archive);
    memcpy(archive.bytes + 6 + field * 8, digits, 8);
    assert_int_equal(find_exact(archive.bytes, archive.used, "init", &offset, &size),
                     ZX_ERR_IO_DATA_INTEGRITY);
}

static void broken_fields(void **state)
{
    (void)state;
    expect_broken(6, "ffffffff");  /* data past the end */
    expect_broken(6, "0000100g");  /* no number */
    expect_broken(11, "00000000"); /* no name */
    expect_broken(11, "00000001"); /* a name without its end */
    expect_broken(11, "ffffffff"); /* a name past the end */
    expect_broken(11, "00000003"); /* a name whose end is not its last byte */
    expect_broken(11, "        ");
}

/* A zero inside the name would let two readers see two names. */
static void name_with_a_zero(void **state)
{
    struct archive archive;
    size_t offset, size;
    (void)state;
    build(&archive);
    archive.bytes[112 + 110 + 3] = '\0'; /* "./bin", the second entry's name */
    assert_int_equal(find_exact(archive.bytes, archive.used, "init", &offset, &size),
                     ZX_ERR_IO_DATA_INTEGRITY);
}

static void nothing_changes_on_failure(void **state)
{
    struct archive archive;
    struct cpio_entry entry = {.name = "untouched"};
    size_t position = 0;
    (void)state;
    build(&archive);
    assert_int_equal(cpio_next(archive.bytes, 0, &position, &entry), ZX_ERR_IO_DATA_INTEGRITY);
    assert_int_equal(cpio_next(archive.bytes, 109, &position, &entry), ZX_ERR_IO_DATA_INTEGRITY);
    memcpy(archive.bytes + 6 + 6 * 8, "FFFFFFFF", 8);
    assert_int_equal(cpio_next(archive.bytes, archive.used, &position, &entry),
                     ZX_ERR_IO_DATA_INTEGRITY);
    assert_int_equal(position, 0);
    assert_string_equal(entry.name, "untouched");
    position = archive.used + 1;
    assert_int_equal(cpio_next(archive.bytes, archive.used, &position, &entry),
                     ZX_ERR_IO_DATA_INTEGRITY);
}

/* Reads every byte that an entry promises, from an allocation that ends with the archive. */
static uint64_t walk_exact(const void *data, size_t len_bytes)
{
    struct cpio_entry entry;
    uint64_t sum = 0;
    size_t position = 0, before = 0;
    uint8_t *copy = malloc(len_bytes > 0 ? len_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, data, len_bytes);
    while (cpio_next(copy, len_bytes, &position, &entry) == ZX_OK) {
        assert_true(position > before && position <= len_bytes);
        before = position;
        sum += strlen(entry.name);
        for (size_t i = 0; i < entry.size_bytes; i++)
            sum += entry.data[i];
    }
    free(copy);
    return sum;
}

static void mutated_archives(void **state)
{
    struct test_random random = {.state = 1972};
    unsigned count_by_status[3] = {0};
    uint64_t sum = 0;
    (void)state;
    for (unsigned round = 0; round < 50000; round++) {
        struct archive archive;
        size_t offset, size;
        build(&archive);
        unsigned changes = 1 + (unsigned)test_random_below(&random, 4);
        for (unsigned i = 0; i < changes; i++) {
            static const char digits[] = "0123456789abcdefFx";
            archive.bytes[test_random_below(&random, archive.used)] =
                (uint8_t)digits[test_random_below(&random, sizeof(digits))];
        }
        size_t len = test_random_below(&random, 8) == 0 ? test_random_below(&random, archive.used)
                                                        : archive.used;
        sum += walk_exact(archive.bytes, len);
        zx_status_t status = find_exact(archive.bytes, len, "init", &offset, &size);
        count_by_status[status == ZX_OK ? 0 : status == ZX_ERR_NOT_FOUND ? 1 : 2]++;
    }
    /* Every outcome occurred. */
    for (unsigned i = 0; i < 3; i++)
        assert_true(count_by_status[i] > 100);
    assert_true(sum > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_files),      cmocka_unit_test(steps_in_order),
        cmocka_unit_test(every_truncation), cmocka_unit_test(broken_fields),
        cmocka_unit_test(name_with_a_zero), cmocka_unit_test(nothing_changes_on_failure),
        cmocka_unit_test(mutated_archives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
