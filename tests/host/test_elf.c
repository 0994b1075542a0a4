/* The ELF reader: a good image, each way to be bad, and mutated images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>
#include <zircon/errors.h>

#include "formats/elf.h"
#include "tests/host/test_random.h"

#define IMAGE_BYTES 0x3000u

/* Three segments: headers read-only, text, data with zeros behind it. Built with the C library's
 * <elf.h>, so that the reader's own numbers are checked against somebody else's. */
struct image {
    uint8_t bytes[IMAGE_BYTES];
};

static Elf64_Ehdr *header_of(struct image *image)
{
    return (Elf64_Ehdr *)image->bytes;
}

static Elf64_Phdr *segment_of(struct image *image, unsigned i)
{
    return (Elf64_Phdr *)(image->bytes + sizeof(Elf64_Ehdr)) + i;
}

static void image_build(struct image *image)
{
    static const Elf64_Phdr segments[] = {
        {.p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = 0x400, .p_memsz = 0x400},
        {.p_type = PT_LOAD,
         .p_flags = PF_R | PF_X,
         .p_offset = 0x1000,
         .p_vaddr = 0x1000,
         .p_filesz = 0x800,
         .p_memsz = 0x800},
        {.p_type = PT_LOAD,
         .p_flags = PF_R | PF_W,
         .p_offset = 0x2010,
         .p_vaddr = 0x4010,
         .p_filesz = 0x100,
         .p_memsz = 0x2000},
        {.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_memsz = 0x20000},
    };
    memset(image, 0, sizeof(*image));
    Elf64_Ehdr *header = header_of(image);
    memcpy(header->e_ident, ELFMAG, SELFMAG);
    header->e_ident[EI_CLASS] = ELFCLASS64;
    header->e_ident[EI_DATA] = ELFDATA2LSB;
    header->e_ident[EI_VERSION] = EV_CURRENT;
    header->e_type = ET_DYN;
    header->e_machine = EM_RISCV;
    header->e_version = EV_CURRENT;
    header->e_entry = 0x1200;
    header->e_phoff = sizeof(*header);
    header->e_phentsize = sizeof(Elf64_Phdr);
    header->e_phnum = sizeof(segments) / sizeof(segments[0]);
    memcpy(segment_of(image, 0), segments, sizeof(segments));
}

/* Parses a copy that ends where the file ends, so that ASan sees every read beyond it. */
static zx_status_t parse_exact(const void *data, size_t len_bytes, struct elf_image *out,
                               const char **why)
{
    void *copy = malloc(len_bytes > 0 ? len_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, data, len_bytes);
    zx_status_t status = elf_parse(copy, len_bytes, len_bytes, out, why);
    free(copy);
    return status;
}

static void good_image(void **state)
{
    struct image image;
    struct elf_image elf;
    const char *why = NULL;
    (void)state;
    image_build(&image);
    assert_int_equal(parse_exact(&image, sizeof(image), &elf, &why), ZX_OK);
    assert_int_equal(elf.count_segments, 3);
    assert_true(elf.has_entry);
    assert_int_equal(elf.entry_offset, 0x1200);
    assert_int_equal(elf.first_vaddr, 0);
    assert_int_equal(elf.span_bytes, 0x7000);
    assert_int_equal(elf.stack_bytes, 0x20000);
    assert_int_equal(elf.segments[0].perms, ZX_VM_PERM_READ);
    assert_int_equal(elf.segments[1].perms, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE);
    assert_int_equal(elf.segments[2].perms, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE);
    assert_int_equal(elf.segments[2].map_offset, 0x4000);
    assert_int_equal(elf.segments[2].map_bytes, 0x3000);
    assert_int_equal(elf.segments[2].data_skip, 0x10);
    assert_int_equal(elf.segments[2].file_offset, 0x2010);
    assert_int_equal(elf.segments[2].file_bytes, 0x100);
}

