/* The ELF64 reader. Layouts and numbers: formats/elf_types.h. */
#include "formats/elf.h"

#include <zircon/errors.h>

#include "formats/elf_types.h"

#define PAGE_MASK ((uint64_t)ELF_IMAGE_PAGE_BYTES - 1)

/* The end of user addresses under Sv39; nothing larger can be placed. Keeps every sum below from
 * wrapping. */
#define MAX_ADDRESS ((uint64_t)1 << 38)

static zx_status_t bad(const char **out_why, const char *why)
{
    *out_why = why;
    return ZX_ERR_IO_DATA_INTEGRITY;
}

static zx_status_t unsupported(const char **out_why, const char *why)
{
    *out_why = why;
    return ZX_ERR_NOT_SUPPORTED;
}

static zx_status_t check_header(const struct elf64_ehdr *header, size_t head_bytes,
                                const char **out_why)
{
    const uint8_t *ident = header->e_ident;

    if (ident[0] != 0x7f || ident[1] != 'E' || ident[2] != 'L' || ident[3] != 'F')
        return bad(out_why, "no ELF magic");
    if (ident[4] != ELF_CLASS64 || ident[5] != ELF_DATA_LSB || header->e_machine != ELF_EM_RISCV)
        return unsupported(out_why, "not a 64-bit little-endian RISC-V ELF");
    if (ident[6] != ELF_EV_CURRENT || header->e_version != ELF_EV_CURRENT)
        return bad(out_why, "an unknown version of ELF");
    if (header->e_type != ELF_ET_DYN)
        return unsupported(out_why, "not position-independent (ET_DYN)");
    if (header->e_phentsize != sizeof(struct elf64_phdr))
        return bad(out_why, "program headers of the wrong size");
    if (header->e_phoff > head_bytes ||
        header->e_phnum > (head_bytes - header->e_phoff) / sizeof(struct elf64_phdr))
        return bad(out_why, "program headers past the end of the file or of what was read of it");
    return ZX_OK;
}

/* Writable memory is readable too: RISC-V has no other. Execute-only memory stays so. */
static uint32_t perms_from_flags(uint32_t flags)
{
    return ((flags & ELF_PF_R) ? ZX_VM_PERM_READ : 0) |
           ((flags & ELF_PF_W) ? ZX_VM_PERM_READ | ZX_VM_PERM_WRITE : 0) |
           ((flags & ELF_PF_X) ? ZX_VM_PERM_EXECUTE : 0);
}

/* NULL, or what is wrong with a PT_LOAD that has memory. */
static const char *find_fault(const struct elf64_phdr *phdr, uint64_t file_bytes)
{
    if (phdr->p_filesz > phdr->p_memsz)
        return "a segment larger in the file than in memory";
    if (phdr->p_offset > file_bytes || phdr->p_filesz > file_bytes - phdr->p_offset)
        return "a segment past the end of the file";
    if (phdr->p_vaddr >= MAX_ADDRESS || phdr->p_memsz > MAX_ADDRESS - phdr->p_vaddr)
        return "a segment at an impossible address";
    if (((phdr->p_offset ^ phdr->p_vaddr) & PAGE_MASK) != 0)
        return "a segment whose address and file offset do not match";
    if ((phdr->p_flags & ELF_PF_W) && (phdr->p_flags & ELF_PF_X))
        return "a segment both writable and executable";
    return NULL;
}

static zx_status_t add_segment(struct elf_image *image, const struct elf64_phdr *phdr,
                               uint64_t file_bytes, const char **out_why)
{
    uint64_t start = phdr->p_vaddr & ~PAGE_MASK;

    if (phdr->p_memsz == 0)
        return ZX_OK;
    const char *fault = find_fault(phdr, file_bytes);
    if (fault != NULL)
        return bad(out_why, fault);
    if (image->count_segments == 0)
        image->first_vaddr = start;
    else if (start < image->first_vaddr + image->span_bytes)
        return bad(out_why, "segments out of order or sharing a page");
    if (image->count_segments == ELF_IMAGE_MAX_SEGMENTS)
        return unsupported(out_why, "too many segments");

    uint64_t end = (phdr->p_vaddr + phdr->p_memsz + PAGE_MASK) & ~PAGE_MASK;
    image->segments[image->count_segments++] = (struct elf_segment){
        .map_offset = start - image->first_vaddr,
        .map_bytes = end - start,
        .data_skip = phdr->p_vaddr - start,
        .file_offset = phdr->p_offset,
        .file_bytes = phdr->p_filesz,
        .perms = perms_from_flags(phdr->p_flags),
    };
    image->span_bytes = end - image->first_vaddr;
    return ZX_OK;
}

static zx_status_t read_program_headers(const uint8_t *table, unsigned count, uint64_t file_bytes,
                                        struct elf_image *image, const char **out_why)
{
    for (unsigned i = 0; i < count; i++) {
        struct elf64_phdr phdr;
        zx_status_t status = ZX_OK;

        __builtin_memcpy(&phdr, table + i * sizeof(phdr), sizeof(phdr));
        if (phdr.p_type == ELF_PT_INTERP)
            status = unsupported(out_why, "needs a dynamic linker (PT_INTERP)");
        else if (phdr.p_type == ELF_PT_GNU_STACK)
            image->stack_bytes = phdr.p_memsz;
        else if (phdr.p_type == ELF_PT_LOAD)
            status = add_segment(image, &phdr, file_bytes, out_why);
        if (status != ZX_OK)
            return status;
    }
    return image->count_segments == 0 ? bad(out_why, "no segments to load") : ZX_OK;
}

/* A shared object without an entry has 0 there. */
static bool set_entry(struct elf_image *image, uint64_t entry)
{
    image->has_entry = entry != 0;
    if (!image->has_entry)
        return true;
    image->entry_offset = entry - image->first_vaddr;
    for (uint32_t i = 0; i < image->count_segments; i++) {
        const struct elf_segment *segment = &image->segments[i];
        uint64_t data_offset = segment->map_offset + segment->data_skip;
        if ((segment->perms & ZX_VM_PERM_EXECUTE) && image->entry_offset >= data_offset &&
            image->entry_offset - data_offset < segment->file_bytes)
            return true;
    }
    return false;
}

zx_status_t elf_parse(const void *head, size_t head_bytes, uint64_t file_bytes,
                      struct elf_image *out, const char **out_why)
{
    struct elf_image image = {0};
    struct elf64_ehdr header;

    if (head_bytes > file_bytes)
        head_bytes = file_bytes;
    if (head_bytes < sizeof(header))
        return bad(out_why, "shorter than an ELF header");
    __builtin_memcpy(&header, head, sizeof(header));
    zx_status_t status = check_header(&header, head_bytes, out_why);
    if (status != ZX_OK)
        return status;
    status = read_program_headers((const uint8_t *)head + header.e_phoff, header.e_phnum,
                                  file_bytes, &image, out_why);
    if (status != ZX_OK)
        return status;
    if (!set_entry(&image, header.e_entry))
        return bad(out_why, "the entry point is not in an executable segment");
    *out = image;
    return ZX_OK;
}
