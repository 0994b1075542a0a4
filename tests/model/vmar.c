/* Steps on regions: allocate, destroy, map, unmap. */
#include "tests/model/real.h"
#include "tests/model/state.h"

unsigned model_pick_vmar(struct model *model)
{
    unsigned from = (unsigned)model_below(model, MODEL_VMARS);

    /* The arena most of all, the dead least. */
    if (model_below(model, 3) == 0)
        from = 0;
    while (!model->vmars[from].is_open)
        from = (from + 1) % MODEL_VMARS;
    return model->vmars[from].is_dead && model_below(model, 4) != 0 ? 0 : from;
}

/* Not the arena; MODEL_VMARS: there is no other. */
static unsigned pick_inner(struct model *model)
{
    unsigned from = (unsigned)model_below(model, MODEL_VMARS - 1);

    for (unsigned i = 0; i < MODEL_VMARS - 1; i++) {
        unsigned vmar = 1 + (from + i) % (MODEL_VMARS - 1);
        if (model->vmars[vmar].is_open)
            return vmar;
    }
    return MODEL_VMARS;
}

static void collect_vmars(struct model *model)
{
    for (unsigned i = 0; i < MODEL_VMARS; i++) {
        if (model->vmars[i].is_dead && !model->vmars[i].is_open)
            model->vmars[i].is_used = false;
    }
}

unsigned model_child_at(const struct model *model, unsigned vmar, unsigned page)
{
    unsigned at = model->pages[page].vmar;

    while (at != vmar && model->vmars[at].parent != vmar)
        at = model->vmars[at].parent;
    return at;
}

void model_clear_pages(struct model *model, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        model->pages[i].is_mapped = false;
}

void model_kill_vmar(struct model *model, unsigned vmar)
{
    struct model_vmar *m = &model->vmars[vmar];

    for (unsigned i = m->first; i < m->first + m->count; i++) {
        unsigned inner = model->pages[i].vmar;
        /* Regions inside, which may have no free page to tell of them, die below. */
        model->vmars[inner].is_dead = true;
        model->pages[i] = (struct model_page){.vmar = m->parent};
    }
    m->is_dead = true;
    for (unsigned round = 0; round < MODEL_VMARS; round++) {
        for (unsigned i = 1; i < MODEL_VMARS; i++) {
            struct model_vmar *inner = &model->vmars[i];
            if (inner->is_used && model->vmars[inner->parent].is_dead)
                inner->is_dead = true;
        }
    }
    collect_vmars(model);
}

/* ---- Allocate, destroy ---------------------------------------------------------------------- */

static zx_status_t allocate_status(const struct model *model, unsigned parent,
                                   const struct model_place *place, unsigned *out_first)
{
    const struct model_vmar *m = &model->vmars[parent];
    bool lacks_perms = (place->options & MODEL_CAN_MAP & ~m->options) != 0;
    uint32_t log2 = place->options >> ZX_VM_ALIGN_BASE;

    if (real_has_syscalls && lacks_perms)
        return ZX_ERR_ACCESS_DENIED;
    if ((log2 != 0 && log2 < 10) || !model_is_aligned(place->len))
        return ZX_ERR_INVALID_ARGS;
    if (m->is_dead)
        return ZX_ERR_BAD_STATE;
    if (place->len == 0)
        return ZX_ERR_INVALID_ARGS;
    if (lacks_perms)
        return ZX_ERR_ACCESS_DENIED;
    zx_status_t status = model_place_status(model, parent, place, out_first);
    return status == ZX_ERR_NO_RESOURCES && real_has_syscalls ? ZX_ERR_NO_MEMORY : status;
}

static zx_status_t do_allocate(struct model *model, unsigned parent, unsigned child,
                               const struct model_place *place, uint64_t *addr)
{
    model_call(model, "vmar %u = vmar_allocate(vmar %u, options %#x, offset %#lx, size %#lx)",
               child, parent, place->options, place->offset, place->len);
    return real_vmar_allocate(model->real, parent, child, place->options, place->offset, place->len,
                              addr);
}

/* What went to a place of the kernel's choice is put where the step's random numbers say, so that
 * what follows does not depend on the kernel's. False: it stays. */
static bool can_move(struct model *model, unsigned vmar, const struct model_place *place,
                     struct model_place *moved, unsigned *first)
{
    const struct model_vmar *m = &model->vmars[vmar];

