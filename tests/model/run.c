/* Sequences of steps. */
#include "tests/model/run.h"

#include <stdlib.h>
#include <string.h>

#include "tests/model/real.h"

/* Full comparisons come with this distance. */
#define EVERYTHING_STEPS 64u

static const struct {
    void (*step)(struct model *model);
    unsigned weight;
    const char *name;
    bool keeps_regions; /* it changes nothing about them if all is well */
} kinds[MODEL_KINDS] = {
    {model_step_access, 32, "access", true},
    {model_step_map, 24, "vmar_map", false},
    {model_step_unmap, 8, "vmar_unmap", false},
    {model_step_protect, 10, "vmar_protect", false},
    {model_step_op_range, 8, "vmar_op_range", false},
    {model_step_vmar_allocate, 6, "vmar_allocate", false},
    {model_step_vmar_destroy, 3, "vmar_destroy", false},
    {model_step_vmar_close, 3, "close a region", true},
    {model_step_vmo_create, 5, "vmo_create", true},
    {model_step_vmo_child, 8, "vmo_create_child", true},
    {model_step_vmo_close, 6, "close a VMO", true},
    {model_step_vmo_read, 3, "vmo_read", true},
    {model_step_vmo_write, 6, "vmo_write", true},
    {model_step_vmo_op, 6, "vmo_op_range", true},
    {model_step_vmo_set_size, 4, "vmo_set_size", true},
    {model_step_vmo_transfer, 2, "vmo_transfer_data", true},
    {model_step_vmo_stream_size, 1, "vmo_set_stream_size", true},
};

const char *model_kind_name(unsigned kind)
{
    return kinds[kind].name;
}

uint64_t model_epoch_seed(uint64_t seed, uint64_t epoch)
{
    uint64_t state = seed ^ (epoch * 0xd1342543de82ef95ul);
    return model_mix(&state);
}

static unsigned random_kind(struct model *model)
{
    unsigned total = 0, kind = 0;

    for (unsigned i = 0; i < MODEL_KINDS; i++)
        total += kinds[i].weight;
    for (unsigned left = (unsigned)model_below(model, total); left >= kinds[kind].weight; kind++)
        left -= kinds[kind].weight;
    return kind;
}

static void one_step(struct model *model)
{
    unsigned kind = random_kind(model);
    struct model_count *count = &model->counts[kind];
    uint64_t before = count->done + count->refused;

    model->kind = kind;
    kinds[kind].step(model);
    count->idle += count->done + count->refused == before;
    if (!model->has_failed &&
        (!kinds[kind].keeps_regions || model_below(model, real_walk_steps) == 0))
        model_check_regions(model);
}

bool model_run(struct model *model, const uint32_t *steps, uint32_t count, volatile uint32_t *at)
{
    for (uint32_t i = 0; i < count && !model->has_failed; i++) {
        model->step = *at = steps != NULL ? steps[i] : i;
        model->random = model_epoch_seed(model->seed, model->step + 1ul);
        one_step(model);
        if ((i % EVERYTHING_STEPS == EVERYTHING_STEPS - 1 || i + 1 == count) && !model->has_failed)
            model_check_everything(model);
    }
    return !model->has_failed;
}

/* True if the steps without [first, first + len) fail. |spare| has room for them. */
static bool fails_without(const uint32_t *steps, uint32_t count, uint32_t first, uint32_t len,
                          uint32_t *spare, model_attempt_fn attempt, void *ctx)
{
    memcpy(spare, steps, first * sizeof(*steps));
    memcpy(spare + first, steps + first + len, (count - first - len) * sizeof(*steps));
    return attempt(ctx, spare, count - len);
}

/* Delta debugging (Zeller, Hildebrandt), with the halves only: leaves out stretches, from the end,
 * of half the steps, a quarter, and so on; single steps until none can go. */
uint32_t model_shrink(uint32_t *steps, uint32_t count, uint32_t max_attempts,
                      model_attempt_fn attempt, void *ctx)
{
    uint32_t *spare = malloc(count * sizeof(*steps)), len = count / 2, attempts = 0;

    while (spare != NULL && len > 0 && attempts < max_attempts) {
        bool progress = false;
        for (uint32_t end = count; end > 0 && attempts < max_attempts;) {
            uint32_t first = end > len ? end - len : 0, taken = end - first;
            end = first;
            attempts++;
            if (!fails_without(steps, count, first, taken, spare, attempt, ctx))
                continue;
            count -= taken;
            memcpy(steps, spare, count * sizeof(*steps));
            progress = true;
        }
        if (!progress || len > 1)
            len /= 2;
    }
    free(spare);
    return count;
}
