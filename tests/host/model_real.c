/* kernel/vm as the model test calls it. */
#include "tests/host/model_real.h"

#include <stdlib.h>

#include "kernel/lib/panic.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo.h"
#include "tests/host/fake_arch.h"

#define ARENA_BASE 0x40000000ul

const bool real_has_syscalls = false;
const bool real_tells_fault = true;
const bool real_can_execute = true;
const unsigned real_walk_steps = 1;

struct counts {
    uint64_t pages[2], objects;
};

struct real {
    struct aspace *space;
    struct vmar *vmars[MODEL_VMARS];
    struct vmo *vmos[MODEL_VMOS];
    uint64_t next_id;
    struct counts before;
};

static struct counts count_now(void)
{
    struct pmm_stats pmm;
    struct kheap_stats heap;

    pmm_get_stats(&pmm);
    kheap_get_stats(&heap);
    return (struct counts){{pmm.count_by_kind[PAGE_VMO], pmm.count_by_kind[PAGE_TABLE]},
                           heap.count_objects};
}

void real_boot(void)
{
    fake_boot(16ul << 20);
    aspace_init();
}

struct real *real_create(uint64_t seed)
{
    struct real *real = calloc(1, sizeof(*real));

    ASSERT(real != NULL);
    fake_set_hart(0);
    real->before = count_now();
    aspace_seed(seed);
    zx_status_t status = aspace_create(&real->space);
    ASSERT(status == ZX_OK);
    status = vmar_allocate(real->space->root,
                           ZX_VM_SPECIFIC | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ |
                               ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE,
                           ARENA_BASE - USER_BASE, MODEL_ARENA_PAGES * MODEL_PAGE_BYTES,
                           &real->vmars[0]);
    ASSERT(status == ZX_OK);
    return real;
}

bool real_destroy(struct real *real)
{
    struct counts now, before = real->before;

    vmar_put(real->vmars[0]);
    aspace_clear(real->space);
    fake_leave_aspaces();
    aspace_destroy(real->space);
    free(real);
    pmm_check();
    now = count_now();
    return now.pages[0] == before.pages[0] && now.pages[1] == before.pages[1] &&
           now.objects == before.objects;
}

uint64_t real_arena_base(const struct real *real)
{
    (void)real;
    return ARENA_BASE;
}

/* ---- VMOs ----------------------------------------------------------------------------------- */

zx_status_t real_vmo_create(struct real *real, unsigned vmo, uint64_t size, uint32_t options)
{
    zx_status_t status = vmo_create(size, options, &real->vmos[vmo]);

    if (status == ZX_OK)
        real->vmos[vmo]->koid = ++real->next_id;
    return status;
}

zx_status_t real_vmo_create_child(struct real *real, unsigned parent, unsigned child,
                                  uint32_t options, uint64_t offset, uint64_t size)
{
    zx_status_t status =
        vmo_create_child(real->vmos[parent], options, offset, size, &real->vmos[child]);

    if (status == ZX_OK)
        real->vmos[child]->koid = ++real->next_id;
    return status;
}

void real_vmo_close(struct real *real, unsigned vmo)
{
    vmo_put(real->vmos[vmo]);
    real->vmos[vmo] = NULL;
}

uint64_t real_vmo_id(struct real *real, unsigned vmo)
{
    return real->vmos[vmo]->koid;
}

zx_status_t real_vmo_read(struct real *real, unsigned vmo, void *to, uint64_t offset, size_t len)
{
    return vmo_read_kernel(real->vmos[vmo], offset, to, len);
}

zx_status_t real_vmo_write(struct real *real, unsigned vmo, const void *from, uint64_t offset,
                           size_t len)
{
    return vmo_write_kernel(real->vmos[vmo], offset, from, len);
}

zx_status_t real_vmo_op_range(struct real *real, unsigned vmo, uint32_t op, uint64_t offset,
                              uint64_t len)
{
    switch (op) {
    case ZX_VMO_OP_COMMIT:
        return vmo_commit(real->vmos[vmo], offset, len);
    case ZX_VMO_OP_DECOMMIT:
        return vmo_decommit(real->vmos[vmo], offset, len);
    default:
        return vmo_zero(real->vmos[vmo], offset, len);
    }
}

zx_status_t real_vmo_set_size(struct real *real, unsigned vmo, uint64_t size)
{
    return vmo_set_size(real->vmos[vmo], size);
}

zx_status_t real_vmo_get_size(struct real *real, unsigned vmo, uint64_t *out)
{
    *out = vmo_size_bytes(real->vmos[vmo]);
    return ZX_OK;
}

zx_status_t real_vmo_set_stream_size(struct real *real, unsigned vmo, uint64_t size)
{
    return vmo_set_stream_size(real->vmos[vmo], size);
}

