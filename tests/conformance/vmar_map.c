/* zx_vmar_map. */
#include "tests/conformance/util.h"

#include <zircon/features.h>

#define REGION (64 * PAGE)

TEST(vmar_map, shows_the_vmos_contents)
{
    zx_handle_t vmo = vmo_new(4 * PAGE);
    zx_vaddr_t addr;

    for (uint64_t i = 0; i < 4; i++)
        vmo_store(vmo, i * PAGE + 8, 100 + i);
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), RW, 0, vmo, PAGE, 2 * PAGE, &addr));
    EXPECT(addr != 0);
    EXPECT_EQ(addr % PAGE, 0);
    EXPECT_EQ(load(addr + 8), 101);
    EXPECT_EQ(load(addr + PAGE + 8), 102);
    EXPECT_EQ(load(addr), 0);
    store(addr + PAGE, 55);
    EXPECT_EQ(vmo_load(vmo, 2 * PAGE), 55);
    vmo_store(vmo, 2 * PAGE, 56);
    EXPECT_EQ(load(addr + PAGE), 56);
    unmap(addr, 2 * PAGE);
    close_handle(vmo);
}

TEST(vmar_map, two_mappings_of_one_page_agree)
{
    zx_handle_t vmo = vmo_new(PAGE);
    zx_vaddr_t reader = map_anywhere(ZX_VM_PERM_READ, vmo, PAGE);

    /* The zero page stands in for the page until it is written through the other mapping. */
    EXPECT_EQ(load(reader), 0);
    zx_vaddr_t writer = map_anywhere(RW, vmo, PAGE);
    store(writer, 0x1234);
    EXPECT_EQ(load(reader), 0x1234);
    unmap(writer, PAGE);
    unmap(reader, PAGE);
    close_handle(vmo);
}

TEST(vmar_map, the_mapping_keeps_the_vmo)
{
    zx_handle_t vmo = vmo_new(PAGE);
    zx_vaddr_t addr = map_anywhere(RW, vmo, PAGE);

    close_handle(vmo);
    EXPECT_EQ(load(addr), 0);
    store(addr, 77);
    EXPECT_EQ(load(addr), 77);
    unmap(addr, PAGE);
    EXPECT(!can_read(addr));
}

TEST(vmar_map, is_demand_paged)
{
    enum { COUNT = 64 };
    zx_handle_t vmo = vmo_new(COUNT * PAGE);
    zx_vaddr_t addr = map_anywhere(RW, vmo, COUNT * PAGE);
    zx_info_vmo_t info;

    for (size_t i = 0; i < COUNT; i++)
        EXPECT_EQ(load(addr + i * PAGE), 0);
    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.committed_bytes, 0);
    for (size_t i = 0; i < COUNT; i += 2)
        store(addr + i * PAGE, i + 1);
    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.committed_bytes, COUNT / 2 * PAGE);
    for (size_t i = 0; i < COUNT; i++)
        EXPECT_EQ(load(addr + i * PAGE), i % 2 == 0 ? i + 1 : 0);
    unmap(addr, COUNT * PAGE);
    close_handle(vmo);
}

TEST(vmar_map, without_permissions_reserves)
{
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, REGION, &base), vmo = vmo_new(PAGE);
    zx_vaddr_t addr = map_at(vmar, 0, PAGE, vmo, 0, PAGE);

    EXPECT(!can_read(addr));
    EXPECT_MAP_FAILS(vmar, RW | ZX_VM_SPECIFIC, PAGE, vmo, 0, PAGE, ZX_ERR_ALREADY_EXISTS);
    EXPECT_OK(zx_vmar_protect(vmar, RW, addr, PAGE));
    store(addr, 1);
    vmar_drop(vmar);
    close_handle(vmo);
}

/* Every mix of handle rights on the VMO and the region, of the region's own permissions, and of
 * what is asked for. */