    if (!(m->options & ZX_VM_CAN_MAP_SPECIFIC))
        return false;
    unsigned count = model_count_places(model, vmar, place, 0, first);
    model_count_places(model, vmar, place, (unsigned)model_below(model, count), first);
    *moved = *place;
    moved->options = (place->options & ~ZX_VM_OFFSET_IS_UPPER_LIMIT) | ZX_VM_SPECIFIC;
    moved->offset = (*first - m->first) * MODEL_PAGE_BYTES;
    return true;
}

static void add_vmar(struct model *model, unsigned parent, unsigned child, unsigned first,
                     const struct model_place *place)
{
    unsigned count = (unsigned)(place->len / MODEL_PAGE_BYTES);

    model->vmars[child] = (struct model_vmar){
        .is_used = true,
        .is_open = true,
        .parent = parent,
        .first = first,
        .count = count,
        .options = place->options & (MODEL_CAN_MAP | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_COMPACT),
    };
    for (unsigned i = first; i < first + count; i++)
        model->pages[i].vmar = child;
}

static void place_vmar(struct model *model, unsigned parent, unsigned child,
                       const struct model_place *place, uint64_t addr)
{
    struct model_place moved;
    unsigned first;

    if (!model_check_place(model, parent, place, addr, &first) ||
        !can_move(model, parent, place, &moved, &first)) {
        add_vmar(model, parent, child, first, place);
        return;
    }
    zx_status_t status = real_vmar_destroy(model->real, child);
    if (status != ZX_OK)
        model_fail(model, "destroying the new region gave %d", status);
    real_vmar_close(model->real, child);
    status = do_allocate(model, parent, child, &moved, &addr);
    if (status != ZX_OK)
        model_fail(model, "allocating it elsewhere gave %d", status);
    else
        add_vmar(model, parent, child, first, place);
}

void model_step_vmar_allocate(struct model *model)
{
    unsigned parent = model_pick_vmar(model), first = 0;
    unsigned child = 1 + (unsigned)model_below(model, MODEL_VMARS - 1);
    struct model_place place;
    uint64_t addr = 0;

    if (model->vmars[child].is_used)
        return;
    model_random_place(model, parent, &place);
    place.options |= MODEL_CAN_MAP & model->vmars[parent].options;
    if (model_below(model, 4) == 0)
        place.options &= ~ZX_VM_CAN_MAP_WRITE;
    if (model_below(model, 16) == 0)
        place.options |= ZX_VM_CAN_MAP_WRITE;
    if (model_below(model, 5) != 0)
        place.options |= ZX_VM_CAN_MAP_SPECIFIC;
    if (model_below(model, 4) == 0)
        place.options |= ZX_VM_COMPACT;
    zx_status_t want = allocate_status(model, parent, &place, &first);
    if (!model_expect(model, do_allocate(model, parent, child, &place, &addr), want))
        return;
    if (!model_is_specific(place.options))
        place_vmar(model, parent, child, &place, addr);
    else if (addr != real_arena_base(model->real) + first * MODEL_PAGE_BYTES)
        model_fail(model, "the region is at %#lx", addr);
    else
        add_vmar(model, parent, child, first, &place);
}

void model_step_vmar_destroy(struct model *model)
{
    unsigned vmar = pick_inner(model);

    if (vmar == MODEL_VMARS)
        return;
    zx_status_t want = model->vmars[vmar].is_dead ? ZX_ERR_BAD_STATE : ZX_OK;
    model_call(model, "vmar_destroy(vmar %u)", vmar);
    if (!model_expect(model, real_vmar_destroy(model->real, vmar), want))
        return;
    model_kill_vmar(model, vmar);
    model_collect_vmos(model);
}

void model_step_vmar_close(struct model *model)
{
    unsigned vmar = pick_inner(model);

    if (vmar == MODEL_VMARS)
        return;
    model_call(model, "close(vmar %u)", vmar);
    real_vmar_close(model->real, vmar);
    model->vmars[vmar].is_open = false;
    model->counts[model->kind].done++;
    collect_vmars(model);
}

/* ---- Map ------------------------------------------------------------------------------------ */

static bool perms_are_valid(uint32_t perms)
{
    if (perms & ZX_VM_PERM_READ)
        return true;
    return !(perms & ZX_VM_PERM_WRITE) && !(real_has_syscalls && (perms & ZX_VM_PERM_EXECUTE));
}

