/* The ELF64 reader. Layouts and numbers: System V ABI, chapters 4 and 5, and the RISC-V ELF psABI.
 */
#include "kernel/lib/elf.h"

#include "kernel/lib/string.h"

#define ELF_HEADER_BYTES  64u
#define ELF_PHENTRY_BYTES 56u

/* Offsets in the file header. */
#define EH_CLASS     4u
#define EH_DATA      5u
#define EH_VERSION   6u
#define EH_TYPE      16u
#define EH_MACHINE   18u
#define EH_ENTRY     24u
#define EH_PHOFF     32u
#define EH_PHENTSIZE 54u
#define EH_PHNUM     56u

#define ELFCLASS64  2u
#define ELFDATA2LSB 1u
#define EV_CURRENT  1u
#define ET_DYN      3u
#define EM_RISCV    243u

/* Offsets in a program header. */
#define PH_TYPE   0u
#define PH_FLAGS  4u
#define PH_OFFSET 8u
#define PH_VADDR  16u
#define PH_FILESZ 32u
#define PH_MEMSZ  40u

#define PT_LOAD      1u
#define PT_INTERP    3u
#define PT_GNU_STACK 0x6474e551u

/* No image of ours comes near; keeps every sum below from wrapping. */
#define ELF_MAX_SPAN (1ul << 36)

static uint16_t read_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t read_u32(const uint8_t *at)
{
    return read_u16(at) | (uint32_t)read_u16(at + 2) << 16;
}

static uint64_t read_u64(const uint8_t *at)
{
    return read_u32(at) | (uint64_t)read_u32(at + 4) << 32;
}

static zx_status_t bad(const char **out_why, const char *why)
{
    *out_why = why;
    return ZX_ERR_IO_DATA_INTEGRITY;
}

static zx_status_t check_header(const uint8_t *data, size_t len_bytes, const char **out_why)
{
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};

    if (len_bytes < ELF_HEADER_BYTES)
        return bad(out_why, "shorter than an ELF header");
    if (memcmp(data, magic, sizeof(magic)) != 0)
        return bad(out_why, "no ELF magic");
    if (data[EH_CLASS] != ELFCLASS64 || data[EH_DATA] != ELFDATA2LSB ||
        data[EH_VERSION] != EV_CURRENT || read_u16(data + EH_MACHINE) != EM_RISCV) {
        *out_why = "not a 64-bit little-endian RISC-V ELF";
        return ZX_ERR_NOT_SUPPORTED;
    }
    if (read_u16(data + EH_TYPE) != ET_DYN) {
        *out_why = "not position-independent (ET_DYN)";
        return ZX_ERR_NOT_SUPPORTED;
    }
    if (read_u16(data + EH_PHENTSIZE) != ELF_PHENTRY_BYTES)
        return bad(out_why, "program headers of the wrong size");
    return ZX_OK;
}

static zx_status_t add_segment(const uint8_t *header, size_t len_bytes, struct elf_image *image,
                               const char **out_why)
{
    struct elf_segment segment = {
        .vaddr = read_u64(header + PH_VADDR),
        .file_offset = read_u64(header + PH_OFFSET),
        .file_bytes = read_u64(header + PH_FILESZ),
        .mem_bytes = read_u64(header + PH_MEMSZ),
        .flags =
            read_u32(header + PH_FLAGS) & (ELF_SEGMENT_EXEC | ELF_SEGMENT_WRITE | ELF_SEGMENT_READ),
    };
    if (segment.mem_bytes == 0)
        return ZX_OK;
    if (segment.file_bytes > segment.mem_bytes)
        return bad(out_why, "a segment larger in the file than in memory");
    if (segment.file_offset > len_bytes || segment.file_bytes > len_bytes - segment.file_offset)
        return bad(out_why, "a segment past the end of the file");
    if (segment.vaddr >= ELF_MAX_SPAN || segment.mem_bytes > ELF_MAX_SPAN - segment.vaddr)
        return bad(out_why, "a segment at an absurd address");
    if ((segment.vaddr & PAGE_MASK) != (segment.file_offset & PAGE_MASK))
        return bad(out_why, "a segment whose address and file offset do not match");
    if ((segment.flags & ELF_SEGMENT_WRITE) && (segment.flags & ELF_SEGMENT_EXEC))
        return bad(out_why, "a segment both writable and executable");
    if (image->count_segments > 0 && round_down(segment.vaddr, PAGE_SIZE_BYTES) < image->span_end)
        return bad(out_why, "segments out of order or sharing a page");
    if (image->count_segments == ELF_MAX_SEGMENTS)
        return bad(out_why, "too many segments");
    if (image->count_segments == 0)
        image->span_first = round_down(segment.vaddr, PAGE_SIZE_BYTES);
    image->span_end = round_up(segment.vaddr + segment.mem_bytes, PAGE_SIZE_BYTES);
    image->segments[image->count_segments++] = segment;
    return ZX_OK;
}

static bool entry_is_executable(const struct elf_image *image)
{
    for (size_t i = 0; i < image->count_segments; i++) {
        const struct elf_segment *segment = &image->segments[i];
        if ((segment->flags & ELF_SEGMENT_EXEC) && image->entry >= segment->vaddr &&
            image->entry - segment->vaddr < segment->file_bytes)
            return true;
    }
    return false;
}

static zx_status_t read_program_headers(const uint8_t *data, size_t len_bytes,
                                        struct elf_image *image, const char **out_why)
{
    uint64_t offset = read_u64(data + EH_PHOFF);
    uint64_t table_bytes = (uint64_t)read_u16(data + EH_PHNUM) * ELF_PHENTRY_BYTES;

    if (offset > len_bytes || table_bytes > len_bytes - offset)
        return bad(out_why, "program headers past the end of the file");
    for (uint64_t at = 0; at < table_bytes; at += ELF_PHENTRY_BYTES) {
        const uint8_t *header = data + offset + at;
        uint32_t type = read_u32(header + PH_TYPE);
        if (type == PT_INTERP) {
            *out_why = "needs a dynamic linker (PT_INTERP)";
            return ZX_ERR_NOT_SUPPORTED;
        }
        if (type == PT_GNU_STACK)
            image->stack_bytes = read_u64(header + PH_MEMSZ);
        if (type != PT_LOAD)
            continue;
        zx_status_t status = add_segment(header, len_bytes, image, out_why);
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

zx_status_t elf_parse(const void *data, size_t len_bytes, struct elf_image *out,
                      const char **out_why)
{
    struct elf_image image;
    zx_status_t status = check_header(data, len_bytes, out_why);
    if (status != ZX_OK)
        return status;
    memset(&image, 0, sizeof(image));
    image.entry = read_u64((const uint8_t *)data + EH_ENTRY);
    status = read_program_headers(data, len_bytes, &image, out_why);
    if (status != ZX_OK)
        return status;
    if (image.count_segments == 0)
        return bad(out_why, "no segments to load");
    /* A shared object without an entry has 0 there. */
    if (image.entry != 0 && !entry_is_executable(&image))
        return bad(out_why, "the entry point is not in an executable segment");
    *out = image;
    return ZX_OK;
}