TEST(vmar_map, permissions_are_what_all_sides_allow)
{
    static const zx_rights_t rights[3] = {ZX_RIGHT_READ, ZX_RIGHT_WRITE, ZX_RIGHT_EXECUTE};
    static const zx_vm_option_t asked[] = {0, ZX_VM_PERM_READ, RW,
                                           ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE};
    zx_vaddr_t base, addr;
    zx_handle_t vmo, plain = vmo_new(PAGE);

    ASSERT_OK(zx_vmo_replace_as_executable(plain, ZX_HANDLE_INVALID, &vmo));
    for (uint32_t region = 0; region < 8; region++) {
        zx_handle_t vmar = vmar_new(region * ZX_VM_CAN_MAP_READ, REGION, &base);
        for (uint32_t lost = 0; lost < 4; lost++) {
            /* Lost by the VMO's handle, then by the region's, one right at a time. */
            for (int side = 0; side < (lost < 3 ? 2 : 1); side++) {
                zx_rights_t missing = lost < 3 ? rights[lost] : 0;
                zx_handle_t v = duplicate_without(vmo, side == 0 ? missing : 0);
                zx_handle_t r = duplicate_without(vmar, side == 1 ? missing : 0);
                for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
                    uint32_t allowed = region & ~(lost < 3 ? 1u << lost : 0);
                    zx_status_t want = (asked[i] & ~allowed) == 0 ? ZX_OK : ZX_ERR_ACCESS_DENIED;
                    if (EXPECT_STATUS(zx_vmar_map(r, asked[i], 0, v, 0, PAGE, &addr), want) &&
                        want == ZX_OK)
                        ASSERT_OK(zx_vmar_unmap(r, addr, PAGE));
                }
                close_handle(v);
                close_handle(r);
            }
        }
        vmar_drop(vmar);
    }
    close_handle(vmo);
}

