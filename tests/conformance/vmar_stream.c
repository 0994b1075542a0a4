/* Mappings that end where the stream of their VMO ends (ZX_VM_FAULT_BEYOND_STREAM_SIZE): past the
 * page in which that is, the memory is there, but not to be reached through them. */
#include <zircon/syscalls/resource.h>

#include "tests/conformance/iob_util.h"

#include "userland/crt/startup.h"

#define STREAM     (ZX_VM_FAULT_BEYOND_STREAM_SIZE | ZX_VM_ALLOW_FAULTS)
#define MAP_STREAM (RW | STREAM)

struct view {
    zx_handle_t vmo;
    zx_vaddr_t addr;
    size_t pages;
};

static struct view view_new(uint64_t stream_bytes, uint32_t options, size_t pages)
{
    struct view v = {.pages = pages};

    ASSERT_OK(zx_vmo_create(stream_bytes, options, &v.vmo));
    v.addr = map_anywhere(MAP_STREAM, v.vmo, pages * PAGE);
    return v;
}

static void view_drop(const struct view *v)
{
    unmap(v->addr, v->pages * PAGE);
    close_handle(v->vmo);
}

/* The first |pages| pages can be touched, the others cannot, and the kernel says why. */
static void expect_shown(const struct view *v, size_t pages)
{
    for (size_t i = 0; i < v->pages; i++) {
        zx_vaddr_t addr = v->addr + i * PAGE;
        uint64_t word;
        size_t actual;
        EXPECT_EQ(can_read(addr), i < pages);
        EXPECT_EQ(can_write(addr), i < pages);
        EXPECT_STATUS(zx_process_read_memory(zx_process_self(), addr + PAGE - 8, &word, 8, &actual),
                      i < pages ? ZX_OK : ZX_ERR_OUT_OF_RANGE);
    }
}

TEST(vmar_stream, options)
{
    zx_handle_t vmo = vmo_new(PAGE);
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    zx_vaddr_t addr = SENTINEL_ADDRESS;

    EXPECT_MAP_FAILS(zx_vmar_root_self(), RW | ZX_VM_FAULT_BEYOND_STREAM_SIZE, 0, vmo, 0, PAGE,
                     ZX_ERR_INVALID_ARGS);
    /* Nobody could set the stream size of a region. */
    EXPECT_STATUS(zx_vmar_map_iob(zx_vmar_root_self(), MAP_STREAM, 0, iob.ep[0], 0, 0, PAGE, &addr),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(addr, SENTINEL_ADDRESS);
    EXPECT_STATUS(zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ | STREAM, PAGE, PAGE),
                  ZX_ERR_INVALID_ARGS);
    iob_drop(&iob);
    close_handle(vmo);
}

TEST(vmar_stream, only_pages_on_demand_have_streams)
{
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create_contiguous(startup_resource(), 2 * PAGE, 0, &vmo));
    EXPECT_MAP_FAILS(zx_vmar_root_self(), MAP_STREAM, 0, vmo, 0, PAGE, ZX_ERR_NOT_SUPPORTED);
    close_handle(vmo);
}

TEST(vmar_stream, ends_with_the_page_of_the_stream_size)
{
    struct view v = view_new(3 * PAGE, ZX_VMO_UNBOUNDED, 4);

    expect_shown(&v, 3);
    /* What is written past it is in the VMO, and still not shown. */
    vmo_store(v.vmo, 3 * PAGE, 42);
    expect_shown(&v, 3);
    EXPECT_EQ(vmo_load(v.vmo, 3 * PAGE), 42);
    EXPECT_OK(zx_vmo_set_stream_size(v.vmo, 2 * PAGE + 1));
    expect_shown(&v, 3);
    EXPECT_OK(zx_vmo_set_stream_size(v.vmo, 2 * PAGE));
    expect_shown(&v, 2);
    EXPECT_OK(zx_vmo_set_stream_size(v.vmo, 0));
    expect_shown(&v, 0);
    EXPECT_OK(zx_vmo_set_stream_size(v.vmo, 1));
    expect_shown(&v, 1);
    EXPECT_OK(zx_vmo_set_stream_size(v.vmo, 64 * PAGE));
    expect_shown(&v, 4);
    view_drop(&v);
}

/* Pages that are in the tables go from there, those of zeros too. */
TEST(vmar_stream, shrinking_takes_away_what_was_mapped)
{
    struct view v = view_new(5 * PAGE, 0, 5);
    uint64_t size = 2 * PAGE + PAGE / 2;

    for (size_t i = 0; i < 4; i++)
        store(v.addr + i * PAGE, 0xa0 + i);
    store(v.addr + 3 * PAGE - 8, 0xbb);
    EXPECT_EQ(load(v.addr + 4 * PAGE), 0); /* the page of zeros */
    EXPECT_OK(zx_object_set_property(v.vmo, ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof(size)));
    expect_shown(&v, 3);
    EXPECT_EQ(load(v.addr + 2 * PAGE), 0xa2);
    EXPECT_EQ(load(v.addr + 3 * PAGE - 8), 0); /* past the stream, but on its last page */
    EXPECT_EQ(vmo_load(v.vmo, 3 * PAGE), 0);
    view_drop(&v);
}

TEST(vmar_stream, resizing_moves_the_end)
{
    struct view v = view_new(4 * PAGE, ZX_VMO_RESIZABLE, 6);

    expect_shown(&v, 4);
    EXPECT_OK(zx_vmo_set_size(v.vmo, PAGE + 1));
    expect_shown(&v, 2);
    EXPECT_OK(zx_vmo_set_size(v.vmo, 6 * PAGE));
    expect_shown(&v, 6);
    view_drop(&v);
}