/* The checks of the system call, which come before those of the region. */
static zx_status_t syscall_map_status(const struct model *model, unsigned vmar,
                                      const struct real_map *map)
{
    const struct model_vmo *vmo = &model->vmos[map->vmo];
    uint32_t perms = map->options & MODEL_PERMS, log2 = map->options >> ZX_VM_ALIGN_BASE;
    uint64_t end;

    if (!perms_are_valid(perms) ||
        ((map->options & ZX_VM_MAP_RANGE) && (map->options & ZX_VM_SPECIFIC_OVERWRITE)))
        return ZX_ERR_INVALID_ARGS;
    if (perms & ~(map->vmo_perms & model_vmar_perms(&model->vmars[vmar])))
        return ZX_ERR_ACCESS_DENIED;
    if (log2 != 0 && log2 < 10)
        return ZX_ERR_INVALID_ARGS;
    if (vmo->resizable &&
        ((map->options & ZX_VM_REQUIRE_NON_RESIZABLE) || !(map->options & ZX_VM_ALLOW_FAULTS)))
        return ZX_ERR_NOT_SUPPORTED;
    if (!model_is_aligned(map->vmo_offset | map->len))
        return ZX_ERR_INVALID_ARGS;
    if (__builtin_add_overflow(map->vmo_offset, map->len, &end))
        return ZX_ERR_OUT_OF_RANGE;
    if (!(map->options & ZX_VM_ALLOW_FAULTS) && end > model_vmo_size(vmo))
        return ZX_ERR_BUFFER_TOO_SMALL;
    return ZX_OK;
}

static zx_status_t map_status(const struct model *model, unsigned vmar, const struct real_map *map,
                              const struct model_place *place, unsigned *out_first)
{
    const struct model_vmar *m = &model->vmars[vmar];
    uint32_t perms = map->options & MODEL_PERMS, log2 = map->options >> ZX_VM_ALIGN_BASE;
    zx_status_t status = real_has_syscalls ? syscall_map_status(model, vmar, map) : ZX_OK;
    uint64_t end;

    if (status != ZX_OK)
        return status;
    if ((map->options & ZX_VM_REQUIRE_NON_RESIZABLE) && model->vmos[map->vmo].resizable)
        return ZX_ERR_NOT_SUPPORTED;
    if ((log2 != 0 && log2 < 10) || !perms_are_valid(perms))
        return ZX_ERR_INVALID_ARGS;
    if ((map->options & ZX_VM_MAP_RANGE) && (map->options & ZX_VM_SPECIFIC_OVERWRITE))
        return ZX_ERR_INVALID_ARGS;
    if (!model_is_aligned(map->vmo_offset | map->len))
        return ZX_ERR_INVALID_ARGS;
    if (__builtin_add_overflow(map->vmo_offset, map->len, &end))
        return ZX_ERR_OUT_OF_RANGE;
    if (m->is_dead)
        return ZX_ERR_BAD_STATE;
    if (map->len == 0)
        return ZX_ERR_INVALID_ARGS;
    if (perms & ~(map->vmo_perms & model_vmar_perms(m)))
        return ZX_ERR_ACCESS_DENIED;
    return model_place_status(model, vmar, place, out_first);
}

static uint32_t random_perms(struct model *model)
{
    uint64_t choice = model_below(model, 24);

    switch (choice) {
    case 0:
        return 0;
    case 1:
        return ZX_VM_PERM_EXECUTE;
    case 2:
        return model_below(model, 4) == 0 ? ZX_VM_PERM_WRITE : MODEL_PERMS;
    case 3:
    case 4:
        return MODEL_PERMS;
    case 5:
    case 6:
        return ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE;
    default:
        return ZX_VM_PERM_READ | (choice < 18 ? ZX_VM_PERM_WRITE : 0);
    }
}

static void random_map(struct model *model, unsigned vmar, unsigned vmo, struct real_map *map,
                       struct model_place *place)
{
    const struct model_vmo *m = &model->vmos[vmo];
    uint32_t extra = 0;

