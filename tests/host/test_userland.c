// The parsers of libzx against sound, broken and randomly damaged input. Run under ASan and UBSan:
// input lies at the end of an exactly sized allocation, so that any read past it is reported.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userland/include/elf_types.h"
#include <cmocka.h>
#include <vdso_constants.h>
#include <zircon/processargs.h>

#include "userland/libzx/cpio.h"
#include "userland/libzx/elf_image.h"
#include "userland/libzx/procargs.h"

static uint64_t random_state = 1;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

// A copy with some bytes changed and perhaps a shorter end. The caller frees it.
static unsigned char *damaged_copy(const void *from, size_t bytes, size_t *out_bytes)
{
    size_t kept = random_next() % 4 == 0 ? random_next() % (bytes + 1) : bytes;
    unsigned char *copy = malloc(kept == 0 ? 1 : kept);

    assert_non_null(copy);
    memcpy(copy, from, kept);
    for (uint64_t n = random_next() % 4; n > 0 && kept > 0; n--) {
        static const unsigned char edges[] = {0x00, 0xff, 0x7f, 0x80, '0', 'f'};

        copy[random_next() % kept] = random_next() % 2 == 0 ? (unsigned char)random_next()
                                                            : edges[random_next() % sizeof(edges)];
    }
    *out_bytes = kept;
    return copy;
}

// Archives.

struct archive {
    char bytes[2048];
    size_t used;
};

static void archive_add(struct archive *a, const char *name, uint32_t mode, const char *data,
                        size_t size)
{
    int written = snprintf(a->bytes + a->used, sizeof(a->bytes) - a->used,
                           "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, mode, 0,
                           0, 1, 0, (unsigned)size, 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0);

    assert_int_equal(written, 110);
    a->used += 110;
    memcpy(a->bytes + a->used, name, strlen(name) + 1);
    a->used = (a->used + strlen(name) + 1 + 3) & ~(size_t)3;
    memcpy(a->bytes + a->used, data, size);
    a->used = (a->used + size + 3) & ~(size_t)3;
}

static void archive_make(struct archive *a)
{
    memset(a, 0, sizeof(*a));
    archive_add(a, ".", 0040755, "", 0);
    archive_add(a, "./init", 0100755, "hello", 5);
    archive_add(a, "bin", 0040755, "", 0);
    archive_add(a, "/bin/shell", 0100755, "12345678", 8);
    archive_add(a, "empty", 0100644, "", 0);
    archive_add(a, "TRAILER!!!", 0, "", 0);
}

static void test_cpio_sound(void **state)
{
    static const char *const names[] = {".", "init", "bin", "bin/shell", "empty"};
    struct archive a;
    struct cpio_entry entry;
    size_t offset = 0;

    (void)state;
    archive_make(&a);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(cpio_next(a.bytes, a.used, &offset, &entry), ZX_OK);
        assert_string_equal(entry.name, names[i]);
    }
    assert_int_equal(cpio_next(a.bytes, a.used, &offset, &entry), ZX_ERR_STOP);

    assert_int_equal(cpio_find(a.bytes, a.used, "bin/shell", &entry), ZX_OK);
    assert_int_equal(entry.size, 8);
    assert_memory_equal(entry.data, "12345678", 8);
    assert_int_equal(cpio_find(a.bytes, a.used, "bin", &entry), ZX_ERR_NOT_FOUND);
    assert_int_equal(cpio_find(a.bytes, a.used, "nothing", &entry), ZX_ERR_NOT_FOUND);
}

