/* What keeps programs apart, each claim attacked: registers of a new thread, places that cannot be
 * guessed, pages around stacks, handle values, execution of what can be written, and whole trees of
 * objects that are as deep as can be. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/child.h"
#include "tests/conformance/fresh_thread.h"
#include "tests/conformance/registers.h"
#include "userland/libzx/thread.h"
#include "userland/libzx/vdso_link.h"

/* ---- Registers ------------------------------------------------------------------------------- */

#define DIRTY_THREADS 8
#define FRESH_THREADS 32

static atomic_bool dirty_may_end;

static int dirty_body(void *arg)
{
    uint64_t lost = 0;
    for (uint64_t seed = (uintptr_t)arg; !atomic_load(&dirty_may_end); seed += 64)
        lost += registers_survive(seed, 2000);
    return lost != 0;
}

static void expect_fresh(const struct first_registers *regs, uint64_t sp)
{
    for (int i = 0; i < 31; i++) {
        uint64_t want = i == 1    ? sp
                        : i == 9  ? (uintptr_t)regs
                        : i == 10 ? 0xb0b
                                  : 0; /* x2, x10, x11 */
        if (regs->x[i] != want)
            test_fail(__FILE__, __LINE__, "x%d is %#llx", i + 1, (unsigned long long)regs->x[i]);
    }
    for (int i = 0; i < 32; i++) {
        if (regs->f[i] != 0)
            test_fail(__FILE__, __LINE__, "f%d is %#llx", i, (unsigned long long)regs->f[i]);
    }
    EXPECT_EQ(regs->fcsr, 0);
}

/* Threads whose registers are all full run on all harts meanwhile. */
TEST(isolation, a_new_thread_finds_nothing_in_its_registers)
{
    static struct first_registers regs[FRESH_THREADS];
    static _Alignas(16) char stacks[FRESH_THREADS][4096];
    struct thread *dirty[DIRTY_THREADS];

    memset(regs, 0x5a, sizeof(regs));
    atomic_store(&dirty_may_end, false);
    for (uintptr_t i = 0; i < DIRTY_THREADS; i++)
        ASSERT_OK(thread_spawn("dirty", dirty_body, (void *)(i + 1), &dirty[i]));
    for (int i = 0; i < FRESH_THREADS; i++) {
        uintptr_t sp = (uintptr_t)(stacks[i] + sizeof(stacks[i]));
        zx_handle_t thread;
        ASSERT_OK(zx_thread_create(zx_process_self(), "fresh", 5, 0, &thread));
        ASSERT_OK(
            zx_thread_start(thread, (zx_vaddr_t)fresh_thread, sp, (uintptr_t)&regs[i], 0xb0b));
        ASSERT_OK(
            zx_object_wait_one(thread, ZX_THREAD_TERMINATED, zx_deadline_after(PATIENCE), NULL));
        close_handle(thread);
        ASSERT_EQ(regs[i].is_done, 1);
        expect_fresh(&regs[i], sp);
    }
    atomic_store(&dirty_may_end, true);
    for (int i = 0; i < DIRTY_THREADS; i++)
        EXPECT_EQ(thread_join(dirty[i]), 0);
}

/* ---- Places and values ----------------------------------------------------------------------- */

#define SAMPLES 64

static struct child_places samples[SAMPLES];

static void take_samples(void)
{
    for (int i = 0; i < SAMPLES; i++) {
        struct child child = child_start("places", NULL, ZX_HANDLE_INVALID, ZX_HANDLE_INVALID);
        uint32_t bytes = 0;
        ASSERT_OK(zx_object_wait_one(child.channel, ZX_CHANNEL_READABLE,
                                     zx_deadline_after(PATIENCE), NULL));
        ASSERT_OK(zx_channel_read(child.channel, 0, &samples[i], NULL, sizeof(samples[i]), 0,
                                  &bytes, NULL));
        ASSERT_EQ(bytes, sizeof(samples[i]));
        EXPECT_EQ(child_end(&child), 0);
    }
}

/* Of equally likely values with that many random bits: |count_equal| pairs of samples are equal,
 * and each bit that is random is 0 in some sample and 1 in another (but for one in 2^62). */
static void expect_entropy(const char *what, size_t offset, int bits_wanted)
{
    uint64_t seen_set = 0, seen_clear = 0;
    int count_equal = 0;

    for (int i = 0; i < SAMPLES; i++) {
        uint64_t value, other;
        memcpy(&value, (const char *)&samples[i] + offset, sizeof(value));
        seen_set |= value;
        seen_clear |= ~value;
        for (int k = 0; k < i; k++) {
            memcpy(&other, (const char *)&samples[k] + offset, sizeof(other));
            count_equal += other == value;
        }
    }
    int bits = __builtin_popcountll(seen_set & seen_clear);
    printf("# %s: %d bits vary over %d processes, %d pairs are equal\n", what, bits, SAMPLES,
           count_equal);
    if (bits < bits_wanted)
        test_fail(__FILE__, __LINE__, "%s: %d bits vary, not %d", what, bits, bits_wanted);
    EXPECT(count_equal <= 1);
}