TEST(vmar_map, the_vmo_handle_needs_the_map_right)
{
    zx_handle_t vmo = vmo_new(PAGE), weak = duplicate_without(vmo, ZX_RIGHT_MAP);

    EXPECT_MAP_FAILS(zx_vmar_root_self(), RW, 0, weak, 0, PAGE, ZX_ERR_ACCESS_DENIED);
    EXPECT_MAP_FAILS(zx_vmar_root_self(), 0, 0, weak, 0, PAGE, ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    close_handle(vmo);
}

TEST(vmar_map, a_plain_vmo_is_not_executable)
{
    zx_handle_t vmo = vmo_new(PAGE);

    EXPECT_MAP_FAILS(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, 0, vmo, 0, PAGE,
                     ZX_ERR_ACCESS_DENIED);
    close_handle(vmo);
}

TEST(vmar_map, options_that_are_no_options)
{
    static const zx_vm_option_t bad[] = {
        ZX_VM_PERM_WRITE,
        ZX_VM_PERM_EXECUTE,
        ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE,
        RW | ZX_VM_COMPACT,
        RW | ZX_VM_CAN_MAP_SPECIFIC,
        RW | ZX_VM_CAN_MAP_READ,
        RW | ZX_VM_CAN_MAP_WRITE,
        RW | ZX_VM_CAN_MAP_EXECUTE,
        RW | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_MAP_RANGE,
        RW | ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_MAP_RANGE,
        RW | 1u << 16,
        RW | 1u << 19,
        RW | 1u << 23,
        RW | 1u << ZX_VM_ALIGN_BASE,
        RW | 9u << ZX_VM_ALIGN_BASE,
        RW | 33u << ZX_VM_ALIGN_BASE,
        RW | 128u << ZX_VM_ALIGN_BASE,
    };
    zx_vaddr_t base;
    zx_handle_t plain = vmo_new(PAGE), vmo, vmar = vmar_new(CAN_MAP_RWX, REGION, &base);

    ASSERT_OK(zx_vmo_replace_as_executable(plain, ZX_HANDLE_INVALID, &vmo));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT_MAP_FAILS(vmar, bad[i], 0, vmo, 0, PAGE, ZX_ERR_INVALID_ARGS);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_map, offsets_and_lengths)
{
    zx_vaddr_t base;
    zx_handle_t vmo = vmo_new(4 * PAGE), vmar = vmar_new(CAN_MAP_RW, REGION, &base);
    zx_vm_option_t specific = RW | ZX_VM_SPECIFIC;
    zx_vm_option_t limit = RW | ZX_VM_OFFSET_IS_UPPER_LIMIT;

    EXPECT_MAP_FAILS(vmar, RW, 0, vmo, 0, 0, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, RW, 0, vmo, 1, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, RW, 0, vmo, PAGE / 2, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, RW, PAGE, vmo, 0, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, specific, 1, vmo, 0, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, specific, REGION, vmo, 0, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, specific, REGION - PAGE, vmo, 0, 2 * PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, specific, (size_t)-PAGE, vmo, 0, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, specific, (size_t)-PAGE, vmo, 0, 2 * PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, RW | ZX_VM_SPECIFIC_OVERWRITE, REGION, vmo, 0, PAGE,
                     ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, specific | ZX_VM_OFFSET_IS_UPPER_LIMIT, 4 * PAGE, vmo, 0, PAGE,
                     ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, limit | ZX_VM_SPECIFIC_OVERWRITE, 4 * PAGE, vmo, 0, PAGE,
                     ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, limit, PAGE, vmo, 0, 2 * PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, limit, 0, vmo, 0, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, limit, REGION + PAGE, vmo, 0, PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, limit, PAGE + 1, vmo, 0, PAGE, ZX_ERR_INVALID_ARGS);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_map, vmo_offset_and_length_must_not_wrap)
{
    zx_handle_t vmo = vmo_new(4 * PAGE);
    zx_vm_option_t options = RW | ZX_VM_ALLOW_FAULTS;

    EXPECT_MAP_FAILS(zx_vmar_root_self(), options, 0, vmo, (uint64_t)-PAGE, 2 * PAGE,
                     ZX_ERR_OUT_OF_RANGE);
    EXPECT_MAP_FAILS(zx_vmar_root_self(), options, 0, vmo, 2 * PAGE, (size_t)-PAGE,
                     ZX_ERR_OUT_OF_RANGE);
    close_handle(vmo);
}

TEST(vmar_map, with_allow_faults_the_size_may_change_and_end_early)
{
    zx_handle_t fixed = vmo_new(2 * PAGE), resizable = vmo_new_resizable(2 * PAGE);
    zx_handle_t root = zx_vmar_root_self();
    zx_vm_option_t faults = RW | ZX_VM_ALLOW_FAULTS;
    zx_vaddr_t addr;

    ASSERT_OK(zx_vmar_map(root, faults, 0, resizable, 0, 4 * PAGE, &addr));
    EXPECT(can_write(addr + PAGE));
    EXPECT(!can_read(addr + 2 * PAGE));
    ASSERT_OK(zx_vmo_set_size(resizable, 4 * PAGE));
    EXPECT(can_write(addr + 3 * PAGE));
    ASSERT_OK(zx_vmo_set_size(resizable, PAGE));
    EXPECT(can_write(addr));
    EXPECT(!can_read(addr + PAGE));
    unmap(addr, 4 * PAGE);
    ASSERT_OK(zx_vmar_map(root, faults, 0, fixed, PAGE, 2 * PAGE, &addr));
    EXPECT(can_write(addr));
    EXPECT(!can_read(addr + PAGE));
    unmap(addr, 2 * PAGE);
    close_handle(fixed);
    close_handle(resizable);
}

TEST(vmar_map, require_non_resizable)
{
    zx_handle_t fixed = vmo_new(PAGE), resizable = vmo_new_resizable(PAGE);
    zx_vm_option_t options = RW | ZX_VM_REQUIRE_NON_RESIZABLE;
    zx_vaddr_t addr;

    EXPECT_MAP_FAILS(zx_vmar_root_self(), options, 0, resizable, 0, PAGE, ZX_ERR_NOT_SUPPORTED);
    EXPECT_MAP_FAILS(zx_vmar_root_self(), options | ZX_VM_ALLOW_FAULTS, 0, resizable, 0, PAGE,
                     ZX_ERR_NOT_SUPPORTED);
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), options, 0, fixed, 0, PAGE, &addr));
    unmap(addr, PAGE);
    close_handle(fixed);
    close_handle(resizable);
}

