/* zx_object_get_info: topics, rights, short buffers, bad pointers; names. */
#include "tests/conformance/util.h"

#include <string.h>

#include "userland/crt/startup.h"

TEST(info, handle_valid)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_OK(zx_object_get_info(event, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL));
    close_handle(event);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL),
                  ZX_ERR_BAD_HANDLE);
}

TEST(info, handle_basic_of_each_type)
{
    zx_handle_t a, b;

    EXPECT_EQ(basic_info(zx_process_self()).type, ZX_OBJ_TYPE_PROCESS);
    EXPECT_EQ(basic_info(zx_thread_self()).type, ZX_OBJ_TYPE_THREAD);
    EXPECT_EQ(basic_info(zx_vmar_root_self()).type, ZX_OBJ_TYPE_VMAR);
    EXPECT_EQ(basic_info(zx_job_default()).type, ZX_OBJ_TYPE_JOB);
    EXPECT_EQ(basic_info(startup_resource()).type, ZX_OBJ_TYPE_RESOURCE);
    ASSERT_OK(zx_event_create(0, &a));
    EXPECT_EQ(basic_info(a).type, ZX_OBJ_TYPE_EVENT);
    EXPECT_EQ(basic_info(a).related_koid, 0);
    close_handle(a);
    a = vmo_new(1);
    EXPECT_EQ(basic_info(a).type, ZX_OBJ_TYPE_VMO);
    close_handle(a);
    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    EXPECT_EQ(basic_info(a).type, ZX_OBJ_TYPE_EVENTPAIR);
    EXPECT_EQ(basic_info(a).related_koid, koid_of(b));
    EXPECT_EQ(basic_info(b).related_koid, koid_of(a));
    close_handle(a);
    close_handle(b);
    ASSERT_OK(zx_channel_create(0, &a, &b));
    EXPECT_EQ(basic_info(a).type, ZX_OBJ_TYPE_CHANNEL);
    EXPECT_EQ(basic_info(a).related_koid, koid_of(b));
    EXPECT_EQ(basic_info(b).related_koid, koid_of(a));
    close_handle(a);
    close_handle(b);
    EXPECT_EQ(basic_info(zx_thread_self()).related_koid, koid_of(zx_process_self()));
    EXPECT_EQ(basic_info(zx_process_self()).related_koid, koid_of(zx_job_default()));
}

TEST(info, koids_are_unique_and_never_reused)
{
    zx_koid_t last = 0;

    for (int i = 0; i < 64; i++) {
        zx_handle_t event;
        ASSERT_OK(zx_event_create(0, &event));
        zx_koid_t koid = koid_of(event);
        EXPECT(koid >= ZX_KOID_FIRST);
        EXPECT(koid > last);
        last = koid;
        close_handle(event);
    }
}

TEST(info, a_short_buffer_of_a_single_record)
{
    zx_info_handle_basic_t info;
    size_t actual = 77, avail = 77;

    memset(&info, 0x5a, sizeof(info));
    EXPECT_STATUS(zx_object_get_info(zx_process_self(), ZX_INFO_HANDLE_BASIC, &info,
                                     sizeof(info) - 1, &actual, &avail),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_EQ(actual, 0);
    EXPECT_EQ(avail, 1);
    EXPECT_EQ(info.koid, 0x5a5a5a5a5a5a5a5a);
    EXPECT_STATUS(
        zx_object_get_info(zx_process_self(), ZX_INFO_HANDLE_BASIC, NULL, 0, &actual, &avail),
        ZX_ERR_BUFFER_TOO_SMALL);
}

TEST(info, a_single_record_counts_one)
{
    zx_info_handle_basic_t info[2];
    size_t actual = 77, avail = 77;

    memset(info, 0x5a, sizeof(info));
    EXPECT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_HANDLE_BASIC, info, sizeof(info),
                                 &actual, &avail));
    EXPECT_EQ(actual, 1);
    EXPECT_EQ(avail, 1);
    EXPECT_EQ(info[1].koid, 0x5a5a5a5a5a5a5a5a);
}

