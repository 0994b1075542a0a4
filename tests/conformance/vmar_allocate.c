/* zx_vmar_allocate and zx_vmar_destroy. */
#include "tests/conformance/util.h"

#define REGION (64 * PAGE)

TEST(vmar_allocate, lands_inside_its_parent)
{
    zx_info_vmar_t root;
    zx_vaddr_t base;
    zx_handle_t vmar;

    ASSERT_OK(
        zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &root, sizeof(root), NULL, NULL));
    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), CAN_MAP_RW, 0, REGION, &vmar, &base));
    EXPECT(base != 0);
    EXPECT_EQ(base % PAGE, 0);
    EXPECT(base >= root.base);
    EXPECT(base + REGION <= root.base + root.len);
    vmar_drop(vmar);
}

TEST(vmar_allocate, handle_rights_follow_what_the_region_may_map)
{
    static const struct {
        zx_vm_option_t options;
        zx_rights_t rights;
    } cases[] = {
        {0, 0},
        {ZX_VM_CAN_MAP_READ, ZX_RIGHT_READ},
        {ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE, ZX_RIGHT_READ | ZX_RIGHT_WRITE},
        {ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_EXECUTE, ZX_RIGHT_READ | ZX_RIGHT_EXECUTE},
        {CAN_MAP_RWX, ZX_RIGHT_READ | ZX_RIGHT_WRITE | ZX_RIGHT_EXECUTE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        zx_vaddr_t base;
        zx_handle_t vmar = vmar_new(cases[i].options, PAGE, &base);
        EXPECT_EQ(rights_of(vmar), ZX_DEFAULT_VMAR_RIGHTS | cases[i].rights);
        vmar_drop(vmar);
    }
}

TEST(vmar_allocate, specific_lands_where_it_is_told)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar = vmar_new(CAN_MAP_RW, REGION, &base);

    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC | CAN_MAP_RW, 5 * PAGE, 3 * PAGE, &child,
                               &child_base));
    EXPECT_EQ(child_base, base + 5 * PAGE);
    close_handle(child);
    vmar_drop(vmar);
}

TEST(vmar_allocate, the_whole_region_at_once)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar = vmar_new(CAN_MAP_RW, REGION, &base);

    ASSERT_OK(zx_vmar_allocate(vmar, CAN_MAP_RW, 0, REGION, &child, &child_base));
    EXPECT_EQ(child_base, base);
    close_handle(child);
    vmar_drop(vmar);
}

TEST(vmar_allocate, options_that_are_no_options)
{
    static const zx_vm_option_t bad[] = {
        ZX_VM_PERM_READ,
        ZX_VM_PERM_WRITE,
        ZX_VM_PERM_EXECUTE,
        ZX_VM_SPECIFIC_OVERWRITE,
        ZX_VM_MAP_RANGE,
        ZX_VM_REQUIRE_NON_RESIZABLE,
        ZX_VM_ALLOW_FAULTS,
        1u << 16,
        1u << 20,
        1u << 23,
        1u << ZX_VM_ALIGN_BASE,
        9u << ZX_VM_ALIGN_BASE,
        33u << ZX_VM_ALIGN_BASE,
        255u << ZX_VM_ALIGN_BASE,
    };
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RWX, REGION, &base);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT_ALLOCATE_FAILS(vmar, bad[i], 0, PAGE, ZX_ERR_INVALID_ARGS);
    vmar_drop(vmar);
}

TEST(vmar_allocate, sizes_and_offsets)
{
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, REGION, &base);
    zx_vm_option_t specific = ZX_VM_SPECIFIC;

    EXPECT_ALLOCATE_FAILS(vmar, 0, 0, 0, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, 0, 0, 1, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, 0, 0, PAGE + 1, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, 0, 0, SIZE_MAX, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, 0, PAGE, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, specific, 0, 0, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, specific, 1, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, specific, REGION, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, specific, REGION - PAGE, 2 * PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, specific, 0, REGION + PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, specific, (size_t)-PAGE, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, specific, PAGE, (size_t)-PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, specific, (size_t)-PAGE, 2 * PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, specific | ZX_VM_OFFSET_IS_UPPER_LIMIT, 4 * PAGE, PAGE,
                          ZX_ERR_INVALID_ARGS);
    vmar_drop(vmar);
}

