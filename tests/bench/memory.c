/* Mapping, unmapping, protecting. */
#include <stdlib.h>

#include "tests/bench/bench.h"

struct area {
    zx_handle_t root, vmo;
    zx_vaddr_t addr;
};

static void touch(zx_vaddr_t addr)
{
    *(volatile uint64_t *)addr = 1;
}

static void map_page(void *state)
{
    struct area *area = state;

    must(zx_vmar_map(area->root, RW, 0, area->vmo, 0, PAGE, &area->addr), "map");
}

static void unmap_page(void *state)
{
    struct area *area = state;

    must(zx_vmar_unmap(area->root, area->addr, PAGE), "unmap");
}

static void map_unmap(void *state)
{
    map_page(state);
    unmap_page(state);
}

static void map_touch_unmap(void *state)
{
    map_page(state);
    touch(((struct area *)state)->addr);
    unmap_page(state);
}

static void drop_page(void *state)
{
    struct area *area = state;

    must(zx_vmo_op_range(area->vmo, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0), "decommit");
}

static void protect_twice(void *state)
{
    struct area *area = state;

    must(zx_vmar_protect(area->root, ZX_VM_PERM_READ, area->addr, PAGE), "protect");
    must(zx_vmar_protect(area->root, RW, area->addr, PAGE), "protect");
}

static void overwrite(void *state)
{
    struct area *area = state; /* addr: the middle of three pages */
    zx_vaddr_t mapped;

    must(zx_vmar_unmap(area->root, area->addr, PAGE), "unmap");
    must(zx_vmar_map(area->root, RW | ZX_VM_SPECIFIC, PAGE, area->vmo, PAGE, PAGE, &mapped), "map");
    touch(mapped);
}

static void touch_page(void *state)
{
    touch(((struct area *)state)->addr);
}

static void decommit(void *state)
{
    struct area *area = state;

    must(zx_vmar_op_range(area->root, ZX_VMAR_OP_DECOMMIT, area->addr, PAGE, NULL, 0), "decommit");
}

static void clone_write(void *state)
{
    static const uint64_t word = 1;
    struct area *area = state;
    zx_handle_t child;

    must(zx_vmo_create_child(area->vmo, ZX_VMO_CHILD_SNAPSHOT, 0, 1024 * PAGE, &child), "snapshot");
    must(zx_vmo_write(child, &word, 0, sizeof(word)), "write");
    must(zx_handle_close(child), "close");
}

static struct area area_new(size_t size_bytes)
{
    struct area area = {.root = zx_vmar_root_self()};

    must(zx_vmo_create(size_bytes, 0, &area.vmo), "vmo_create");
    return area;
}

static void bench_map(void)
{
    struct area area = area_new(PAGE);

    bench("map_unmap", &(struct operation){.run = map_unmap}, &area, SAMPLES, 1,
          "zx_vmar_map of one page of a VMO and zx_vmar_unmap, untouched");
    bench("map_touch_unmap", &(struct operation){.run = map_touch_unmap, .tidy = drop_page}, &area,
          SAMPLES, 1, "the same with one write between, to a page that has to be found and zeroed");
    must(zx_vmar_map(area.root, RW, 0, area.vmo, 0, PAGE, &area.addr), "map");
    touch(area.addr);
    bench("protect", &(struct operation){.run = protect_twice}, &area, SAMPLES, 2,
          "zx_vmar_protect of one touched page, read-only and back, one call");
    bench("decommit", &(struct operation){.prepare = touch_page, .run = decommit}, &area, SAMPLES,
          1, "ZX_VMAR_OP_DECOMMIT of one touched page");
    unmap_page(&area);
    zx_handle_close(area.vmo);
}

static void bench_middle(void)
{
    struct area area = area_new(3 * PAGE);
    zx_vaddr_t base, addr;

    must(zx_vmar_allocate(zx_vmar_root_self(),
                          ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC, 0,
                          3 * PAGE, &area.root, &base),
         "vmar_allocate");
    must(zx_vmar_map(area.root, RW | ZX_VM_SPECIFIC, 0, area.vmo, 0, 3 * PAGE, &addr), "map");
    for (size_t i = 0; i < 3; i++)
        touch(base + i * PAGE);
    area.addr = base + PAGE;
    bench("protect_split", &(struct operation){.run = protect_twice}, &area, SAMPLES, 2,
          "zx_vmar_protect of the middle page of a touched mapping of three, one call");
    bench("overwrite_mid", &(struct operation){.run = overwrite}, &area, SAMPLES, 1,
          "zx_vmar_unmap of the middle page of such a mapping, zx_vmar_map of it in its place, one "
          "write");
    must(zx_vmar_destroy(area.root), "vmar_destroy");
    zx_handle_close(area.root);
    zx_handle_close(area.vmo);
}

/* map_unmap in a region that holds |count| mappings of another VMO; their kernel memory too. */
static void bench_crowd(const char *name, unsigned count, const char *definition)
{
    struct area area = area_new(PAGE), other = area_new(PAGE);
    zx_vaddr_t base, addr;

    if (!bench_is_wanted(name))
        return;
    must(zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE, 0,
                          (size_t)4 << 30, &area.root, &base),
         "vmar_allocate");
    for (unsigned i = 0; i < count; i++)
        must(zx_vmar_map(area.root, RW, 0, other.vmo, 0, PAGE, &addr), "map");
    bench(name, &(struct operation){.run = map_unmap}, &area, SAMPLES, 1, definition);
    must(zx_vmar_destroy(area.root), "vmar_destroy");
    zx_handle_close(area.root);
    zx_handle_close(area.vmo);
    zx_handle_close(other.vmo);
}

static void bench_clone(void)
{
    struct area area = area_new(1024 * PAGE);

    if (!bench_is_wanted("vmo_clone_write"))
        return;
    must(zx_vmo_op_range(area.vmo, ZX_VMO_OP_COMMIT, 0, 1024 * PAGE, NULL, 0), "commit");
    bench(
        "vmo_clone_write", &(struct operation){.run = clone_write}, &area, SAMPLES, 1,
        "ZX_VMO_CHILD_SNAPSHOT of 1,024 committed pages, one zx_vmo_write to it, zx_handle_close");
    zx_handle_close(area.vmo);
}

void bench_memory(void)
{
    bench_map();
    bench_middle();
    bench_crowd("map_unmap_10k", 10000, "map_unmap in a region with 10,000 other mappings");
    bench_crowd("map_unmap_100k", 100000, "map_unmap in a region with 100,000 other mappings");
    bench_clone();
}