/* An image whose first page is not at 0: offsets count from that page. */
static void image_above_zero(void **state)
{
    struct image image;
    struct elf_image elf;
    const char *why = NULL;
    (void)state;
    image_build(&image);
    for (unsigned i = 0; i < 3; i++)
        segment_of(&image, i)->p_vaddr += 0x40000;
    header_of(&image)->e_entry += 0x40000;
    assert_int_equal(parse_exact(&image, sizeof(image), &elf, &why), ZX_OK);
    assert_int_equal(elf.first_vaddr, 0x40000);
    assert_int_equal(elf.entry_offset, 0x1200);
    assert_int_equal(elf.span_bytes, 0x7000);
    assert_int_equal(elf.segments[0].map_offset, 0);
    assert_int_equal(elf.segments[2].map_offset, 0x4000);
}

static void permissions(void **state)
{
    struct image image;
    struct elf_image elf;
    const char *why = NULL;
    (void)state;
    image_build(&image);
    segment_of(&image, 0)->p_flags = 0;
    segment_of(&image, 1)->p_flags = PF_X;
    segment_of(&image, 2)->p_flags = PF_W;
    assert_int_equal(parse_exact(&image, sizeof(image), &elf, &why), ZX_OK);
    assert_int_equal(elf.segments[0].perms, 0);
    assert_int_equal(elf.segments[1].perms, ZX_VM_PERM_EXECUTE);
    assert_int_equal(elf.segments[2].perms, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE);
}

static void no_entry(void **state)
{
    struct image image;
    struct elf_image elf;
    const char *why = NULL;
    (void)state;
    image_build(&image);
    header_of(&image)->e_entry = 0;
    assert_int_equal(parse_exact(&image, sizeof(image), &elf, &why), ZX_OK);
    assert_false(elf.has_entry);
}

/* The headers are enough: segments are judged by the size of the file, headers by what is there. */
static void head_alone(void **state)
{
    const size_t head_bytes = sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr);
    struct image image;
    struct elf_image elf;
    const char *why = NULL;
    (void)state;
    image_build(&image);
    uint8_t *head = malloc(head_bytes);
    assert_non_null(head);
    memcpy(head, &image, head_bytes);
    assert_int_equal(elf_parse(head, head_bytes, IMAGE_BYTES, &elf, &why), ZX_OK);
    assert_int_equal(elf_parse(head, head_bytes, 0x2110, &elf, &why), ZX_OK);
    assert_int_equal(elf_parse(head, head_bytes, 0x210f, &elf, &why), ZX_ERR_IO_DATA_INTEGRITY);
    assert_int_equal(elf_parse(head, head_bytes - 1, IMAGE_BYTES, &elf, &why),
                     ZX_ERR_IO_DATA_INTEGRITY);
    assert_int_equal(elf_parse(head, IMAGE_BYTES, head_bytes - 1, &elf, &why),
                     ZX_ERR_IO_DATA_INTEGRITY);
    free(head);
}

enum damage {
    DAMAGE_MAGIC,
    DAMAGE_CLASS,
    DAMAGE_ENDIAN,
    DAMAGE_MACHINE,
    DAMAGE_TYPE,
    DAMAGE_PHENTSIZE,
    DAMAGE_PHOFF,
    DAMAGE_PHOFF_WRAPS,
    DAMAGE_INTERP,
    DAMAGE_NO_LOAD,
    DAMAGE_FILE_PAST_MEMORY,
    DAMAGE_FILE_PAST_END,
    DAMAGE_OFFSET_WRAPS,
    DAMAGE_VADDR_WRAPS,
    DAMAGE_INCONGRUENT,
    DAMAGE_WRITABLE_TEXT,
    DAMAGE_SHARED_PAGE,
    DAMAGE_ORDER,
    DAMAGE_ENTRY_IN_DATA,
    DAMAGE_ENTRY_BEHIND_TEXT,
    DAMAGE_IDENT_VERSION,
    DAMAGE_VERSION,
    DAMAGE_PHNUM,
    DAMAGE_MEMORY_WRAPS,
    DAMAGE_SEGMENT_COUNT,
    DAMAGE_COUNT,
};

