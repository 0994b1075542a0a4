// The system calls as the model test calls them. Rights that a step wants of a handle are those of
// a duplicate that is made for the call.
#include "tests/model/user/real_syscalls.h"

#include <stdio.h>
#include <stdlib.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

#define RECORDS_MAX 1000u

const bool real_has_syscalls = true;
const bool real_tells_fault = false;
const bool real_can_execute = false;
const unsigned real_walk_steps = 8;

struct real {
    uint64_t base;
    zx_handle_t vmars[MODEL_VMARS], vmos[MODEL_VMOS];
    zx_rights_t vmar_rights[MODEL_VMARS];
    zx_handle_t scratch; // one page, for copies that fault instead of us
    zx_info_maps_t records[RECORDS_MAX];
};

static zx_info_handle_basic_t basic_info(zx_handle_t handle)
{
    zx_info_handle_basic_t info = {0};

    if (zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof(info), NULL, NULL) != ZX_OK)
        printf("model: no ZX_INFO_HANDLE_BASIC\n");
    return info;
}

struct real *real_create(void)
{
    struct real *real = calloc(1, sizeof(*real));
    zx_status_t status;

    if (real == NULL)
        return NULL;
    status = zx_vmar_allocate(zx_vmar_root_self(),
                              MODEL_CAN_MAP | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_ALIGN_1MB, 0,
                              MODEL_ARENA_PAGES * MODEL_PAGE_BYTES, &real->vmars[0], &real->base);
    if (status == ZX_OK)
        status = zx_vmo_create(MODEL_PAGE_BYTES, 0, &real->scratch);
    if (status != ZX_OK) {
        printf("model: no arena: %d\n", status);
        free(real);
        return NULL;
    }
    real->vmar_rights[0] = basic_info(real->vmars[0]).rights;
    return real;
}

void real_destroy(struct real *real)
{
    zx_vmar_destroy(real->vmars[0]);
    zx_handle_close(real->vmars[0]);
    zx_handle_close(real->scratch);
    free(real);
}

uint64_t real_arena_base(const struct real *real)
{
    return real->base;
}

// ---- VMOs ---------------------------------------------------------------------------------------

// Keeps a new VMO, with the right to execute.
static zx_status_t keep_vmo(struct real *real, unsigned vmo, zx_handle_t handle)
{
    return zx_vmo_replace_as_executable(handle, ZX_HANDLE_INVALID, &real->vmos[vmo]);
}

zx_status_t real_vmo_create(struct real *real, unsigned vmo, uint64_t size, uint32_t options)
{
    zx_handle_t handle;
    zx_status_t status = zx_vmo_create(size, options, &handle);

    return status == ZX_OK ? keep_vmo(real, vmo, handle) : status;
}

zx_status_t real_vmo_create_child(struct real *real, unsigned parent, unsigned child,
                                  uint32_t options, uint64_t offset, uint64_t size)
{
    zx_handle_t handle;
    zx_status_t status = zx_vmo_create_child(real->vmos[parent], options, offset, size, &handle);

    return status == ZX_OK ? keep_vmo(real, child, handle) : status;
}

void real_vmo_close(struct real *real, unsigned vmo)
{
    zx_handle_close(real->vmos[vmo]);
    real->vmos[vmo] = ZX_HANDLE_INVALID;
}

uint64_t real_vmo_id(struct real *real, unsigned vmo)
{
    return basic_info(real->vmos[vmo]).koid;
}

zx_status_t real_vmo_read(struct real *real, unsigned vmo, void *to, uint64_t offset, size_t len)
{
    return zx_vmo_read(real->vmos[vmo], to, offset, len);
}

zx_status_t real_vmo_write(struct real *real, unsigned vmo, const void *from, uint64_t offset,
                           size_t len)
{
    return zx_vmo_write(real->vmos[vmo], from, offset, len);
}