/* User space has 2^26 pages. */
TEST(isolation, places_and_handles_differ_from_process_to_process)
{
    take_samples();
    expect_entropy("program", offsetof(struct child_places, program), 25);
    expect_entropy("stack", offsetof(struct child_places, stack), 25);
    expect_entropy("heap", offsetof(struct child_places, heap), 25);
    expect_entropy("vDSO", offsetof(struct child_places, vdso), 25);
    expect_entropy("stack of a thread", offsetof(struct child_places, thread_stack), 25);
    expect_entropy("a handle's value", offsetof(struct child_places, handle), 28);
}

/* The distances vary as much as the places: to know one is not to know another. */
TEST(isolation, a_place_does_not_tell_another)
{
    take_samples();
    for (int i = 0; i < SAMPLES; i++) {
        samples[i].stack -= samples[i].program;
        samples[i].heap -= samples[i].program;
        samples[i].vdso -= samples[i].program;
    }
    expect_entropy("stack from program", offsetof(struct child_places, stack), 25);
    expect_entropy("heap from program", offsetof(struct child_places, heap), 25);
    expect_entropy("vDSO from program", offsetof(struct child_places, vdso), 25);
}

/* A handle of this process means nothing in another, and a million guesses find nothing. The other
 * process has a few handles among 2^30 values. */
TEST(isolation, handles_are_not_guessed)
{
    struct child child = child_start("guess", NULL, ZX_HANDLE_INVALID, ZX_HANDLE_INVALID);
    struct child_guesses guesses = {0};
    zx_handle_t handles[16];

    for (int i = 0; i < 16; i++)
        ASSERT_OK(zx_event_create(0, &handles[i]));
    ASSERT_OK(zx_channel_write(child.channel, 0, handles, sizeof(handles), NULL, 0));
    ASSERT_OK(zx_object_wait_one(child.channel, ZX_CHANNEL_READABLE,
                                 zx_deadline_after(6 * PATIENCE), NULL));
    ASSERT_OK(zx_channel_read(child.channel, 0, &guesses, NULL, sizeof(guesses), 0, NULL, NULL));
    printf("# %llu guesses, %llu hits\n", (unsigned long long)guesses.tried,
           (unsigned long long)guesses.hits);
    EXPECT_EQ(guesses.told_hits, 0);
    EXPECT(guesses.tried >= 200000);
    EXPECT(guesses.hits <= 1);
    EXPECT_EQ(child_end(&child), 0);
    for (int i = 0; i < 16; i++)
        close_handle(handles[i]);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Nothing that a program starts with can be both written and executed. */
TEST(isolation, nothing_is_writable_and_executable)
{
    static zx_info_maps_t maps[1024];
    size_t actual, avail, executable = 0;

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_MAPS, maps, sizeof(maps),
                                 &actual, &avail));
    ASSERT_EQ(actual, avail);
    for (size_t i = 0; i < actual; i++) {
        uint32_t flags = maps[i].u.mapping.mmu_flags;
        if (maps[i].type != ZX_INFO_MAPS_TYPE_MAPPING || (flags & ZX_VM_PERM_EXECUTE) == 0)
            continue;
        executable++;
        EXPECT_EQ(flags & ZX_VM_PERM_WRITE, 0);
        EXPECT(!can_write(maps[i].base));
    }
    EXPECT_EQ(executable, 2); /* the program's text and the vDSO's */
}

/* Memory that a program makes itself is not executable, whatever it asks of its own handle. */
TEST(isolation, data_does_not_become_code)
{
    zx_handle_t vmo = vmo_new(PAGE), same, clone;
    zx_vaddr_t addr;

    EXPECT_EQ(rights_of(vmo) & ZX_RIGHT_EXECUTE, 0);
    EXPECT_STATUS(zx_handle_duplicate(vmo, rights_of(vmo) | ZX_RIGHT_EXECUTE, &same),
                  ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &clone));
    EXPECT_EQ(rights_of(clone) & ZX_RIGHT_EXECUTE, 0);
    for (int i = 0; i < 2; i++) {
        zx_handle_t which = i == 0 ? vmo : clone;
        EXPECT_STATUS(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0,
                                  which, 0, PAGE, &addr),
                      ZX_ERR_ACCESS_DENIED);
        addr = map_anywhere(RW, which, PAGE);
        EXPECT_NO_CHANGE(
            zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, addr, PAGE),
            ZX_ERR_ACCESS_DENIED);
        unmap(addr, PAGE);
    }
    close_handle(vmo);
    close_handle(clone);
}

static bool is_unmapped(zx_vaddr_t addr)
{
    zx_info_maps_t map;
    return !find_mapping(addr, &map) && !can_read(addr);
}