TEST(vmar_allocate, an_occupied_place)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar = vmar_new(CAN_MAP_RW, REGION, &base), vmo = vmo_new(2 * PAGE);

    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC, 8 * PAGE, 4 * PAGE, &child, &child_base));
    map_at(vmar, RW, 20 * PAGE, vmo, 0, 2 * PAGE);
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_SPECIFIC, 8 * PAGE, 4 * PAGE, ZX_ERR_ALREADY_EXISTS);
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_SPECIFIC, 11 * PAGE, PAGE, ZX_ERR_ALREADY_EXISTS);
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_SPECIFIC, 7 * PAGE, 2 * PAGE, ZX_ERR_ALREADY_EXISTS);
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_SPECIFIC, 0, REGION, ZX_ERR_ALREADY_EXISTS);
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_SPECIFIC, 21 * PAGE, 2 * PAGE, ZX_ERR_ALREADY_EXISTS);
    close_handle(child);
    /* Next to both it fits. */
    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC, 12 * PAGE, 8 * PAGE, &child, &child_base));
    close_handle(child);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_allocate, no_room)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar = vmar_new(CAN_MAP_RW, 8 * PAGE, &base);

    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC, 4 * PAGE, PAGE, &child, &child_base));
    close_handle(child);
    EXPECT_ALLOCATE_FAILS(vmar, 0, 0, 5 * PAGE, by_abi(ZX_ERR_NO_MEMORY, ZX_ERR_NO_RESOURCES));
    ASSERT_OK(zx_vmar_allocate(vmar, 0, 0, 4 * PAGE, &child, &child_base));
    EXPECT_EQ(child_base, base);
    close_handle(child);
    /* Three pages are left behind the middle one. */
    EXPECT_ALLOCATE_FAILS(vmar, 0, 0, 4 * PAGE, by_abi(ZX_ERR_NO_MEMORY, ZX_ERR_NO_RESOURCES));
    ASSERT_OK(zx_vmar_allocate(vmar, 0, 0, 3 * PAGE, &child, &child_base));
    EXPECT_EQ(child_base, base + 5 * PAGE);
    close_handle(child);
    EXPECT_ALLOCATE_FAILS(vmar, 0, 0, PAGE, by_abi(ZX_ERR_NO_MEMORY, ZX_ERR_NO_RESOURCES));
    /* Larger than the region is another error: it could never fit. */
    EXPECT_ALLOCATE_FAILS(vmar, 0, 0, 9 * PAGE, ZX_ERR_INVALID_ARGS);
    vmar_drop(vmar);
}

TEST(vmar_allocate, permissions_that_the_parent_region_lacks)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar, handle;

    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ, 0, REGION, &vmar, &base));
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_CAN_MAP_WRITE, 0, PAGE, ZX_ERR_ACCESS_DENIED);
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_CAN_MAP_EXECUTE, 0, PAGE, ZX_ERR_ACCESS_DENIED);
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_SPECIFIC, PAGE, PAGE, ZX_ERR_ACCESS_DENIED);
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_OFFSET_IS_UPPER_LIMIT, 4 * PAGE, PAGE, ZX_ERR_ACCESS_DENIED);
    /* CAN_MAP_SPECIFIC may exceed the parent's. */
    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_SPECIFIC, 0, 4 * PAGE,
                               &child, &child_base));
    ASSERT_OK(zx_vmar_allocate(child, ZX_VM_SPECIFIC, 2 * PAGE, PAGE, &handle, &base));
    EXPECT_EQ(base, child_base + 2 * PAGE);
    close_handle(handle);
    close_handle(child);
    vmar_drop(vmar);
}

TEST(vmar_allocate, permissions_that_the_handle_lacks)
{
    static const struct {
        zx_rights_t right;
        zx_vm_option_t option;
    } cases[] = {
        {ZX_RIGHT_READ, ZX_VM_CAN_MAP_READ},
        {ZX_RIGHT_WRITE, ZX_VM_CAN_MAP_WRITE},
        {ZX_RIGHT_EXECUTE, ZX_VM_CAN_MAP_EXECUTE},
    };
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar = vmar_new(CAN_MAP_RWX, REGION, &base);

    for (size_t i = 0; i < 3; i++) {
        zx_handle_t weak = duplicate_without(vmar, cases[i].right);
        EXPECT_ALLOCATE_FAILS(weak, cases[i].option, 0, PAGE, ZX_ERR_ACCESS_DENIED);
        EXPECT_ALLOCATE_FAILS(weak, CAN_MAP_RWX, 0, PAGE, ZX_ERR_ACCESS_DENIED);
        ASSERT_OK(
            zx_vmar_allocate(weak, CAN_MAP_RWX & ~cases[i].option, 0, PAGE, &child, &child_base));
        close_handle(child);
        close_handle(weak);
    }
    vmar_drop(vmar);
}