    model_random_place(model, vmar, place);
    if ((place->options & ZX_VM_SPECIFIC) && model_below(model, 2) == 0)
        place->options |= ZX_VM_SPECIFIC_OVERWRITE;
    if (m->resizable || model_below(model, 4) == 0)
        extra |= model_below(model, 16) != 0 ? ZX_VM_ALLOW_FAULTS : 0;
    if (model_below(model, 4) == 0)
        extra |= ZX_VM_MAP_RANGE;
    if (model_below(model, 16) == 0)
        extra |= ZX_VM_REQUIRE_NON_RESIZABLE;
    if (model_below(model, 16) != 0 && (extra & ZX_VM_MAP_RANGE))
        place->options &= ~ZX_VM_SPECIFIC_OVERWRITE;
    *map = (struct real_map){
        .options = place->options | extra | random_perms(model),
        .vmo = vmo,
        .vmar_offset = place->offset,
        .len = place->len,
    };
    map->vmo_perms = (map->options & MODEL_PERMS) | random_perms(model);
    /* A handle of the region with all that it allows, mostly. */
    if (model_below(model, 8) != 0)
        map->options &= ~(MODEL_PERMS & ~model_vmar_perms(&model->vmars[vmar]));
    if (model_below(model, 32) == 0)
        map->vmo_perms = random_perms(model);
    map->vmo_offset = model_below(model, MODEL_VMO_PAGES) * MODEL_PAGE_BYTES;
    /* Mostly inside the VMO. */
    if (map->vmo_offset >= model_vmo_size(m) && model_vmo_size(m) > 0 && model_below(model, 8) != 0)
        map->vmo_offset %= model_vmo_size(m);
    if (!(extra & ZX_VM_ALLOW_FAULTS) && map->len <= model_vmo_size(m) &&
        map->vmo_offset > model_vmo_size(m) - map->len && model_below(model, 4) != 0)
        map->vmo_offset = model_vmo_size(m) - model_round_up(map->len);
    if (model_below(model, 128) == 0)
        map->vmo_offset += 1 + model_below(model, MODEL_PAGE_BYTES - 1);
    if (model_below(model, 128) == 0)
        map->vmo_offset = UINT64_MAX - 4095 - MODEL_PAGE_BYTES * model_below(model, 4);
}

static zx_status_t do_map(struct model *model, unsigned vmar, const struct real_map *map,
                          uint64_t *addr)
{
    model_call(model,
               "vmar_map(vmar %u, options %#x, offset %#lx, vmo %u with perms %u, vmo_offset %#lx, "
               "len %#lx)",
               vmar, map->options, map->vmar_offset, map->vmo, map->vmo_perms, map->vmo_offset,
               map->len);
    return real_vmar_map(model->real, vmar, map, addr);
}

static void add_mapping(struct model *model, unsigned vmar, unsigned first,
                        const struct real_map *map)
{
    for (unsigned i = 0; i < map->len / MODEL_PAGE_BYTES; i++) {
        model->pages[first + i] = (struct model_page){
            .vmar = vmar,
            .is_mapped = true,
            .vmo = map->vmo,
            .vmo_page = map->vmo_offset / MODEL_PAGE_BYTES + i,
            .perms = map->options & MODEL_PERMS,
            .max_perms = map->vmo_perms & model_vmar_perms(&model->vmars[vmar]),
        };
    }
    model_collect_vmos(model);
}

/* A mapping at a place of the kernel's choice. */
static void place_mapping(struct model *model, unsigned vmar, struct real_map *map,
                          const struct model_place *place, uint64_t addr)
{
    struct model_place moved;
    unsigned first = 0;

    if (!model_check_place(model, vmar, place, addr, &first) ||
        !can_move(model, vmar, place, &moved, &first)) {
        add_mapping(model, vmar, first, map);
        return;
    }
    zx_status_t status = real_vmar_unmap(model->real, vmar, true, addr, map->len);
    if (status != ZX_OK)
        model_fail(model, "unmapping the new mapping gave %d", status);
    map->options = (map->options & ~ZX_VM_OFFSET_IS_UPPER_LIMIT) | ZX_VM_SPECIFIC;
    map->vmar_offset = moved.offset;
    status = do_map(model, vmar, map, &addr);
    if (status != ZX_OK)
        model_fail(model, "mapping it elsewhere gave %d", status);
    else
        add_mapping(model, vmar, first, map);
}

void model_step_map(struct model *model)
{
    unsigned vmar = model_pick_vmar(model), vmo = model_pick_vmo(model), first = 0;
    struct model_place place;
    struct real_map map;
    uint64_t addr = 0;

    if (vmo == MODEL_VMOS)
        return;
    random_map(model, vmar, vmo, &map, &place);
    zx_status_t want = map_status(model, vmar, &map, &place, &first);
    if (!model_expect(model, do_map(model, vmar, &map, &addr), want))
        return;
    if (!model_is_specific(place.options))
        place_mapping(model, vmar, &map, &place, addr);
    else if (addr != real_arena_base(model->real) + first * MODEL_PAGE_BYTES)
        model_fail(model, "the mapping is at %#lx", addr);
    else
        add_mapping(model, vmar, first, &map);
}
