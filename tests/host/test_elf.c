/* The ELF reader: a good image, each way to be bad, and mutated images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>

#include "kernel/lib/elf.h"
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
    header->e_entry = 0x1200;
    header->e_phoff = sizeof(*header);
    header->e_phentsize = sizeof(Elf64_Phdr);
    header->e_phnum = ARRAY_COUNT(segments);
    memcpy(segment_of(image, 0), segments, sizeof(segments));
}

/* Parses a copy that ends where the file ends, so that ASan sees every read beyond it. */
static zx_status_t parse_exact(const void *data, size_t len_bytes, struct elf_image *out,
                               const char **why)
{
    void *copy = malloc(len_bytes > 0 ? len_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, data, len_bytes);
    zx_status_t status = elf_parse(copy, len_bytes, out, why);
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
    assert_int_equal(elf.entry, 0x1200);
    assert_int_equal(elf.span_first, 0);
    assert_int_equal(elf.span_end, 0x7000);
    assert_int_equal(elf.stack_bytes, 0x20000);
    assert_int_equal(elf.segments[0].flags, ELF_SEGMENT_READ);
    assert_int_equal(elf.segments[1].flags, ELF_SEGMENT_READ | ELF_SEGMENT_EXEC);
    assert_int_equal(elf.segments[2].flags, ELF_SEGMENT_READ | ELF_SEGMENT_WRITE);
    assert_int_equal(elf.segments[2].vaddr, 0x4010);
    assert_int_equal(elf.segments[2].file_offset, 0x2010);
    assert_int_equal(elf.segments[2].file_bytes, 0x100);
    assert_int_equal(elf.segments[2].mem_bytes, 0x2000);
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
    uint64_t end = elf->span_first;
    assert_in_range(elf->count_segments, 1, ELF_MAX_SEGMENTS);
    for (size_t i = 0; i < elf->count_segments; i++) {
        const struct elf_segment *segment = &elf->segments[i];
        assert_true(round_down(segment->vaddr, PAGE_SIZE_BYTES) >= end);
        assert_true(segment->mem_bytes > 0 && segment->file_bytes <= segment->mem_bytes);
        assert_true(segment->file_offset <= len_bytes);
        assert_true(segment->file_bytes <= len_bytes - segment->file_offset);
        assert_true((segment->flags & (ELF_SEGMENT_WRITE | ELF_SEGMENT_EXEC)) !=
                    (ELF_SEGMENT_WRITE | ELF_SEGMENT_EXEC));
        end = round_up(segment->vaddr + segment->mem_bytes, PAGE_SIZE_BYTES);
        assert_true(end > segment->vaddr);
    }
    assert_int_equal(end, elf->span_end);
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
        cmocka_unit_test(good_image),
        cmocka_unit_test(bad_images),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(mutated_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
