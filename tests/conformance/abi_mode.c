/* Where the documents and the Zircon that ships differ (docs/differences.md): one test for each
 * predicate of kernel/syscall/abi.h. The suite runs under both behaviours, and each test checks the
 * one in force. */
#include "tests/conformance/iob_util.h"

#define REGION (64 * PAGE)
#define R      ZX_VM_PERM_READ

struct region {
    zx_handle_t vmar, vmo;
    zx_vaddr_t base;
};

/* Eight pages, mapped at the base. */
static struct region region_new(void)
{
    struct region r;

    r.vmar = vmar_new(CAN_MAP_RW, REGION, &r.base);
    r.vmo = vmo_new(8 * PAGE);
    map_at(r.vmar, RW, 0, r.vmo, 0, 8 * PAGE);
    return r;
}

static void region_drop(const struct region *r)
{
    vmar_drop(r->vmar);
    close_handle(r->vmo);
}

/* Maps from the VMO's start and takes the mapping away again: |pages| is what must have become of
 * |len|. */
static zx_status_t map_and_measure(zx_handle_t vmar, zx_handle_t vmo, size_t len, size_t pages)
{
    zx_info_maps_t found;
    zx_vaddr_t addr = SENTINEL_ADDRESS;
    zx_status_t status = zx_vmar_map(vmar, RW, 0, vmo, 0, len, &addr);

    if (status != ZX_OK) {
        EXPECT_EQ(addr, SENTINEL_ADDRESS);
        return status;
    }
    ASSERT(find_mapping(addr, &found));
    EXPECT_EQ(found.size, pages * PAGE);
    ASSERT_OK(zx_vmar_unmap(vmar, addr, pages * PAGE));
    return status;
}

TEST(abi_mode, length_of_map)
{
    zx_status_t want = by_abi(ZX_ERR_INVALID_ARGS, ZX_OK);
    struct region r = region_new();

    EXPECT_STATUS(map_and_measure(r.vmar, r.vmo, 1, 1), want);
    EXPECT_STATUS(map_and_measure(r.vmar, r.vmo, PAGE + 8, 2), want);
    EXPECT_STATUS(map_and_measure(r.vmar, r.vmo, 8 * PAGE - 1, 8), want);
    EXPECT_MAP_FAILS(r.vmar, RW, 0, r.vmo, 0, SIZE_MAX,
                     by_abi(ZX_ERR_INVALID_ARGS, ZX_ERR_OUT_OF_RANGE));
    region_drop(&r);
}

TEST(abi_mode, length_of_map_iob)
{
    struct iob iob = iob_new(IOB_BOTH_RW, 2 * PAGE);
    zx_vaddr_t base, addr = SENTINEL_ADDRESS;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, REGION, &base);

    EXPECT_STATUS(zx_vmar_map_iob(vmar, RW, 0, iob.ep[0], 0, 0, PAGE + 1, &addr),
                  by_abi(ZX_ERR_INVALID_ARGS, ZX_OK));
    if (abi_is_zircon())
        EXPECT(can_write(addr + PAGE));
    else
        EXPECT_EQ(addr, SENTINEL_ADDRESS);
    vmar_drop(vmar);
    iob_drop(&iob);
}

TEST(abi_mode, length_of_unmap)
{
    struct region r = region_new();

    EXPECT_STATUS(zx_vmar_unmap(r.vmar, r.base, 1), by_abi(ZX_ERR_INVALID_ARGS, ZX_OK));
    EXPECT_EQ(can_read(r.base), !abi_is_zircon());
    EXPECT(can_read(r.base + PAGE));
    EXPECT_STATUS(zx_vmar_unmap(r.vmar, r.base + PAGE, PAGE + 1),
                  by_abi(ZX_ERR_INVALID_ARGS, ZX_OK));
    EXPECT_EQ(can_read(r.base + PAGE), !abi_is_zircon());
    EXPECT_EQ(can_read(r.base + 2 * PAGE), !abi_is_zircon());
    EXPECT(can_read(r.base + 3 * PAGE));
    /* What would be rounded up to nothing is refused by both. */
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base + 3 * PAGE, SIZE_MAX), ZX_ERR_INVALID_ARGS);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base + 3 * PAGE, 0), ZX_ERR_INVALID_ARGS);
    region_drop(&r);
}

