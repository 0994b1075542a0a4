/* The model's own affairs: beginning, end, random numbers, what it says. */
#include "tests/model/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/model/real.h"

void model_init(struct model *model, struct real *real, uint64_t seed)
{
    memset(model, 0, sizeof(*model));
    model->real = real;
    model->seed = seed;
    model->vmars[0] = (struct model_vmar){
        .is_used = true,
        .is_open = true,
        .count = MODEL_ARENA_PAGES,
        .options = MODEL_CAN_MAP | ZX_VM_CAN_MAP_SPECIFIC,
    };
}

void model_finish(struct model *model)
{
    for (unsigned i = 1; i < MODEL_VMARS; i++) {
        if (model->vmars[i].is_open)
            real_vmar_close(model->real, i);
    }
    for (unsigned i = 0; i < MODEL_VMOS; i++) {
        if (model->vmos[i].is_open)
            real_vmo_close(model->real, i);
        model->vmos[i].is_open = false;
    }
    zx_status_t status = real_vmar_unmap(model->real, 0, true, real_arena_base(model->real),
                                         MODEL_ARENA_PAGES * MODEL_PAGE_BYTES);
    if (status != ZX_OK && status != ZX_ERR_NOT_FOUND)
        model_fail(model, "unmapping the arena gave %d", status);
    model_clear_pages(model, 0, MODEL_ARENA_PAGES);
    model_collect_vmos(model);
}

/* splitmix64 (Steele, Lea, Flood). */
uint64_t model_mix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ul);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebul;
    return z ^ (z >> 31);
}

uint64_t model_random(struct model *model)
{
    return model_mix(&model->random);
}

uint64_t model_below(struct model *model, uint64_t limit)
{
    return model_random(model) % limit;
}

void model_call(struct model *model, const char *format, ...)
{
    va_list args;

    /* Words cost more than the call: they are made when somebody wants to read them. */
    if (!model->is_verbose)
        return;
    va_start(args, format);
    vsnprintf(model->call, sizeof(model->call), format, args);
    va_end(args);
    printf("  %6u: %s\n", (unsigned)model->step, model->call);
    fflush(stdout);
}

void model_fail(struct model *model, const char *format, ...)
{
    va_list args;

    if (model->has_failed)
        return;
    model->has_failed = true;
    va_start(args, format);
    vsnprintf(model->message, sizeof(model->message), format, args);
    va_end(args);
}

bool model_expect(struct model *model, zx_status_t got, zx_status_t want)
{
    if (want == ZX_OK)
        model->counts[model->kind].done++;
    else
        model->counts[model->kind].refused++;
    if (got != want)
        model_fail(model, "the call gave %d, the model says %d", got, want);
    return got == ZX_OK && want == ZX_OK;
}