TEST(vmar_allocate, below_an_upper_limit)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar = vmar_new(CAN_MAP_RW, REGION, &base);
    zx_vm_option_t limit = ZX_VM_OFFSET_IS_UPPER_LIMIT;

    for (int i = 0; i < 8; i++) {
        ASSERT_OK(zx_vmar_allocate(vmar, limit, 32 * PAGE, 2 * PAGE, &child, &child_base));
        EXPECT(child_base >= base);
        EXPECT(child_base + 2 * PAGE <= base + 32 * PAGE);
        close_handle(child);
    }
    /* Only one place is left for all of what the limit allows. */
    vmar_drop(vmar);
    vmar = vmar_new(CAN_MAP_RW, REGION, &base);
    ASSERT_OK(zx_vmar_allocate(vmar, limit, 4 * PAGE, 4 * PAGE, &child, &child_base));
    EXPECT_EQ(child_base, base);
    close_handle(child);
    ASSERT_OK(zx_vmar_allocate(vmar, limit, REGION, REGION - 4 * PAGE, &child, &child_base));
    EXPECT_EQ(child_base, base + 4 * PAGE);
    close_handle(child);
    vmar_drop(vmar);
}

TEST(vmar_allocate, upper_limits_that_cannot_be)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar = vmar_new(CAN_MAP_RW, REGION, &base);
    zx_vm_option_t limit = ZX_VM_OFFSET_IS_UPPER_LIMIT;

    EXPECT_ALLOCATE_FAILS(vmar, limit, 2 * PAGE, 3 * PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, limit, 0, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, limit, REGION + PAGE, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, limit, (size_t)-PAGE, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, limit, PAGE + 1, PAGE, ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC, PAGE, PAGE, &child, &child_base));
    close_handle(child);
    EXPECT_ALLOCATE_FAILS(vmar, limit, 3 * PAGE, 2 * PAGE,
                          by_abi(ZX_ERR_NO_MEMORY, ZX_ERR_NO_RESOURCES));
    vmar_drop(vmar);
}

TEST(vmar_allocate, every_alignment)
{
    for (uint32_t log2 = 10; log2 <= 32; log2++) {
        zx_vm_option_t align = log2 << ZX_VM_ALIGN_BASE;
        zx_vaddr_t base = 0;
        zx_handle_t vmar;
        ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), align, 0, PAGE, &vmar, &base));
        EXPECT_EQ(base & (((zx_vaddr_t)1 << log2) - 1), 0);
        EXPECT_EQ(base % PAGE, 0);
        vmar_drop(vmar);
    }
}

TEST(vmar_allocate, alignment_of_a_specific_place)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar;

    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(),
                               CAN_MAP_RW | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_ALIGN_64KB, 0,
                               (size_t)64 * PAGE, &vmar, &base));
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_SPECIFIC | ZX_VM_ALIGN_64KB, PAGE, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_SPECIFIC | ZX_VM_ALIGN_64KB, 8 * PAGE, PAGE,
                          ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC | ZX_VM_ALIGN_64KB, 16 * PAGE, PAGE, &child,
                               &child_base));
    EXPECT_EQ(child_base, base + 16 * PAGE);
    close_handle(child);
    /* Less than a page asks for nothing. */
    ASSERT_OK(
        zx_vmar_allocate(vmar, ZX_VM_SPECIFIC | ZX_VM_ALIGN_1KB, PAGE, PAGE, &child, &child_base));
    close_handle(child);
    vmar_drop(vmar);
}

TEST(vmar_allocate, compact_is_a_hint)
{
    zx_vaddr_t base, addr;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW | ZX_VM_COMPACT, REGION, &base), vmo = vmo_new(PAGE);

    for (int i = 0; i < 8; i++) {
        ASSERT_OK(zx_vmar_map(vmar, RW, 0, vmo, 0, PAGE, &addr));
        EXPECT(addr >= base && addr + PAGE <= base + REGION);
    }
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_allocate, closing_the_handle_keeps_the_range)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar = vmar_new(CAN_MAP_RW, REGION, &base), vmo = vmo_new(PAGE);

    ASSERT_OK(
        zx_vmar_allocate(vmar, ZX_VM_SPECIFIC | CAN_MAP_RW, 4 * PAGE, PAGE, &child, &child_base));
    zx_vaddr_t addr;
    ASSERT_OK(zx_vmar_map(child, RW, 0, vmo, 0, PAGE, &addr));
    close_handle(child);
    store(addr, 7);
    EXPECT_EQ(vmo_load(vmo, 0), 7);
    EXPECT_ALLOCATE_FAILS(vmar, ZX_VM_SPECIFIC, 4 * PAGE, PAGE, ZX_ERR_ALREADY_EXISTS);
    EXPECT_OK(zx_vmar_unmap(vmar, child_base, PAGE));
    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC, 4 * PAGE, PAGE, &child, &child_base));
    close_handle(child);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_allocate, bad_out_pointers_leave_nothing_behind)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar = vmar_new(CAN_MAP_RW, REGION, &base);

    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        EXPECT_NO_CHANGE(zx_vmar_allocate(vmar, 0, 0, PAGE, bad, &child_base), ZX_ERR_INVALID_ARGS);
        EXPECT_NO_CHANGE(zx_vmar_allocate(vmar, 0, 0, PAGE, &child, bad), ZX_ERR_INVALID_ARGS);
    }
    EXPECT_NO_CHANGE(zx_vmar_allocate(vmar, 0, 0, PAGE, NULL, &child_base), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_allocate(vmar, 0, 0, PAGE, &child, NULL), ZX_ERR_INVALID_ARGS);
    vmar_drop(vmar);
}