zx_status_t real_vmo_op_range(struct real *real, unsigned vmo, uint32_t op, uint64_t offset,
                              uint64_t len)
{
    return zx_vmo_op_range(real->vmos[vmo], op, offset, len, NULL, 0);
}

zx_status_t real_vmo_set_size(struct real *real, unsigned vmo, uint64_t size)
{
    return zx_vmo_set_size(real->vmos[vmo], size);
}

zx_status_t real_vmo_get_size(struct real *real, unsigned vmo, uint64_t *out)
{
    return zx_vmo_get_size(real->vmos[vmo], out);
}

zx_status_t real_vmo_set_stream_size(struct real *real, unsigned vmo, uint64_t size)
{
    return zx_vmo_set_stream_size(real->vmos[vmo], size);
}

zx_status_t real_vmo_get_stream_size(struct real *real, unsigned vmo, uint64_t *out)
{
    return zx_vmo_get_stream_size(real->vmos[vmo], out);
}

zx_status_t real_vmo_transfer(struct real *real, unsigned dst, uint64_t dst_offset, uint64_t len,
                              unsigned src, uint64_t src_offset)
{
    return zx_vmo_transfer_data(real->vmos[dst], 0, dst_offset, len, real->vmos[src], src_offset);
}

// ---- Regions ------------------------------------------------------------------------------------

zx_status_t real_vmar_allocate(struct real *real, unsigned parent, unsigned child, uint32_t options,
                               uint64_t offset, uint64_t size, uint64_t *out_addr)
{
    zx_status_t status =
        zx_vmar_allocate(real->vmars[parent], options, offset, size, &real->vmars[child], out_addr);

    if (status == ZX_OK)
        real->vmar_rights[child] = basic_info(real->vmars[child]).rights;
    return status;
}

zx_status_t real_vmar_destroy(struct real *real, unsigned vmar)
{
    return zx_vmar_destroy(real->vmars[vmar]);
}

void real_vmar_close(struct real *real, unsigned vmar)
{
    zx_handle_close(real->vmars[vmar]);
    real->vmars[vmar] = ZX_HANDLE_INVALID;
}

zx_status_t real_vmar_map(struct real *real, unsigned vmar, const struct real_map *map,
                          uint64_t *out_addr)
{
    zx_rights_t rights = ZX_RIGHT_MAP | (map->vmo_perms & ZX_VM_PERM_READ ? ZX_RIGHT_READ : 0) |
                         (map->vmo_perms & ZX_VM_PERM_WRITE ? ZX_RIGHT_WRITE : 0) |
                         (map->vmo_perms & ZX_VM_PERM_EXECUTE ? ZX_RIGHT_EXECUTE : 0);
    zx_handle_t handle;
    zx_status_t status = zx_handle_duplicate(real->vmos[map->vmo], rights, &handle);

    if (status != ZX_OK)
        return ZX_ERR_INTERNAL;
    status = zx_vmar_map(real->vmars[vmar], map->options, map->vmar_offset, handle, map->vmo_offset,
                         map->len, out_addr);
    zx_handle_close(handle);
    return status;
}

// The region's handle, or a new one without the right.
static zx_handle_t handle_for(struct real *real, unsigned vmar, bool op_children)
{
    zx_handle_t handle = real->vmars[vmar];

    if (!op_children && zx_handle_duplicate(handle, real->vmar_rights[vmar] & ~ZX_RIGHT_OP_CHILDREN,
                                            &handle) != ZX_OK)
        return ZX_HANDLE_INVALID;
    return handle;
}

static zx_status_t done_with(zx_handle_t handle, bool op_children, zx_status_t status)
{
    if (!op_children)
        zx_handle_close(handle);
    return status;
}

zx_status_t real_vmar_unmap(struct real *real, unsigned vmar, bool op_children, uint64_t addr,
                            uint64_t len)
{
    zx_handle_t handle = handle_for(real, vmar, op_children);
    return done_with(handle, op_children, zx_vmar_unmap(handle, addr, len));
}

