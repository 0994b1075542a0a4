/* Steps on VMOs: life, sizes, contents. */
#include <string.h>

#include "tests/model/real.h"
#include "tests/model/state.h"

unsigned model_pick_vmo(struct model *model)
{
    unsigned from = (unsigned)model_below(model, MODEL_VMOS);

    for (unsigned i = 0; i < MODEL_VMOS; i++) {
        unsigned vmo = (from + i) % MODEL_VMOS;
        if (model->vmos[vmo].is_open)
            return vmo;
    }
    return MODEL_VMOS;
}

/* A number that nobody has; MODEL_VMOS: there is none. It depends little on what others have, so
 * that a sequence keeps its sense when steps are left out. */
static unsigned find_free(struct model *model)
{
    unsigned from = (unsigned)model_below(model, MODEL_VMOS);

    for (unsigned i = 0; i < MODEL_VMOS; i++) {
        unsigned vmo = (from + i) % MODEL_VMOS;
        if (model->vmos[vmo].memory == NULL)
            return vmo;
    }
    return MODEL_VMOS;
}

void model_collect_vmos(struct model *model)
{
    bool is_mapped[MODEL_VMOS] = {false};

    for (unsigned i = 0; i < MODEL_ARENA_PAGES; i++) {
        if (model->pages[i].is_mapped)
            is_mapped[model->pages[i].vmo] = true;
    }
    for (unsigned i = 0; i < MODEL_VMOS; i++) {
        struct model_vmo *vmo = &model->vmos[i];
        if (vmo->memory == NULL || vmo->is_open || is_mapped[i])
            continue;
        vmo->memory->count_users--;
        vmo->memory = NULL;
    }
}

void model_check_vmo(struct model *model, unsigned vmo, uint64_t offset, uint64_t len)
{
    const struct model_vmo *m = &model->vmos[vmo];
    uint8_t bytes[MODEL_PAGE_BYTES];
    uint64_t at = offset / MODEL_PAGE_BYTES * MODEL_PAGE_BYTES;
    uint64_t end = model_min(model_round_up(offset + len), model_vmo_size(m));

    for (; at < end && m->is_open; at += MODEL_PAGE_BYTES) {
        zx_status_t status = real_vmo_read(model->real, vmo, bytes, at, MODEL_PAGE_BYTES);
        if (status != ZX_OK)
            model_fail(model, "reading VMO %u at %#lx gave %d", vmo, at, status);
        else if (memcmp(bytes, model_vmo_bytes(m) + at, MODEL_PAGE_BYTES) != 0)
            model_fail(model, "VMO %u differs in the page at %#lx", vmo, at);
    }
}

/* Bytes, and often a page multiple. */
static uint64_t random_bytes(struct model *model, uint64_t limit)
{
    uint64_t bytes = model_below(model, limit + 1);

    return model_below(model, 2) == 0 ? bytes : bytes / MODEL_PAGE_BYTES * MODEL_PAGE_BYTES;
}

/* A range that mostly lies in the VMO. */
static void random_range(struct model *model, const struct model_vmo *vmo, uint64_t *offset,
                         uint64_t *len)
{
    uint64_t size = model_vmo_size(vmo);

    if (model_below(model, 16) == 0)
        size = MODEL_VMO_BYTES + MODEL_PAGE_BYTES;
    *offset = random_bytes(model, size);
    *len = random_bytes(model, model_min(size - *offset, 3 * MODEL_PAGE_BYTES));
    if (model_below(model, 256) == 0)
        *len = UINT64_MAX - model_below(model, 2 * MODEL_PAGE_BYTES);
}

/* ---- Life ----------------------------------------------------------------------------------- */

static struct model_vmo *add(struct model *model, unsigned vmo, struct model_memory *memory)
{
    struct model_vmo *m = &model->vmos[vmo];

    memory->count_users++;
    *m = (struct model_vmo){.memory = memory, .is_open = true, .id = real_vmo_id(model->real, vmo)};
    return m;
}

static struct model_memory *new_memory(struct model *model, uint64_t size, bool resizable)
{
    struct model_memory *memory = model->memories;

    /* There are as many as VMOs. */
    while (memory->count_users > 0)
        memory++;
    memset(memory->bytes, 0, sizeof(memory->bytes));
    memory->size = model_round_up(size);
    memory->content = size;
    memory->resizable = resizable;
    return memory;
}

