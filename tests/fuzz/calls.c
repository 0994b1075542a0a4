/* The table of calls, made of syscalls.def, and what is known of their arguments. */
#include <string.h>

#include <zircon/syscalls/clock.h>

#include "tests/fuzz/fuzz.h"

#define LIST(count, ...) LIST_##count(__VA_ARGS__)
#define LIST_0(ignored)                                                                            \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }
#define LIST_1(t, n)                                                                               \
    {                                                                                              \
#t, #n                                                                                     \
    }
#define LIST_2(t, n, ...) {#t, #n}, LIST_1(__VA_ARGS__)
#define LIST_3(t, n, ...) {#t, #n}, LIST_2(__VA_ARGS__)
#define LIST_4(t, n, ...) {#t, #n}, LIST_3(__VA_ARGS__)
#define LIST_5(t, n, ...) {#t, #n}, LIST_4(__VA_ARGS__)
#define LIST_6(t, n, ...) {#t, #n}, LIST_5(__VA_ARGS__)
#define LIST_7(t, n, ...) {#t, #n}, LIST_6(__VA_ARGS__)
#define LIST_8(t, n, ...) {#t, #n}, LIST_7(__VA_ARGS__)

#define ROW(number, call, count, ...)                                                              \
    [number] = {.name = #call,                                                                     \
                .entry = (void (*)(void))zx_##call,                                                \
                .count_args = (count),                                                             \
                .params = {LIST(count, __VA_ARGS__)}},
#define SYSCALL(number, call, ret, count, ...)     ROW(number, call, count, __VA_ARGS__)
#define SYSCALL_VOID(number, call, count, ...)     ROW(number, call, count, __VA_ARGS__)
#define SYSCALL_NORETURN(number, call, count, ...) ROW(number, call, count, __VA_ARGS__)
struct fuzz_call fuzz_calls[FUZZ_CALLS_MAX] = {
#include <zircon/syscalls.def>
};

#define SYSCALL(...)          +1
#define SYSCALL_VOID(...)     +1
#define SYSCALL_NORETURN(...) +1
const unsigned fuzz_count_calls = 0
#include <zircon/syscalls.def>
    ;

struct by_name {
    const char *name;
    uint8_t value;
};

static const struct by_name pointer_kinds[] = {
    {"zx_wait_item_t", FUZZ_WAIT_ITEMS},
    {"zx_handle_disposition_t", FUZZ_DISPOSITIONS},
    {"zx_channel_call_args_t", FUZZ_CALL_ARGS},
    {"zx_channel_call_etc_args_t", FUZZ_CALL_ETC_ARGS},
    {"zx_handle_info_t", FUZZ_OUT_HANDLE_INFOS},
    {"zx_iovec_t", FUZZ_IOVECS},
    {"zx_futex_t", FUZZ_FUTEX},
};

static const struct by_name scalar_kinds[] = {
    {"zx_handle_t", FUZZ_HANDLE},     {"zx_vm_option_t", FUZZ_VM_OPTIONS},
    {"zx_rights_t", FUZZ_RIGHTS},     {"zx_signals_t", FUZZ_SIGNALS},
    {"zx_time_t", FUZZ_DEADLINE},     {"zx_off_t", FUZZ_OFFSET},
    {"zx_duration_t", FUZZ_DEADLINE},
};

static const struct by_name named_kinds[] = {
    {"options", FUZZ_OPTIONS},
    {"kind", FUZZ_OPTIONS},
    {"cache_policy", FUZZ_OPTIONS},
    {"region_index", FUZZ_OPTIONS},
    {"clear_mask", FUZZ_SIGNALS},
    {"set_mask", FUZZ_SIGNALS},
    {"topic", FUZZ_TOPIC},
    {"property", FUZZ_PROPERTY},
    {"op", FUZZ_OP},
    {"koid", FUZZ_KOID},
    {"vmar_offset", FUZZ_PLACE},
    {"entry", FUZZ_ENTRY},
    {"thread_entry", FUZZ_ENTRY},
    {"stack", FUZZ_STACK},
    {"current_value", FUZZ_OPTIONS},
    {"clock_id", FUZZ_OPTIONS},
    {"elem_size", FUZZ_ELEMENT},
    {"elem_count", FUZZ_ELEMENT},
    {"policy_size", FUZZ_COUNT},
    {"wake_count", FUZZ_COUNT},
};

