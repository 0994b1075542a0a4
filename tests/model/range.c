/* Steps on ranges of addresses: unmap, protect, op_range, accesses. */
#include <string.h>

#include "tests/model/real.h"
#include "tests/model/state.h"

/* The length as the call takes it: whole pages. False: none. */
static bool round_len(uint64_t addr, uint64_t *len)
{
    if (!model_is_aligned(addr) || *len == 0 || *len > UINT64_MAX - (MODEL_PAGE_BYTES - 1))
        return false;
    *len = model_round_up(*len);
    return true;
}

static bool random_op_children(struct model *model)
{
    return model_below(model, 3) != 0;
}

/* The same place in the next page that is mapped, if there is one. */
static uint64_t near_mapped(const struct model *model, uint64_t at)
{
    for (unsigned i = 0; i < MODEL_ARENA_PAGES; i++) {
        uint64_t next = (at + i * MODEL_PAGE_BYTES) % (MODEL_ARENA_PAGES * MODEL_PAGE_BYTES);
        if (model->pages[next / MODEL_PAGE_BYTES].is_mapped)
            return next;
    }
    return at;
}

/* The same for an address that may lie anywhere. */
static uint64_t address_near_mapped(const struct model *model, uint64_t addr)
{
    uint64_t at = addr - real_arena_base(model->real);

    if (at >= MODEL_ARENA_PAGES * MODEL_PAGE_BYTES)
        return addr;
    return real_arena_base(model->real) + near_mapped(model, at);
}

/* ---- Unmap ---------------------------------------------------------------------------------- */

static zx_status_t unmap_status(const struct model *model, unsigned vmar, bool op_children,
                                uint64_t addr, uint64_t len, unsigned *first, unsigned *count)
{
    bool found = false;

    if ((real_has_syscalls && !model_is_aligned(len)) || !round_len(addr, &len))
        return ZX_ERR_INVALID_ARGS;
    if (model->vmars[vmar].is_dead)
        return ZX_ERR_BAD_STATE;
    if (!model_range_pages(model, vmar, addr, len, first, count))
        return ZX_ERR_INVALID_ARGS;
    for (unsigned i = *first; i < *first + *count; i++) {
        unsigned child = model_child_at(model, vmar, i);
        const struct model_vmar *m = &model->vmars[child];
        found |= child != vmar || model->pages[i].is_mapped;
        if (child != vmar &&
            (!op_children || m->first < *first || m->first + m->count > *first + *count))
            return ZX_ERR_INVALID_ARGS;
    }
    return found ? ZX_OK : ZX_ERR_NOT_FOUND;
}

void model_step_unmap(struct model *model)
{
    unsigned vmar = model_pick_vmar(model), first = 0, count = 0;
    bool op_children = random_op_children(model);
    uint64_t addr, len;

    model_random_range(model, vmar, &addr, &len);
    model_call(model, "vmar_unmap(vmar %u%s, arena + %#lx, len %#lx)", vmar,
               op_children ? "" : " without OP_CHILDREN", addr - real_arena_base(model->real), len);
    zx_status_t want = unmap_status(model, vmar, op_children, addr, len, &first, &count);
    if (!model_expect(model, real_vmar_unmap(model->real, vmar, op_children, addr, len), want))
        return;
    for (unsigned i = first; i < first + count; i++) {
        unsigned child = model_child_at(model, vmar, i);
        if (child != vmar)
            model_kill_vmar(model, child);
    }
    model_clear_pages(model, first, count);
    model_collect_vmos(model);
}

/* ---- Protect -------------------------------------------------------------------------------- */

static zx_status_t protect_args_status(const struct model_vmar *vmar, uint32_t perms, uint64_t addr,
                                       uint64_t *len)
{
    bool write_only = (perms & (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)) == ZX_VM_PERM_WRITE;

    if (real_has_syscalls && (perms & ~model_vmar_perms(vmar)))
        return ZX_ERR_ACCESS_DENIED;
    if (real_has_syscalls && (perms == ZX_VM_PERM_EXECUTE || !model_is_aligned(*len)))
        return ZX_ERR_INVALID_ARGS;
    if (write_only || !round_len(addr, len))
        return ZX_ERR_INVALID_ARGS;
    return vmar->is_dead ? ZX_ERR_BAD_STATE : ZX_OK;
}

static zx_status_t protect_status(const struct model *model, unsigned vmar, bool op_children,
                                  uint32_t perms, uint64_t addr, uint64_t len, unsigned *first,
                                  unsigned *count)
{
    zx_status_t status = protect_args_status(&model->vmars[vmar], perms, addr, &len);

    if (status != ZX_OK)
        return status;
    if (!model_range_pages(model, vmar, addr, len, first, count))
        return ZX_ERR_INVALID_ARGS;
    for (unsigned i = *first; i < *first + *count; i++) {
        const struct model_page *page = &model->pages[i];
        if (!page->is_mapped)
            return ZX_ERR_NOT_FOUND;
        if (perms & ~page->max_perms)
            return ZX_ERR_ACCESS_DENIED;
        if (page->vmar != vmar && !op_children)
            return ZX_ERR_INVALID_ARGS;
        if (page->vmar != vmar && (perms & ~page->perms))
            return ZX_ERR_ACCESS_DENIED;
    }
    return ZX_OK;
}