TEST(vmar_map, an_occupied_place)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmo = vmo_new(8 * PAGE), vmar = vmar_new(CAN_MAP_RW, REGION, &base);
    zx_vm_option_t specific = RW | ZX_VM_SPECIFIC;

    map_at(vmar, RW, 8 * PAGE, vmo, 0, 4 * PAGE);
    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC, 20 * PAGE, 4 * PAGE, &child, &child_base));
    close_handle(child);
    EXPECT_MAP_FAILS(vmar, specific, 8 * PAGE, vmo, 0, 4 * PAGE, ZX_ERR_ALREADY_EXISTS);
    EXPECT_MAP_FAILS(vmar, specific, 7 * PAGE, vmo, 0, 2 * PAGE, ZX_ERR_ALREADY_EXISTS);
    EXPECT_MAP_FAILS(vmar, specific, 11 * PAGE, vmo, 0, PAGE, ZX_ERR_ALREADY_EXISTS);
    EXPECT_MAP_FAILS(vmar, specific, 23 * PAGE, vmo, 0, PAGE, ZX_ERR_ALREADY_EXISTS);
    map_at(vmar, RW, 12 * PAGE, vmo, 0, 8 * PAGE);
    map_at(vmar, RW, 7 * PAGE, vmo, 0, PAGE);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_map, no_room)
{
    zx_vaddr_t base, addr;
    zx_handle_t vmo = vmo_new(8 * PAGE), vmar = vmar_new(CAN_MAP_RW, 8 * PAGE, &base);

    map_at(vmar, RW, 3 * PAGE, vmo, 0, PAGE);
    EXPECT_MAP_FAILS(vmar, RW, 0, vmo, 0, 5 * PAGE, ZX_ERR_NO_RESOURCES);
    ASSERT_OK(zx_vmar_map(vmar, RW, 0, vmo, 0, 4 * PAGE, &addr));
    EXPECT_EQ(addr, base + 4 * PAGE);
    EXPECT_MAP_FAILS(vmar, RW, 0, vmo, 0, 4 * PAGE, ZX_ERR_NO_RESOURCES);
    ASSERT_OK(zx_vmar_map(vmar, RW, 0, vmo, 0, 3 * PAGE, &addr));
    EXPECT_EQ(addr, base);
    EXPECT_MAP_FAILS(vmar, RW, 0, vmo, 0, PAGE, ZX_ERR_NO_RESOURCES);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_map, specific_needs_the_regions_permission)
{
    zx_vaddr_t base;
    zx_handle_t vmo = vmo_new(PAGE), vmar;

    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), CAN_MAP_RW, 0, REGION, &vmar, &base));
    EXPECT_MAP_FAILS(vmar, RW | ZX_VM_SPECIFIC, PAGE, vmo, 0, PAGE, ZX_ERR_ACCESS_DENIED);
    EXPECT_MAP_FAILS(vmar, RW | ZX_VM_SPECIFIC_OVERWRITE, PAGE, vmo, 0, PAGE, ZX_ERR_ACCESS_DENIED);
    EXPECT_MAP_FAILS(vmar, RW | ZX_VM_OFFSET_IS_UPPER_LIMIT, 4 * PAGE, vmo, 0, PAGE,
                     ZX_ERR_ACCESS_DENIED);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_map, below_an_upper_limit)
{
    zx_vaddr_t base, addr;
    zx_handle_t vmo = vmo_new(4 * PAGE), vmar = vmar_new(CAN_MAP_RW, REGION, &base);

    vmo_store(vmo, PAGE, 9);
    for (int i = 0; i < 8; i++) {
        ASSERT_OK(zx_vmar_map(vmar, RW | ZX_VM_OFFSET_IS_UPPER_LIMIT, 24 * PAGE, vmo, PAGE,
                              2 * PAGE, &addr));
        EXPECT(addr >= base);
        EXPECT(addr + 2 * PAGE <= base + 24 * PAGE);
        EXPECT_EQ(load(addr), 9); /* the VMO's offset counts */
    }
    ASSERT_OK(zx_vmar_map(vmar, RW | ZX_VM_OFFSET_IS_UPPER_LIMIT, REGION, vmo, 0, PAGE, &addr));
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_map, every_alignment)
{
    zx_handle_t vmo = vmo_new(PAGE);

    for (uint32_t log2 = 10; log2 <= 32; log2++) {
        zx_vaddr_t addr = 0;
        ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), RW | log2 << ZX_VM_ALIGN_BASE, 0, vmo, 0, PAGE,
                              &addr));
        EXPECT_EQ(addr & (((zx_vaddr_t)1 << log2) - 1), 0);
        store(addr, log2);
        EXPECT_EQ(vmo_load(vmo, 0), log2);
        unmap(addr, PAGE);
    }
    close_handle(vmo);
}

