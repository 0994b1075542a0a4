/* Places in regions: which a request may get. */
#include "tests/model/real.h"
#include "tests/model/state.h"

/* ZX_VM_ALIGN_* that mean something in an arena of this size, and some that never fit. */
static uint32_t random_align(struct model *model)
{
    static const uint32_t aligns[] = {ZX_VM_ALIGN_1KB,   ZX_VM_ALIGN_4KB,  ZX_VM_ALIGN_8KB,
                                      ZX_VM_ALIGN_16KB,  ZX_VM_ALIGN_32KB, ZX_VM_ALIGN_64KB,
                                      ZX_VM_ALIGN_128KB, ZX_VM_ALIGN_1MB};
    uint64_t choice = model_below(model, 32);

    return choice < 8 ? aligns[choice] : choice == 8 ? 9u << ZX_VM_ALIGN_BASE : 0;
}

static uint64_t align_pages(uint32_t options)
{
    uint32_t log2 = options >> ZX_VM_ALIGN_BASE;
    return log2 > 12 ? 1ul << (log2 - 12) : 1;
}

void model_random_place(struct model *model, unsigned vmar, struct model_place *place)
{
    unsigned count = model->vmars[vmar].count;
    uint64_t kind = model_below(model, 8), pages = model_below(model, 1ul << model_below(model, 5));

    place->options = random_align(model);
    place->len = (pages + 1) * MODEL_PAGE_BYTES;
    place->offset = 0;
    if (kind < 4) {
        place->options |= ZX_VM_SPECIFIC;
        place->offset = model_below(model, count) * MODEL_PAGE_BYTES;
    } else if (kind == 4) {
        place->options |= ZX_VM_OFFSET_IS_UPPER_LIMIT;
        place->offset = model_below(model, count + 1) * MODEL_PAGE_BYTES;
    }
    /* Rarely something that is always refused. */
    switch (model_below(model, 96)) {
    case 0:
        place->options |= ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT;
        break;
    case 1:
        place->offset += 1 + model_below(model, MODEL_PAGE_BYTES - 1);
        break;
    case 2:
        place->len -= 1 + model_below(model, MODEL_PAGE_BYTES - 1);
        break;
    case 3:
        place->len = 0;
        break;
    case 4:
        place->offset = UINT64_MAX - MODEL_PAGE_BYTES * model_below(model, 4) - 4095;
        break;
    case 5:
        place->len = UINT64_MAX - MODEL_PAGE_BYTES * model_below(model, 4) - 4095;
        break;
    default:
        break;
    }
}

zx_status_t model_place_status(const struct model *model, unsigned vmar,
                               const struct model_place *place, unsigned *out_first)
{
    const struct model_vmar *m = &model->vmars[vmar];
    uint64_t room = m->count * MODEL_PAGE_BYTES, offset = place->offset;
    bool limited = (place->options & ZX_VM_OFFSET_IS_UPPER_LIMIT) != 0;
    bool specific = model_is_specific(place->options);
    unsigned ignored;

    if ((specific && limited) || (!specific && !limited && offset != 0) ||
        !model_is_aligned(offset))
        return ZX_ERR_INVALID_ARGS;
    if ((specific || limited) && !(m->options & ZX_VM_CAN_MAP_SPECIFIC))
        return ZX_ERR_ACCESS_DENIED;
    if (limited ? offset > room || place->len > offset
                : offset >= room || place->len > room - offset)
        return ZX_ERR_INVALID_ARGS;
    if (!specific)
        return model_count_places(model, vmar, place, 0, &ignored) > 0 ? ZX_OK
                                                                       : ZX_ERR_NO_RESOURCES;
    *out_first = m->first + (unsigned)(offset / MODEL_PAGE_BYTES);
    if (*out_first % align_pages(place->options) != 0)
        return ZX_ERR_INVALID_ARGS;
    for (unsigned i = 0; i < place->len / MODEL_PAGE_BYTES; i++) {
        const struct model_page *page = &model->pages[*out_first + i];
        if (place->options & ZX_VM_SPECIFIC_OVERWRITE) {
            if (page->vmar != vmar)
                return ZX_ERR_INVALID_ARGS;
        } else if (page->vmar != vmar || page->is_mapped) {
            return ZX_ERR_ALREADY_EXISTS;
        }
    }
    return ZX_OK;
}