TEST(info, unknown_topics)
{
    static const uint32_t topics[] = {0, 5, 63, 0x0fffffff, 0xffffffff};
    uint64_t buffer[32];

    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
        EXPECT_STATUS(
            zx_object_get_info(zx_process_self(), topics[i], buffer, sizeof(buffer), NULL, NULL),
            ZX_ERR_NOT_SUPPORTED);
}

TEST(info, bad_pointers)
{
    zx_info_handle_basic_t info;
    size_t count;

    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        EXPECT_STATUS(zx_object_get_info(zx_process_self(), ZX_INFO_HANDLE_BASIC, bad, sizeof(info),
                                         &count, &count),
                      ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_object_get_info(zx_process_self(), ZX_INFO_HANDLE_BASIC, &info,
                                         sizeof(info), bad, &count),
                      ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_object_get_info(zx_process_self(), ZX_INFO_HANDLE_BASIC, &info,
                                         sizeof(info), &count, bad),
                      ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(
            zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_THREADS, bad, 8, &count, &count),
            ZX_ERR_INVALID_ARGS);
    }
}

TEST(info, process_of_oneself)
{
    zx_info_process_t info;

    ASSERT_OK(
        zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.flags, ZX_INFO_PROCESS_FLAG_STARTED);
    EXPECT(info.start_time > 0);
    EXPECT(info.start_time <= zx_clock_get_monotonic());
}

TEST(info, topics_of_another_type)
{
    zx_handle_t event;
    char buffer[256];

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_PROCESS, buffer, sizeof(buffer), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_THREAD, buffer, sizeof(buffer), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_VMAR, buffer, sizeof(buffer), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_VMO, buffer, sizeof(buffer), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_IOB, buffer, sizeof(buffer), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    close_handle(event);
}

TEST(info, rights_that_topics_need)
{
    zx_handle_t blind = duplicate_without(zx_process_self(), ZX_RIGHT_INSPECT);
    zx_handle_t closed = duplicate_without(zx_process_self(), ZX_RIGHT_ENUMERATE);
    zx_handle_t none = duplicate(zx_process_self(), ZX_RIGHT_NONE);
    char buffer[256];

    EXPECT_STATUS(zx_object_get_info(blind, ZX_INFO_PROCESS, buffer, sizeof(buffer), NULL, NULL),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(
        zx_object_get_info(closed, ZX_INFO_PROCESS_THREADS, buffer, sizeof(buffer), NULL, NULL),
        ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_object_get_info(none, ZX_INFO_HANDLE_BASIC, buffer, sizeof(buffer), NULL, NULL));
    EXPECT_OK(zx_object_get_info(none, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL));
    close_handle(blind);
    close_handle(closed);
    close_handle(none);
}

TEST(info, threads_of_a_process)
{
    zx_koid_t koids[8];
    size_t actual = 77, avail = 77;

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_THREADS, koids, sizeof(koids),
                                 &actual, &avail));
    EXPECT_EQ(actual, 1);
    EXPECT_EQ(avail, 1);
    EXPECT_EQ(koids[0], koid_of(zx_thread_self()));
    /* An array topic may have no room at all. */
    ASSERT_OK(
        zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_THREADS, NULL, 0, &actual, &avail));
    EXPECT_EQ(actual, 0);
    EXPECT_EQ(avail, 1);
    /* A part of a record is no record. */
    ASSERT_OK(
        zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_THREADS, koids, 7, &actual, &avail));
    EXPECT_EQ(actual, 0);
}

