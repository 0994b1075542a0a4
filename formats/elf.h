/* What a loader needs to know about an ELF64 little-endian RISC-V file, checked. Headers only, from
 * memory; nothing in the file is trusted; no locks, no memory of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

#define ELF_IMAGE_PAGE_BYTES   4096u
#define ELF_IMAGE_MAX_SEGMENTS 16u

/* One PT_LOAD segment, widened to whole pages. Offsets are from the image's first page. */
struct elf_segment {
    uint64_t map_offset; /* page-aligned */
    uint64_t map_bytes;  /* page-aligned, not 0 */
    uint64_t data_skip;  /* bytes of the first page before the file's data; less than a page */
    uint64_t file_offset;
    uint64_t file_bytes; /* data_skip + file_bytes <= map_bytes; the rest is zero */
    uint32_t perms;      /* ZX_VM_PERM_*; write comes with read, never with execute */
};

struct elf_image {
    struct elf_segment segments[ELF_IMAGE_MAX_SEGMENTS]; /* in rising order, no page shared */
    uint32_t count_segments;                             /* at least 1 */
    bool has_entry;
    uint64_t entry_offset; /* from the first page; in the file's bytes of an executable segment */
    uint64_t first_vaddr;  /* what the file calls the first page; page-aligned */
    uint64_t span_bytes;   /* from the first page to the end of the last; page-aligned */
    uint64_t stack_bytes;  /* PT_GNU_STACK's p_memsz, as it is in the file; 0: no wish */
};

/* Checks a position-independent file (ET_DYN without interpreter) of |file_bytes| whose first
 * |head_bytes| are at |head| (any alignment, borrowed): the ELF and program headers must lie in
 * them. ZX_ERR_IO_DATA_INTEGRITY for a malformed file, ZX_ERR_NOT_SUPPORTED for a sound one of
 * another kind; *out is untouched then, and *out_why points at a constant phrase that says what is
 * wrong. */
__attribute__((warn_unused_result)) zx_status_t elf_parse(const void *head, size_t head_bytes,
                                                          uint64_t file_bytes,
                                                          struct elf_image *out,
                                                          const char **out_why);