TEST(vmar_map, alignment_of_a_specific_place)
{
    zx_vaddr_t base;
    zx_handle_t vmo = vmo_new(PAGE), vmar;

    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(),
                               CAN_MAP_RW | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_ALIGN_32KB, 0, REGION,
                               &vmar, &base));
    EXPECT_MAP_FAILS(vmar, RW | ZX_VM_SPECIFIC | ZX_VM_ALIGN_32KB, PAGE, vmo, 0, PAGE,
                     ZX_ERR_INVALID_ARGS);
    map_at(vmar, RW | ZX_VM_ALIGN_32KB, 8 * PAGE, vmo, 0, PAGE);
    map_at(vmar, RW | ZX_VM_ALIGN_4KB, 9 * PAGE, vmo, 0, PAGE);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_map, map_range_commits_nothing)
{
    zx_handle_t vmo = vmo_new(4 * PAGE);
    zx_info_vmo_t info;
    zx_vaddr_t addr;

    vmo_store(vmo, PAGE, 5);
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), RW | ZX_VM_MAP_RANGE, 0, vmo, 0, 4 * PAGE, &addr));
    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.committed_bytes, PAGE);
    EXPECT_EQ(load(addr + PAGE), 5);
    store(addr + PAGE, 6);
    store(addr, 4);
    EXPECT_EQ(vmo_load(vmo, 0), 4);
    EXPECT_EQ(vmo_load(vmo, PAGE), 6);
    unmap(addr, 4 * PAGE);
    close_handle(vmo);
}

TEST(vmar_map, execute_only_is_as_the_machine_allows)
{
    zx_handle_t plain = vmo_new(PAGE), vmo;
    uint32_t features = 0;
    zx_vaddr_t addr;

    ASSERT_OK(zx_vmo_replace_as_executable(plain, ZX_HANDLE_INVALID, &vmo));
    ASSERT_OK(zx_system_get_features(ZX_FEATURE_KIND_VM, &features));
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(),
                          ZX_VM_PERM_EXECUTE | ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED, 0, vmo, 0, PAGE,
                          &addr));
    EXPECT_EQ(can_read(addr), (features & ZX_VM_FEATURE_CAN_MAP_XOM) == 0);
    unmap(addr, PAGE);
    close_handle(vmo);
}