TEST(info, thread_of_oneself_is_running)
{
    zx_info_thread_t info;

    ASSERT_OK(
        zx_object_get_info(zx_thread_self(), ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.state, ZX_THREAD_STATE_RUNNING);
    EXPECT_EQ(info.wait_exception_channel_type, ZX_EXCEPTION_CHANNEL_TYPE_NONE);
}

TEST(info, a_job_lists_its_processes_and_children)
{
    zx_handle_t job, child, found;
    zx_koid_t koids[32];
    size_t actual, avail;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    ASSERT_OK(zx_object_get_info(job, ZX_INFO_JOB_CHILDREN, koids, sizeof(koids), &actual, &avail));
    EXPECT_EQ(avail, 0);
    ASSERT_OK(zx_job_create(job, 0, &child));
    ASSERT_OK(zx_object_get_info(job, ZX_INFO_JOB_CHILDREN, koids, sizeof(koids), &actual, &avail));
    EXPECT_EQ(actual, 1);
    EXPECT_EQ(koids[0], koid_of(child));
    EXPECT_EQ(basic_info(child).related_koid, koid_of(job));
    ASSERT_OK(
        zx_object_get_info(job, ZX_INFO_JOB_PROCESSES, koids, sizeof(koids), &actual, &avail));
    EXPECT_EQ(avail, 0);
    ASSERT_OK(zx_object_get_child(job, koid_of(child), ZX_RIGHT_SAME_RIGHTS, &found));
    EXPECT_EQ(koid_of(found), koid_of(child));
    close_handle(found);
    found = SENTINEL_HANDLE;
    EXPECT_STATUS(zx_object_get_child(job, koid_of(job), ZX_RIGHT_SAME_RIGHTS, &found),
                  ZX_ERR_NOT_FOUND);
    EXPECT_EQ(found, SENTINEL_HANDLE);
    close_handle(child);
    close_handle(job);
}

TEST(info, processes_of_ones_own_job)
{
    zx_koid_t koids[64], self = koid_of(zx_process_self());
    size_t actual, avail, found = 0;

    ASSERT_OK(zx_object_get_info(zx_job_default(), ZX_INFO_JOB_PROCESSES, koids, sizeof(koids),
                                 &actual, &avail));
    for (size_t i = 0; i < actual; i++)
        found += koids[i] == self ? 1 : 0;
    EXPECT_EQ(found, 1);
}

TEST(info, vmar_range)
{
    zx_info_vmar_t info;
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(ZX_VM_CAN_MAP_READ, 8 * PAGE, &base);

    ASSERT_OK(zx_object_get_info(vmar, ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.base, base);
    EXPECT_EQ(info.len, 8 * PAGE);
    vmar_drop(vmar);
    ASSERT_OK(
        zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.base, 0x200000);
    EXPECT(info.base + info.len <= (zx_vaddr_t)1 << 38);
    EXPECT_EQ((info.base + info.len) % PAGE, 0);
}

TEST(info, memory_of_the_machine)
{
    zx_info_kmem_stats_t info;

    ASSERT_OK(zx_object_get_info(startup_resource(), ZX_INFO_KMEM_STATS, &info, sizeof(info), NULL,
                                 NULL));
    EXPECT(info.free_bytes > 0);
    EXPECT(info.free_bytes < info.total_bytes);
    EXPECT_EQ(info.free_bytes % PAGE, 0);
    EXPECT(info.vmo_bytes > 0);
    EXPECT(info.mmu_overhead_bytes > 0);
    EXPECT_STATUS(
        zx_object_get_info(zx_process_self(), ZX_INFO_KMEM_STATS, &info, sizeof(info), NULL, NULL),
        ZX_ERR_WRONG_TYPE);
}

TEST(info, committed_memory_comes_off_the_free_pages)
{
    enum { COUNT = 256 };
    zx_info_kmem_stats_t before, after;
    zx_handle_t vmo = vmo_new(COUNT * PAGE);

    ASSERT_OK(zx_object_get_info(startup_resource(), ZX_INFO_KMEM_STATS, &before, sizeof(before),
                                 NULL, NULL));
    ASSERT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, COUNT * PAGE, NULL, 0));
    ASSERT_OK(zx_object_get_info(startup_resource(), ZX_INFO_KMEM_STATS, &after, sizeof(after),
                                 NULL, NULL));
    EXPECT(before.free_bytes - after.free_bytes >= COUNT * PAGE);
    EXPECT_EQ(after.vmo_bytes - before.vmo_bytes, COUNT * PAGE);
    close_handle(vmo);
}