static int guard_body(void *arg)
{
    zx_info_maps_t map;
    zx_vaddr_t here = (zx_vaddr_t)&map;

    (void)arg;
    EXPECT(find_mapping(here, &map));
    EXPECT(is_unmapped(map.base - 1));
    EXPECT(is_unmapped(map.base - PAGE));
    EXPECT(is_unmapped(map.base + map.size));
    EXPECT((map.u.mapping.mmu_flags & ZX_VM_PERM_EXECUTE) == 0);
    return 0;
}

/* Pages that nobody can use lie around each stack. */
TEST(isolation, stacks_end_in_guard_pages)
{
    struct thread *thread;

    guard_body(NULL);
    for (int i = 0; i < 8; i++) {
        ASSERT_OK(thread_spawn("guard", guard_body, NULL, &thread));
        EXPECT_EQ(thread_join(thread), 0);
    }
}

TEST(isolation, a_stack_that_overflows_ends_its_process)
{
    struct child child = child_start("overflow", NULL, ZX_HANDLE_INVALID, ZX_HANDLE_INVALID);

    EXPECT_EQ(child_end(&child), ZX_TASK_RETCODE_EXCEPTION_KILL);
}

/* ---- Fairness -------------------------------------------------------------------------------- */

/* Others that never sleep, more than there are harts, do not keep this process from running. */
TEST(isolation, programs_that_never_sleep_do_not_stop_others)
{
    enum { HOGS = 12, TURNS = 20 };
    struct child hogs[HOGS];
    zx_duration_t longest = 0;

    for (int i = 0; i < HOGS; i++)
        hogs[i] = child_start("spin", NULL, ZX_HANDLE_INVALID, ZX_HANDLE_INVALID);
    for (int i = 0; i < TURNS; i++) {
        zx_time_t begin = zx_clock_get_monotonic();
        zx_nanosleep(zx_time_add_duration(begin, ZX_MSEC(1)));
        zx_duration_t took = zx_clock_get_monotonic() - begin;
        longest = took > longest ? took : longest;
    }
    printf("# %d hogs: a sleep of 1 ms took %lld us at most\n", HOGS, (long long)longest / 1000);
    EXPECT(longest < PATIENCE);
    for (int i = 0; i < HOGS; i++) {
        EXPECT_OK(zx_task_kill(hogs[i].process));
        EXPECT_EQ(child_end(&hogs[i]), ZX_TASK_RETCODE_SYSCALL_KILL);
    }
}

/* ---- Depth ----------------------------------------------------------------------------------- */

#define DEEP 1500

/* Each memory object a child of the one before; what is at the bottom shows at the top, and they go
 * in any order without the kernel's stack. */
static void expect_deep_children(uint32_t options, bool closes_parents_first)
{
    static zx_handle_t vmos[DEEP];
    uint64_t size = (options & ZX_VMO_CHILD_REFERENCE) != 0 ? 0 : PAGE;

    vmos[0] = vmo_new(PAGE);
    vmo_store(vmos[0], 8, 0xb0770);
    for (int i = 1; i < DEEP; i++)
        ASSERT_OK(zx_vmo_create_child(vmos[i - 1], options, 0, size, &vmos[i]));
    EXPECT_EQ(vmo_load(vmos[DEEP - 1], 8), 0xb0770);
    if ((options & ZX_VMO_CHILD_SNAPSHOT) != 0) {
        vmo_store(vmos[DEEP / 2], 8, 1);
        EXPECT_EQ(vmo_load(vmos[DEEP - 1], 8), 0xb0770);
        EXPECT_EQ(vmo_load(vmos[0], 8), 0xb0770);
    }
    for (int i = 0; i < DEEP; i++)
        close_handle(vmos[closes_parents_first ? i : DEEP - 1 - i]);
}

TEST(isolation, memory_objects_as_deep_as_one_likes)
{
    expect_deep_children(ZX_VMO_CHILD_SNAPSHOT, true);
    expect_deep_children(ZX_VMO_CHILD_SNAPSHOT, false);
    expect_deep_children(ZX_VMO_CHILD_SLICE, true);
    expect_deep_children(ZX_VMO_CHILD_SLICE, false);
    expect_deep_children(ZX_VMO_CHILD_REFERENCE, true);
    expect_deep_children(ZX_VMO_CHILD_REFERENCE, false);
}

/* Ends of pairs of events in messages in ends of channels, all let go of at once. */
TEST(isolation, messages_in_messages_as_deep_as_one_likes)
{
    zx_handle_t outer = ZX_HANDLE_INVALID;

    for (int i = 0; i < DEEP; i++) {
        zx_handle_t ends[2], pair[2];
        ASSERT_OK(zx_channel_create(0, &ends[0], &ends[1]));
        ASSERT_OK(zx_eventpair_create(0, &pair[0], &pair[1]));
        zx_handle_t sent[3] = {pair[0], pair[1], outer};
        ASSERT_OK(zx_channel_write(ends[0], 0, NULL, 0, sent, outer != ZX_HANDLE_INVALID ? 3 : 2));
        close_handle(ends[0]);
        outer = ends[1];
    }
    close_handle(outer);
}
