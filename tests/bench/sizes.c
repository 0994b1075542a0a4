/* The kernel's memory. */
#include <zircon/process.h>
#include <zircon/syscalls/object.h>

#include "tests/bench/bench.h"
#include "userland/crt/startup.h"

#define COUNT_PROCESSES 64u
#define COUNT_MAPPINGS  16384u

static zx_info_kmem_stats_t kernel_memory(void)
{
    zx_info_kmem_stats_t info;

    must(
        zx_object_get_info(startup_resource(), ZX_INFO_KMEM_STATS, &info, sizeof(info), NULL, NULL),
        "ZX_INFO_KMEM_STATS");
    return info;
}

/* What is neither free nor a VMO's, nor out of reach from the start. */
static uint64_t used_bytes(void)
{
    zx_info_kmem_stats_t info = kernel_memory();

    return info.total_heap_bytes + info.mmu_overhead_bytes + info.other_bytes + info.ipc_bytes;
}

static void size_process(void)
{
    static zx_handle_t handles[COUNT_PROCESSES][3];
    uint64_t before = used_bytes();

    for (unsigned i = 0; i < COUNT_PROCESSES; i++) {
        must(zx_process_create(zx_job_default(), "p", 1, 0, &handles[i][0], &handles[i][1]),
             "process_create");
        must(zx_thread_create(handles[i][0], "t", 1, 0, &handles[i][2]), "thread_create");
    }
    uint64_t bytes = (used_bytes() - before) / COUNT_PROCESSES;
    report("process_bytes", bytes, bytes, "bytes",
           "kernel memory of a process with one thread, neither started (mean of 64)");
    for (unsigned i = 0; i < COUNT_PROCESSES; i++)
        zx_handle_close_many(handles[i], 3);
}

static void size_mapping(void)
{
    zx_handle_t vmo, vmar;
    zx_vaddr_t base, addr;

    must(zx_vmo_create(PAGE, 0, &vmo), "vmo_create");
    must(zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE, 0,
                          (size_t)1 << 30, &vmar, &base),
         "vmar_allocate");
    uint64_t before = used_bytes();
    for (unsigned i = 0; i < COUNT_MAPPINGS; i++)
        must(zx_vmar_map(vmar, RW, 0, vmo, 0, PAGE, &addr), "map");
    uint64_t bytes = (used_bytes() - before) / COUNT_MAPPINGS;
    report("mapping_bytes", bytes, bytes, "bytes",
           "kernel memory of a mapping nothing has touched (mean of 16,384)");
    must(zx_vmar_destroy(vmar), "vmar_destroy");
    zx_handle_close(vmar);
    zx_handle_close(vmo);
}

void bench_sizes(void)
{
    if (bench_is_wanted("kernel_bytes_idle")) {
        uint64_t bytes = used_bytes();
        report("kernel_bytes_idle", bytes, bytes, "bytes",
               "heap, page tables and kernel stacks beside the image and the page array, with init "
               "and one more program running");
    }
    if (bench_is_wanted("process_bytes"))
        size_process();
    if (bench_is_wanted("mapping_bytes"))
        size_mapping();
}