/* The ordinary mapping beside it shows all. */
TEST(vmar_stream, other_mappings_are_not_concerned)
{
    struct view v = view_new(4 * PAGE, 0, 4);
    zx_vaddr_t whole = map_anywhere(RW, v.vmo, 4 * PAGE);

    store(whole + 3 * PAGE, 7);
    EXPECT_OK(zx_vmo_set_stream_size(v.vmo, PAGE));
    expect_shown(&v, 1);
    EXPECT_EQ(load(whole + 3 * PAGE), 0);
    store(whole + 3 * PAGE, 8);
    expect_shown(&v, 1);
    unmap(whole, 4 * PAGE);
    view_drop(&v);
}

TEST(vmar_stream, a_reference_ends_where_its_source_does)
{
    zx_handle_t vmo = vmo_new(4 * PAGE);
    struct view v = {.pages = 4};

    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_REFERENCE, 0, 0, &v.vmo));
    v.addr = map_anywhere(MAP_STREAM, v.vmo, 4 * PAGE);
    store(v.addr + 2 * PAGE, 1);
    EXPECT_OK(zx_vmo_set_stream_size(vmo, 2 * PAGE));
    expect_shown(&v, 2);
    view_drop(&v);
    close_handle(vmo);
}

/* A slice has a stream size of its own. */
TEST(vmar_stream, a_slice_has_its_own_end)
{
    zx_handle_t vmo = vmo_new(4 * PAGE);
    struct view v = {.pages = 3};

    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SLICE, PAGE, 3 * PAGE, &v.vmo));
    v.addr = map_anywhere(MAP_STREAM, v.vmo, 3 * PAGE);
    EXPECT_OK(zx_vmo_set_stream_size(vmo, PAGE));
    expect_shown(&v, 3);
    EXPECT_OK(zx_vmo_set_stream_size(v.vmo, PAGE));
    expect_shown(&v, 1);
    view_drop(&v);
    close_handle(vmo);
}

TEST(vmar_stream, the_option_survives_splits)
{
    struct view v = view_new(4 * PAGE, 0, 4);

    EXPECT_OK(zx_vmar_protect(zx_vmar_root_self(), ZX_VM_PERM_READ, v.addr + PAGE, PAGE));
    EXPECT_OK(zx_vmar_protect(zx_vmar_root_self(), RW, v.addr + PAGE, PAGE));
    EXPECT_OK(zx_vmo_set_stream_size(v.vmo, 1));
    expect_shown(&v, 1);
    view_drop(&v);
}

TEST(vmar_stream, range_operations_stay_before_the_end)
{
    static const uint32_t ops[] = {ZX_VMAR_OP_COMMIT, ZX_VMAR_OP_DECOMMIT, ZX_VMAR_OP_PREFETCH};
    struct view v = view_new(2 * PAGE, ZX_VMO_UNBOUNDED, 6);
    zx_handle_t root = zx_vmar_root_self();

    for (size_t i = 0; i < 4; i++)
        vmo_store(v.vmo, i * PAGE, i + 1);
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        EXPECT_STATUS(zx_vmar_op_range(root, ops[i], v.addr, 3 * PAGE, NULL, 0),
                      ZX_ERR_OUT_OF_RANGE);
        EXPECT_STATUS(zx_vmar_op_range(root, ops[i], v.addr + PAGE, 2 * PAGE, NULL, 0),
                      ZX_ERR_OUT_OF_RANGE);
        EXPECT_STATUS(zx_vmar_op_range(root, ops[i], v.addr + 4 * PAGE, PAGE, NULL, 0),
                      ZX_ERR_OUT_OF_RANGE);
    }
    for (size_t i = 0; i < 4; i++)
        EXPECT_EQ(vmo_load(v.vmo, i * PAGE), i + 1);
    EXPECT_OK(zx_vmar_op_range(root, ZX_VMAR_OP_PREFETCH, v.addr, 2 * PAGE, NULL, 0));
    EXPECT_OK(zx_vmar_op_range(root, ZX_VMAR_OP_COMMIT, v.addr, 2 * PAGE, NULL, 0));
    EXPECT_OK(zx_vmar_op_range(root, ZX_VMAR_OP_DECOMMIT, v.addr, 2 * PAGE, NULL, 0));
    for (size_t i = 0; i < 4; i++)
        EXPECT_EQ(vmo_load(v.vmo, i * PAGE), i < 2 ? 0 : i + 1);
    /* MAP_RANGE maps what there is to see. */
    EXPECT_OK(zx_vmar_op_range(root, ZX_VMAR_OP_MAP_RANGE, v.addr, 6 * PAGE, NULL, 0));
    expect_shown(&v, 2);
    view_drop(&v);
}

TEST(vmar_stream, map_range_stops_there_too)
{
    zx_vaddr_t addr;
    zx_handle_t vmo = vmo_new(4 * PAGE);

    for (size_t i = 0; i < 4; i++)
        vmo_store(vmo, i * PAGE, i + 1);
    EXPECT_OK(zx_vmo_set_stream_size(vmo, 2 * PAGE));
    vmo_store(vmo, 3 * PAGE, 4);
    ASSERT_OK(
        zx_vmar_map(zx_vmar_root_self(), MAP_STREAM | ZX_VM_MAP_RANGE, 0, vmo, 0, 4 * PAGE, &addr));
    struct view v = {vmo, addr, 4};
    expect_shown(&v, 2);
    view_drop(&v);
}