/* ---- ZX_INFO_PROCESS_MAPS ---- */

#define MAX_MAPS 256
static zx_info_maps_t maps[MAX_MAPS];

static size_t own_maps(void)
{
    size_t actual, avail;

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_MAPS, maps, sizeof(maps),
                                 &actual, &avail));
    ASSERT_EQ(actual, avail);
    return actual;
}

TEST(info, maps_are_a_tree_in_order)
{
    size_t count = own_maps();

    ASSERT(count >= 3);
    EXPECT_EQ(maps[0].type, ZX_INFO_MAPS_TYPE_ASPACE);
    EXPECT_EQ(maps[0].depth, 0);
    EXPECT_EQ(maps[1].type, ZX_INFO_MAPS_TYPE_VMAR);
    EXPECT_EQ(maps[1].depth, 1);
    for (size_t i = 1; i < count; i++) {
        const zx_info_maps_t *map = &maps[i];
        size_t parent = i - 1;
        EXPECT(map->depth <= maps[i - 1].depth + 1);
        while (maps[parent].depth >= map->depth) {
            /* A former sibling, or inside one: it ends before this one begins. */
            EXPECT(maps[parent].base + maps[parent].size <= map->base);
            ASSERT(parent > 0);
            parent--;
        }
        EXPECT(maps[parent].type != ZX_INFO_MAPS_TYPE_MAPPING);
        EXPECT(map->base >= maps[parent].base);
        EXPECT(map->base + map->size <= maps[parent].base + maps[parent].size);
        EXPECT(map->size > 0);
        EXPECT_EQ(map->base % PAGE, 0);
        EXPECT_EQ(map->size % PAGE, 0);
    }
}

TEST(info, maps_show_a_mapping)
{
    zx_handle_t vmo = vmo_new(4 * PAGE);
    zx_info_maps_t map;

    ASSERT_OK(zx_object_set_property(vmo, ZX_PROP_NAME, "shown", 5));
    vmo_store(vmo, 2 * PAGE, 1);
    zx_vaddr_t addr;
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, vmo, PAGE, 3 * PAGE, &addr));
    ASSERT(find_mapping(addr, &map));
    EXPECT_EQ(map.base, addr);
    EXPECT_EQ(map.size, 3 * PAGE);
    EXPECT_EQ(map.u.mapping.mmu_flags, ZX_VM_PERM_READ);
    EXPECT_EQ(map.u.mapping.vmo_koid, koid_of(vmo));
    EXPECT_EQ(map.u.mapping.vmo_offset, PAGE);
    EXPECT_EQ(map.u.mapping.committed_bytes, PAGE);
    EXPECT(strcmp(map.name, "shown") == 0);
    unmap(addr, 3 * PAGE);
    EXPECT(!find_mapping(addr, &map) || map.base != addr);
    close_handle(vmo);
}

TEST(info, maps_into_a_short_buffer)
{
    zx_info_maps_t two[2];
    size_t actual, avail, count = own_maps();

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_MAPS, two, sizeof(two), &actual,
                                 &avail));
    EXPECT_EQ(actual, 2);
    EXPECT_EQ(avail, count);
    ASSERT_OK(
        zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_MAPS, NULL, 0, &actual, &avail));
    EXPECT_EQ(actual, 0);
    EXPECT_EQ(avail, count);
}