TEST(vmar_allocate, bad_handles)
{
    zx_handle_t vmo = vmo_new(PAGE);

    EXPECT_ALLOCATE_FAILS(ZX_HANDLE_INVALID, 0, 0, PAGE, ZX_ERR_BAD_HANDLE);
    EXPECT_ALLOCATE_FAILS(3, 0, 0, PAGE, ZX_ERR_BAD_HANDLE);
    EXPECT_ALLOCATE_FAILS(vmo, 0, 0, PAGE, ZX_ERR_WRONG_TYPE);
    close_handle(vmo);
}

/* ---- zx_vmar_destroy ---- */

TEST(vmar_destroy, takes_everything_below)
{
    zx_vaddr_t base, child_base, grand_base, addr;
    zx_handle_t child, grand, vmar = vmar_new(CAN_MAP_RW, REGION, &base), vmo = vmo_new(PAGE);

    ASSERT_OK(zx_vmar_allocate(vmar, CAN_MAP_RW, 0, 16 * PAGE, &child, &child_base));
    ASSERT_OK(zx_vmar_allocate(child, CAN_MAP_RW, 0, 4 * PAGE, &grand, &grand_base));
    ASSERT_OK(zx_vmar_map(grand, RW, 0, vmo, 0, PAGE, &addr));
    store(addr, 1);
    ASSERT_OK(zx_vmar_destroy(vmar));
    EXPECT(!can_read(addr));
    EXPECT_ALLOCATE_FAILS(vmar, 0, 0, PAGE, ZX_ERR_BAD_STATE);
    EXPECT_ALLOCATE_FAILS(child, 0, 0, PAGE, ZX_ERR_BAD_STATE);
    EXPECT_ALLOCATE_FAILS(grand, 0, 0, PAGE, ZX_ERR_BAD_STATE);
    EXPECT_MAP_FAILS(grand, RW, 0, vmo, 0, PAGE, ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmar_unmap(child, child_base, PAGE), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmar_protect(grand, ZX_VM_PERM_READ, addr, PAGE), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmar_op_range(grand, ZX_VMAR_OP_COMMIT, addr, PAGE, NULL, 0),
                  ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmar_destroy(vmar), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmar_destroy(child), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_vmar_destroy(grand), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_handle_check_valid(grand));
    close_handle(grand);
    close_handle(child);
    close_handle(vmar);
    EXPECT_EQ(vmo_load(vmo, 0), 1);
    close_handle(vmo);
}

TEST(vmar_destroy, frees_the_range)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmar = vmar_new(CAN_MAP_RW, REGION, &base);

    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC, PAGE, PAGE, &child, &child_base));
    ASSERT_OK(zx_vmar_destroy(child));
    close_handle(child);
    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC, PAGE, PAGE, &child, &child_base));
    close_handle(child);
    vmar_drop(vmar);
}

TEST(vmar_destroy, needs_op_children)
{
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, PAGE, &base);
    zx_handle_t weak = duplicate_without(vmar, ZX_RIGHT_OP_CHILDREN);

    EXPECT_NO_CHANGE(zx_vmar_destroy(weak), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    vmar_drop(vmar);
}

TEST(vmar_destroy, refuses_the_root_and_bad_handles)
{
    zx_handle_t vmo = vmo_new(PAGE);

    EXPECT_NO_CHANGE(zx_vmar_destroy(zx_vmar_root_self()), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_vmar_destroy(ZX_HANDLE_INVALID), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmar_destroy(vmo), ZX_ERR_WRONG_TYPE);
    close_handle(vmo);
}

TEST(vmar_destroy, a_deep_tree)
{
    enum { DEPTH = 60 };
    zx_handle_t vmars[DEPTH];
    zx_vaddr_t base;

    vmars[0] = vmar_new(CAN_MAP_RW, DEPTH * PAGE, &base);
    for (int i = 1; i < DEPTH; i++)
        ASSERT_OK(zx_vmar_allocate(vmars[i - 1], CAN_MAP_RW, 0, (size_t)(DEPTH - i) * PAGE,
                                   &vmars[i], &base));
    ASSERT_OK(zx_vmar_destroy(vmars[0]));
    for (int i = 0; i < DEPTH; i++) {
        EXPECT_STATUS(zx_vmar_destroy(vmars[i]), ZX_ERR_BAD_STATE);
        close_handle(vmars[i]);
    }
}
