/* Looks names up in the table that tools/ksyms.py makes. */
#include "arch/riscv/symbols.h"

#include "kernel/lib/string.h"

extern const uint64_t ksyms_base;
extern const uint32_t ksyms_count;
extern const uint32_t ksyms_offsets[]; /* ascending; one more than ksyms_count */
extern const char ksyms_names[];       /* terminated strings in the same order */

extern char image_start[], text_end[];

bool symbol_is_text(vaddr_t pc)
{
    return pc >= (vaddr_t)image_start && pc < (vaddr_t)text_end;
}

const char *symbol_find(vaddr_t pc, uint64_t *out_offset)
{
    uint32_t low = 0, high = ksyms_count;
    uint64_t offset = pc - ksyms_base;
    const char *name = ksyms_names;

    if (!symbol_is_text(pc) || high == 0 || offset < ksyms_offsets[0])
        return NULL;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (ksyms_offsets[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    for (uint32_t i = 0; i < low; i++)
        name += strlen(name) + 1;
    *out_offset = offset - ksyms_offsets[low];
    return name;
}