TEST(info, task_stats_follow_mappings)
{
    zx_info_task_stats_t before, after;
    zx_handle_t vmo = vmo_new(16 * PAGE);

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_TASK_STATS, &before, sizeof(before),
                                 NULL, NULL));
    zx_vaddr_t addr = map_anywhere(RW, vmo, 16 * PAGE);
    for (size_t i = 0; i < 16; i++)
        store(addr + i * PAGE, i);
    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_TASK_STATS, &after, sizeof(after), NULL,
                                 NULL));
    EXPECT_EQ(after.mem_mapped_bytes - before.mem_mapped_bytes, 16 * PAGE);
    EXPECT(after.mem_private_bytes - before.mem_private_bytes >= 16 * PAGE);
    unmap(addr, 16 * PAGE);
    close_handle(vmo);
}

TEST(info, handles_of_a_process)
{
    zx_info_process_handle_stats_t before, after;
    zx_handle_t a, b;

    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_HANDLE_STATS, &before,
                                 sizeof(before), NULL, NULL));
    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    ASSERT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_HANDLE_STATS, &after,
                                 sizeof(after), NULL, NULL));
    EXPECT_EQ(after.handle_count[ZX_OBJ_TYPE_EVENTPAIR],
              before.handle_count[ZX_OBJ_TYPE_EVENTPAIR] + 2);
    EXPECT_EQ(after.handle_count[ZX_OBJ_TYPE_EVENT], before.handle_count[ZX_OBJ_TYPE_EVENT]);
    close_handle(a);
    close_handle(b);
}

TEST(info, handle_count)
{
    zx_info_handle_count_t info;
    zx_handle_t event, copy;

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_object_get_info(event, ZX_INFO_HANDLE_COUNT, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.handle_count, 1);
    copy = duplicate(event, ZX_RIGHT_SAME_RIGHTS);
    ASSERT_OK(zx_object_get_info(event, ZX_INFO_HANDLE_COUNT, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.handle_count, 2);
    close_handle(copy);
    close_handle(event);
}

/* ---- Names ---- */

TEST(info, names_are_kept_and_cut)
{
    char name[ZX_MAX_NAME_LEN];
    zx_handle_t vmo = vmo_new(PAGE);

    ASSERT_OK(zx_object_get_property(vmo, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT(strcmp(name, "") == 0);
    ASSERT_OK(zx_object_set_property(vmo, ZX_PROP_NAME, "a name", 6));
    ASSERT_OK(zx_object_get_property(vmo, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT(strcmp(name, "a name") == 0);
    ASSERT_OK(
        zx_object_set_property(vmo, ZX_PROP_NAME, "0123456789012345678901234567890123456789", 40));
    ASSERT_OK(zx_object_get_property(vmo, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT(strcmp(name, "0123456789012345678901234567890") == 0);
    close_handle(vmo);
}

TEST(info, names_have_rules)
{
    char name[ZX_MAX_NAME_LEN];
    zx_handle_t vmo = vmo_new(PAGE);
    zx_handle_t no_get = duplicate_without(vmo, ZX_RIGHT_GET_PROPERTY);
    zx_handle_t no_set = duplicate_without(vmo, ZX_RIGHT_SET_PROPERTY);

    EXPECT_STATUS(zx_object_get_property(vmo, ZX_PROP_NAME, name, sizeof(name) - 1),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(zx_object_get_property(no_get, ZX_PROP_NAME, name, sizeof(name)),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_set_property(no_set, ZX_PROP_NAME, "x", 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_get_property(vmo, 999, name, sizeof(name)), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_set_property(vmo, 999, "x", 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_get_property(vmo, ZX_PROP_NAME, NULL, sizeof(name)),
                  ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        EXPECT_STATUS(zx_object_get_property(vmo, ZX_PROP_NAME, bad, sizeof(name)),
                      ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_object_set_property(vmo, ZX_PROP_NAME, bad, 8), ZX_ERR_INVALID_ARGS);
    }
    close_handle(no_set);
    close_handle(no_get);
    close_handle(vmo);
}