zx_status_t real_vmar_protect(struct real *real, unsigned vmar, bool op_children, uint32_t perms,
                              uint64_t addr, uint64_t len)
{
    zx_handle_t handle = handle_for(real, vmar, op_children);
    return done_with(handle, op_children, zx_vmar_protect(handle, perms, addr, len));
}

zx_status_t real_vmar_op_range(struct real *real, unsigned vmar, bool op_children, uint32_t op,
                               uint64_t addr, uint64_t len)
{
    zx_handle_t handle = handle_for(real, vmar, op_children);
    return done_with(handle, op_children, zx_vmar_op_range(handle, op, addr, len, NULL, 0));
}

// All regions and mappings of the arena and perhaps others. Returns how many.
static size_t get_records(struct real *real)
{
    size_t actual = 0, avail = 0;
    zx_status_t status;

    // Other threads add to the list of the process between two looks of the kernel at it.
    do {
        status = zx_object_get_info(real->vmars[0], ZX_INFO_VMAR_MAPS, real->records,
                                    sizeof(real->records), &actual, &avail);
        if (status == ZX_ERR_NOT_SUPPORTED || status == ZX_ERR_ACCESS_DENIED)
            status = zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_MAPS, real->records,
                                        sizeof(real->records), &actual, &avail);
    } while (status == ZX_OK && actual < avail && avail <= RECORDS_MAX);
    return status == ZX_OK ? actual : 0;
}

size_t real_walk(struct real *real, struct real_region *out, size_t max)
{
    size_t records = get_records(real), count = 0, depth = 0;

    for (size_t i = 0; i < records; i++) {
        const zx_info_maps_t *record = &real->records[i];
        bool is_vmar = record->type == ZX_INFO_MAPS_TYPE_VMAR;
        bool is_arena = is_vmar && count == 0 && record->base == real->base &&
                        record->size == MODEL_ARENA_PAGES * MODEL_PAGE_BYTES;
        if (is_arena)
            depth = record->depth;
        else if (count == 0 || record->depth <= depth)
            continue;
        if (record->base - real->base >= MODEL_ARENA_PAGES * MODEL_PAGE_BYTES)
            break;
        if (count < max)
            out[count] = (struct real_region){
                .base = record->base,
                .size = record->size,
                .depth = (unsigned)(record->depth - depth),
                .is_vmar = is_vmar,
                .perms = record->u.mapping.mmu_flags,
                .vmo_id = record->u.mapping.vmo_koid,
                .vmo_offset = record->u.mapping.vmo_offset,
            };
        count++;
    }
    return count;
}

// ---- Accesses -----------------------------------------------------------------------------------

// The kernel touches the byte first, with a call that fails where a load or a store of ours would
// end the process; then we do.
zx_status_t real_access(struct real *real, unsigned hart, uint64_t addr, uint32_t access,
                        uint8_t *byte)
{
    volatile uint8_t *at = (volatile uint8_t *)addr;
    uint8_t copied = 0;
    zx_status_t status;

    (void)hart;
    if (access == ZX_VM_PERM_WRITE) {
        uint8_t other = (uint8_t) ~*byte;
        status = zx_vmo_write(real->scratch, &other, 0, 1);
        if (status == ZX_OK)
            status = zx_vmo_read(real->scratch, (void *)addr, 0, 1);
        if (status == ZX_OK)
            *at = *byte;
        return status;
    }
    status = zx_vmo_write(real->scratch, (const void *)addr, 0, 1);
    if (status == ZX_OK)
        status = zx_vmo_read(real->scratch, &copied, 0, 1);
    if (status != ZX_OK)
        return status;
    *byte = *at;
    return *byte == copied ? ZX_OK : ZX_ERR_IO_DATA_INTEGRITY;
}

bool real_is_consistent(struct real *real)
{
    (void)real;
    return true;
}
