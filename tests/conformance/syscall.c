/* The way into the kernel: where calls may come from, which numbers there are, what registers come
 * back, and what a pointer into the kernel does. */
#include "tests/conformance/util.h"

#include <zircon/syscalls/exception.h>

#include "tests/conformance/registers.h"
#include "userland/libzx/thread.h"
#include "userland/libzx/vdso_link.h"

/* Indices in the table as vdso_link.c counts them, and the numbers of the calls. */
enum {
#define SYSCALL(number, name, ...)          INDEX_##name,
#define SYSCALL_VOID(number, name, ...)     INDEX_##name,
#define SYSCALL_NORETURN(number, name, ...) INDEX_##name,
#define VDSOCALL(name, ...)                 INDEX_##name,
#define VDSOCALL_NORETURN(name, ...)        INDEX_##name,
#include <zircon/syscalls.def>
    COUNT_INDICES
};

enum {
#define SYSCALL(number, name, ...)          NUMBER_##name = number,
#define SYSCALL_VOID(number, name, ...)     NUMBER_##name = number,
#define SYSCALL_NORETURN(number, name, ...) NUMBER_##name = number,
#include <zircon/syscalls.def>
};

/* Numbers are dense. */
enum {
    COUNT_NUMBERS = 0
#define SYSCALL(...)          +1
#define SYSCALL_VOID(...)     +1
#define SYSCALL_NORETURN(...) +1
#include <zircon/syscalls.def>
};

#define ECALL 0x00000073u

/* The ecall of a stub of the vDSO. */
static uintptr_t vdso_ecall(void)
{
    uintptr_t stub = vdso_link_resolve(INDEX_handle_check_valid);

    for (uintptr_t at = stub; at < stub + 16; at += 2) {
        uint32_t low = *(const uint16_t *)at, high = *(const uint16_t *)(at + 2);
        if ((low | high << 16) == ECALL)
            return at;
    }
    ASSERT(!"a stub has its ecall");
    return 0;
}

static const uint64_t patterns[8] = {0xa0a0, 0xa1a1, 0xa2a2, 0xa3a3,
                                     0xa4a4, 0xa5a5, 0xa6a6, 0xa7a7};

static void expect_clean(const struct syscall_result *result, zx_status_t want)
{
    EXPECT_STATUS((zx_status_t)result->a[0], want);
    for (int i = 1; i < 8; i++)
        EXPECT_EQ(result->a[i], 0);
    for (int i = 0; i < 7; i++)
        EXPECT_EQ(result->t[i], 0);
    EXPECT_EQ(result->ra_is_kept, 1);
    EXPECT_EQ(result->count_s_lost, 0);
}

TEST(syscall, returns_nothing_but_a0)
{
    struct syscall_result result;
    uint64_t args[8] = {zx_process_self()};

    for (int i = 1; i < 8; i++)
        args[i] = patterns[i];
    raw_syscall(&result, vdso_ecall(), NUMBER_handle_check_valid, args);
    expect_clean(&result, ZX_OK);
    args[0] = 3;
    raw_syscall(&result, vdso_ecall(), NUMBER_handle_check_valid, args);
    expect_clean(&result, ZX_ERR_BAD_HANDLE);
}

TEST(syscall, a_call_that_sleeps_returns_nothing_but_a0)
{
    struct syscall_result result;
    uint64_t args[8] = {(uint64_t)zx_deadline_after(ZX_MSEC(5)), 1, 2, 3, 4, 5, 6, 7};

    raw_syscall(&result, vdso_ecall(), NUMBER_nanosleep, args);
    expect_clean(&result, ZX_OK);
}

struct handler {
    zx_handle_t channel;
    uint64_t number;
};

/* Sees to one policy exception and lets the thread go on. */
static int handle_exception(void *arg)
{
    struct handler *handler = arg;
    uint32_t state = ZX_EXCEPTION_STATE_HANDLED;
    zx_handle_t exception, thread;
    zx_exception_info_t info;
    zx_exception_report_t report;

    if (zx_object_wait_one(handler->channel, ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE),
                           NULL) != ZX_OK ||
        zx_channel_read(handler->channel, 0, &info, &exception, sizeof(info), 1, NULL, NULL) !=
            ZX_OK ||
        zx_exception_get_thread(exception, &thread) != ZX_OK)
        return 1;
    EXPECT_EQ(info.type, ZX_EXCP_POLICY_ERROR);
    EXPECT_OK(zx_object_get_info(thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &report, sizeof(report),
                                 NULL, NULL));
    EXPECT_EQ(report.context.synth_code, ZX_EXCP_POLICY_CODE_BAD_SYSCALL);
    EXPECT_EQ(report.context.synth_data, (uint32_t)handler->number);
    EXPECT_OK(zx_handle_close(thread));
    EXPECT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state)));
    EXPECT_OK(zx_handle_close(exception));
    return 0;
}

/* Does what is no system call. */
static void bad_syscall(uintptr_t ecall, uint64_t number, const uint64_t args[8])
{
    struct handler handler = {.number = number};
    const bool raises = abi_is_zircon();
    struct syscall_result result;
    struct thread *thread;

    if (raises) {
        ASSERT_OK(zx_task_create_exception_channel(zx_thread_self(), 0, &handler.channel));
        ASSERT_OK(thread_spawn("handler", handle_exception, &handler, &thread));
    }
    raw_syscall(&result, ecall, number, args);
    expect_clean(&result, ZX_ERR_BAD_SYSCALL);
    if (raises) {
        EXPECT_EQ(thread_join(thread), 0);
        close_handle(handler.channel);
    }
}