static void test_cpio_broken(void **state)
{
    struct archive a;
    struct cpio_entry entry = {.name = "untouched"};
    size_t offset = 0;

    (void)state;
    archive_make(&a);
    assert_int_equal(cpio_next(a.bytes, 0, &offset, &entry), ZX_ERR_STOP);
    assert_int_equal(cpio_next(a.bytes, 109, &offset, &entry), ZX_ERR_IO_DATA_INTEGRITY);
    a.bytes[0] = '1';
    assert_int_equal(cpio_next(a.bytes, a.used, &offset, &entry), ZX_ERR_IO_DATA_INTEGRITY);
    archive_make(&a);
    memcpy(a.bytes + 6 + 8 * 6, "FFFFFFFF", 8); // file size
    assert_int_equal(cpio_next(a.bytes, a.used, &offset, &entry), ZX_ERR_IO_DATA_INTEGRITY);
    archive_make(&a);
    memcpy(a.bytes + 6 + 8 * 11, "FFFFFFFF", 8); // name length
    assert_int_equal(cpio_next(a.bytes, a.used, &offset, &entry), ZX_ERR_IO_DATA_INTEGRITY);
    memcpy(a.bytes + 6 + 8 * 11, "00000000", 8);
    assert_int_equal(cpio_next(a.bytes, a.used, &offset, &entry), ZX_ERR_IO_DATA_INTEGRITY);
    memcpy(a.bytes + 6 + 8 * 11, "0000000g", 8);
    assert_int_equal(cpio_next(a.bytes, a.used, &offset, &entry), ZX_ERR_IO_DATA_INTEGRITY);
    assert_int_equal(offset, 0);
    assert_string_equal(entry.name, "untouched");
}

static void test_cpio_damaged(void **state)
{
    struct archive a;
    unsigned sum = 0;

    (void)state;
    archive_make(&a);
    for (int round = 0; round < 200000; round++) {
        size_t bytes;
        size_t offset = 0;
        unsigned char *copy = damaged_copy(a.bytes, a.used, &bytes);
        struct cpio_entry entry;

        while (cpio_next(copy, bytes, &offset, &entry) == ZX_OK) {
            sum += (unsigned)strlen(entry.name);
            for (size_t i = 0; i < entry.size; i++) {
                sum += entry.data[i];
            }
        }
        assert_true(offset <= bytes);
        free(copy);
    }
    assert_int_not_equal(sum, 0);
}

// ELF files.

struct elf_file {
    struct elf64_ehdr header;
    struct elf64_phdr phdr[3];
};

#define ELF_FILE_BYTES 0x3000u

static void elf_make(struct elf_file *f)
{
    static const uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

    memset(f, 0, sizeof(*f));
    memcpy(f->header.e_ident, ident, sizeof(ident));
    f->header.e_type = ELF_ET_DYN;
    f->header.e_machine = ELF_EM_RISCV;
    f->header.e_version = 1;
    f->header.e_entry = 0x1010;
    f->header.e_phoff = sizeof(f->header);
    f->header.e_phentsize = sizeof(struct elf64_phdr);
    f->header.e_phnum = 3;
    f->phdr[0] = (struct elf64_phdr){1, ELF_PF_R, 0, 0, 0, 0x200, 0x200, 0x1000};
    f->phdr[1] = (struct elf64_phdr){1, ELF_PF_R | ELF_PF_X, 0x1000, 0x1000, 0, 0x80, 0x80, 0x1000};
    f->phdr[2] =
        (struct elf64_phdr){1, ELF_PF_R | ELF_PF_W, 0x1f80, 0x2f80, 0, 0x100, 0x1200, 0x1000};
}

static zx_status_t elf_check(const struct elf_file *f, struct elf_image *image)
{
    return elf_image_parse(f, sizeof(*f), ELF_FILE_BYTES, image);
}

static void test_elf_sound(void **state)
{
    struct elf_file f;
    struct elf_image image;

    (void)state;
    elf_make(&f);
    assert_int_equal(elf_check(&f, &image), ZX_OK);
    assert_int_equal(image.num_segments, 3);
    assert_int_equal(image.span_bytes, 0x5000);
    assert_true(image.entry_valid);
    assert_int_equal(image.entry_offset, 0x1010);
    assert_int_equal(image.segments[1].perm, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE);
    assert_int_equal(image.segments[2].perm, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE);
    assert_int_equal(image.segments[2].map_offset, 0x2000);
    assert_int_equal(image.segments[2].map_bytes, 0x3000);
    assert_int_equal(image.segments[2].data_skip, 0xf80);
}

