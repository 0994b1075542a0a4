/* Arguments: each kind has values that make sense, values at the edges of sense, and noise. */
#include <string.h>
#include <zircon/syscalls/iob.h>
#include <zircon/syscalls/object.h>
#include <zircon/syscalls/policy.h>

#include "tests/fuzz/fuzz.h"

struct fuzz_places fuzz_places;

#define KERNEL_ADDRESS 0xffffffc000000000ul

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

uint64_t fuzz_next(struct fuzz_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;

    /* splitmix64 (Steele, Lea, Flood 2014) */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* ---- Numbers -------------------------------------------------------------------------------- */

static uint64_t edge(struct fuzz_random *random)
{
    static const uint64_t edges[] = {
        0,
        1,
        2,
        3,
        7,
        8,
        PAGE - 1,
        PAGE,
        PAGE + 1,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x100000000,
        1ul << 38,
        (1ul << 38) - PAGE,
        1ul << 39,
        1ul << 56,
        0x7fffffffffffffff,
        0x8000000000000000,
        -PAGE,
        (uint64_t)-8,
        (uint64_t)-1,
    };
    uint64_t value = edges[fuzz_below(random, COUNT(edges))];

    if (fuzz_once_in(random, 4))
        value += fuzz_below(random, 16) - 8;
    return value;
}

static uint64_t number(struct fuzz_random *random)
{
    if (random->is_calm)
        return fuzz_below(random, 8);
    switch (fuzz_below(random, 4)) {
    case 0:
        return edge(random);
    case 1:
        return fuzz_next(random) >> fuzz_below(random, 64);
    default:
        return fuzz_below(random, 64);
    }
}

/* Bytes of memory or of a buffer. */
static uint64_t size(struct fuzz_random *random)
{
    switch (fuzz_below(random, 16)) {
    case 0:
        return random->is_calm ? PAGE : edge(random);
    case 1:
        return fuzz_below(random, 8 * PAGE);
    case 2:
        return fuzz_below(random, random->is_calm ? 64 : 1024) * PAGE;
    case 3:
    case 4:
        return fuzz_below(random, FUZZ_BUFFER_BYTES);
    case 5:
    case 6:
    case 7:
        return fuzz_below(random, 256);
    default:
        return (1 + fuzz_below(random, fuzz_once_in(random, 2) ? 4 : 16)) * PAGE;
    }
}

static uint64_t vmo_size(struct fuzz_random *random)
{
    return random->is_calm ? (4 + fuzz_below(random, 29)) * PAGE : size(random);
}

static uint64_t offset(struct fuzz_random *random)
{
    if (fuzz_odd(random, 12))
        return edge(random);
    if (fuzz_odd(random, 6))
        return fuzz_below(random, 32 * PAGE);
    if (fuzz_once_in(random, 2))
        return 0;
    return fuzz_below(random, fuzz_once_in(random, 2) ? 4 : 32) * PAGE;
}

/* Some of the bits below |width|, few as a rule. */
static uint64_t few_bits(struct fuzz_random *random, unsigned width)
{
    uint64_t bits = 0;

    for (unsigned i = fuzz_below(random, 4); i > 0; i--)
        bits |= 1ul << fuzz_below(random, width);
    return bits;
}

static uint64_t vm_options(struct fuzz_random *random, const struct fuzz_call *call)
{
    static const uint64_t sane[] = {
        ZX_VM_PERM_READ,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC,
        ZX_VM_PERM_READ | ZX_VM_SPECIFIC,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC | ZX_VM_ALLOW_FAULTS,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC | ZX_VM_MAP_RANGE,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_SPECIFIC_OVERWRITE,
        ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE,
        ZX_VM_PERM_EXECUTE,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_ALLOW_FAULTS,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_MAP_RANGE,
        ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_OFFSET_IS_UPPER_LIMIT,
    };
    uint64_t options = sane[fuzz_below(random, COUNT(sane))];

    if (call->options != NULL)
        options = call->options[fuzz_below(random, call->count_options)];
    if (fuzz_odd(random, 4))
        options ^= few_bits(random, 16);
    if (fuzz_once_in(random, 16))
        options |= (uint64_t)fuzz_below(random, 40) << ZX_VM_ALIGN_BASE;
    return fuzz_odd(random, 64) ? number(random) : options;
}

static uint64_t region_options(struct fuzz_random *random)
{
    const uint64_t usual = ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC;
    uint64_t options = usual;

    if (fuzz_once_in(random, 2))
        options |= ZX_VM_SPECIFIC;
    if (fuzz_odd(random, 4))
        options ^= few_bits(random, 16);
    return options;
}

static uint64_t options(struct fuzz_random *random, const struct fuzz_call *call)
{
    uint32_t choice = fuzz_below(random, 16);

    if (call->options != NULL && (random->is_calm || choice < 8))
        return call->options[fuzz_below(random, call->count_options)];
    if (choice < (random->is_calm ? 10 : 6))
        return 0;
    return choice < 12 ? fuzz_below(random, 4) : choice < 15 ? few_bits(random, 9) : number(random);
}

static uint64_t rights(struct fuzz_random *random)
{
    switch (fuzz_below(random, 4)) {
    case 0:
        return fuzz_next(random) & 0x1ffffff;
    case 1:
        return 0x1ffffff & ~few_bits(random, 25);
    default:
        return ZX_RIGHT_SAME_RIGHTS;
    }
}

/* Most are past: calls that sleep make few calls. */
static uint64_t deadline(struct fuzz_random *random)
{
    switch (fuzz_below(random, 64)) {
    case 0:
        return fuzz_once_in(random, 16) ? (uint64_t)ZX_TIME_INFINITE : 0;
    case 1:
        return fuzz_once_in(random, 16) ? number(random) : 0;
    case 2:
    case 3:
    case 4:
        return (uint64_t)zx_clock_get_monotonic() + fuzz_below(random, 2000000);
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
        return (uint64_t)zx_clock_get_monotonic() + fuzz_below(random, 50000);
    default:
        return fuzz_below(random, 2) * 1000;
    }
}

static uint64_t arena_address(struct fuzz_random *random)
{
    uint32_t pages = (uint32_t)(fuzz_places.arena_bytes / PAGE);
    uint64_t at = fuzz_below(random, fuzz_once_in(random, 4) ? pages : 32) * PAGE;

    if (fuzz_odd(random, 16))
        at += fuzz_below(random, PAGE);
    return fuzz_places.arena_base + at;
}

static void start_and_end(void)
{
    zx_thread_exit();
}

static uint64_t address(struct fuzz_random *random)
{
    if (fuzz_odd(random, 24))
        return edge(random);
    return fuzz_once_in(random, 3) ? arena_address(random) : fuzz_mapped_pick(random);
}

static uint64_t entry(struct fuzz_random *random)
{
    return fuzz_odd(random, 16) ? address(random) : (uint64_t)start_and_end;
}

static uint64_t stack(struct fuzz_random *random)
{
    uint64_t pages = fuzz_places.stacks_bytes / PAGE;

    if (fuzz_odd(random, 16))
        return address(random);
    return fuzz_places.stacks + (1 + fuzz_below(random, (uint32_t)pages)) * PAGE;
}

static uint64_t topic(struct fuzz_random *random)
{
    static const uint32_t policy[] = {ZX_JOB_POL_BASIC, ZX_JOB_POL_BASIC_V2,
                                      ZX_JOB_POL_TIMER_SLACK};

    if (fuzz_odd(random, 32))
        return number(random);
    if (fuzz_once_in(random, 8))
        return policy[fuzz_below(random, COUNT(policy))];
    return fuzz_below(random, 38) | (uint64_t)fuzz_below(random, 4) << 28;
}

static uint64_t element(struct fuzz_random *random)
{
    return fuzz_odd(random, 4) ? number(random) : 8u << fuzz_below(random, 2);
}

/* ---- Pointers ------------------------------------------------------------------------------- */

static uint64_t odd_pointer(struct fuzz_random *random, uint64_t buffer)
{
    switch (fuzz_below(random, 16)) {
    case 0:
        return 0;
    case 1:
        return fuzz_places.read_only + fuzz_below(random, PAGE);
    case 2:
        return fuzz_places.before_hole + PAGE; /* the hole */
    case 3:
    case 4:
        return fuzz_places.before_hole + PAGE - fuzz_below(random, 64);
    case 5:
    case 6:
    case 7:
        return fuzz_places.flicker + fuzz_below(random, 2 * PAGE);
    case 8:
        return KERNEL_ADDRESS + fuzz_below(random, 1u << 28);
    case 9:
        return 0xffffffff80200000 + fuzz_below(random, 1u << 20);
    case 10:
        return fuzz_places.execute_only + fuzz_below(random, PAGE);
    case 11:
        return fuzz_places.vdso + fuzz_below(random, 4 * PAGE);
    case 12:
        return edge(random);
    case 13:
        return buffer + 1 + fuzz_below(random, 15);
    case 14:
        return fuzz_mapped_pick(random) + fuzz_below(random, PAGE);
    default:
        return arena_address(random) + fuzz_below(random, PAGE);
    }
}

static void fill_noise(struct fuzz_random *random, void *buffer, size_t words)
{
    uint64_t *to = buffer;

    for (size_t i = 0; i < words; i++)
        to[i] = fuzz_once_in(random, 3) ? number(random) : 0;
}

static void fill_handles(struct fuzz_thread *thread, zx_handle_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = fuzz_handles_pick(thread, ZX_OBJ_TYPE_NONE);
}

static void fill_wait_items(struct fuzz_thread *thread, zx_wait_item_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i].handle = fuzz_handles_pick(thread, ZX_OBJ_TYPE_NONE);
        to[i].waitfor = (zx_signals_t)few_bits(&thread->random, 32);
    }
}

