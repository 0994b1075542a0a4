/* Reads ELF64 little-endian RISC-V images: headers only, from memory, trusting nothing. */
#pragma once

#include <zircon/errors.h>

#include "kernel/lib/compiler.h"

#define ELF_SEGMENT_EXEC  0x1u
#define ELF_SEGMENT_WRITE 0x2u
#define ELF_SEGMENT_READ  0x4u

struct elf_segment {
    uint64_t vaddr; /* relative to the image's base; congruent to file_offset per page */
    uint64_t file_offset;
    uint64_t file_bytes; /* <= mem_bytes; inside the file */
    uint64_t mem_bytes;  /* > 0; the rest is zero */
    uint32_t flags;      /* ELF_SEGMENT_* */
};

#define ELF_MAX_SEGMENTS 16

struct elf_image {
    uint64_t entry;      /* relative to the base, inside an executable segment */
    uint64_t span_first; /* page-aligned range that holds all segments, relative to the base */
    uint64_t span_end;
    uint64_t stack_bytes; /* PT_GNU_STACK's p_memsz, 0: no wish */
    size_t count_segments;
    struct elf_segment segments[ELF_MAX_SEGMENTS]; /* in rising order, no page shared */
};

/* Parses a position-independent (ET_DYN) image of |len_bytes| at |data|; no alignment needed.
 * On failure returns ZX_ERR_IO_DATA_INTEGRITY, or ZX_ERR_NOT_SUPPORTED for a good ELF of another
 * kind, and points *out_why (never NULL then) at a constant sentence. */
MUST_USE zx_status_t elf_parse(const void *data, size_t len_bytes, struct elf_image *out,
                               const char **out_why);
