#include "userland/programs/conformance_child/places.h"

#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "userland/libzx/thread.h"
#include "userland/libzx/vdso_link.h"
#include "userland/programs/conformance_child/protocol.h"

#define RANDOM_GUESSES 200064u

static int find_stack(void *arg)
{
    *(uint64_t *)arg = (uintptr_t)&arg;
    return 0;
}

static int tell_places(zx_handle_t channel)
{
    void *heap = malloc(16);
    struct child_places places = {
        .program = (uintptr_t)tell_places,
        .stack = (uintptr_t)&heap,
        .heap = (uintptr_t)heap,
        .vdso = (uintptr_t)vdso_link_base(),
        .handle = channel,
    };
    struct thread *thread;

    if (thread_spawn("stack", find_stack, &places.thread_stack, &thread) != ZX_OK)
        return CHILD_FAILED;
    thread_join(thread);
    return zx_channel_write(channel, 0, &places, sizeof(places), NULL, 0) == ZX_OK ? 0
                                                                                   : CHILD_FAILED;
}

// ---- Handles ----

static bool is_own(zx_handle_t value, zx_handle_t channel)
{
    return value == channel || value == zx_process_self() || value == zx_thread_self() ||
           value == zx_vmar_root_self() || value == zx_job_default();
}

static void guess(struct child_guesses *guesses, zx_handle_t value, zx_handle_t channel)
{
    if (is_own(value, channel))
        return;
    guesses->tried++;
    guesses->hits += zx_handle_check_valid(value) == ZX_OK;
}

// The values of the message, and random ones.
static int guess_handles(zx_handle_t channel)
{
    zx_handle_t told[16], values[64];
    struct child_guesses guesses = {0};

    zx_object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    if (zx_channel_read(channel, 0, told, NULL, sizeof(told), 0, NULL, NULL) != ZX_OK)
        return CHILD_FAILED;
    for (int i = 0; i < 16; i++)
        guesses.told_hits += zx_handle_check_valid(told[i]) == ZX_OK;
    for (uint32_t i = 0; i < RANDOM_GUESSES / 64; i++) {
        zx_cprng_draw(values, sizeof(values));
        for (int k = 0; k < 64; k++)
            guess(&guesses, values[k] | 3, channel);
    }
    if (zx_channel_write(channel, 0, &guesses, sizeof(guesses), NULL, 0) != ZX_OK)
        return CHILD_FAILED;
    return 0;
}

// ---- Stack ----

// Goes down in steps of less than a page, so that no guard page is stepped over.
static int overflow(int depth)
{
    volatile char part[2000];

    part[0] = (char)depth;
    return depth < 0 ? part[0] : overflow(depth + 1) + part[0];
}

bool places_act(const char *act, zx_handle_t channel, int *code)
{
    if (strcmp(act, "places") == 0)
        *code = tell_places(channel);
    else if (strcmp(act, "guess") == 0)
        *code = guess_handles(channel);
    else if (strcmp(act, "overflow") == 0)
        *code = overflow(0);
    else
        return false;
    return true;
}