void model_step_vmo_create(struct model *model)
{
    unsigned vmo = find_free(model);
    uint64_t size = random_bytes(model, MODEL_VMO_BYTES);
    uint32_t options = model_below(model, 2) == 0 ? ZX_VMO_RESIZABLE : 0;
    zx_status_t want = ZX_OK;

    if (vmo == MODEL_VMOS)
        return;
    if (model_below(model, 32) == 0) {
        options |= 1u << (5 + model_below(model, 27)); /* no such option */
        want = ZX_ERR_INVALID_ARGS;
    } else if (model_below(model, 32) == 0) {
        size = UINT64_MAX - model_below(model, MODEL_PAGE_BYTES - 1);
        want = ZX_ERR_OUT_OF_RANGE;
    }
    model_call(model, "vmo %u = vmo_create(size %#lx, options %#x)", vmo, size, options);
    if (model_expect(model, real_vmo_create(model->real, vmo, size, options), want))
        add(model, vmo, new_memory(model, size, options == ZX_VMO_RESIZABLE))->resizable =
            options == ZX_VMO_RESIZABLE;
}

static zx_status_t child_status(const struct model_vmo *parent, uint32_t options, uint64_t offset,
                                uint64_t size)
{
    bool resizes_parent = (options & ZX_VMO_CHILD_REFERENCE) && (options & ZX_VMO_CHILD_RESIZABLE);

    if (real_has_syscalls && resizes_parent && (!parent->resizable || parent->lacks_resize_right))
        return ZX_ERR_ACCESS_DENIED;
    if ((options & ZX_VMO_CHILD_SLICE) && (options & ZX_VMO_CHILD_RESIZABLE))
        return ZX_ERR_INVALID_ARGS;
    if (!model_is_aligned(offset))
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VMO_CHILD_REFERENCE) && (offset != 0 || size != 0))
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VMO_CHILD_SLICE) && !model_vmo_contains(parent, offset, model_round_up(size)))
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VMO_CHILD_SLICE) && parent->memory->resizable)
        return ZX_ERR_NOT_SUPPORTED;
    if ((options & ZX_VMO_CHILD_REFERENCE) && parent->is_slice)
        return ZX_ERR_NOT_SUPPORTED;
    if (resizes_parent && !parent->resizable)
        return ZX_ERR_NOT_SUPPORTED;
    return ZX_OK;
}

static void add_snapshot(struct model *model, unsigned child, const struct model_vmo *parent,
                         uint32_t options, uint64_t offset, uint64_t size)
{
    bool resizable = (options & ZX_VMO_CHILD_RESIZABLE) != 0;
    struct model_memory *memory = new_memory(model, size, resizable);
    uint64_t parent_size = model_vmo_size(parent);

    if (offset < parent_size)
        memcpy(memory->bytes, model_vmo_bytes(parent) + offset,
               model_min(memory->size, parent_size - offset));
    add(model, child, memory)->resizable = resizable;
}

static void add_alias(struct model *model, unsigned child, const struct model_vmo *parent,
                      uint32_t options, uint64_t offset, uint64_t size)
{
    bool slice = (options & ZX_VMO_CHILD_SLICE) != 0;
    struct model_vmo *m = add(model, child, parent->memory);

    m->resizable = !slice && parent->memory->resizable;
    m->lacks_resize_right = (options & ZX_VMO_CHILD_RESIZABLE) == 0;
    m->is_slice = slice;
    m->offset = parent->offset + offset;
    m->size = slice ? model_round_up(size) : parent->size;
    m->content = slice ? size : parent->content;
}

void model_step_vmo_child(struct model *model)
{
    static const uint32_t kinds[] = {
        ZX_VMO_CHILD_SNAPSHOT,          ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE,
        ZX_VMO_CHILD_SNAPSHOT_MODIFIED, ZX_VMO_CHILD_SLICE,
        ZX_VMO_CHILD_REFERENCE,
    };
    unsigned parent = model_pick_vmo(model), child = find_free(model);
    uint32_t options = kinds[model_below(model, 5)];
    uint64_t offset = random_bytes(model, MODEL_VMO_BYTES / 2) / MODEL_PAGE_BYTES *
                      (MODEL_PAGE_BYTES - (model_below(model, 32) == 0));
    uint64_t size = random_bytes(model, MODEL_VMO_BYTES);

    if (parent == MODEL_VMOS || child == MODEL_VMOS)
        return;
    if (model_below(model, 3) == 0)
        options |= ZX_VMO_CHILD_RESIZABLE;
    if ((options & ZX_VMO_CHILD_REFERENCE) && model_below(model, 16) != 0)
        offset = size = 0;
    if ((options & ZX_VMO_CHILD_SLICE) && model_below(model, 2) == 0)
        size = model_below(model, MODEL_VMO_BYTES / 4);
    const struct model_vmo *m = &model->vmos[parent];
    model_call(model, "vmo %u = vmo_create_child(vmo %u, options %#x, offset %#lx, size %#lx)",
               child, parent, options, offset, size);
    if (!model_expect(model,
                      real_vmo_create_child(model->real, parent, child, options, offset, size),
                      child_status(m, options, offset, size)))
        return;
    if (options & (ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_REFERENCE))
        add_alias(model, child, m, options, offset, size);
    else
        add_snapshot(model, child, m, options, offset, size);
    model_check_vmo(model, child, 0, MODEL_VMO_BYTES);
}