TEST(abi_mode, length_of_protect)
{
    struct region r = region_new();

    EXPECT_STATUS(zx_vmar_protect(r.vmar, R, r.base, PAGE + 1), by_abi(ZX_ERR_INVALID_ARGS, ZX_OK));
    EXPECT_EQ(can_write(r.base), !abi_is_zircon());
    EXPECT_EQ(can_write(r.base + PAGE), !abi_is_zircon());
    EXPECT(can_write(r.base + 2 * PAGE));
    EXPECT_NO_CHANGE(zx_vmar_protect(r.vmar, R, r.base + 2 * PAGE, SIZE_MAX), ZX_ERR_INVALID_ARGS);
    region_drop(&r);
}

TEST(abi_mode, size_of_decommit)
{
    struct region r = region_new();

    for (size_t i = 0; i < 4; i++)
        store(r.base + i * PAGE, i + 1);
    EXPECT_STATUS(zx_vmar_op_range(r.vmar, ZX_VMAR_OP_DECOMMIT, r.base, PAGE + 1, NULL, 0),
                  by_abi(ZX_ERR_INVALID_ARGS, ZX_OK));
    EXPECT_EQ(load(r.base), abi_is_zircon() ? 0 : 1);
    EXPECT_EQ(load(r.base + PAGE), abi_is_zircon() ? 0 : 2);
    EXPECT_EQ(load(r.base + 2 * PAGE), 3);
    /* Other operations round up under both. */
    EXPECT_OK(zx_vmar_op_range(r.vmar, ZX_VMAR_OP_ZERO, r.base + 3 * PAGE, 1, NULL, 0));
    EXPECT_EQ(load(r.base + 3 * PAGE), 0);
    EXPECT_OK(zx_vmar_op_range(r.vmar, ZX_VMAR_OP_COMMIT, r.base, PAGE + 1, NULL, 0));
    EXPECT_OK(zx_vmar_op_range(r.vmar, ZX_VMAR_OP_MAP_RANGE, r.base, 1, NULL, 0));
    region_drop(&r);
}

TEST(abi_mode, what_may_fault_without_allow_faults)
{
    zx_handle_t fixed = vmo_new(2 * PAGE), resizable = vmo_new_resizable(2 * PAGE);
    zx_status_t too_small = by_abi(ZX_ERR_BUFFER_TOO_SMALL, ZX_OK);
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, REGION, &base);

    EXPECT_STATUS(map_and_measure(vmar, resizable, 2 * PAGE, 2),
                  by_abi(ZX_ERR_NOT_SUPPORTED, ZX_OK));
    EXPECT_STATUS(map_and_measure(vmar, resizable, 3 * PAGE, 3),
                  by_abi(ZX_ERR_NOT_SUPPORTED, ZX_OK));
    EXPECT_STATUS(map_and_measure(vmar, fixed, 3 * PAGE, 3),
                  by_abi(ZX_ERR_BUFFER_TOO_SMALL, ZX_OK));
    for (uint64_t offset = PAGE; offset <= 8 * PAGE; offset *= 2) {
        zx_vaddr_t addr = 0;
        EXPECT_STATUS(zx_vmar_map(vmar, RW, 0, fixed, offset, 2 * PAGE, &addr), too_small);
        if (abi_is_zircon()) {
            EXPECT_EQ(can_write(addr), offset < 2 * PAGE);
            EXPECT(!can_read(addr + PAGE));
        }
    }
    vmar_drop(vmar);
    close_handle(fixed);
    close_handle(resizable);
}

/* A discardable VMO needs the option under both. */
TEST(abi_mode, a_discardable_vmo_needs_allow_faults)
{
    zx_vaddr_t addr;
    zx_handle_t vmo;

    ASSERT_OK(zx_vmo_create(PAGE, ZX_VMO_DISCARDABLE, &vmo));
    EXPECT_MAP_FAILS(zx_vmar_root_self(), RW, 0, vmo, 0, PAGE, ZX_ERR_NOT_SUPPORTED);
    ASSERT_OK(zx_vmar_map(zx_vmar_root_self(), RW | ZX_VM_ALLOW_FAULTS, 0, vmo, 0, PAGE, &addr));
    unmap(addr, PAGE);
    close_handle(vmo);
}