zx_status_t real_vmo_get_stream_size(struct real *real, unsigned vmo, uint64_t *out)
{
    *out = vmo_get_stream_size(real->vmos[vmo]);
    return ZX_OK;
}

zx_status_t real_vmo_transfer(struct real *real, unsigned dst, uint64_t dst_offset, uint64_t len,
                              unsigned src, uint64_t src_offset)
{
    return vmo_transfer(real->vmos[dst], dst_offset, len, real->vmos[src], src_offset);
}

/* ---- Regions -------------------------------------------------------------------------------- */

zx_status_t real_vmar_allocate(struct real *real, unsigned parent, unsigned child, uint32_t options,
                               uint64_t offset, uint64_t size, uint64_t *out_addr)
{
    uint64_t len;
    zx_status_t status =
        vmar_allocate(real->vmars[parent], options, offset, size, &real->vmars[child]);

    if (status == ZX_OK)
        vmar_get_range(real->vmars[child], out_addr, &len);
    return status;
}

zx_status_t real_vmar_destroy(struct real *real, unsigned vmar)
{
    return vmar_destroy(real->vmars[vmar]);
}

void real_vmar_close(struct real *real, unsigned vmar)
{
    vmar_put(real->vmars[vmar]);
    real->vmars[vmar] = NULL;
}

zx_status_t real_vmar_map(struct real *real, unsigned vmar, const struct real_map *map,
                          uint64_t *out_addr)
{
    struct vmar_map_args args = {
        .options = map->options,
        .vmar_offset = map->vmar_offset,
        .vmo = real->vmos[map->vmo],
        .vmo_offset = map->vmo_offset,
        .len_bytes = map->len,
        .max_perms = map->vmo_perms,
    };
    return vmar_map(real->vmars[vmar], &args, out_addr);
}

zx_status_t real_vmar_unmap(struct real *real, unsigned vmar, bool op_children, uint64_t addr,
                            uint64_t len)
{
    bool found;
    zx_status_t status = vmar_unmap(real->vmars[vmar], addr, len, op_children, &found);

    return status == ZX_OK && !found ? ZX_ERR_NOT_FOUND : status;
}

zx_status_t real_vmar_protect(struct real *real, unsigned vmar, bool op_children, uint32_t perms,
                              uint64_t addr, uint64_t len)
{
    return vmar_protect(real->vmars[vmar], perms, addr, len, op_children);
}

zx_status_t real_vmar_op_range(struct real *real, unsigned vmar, bool op_children, uint32_t op,
                               uint64_t addr, uint64_t len)
{
    return vmar_op_range(real->vmars[vmar], op, addr, len, op_children);
}

struct walk {
    struct real_region *out;
    size_t max, count;
};

static void add_region(void *ctx, const struct aspace_walk_entry *entry)
{
    struct walk *walk = ctx;

    if (walk->count < walk->max)
        walk->out[walk->count] = (struct real_region){
            .base = entry->base,
            .size = entry->size_bytes,
            .depth = entry->depth,
            .is_vmar = entry->is_vmar,
            .perms = entry->perms,
            .vmo_id = entry->vmo_koid,
            .vmo_offset = entry->vmo_offset,
        };
    walk->count++;
}

size_t real_walk(struct real *real, struct real_region *out, size_t max)
{
    struct walk walk = {out, max, 0};
    zx_status_t status = vmar_walk(real->vmars[0], add_region, &walk);

    ASSERT(status == ZX_OK);
    return walk.count;
}

/* ---- Accesses ------------------------------------------------------------------------------- */

static bool try_access(struct real *real, uint64_t addr, uint32_t access, uint8_t *byte)
{
    if (access == ZX_VM_PERM_READ)
        return fake_user_read(&real->space->arch, addr, byte);
    if (access == ZX_VM_PERM_WRITE)
        return fake_user_write(&real->space->arch, addr, *byte);
    return fake_user_exec(&real->space->arch, addr);
}

zx_status_t real_access(struct real *real, unsigned hart, uint64_t addr, uint32_t access,
                        uint8_t *byte)
{
    zx_status_t status = ZX_OK;

    fake_set_hart(hart);
    /* The second fault of one access is a hart that did not believe the tables. */
    for (unsigned tries = 0; tries < 3 && status == ZX_OK; tries++) {
        if (try_access(real, addr, access, byte))
            break;
        status = tries < 2 ? aspace_fault(real->space, addr, access) : ZX_ERR_INTERNAL;
    }
    return status;
}

bool real_is_consistent(struct real *real)
{
    region_tree_check(&real->vmars[0]->children);
    return fake_tlb_is_consistent(&real->space->arch);
}