/* Whose objects a handle argument is for, by its name. */
static const struct by_name wanted_by_name[] = {
    {"vmo", ZX_OBJ_TYPE_VMO},
    {"src_vmo", ZX_OBJ_TYPE_VMO},
    {"dst_vmo", ZX_OBJ_TYPE_VMO},
    {"port", ZX_OBJ_TYPE_PORT},
    {"process", ZX_OBJ_TYPE_PROCESS},
    {"shared_proc", ZX_OBJ_TYPE_PROCESS},
    {"thread", ZX_OBJ_TYPE_THREAD},
    {"new_futex_owner", ZX_OBJ_TYPE_THREAD},
    {"new_requeue_owner", ZX_OBJ_TYPE_THREAD},
    {"job", ZX_OBJ_TYPE_JOB},
    {"parent_job", ZX_OBJ_TYPE_JOB},
    {"root_job", ZX_OBJ_TYPE_JOB},
    {"ep", ZX_OBJ_TYPE_IOB},
    {"clock_handle", ZX_OBJ_TYPE_CLOCK},
    {"parent_vmar", ZX_OBJ_TYPE_VMAR},
};

/* ... and by the beginning of the call's. */
static const struct by_name wanted_by_call[] = {
    {"channel_", ZX_OBJ_TYPE_CHANNEL}, {"vmo_", ZX_OBJ_TYPE_VMO},
    {"vmar_", ZX_OBJ_TYPE_VMAR},       {"port_", ZX_OBJ_TYPE_PORT},
    {"timer_", ZX_OBJ_TYPE_TIMER},     {"fifo_", ZX_OBJ_TYPE_FIFO},
    {"clock_", ZX_OBJ_TYPE_CLOCK},     {"iob_", ZX_OBJ_TYPE_IOB},
    {"process_", ZX_OBJ_TYPE_PROCESS}, {"thread_", ZX_OBJ_TYPE_THREAD},
    {"job_", ZX_OBJ_TYPE_JOB},         {"exception_", ZX_OBJ_TYPE_EXCEPTION},
    {"socket_", ZX_OBJ_TYPE_SOCKET},   {"stream_", ZX_OBJ_TYPE_STREAM},
    {"pager_", ZX_OBJ_TYPE_PAGER},     {"object_signal_peer", ZX_OBJ_TYPE_EVENTPAIR},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint8_t look_up(const struct by_name *table, size_t count, const char *name, uint8_t other)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0)
            return table[i].value;
    }
    return other;
}

