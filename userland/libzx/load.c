#include "userland/libzx/load.h"

#include <stdbool.h>
#include <string.h>
#include <zircon/syscalls.h>

#define REGION_OPTIONS                                                                             \
    (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE | ZX_VM_CAN_MAP_SPECIFIC)

// Makes a VMO with a segment's pages. *vmo is the caller's.
static zx_status_t segment_copy(const struct elf_segment *segment, const void *file,
                                const char *name, zx_handle_t *vmo)
{
    zx_handle_t copy;
    zx_status_t status = zx_vmo_create(segment->map_bytes, 0, &copy);

    if (status != ZX_OK) {
        return status;
    }
    // A name helps whoever lists the mappings; the program runs as well without.
    zx_object_set_property(copy, ZX_PROP_NAME, name, strlen(name));
    if (segment->file_bytes > 0) {
        status = zx_vmo_write(copy, (const char *)file + segment->file_offset, segment->data_skip,
                              segment->file_bytes);
    }
    if (status == ZX_OK && (segment->perms & ZX_VM_PERM_EXECUTE) != 0) {
        // Consumes copy whatever it returns.
        return zx_vmo_replace_as_executable(copy, ZX_HANDLE_INVALID, vmo);
    }
    if (status != ZX_OK) {
        zx_handle_close(copy);
        return status;
    }
    *vmo = copy;
    return ZX_OK;
}

// True if the segment's pages can be those of the file.
static bool segment_is_in_place(const struct elf_segment *segment, const struct load_source *source)
{
    uint64_t at = source->vmo_offset + segment->file_offset - segment->data_skip;

    return source->vmo != ZX_HANDLE_INVALID && (segment->perms & ZX_VM_PERM_WRITE) == 0 &&
           at % ZX_PAGE_SIZE == 0 &&
           segment->map_bytes - segment->data_skip - segment->file_bytes < ZX_PAGE_SIZE;
}

static zx_status_t segment_load(zx_handle_t vmar, const struct elf_segment *segment,
                                const struct load_source *source)
{
    zx_vm_option_t options = segment->perms | ZX_VM_SPECIFIC;
    zx_handle_t vmo;
    zx_vaddr_t at;

    if (segment_is_in_place(segment, source)) {
        return zx_vmar_map(vmar, options, segment->map_offset, source->vmo,
                           source->vmo_offset + segment->file_offset - segment->data_skip,
                           segment->map_bytes, &at);
    }
    zx_status_t status = segment_copy(segment, source->file, source->name, &vmo);
    if (status == ZX_OK) {
        status = zx_vmar_map(vmar, options, segment->map_offset, vmo, 0, segment->map_bytes, &at);
        zx_handle_close(vmo);
    }
    return status;
}

zx_status_t load_program(zx_handle_t parent, const struct elf_image *image,
                         const struct load_source *source, zx_handle_t *region, zx_vaddr_t *base)
{
    zx_handle_t vmar;
    zx_vaddr_t start;
    zx_status_t status =
        zx_vmar_allocate(parent, REGION_OPTIONS, 0, image->span_bytes, &vmar, &start);

    if (status != ZX_OK) {
        return status;
    }
    for (uint32_t i = 0; status == ZX_OK && i < image->count_segments; i++) {
        status = segment_load(vmar, &image->segments[i], source);
    }
    if (status != ZX_OK) {
        zx_vmar_destroy(vmar);
        zx_handle_close(vmar);
        return status;
    }
    *region = vmar;
    *base = start;
    return ZX_OK;
}

zx_status_t load_shared(zx_handle_t parent, const struct elf_image *image, zx_handle_t vmo,
                        zx_vaddr_t *base)
{
    zx_handle_t vmar;
    zx_vaddr_t start;
    zx_status_t status;

    for (uint32_t i = 0; i < image->count_segments; i++) {
        const struct elf_segment *segment = &image->segments[i];

        if ((segment->perms & ZX_VM_PERM_WRITE) != 0 ||
            segment->data_skip + segment->file_bytes != segment->map_bytes) {
            return ZX_ERR_NOT_SUPPORTED;
        }
    }
    status = zx_vmar_allocate(parent, REGION_OPTIONS & ~ZX_VM_CAN_MAP_WRITE, 0, image->span_bytes,
                              &vmar, &start);
    if (status != ZX_OK) {
        return status;
    }
    for (uint32_t i = 0; status == ZX_OK && i < image->count_segments; i++) {
        const struct elf_segment *segment = &image->segments[i];
        zx_vaddr_t at;

        status = zx_vmar_map(vmar, segment->perms | ZX_VM_SPECIFIC, segment->map_offset, vmo,
                             segment->file_offset - segment->data_skip, segment->map_bytes, &at);
    }
    if (status != ZX_OK) {
        zx_vmar_destroy(vmar);
    } else {
        *base = start;
    }
    zx_handle_close(vmar);
    return status;
}