TEST(abi_mode, unmapping_nothing)
{
    zx_status_t want = by_abi(ZX_ERR_NOT_FOUND, ZX_OK);
    struct region r = region_new();
    zx_handle_t child;
    zx_vaddr_t base;

    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base + 8 * PAGE, 4 * PAGE), want);
    EXPECT_NO_CHANGE(zx_vmar_unmap(r.vmar, r.base + REGION - PAGE, PAGE), want);
    /* A sub-region is something, even an empty one. */
    ASSERT_OK(zx_vmar_allocate(r.vmar, ZX_VM_SPECIFIC, 10 * PAGE, PAGE, &child, &base));
    EXPECT_OK(zx_vmar_unmap(r.vmar, r.base + 8 * PAGE, 4 * PAGE));
    EXPECT_STATUS(zx_vmar_destroy(child), ZX_ERR_BAD_STATE);
    close_handle(child);
    region_drop(&r);
}

TEST(abi_mode, no_room_for_a_region)
{
    zx_vaddr_t base;
    zx_handle_t vmo = vmo_new(PAGE), vmar = vmar_new(CAN_MAP_RW, 2 * PAGE, &base);

    map_at(vmar, RW, 0, vmo, 0, PAGE);
    EXPECT_ALLOCATE_FAILS(vmar, 0, 0, 2 * PAGE, by_abi(ZX_ERR_NO_MEMORY, ZX_ERR_NO_RESOURCES));
    EXPECT_MAP_FAILS(vmar, RW | ZX_VM_ALLOW_FAULTS, 0, vmo, 0, 2 * PAGE, ZX_ERR_NO_RESOURCES);
    vmar_drop(vmar);
    close_handle(vmo);
}

TEST(abi_mode, commit_and_decommit_without_the_write_right)
{
    zx_status_t want = by_abi(ZX_ERR_ACCESS_DENIED, ZX_OK);
    struct region r = region_new();
    zx_handle_t weak = duplicate_without(r.vmar, ZX_RIGHT_WRITE);

    EXPECT_STATUS(zx_vmar_op_range(weak, ZX_VMAR_OP_COMMIT, r.base, PAGE, NULL, 0), want);
    EXPECT_STATUS(zx_vmar_op_range(weak, ZX_VMAR_OP_DECOMMIT, r.base, PAGE, NULL, 0), want);
    /* The documents ask the right for these two only. */
    EXPECT_OK(zx_vmar_op_range(weak, ZX_VMAR_OP_ZERO, r.base, PAGE, NULL, 0));
    EXPECT_OK(zx_vmar_op_range(weak, ZX_VMAR_OP_MAP_RANGE, r.base, PAGE, NULL, 0));
    close_handle(weak);
    region_drop(&r);
}

TEST(abi_mode, options_of_a_private_region)
{
    zx_iob_region_t region = iob_region(IOB_BOTH_RW, PAGE);
    zx_handle_t ep[2] = {SENTINEL_HANDLE, SENTINEL_HANDLE};
    zx_status_t want = by_abi(ZX_ERR_INVALID_ARGS, ZX_OK);

    region.private_region.options = ZX_VMO_RESIZABLE;
    EXPECT_STATUS(zx_iob_create(0, &region, 1, &ep[0], &ep[1]), want);
    if (abi_is_zircon()) {
        close_handle(ep[0]);
        close_handle(ep[1]);
    } else {
        EXPECT_EQ(ep[0], SENTINEL_HANDLE);
        EXPECT_EQ(ep[1], SENTINEL_HANDLE);
    }
    region.private_region.options = ZX_VMO_TRAP_DIRTY;
    EXPECT_STATUS(zx_iob_create(0, &region, 1, &ep[0], &ep[1]),
                  by_abi(ZX_ERR_INVALID_ARGS, ZX_ERR_NOT_SUPPORTED));
    region.private_region.options = 1u << 20; /* no option of zx_vmo_create either */
    EXPECT_STATUS(zx_iob_create(0, &region, 1, &ep[0], &ep[1]), ZX_ERR_INVALID_ARGS);
}