static void fill_dispositions(struct fuzz_thread *thread, zx_handle_disposition_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i] = (zx_handle_disposition_t){
            .operation = fuzz_below(&thread->random, 2),
            .handle = fuzz_handles_pick(thread, ZX_OBJ_TYPE_NONE),
            .rights = (zx_rights_t)rights(&thread->random),
        };
        if (fuzz_odd(&thread->random, 16))
            to[i].type = fuzz_below(&thread->random, 36);
    }
}

/* Where something inside a structure points. */
static void *inner_pointer(struct fuzz_thread *thread, void *sane)
{
    if (fuzz_odd(&thread->random, 8))
        return (void *)odd_pointer(&thread->random, (uint64_t)sane);
    return sane;
}

static uint32_t few(struct fuzz_random *random, uint32_t limit)
{
    return fuzz_odd(random, 32) ? (uint32_t)number(random) : fuzz_below(random, limit);
}

/* Both kinds of arguments for zx_channel_call have one layout. */
static void fill_call_args(struct fuzz_thread *thread, uint8_t *buffer, bool is_etc)
{
    zx_channel_call_args_t *args = (zx_channel_call_args_t *)buffer;

    _Static_assert(sizeof(zx_channel_call_args_t) == sizeof(zx_channel_call_etc_args_t),
                   "one layout");
    fill_noise(&thread->random, buffer + 512, 8);
    if (is_etc)
        fill_dispositions(thread, (zx_handle_disposition_t *)(buffer + 1024), 4);
    else
        fill_handles(thread, (zx_handle_t *)(buffer + 1024), 4);
    memset(buffer + 4096, 0, 128);
    *args = (zx_channel_call_args_t){
        .wr_bytes = inner_pointer(thread, buffer + 512),
        .wr_handles = inner_pointer(thread, buffer + 1024),
        .rd_bytes = inner_pointer(thread, buffer + 2048),
        .rd_handles = inner_pointer(thread, buffer + 4096),
        .wr_num_bytes = few(&thread->random, 64),
        .wr_num_handles = few(&thread->random, 3),
        .rd_num_bytes = few(&thread->random, 1024),
        .rd_num_handles = few(&thread->random, 8),
    };
}