TEST(syscall, unknown_numbers)
{
    static const uint64_t numbers[] = {1000, 0xffffffff, 1ull << 32, 1ull << 63, UINT64_MAX};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        bad_syscall(vdso_ecall(), numbers[i], patterns);
}

TEST(syscall, from_outside_the_vdso)
{
    uint64_t args[8] = {zx_process_self()};

    bad_syscall((uintptr_t)own_ecall, NUMBER_handle_check_valid, args);
    args[0] = 0;
    bad_syscall((uintptr_t)own_ecall, NUMBER_process_exit, args);
}

TEST(syscall, the_vdso_stays)
{
    zx_info_maps_t map;
    zx_vaddr_t text = vdso_ecall() & ~(PAGE - 1), base;
    zx_handle_t root = zx_vmar_root_self(), vmo = vmo_new(PAGE), vmar;
    zx_vaddr_t addr = SENTINEL_ADDRESS;

    ASSERT(find_mapping(text, &map));
    EXPECT_EQ(map.u.mapping.mmu_flags & ZX_VM_PERM_WRITE, 0);
    EXPECT(!can_write(text));
    EXPECT_NO_CHANGE(zx_vmar_unmap(root, text, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_NO_CHANGE(zx_vmar_protect(root, 0, text, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_NO_CHANGE(zx_vmar_protect(root, RW, text, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_NO_CHANGE(
        zx_vmar_map(root, RW | ZX_VM_SPECIFIC_OVERWRITE, text - 0x200000, vmo, 0, PAGE, &addr),
        ZX_ERR_ACCESS_DENIED);
    /* From a region that does not hold it, it is out of bounds like anything else. */
    vmar = vmar_new(CAN_MAP_RW, PAGE, &base);
    EXPECT_NO_CHANGE(zx_vmar_unmap(vmar, text, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_protect(vmar, ZX_VM_PERM_READ, text, PAGE), ZX_ERR_INVALID_ARGS);
    vmar_drop(vmar);
    close_handle(vmo);
}

/* A call that ends, sleeps or fills memory as it is told is left out. */
static bool is_harmless(uint64_t number)
{
    return number != NUMBER_process_exit && number != NUMBER_thread_exit &&
           number != NUMBER_cprng_draw && number != NUMBER_nanosleep &&
           number != NUMBER_thread_legacy_yield && number != NUMBER_debug_write;
}

/* Whatever a call answers, no register but a0 has anything of the kernel's. */
static void expect_nothing_left(const struct syscall_result *result, uint64_t number)
{
    uint64_t seen = result->count_s_lost;

    for (int i = 1; i < 8; i++)
        seen |= result->a[i];
    for (int i = 0; i < 7; i++)
        seen |= result->t[i];
    /* a0 is a status, sign-extended. */
    seen |= result->a[0] != (uint64_t)(int64_t)(int32_t)result->a[0];
    if (seen != 0)
        test_fail(__FILE__, __LINE__, "call %llu left %#llx", (unsigned long long)number,
                  (unsigned long long)seen);
}

/* Each call in turn with an address of the kernel in every argument: whatever it answers, it does
 * not answer with success, the process lives, and nothing changes. */
TEST(syscall, kernel_addresses_as_arguments)
{
    struct syscall_result result;
    uint64_t args[8];
    uintptr_t ecall = vdso_ecall();
    uint64_t before = layout_hash();

    for (int bad = 0; bad < NUM_BAD_ADDRESSES; bad++) {
        for (int i = 0; i < 8; i++)
            args[i] = bad_addresses[bad];
        for (uint64_t number = NUMBER_handle_close_many; number < COUNT_NUMBERS; number++) {
            if (!is_harmless(number))
                continue;
            raw_syscall(&result, ecall, number, args);
            if ((zx_status_t)result.a[0] >= 0)
                test_fail(__FILE__, __LINE__, "call %llu took %#llx", (unsigned long long)number,
                          (unsigned long long)args[0]);
            expect_nothing_left(&result, number);
        }
    }
    EXPECT_EQ(layout_hash(), before);
}

/* The same with zeros, which some calls accept, and with handles that are this process's own. */
TEST(syscall, no_call_leaves_anything_in_registers)
{
    const zx_handle_t handles[] = {0, zx_process_self(), zx_thread_self(), zx_vmar_root_self()};
    struct syscall_result result;
    uint64_t args[8] = {0};
    uintptr_t ecall = vdso_ecall();

    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
        args[0] = handles[i];
        for (uint64_t number = 0; number < COUNT_NUMBERS; number++) {
            if (!is_harmless(number) || number == NUMBER_task_kill ||
                number == NUMBER_handle_close || number == NUMBER_handle_replace ||
                number == NUMBER_vmo_replace_as_executable)
                continue;
            raw_syscall(&result, ecall, number, args);
            expect_nothing_left(&result, number);
            if (args[0] != 0 && zx_handle_check_valid(handles[i]) != ZX_OK)
                test_fail(__FILE__, __LINE__, "call %llu closed it", (unsigned long long)number);
        }
    }
}

TEST(syscall, debug_write_of_a_bad_buffer)
{
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_STATUS(zx_debug_write((const char *)bad_addresses[i], 8), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_debug_write(NULL, 8), ZX_ERR_INVALID_ARGS);
}

TEST(syscall, cprng_draws_differ)
{
    uint64_t a[4] = {0}, b[4] = {0};

    zx_cprng_draw(a, sizeof(a));
    zx_cprng_draw(b, sizeof(b));
    for (int i = 0; i < 4; i++) {
        EXPECT(a[i] != b[i]);
        EXPECT(a[i] != 0);
    }
}