void model_step_protect(struct model *model)
{
    unsigned vmar = model_pick_vmar(model), first = 0, count = 0;
    bool op_children = random_op_children(model);
    uint32_t perms = (uint32_t)model_below(model, 8) << 0;
    uint64_t addr, len;

    perms = (perms & 1 ? ZX_VM_PERM_READ : 0) | (perms & 2 ? ZX_VM_PERM_WRITE : 0) |
            (perms == 7 || perms == 4 ? ZX_VM_PERM_EXECUTE : 0);
    model_random_range(model, vmar, &addr, &len);
    if (model_below(model, 2) == 0)
        addr = address_near_mapped(model, addr);
    model_call(model, "vmar_protect(vmar %u%s, perms %u, arena + %#lx, len %#lx)", vmar,
               op_children ? "" : " without OP_CHILDREN", perms,
               addr - real_arena_base(model->real), len);
    zx_status_t want = protect_status(model, vmar, op_children, perms, addr, len, &first, &count);
    if (!model_expect(model, real_vmar_protect(model->real, vmar, op_children, perms, addr, len),
                      want))
        return;
    for (unsigned i = first; i < first + count; i++)
        model->pages[i].perms = perms;
}

/* ---- Operations on ranges ------------------------------------------------------------------- */

static bool op_is_hint(uint32_t op)
{
    return op == ZX_VMAR_OP_MAP_RANGE || op == ZX_VMAR_OP_DONT_NEED || op == ZX_VMAR_OP_ALWAYS_NEED;
}

static bool is_past_end(const struct model *model, const struct model_page *page)
{
    return page->vmo_page >= model_vmo_size(&model->vmos[page->vmo]) / MODEL_PAGE_BYTES;
}

/* What is found before anything is done. */
static zx_status_t op_status(const struct model *model, unsigned vmar, bool op_children,
                             uint32_t op, uint64_t addr, uint64_t len, unsigned *first,
                             unsigned *count)
{
    const struct model_vmar *m = &model->vmars[vmar];
    bool needs_write =
        op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT || op == ZX_VMAR_OP_ZERO;

    if (real_has_syscalls && needs_write && op != ZX_VMAR_OP_ZERO &&
        !(m->options & ZX_VM_CAN_MAP_WRITE))
        return ZX_ERR_ACCESS_DENIED;
    if (real_has_syscalls && op == ZX_VMAR_OP_DECOMMIT && !model_is_aligned(len))
        return ZX_ERR_INVALID_ARGS;
    if (!round_len(addr, &len))
        return ZX_ERR_INVALID_ARGS;
    if (m->is_dead)
        return ZX_ERR_BAD_STATE;
    if (!model_range_pages(model, vmar, addr, len, first, count))
        return ZX_ERR_OUT_OF_RANGE;
    for (unsigned i = *first; i < *first + *count; i++) {
        const struct model_page *page = &model->pages[i];
        if (page->vmar != vmar && (!op_is_hint(op) || !op_children))
            return ZX_ERR_INVALID_ARGS;
        if (!page->is_mapped)
            return ZX_ERR_BAD_STATE;
        if (needs_write && !(page->max_perms & ZX_VM_PERM_WRITE))
            return ZX_ERR_ACCESS_DENIED;
    }
    return ZX_OK;
}

/* The page of the VMO behind a page of the arena; NULL: past its end. */
static uint8_t *bytes_behind(struct model *model, const struct model_page *page)
{
    if (is_past_end(model, page))
        return NULL;
    return model_vmo_bytes(&model->vmos[page->vmo]) + page->vmo_page * MODEL_PAGE_BYTES;
}

/* The call stopped at a mapping that goes past the end of its VMO. What is to the left of that end
 * may have been cleared, page by page: the model takes over what is there, if it is that. */
static void adopt_cleared(struct model *model, unsigned first, unsigned end)
{
    static const uint8_t zeros[MODEL_PAGE_BYTES];

    for (unsigned i = first; i < end && !is_past_end(model, &model->pages[i]); i++) {
        const struct model_page *page = &model->pages[i];
        uint8_t *bytes = bytes_behind(model, page), now[MODEL_PAGE_BYTES];
        uint64_t offset = page->vmo_page * MODEL_PAGE_BYTES;
        if (real_vmo_read(model->real, page->vmo, now, offset, sizeof(now)) != ZX_OK)
            model_fail(model, "VMO %u cannot be read", page->vmo);
        if (memcmp(now, zeros, sizeof(now)) == 0)
            memset(bytes, 0, MODEL_PAGE_BYTES);
    }
}