static void fill_iovecs(struct fuzz_thread *thread, uint8_t *buffer)
{
    zx_iovec_t *to = (zx_iovec_t *)buffer;

    for (unsigned i = 0; i < 8; i++) {
        to[i].buffer = inner_pointer(thread, buffer + 1024);
        to[i].capacity = fuzz_once_in(&thread->random, 16) ? number(&thread->random)
                                                           : fuzz_below(&thread->random, 512);
    }
}

static void fill_regions(struct fuzz_thread *thread, zx_iob_region_t *to, size_t count)
{
    struct fuzz_random *random = &thread->random;

    for (size_t i = 0; i < count; i++) {
        memset(&to[i], 0, sizeof(to[i]));
        to[i].type = fuzz_below(random, 8) == 0;
        to[i].access = fuzz_below(random, 256);
        to[i].size = fuzz_odd(random, 16) ? size(random) : (1 + fuzz_below(random, 4)) * PAGE;
        to[i].discipline.type = fuzz_below(random, fuzz_odd(random, 16) ? 5 : 3);
        if (to[i].type == ZX_IOB_REGION_TYPE_SHARED) {
            to[i].size = 0;
            to[i].shared_region.shared_region =
                fuzz_handles_pick(thread, ZX_OBJ_TYPE_IOB_SHARED_REGION);
        }
        if (fuzz_odd(random, 16))
            ((uint64_t *)&to[i])[fuzz_below(random, sizeof(to[i]) / 8)] = number(random);
    }
}

