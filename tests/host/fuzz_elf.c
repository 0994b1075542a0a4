/* The ELF reader: what it accepts can be mapped as it says. The first byte of the input says how
 * much longer than its head the file is. */
#include <zircon/errors.h>

#include "formats/elf.h"
#include "tests/host/fuzz.h"

#define PAGE      ((uint64_t)ELF_IMAGE_PAGE_BYTES)
#define USER_SIZE ((uint64_t)1 << 38)

static void check_segment(const struct elf_segment *segment, uint64_t from, uint64_t file_bytes)
{
    CHECK(segment->map_offset % PAGE == 0 && segment->map_bytes % PAGE == 0);
    CHECK(segment->map_offset >= from && segment->map_bytes > 0);
    CHECK(segment->map_offset < USER_SIZE && segment->map_bytes <= USER_SIZE);
    CHECK(segment->data_skip < PAGE);
    CHECK(segment->file_offset <= file_bytes &&
          segment->file_bytes <= file_bytes - segment->file_offset);
    CHECK(segment->file_bytes <= segment->map_bytes - segment->data_skip);
    CHECK(!(segment->perms & ZX_VM_PERM_WRITE) || (segment->perms & ZX_VM_PERM_READ));
    CHECK(!(segment->perms & ZX_VM_PERM_WRITE) || !(segment->perms & ZX_VM_PERM_EXECUTE));
}

static void check_entry(const struct elf_image *image)
{
    for (uint32_t i = 0; i < image->count_segments; i++) {
        const struct elf_segment *segment = &image->segments[i];
        uint64_t start = segment->map_offset + segment->data_skip;
        if ((segment->perms & ZX_VM_PERM_EXECUTE) && image->entry_offset >= start &&
            image->entry_offset - start < segment->file_bytes)
            return;
    }
    CHECK(!"the entry is in the file's bytes of an executable segment");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint64_t file_bytes = size - 1 + (uint64_t)data[0] * 256;
    uint8_t *head = fuzz_copy(data + 1, size - 1);
    struct elf_image image, before;
    const char *why = NULL;

    memset(&image, 0x5a, sizeof(image));
    before = image;
    zx_status_t status = elf_parse(head, size - 1, file_bytes, &image, &why);
    if (status != ZX_OK) {
        CHECK(status == ZX_ERR_IO_DATA_INTEGRITY || status == ZX_ERR_NOT_SUPPORTED);
        CHECK(why != NULL && why[0] != '\0');
        CHECK(memcmp(&image, &before, sizeof(image)) == 0);
        free(head);
        return 0;
    }
    uint64_t end = 0;
    CHECK(image.count_segments >= 1 && image.count_segments <= ELF_IMAGE_MAX_SEGMENTS);
    CHECK(image.segments[0].map_offset == 0);
    for (uint32_t i = 0; i < image.count_segments; i++) {
        check_segment(&image.segments[i], end, file_bytes);
        end = image.segments[i].map_offset + image.segments[i].map_bytes;
    }
    CHECK(image.span_bytes == end && image.first_vaddr % PAGE == 0);
    if (image.has_entry)
        check_entry(&image);
    free(head);
    return 0;
}