static bool is_free(const struct model *model, unsigned vmar, unsigned first, uint64_t count)
{
    for (unsigned i = first; i < first + count; i++) {
        if (model->pages[i].vmar != vmar || model->pages[i].is_mapped)
            return false;
    }
    return true;
}

unsigned model_count_places(const struct model *model, unsigned vmar,
                            const struct model_place *place, unsigned nth, unsigned *out)
{
    const struct model_vmar *m = &model->vmars[vmar];
    uint64_t pages = place->len / MODEL_PAGE_BYTES, end = m->first + m->count;
    unsigned count = 0;

    if (place->options & ZX_VM_OFFSET_IS_UPPER_LIMIT)
        end = m->first + place->offset / MODEL_PAGE_BYTES;
    for (unsigned at = m->first; at + pages <= end; at++) {
        if (at % align_pages(place->options) != 0 || !is_free(model, vmar, at, pages))
            continue;
        if (count == nth)
            *out = at;
        count++;
    }
    return count;
}

bool model_check_place(struct model *model, unsigned vmar, const struct model_place *place,
                       uint64_t addr, unsigned *out_first)
{
    uint64_t offset = addr - real_arena_base(model->real);
    unsigned at = 0, count = model_count_places(model, vmar, place, 0, &at);

    for (unsigned i = 0; i < count; i++) {
        model_count_places(model, vmar, place, i, &at);
        if (offset == at * MODEL_PAGE_BYTES) {
            *out_first = at;
            return true;
        }
    }
    model_fail(model, "the place at arena + %#lx is not one of the %u that there are", offset,
               count);
    return false;
}

void model_random_range(struct model *model, unsigned vmar, uint64_t *out_addr, uint64_t *out_len)
{
    const struct model_vmar *m = &model->vmars[vmar];
    uint64_t first = m->first + model_below(model, m->count);
    uint64_t pages = 1 + model_below(model, 1ul << model_below(model, 6));

    if (model_below(model, 24) != 0)
        pages = model_min(pages, m->first + m->count - first);
    if (model_below(model, 64) == 0)
        first = model_below(model, MODEL_ARENA_PAGES);
    *out_addr = real_arena_base(model->real) + first * MODEL_PAGE_BYTES;
    *out_len = pages * MODEL_PAGE_BYTES;
    switch (model_below(model, 96)) {
    case 0:
        *out_addr += 1 + model_below(model, MODEL_PAGE_BYTES - 1);
        break;
    case 1:
        *out_len -= 1 + model_below(model, MODEL_PAGE_BYTES - 1);
        break;
    case 2:
        *out_len = 0;
        break;
    case 3:
        *out_len = UINT64_MAX - model_below(model, 2 * MODEL_PAGE_BYTES);
        break;
    case 4:
        *out_addr = model_random(model) & ~(MODEL_PAGE_BYTES - 1);
        break;
    default:
        break;
    }
}

bool model_range_pages(const struct model *model, unsigned vmar, uint64_t addr, uint64_t len,
                       unsigned *out_first, unsigned *out_count)
{
    const struct model_vmar *m = &model->vmars[vmar];
    uint64_t base = real_arena_base(model->real) + m->first * MODEL_PAGE_BYTES;
    uint64_t size = m->count * MODEL_PAGE_BYTES;

    if (addr < base || addr - base >= size || len > size - (addr - base))
        return false;
    *out_first = m->first + (unsigned)((addr - base) / MODEL_PAGE_BYTES);
    *out_count = (unsigned)(len / MODEL_PAGE_BYTES);
    return true;
}
