/* Comparisons of the whole. */
#include "tests/model/real.h"
#include "tests/model/state.h"

#define REGIONS_MAX 192u

/* The region of the model that a record of the walk stands for; MODEL_VMARS: none. */
static unsigned find_vmar(const struct model *model, unsigned first, uint64_t count,
                          unsigned parent)
{
    for (unsigned i = 0; i < MODEL_VMARS; i++) {
        const struct model_vmar *m = &model->vmars[i];
        if (m->is_used && !m->is_dead && m->first == first && m->count == count &&
            (i == 0 || m->parent == parent))
            return i;
    }
    return MODEL_VMARS;
}

/* A mapping: its pages, each against what the model says of that page. */
static unsigned check_mapping(struct model *model, const struct real_region *region, unsigned vmar,
                              unsigned first)
{
    uint64_t count = region->size / MODEL_PAGE_BYTES;

    for (unsigned i = 0; i < count && first + i < MODEL_ARENA_PAGES; i++) {
        const struct model_page *page = &model->pages[first + i];
        if (!page->is_mapped || page->vmar != vmar || page->perms != region->perms ||
            model->vmos[page->vmo].id != region->vmo_id ||
            page->vmo_page * MODEL_PAGE_BYTES != region->vmo_offset + i * MODEL_PAGE_BYTES)
            model_fail(model, "page %u is mapped in region %u with perms %u to VMO offset %#lx",
                       first + i, vmar, region->perms, region->vmo_offset + i * MODEL_PAGE_BYTES);
    }
    return (unsigned)count;
}

void model_check_regions(struct model *model)
{
    struct real_region regions[REGIONS_MAX];
    size_t count = real_walk(model->real, regions, REGIONS_MAX);
    unsigned path[MODEL_VMARS + 1] = {0}; /* the region at each depth */
    unsigned count_vmars = 0, count_mapped = 0;

    if (count > REGIONS_MAX)
        model_fail(model, "the walk gives %zu records", count);
    for (size_t i = 0; i < count && !model->has_failed; i++) {
        const struct real_region *region = &regions[i];
        unsigned first =
            (unsigned)((region->base - real_arena_base(model->real)) / MODEL_PAGE_BYTES);
        unsigned parent =
            region->depth > 0 && region->depth <= MODEL_VMARS ? path[region->depth - 1] : 0;
        if (!region->is_vmar) {
            count_mapped += check_mapping(model, region, parent, first);
            continue;
        }
        unsigned vmar = find_vmar(model, first, region->size / MODEL_PAGE_BYTES, parent);
        if (vmar == MODEL_VMARS || region->depth >= MODEL_VMARS)
            model_fail(model, "there is a region at page %u that should not be", first);
        else
            path[region->depth] = vmar;
        count_vmars++;
    }
    for (unsigned i = 0; i < MODEL_ARENA_PAGES; i++)
        count_mapped -= model->pages[i].is_mapped;
    for (unsigned i = 0; i < MODEL_VMARS; i++)
        count_vmars -= model->vmars[i].is_used && !model->vmars[i].is_dead;
    if (count_mapped != 0 || count_vmars != 0)
        model_fail(model, "%d more pages mapped and %d more regions than there should be",
                   (int)count_mapped, (int)count_vmars);
}

static void check_mapped_page(struct model *model, unsigned page)
{
    const struct model_page *m = &model->pages[page];
    uint64_t at = page * 61u % MODEL_PAGE_BYTES, offset = m->vmo_page * MODEL_PAGE_BYTES + at;
    uint8_t byte = 0;

    if (!m->is_mapped || !(m->perms & ZX_VM_PERM_READ) ||
        offset >= model_vmo_size(&model->vmos[m->vmo]))
        return;
    uint64_t addr = real_arena_base(model->real) + page * MODEL_PAGE_BYTES + at;
    zx_status_t status = real_access(model->real, page % 4, addr, ZX_VM_PERM_READ, &byte);
    uint8_t want = model_vmo_bytes(&model->vmos[m->vmo])[offset];
    if (status != ZX_OK || byte != want)
        model_fail(model, "page %u: status %d, byte %#x, the model says %#x", page, status, byte,
                   want);
}

void model_check_everything(struct model *model)
{
    for (unsigned i = 0; i < MODEL_VMOS; i++) {
        uint64_t size = 0;
        if (!model->vmos[i].is_open)
            continue;
        model_check_vmo(model, i, 0, MODEL_VMO_BYTES);
        if (real_vmo_get_size(model->real, i, &size) != ZX_OK ||
            size != model_vmo_size(&model->vmos[i]))
            model_fail(model, "VMO %u has size %#lx", i, size);
    }
    for (unsigned i = 0; i < MODEL_ARENA_PAGES; i++)
        check_mapped_page(model, i);
    if (!real_is_consistent(model->real))
        model_fail(model, "translations are stale");
}