/* Only abi=zircon lets such a region be made. */
TEST(abi_mode, a_discardable_region_needs_allow_faults)
{
    zx_iob_region_t region = iob_region(IOB_BOTH_RW, PAGE);
    zx_vaddr_t base, addr = SENTINEL_ADDRESS;
    zx_handle_t ep[2], vmar;

    region.private_region.options = ZX_VMO_DISCARDABLE;
    if (!abi_is_zircon()) {
        EXPECT_STATUS(zx_iob_create(0, &region, 1, &ep[0], &ep[1]), ZX_ERR_INVALID_ARGS);
        return;
    }
    vmar = vmar_new(CAN_MAP_RW, REGION, &base);
    ASSERT_OK(zx_iob_create(0, &region, 1, &ep[0], &ep[1]));
    EXPECT_STATUS(zx_vmar_map_iob(vmar, RW, 0, ep[0], 0, 0, PAGE, &addr), ZX_ERR_NOT_SUPPORTED);
    EXPECT_EQ(addr, SENTINEL_ADDRESS);
    EXPECT_OK(zx_vmar_map_iob(vmar, RW | ZX_VM_ALLOW_FAULTS, 0, ep[0], 0, 0, PAGE, &addr));
    close_handle(ep[0]);
    close_handle(ep[1]);
    vmar_drop(vmar);
}

/* Under both the handle is gone afterwards. */
TEST(abi_mode, something_else_as_executable)
{
    zx_handle_t event, out = SENTINEL_HANDLE;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_vmo_replace_as_executable(event, ZX_HANDLE_INVALID, &out),
                  by_abi(ZX_ERR_WRONG_TYPE, ZX_ERR_BAD_HANDLE));
    EXPECT_EQ(out, SENTINEL_HANDLE);
    EXPECT_STATUS(zx_handle_check_valid(event), ZX_ERR_BAD_HANDLE);
}

TEST(abi_mode, process_memory_beyond_the_rights)
{
    zx_handle_t vmo = vmo_new(PAGE), weak = duplicate_without(vmo, ZX_RIGHT_WRITE);
    zx_vaddr_t addr = map_anywhere(R, weak, PAGE);
    uint64_t value = 7;
    size_t actual = 99;

    EXPECT_STATUS(zx_process_write_memory(zx_process_self(), addr, &value, 8, &actual),
                  by_abi(ZX_ERR_ACCESS_DENIED, ZX_OK));
    EXPECT_EQ(actual, abi_is_zircon() ? 8 : 99);
    EXPECT_EQ(load(addr), abi_is_zircon() ? 7 : 0);
    unmap(addr, PAGE);
    close_handle(weak);
    close_handle(vmo);
}

/* RISC-V's encodings of "li a0, n" and "ret". */
static void write_code(zx_vaddr_t addr, uint16_t n)
{
    volatile uint16_t *code = (volatile uint16_t *)addr;

    code[0] = (uint16_t)(0x4501 | n << 2);
    code[1] = 0x8082;
}

TEST(abi_mode, flushing_caches)
{
    static const uint32_t bad[] = {
        0,       ZX_CACHE_FLUSH_INVALIDATE,     ZX_CACHE_FLUSH_INSN | ZX_CACHE_FLUSH_INVALIDATE,
        1u << 3, ZX_CACHE_FLUSH_DATA | 1u << 4, UINT32_MAX};
    static const uint32_t insn[] = {ZX_CACHE_FLUSH_INSN, ZX_CACHE_FLUSH_INSN | ZX_CACHE_FLUSH_DATA,
                                    ZX_CACHE_FLUSH_INSN | ZX_CACHE_FLUSH_DATA |
                                        ZX_CACHE_FLUSH_INVALIDATE};
    zx_handle_t vmo = vmo_new(PAGE), executable;
    zx_vaddr_t addr;

    ASSERT_OK(zx_vmo_replace_as_executable(vmo, ZX_HANDLE_INVALID, &executable));
    addr = map_anywhere(RW | ZX_VM_PERM_EXECUTE, executable, PAGE);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT_STATUS(zx_cache_flush((void *)addr, PAGE, bad[i]), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_cache_flush((void *)addr, PAGE, ZX_CACHE_FLUSH_DATA));
    EXPECT_OK(zx_cache_flush((void *)addr, PAGE, ZX_CACHE_FLUSH_DATA | ZX_CACHE_FLUSH_INVALIDATE));
    for (size_t i = 0; i < sizeof(insn) / sizeof(insn[0]); i++) {
        write_code(addr, (uint16_t)(i + 1));
        EXPECT_STATUS(zx_cache_flush((void *)addr, 4, insn[i]),
                      by_abi(ZX_OK, ZX_ERR_NOT_SUPPORTED));
        if (!abi_is_zircon())
            EXPECT_EQ(((int (*)(void))addr)(), (int)i + 1);
    }
    unmap(addr, PAGE);
    close_handle(executable);
}
