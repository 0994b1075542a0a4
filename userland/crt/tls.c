#include "userland/crt/tls.h"

#include "formats/elf_types.h"
#include <string.h>

static struct {
    const unsigned char *image;
    size_t image_bytes;
    size_t block_bytes;
    size_t align_bytes; // a power of two
} tls;

void tls_find_template(const void *ehdr)
{
    const struct elf64_ehdr *header = ehdr;
    const struct elf64_phdr *phdr =
        (const struct elf64_phdr *)((const unsigned char *)ehdr + header->e_phoff);

    tls.align_bytes = 16;
    for (size_t i = 0; i < header->e_phnum; i++) {
        if (phdr[i].p_type == ELF_PT_TLS) {
            tls.image = (const unsigned char *)ehdr + phdr[i].p_vaddr;
            tls.image_bytes = phdr[i].p_filesz;
            tls.block_bytes = phdr[i].p_memsz;
            if (phdr[i].p_align > tls.align_bytes) {
                tls.align_bytes = phdr[i].p_align;
            }
        }
    }
}

size_t tls_block_bytes(void)
{
    return tls.block_bytes + tls.align_bytes;
}

// RISC-V ELF psABI, thread-local storage: tp points at the first byte of the block itself.
void *tls_block_init(void *memory)
{
    unsigned char *block =
        (unsigned char *)(((size_t)memory + tls.align_bytes - 1) & ~(tls.align_bytes - 1));

    memcpy(block, tls.image, tls.image_bytes);
    memset(block + tls.image_bytes, 0, tls.block_bytes - tls.image_bytes);
    return block;
}