TEST(vmar_map, bad_handles)
{
    zx_handle_t event, vmo = vmo_new(PAGE);

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_MAP_FAILS(ZX_HANDLE_INVALID, RW, 0, vmo, 0, PAGE, ZX_ERR_BAD_HANDLE);
    EXPECT_MAP_FAILS(zx_vmar_root_self(), RW, 0, ZX_HANDLE_INVALID, 0, PAGE, ZX_ERR_BAD_HANDLE);
    EXPECT_MAP_FAILS(vmo, RW, 0, vmo, 0, PAGE, ZX_ERR_WRONG_TYPE);
    EXPECT_MAP_FAILS(zx_vmar_root_self(), RW, 0, event, 0, PAGE, ZX_ERR_WRONG_TYPE);
    EXPECT_MAP_FAILS(zx_vmar_root_self(), RW, 0, zx_vmar_root_self(), 0, PAGE, ZX_ERR_WRONG_TYPE);
    close_handle(event);
    close_handle(vmo);
}

TEST(vmar_map, bad_out_pointers_leave_nothing_mapped)
{
    zx_handle_t vmo = vmo_new(PAGE);

    EXPECT_NO_CHANGE(zx_vmar_map(zx_vmar_root_self(), RW, 0, vmo, 0, PAGE, NULL),
                     ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_NO_CHANGE(
            zx_vmar_map(zx_vmar_root_self(), RW, 0, vmo, 0, PAGE, (zx_vaddr_t *)bad_addresses[i]),
            ZX_ERR_INVALID_ARGS);
    close_handle(vmo);
}

TEST(vmar_map, places_vary)
{
    enum { COUNT = 16 };
    zx_handle_t vmo = vmo_new(PAGE);
    zx_vaddr_t addr[COUNT];
    int64_t last_step = 0;
    int changes = 0;

    for (int i = 0; i < COUNT; i++)
        addr[i] = map_anywhere(RW, vmo, PAGE);
    for (int i = 1; i < COUNT; i++) {
        int64_t step = (int64_t)(addr[i] - addr[i - 1]);
        changes += step != last_step ? 1 : 0;
        last_step = step;
    }
    EXPECT(changes > COUNT / 2);
    for (int i = 0; i < COUNT; i++)
        unmap(addr[i], PAGE);
    close_handle(vmo);
}

/* ---- ZX_VM_SPECIFIC_OVERWRITE ---- */

TEST(vmar_map, overwrite_replaces_and_splits)
{
    zx_vaddr_t base, addr;
    zx_handle_t old = vmo_new(8 * PAGE), new = vmo_new(8 * PAGE);
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, REGION, &base);

    for (uint64_t i = 0; i < 8; i++) {
        vmo_store(old, i * PAGE, 100 + i);
        vmo_store(new, i * PAGE, 200 + i);
    }
    map_at(vmar, RW, 0, old, 0, 8 * PAGE);
    for (size_t i = 0; i < 8; i++)
        EXPECT_EQ(load(base + i * PAGE), 100 + i);
    ASSERT_OK(zx_vmar_map(vmar, RW | ZX_VM_SPECIFIC_OVERWRITE, 2 * PAGE, new, 0, 3 * PAGE, &addr));
    EXPECT_EQ(addr, base + 2 * PAGE);
    for (size_t i = 0; i < 8; i++)
        EXPECT_EQ(load(base + i * PAGE), i >= 2 && i < 5 ? 198 + i : 100 + i);
    /* The rest is still writable and still the old VMO's. */
    store(base + 6 * PAGE, 1);
    EXPECT_EQ(vmo_load(old, 6 * PAGE), 1);
    store(base + 3 * PAGE, 2);
    EXPECT_EQ(vmo_load(new, PAGE), 2);
    EXPECT_EQ(vmo_load(old, 3 * PAGE), 103);
    vmar_drop(vmar);
    close_handle(old);
    close_handle(new);
}

