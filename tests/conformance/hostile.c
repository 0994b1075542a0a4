/* What a program must not be able to do to the kernel or to others, however it asks. */
#include <stdatomic.h>
#include <string.h>

#include "tests/conformance/util.h"
#include "userland/libzx/program.h"
#include "userland/libzx/thread.h"
#include "userland/libzx/vdso_link.h"

/* The mapping of the vDSO's text in this process. */
static zx_info_maps_t vdso_text(void)
{
    zx_vaddr_t at = (zx_vaddr_t)vdso_link_base();
    zx_info_maps_t found;

    do {
        ASSERT(find_mapping(at, &found));
        at = found.base + found.size;
    } while ((found.u.mapping.mmu_flags & ZX_VM_PERM_EXECUTE) == 0);
    return found;
}

/* ---- Memory that is not to be written ---------------------------------------------------------
 */

TEST(hostile, the_vdso_is_not_written_as_process_memory)
{
    zx_info_maps_t text = vdso_text();
    uint32_t before, after;
    size_t actual = 77;

    ASSERT((text.u.mapping.mmu_flags & ZX_VM_PERM_WRITE) == 0);
    memcpy(&before, (const void *)text.base, sizeof(before));
    EXPECT_STATUS(
        zx_process_write_memory(zx_process_self(), text.base, &before, sizeof(before), &actual),
        ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(actual, 77);
    memcpy(&after, (const void *)text.base, sizeof(after));
    EXPECT_EQ(after, before);
}

/* Programs run where they lie in the ramdisk, which all processes share: so with abi=zircon too. */
TEST(hostile, programs_in_the_ramdisk_are_not_written_as_process_memory)
{
    zx_vaddr_t code = (zx_vaddr_t)vdso_text;
    uint32_t word;
    size_t actual = 77;

    memcpy(&word, (const void *)code, sizeof(word));
    EXPECT_STATUS(zx_process_write_memory(zx_process_self(), code, &word, sizeof(word), &actual),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(actual, 77);
}

/* A handle that cannot write does not become one that can because the memory is reached through
 * the process that mapped it; with abi=zircon it does, as where Zircon's debugging calls are on. */
TEST(hostile, process_memory_does_not_exceed_the_rights_of_the_mapping)
{
    zx_handle_t vmo = vmo_new(PAGE);
    zx_handle_t read_only = duplicate_without(vmo, ZX_RIGHT_WRITE);
    zx_handle_t blind = duplicate_without(vmo, ZX_RIGHT_READ | ZX_RIGHT_WRITE);
    zx_vaddr_t shown = map_anywhere(ZX_VM_PERM_READ, read_only, PAGE);
    zx_vaddr_t hidden = map_anywhere(0, blind, PAGE);
    zx_vaddr_t whole = map_anywhere(ZX_VM_PERM_READ, vmo, PAGE);
    uint64_t value = 0x1111;
    size_t actual;

    vmo_store(vmo, 0, 42);
    EXPECT_STATUS(zx_process_write_memory(zx_process_self(), shown, &value, 8, &actual),
                  by_abi(ZX_ERR_ACCESS_DENIED, ZX_OK));
    EXPECT_EQ(vmo_load(vmo, 0), abi_is_zircon() ? 0x1111 : 42);
    EXPECT_STATUS(zx_process_write_memory(zx_process_self(), hidden, &value, 8, &actual),
                  by_abi(ZX_ERR_ACCESS_DENIED, ZX_OK));
    EXPECT_STATUS(zx_process_read_memory(zx_process_self(), hidden, &value, 8, &actual),
                  by_abi(ZX_ERR_ACCESS_DENIED, ZX_OK));
    EXPECT_EQ(value, 0x1111);
    vmo_store(vmo, 0, 42);
    EXPECT_OK(zx_process_read_memory(zx_process_self(), shown, &value, 8, &actual));
    EXPECT_EQ(value, 42);
    /* What Protect could allow is allowed. */
    value = 43;
    EXPECT_OK(zx_process_write_memory(zx_process_self(), whole, &value, 8, &actual));
    EXPECT_EQ(load(shown), 43);
    unmap(shown, PAGE);
    unmap(hidden, PAGE);
    unmap(whole, PAGE);
    close_handle(vmo);
    close_handle(read_only);
    close_handle(blind);
}

/* ---- The vDSO stays where it is ---------------------------------------------------------------
 */

/* A process that never runs, with the vDSO's text mapped in a region of its own. */
struct victim {
    zx_handle_t process, root, region;
    zx_vaddr_t region_base, text;
    size_t text_bytes;
};

static struct victim victim_new(void)
{
    struct victim victim;
    zx_info_maps_t text = vdso_text();
    zx_vaddr_t mapped;

    victim.text_bytes = text.size;
    ASSERT_OK(zx_process_create(zx_job_default(), "victim", 6, 0, &victim.process, &victim.root));
    ASSERT_OK(zx_vmar_allocate(victim.root, CAN_MAP_RWX | ZX_VM_CAN_MAP_SPECIFIC, 0, 64 * PAGE,
                               &victim.region, &victim.region_base));
    ASSERT_OK(zx_vmar_map(victim.region, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE | ZX_VM_SPECIFIC,
                          8 * PAGE, program_vdso_vmo(), text.u.mapping.vmo_offset, text.size,
                          &mapped));
    victim.text = mapped;
    return victim;
}

static void victim_drop(struct victim *victim)
{
    EXPECT_OK(zx_task_kill(victim->process));
    close_handle(victim->region);
    close_handle(victim->root);
    close_handle(victim->process);
}

TEST(hostile, a_region_with_the_vdso_is_not_destroyed)
{
    struct victim victim = victim_new();
    zx_handle_t other;
    zx_vaddr_t base;

    EXPECT_STATUS(zx_vmar_destroy(victim.region), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmar_unmap(victim.root, victim.region_base, 64 * PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmar_unmap(victim.region, victim.text, PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmar_protect(victim.region, ZX_VM_PERM_READ, victim.text, PAGE),
                  ZX_ERR_ACCESS_DENIED);
    /* A region beside it is nobody's business. */
    ASSERT_OK(zx_vmar_allocate(victim.root, CAN_MAP_RWX, 0, 64 * PAGE, &other, &base));
    EXPECT_OK(zx_vmar_destroy(other));
    close_handle(other);
    victim_drop(&victim);
}

/* ---- Threads that must be able to die ---------------------------------------------------------
 */

#define ALIAS_BYTES (16ul << 20)
#define ALIAS_COUNT 1024ul

struct copier {
    zx_handle_t vmo;   /* as large as the buffer, nothing committed */
    zx_vaddr_t buffer; /* the same memory over and over */
    bool draw;
    atomic_bool started;
};

static int copy_body(void *arg)
{
    struct copier *copier = arg;

    atomic_store(&copier->started, true);
    if (copier->draw)
        zx_cprng_draw((void *)copier->buffer, ALIAS_BYTES * ALIAS_COUNT);
    else
        (void)zx_vmo_read(copier->vmo, (void *)copier->buffer, 0, ALIAS_BYTES * ALIAS_COUNT);
    return 0;
}

static void kill_in_copy(struct copier *copier)
{
    struct thread *thread;
    zx_handle_t handle;

    atomic_store(&copier->started, false);
    ASSERT_OK(thread_spawn("copier", copy_body, copier, &thread));
    handle = duplicate(thread_handle(thread), ZX_RIGHT_SAME_RIGHTS);
    while (!atomic_load(&copier->started))
        zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    zx_nanosleep(zx_deadline_after(ZX_MSEC(20)));
    EXPECT_OK(zx_task_kill(handle));
    EXPECT_OK(zx_object_wait_one(handle, ZX_THREAD_TERMINATED, zx_deadline_after(ZX_SEC(2)), NULL));
    close_handle(handle);
    (void)thread_join(thread);
}

TEST(hostile, a_thread_dies_in_the_middle_of_a_long_copy)
{
    zx_handle_t memory = vmo_new(ALIAS_BYTES), region;
    struct copier copier = {.vmo = vmo_new(ALIAS_BYTES * ALIAS_COUNT)};

    region = vmar_new(CAN_MAP_RW, ALIAS_BYTES * ALIAS_COUNT, &copier.buffer);
    for (size_t i = 0; i < ALIAS_COUNT; i++)
        map_at(region, RW, i * ALIAS_BYTES, memory, 0, ALIAS_BYTES);
    kill_in_copy(&copier);
    copier.draw = true;
    kill_in_copy(&copier);
    vmar_drop(region);
    close_handle(copier.vmo);
    close_handle(memory);
}