static void fill_policy(struct fuzz_random *random, uint8_t *buffer)
{
    zx_policy_basic_v2_t *to = (zx_policy_basic_v2_t *)buffer;

    for (unsigned i = 0; i < 4; i++) {
        to[i] = (zx_policy_basic_v2_t){.condition = fuzz_below(random, 18),
                                       .action = fuzz_below(random, fuzz_odd(random, 8) ? 5 : 2),
                                       .flags = fuzz_below(random, 2)};
    }
    if (fuzz_odd(random, 4))
        fill_noise(random, buffer, 6);
}

static void fill_buffer(struct fuzz_thread *thread, enum fuzz_kind kind, uint8_t *buffer)
{
    switch (kind) {
    case FUZZ_OUT_HANDLES:
    case FUZZ_OUT_HANDLE_INFOS:
        memset(buffer, 0, 256);
        break;
    case FUZZ_IN_HANDLES:
        fill_handles(thread, (zx_handle_t *)buffer, 8);
        break;
    case FUZZ_WAIT_ITEMS:
        fill_wait_items(thread, (zx_wait_item_t *)buffer, 8);
        break;
    case FUZZ_DISPOSITIONS:
        fill_dispositions(thread, (zx_handle_disposition_t *)buffer, 8);
        break;
    case FUZZ_CALL_ARGS:
    case FUZZ_CALL_ETC_ARGS:
        fill_call_args(thread, buffer, kind == FUZZ_CALL_ETC_ARGS);
        break;
    case FUZZ_IOVECS:
        fill_iovecs(thread, buffer);
        break;
    case FUZZ_REGIONS:
        fill_regions(thread, (zx_iob_region_t *)buffer, 4);
        break;
    case FUZZ_POLICY:
        fill_policy(&thread->random, buffer);
        break;
    case FUZZ_IN:
        if (fuzz_once_in(&thread->random, 8)) {
            fill_iovecs(thread, buffer);
            break;
        }
        fill_noise(&thread->random, buffer, 16);
        break;
    default:
        break;
    }
}

/* Threads meet at few words, so that some wait there while others wake. */
static uint64_t futex(struct fuzz_thread *thread)
{
    static _Atomic uint32_t words[8];

    if (fuzz_odd(&thread->random, 6))
        return odd_pointer(&thread->random, (uint64_t)words);
    return (uint64_t)&words[fuzz_below(&thread->random, COUNT(words))];
}

static uint64_t pointer(struct fuzz_thread *thread, enum fuzz_kind kind, unsigned index)
{
    uint8_t *buffer = thread->buffers[index];

    if (kind == FUZZ_FUTEX)
        return futex(thread);
    if (fuzz_odd(&thread->random, 6))
        return odd_pointer(&thread->random, (uint64_t)buffer);
    if (kind == FUZZ_IN && fuzz_once_in(&thread->random, 8))
        return 0;
    fill_buffer(thread, kind, buffer);
    thread->is_sane[index] = true;
    return (uint64_t)buffer;
}

