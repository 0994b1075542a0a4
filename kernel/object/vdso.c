/* The vDSO's VMO and what is known about its image. */
#include "kernel/object/vdso.h"

#include "formats/elf.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

/* Written once at boot, before any process runs. */
static struct vmo_object *vdso_object;
static uint64_t code_offset;
static uint64_t code_len_bytes;

struct vmo_object *vdso_vmo_object(void)
{
    return vdso_object;
}

zx_rights_t vdso_vmo_rights(void)
{
    return ZX_RIGHTS_BASIC | ZX_RIGHT_READ | ZX_RIGHT_EXECUTE | ZX_RIGHT_MAP |
           ZX_RIGHT_GET_PROPERTY;
}

bool vdso_is_vmo(const struct vmo *vmo)
{
    return vdso_object != NULL && vmo == vdso_object->vmo;
}

void vdso_code_range(uint64_t *out_offset, uint64_t *out_len_bytes)
{
    *out_offset = code_offset;
    *out_len_bytes = code_len_bytes;
}

/* The text is one segment, and the file is laid out as it is mapped. */
static bool find_code(const struct elf_image *elf)
{
    const struct elf_segment *code = NULL;
    for (size_t i = 0; i < elf->count_segments; i++) {
        const struct elf_segment *segment = &elf->segments[i];
        if (segment->map_offset + segment->data_skip != segment->file_offset ||
            (segment->perms & ZX_VM_PERM_WRITE))
            return false;
        if (!(segment->perms & ZX_VM_PERM_EXECUTE))
            continue;
        if (code != NULL)
            return false;
        code = segment;
    }
    if (code == NULL)
        return false;
    code_offset = code->map_offset;
    code_len_bytes = code->map_bytes;
    return true;
}

/* The constants start a page that holds their magic number and version. */
static bool find_constants(const uint8_t *image, size_t len_bytes, uint64_t *out_offset)
{
    static const uint32_t mark[2] = {VDSO_CONSTANTS_MAGIC, VDSO_CONSTANTS_VERSION};
    for (size_t at = 0; at + sizeof(struct vdso_constants) <= len_bytes; at += PAGE_SIZE_BYTES) {
        if (memcmp(image + at, mark, sizeof(mark)) == 0) {
            *out_offset = at;
            return true;
        }
    }
    return false;
}

static zx_status_t make_vmo(const void *image, size_t len_bytes, uint64_t constants_offset,
                            const struct vdso_constants *constants)
{
    struct vmo *vmo;
    zx_status_t status = vmo_create(len_bytes, 0, &vmo);
    if (status != ZX_OK)
        return status;
    vmo_set_name(vmo, "vdso");
    status = vmo_write_kernel(vmo, 0, image, len_bytes);
    if (status == ZX_OK)
        status = vmo_write_kernel(vmo, constants_offset, constants, sizeof(*constants));
    vmo->is_frozen = true; /* all processes run it */
    if (status == ZX_OK)
        status = vmo_object_create(vmo, &vdso_object);
    if (status != ZX_OK)
        vmo_put(vmo);
    return status;
}

zx_status_t vdso_init(const void *image, size_t len_bytes, const struct vdso_constants *constants)
{
    struct elf_image elf;
    const char *why;
    uint64_t constants_offset;

    if (elf_parse(image, len_bytes, len_bytes, &elf, &why) != ZX_OK) {
        kprintf("vdso: bad image: %s", why);
        return ZX_ERR_IO_DATA_INTEGRITY;
    }
    if (!find_code(&elf)) {
        kprintf("vdso: bad image: no single text segment, or segments that move");
        return ZX_ERR_IO_DATA_INTEGRITY;
    }
    if (!find_constants(image, len_bytes, &constants_offset)) {
        kprintf("vdso: bad image: no page of constants");
        return ZX_ERR_IO_DATA_INTEGRITY;
    }
    return make_vmo(image, len_bytes, constants_offset, constants);
}
