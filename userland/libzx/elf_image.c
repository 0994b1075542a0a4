#include "userland/libzx/elf_image.h"

#include "userland/include/elf_types.h"
#include <string.h>

#define PAGE_MASK ((uint64_t)ELF_IMAGE_PAGE_BYTES - 1)

// The end of user addresses under Sv39; nothing larger can be placed.
#define MAX_ADDRESS ((uint64_t)1 << 38)

static zx_status_t header_check(const struct elf64_ehdr *header, size_t head_bytes)
{
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};

    if (memcmp(header->e_ident, magic, sizeof(magic)) != 0) {
        return ZX_ERR_INVALID_ARGS;
    }
    if (header->e_ident[4] != ELF_CLASS64 || header->e_ident[5] != ELF_DATA_LSB ||
        header->e_machine != ELF_EM_RISCV || header->e_type != ELF_ET_DYN) {
        return ZX_ERR_NOT_SUPPORTED;
    }
    if (header->e_ident[6] != ELF_EV_CURRENT || header->e_version != ELF_EV_CURRENT ||
        header->e_phentsize != sizeof(struct elf64_phdr) || header->e_phnum == 0 ||
        header->e_phoff > head_bytes ||
        header->e_phnum > (head_bytes - header->e_phoff) / sizeof(struct elf64_phdr)) {
        return ZX_ERR_INVALID_ARGS;
    }
    return ZX_OK;
}

static uint32_t perm_from_flags(uint32_t flags)
{
    uint32_t perm = 0;

    if (flags & ELF_PF_R) {
        perm |= ZX_VM_PERM_READ;
    }
    if (flags & ELF_PF_W) {
        perm |= ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
    }
    if (flags & ELF_PF_X) {
        perm |= ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE;
    }
    return perm;
}

// Adds one PT_LOAD. *low is the address of the image's first page, set by the first segment.
static zx_status_t segment_add(struct elf_image *image, const struct elf64_phdr *phdr,
                               uint64_t file_bytes, uint64_t *low)
{
    struct elf_segment *segment = &image->segments[image->num_segments];
    uint64_t start = phdr->p_vaddr & ~PAGE_MASK;
    uint64_t end;

    if (phdr->p_memsz == 0) {
        return ZX_OK;
    }
    if (image->num_segments == ELF_IMAGE_MAX_SEGMENTS) {
        return ZX_ERR_NOT_SUPPORTED;
    }
    if (phdr->p_vaddr >= MAX_ADDRESS || phdr->p_memsz > MAX_ADDRESS - phdr->p_vaddr ||
        phdr->p_filesz > phdr->p_memsz || phdr->p_offset > file_bytes ||
        phdr->p_filesz > file_bytes - phdr->p_offset ||
        ((phdr->p_offset ^ phdr->p_vaddr) & PAGE_MASK) != 0 ||
        ((phdr->p_flags & ELF_PF_W) != 0 && (phdr->p_flags & ELF_PF_X) != 0)) {
        return ZX_ERR_INVALID_ARGS;
    }
    end = (phdr->p_vaddr + phdr->p_memsz + PAGE_MASK) & ~PAGE_MASK;
    if (image->num_segments == 0) {
        *low = start;
    } else if (start < *low + image->span_bytes) {
        return ZX_ERR_INVALID_ARGS;
    }
    segment->map_offset = start - *low;
    segment->map_bytes = end - start;
    segment->data_skip = phdr->p_vaddr - start;
    segment->file_offset = phdr->p_offset;
    segment->file_bytes = phdr->p_filesz;
    segment->perm = perm_from_flags(phdr->p_flags);
    image->span_bytes = end - *low;
    image->num_segments++;
    return ZX_OK;
}

static void entry_find(struct elf_image *image, uint64_t entry, uint64_t low)
{
    for (uint32_t i = 0; i < image->num_segments; i++) {
        const struct elf_segment *segment = &image->segments[i];

        if ((segment->perm & ZX_VM_PERM_EXECUTE) != 0 && entry >= low + segment->map_offset &&
            entry - low - segment->map_offset < segment->map_bytes) {
            image->entry_offset = entry - low;
            image->entry_valid = true;
        }
    }
}

zx_status_t elf_image_parse(const void *head, size_t head_bytes, uint64_t file_bytes,
                            struct elf_image *out)
{
    struct elf_image image = {0};
    struct elf64_ehdr header;
    uint64_t low = 0;
    zx_status_t status;

    if (head_bytes > file_bytes) {
        head_bytes = file_bytes;
    }
    if (head_bytes < sizeof(header)) {
        return ZX_ERR_INVALID_ARGS;
    }
    memcpy(&header, head, sizeof(header));
    status = header_check(&header, head_bytes);
    for (uint32_t i = 0; status == ZX_OK && i < header.e_phnum; i++) {
        struct elf64_phdr phdr;

        memcpy(&phdr, (const unsigned char *)head + header.e_phoff + i * sizeof(phdr),
               sizeof(phdr));
        if (phdr.p_type == ELF_PT_INTERP) {
            status = ZX_ERR_NOT_SUPPORTED;
        } else if (phdr.p_type == ELF_PT_LOAD) {
            status = segment_add(&image, &phdr, file_bytes, &low);
        }
    }
    if (status != ZX_OK) {
        return status;
    }
    if (image.num_segments == 0) {
        return ZX_ERR_INVALID_ARGS;
    }
    entry_find(&image, header.e_entry, low);
    *out = image;
    return ZX_OK;
}