static void clear_behind(struct model *model, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        memset(bytes_behind(model, &model->pages[i]), 0, MODEL_PAGE_BYTES);
        model_check_vmo(model, model->pages[i].vmo, model->pages[i].vmo_page * MODEL_PAGE_BYTES,
                        MODEL_PAGE_BYTES);
    }
}

void model_step_op_range(struct model *model)
{
    static const uint32_t ops[] = {ZX_VMAR_OP_COMMIT,    ZX_VMAR_OP_DECOMMIT,
                                   ZX_VMAR_OP_ZERO,      ZX_VMAR_OP_MAP_RANGE,
                                   ZX_VMAR_OP_DONT_NEED, ZX_VMAR_OP_ALWAYS_NEED};
    unsigned vmar = model_pick_vmar(model), first = 0, count = 0;
    bool op_children = random_op_children(model), clears, overruns = false, can_look = true;
    uint32_t op = ops[model_below(model, 6)];
    uint64_t addr, len;

    model_random_range(model, vmar, &addr, &len);
    if (model_below(model, 2) == 0)
        addr = address_near_mapped(model, addr);
    model_call(model, "vmar_op_range(vmar %u%s, op %u, arena + %#lx, len %#lx)", vmar,
               op_children ? "" : " without OP_CHILDREN", op, addr - real_arena_base(model->real),
               len);
    clears = op == ZX_VMAR_OP_DECOMMIT || op == ZX_VMAR_OP_ZERO;
    zx_status_t want = op_status(model, vmar, op_children, op, addr, len, &first, &count);
    for (unsigned i = first; want == ZX_OK && i < first + count; i++) {
        overruns |= !op_is_hint(op) && is_past_end(model, &model->pages[i]);
        can_look &= model->vmos[model->pages[i].vmo].is_open;
    }
    if (overruns && clears && !can_look)
        return; /* nobody could tell how far it got */
    bool done =
        model_expect(model, real_vmar_op_range(model->real, vmar, op_children, op, addr, len),
                     overruns ? ZX_ERR_OUT_OF_RANGE : want);
    if (overruns && clears)
        adopt_cleared(model, first, first + count);
    else if (done && clears && !(model->is_wrong && op == ZX_VMAR_OP_DECOMMIT))
        clear_behind(model, first, count);
}

/* ---- Accesses ------------------------------------------------------------------------------- */

static zx_status_t access_status(const struct model *model, const struct model_page *page,
                                 uint32_t access)
{
    if (!page->is_mapped)
        return ZX_ERR_NOT_FOUND;
    if (access & ~page->perms)
        return real_tells_fault ? ZX_ERR_ACCESS_DENIED : ZX_ERR_NOT_FOUND;
    if (is_past_end(model, page))
        return real_tells_fault ? ZX_ERR_OUT_OF_RANGE : ZX_ERR_NOT_FOUND;
    return ZX_OK;
}

void model_step_access(struct model *model)
{
    static const uint32_t accesses[] = {ZX_VM_PERM_READ,  ZX_VM_PERM_READ,   ZX_VM_PERM_READ,
                                        ZX_VM_PERM_WRITE, ZX_VM_PERM_WRITE,  ZX_VM_PERM_WRITE,
                                        ZX_VM_PERM_WRITE, ZX_VM_PERM_EXECUTE};
    uint64_t at = model_below(model, MODEL_ARENA_PAGES * MODEL_PAGE_BYTES);
    uint32_t access = accesses[model_below(model, 8)];
    unsigned hart = (unsigned)model_below(model, 4);
    uint8_t byte = (uint8_t)model_below(model, 256), *want_byte = NULL;

    if (access == ZX_VM_PERM_EXECUTE && !real_can_execute)
        return;
    if (model_below(model, 4) != 0)
        at = near_mapped(model, at);
    const struct model_page *page = &model->pages[at / MODEL_PAGE_BYTES];
    zx_status_t want = access_status(model, page, access);
    model_call(model, "%s arena + %#lx on hart %u (%#x)",
               access == ZX_VM_PERM_READ    ? "read"
               : access == ZX_VM_PERM_WRITE ? "write"
                                            : "execute",
               at, hart, byte);
    if (!model_expect(
            model, real_access(model->real, hart, real_arena_base(model->real) + at, access, &byte),
            want))
        return;
    want_byte = bytes_behind(model, page) + at % MODEL_PAGE_BYTES;
    if (access == ZX_VM_PERM_WRITE)
        *want_byte = byte;
    else if (access == ZX_VM_PERM_READ && byte != *want_byte)
        model_fail(model, "read %#x, the model says %#x", byte, *want_byte);
}