/* Damages the image and says what must come of it. */
static zx_status_t damage(struct image *image, enum damage kind)
{
    Elf64_Ehdr *header = header_of(image);
    Elf64_Phdr *text = segment_of(image, 1), *data = segment_of(image, 2);

    switch (kind) {
    case DAMAGE_MAGIC:
        header->e_ident[0] = 0;
        break;
    case DAMAGE_CLASS:
        header->e_ident[EI_CLASS] = ELFCLASS32;
        return ZX_ERR_NOT_SUPPORTED;
    case DAMAGE_ENDIAN:
        header->e_ident[EI_DATA] = ELFDATA2MSB;
        return ZX_ERR_NOT_SUPPORTED;
    case DAMAGE_MACHINE:
        header->e_machine = EM_X86_64;
        return ZX_ERR_NOT_SUPPORTED;
    case DAMAGE_TYPE:
        header->e_type = ET_EXEC;
        return ZX_ERR_NOT_SUPPORTED;
    case DAMAGE_PHENTSIZE:
        header->e_phentsize = 32;
        break;
    case DAMAGE_PHOFF:
        header->e_phoff = IMAGE_BYTES - 60;
        break;
    case DAMAGE_PHOFF_WRAPS:
        header->e_phoff = UINT64_MAX - 16;
        break;
    case DAMAGE_INTERP:
        segment_of(image, 3)->p_type = PT_INTERP;
        return ZX_ERR_NOT_SUPPORTED;
    case DAMAGE_NO_LOAD:
        header->e_phnum = 0;
        break;
    case DAMAGE_FILE_PAST_MEMORY:
        text->p_memsz = text->p_filesz - 1;
        break;
    case DAMAGE_FILE_PAST_END:
        data->p_filesz = IMAGE_BYTES;
        data->p_memsz = IMAGE_BYTES;
        break;
    case DAMAGE_OFFSET_WRAPS:
        data->p_offset = UINT64_MAX - 0xfef;
        break;
    case DAMAGE_VADDR_WRAPS:
        data->p_vaddr = UINT64_MAX - 0xfef;
        break;
    case DAMAGE_INCONGRUENT:
        data->p_vaddr += 8;
        break;
    case DAMAGE_WRITABLE_TEXT:
        text->p_flags |= PF_W;
        break;
    case DAMAGE_SHARED_PAGE:
        data->p_vaddr = 0x1010;
        break;
    case DAMAGE_ORDER:
        text->p_vaddr = 0x10000;
        header->e_entry = 0x10000;
        break;
    case DAMAGE_ENTRY_IN_DATA:
        header->e_entry = 0x4010;
        break;
    case DAMAGE_ENTRY_BEHIND_TEXT:
        header->e_entry = 0x1800;
        break;
    case DAMAGE_IDENT_VERSION:
        header->e_ident[EI_VERSION] = EV_CURRENT + 1;
        break;
    case DAMAGE_VERSION:
        header->e_version = EV_CURRENT + 1;
        break;
    case DAMAGE_PHNUM:
        header->e_phnum = UINT16_MAX;
        break;
    case DAMAGE_MEMORY_WRAPS:
        data->p_memsz = UINT64_MAX;
        break;
    case DAMAGE_SEGMENT_COUNT:
        header->e_phnum = ELF_IMAGE_MAX_SEGMENTS + 1;
        for (unsigned i = 0; i < header->e_phnum; i++)
            *segment_of(image, i) = (Elf64_Phdr){
                .p_type = PT_LOAD,
                .p_flags = PF_R,
                .p_vaddr = 0x1000 * (uint64_t)i,
                .p_memsz = 0x1000,
            };
        return ZX_ERR_NOT_SUPPORTED;
    default:
        fail();
    }
    return ZX_ERR_IO_DATA_INTEGRITY;
}

