#include "kernel/object/iob_memory.h"

#include "kernel/vm/kheap.h"
#include "kernel/vm/vmo.h"

zx_status_t iob_memory_open(struct iob_memory *memory, struct vmo *vmo)
{
    uint64_t size_bytes = vmo_size_bytes(vmo);
    uint64_t count_pages = size_bytes >> PAGE_SHIFT;
    uint64_t array_bytes;

    if (__builtin_mul_overflow(count_pages, sizeof(void *), &array_bytes))
        return ZX_ERR_NO_MEMORY;
    void **pages = kmalloc(MAX(array_bytes, sizeof(void *)));
    if (pages == NULL)
        return ZX_ERR_NO_MEMORY;
    zx_status_t status = vmo_pin(vmo, pages, count_pages);
    if (status != ZX_OK) {
        kfree(pages);
        return status;
    }
    *memory = (struct iob_memory){.vmo = vmo, .size_bytes = size_bytes, .pages = pages};
    return ZX_OK;
}

void iob_memory_close(struct iob_memory *memory)
{
    if (!iob_memory_is_open(memory))
        return;
    vmo_unpin(memory->vmo);
    kfree(memory->pages);
    memory->pages = NULL;
}

void iob_memory_write_pages(const struct iob_memory *memory, uint64_t offset, const void *src,
                            size_t len_bytes)
{
    const char *from = src;

    while (len_bytes > 0) {
        size_t piece = MIN(len_bytes, PAGE_SIZE_BYTES - (offset & PAGE_MASK));
        memcpy(iob_memory_at(memory, offset), from, piece);
        from += piece;
        offset += piece;
        len_bytes -= piece;
    }
}
