/* Topics of zx_object_get_info that list what a process has, and what the machine and its tasks
 * have done: records, rights, short buffers. */
#include "tests/conformance/child.h"

#include <stdlib.h>
#include <string.h>

#include "userland/crt/startup.h"

/* Reads all records of an array topic into memory of malloc's. */
static void *read_all(zx_handle_t handle, uint32_t topic, size_t record_bytes, size_t *count)
{
    size_t avail = 0, actual = 0;

    ASSERT_OK(zx_object_get_info(handle, topic, NULL, 0, &actual, &avail));
    EXPECT_EQ(actual, 0);
    void *records = calloc(avail + 8, record_bytes);
    ASSERT(records != NULL);
    ASSERT_OK(
        zx_object_get_info(handle, topic, records, (avail + 8) * record_bytes, &actual, &avail));
    EXPECT_EQ(actual, avail);
    *count = actual;
    return records;
}

/* A buffer for one record and a half receives one; a bad pointer is refused; a missing right too.
 */
static void check_array(zx_handle_t handle, uint32_t topic, size_t record_bytes, zx_rights_t right)
{
    uint8_t buffer[512];
    size_t actual = 0, avail = 0;

    memset(buffer, 0xa5, sizeof(buffer));
    EXPECT_OK(zx_object_get_info(handle, topic, buffer, record_bytes + record_bytes / 2, &actual,
                                 &avail));
    EXPECT_EQ(actual, 1);
    EXPECT(avail > 1);
    for (size_t i = record_bytes; i < sizeof(buffer); i++)
        EXPECT(buffer[i] == 0xa5);
    EXPECT_STATUS(
        zx_object_get_info(handle, topic, (void *)bad_addresses[0], record_bytes, &actual, &avail),
        ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_object_get_info(handle, topic, buffer, record_bytes, NULL, NULL));
    zx_handle_t weak = duplicate_without(handle, right);
    EXPECT_STATUS(zx_object_get_info(weak, topic, NULL, 0, NULL, NULL), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    zx_handle_t event;
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_object_get_info(event, topic, NULL, 0, NULL, NULL), ZX_ERR_WRONG_TYPE);
    close_handle(event);
}

