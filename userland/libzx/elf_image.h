// What a loader needs to know about an ELF file, checked. Pure functions over memory; nothing in
// the file is trusted.
#ifndef USERLAND_LIBZX_ELF_IMAGE_H_
#define USERLAND_LIBZX_ELF_IMAGE_H_

#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

#define ELF_IMAGE_MAX_SEGMENTS 16
#define ELF_IMAGE_PAGE_BYTES   4096u

// One PT_LOAD segment, widened to whole pages. Offsets are from the image's first page.
struct elf_segment {
    uint64_t map_offset; // page-aligned
    uint64_t map_bytes;  // page-aligned, not 0
    uint64_t data_skip;  // bytes of the first page before the file's data, below a page
    uint64_t file_offset;
    uint64_t file_bytes; // data_skip + file_bytes <= map_bytes; the rest is zero
    uint32_t perm;       // ZX_VM_PERM_*
};

// Segments ascend and share no page; none is both writable and executable.
struct elf_image {
    struct elf_segment segments[ELF_IMAGE_MAX_SEGMENTS];
    uint32_t num_segments; // at least 1
    uint64_t span_bytes;   // from the first page to the end of the last, page-aligned
    uint64_t entry_offset; // from the first page
    bool entry_valid;      // the entry lies in an executable segment
};

// Checks a file of file_bytes bytes whose first head_bytes are at head (any alignment): the ELF
// and program headers must lie in them. Accepts a RISC-V ET_DYN without an interpreter.
// ZX_ERR_INVALID_ARGS for a malformed file, ZX_ERR_NOT_SUPPORTED for a sound one of another kind;
// out is untouched then.
zx_status_t elf_image_parse(const void *head, size_t head_bytes, uint64_t file_bytes,
                            struct elf_image *out);

#endif // USERLAND_LIBZX_ELF_IMAGE_H_