static void test_elf_broken(void **state)
{
    struct elf_file f;
    struct elf_image image = {.num_segments = 77};

    (void)state;
#define EXPECT(change, status)                                                                     \
    do {                                                                                           \
        elf_make(&f);                                                                              \
        change;                                                                                    \
        assert_int_equal(elf_check(&f, &image), status);                                           \
    } while (0)
    EXPECT(f.header.e_ident[0] = 0, ZX_ERR_INVALID_ARGS);
    EXPECT(f.header.e_ident[4] = 1, ZX_ERR_NOT_SUPPORTED);
    EXPECT(f.header.e_machine = 62, ZX_ERR_NOT_SUPPORTED);
    EXPECT(f.header.e_type = 2, ZX_ERR_NOT_SUPPORTED);
    EXPECT(f.header.e_phnum = 4, ZX_ERR_INVALID_ARGS);
    EXPECT(f.header.e_phnum = 0, ZX_ERR_INVALID_ARGS);
    EXPECT(f.header.e_phoff = UINT64_MAX, ZX_ERR_INVALID_ARGS);
    EXPECT(f.header.e_phentsize = 55, ZX_ERR_INVALID_ARGS);
    EXPECT(f.phdr[1].p_type = ELF_PT_INTERP, ZX_ERR_NOT_SUPPORTED);
    EXPECT(f.phdr[1].p_flags = 7, ZX_ERR_INVALID_ARGS);
    EXPECT(f.phdr[1].p_offset = 0x1001, ZX_ERR_INVALID_ARGS);
    EXPECT(f.phdr[1].p_offset = UINT64_MAX - 0xfff, ZX_ERR_INVALID_ARGS);
    EXPECT(f.phdr[1].p_filesz = 0x81, ZX_ERR_INVALID_ARGS);
    EXPECT((f.phdr[1].p_filesz = f.phdr[1].p_memsz = 0x2001), ZX_ERR_INVALID_ARGS);
    EXPECT(f.phdr[2].p_memsz = UINT64_MAX, ZX_ERR_INVALID_ARGS);
    EXPECT(f.phdr[2].p_vaddr = UINT64_MAX - 0x7f, ZX_ERR_INVALID_ARGS);
    EXPECT(f.phdr[2].p_vaddr = 0x1f80, ZX_ERR_INVALID_ARGS);
    EXPECT((f.phdr[0].p_type = f.phdr[1].p_type = f.phdr[2].p_type = 0), ZX_ERR_INVALID_ARGS);
    assert_int_equal(image.num_segments, 77);
    EXPECT(f.header.e_entry = 0, ZX_OK);
    assert_false(image.entry_valid);
#undef EXPECT
    assert_int_equal(elf_image_parse(&f, 10, ELF_FILE_BYTES, &image), ZX_ERR_INVALID_ARGS);
}

// Whatever is accepted can be loaded without leaving the file or the reserved span.
static void test_elf_damaged(void **state)
{
    struct elf_file f;
    unsigned accepted = 0;

    (void)state;
    elf_make(&f);
    for (int round = 0; round < 200000; round++) {
        size_t bytes;
        unsigned char *copy = damaged_copy(&f, sizeof(f), &bytes);
        struct elf_image image;
        uint64_t end = 0;

        if (elf_image_parse(copy, bytes, ELF_FILE_BYTES, &image) == ZX_OK) {
            accepted++;
            assert_in_range(image.num_segments, 1, ELF_IMAGE_MAX_SEGMENTS);
            for (uint32_t i = 0; i < image.num_segments; i++) {
                const struct elf_segment *s = &image.segments[i];

                assert_true(s->map_offset >= end);
                end = s->map_offset + s->map_bytes;
                assert_true((s->map_offset | s->map_bytes) % ELF_IMAGE_PAGE_BYTES == 0);
                assert_true(s->data_skip < ELF_IMAGE_PAGE_BYTES);
                assert_true(s->data_skip + s->file_bytes <= s->map_bytes);
                assert_true(s->file_offset + s->file_bytes <= ELF_FILE_BYTES);
                assert_true((s->perm & (ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)) !=
                            (ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE));
            }
            assert_int_equal(end, image.span_bytes);
            assert_true(!image.entry_valid || image.entry_offset < image.span_bytes);
        }
        free(copy);
    }
    assert_int_not_equal(accepted, 0);
}