void model_step_vmo_close(struct model *model)
{
    unsigned vmo = model_pick_vmo(model);

    if (vmo == MODEL_VMOS)
        return;
    model_call(model, "close(vmo %u)", vmo);
    real_vmo_close(model->real, vmo);
    model->vmos[vmo].is_open = false;
    model->counts[model->kind].done++;
    model_collect_vmos(model);
}

/* ---- Contents ------------------------------------------------------------------------------- */

void model_step_vmo_read(struct model *model)
{
    unsigned vmo = model_pick_vmo(model);
    uint8_t bytes[3 * MODEL_PAGE_BYTES];
    uint64_t offset, len;

    if (vmo == MODEL_VMOS)
        return;
    const struct model_vmo *m = &model->vmos[vmo];
    random_range(model, m, &offset, &len);
    zx_status_t want = model_vmo_contains(m, offset, len) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
    model_call(model, "vmo_read(vmo %u, offset %#lx, len %#lx)", vmo, offset, len);
    if (model_expect(model, real_vmo_read(model->real, vmo, bytes, offset, len), want) &&
        memcmp(bytes, model_vmo_bytes(m) + offset, len) != 0)
        model_fail(model, "what was read differs");
}

void model_step_vmo_write(struct model *model)
{
    unsigned vmo = model_pick_vmo(model);
    uint8_t bytes[3 * MODEL_PAGE_BYTES];
    uint64_t offset, len;

    if (vmo == MODEL_VMOS)
        return;
    const struct model_vmo *m = &model->vmos[vmo];
    random_range(model, m, &offset, &len);
    memset(bytes, (int)model_below(model, 256), sizeof(bytes));
    zx_status_t want = model_vmo_contains(m, offset, len) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
    model_call(model, "vmo_write(vmo %u, offset %#lx, len %#lx, byte %#x)", vmo, offset, len,
               bytes[0]);
    if (!model_expect(model, real_vmo_write(model->real, vmo, bytes, offset, len), want))
        return;
    memcpy(model_vmo_bytes(m) + offset, bytes, len);
    model_check_vmo(model, vmo, offset, len);
}

static zx_status_t op_status(const struct model_vmo *vmo, uint32_t op, uint64_t offset,
                             uint64_t len)
{
    if (op == ZX_VMO_OP_DECOMMIT && !model_is_aligned(offset | len))
        return ZX_ERR_INVALID_ARGS;
    return model_vmo_contains(vmo, offset, len) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
}

void model_step_vmo_op(struct model *model)
{
    static const uint32_t ops[] = {ZX_VMO_OP_COMMIT, ZX_VMO_OP_DECOMMIT, ZX_VMO_OP_ZERO};
    unsigned vmo = model_pick_vmo(model);
    uint32_t op = ops[model_below(model, 3)];
    uint64_t offset, len;

    if (vmo == MODEL_VMOS)
        return;
    const struct model_vmo *m = &model->vmos[vmo];
    random_range(model, m, &offset, &len);
    model_call(model, "vmo_op_range(vmo %u, op %u, offset %#lx, len %#lx)", vmo, op, offset, len);
    if (!model_expect(model, real_vmo_op_range(model->real, vmo, op, offset, len),
                      op_status(m, op, offset, len)))
        return;
    if (op == ZX_VMO_OP_ZERO || (op == ZX_VMO_OP_DECOMMIT && !model->is_wrong))
        memset(model_vmo_bytes(m) + offset, 0, len);
    model_check_vmo(model, vmo, offset, len);
}