static void bad_images(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < DAMAGE_COUNT; kind++) {
        struct image image;
        struct elf_image elf, before;
        const char *why = NULL;
        memset(&elf, 0x5a, sizeof(elf));
        before = elf;
        image_build(&image);
        zx_status_t want = damage(&image, (enum damage)kind);
        zx_status_t got = parse_exact(&image, sizeof(image), &elf, &why);
        if (got != want)
            fail_msg("damage %u: got %d, want %d", kind, got, want);
        assert_non_null(why);
        assert_memory_equal(&elf, &before, sizeof(elf));
    }
}

static void every_truncation(void **state)
{
    struct image image;
    struct elf_image elf;
    const char *why;
    (void)state;
    image_build(&image);
    /* The last byte that a segment needs is at 0x2110. */
    for (size_t len = 0; len < 0x2110; len++)
        assert_int_not_equal(parse_exact(&image, len, &elf, &why), ZX_OK);
    assert_int_equal(parse_exact(&image, 0x2110, &elf, &why), ZX_OK);
}

/* What a loader relies on without looking again. */
static void assert_sound(const struct elf_image *elf, size_t len_bytes)
{
    uint64_t end = 0;
    assert_in_range(elf->count_segments, 1, ELF_IMAGE_MAX_SEGMENTS);
    for (size_t i = 0; i < elf->count_segments; i++) {
        const struct elf_segment *segment = &elf->segments[i];
        assert_true(segment->map_offset >= end && segment->map_bytes > 0);
        assert_int_equal((segment->map_offset | segment->map_bytes) % ELF_IMAGE_PAGE_BYTES, 0);
        assert_true(segment->data_skip < ELF_IMAGE_PAGE_BYTES);
        assert_int_equal((segment->file_offset - segment->data_skip) % ELF_IMAGE_PAGE_BYTES, 0);
        assert_true(segment->data_skip + segment->file_bytes <= segment->map_bytes);
        assert_true(segment->file_offset <= len_bytes);
        assert_true(segment->file_bytes <= len_bytes - segment->file_offset);
        assert_true((segment->perms & (ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)) !=
                    (ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE));
        assert_true((segment->perms & (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)) != ZX_VM_PERM_WRITE);
        end = segment->map_offset + segment->map_bytes;
        assert_true(end > segment->map_offset);
    }
    assert_int_equal(end, elf->span_bytes);
    assert_int_equal(elf->first_vaddr % ELF_IMAGE_PAGE_BYTES, 0);
    assert_true(!elf->has_entry || elf->entry_offset < elf->span_bytes);
}

static void mutated_images(void **state)
{
    struct test_random random = {.state = 20250117};
    unsigned count_good = 0, count_bad = 0;
    (void)state;
    for (unsigned round = 0; round < 50000; round++) {
        struct image image;
        struct elf_image elf;
        const char *why;
        image_build(&image);
        unsigned changes = 1 + (unsigned)test_random_below(&random, 4);
        for (unsigned i = 0; i < changes; i++) {
            /* Only headers are read. */
            size_t at = test_random_below(&random, sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr));
            image.bytes[at] = (uint8_t)test_random_next(&random);
        }
        size_t len = test_random_below(&random, 8) == 0 ? test_random_below(&random, IMAGE_BYTES)
                                                        : IMAGE_BYTES;
        if (parse_exact(&image, len, &elf, &why) == ZX_OK) {
            assert_sound(&elf, len);
            count_good++;
        } else {
            count_bad++;
        }
    }
    /* Both ways were really taken. */
    assert_true(count_good > 1000);
    assert_true(count_bad > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_image),       cmocka_unit_test(image_above_zero),
        cmocka_unit_test(permissions),      cmocka_unit_test(no_entry),
        cmocka_unit_test(head_alone),       cmocka_unit_test(bad_images),
        cmocka_unit_test(every_truncation), cmocka_unit_test(mutated_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