// Bootstrap messages.

static size_t message_make(unsigned char *buffer, size_t capacity)
{
    static const uint32_t infos[] = {PA_HND(PA_PROC_SELF, 0), PA_HND(PA_USER0, 3)};
    static const char *const argv[] = {"prog", "", "second"};
    static const char *const envp[] = {"A=1"};
    size_t bytes = 0;

    assert_int_equal(procargs_build(buffer, capacity, infos, 2, argv, 3, envp, 1, &bytes), ZX_OK);
    return bytes;
}

static void test_procargs(void **state)
{
    unsigned char buffer[256];
    size_t bytes = message_make(buffer, sizeof(buffer));
    size_t ignored = 0;
    struct procargs args;

    (void)state;
    assert_int_equal(procargs_parse(buffer, bytes, 2, &args), ZX_OK);
    assert_int_equal(args.args_num, 3);
    assert_int_equal(args.environ_num, 1);
    assert_string_equal((const char *)buffer + args.args_off, "prog");
    assert_string_equal((const char *)buffer + args.environ_off, "A=1");
    assert_int_equal(procargs_handle_info(&args, 1), PA_HND(PA_USER0, 3));

    assert_int_equal(procargs_parse(buffer, bytes, 60, &args), ZX_ERR_INVALID_ARGS);
    assert_int_equal(procargs_parse(buffer, bytes - 1, 2, &args), ZX_ERR_INVALID_ARGS);
    assert_int_equal(procargs_parse(buffer, 35, 0, &args), ZX_ERR_INVALID_ARGS);
    buffer[0] ^= 1;
    assert_int_equal(procargs_parse(buffer, bytes, 2, &args), ZX_ERR_INVALID_ARGS);
    assert_int_equal(
        procargs_build(buffer, 40, NULL, 0, (const char *const[]){"12345"}, 1, NULL, 0, &ignored),
        ZX_ERR_BUFFER_TOO_SMALL);
}

static void test_procargs_damaged(void **state)
{
    unsigned char buffer[256];
    size_t sound_bytes = message_make(buffer, sizeof(buffer));
    unsigned accepted = 0;
    uint64_t sum = 0;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        size_t bytes;
        unsigned char *copy = damaged_copy(buffer, sound_bytes, &bytes);
        struct procargs args;

        if (procargs_parse(copy, bytes, 2, &args) == ZX_OK) {
            const char *string = (const char *)copy + args.args_off;

            accepted++;
            for (uint32_t i = 0; i < args.args_num; i++) {
                string += strlen(string) + 1;
            }
            for (uint32_t i = 0; i < 2; i++) {
                sum += procargs_handle_info(&args, i);
            }
            sum += (uint64_t)(string - (const char *)copy);
        }
        free(copy);
    }
    assert_int_not_equal(accepted, 0);
    assert_int_not_equal(sum, 0);
}

// The clock's multiplier.

static void test_vdso_rate(void **state)
{
    static const uint64_t rates[] = {1,        32768,     1000000,    4000000,   10000000,
                                     24000000, 999999937, 1000000000, 3333333333};

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct vdso_constants c = {0};

        vdso_constants_set_rate(&c, rates[i]);
        assert_in_range(c.ns_shift, 1, 63);
        // A century at most, and within what a signed 64-bit time can hold.
        for (uint64_t seconds = 1; seconds < 3000000000; seconds = seconds * 7 + 1) {
            uint64_t ticks = seconds * rates[i];
            int64_t ns = vdso_constants_ns(&c, ticks);
            int64_t error = ns - (int64_t)(seconds * 1000000000);

            assert_in_range(error + 2, 0, 2 + seconds / 1000000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpio_sound),   cmocka_unit_test(test_cpio_broken),
        cmocka_unit_test(test_cpio_damaged), cmocka_unit_test(test_elf_sound),
        cmocka_unit_test(test_elf_broken),   cmocka_unit_test(test_elf_damaged),
        cmocka_unit_test(test_procargs),     cmocka_unit_test(test_procargs_damaged),
        cmocka_unit_test(test_vdso_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