TEST(vmar_map, overwrite_spans_mappings_and_holes)
{
    zx_vaddr_t base, addr;
    zx_handle_t old = vmo_new(4 * PAGE), new = vmo_new(16 * PAGE);
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, REGION, &base);

    map_at(vmar, RW, PAGE, old, 0, 2 * PAGE);
    map_at(vmar, RW, 6 * PAGE, old, 0, 2 * PAGE);
    map_at(vmar, RW, 10 * PAGE, old, 0, 4 * PAGE);
    ASSERT_OK(zx_vmar_map(vmar, RW | ZX_VM_SPECIFIC_OVERWRITE, 2 * PAGE, new, 0, 10 * PAGE, &addr));
    store(base + PAGE, 1);
    EXPECT_EQ(vmo_load(old, 0), 1);
    for (size_t i = 2; i < 12; i++) {
        store(base + i * PAGE, i);
        EXPECT_EQ(vmo_load(new, (i - 2) * PAGE), i);
    }
    store(base + 12 * PAGE, 3);
    EXPECT_EQ(vmo_load(old, 2 * PAGE), 3);
    vmar_drop(vmar);
    close_handle(old);
    close_handle(new);
}

TEST(vmar_map, overwrite_of_free_space_and_of_everything)
{
    zx_vaddr_t base, addr;
    zx_handle_t vmo = vmo_new(REGION), vmar = vmar_new(CAN_MAP_RW, REGION, &base);

    ASSERT_OK(zx_vmar_map(vmar, RW | ZX_VM_SPECIFIC_OVERWRITE, 4 * PAGE, vmo, 0, PAGE, &addr));
    EXPECT_EQ(addr, base + 4 * PAGE);
    ASSERT_OK(zx_vmar_map(vmar, RW | ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE, 0, vmo, 0, REGION,
                          &addr));
    EXPECT_EQ(addr, base);
    store(base + 4 * PAGE, 44);
    EXPECT_EQ(vmo_load(vmo, 4 * PAGE), 44);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_map, overwrite_refuses_sub_regions)
{
    zx_vaddr_t base, child_base;
    zx_handle_t child, vmo = vmo_new(16 * PAGE), vmar = vmar_new(CAN_MAP_RW, REGION, &base);
    zx_vm_option_t options = RW | ZX_VM_SPECIFIC_OVERWRITE;

    map_at(vmar, RW, 0, vmo, 0, 4 * PAGE);
    store(base, 1);
    ASSERT_OK(zx_vmar_allocate(vmar, ZX_VM_SPECIFIC, 4 * PAGE, 4 * PAGE, &child, &child_base));
    EXPECT_MAP_FAILS(vmar, options, 3 * PAGE, vmo, 0, 2 * PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, options, 4 * PAGE, vmo, 0, 4 * PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, options, 0, vmo, 0, 12 * PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_MAP_FAILS(vmar, options, 7 * PAGE, vmo, 0, 4 * PAGE, ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(load(base), 1);
    close_handle(child);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(vmar_map, a_hundred_mappings_side_by_side)
{
    enum { COUNT = 128 };
    zx_vaddr_t base;
    zx_handle_t vmo = vmo_new(COUNT * PAGE), vmar = vmar_new(CAN_MAP_RW, COUNT * PAGE, &base);

    /* In an order that is neither up nor down, VMO pages backwards so that nothing merges. */
    for (size_t i = 0; i < COUNT; i++) {
        size_t slot = i * 37 % COUNT;
        map_at(vmar, RW, slot * PAGE, vmo, (COUNT - 1 - slot) * PAGE, PAGE);
    }
    for (size_t i = 0; i < COUNT; i++)
        store(base + i * PAGE, i);
    for (size_t i = 0; i < COUNT; i++)
        EXPECT_EQ(vmo_load(vmo, (COUNT - 1 - i) * PAGE), i);
    vmar_drop(vmar);
    close_handle(vmo);
}
