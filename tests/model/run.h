/* Running sequences of steps, and making one that fails shorter. Step n of a seed does the same
 * whether or not the steps before it are there, so a sequence is a seed and a list of numbers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/model/state.h"

/* Steps that begin from an empty arena. */
#define MODEL_EPOCH_STEPS 2000u

/* The seed of one of the epochs that a run is made of. */
uint64_t model_epoch_seed(uint64_t seed, uint64_t epoch);

/* What the steps of a kind do. */
const char *model_kind_name(unsigned kind);

/* Runs the steps |steps|[0 .. count), or 0 .. count if that is NULL, until one fails. *at, which
 * others may watch: the number of the step that is being done. True: all agreed. */
bool model_run(struct model *model, const uint32_t *steps, uint32_t count, volatile uint32_t *at);

/* True if the sequence fails. */
typedef bool (*model_attempt_fn)(void *ctx, const uint32_t *steps, uint32_t count);

/* Takes from |steps|, which fail, what can be left out so that they still fail, in at most
 * |max_attempts| attempts. Returns how many are left: none can be left out alone, unless the
 * attempts ran out. */
uint32_t model_shrink(uint32_t *steps, uint32_t count, uint32_t max_attempts,
                      model_attempt_fn attempt, void *ctx);
