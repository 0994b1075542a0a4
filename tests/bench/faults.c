/* Page faults, and populating without them. */
#include "tests/bench/bench.h"

#define STRIDE_PAGES    16u /* between pages of single faults: beyond the reach of fault-around */
#define COUNT_STRIDES   1200u
#define TABLE_PAGES     512u /* that one last-level table maps */
#define RUN_PAGES       1024u
#define SUPERPAGE_BYTES ((size_t)2 << 20)

struct field {
    zx_handle_t vmo;
    zx_vaddr_t base;
    size_t next; /* the page to touch */
};

static struct field field_new(size_t count_pages)
{
    struct field field = {0};

    must(zx_vmo_create(count_pages * PAGE, 0, &field.vmo), "vmo_create");
    must(zx_vmar_map(zx_vmar_root_self(), RW, 0, field.vmo, 0, count_pages * PAGE, &field.base),
         "map");
    return field;
}

static void field_drop(struct field *field, size_t count_pages)
{
    must(zx_vmar_unmap(zx_vmar_root_self(), field->base, count_pages * PAGE), "unmap");
    must(zx_handle_close(field->vmo), "close");
}

static void write_next(void *state)
{
    struct field *field = state;

    *(volatile uint64_t *)(field->base + field->next * PAGE) = 1;
}

static void read_next(void *state)
{
    struct field *field = state;

    (void)*(volatile uint64_t *)(field->base + field->next * PAGE);
}

static void advance(void *state)
{
    ((struct field *)state)->next += STRIDE_PAGES;
}

/* Far-apart pages whose page tables are there because a neighbour beyond reach was touched. */
static void bench_single(const char *name, void (*access)(void *), const char *definition)
{
    size_t count_pages = COUNT_STRIDES * STRIDE_PAGES;

    if (!bench_is_wanted(name))
        return;
    struct field field = field_new(count_pages);
    for (field.next = 0; field.next < count_pages; field.next += TABLE_PAGES / 4)
        write_next(&field);
    field.next = STRIDE_PAGES / 2;
    bench(name, &(struct operation){.run = access, .tidy = advance}, &field, SAMPLES, 1,
          definition);
    field_drop(&field, count_pages);
}

static void touch_run(void *state)
{
    struct field *field = state;

    for (size_t i = 0; i < RUN_PAGES; i++)
        *(volatile uint64_t *)(field->base + i * PAGE) = 1;
}

static void field_open(void *state)
{
    *(struct field *)state = field_new(RUN_PAGES);
}

static void field_close(void *state)
{
    field_drop(state, RUN_PAGES);
}

static void populate(void *state)
{
    zx_handle_t vmo;
    zx_vaddr_t addr;

    (void)state;
    must(zx_vmo_create(SUPERPAGE_BYTES, 0, &vmo), "vmo_create");
    must(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, SUPERPAGE_BYTES, NULL, 0), "commit");
    must(zx_vmar_map(zx_vmar_root_self(), RW | ZX_VM_MAP_RANGE, 0, vmo, 0, SUPERPAGE_BYTES, &addr),
         "map");
    must(zx_handle_close(vmo), "close");
    must(zx_vmar_unmap(zx_vmar_root_self(), addr, SUPERPAGE_BYTES), "unmap");
}

void bench_faults(void)
{
    struct field field;

    bench_single("fault_write", write_next,
                 "write fault on an untouched page; its page tables are there");
    bench_single("fault_read_zero", read_next,
                 "read fault on an untouched page; its page tables are there");
    bench("fault_write_1024",
          &(struct operation){.prepare = field_open, .run = touch_run, .tidy = field_close}, &field,
          64, RUN_PAGES, "writing to 1,024 untouched pages in order, one page (64 rounds)");
    bench("populate_2m", &(struct operation){.run = populate}, NULL, 64, 1,
          "zx_vmo_create of 2 MiB, ZX_VMO_OP_COMMIT, zx_vmar_map with ZX_VM_MAP_RANGE, "
          "zx_handle_close, zx_vmar_unmap (64 rounds)");
}