TEST(info_tables, handle_table)
{
    zx_handle_t ends[2];
    size_t count;
    int found = 0;

    ASSERT_OK(zx_eventpair_create(0, &ends[0], &ends[1]));
    zx_info_handle_extended_t *table =
        read_all(zx_process_self(), ZX_INFO_HANDLE_TABLE, sizeof(*table), &count);
    for (size_t i = 0; i < count; i++) {
        EXPECT_EQ(table[i].handle_value & 3, 3);
        if (table[i].handle_value != ends[0])
            continue;
        found++;
        EXPECT_EQ(table[i].type, ZX_OBJ_TYPE_EVENTPAIR);
        EXPECT_EQ(table[i].rights, rights_of(ends[0]));
        EXPECT_EQ(table[i].koid, koid_of(ends[0]));
        EXPECT_EQ(table[i].related_koid, koid_of(ends[1]));
    }
    EXPECT_EQ(found, 1);
    free(table);
    check_array(zx_process_self(), ZX_INFO_HANDLE_TABLE, sizeof(*table), ZX_RIGHT_INSPECT);
    zx_handle_t weak = duplicate_without(zx_process_self(), ZX_RIGHT_MANAGE_THREAD);
    EXPECT_STATUS(zx_object_get_info(weak, ZX_INFO_HANDLE_TABLE, NULL, 0, NULL, NULL),
                  ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    weak = duplicate_without(zx_process_self(), ZX_RIGHT_MANAGE_PROCESS);
    EXPECT_STATUS(zx_object_get_info(weak, ZX_INFO_HANDLE_TABLE, NULL, 0, NULL, NULL),
                  ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    close_handle(ends[0]);
    close_handle(ends[1]);
}

/* How often a VMO is in the list of this process in each way. */
struct ways {
    int handles, mappings, iobs;
    zx_info_vmo_t last;
};

static struct ways ways_to(zx_koid_t koid)
{
    struct ways ways = {0};
    size_t count;

    zx_info_vmo_t *vmos = read_all(zx_process_self(), ZX_INFO_PROCESS_VMOS, sizeof(*vmos), &count);
    for (size_t i = 0; i < count; i++) {
        if (vmos[i].koid != koid)
            continue;
        ways.handles += (vmos[i].flags & ZX_INFO_VMO_VIA_HANDLE) != 0;
        ways.mappings += (vmos[i].flags & ZX_INFO_VMO_VIA_MAPPING) != 0;
        ways.iobs += (vmos[i].flags & ZX_INFO_VMO_VIA_IOB_HANDLE) != 0;
        ways.last = vmos[i];
    }
    free(vmos);
    return ways;
}

TEST(info_tables, vmos_of_a_process)
{
    zx_handle_t vmo = vmo_new(3 * PAGE);
    zx_koid_t koid = koid_of(vmo);
    struct ways ways = ways_to(koid);

    EXPECT_EQ(ways.handles, 1);
    EXPECT_EQ(ways.mappings, 0);
    EXPECT_EQ(ways.last.size_bytes, 3 * PAGE);
    EXPECT_EQ(ways.last.handle_rights, rights_of(vmo));
    zx_handle_t second = duplicate_without(vmo, ZX_RIGHT_WRITE);
    zx_vaddr_t addr = map_anywhere(RW, vmo, 2 * PAGE);
    store(addr, 1);
    ways = ways_to(koid);
    EXPECT_EQ(ways.handles, 2);
    EXPECT_EQ(ways.mappings, 1);
    EXPECT_EQ(ways.last.committed_bytes, PAGE);
    close_handle(vmo);
    close_handle(second);
    ways = ways_to(koid);
    EXPECT_EQ(ways.handles, 0);
    EXPECT_EQ(ways.mappings, 1);
    EXPECT_EQ(ways.last.handle_rights, 0);
    unmap(addr, 2 * PAGE);
    EXPECT_EQ(ways_to(koid).mappings, 0);
    check_array(zx_process_self(), ZX_INFO_PROCESS_VMOS, sizeof(zx_info_vmo_t), ZX_RIGHT_INSPECT);
    check_array(zx_process_self(), ZX_INFO_PROCESS_VMOS_V1, 104, ZX_RIGHT_INSPECT);
    check_array(zx_process_self(), ZX_INFO_PROCESS_VMOS_V2, 120, ZX_RIGHT_INSPECT);
    check_array(zx_process_self(), ZX_INFO_PROCESS_VMOS_V3, 128, ZX_RIGHT_INSPECT);
}

TEST(info_tables, regions_of_an_iob_are_in_the_list)
{
    zx_iob_region_t region = {
        .type = ZX_IOB_REGION_TYPE_PRIVATE,
        .access = ZX_IOB_ACCESS_EP0_CAN_MAP_READ | ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE |
                  ZX_IOB_ACCESS_EP1_CAN_MAP_READ,
        .size = PAGE,
    };
    zx_iob_region_info_t info;
    zx_handle_t ep[2];

    ASSERT_OK(zx_iob_create(0, &region, 1, &ep[0], &ep[1]));
    ASSERT_OK(zx_object_get_info(ep[0], ZX_INFO_IOB_REGIONS, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(ways_to(info.koid).iobs, 2);
    close_handle(ep[1]);
    struct ways ways = ways_to(info.koid);
    EXPECT_EQ(ways.iobs, 1);
    EXPECT_EQ(ways.handles, 0);
    EXPECT(ways.last.handle_rights & ZX_RIGHT_WRITE);
    close_handle(ep[0]);
    EXPECT_EQ(ways_to(info.koid).iobs, 0);
}

TEST(info_tables, processes_that_do_not_run_have_no_list_of_vmos)
{
    zx_handle_t vmar, process = process_new(zx_job_default(), &vmar);

    EXPECT_STATUS(zx_object_get_info(process, ZX_INFO_PROCESS_VMOS, NULL, 0, NULL, NULL),
                  ZX_ERR_BAD_STATE);
    ASSERT_OK(zx_task_kill(process));
    EXPECT_STATUS(zx_object_get_info(process, ZX_INFO_PROCESS_VMOS, NULL, 0, NULL, NULL),
                  ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_object_get_info(process, ZX_INFO_PROCESS_MAPS, NULL, 0, NULL, NULL),
                  ZX_ERR_BAD_STATE);
    close_handle(vmar);
    close_handle(process);
}

TEST(info_tables, maps_of_a_vmar)
{
    zx_vaddr_t base, inner_base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, 8 * PAGE, &base), inner, vmo = vmo_new(2 * PAGE);
    size_t count;

    ASSERT_OK(zx_vmar_allocate(vmar, CAN_MAP_RW | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC, 4 * PAGE,
                               2 * PAGE, &inner, &inner_base));
    map_at(vmar, RW, 0, vmo, 0, PAGE);
    map_at(inner, ZX_VM_PERM_READ, PAGE, vmo, PAGE, PAGE);
    zx_info_maps_t *found = read_all(vmar, ZX_INFO_VMAR_MAPS, sizeof(*found), &count);
    ASSERT_EQ(count, 4);
    EXPECT_EQ(found[0].type, ZX_INFO_MAPS_TYPE_VMAR);
    EXPECT_EQ(found[0].base, base);
    EXPECT_EQ(found[0].size, 8 * PAGE);
    EXPECT_EQ(found[0].depth, 0);
    EXPECT_EQ(found[1].type, ZX_INFO_MAPS_TYPE_MAPPING);
    EXPECT_EQ(found[1].base, base);
    EXPECT_EQ(found[1].depth, 1);
    EXPECT_EQ(found[1].u.mapping.mmu_flags, RW);
    EXPECT_EQ(found[1].u.mapping.vmo_koid, koid_of(vmo));
    EXPECT_EQ(found[2].type, ZX_INFO_MAPS_TYPE_VMAR);
    EXPECT_EQ(found[2].base, inner_base);
    EXPECT_EQ(found[3].base, inner_base + PAGE);
    EXPECT_EQ(found[3].depth, 2);
    EXPECT_EQ(found[3].u.mapping.vmo_offset, PAGE);
    free(found);
    check_array(vmar, ZX_INFO_VMAR_MAPS, sizeof(*found), ZX_RIGHT_INSPECT);
    close_handle(inner);
    ASSERT_OK(zx_vmar_destroy(vmar));
    EXPECT_STATUS(zx_object_get_info(vmar, ZX_INFO_VMAR_MAPS, NULL, 0, NULL, NULL),
                  ZX_ERR_BAD_STATE);
    close_handle(vmar);
    close_handle(vmo);
}

TEST(info_tables, every_version_of_process_maps)
{
    check_array(zx_process_self(), ZX_INFO_PROCESS_MAPS_V1, 96, ZX_RIGHT_INSPECT);
    check_array(zx_process_self(), ZX_INFO_PROCESS_MAPS_V2, 104, ZX_RIGHT_INSPECT);
    check_array(zx_process_self(), ZX_INFO_PROCESS_MAPS, 152, ZX_RIGHT_INSPECT);
}

static zx_duration_t runtime_of(zx_handle_t task)
{
    zx_info_task_runtime_t info = {0};

    EXPECT_OK(zx_object_get_info(task, ZX_INFO_TASK_RUNTIME, &info, sizeof(info), NULL, NULL));
    return info.cpu_time;
}

TEST(info_tables, runtime_of_tasks)
{
    zx_duration_t before = runtime_of(zx_thread_self());
    zx_time_t end = zx_deadline_after(ZX_MSEC(20));
    zx_info_task_runtime_v1_t old;
    zx_handle_t job, event;

    while (zx_clock_get_monotonic() < end) {
    }
    zx_duration_t of_thread = runtime_of(zx_thread_self());
    zx_duration_t of_process = runtime_of(zx_process_self());
    EXPECT(of_thread > before);
    EXPECT(of_process >= of_thread);
    EXPECT(runtime_of(zx_job_default()) >= of_process);
    EXPECT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_TASK_RUNTIME_V1, &old, sizeof(old),
                                 NULL, NULL));
    EXPECT_STATUS(
        zx_object_get_info(zx_process_self(), ZX_INFO_TASK_RUNTIME, &old, sizeof(old), NULL, NULL),
        ZX_ERR_BUFFER_TOO_SMALL);
    /* A job remembers what its dead have used. */
    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    EXPECT_EQ(runtime_of(job), 0);
    struct child child = child_start("exit", "0", ZX_HANDLE_INVALID, job);
    zx_handle_t process = duplicate(child.process, ZX_RIGHT_SAME_RIGHTS);
    EXPECT_EQ(child_end(&child), 0);
    EXPECT(runtime_of(process) > 0);
    EXPECT_EQ(runtime_of(job), runtime_of(process));
    close_handle(process);
    EXPECT(runtime_of(job) > 0);
    zx_handle_t weak = duplicate_without(job, ZX_RIGHT_INSPECT);
    EXPECT_STATUS(zx_object_get_info(weak, ZX_INFO_TASK_RUNTIME, &old, sizeof(old), NULL, NULL),
                  ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_TASK_RUNTIME, &old, sizeof(old), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    close_handle(event);
    close_handle(job);
}

TEST(info_tables, harts)
{
    zx_info_cpu_stats_t first[2], later;
    size_t count;

    zx_info_cpu_stats_t *all =
        read_all(startup_resource(), ZX_INFO_CPU_STATS, sizeof(*all), &count);
    EXPECT_EQ(count, zx_system_get_num_cpus());
    for (size_t i = 0; i < count; i++) {
        EXPECT_EQ(all[i].cpu_number, i);
        EXPECT(all[i].flags & ZX_INFO_CPU_STATS_FLAG_ONLINE);
        EXPECT(all[i].context_switches <= all[i].reschedules);
    }
    free(all);
    size_t actual = 0;
    EXPECT_OK(zx_object_get_info(startup_resource(), ZX_INFO_CPU_STATS, first, sizeof(first[0]) + 8,
                                 &actual, NULL));
    EXPECT_EQ(actual, 1);
    zx_nanosleep(zx_deadline_after(ZX_MSEC(5)));
    EXPECT_OK(zx_object_get_info(startup_resource(), ZX_INFO_CPU_STATS, &later, sizeof(later), NULL,
                                 NULL));
    EXPECT(later.idle_time >= first[0].idle_time);
    EXPECT(later.context_switches >= first[0].context_switches);
    EXPECT_STATUS(zx_object_get_info(zx_process_self(), ZX_INFO_CPU_STATS, NULL, 0, NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_get_info(ZX_HANDLE_INVALID, ZX_INFO_CPU_STATS, NULL, 0, NULL, NULL),
                  ZX_ERR_BAD_HANDLE);
}

TEST(info_tables, timers)
{
    zx_time_t deadline = zx_deadline_after(ZX_SEC(100));
    zx_info_timer_t info;
    zx_handle_t timer;

    ASSERT_OK(zx_timer_create(ZX_TIMER_SLACK_EARLY, ZX_CLOCK_MONOTONIC, &timer));
    ASSERT_OK(zx_object_get_info(timer, ZX_INFO_TIMER, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.options, ZX_TIMER_SLACK_EARLY);
    EXPECT_EQ(info.clock_id, ZX_CLOCK_MONOTONIC);
    EXPECT_EQ(info.deadline, 0);
    ASSERT_OK(zx_timer_set(timer, deadline, 77));
    ASSERT_OK(zx_object_get_info(timer, ZX_INFO_TIMER, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.deadline, deadline);
    EXPECT_EQ(info.slack, 77);
    ASSERT_OK(zx_timer_cancel(timer));
    ASSERT_OK(zx_object_get_info(timer, ZX_INFO_TIMER, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.deadline, 0);
    EXPECT_STATUS(zx_object_get_info(timer, ZX_INFO_TIMER, &info, sizeof(info) - 1, NULL, NULL),
                  ZX_ERR_BUFFER_TOO_SMALL);
    zx_handle_t weak = duplicate_without(timer, ZX_RIGHT_INSPECT);
    EXPECT_STATUS(zx_object_get_info(weak, ZX_INFO_TIMER, &info, sizeof(info), NULL, NULL),
                  ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    close_handle(timer);
}