/* One page multiple, also to where it came from. */
void model_step_vmo_transfer(struct model *model)
{
    unsigned src = model_pick_vmo(model), dst = model_pick_vmo(model);
    uint64_t from = model_below(model, MODEL_VMO_PAGES) * MODEL_PAGE_BYTES;
    uint64_t to = model_below(model, MODEL_VMO_PAGES) * MODEL_PAGE_BYTES;
    uint64_t len = model_below(model, 4) * MODEL_PAGE_BYTES;
    zx_status_t want = ZX_OK;

    if (src == MODEL_VMOS)
        return;
    const struct model_vmo *s = &model->vmos[src], *d = &model->vmos[dst];
    uint64_t apart = s->offset + from > d->offset + to ? s->offset + from - d->offset - to
                                                       : d->offset + to - s->offset - from;
    if (!model_vmo_contains(d, to, len) || !model_vmo_contains(s, from, len))
        want = ZX_ERR_OUT_OF_RANGE;
    else if (s->memory == d->memory && apart > 0 && apart < len)
        want = ZX_ERR_INVALID_ARGS;
    model_call(model, "vmo_transfer(vmo %u at %#lx to vmo %u at %#lx, len %#lx)", src, from, dst,
               to, len);
    if (!model_expect(model, real_vmo_transfer(model->real, dst, to, len, src, from), want) ||
        (s->memory == d->memory && apart == 0))
        return;
    memcpy(model_vmo_bytes(d) + to, model_vmo_bytes(s) + from, len);
    memset(model_vmo_bytes(s) + from, 0, len);
    model_check_vmo(model, src, from, len);
    model_check_vmo(model, dst, to, len);
}

/* ---- Sizes ---------------------------------------------------------------------------------- */

static void check_sizes(struct model *model, unsigned vmo)
{
    const struct model_vmo *m = &model->vmos[vmo];
    uint64_t size = 0, content = 0;

    if (real_vmo_get_size(model->real, vmo, &size) != ZX_OK || size != model_vmo_size(m))
        model_fail(model, "VMO %u has size %#lx, not %#lx", vmo, size, model_vmo_size(m));
    if (real_vmo_get_stream_size(model->real, vmo, &content) != ZX_OK ||
        content != (m->is_slice ? m->content : m->memory->content))
        model_fail(model, "VMO %u has stream size %#lx", vmo, content);
}

/* What lies between the old and the new end of the content reads as zeros. */
static void resize(struct model_memory *memory, uint64_t size)
{
    uint64_t kept = model_min(model_round_up(size), memory->size);
    uint64_t low = model_min(memory->content, size);
    uint64_t high = model_min(model_max(memory->content, size), kept);

    if (low < high)
        memset(memory->bytes + low, 0, high - low);
    memset(memory->bytes + kept, 0, MODEL_VMO_BYTES - kept);
    memory->size = model_round_up(size);
    memory->content = size;
}

void model_step_vmo_set_size(struct model *model)
{
    unsigned vmo = model_pick_vmo(model);
    uint64_t size = random_bytes(model, MODEL_VMO_BYTES);
    zx_status_t want = ZX_OK;

    if (vmo == MODEL_VMOS)
        return;
    struct model_vmo *m = &model->vmos[vmo];
    if (m->resizable && m->lacks_resize_right)
        return; /* the right is the handle's, which only the system calls know */
    if (model_below(model, 64) == 0)
        size = UINT64_MAX - model_below(model, MODEL_PAGE_BYTES - 1);
    if (!m->resizable)
        want = ZX_ERR_UNAVAILABLE;
    else if (size > MODEL_VMO_BYTES)
        want = ZX_ERR_OUT_OF_RANGE;
    model_call(model, "vmo_set_size(vmo %u, %#lx)", vmo, size);
    if (model_expect(model, real_vmo_set_size(model->real, vmo, size), want))
        resize(m->memory, size);
    check_sizes(model, vmo);
    if (want == ZX_OK)
        model_check_vmo(model, vmo, 0, MODEL_VMO_BYTES);
}

void model_step_vmo_stream_size(struct model *model)
{
    unsigned vmo = model_pick_vmo(model);

    if (vmo == MODEL_VMOS)
        return;
    struct model_vmo *m = &model->vmos[vmo];
    uint64_t *content = m->is_slice ? &m->content : &m->memory->content;
    uint64_t size = random_bytes(model, model_vmo_size(m));
    if (model_below(model, 8) == 0)
        size = model_vmo_size(m) + 1 + model_below(model, MODEL_PAGE_BYTES);
    zx_status_t want = size <= model_vmo_size(m) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
    model_call(model, "vmo_set_stream_size(vmo %u, %#lx)", vmo, size);
    if (model_expect(model, real_vmo_set_stream_size(model->real, vmo, size), want)) {
        uint64_t low = model_min(size, *content), high = model_max(size, *content);
        memset(model_vmo_bytes(m) + low, 0, high - low);
        *content = size;
        model_check_vmo(model, vmo, low, high - low);
    }
    check_sizes(model, vmo);
}