/* Of an object that there is, or of its parent or peer. */
static uint64_t koid(struct fuzz_thread *thread)
{
    zx_info_handle_basic_t info = {0};
    zx_handle_t handle = fuzz_handles_pick(thread, ZX_OBJ_TYPE_NONE);

    (void)zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof(info), NULL, NULL);
    return fuzz_once_in(&thread->random, 4) ? info.related_koid : info.koid;
}

/* ---- All together --------------------------------------------------------------------------- */

static uint64_t scalar(struct fuzz_thread *thread, const struct fuzz_call *call, unsigned index)
{
    enum fuzz_kind kind = (enum fuzz_kind)call->kinds[index];
    struct fuzz_random *random = &thread->random;

    switch (kind) {
    case FUZZ_HANDLE:
        return fuzz_handles_pick(thread, call->wants[index]);
    case FUZZ_VM_OPTIONS:
        return vm_options(random, call);
    case FUZZ_REGION_OPTIONS:
        return region_options(random);
    case FUZZ_OPTIONS:
        return options(random, call);
    case FUZZ_RIGHTS:
        return rights(random);
    case FUZZ_SIGNALS:
        return few_bits(random, 32);
    case FUZZ_DEADLINE:
        return deadline(random);
    case FUZZ_ADDRESS:
        return address(random);
    case FUZZ_ENTRY:
        return entry(random);
    case FUZZ_STACK:
        return stack(random);
    case FUZZ_OFFSET:
        return offset(random);
    case FUZZ_PLACE:
        return random->is_calm ? fuzz_below(random, 256) * PAGE : offset(random);
    case FUZZ_SIZE:
        return size(random);
    case FUZZ_VMO_SIZE:
        return vmo_size(random);
    case FUZZ_COUNT:
        return fuzz_odd(random, 16) ? number(random) : fuzz_below(random, 9);
    case FUZZ_TOPIC:
        return topic(random);
    case FUZZ_PROPERTY:
        return fuzz_odd(random, 32) ? number(random) : fuzz_below(random, 22);
    case FUZZ_OP:
        return fuzz_odd(random, 32) ? number(random) : fuzz_below(random, 16);
    case FUZZ_KOID:
        return koid(thread);
    case FUZZ_ELEMENT:
        return element(random);
    case FUZZ_U32:
        return (uint32_t)number(random);
    default:
        return number(random);
    }
}

void fuzz_args_make(struct fuzz_thread *thread, const struct fuzz_call *call,
                    uint64_t args[FUZZ_ARGS_MAX])
{
    thread->random.is_calm = !fuzz_once_in(&thread->random, 3);
    for (unsigned i = 0; i < call->count_args; i++) {
        enum fuzz_kind kind = (enum fuzz_kind)call->kinds[i];
        thread->is_sane[i] = false;
        if (kind >= FUZZ_IN)
            args[i] = pointer(thread, kind, i);
        else
            args[i] = scalar(thread, call, i);
    }
    for (unsigned i = call->count_args; i < FUZZ_ARGS_MAX; i++)
        args[i] = fuzz_next(&thread->random);
    /* A place that is not asked for is not given either. */
    for (unsigned i = 1; thread->random.is_calm && i < call->count_args; i++) {
        if (call->kinds[i] == FUZZ_PLACE && call->kinds[i - 1] == FUZZ_VM_OPTIONS &&
            (args[i - 1] & (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE)) == 0)
            args[i] = 0;
    }
    /* Nothing readable goes to the console. */
    bool is_readable = fuzz_once_in(&thread->random, 2);
    for (unsigned i = 0; call->is_loud && i < call->count_args; i++) {
        if (call->kinds[i] == FUZZ_SIZE && is_readable)
            args[i] = 0;
        else if (call->kinds[i] == FUZZ_IN && !is_readable)
            args[i] = KERNEL_ADDRESS + fuzz_below(&thread->random, 8);
    }
}
