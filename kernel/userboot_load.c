/* Puts init's memory together: program, vDSO, stack. */
#include "kernel/lib/string.h"
#include "kernel/object/vdso.h"
#include "kernel/userboot_internal.h"
#include "kernel/vm/vmar.h"
#include "kernel/vm/vmo.h"

#define STACK_BYTES_DEFAULT (256ul << 10)
#define STACK_BYTES_MAX     (64ul << 20)

#define REGION_OPTIONS                                                                             \
    (ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)

/* A VMO that only mappings will know. */
static zx_status_t make_vmo(uint64_t size_bytes, const char *name, struct vmo **out)
{
    struct vmo *vmo;
    zx_status_t status = vmo_create(size_bytes, 0, &vmo);
    if (status != ZX_OK)
        return status;
    vmo->koid = koid_generate();
    vmo_set_name(vmo, name);
    *out = vmo;
    return ZX_OK;
}

/* |perms|: ZX_VM_PERM_*, all that the mapping will ever have. */
static zx_status_t map_at(struct vmar *vmar, uint64_t vmar_offset, struct vmo *vmo,
                          uint64_t vmo_offset, uint64_t len_bytes, uint32_t perms, bool is_fixed)
{
    vaddr_t addr;
    struct vmar_map_args args = {
        .options = ZX_VM_SPECIFIC | perms,
        .vmar_offset = vmar_offset,
        .vmo = vmo,
        .vmo_offset = vmo_offset,
        .len_bytes = len_bytes,
        .max_perms = perms,
        .is_fixed = is_fixed,
    };
    return len_bytes == 0 ? ZX_OK : vmar_map(vmar, &args, &addr);
}

/* ---- The program
 * ----------------------------------------------------------------------------------- */

static const char *segment_name(const struct elf_segment *segment)
{
    if (segment->perms & ZX_VM_PERM_EXECUTE)
        return "init.text";
    return segment->perms & ZX_VM_PERM_WRITE ? "init.data" : "init.rodata";
}

/* Each segment gets a VMO of its own with a copy of the file's bytes. */
static zx_status_t load_segment(struct vmar *region, const uint8_t *file,
                                const struct elf_segment *segment)
{
    struct vmo *vmo;
    zx_status_t status = make_vmo(segment->map_bytes, segment_name(segment), &vmo);
    if (status != ZX_OK)
        return status;
    status =
        vmo_write_kernel(vmo, segment->data_skip, file + segment->file_offset, segment->file_bytes);
    if (status == ZX_OK)
        status =
            map_at(region, segment->map_offset, vmo, 0, segment->map_bytes, segment->perms, false);
    vmo_put(vmo);
    return status;
}

static zx_status_t load_program(struct process *process, struct vmar *root, const void *file,
                                const struct elf_image *elf, struct userboot_image *out)
{
    struct vmar *region;
    vaddr_t base;
    uint64_t len_bytes;
    zx_status_t status = vmar_allocate(root, REGION_OPTIONS, 0, elf->span_bytes, &region);
    if (status != ZX_OK)
        return status;
    vmar_get_range(region, &base, &len_bytes);
    for (size_t i = 0; i < elf->count_segments && status == ZX_OK; i++)
        status = load_segment(region, file, &elf->segments[i]);
    out->entry = base + elf->entry_offset;
    if (status == ZX_OK)
        status = vmar_object_create(region, process, &out->loaded);
    if (status != ZX_OK)
        vmar_put(region);
    return status;
}

/* ---- The vDSO
 * -------------------------------------------------------------------------------------- */

static zx_status_t map_vdso(struct process *process, struct vmar *root, vaddr_t *out_base)
{
    struct vmo *vmo = vdso_vmo_object()->vmo;
    uint64_t size_bytes = vmo_size_bytes(vmo);
    uint64_t code_offset, code_bytes, len_bytes;
    struct vmar *region;

    vdso_code_range(&code_offset, &code_bytes);
    uint64_t rest_offset = code_offset + code_bytes;
    zx_status_t status =
        vmar_allocate(root, REGION_OPTIONS & ~ZX_VM_CAN_MAP_WRITE, 0, size_bytes, &region);
    if (status != ZX_OK)
        return status;
    vmar_get_range(region, out_base, &len_bytes);
    status = map_at(region, 0, vmo, 0, code_offset, ZX_VM_PERM_READ, false);
    if (status == ZX_OK)
        status = map_at(region, code_offset, vmo, code_offset, code_bytes,
                        ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, true);
    if (status == ZX_OK)
        status = map_at(region, rest_offset, vmo, rest_offset, size_bytes - rest_offset,
                        ZX_VM_PERM_READ, false);
    vmar_put(region);
    if (status != ZX_OK)
        return status;
    struct code_window window = {.base = *out_base + code_offset, .len_bytes = code_bytes};
    return process_set_window(process, &window, *out_base);
}

/* ---- The stack
 * ------------------------------------------------------------------------------------- */

/* The lowest page of the region stays empty: it catches an overflow. */
static zx_status_t map_stack(struct vmar *root, uint64_t wish_bytes, vaddr_t *out_top)
{
    uint64_t stack_bytes = wish_bytes == 0
                               ? STACK_BYTES_DEFAULT
                               : round_up(MIN(wish_bytes, STACK_BYTES_MAX), PAGE_SIZE_BYTES);
    struct vmar *region;
    struct vmo *vmo;
    vaddr_t base;
    uint64_t len_bytes;
    zx_status_t status = make_vmo(stack_bytes, "stack:init", &vmo);
    if (status != ZX_OK)
        return status;
    status = vmar_allocate(root, REGION_OPTIONS & ~ZX_VM_CAN_MAP_EXECUTE, 0,
                           stack_bytes + PAGE_SIZE_BYTES, &region);
    if (status == ZX_OK) {
        vmar_get_range(region, &base, &len_bytes);
        *out_top = base + len_bytes;
        status = map_at(region, PAGE_SIZE_BYTES, vmo, 0, stack_bytes,
                        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, false);
        vmar_put(region);
    }
    vmo_put(vmo);
    return status;
}

zx_status_t userboot_load(struct process *process, struct vmar *root, const void *file,
                          const struct elf_image *elf, struct userboot_image *out)
{
    struct userboot_image image = {0};
    zx_status_t status = load_program(process, root, file, elf, &image);
    if (status != ZX_OK)
        return status;
    status = map_vdso(process, root, &image.vdso_base);
    if (status == ZX_OK)
        status = map_stack(root, elf->stack_bytes, &image.stack_top);
    if (status != ZX_OK) {
        object_put(&image.loaded->object);
        return status;
    }
    *out = image;
    return ZX_OK;
}