static bool contains(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static uint8_t pointer_kind(const struct fuzz_param *param)
{
    bool is_const = strncmp(param->type, "const", 5) == 0;

    for (size_t i = 0; i < COUNT(pointer_kinds); i++) {
        if (contains(param->type, pointer_kinds[i].name))
            return pointer_kinds[i].value;
    }
    if (contains(param->type, "zx_handle_t"))
        return is_const ? FUZZ_IN_HANDLES : FUZZ_OUT_HANDLES;
    if (strcmp(param->name, "regions") == 0)
        return FUZZ_REGIONS;
    if (strcmp(param->name, "policy") == 0)
        return FUZZ_POLICY;
    return is_const ? FUZZ_IN : FUZZ_OUT;
}

static uint8_t scalar_kind(const struct fuzz_param *param)
{
    uint8_t kind = look_up(scalar_kinds, COUNT(scalar_kinds), param->type, FUZZ_U64);

    if (kind != FUZZ_U64)
        return kind;
    kind = look_up(named_kinds, COUNT(named_kinds), param->name, FUZZ_U64);
    if (kind != FUZZ_U64)
        return kind;
    if (contains(param->name, "offset"))
        return FUZZ_OFFSET;
    if (contains(param->name, "num_") || contains(param->name, "count"))
        return FUZZ_COUNT;
    if (contains(param->name, "size") || contains(param->name, "len"))
        return FUZZ_SIZE;
    if (strcmp(param->type, "zx_vaddr_t") == 0)
        return FUZZ_ADDRESS;
    return contains(param->type, "32") ? FUZZ_U32 : FUZZ_U64;
}

static uint8_t wanted_type(const struct fuzz_call *call, const struct fuzz_param *param)
{
    uint8_t wanted = look_up(wanted_by_name, COUNT(wanted_by_name), param->name, 0);

    if (wanted != 0 || strcmp(param->name, "handle") != 0)
        return wanted;
    for (size_t i = 0; i < COUNT(wanted_by_call); i++) {
        if (strncmp(call->name, wanted_by_call[i].name, strlen(wanted_by_call[i].name)) == 0)
            return wanted_by_call[i].value;
    }
    return ZX_OBJ_TYPE_NONE;
}

static const uint64_t child_options[] = {
    ZX_VMO_CHILD_SNAPSHOT,
    ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE,
    ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_NO_WRITE,
    ZX_VMO_CHILD_SLICE,
    ZX_VMO_CHILD_REFERENCE,
    ZX_VMO_CHILD_REFERENCE | ZX_VMO_CHILD_RESIZABLE,
    ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE,
    ZX_VMO_CHILD_SNAPSHOT_MODIFIED,
};
static const uint64_t vmo_options[] = {0, ZX_VMO_RESIZABLE, ZX_VMO_DISCARDABLE, ZX_VMO_UNBOUNDED};
static const uint64_t clock_options[] = {0, ZX_CLOCK_OPT_AUTO_START, ZX_CLOCK_OPT_MONOTONIC,
                                         ZX_CLOCK_OPT_MONOTONIC | ZX_CLOCK_OPT_CONTINUOUS,
                                         ZX_CLOCK_ARGS_VERSION(1)};
static const uint64_t update_options[] = {
    ZX_CLOCK_ARGS_VERSION(1) | ZX_CLOCK_UPDATE_OPTION_VALUE_VALID,
    ZX_CLOCK_ARGS_VERSION(2) | ZX_CLOCK_UPDATE_OPTION_BOTH_VALUES_VALID,
    ZX_CLOCK_ARGS_VERSION(2) | ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID,
    ZX_CLOCK_ARGS_VERSION(1) | ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID};
static const uint64_t details_options[] = {ZX_CLOCK_ARGS_VERSION(1)};
static const uint64_t small_options[] = {0, 1, 2};
static const uint64_t protections[] = {ZX_VM_PERM_READ, ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
                                       ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0};
static const uint64_t no_options[] = {0};

static const struct {
    const char *call;
    const uint64_t *options;
    uint8_t count;
} known_options[] = {
    {"vmo_create", vmo_options, COUNT(vmo_options)},
    {"vmo_create_child", child_options, COUNT(child_options)},
    {"clock_create", clock_options, COUNT(clock_options)},
    {"clock_update", update_options, COUNT(update_options)},
    {"clock_get_details", details_options, COUNT(details_options)},
    {"vmar_protect", protections, COUNT(protections)},
    {"object_wait_async", small_options, COUNT(small_options)},
    {"channel_write", small_options, COUNT(small_options)},
    {"channel_read", no_options, 1},
    {"channel_call", no_options, 1},
    {"process_create", no_options, 1},
    {"thread_create", no_options, 1},
    {"job_create", no_options, 1},
    {"iob_create", no_options, 1},
    {"iob_writev", no_options, 1},
    {"job_set_policy", small_options, 2},
};

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static void classify_call(struct fuzz_call *call)
{
    static const char *const deadly[] = {"process_exit", "thread_exit", "thread_raise_exception",
                                         "cprng_draw"};
    static const char *const greedy[] = {
        "handle_close", "handle_close_many", "handle_replace",     "vmar_destroy",
        "task_kill",    "task_suspend",      "task_suspend_token", "vmar_unmap"};
    static const char *const creators[] = {"vmar_map", "vmar_allocate", "handle_duplicate"};

    call->is_deadly = is_one_of(call->name, deadly, COUNT(deadly));
    call->is_greedy = is_one_of(call->name, greedy, COUNT(greedy));
    call->is_creator =
        contains(call->name, "create") || is_one_of(call->name, creators, COUNT(creators));
    for (size_t i = 0; i < COUNT(known_options); i++) {
        if (strcmp(call->name, known_options[i].call) == 0) {
            call->options = known_options[i].options;
            call->count_options = known_options[i].count;
        }
    }
    call->is_loud = contains(call->name, "debug") && contains(call->name, "write");
}

void fuzz_calls_classify(void)
{
    for (unsigned i = 0; i < fuzz_count_calls; i++) {
        struct fuzz_call *call = &fuzz_calls[i];
        classify_call(call);
        for (unsigned a = 0; a < call->count_args; a++) {
            const struct fuzz_param *param = &call->params[a];
            bool is_pointer = contains(param->type, "*");
            call->kinds[a] = is_pointer ? pointer_kind(param) : scalar_kind(param);
            if (call->kinds[a] == FUZZ_VM_OPTIONS && strcmp(call->name, "vmar_allocate") == 0)
                call->kinds[a] = FUZZ_REGION_OPTIONS;
            if (call->kinds[a] == FUZZ_SIZE && strcmp(call->name, "vmo_create") == 0)
                call->kinds[a] = FUZZ_VMO_SIZE;
            if (call->kinds[a] == FUZZ_HANDLE)
                call->wants[a] = wanted_type(call, param);
        }
    }
}
