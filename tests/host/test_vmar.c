/* VMARs: every error of allocate, map, unmap, protect, op_range and destroy, in order, and what the
 * successes leave behind. */
#include "tests/host/test_vm.h"

static struct vmar *arena; /* 64 pages, everything allowed */
static struct vmo *vmo;    /* 64 pages */

static int setup(void **state)
{
    if (vm_setup(state) != 0)
        return -1;
    arena = make_arena(64);
    vmo = make_vmo(64);
    return 0;
}

static int teardown(void **state)
{
    vmo_put(vmo);
    vmar_put(arena);
    return vm_teardown(state);
}

static vaddr_t at(uint64_t page)
{
    return arena->region.base + PAGES(page);
}

static struct vmar *make_dead(void)
{
    struct vmar *vmar = make_vmar(arena, 0, 0, PAGES(4));
    assert_int_equal(vmar_destroy(vmar), ZX_OK);
    return vmar;
}

/* ---- Allocate ---------------------------------------------------------------------------------
 */

static zx_status_t allocate(struct vmar *parent, uint32_t options, uint64_t offset, uint64_t size)
{
    struct vmar *child = (struct vmar *)16;
    zx_status_t status = vmar_allocate(parent, options, offset, size, &child);
    if (status == ZX_OK) {
        assert_int_equal(vmar_destroy(child), ZX_OK);
        vmar_put(child);
    } else {
        assert_ptr_equal(child, (struct vmar *)16);
    }
    return status;
}

static void test_allocate_errors(void **state)
{
    (void)state;
    const uint64_t size = PAGES(4);
    struct vmar *dead = make_dead(), *taken;
    struct vmar *poor = make_vmar(arena, ZX_VM_CAN_MAP_READ | ZX_VM_SPECIFIC, PAGES(32), PAGES(8));

    assert_int_equal(allocate(arena, ZX_VM_PERM_READ, 0, size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, ZX_VM_MAP_RANGE, 0, size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, ZX_VM_SPECIFIC_OVERWRITE, 0, size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, ZX_VM_ALLOW_FAULTS, 0, size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, 1u << 16, 0, size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, 9u << ZX_VM_ALIGN_BASE, 0, size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, 33u << ZX_VM_ALIGN_BASE, 0, size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(dead, 0, 0, size + 1), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(dead, 0, 0, 0), ZX_ERR_BAD_STATE);
    assert_int_equal(allocate(poor, ZX_VM_CAN_MAP_WRITE, 0, 0), ZX_ERR_INVALID_ARGS);
    assert_int_equal(
        allocate(poor, ZX_VM_CAN_MAP_WRITE | ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT, 0, size),
        ZX_ERR_ACCESS_DENIED);
    assert_int_equal(allocate(poor, ZX_VM_CAN_MAP_EXECUTE, 0, size), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(allocate(poor, ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT, 0, size),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(poor, 0, PAGES(1), size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(poor, ZX_VM_SPECIFIC, 1, size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(poor, ZX_VM_SPECIFIC, 0, size), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(allocate(poor, ZX_VM_OFFSET_IS_UPPER_LIMIT, PAGES(99), size),
                     ZX_ERR_ACCESS_DENIED);
    assert_int_equal(allocate(poor, ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ, 0, size), ZX_OK);

    assert_int_equal(allocate(arena, 0, 0, PAGES(65)), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, 0, 0, UINT64_MAX & ~PAGE_MASK), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, ZX_VM_SPECIFIC, PAGES(64), size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, ZX_VM_SPECIFIC, PAGES(61), size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, ZX_VM_SPECIFIC, PAGES(60), size), ZX_OK);
    assert_int_equal(allocate(arena, ZX_VM_OFFSET_IS_UPPER_LIMIT, PAGES(65), size),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, ZX_VM_OFFSET_IS_UPPER_LIMIT, PAGES(3), size),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, ZX_VM_OFFSET_IS_UPPER_LIMIT, 0, size), ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, ZX_VM_OFFSET_IS_UPPER_LIMIT, PAGES(64), size), ZX_OK);
    assert_int_equal(allocate(arena, ZX_VM_SPECIFIC | ZX_VM_ALIGN_8KB, PAGES(1), size),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(allocate(arena, ZX_VM_SPECIFIC | ZX_VM_ALIGN_8KB, PAGES(2), size), ZX_OK);
    assert_int_equal(allocate(arena, ZX_VM_SPECIFIC, PAGES(29), size), ZX_ERR_ALREADY_EXISTS);
    assert_int_equal(allocate(arena, ZX_VM_SPECIFIC, PAGES(39), size), ZX_ERR_ALREADY_EXISTS);
    assert_int_equal(allocate(arena, 0, 0, PAGES(33)), ZX_ERR_NO_RESOURCES);

    taken = make_vmar(arena, ZX_VM_OFFSET_IS_UPPER_LIMIT, PAGES(32), PAGES(32));
    assert_int_equal(taken->region.base, arena->region.base);
    assert_int_equal(allocate(arena, ZX_VM_OFFSET_IS_UPPER_LIMIT, PAGES(40), PAGES(1)),
                     ZX_ERR_NO_RESOURCES);
    vmar_put(taken);
    vmar_put(poor);
    vmar_put(dead);
}

static void test_allocate_rights(void **state)
{
    (void)state;
    struct vmar *child = make_vmar(arena, ZX_VM_CAN_MAP_READ | ZX_VM_COMPACT, 0, PAGES(64));
    vaddr_t base, addr;
    uint64_t len;
    vmar_get_range(child, &base, &len);
    assert_int_equal(base, arena->region.base); /* the one place of its size */
    assert_int_equal(len, PAGES(64));
    assert_int_equal(try_map(child, RW, 0, vmo, 0, PAGES(1), &addr), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(try_map(child, X, 0, vmo, 0, PAGES(1), &addr), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(try_map(child, R, 0, vmo, 0, PAGES(1), &addr), ZX_OK);
    assert_int_equal(vmar_protect(child, RW, addr, PAGES(1), true), ZX_ERR_ACCESS_DENIED);
    vmar_put(child);
}

/* ---- Placement --------------------------------------------------------------------------------
 */

static void test_place_alignment(void **state)
{
    (void)state;
    for (uint32_t log2 = 10; log2 <= 32; log2++) {
        vaddr_t addr;
        assert_int_equal(
            try_map(space->root, R | log2 << ZX_VM_ALIGN_BASE, 0, vmo, 0, PAGES(1), &addr), ZX_OK);
        assert_true(is_aligned(addr, 1ul << log2));
        assert_true(is_aligned(addr, PAGE_SIZE_BYTES));
    }
    /* One aligned place left: found however the others are taken. */
    for (uint64_t page = 0; page < 64; page += 16)
        map_pages(arena, R, page + (page == 32 ? 4 : 0), vmo, 0, 1);
    vaddr_t addr;
    assert_int_equal(try_map(arena, R | ZX_VM_ALIGN_64KB, 0, vmo, 0, PAGES(4), &addr), ZX_OK);
    assert_int_equal(addr, at(32));
    assert_int_equal(try_map(arena, R | ZX_VM_ALIGN_64KB, 0, vmo, 0, PAGES(4), &addr),
                     ZX_ERR_NO_RESOURCES);
}

/* Each of the free places comes up about equally often, whatever is beside it. */
static void test_place_uniform(void **state)
{
    (void)state;
    enum { ROUNDS = 6400 };
    unsigned hits[64] = {0};
    for (uint64_t page = 0; page < 32; page += 2)
        map_pages(arena, R, page, vmo, 0, 1);
    map_pages(arena, R, 40, vmo, 0, 20);
    struct snapshot before = take_snapshot();
    for (unsigned i = 0; i < ROUNDS; i++) {
        vaddr_t addr;
        assert_int_equal(try_map(arena, R, 0, vmo, 0, PAGES(1), &addr), ZX_OK);
        hits[(addr - at(0)) / PAGE_SIZE_BYTES]++;
        assert_int_equal(vmar_unmap(arena, addr, PAGES(1), false, NULL), ZX_OK);
    }
    struct snapshot after = take_snapshot();
    assert_same_snapshot(&before, &after);
    unsigned places = 0;
    for (unsigned page = 0; page < 64; page++)
        places += hits[page] != 0;
    assert_int_equal(places, 16 + 8 + 4);
    for (unsigned page = 0; page < 64; page++) {
        if (hits[page] != 0)
            assert_in_range(hits[page], ROUNDS / places / 2, ROUNDS / places * 2);
    }
}

/* Over the root: the top bits differ between address spaces and between calls. */
static void test_place_entropy(void **state)
{
    (void)state;
    enum { COUNT = 512 };
    unsigned ones[38] = {0};
    for (unsigned i = 0; i < COUNT; i++) {
        vaddr_t addr;
        assert_int_equal(try_map(space->root, R, 0, vmo, 0, PAGES(1), &addr), ZX_OK);
        for (unsigned bit = 12; bit < 38; bit++)
            ones[bit] += (addr >> bit) & 1;
    }
    for (unsigned bit = 12; bit < 38; bit++)
        assert_in_range(ones[bit], COUNT * 3 / 8, COUNT * 5 / 8);
}

/* More children than are counted one by one, and hardly any room. */
static void test_place_in_full_region(void **state)
{
    (void)state;
    struct vmar *full = make_vmar(space->root, CAN_RWX | ZX_VM_CAN_MAP_SPECIFIC, 0, PAGES(1024));
    vaddr_t addr, first = 0;
    bool varies = false;
    for (uint64_t page = 0; page < 1024; page++) {
        if (page % 100 != 37)
            map_pages(full, R, page, vmo, 0, 1);
    }
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(try_map(full, R, 0, vmo, 0, PAGES(1), &addr), ZX_OK);
        assert_int_equal((addr - full->region.base) / PAGE_SIZE_BYTES % 100, 37);
        first = i == 0 ? addr : first;
        varies = varies || addr != first;
    }
    assert_true(varies);
    assert_int_equal(try_map(full, R, 0, vmo, 0, PAGES(1), &addr), ZX_OK);
    assert_int_equal(try_map(full, R, 0, vmo, 0, PAGES(1), &addr), ZX_ERR_NO_RESOURCES);
    vmar_put(full);
}

static void test_place_compact(void **state)
{
    (void)state;
    struct vmar *compact =
        make_vmar(arena, CAN_RWX | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_COMPACT, 0, PAGES(64));
    vaddr_t low = UINT64_MAX, high = 0, addr;
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(try_map(compact, R, 0, vmo, 0, PAGES(2), &addr), ZX_OK);
        low = MIN(low, addr);
        high = MAX(high, addr + PAGES(2));
    }
    assert_int_equal(high - low, PAGES(32)); /* nothing between them */
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(try_map(compact, R, 0, vmo, 0, PAGES(2), &addr), ZX_OK);
    assert_int_equal(try_map(compact, R, 0, vmo, 0, PAGES(1), &addr), ZX_ERR_NO_RESOURCES);
    vmar_put(compact);
}

/* ---- Map --------------------------------------------------------------------------------------
 */

static zx_status_t map(struct vmar *vmar, uint32_t options, uint64_t offset, uint64_t vmo_offset,
                       uint64_t len)
{
    vaddr_t addr = 77;
    zx_status_t status = try_map(vmar, options, offset, vmo, vmo_offset, len, &addr);
    if (status == ZX_OK)
        assert_int_equal(vmar_unmap(vmar, addr, len, false, NULL), ZX_OK);
    else
        assert_int_equal(addr, 77);
    return status;
}

static void test_map_errors(void **state)
{
    (void)state;
    const uint64_t len = PAGES(4);
    struct vmo *resizable = NULL;
    struct vmar *dead = make_dead(), *sub;
    struct vmar *poor = make_vmar(arena, ZX_VM_CAN_MAP_READ | ZX_VM_SPECIFIC, PAGES(32), PAGES(8));
    vaddr_t addr;
    assert_int_equal(vmo_create(PAGES(1), ZX_VMO_RESIZABLE, &resizable), ZX_OK);

    assert_int_equal(
        try_map(dead, R | ZX_VM_REQUIRE_NON_RESIZABLE, 0, resizable, 1, PAGES(1), &addr),
        ZX_ERR_NOT_SUPPORTED);
    assert_int_equal(map(dead, R | ZX_VM_COMPACT, 0, 0, len), ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(dead, R | ZX_VM_CAN_MAP_SPECIFIC, 0, 0, len), ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(dead, R | 8u << ZX_VM_ALIGN_BASE, 0, 0, len), ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(dead, W, 0, 0, len), ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(dead, R | ZX_VM_MAP_RANGE | ZX_VM_SPECIFIC_OVERWRITE, 0, 0, len),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(dead, R, 0, 1, len), ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(dead, R, 0, 0, len + 1), ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(dead, R, 0, UINT64_MAX & ~PAGE_MASK, len), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(map(dead, R, 0, 0, 0), ZX_ERR_BAD_STATE);
    assert_int_equal(map(poor, RW, 0, 0, 0), ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(poor, RW | ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT, 0, 0, len),
                     ZX_ERR_ACCESS_DENIED);
    assert_int_equal(
        map(poor, R | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_OFFSET_IS_UPPER_LIMIT, 0, 0, len),
        ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(poor, R, PAGES(1), 0, len), ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(poor, R | ZX_VM_SPECIFIC, 4, 0, len), ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(poor, R | ZX_VM_SPECIFIC_OVERWRITE, PAGES(99), 0, len),
                     ZX_ERR_ACCESS_DENIED);
    assert_int_equal(map(arena, R | ZX_VM_SPECIFIC, PAGES(62), 0, len), ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(arena, R | ZX_VM_SPECIFIC_OVERWRITE, PAGES(64), 0, len),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(arena, R | ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_ALIGN_2MB, PAGES(4), 0, len),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(arena, R | ZX_VM_SPECIFIC, PAGES(30), 0, len), ZX_ERR_ALREADY_EXISTS);
    assert_int_equal(map(arena, R, 0, 0, PAGES(40)), ZX_ERR_NO_RESOURCES);

    /* What is allowed: no permissions at all, an offset beyond the VMO, execute-only. */
    assert_int_equal(map(arena, 0, 0, 0, len), ZX_OK);
    assert_int_equal(map(arena, R, 0, PAGES(1000), len), ZX_OK);
    assert_int_equal(map(arena, X, 0, 0, len), ZX_OK);

    /* Overwriting never reaches a sub-region, covered or not. */
    sub = make_vmar(arena, ZX_VM_SPECIFIC, PAGES(10), PAGES(2));
    assert_int_equal(map(arena, R | ZX_VM_SPECIFIC_OVERWRITE, PAGES(8), 0, PAGES(6)),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(map(arena, R | ZX_VM_SPECIFIC_OVERWRITE, PAGES(11), 0, PAGES(6)),
                     ZX_ERR_INVALID_ARGS);
    vmar_put(sub);
    vmar_put(poor);
    vmar_put(dead);
    vmo_put(resizable);
}

static void test_map_max_perms(void **state)
{
    (void)state;
    vaddr_t addr;
    struct vmar_map_args args = {.options = R, .vmo = vmo, .len_bytes = PAGES(1), .max_perms = RX};
    assert_int_equal(vmar_map(arena, &args, &addr), ZX_OK);
    assert_int_equal(vmar_protect(arena, RW, addr, PAGES(1), false), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(vmar_protect(arena, RX, addr, PAGES(1), false), ZX_OK);
    args.options = RW;
    assert_int_equal(vmar_map(arena, &args, &addr), ZX_ERR_ACCESS_DENIED);
}

static void test_map_range(void **state)
{
    (void)state;
    uint64_t faults;
    assert_int_equal(vmo_commit(vmo, PAGES(3), PAGES(2)), ZX_OK);
    assert_int_equal(vmo_commit(vmo, PAGES(60), PAGES(4)), ZX_OK);
    vaddr_t addr = map_pages(arena, RW | ZX_VM_MAP_RANGE, 0, vmo, 0, 64);
    for (uint64_t page = 0; page < 64; page++) {
        bool present = page == 3 || page == 4 || page >= 60;
        assert_int_equal(mmu_query(&space->arch, addr + PAGES(page), NULL, NULL), present);
    }
    faults = space->count_faults;
    assert_int_equal(user_write(addr + PAGES(61), 1), ZX_OK);
    assert_int_equal(space->count_faults, faults);
    /* Wholly past the end: nothing to populate. */
    assert_int_equal(vmar_unmap(arena, addr, PAGES(64), false, NULL), ZX_OK);
    map_pages(arena, R | ZX_VM_MAP_RANGE, 0, vmo, 62, 8);
    assert_true(mmu_query(&space->arch, at(1), NULL, NULL));
    assert_false(mmu_query(&space->arch, at(2), NULL, NULL));
    assert_int_equal(user_touch(at(2)), ZX_ERR_OUT_OF_RANGE);
}

static void test_overwrite(void **state)
{
    (void)state;
    struct vmo *other = make_vmo(8);
    vaddr_t addr;
    bool found = true;
    map_pages(arena, RW, 0, vmo, 0, 10);
    map_pages(arena, R, 12, vmo, 12, 10);
    for (uint64_t page = 0; page < 10; page++)
        assert_int_equal(user_write(at(page), (uint8_t)(page + 1)), ZX_OK);
    assert_int_equal(
        try_map(arena, RW | ZX_VM_SPECIFIC_OVERWRITE, PAGES(6), other, 0, PAGES(8), &addr), ZX_OK);
    struct snapshot s = take_snapshot();
    assert_int_equal(s.count, 5);
    assert_mapping(&s, 2, at(0), 6, RW, 0);
    assert_mapping(&s, 3, at(6), 8, RW, 0);
    assert_mapping(&s, 4, at(14), 8, R, 14);
    assert_byte(at(5), 6);
    assert_byte(at(6), 0);
    /* In the middle of one mapping. */
    assert_int_equal(
        try_map(arena, R | ZX_VM_SPECIFIC_OVERWRITE, PAGES(2), other, 0, PAGES(2), &addr), ZX_OK);
    s = take_snapshot();
    assert_int_equal(s.count, 7);
    assert_mapping(&s, 2, at(0), 2, RW, 0);
    assert_mapping(&s, 3, at(2), 2, R, 0);
    assert_mapping(&s, 4, at(4), 2, RW, 4);
    assert_byte(at(4), 5);
    /* Over nothing it is like SPECIFIC; over exactly itself it replaces. */
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            try_map(arena, RW | ZX_VM_SPECIFIC_OVERWRITE, PAGES(40), other, 0, PAGES(3), &addr),
            ZX_OK);
    assert_int_equal(vmar_unmap(arena, at(0), PAGES(64), false, &found), ZX_OK);
    assert_true(found);
    assert_int_equal(vmo->count_mappings, 0);
    assert_int_equal(other->count_mappings, 0);
    vmo_put(other);
}

/* ---- Unmap ------------------------------------------------------------------------------------
 */

static void test_unmap_errors(void **state)
{
    (void)state;
    struct vmar *dead = make_dead();
    struct vmar *sub = make_vmar(arena, ZX_VM_SPECIFIC, PAGES(10), PAGES(4));
    bool found = true;
    assert_int_equal(vmar_unmap(dead, at(0) + 1, PAGES(1), true, &found), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_unmap(dead, at(0), 0, true, &found), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_unmap(dead, at(0), UINT64_MAX, true, &found), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_unmap(dead, 0, PAGES(1), true, &found), ZX_ERR_BAD_STATE);
    assert_int_equal(vmar_unmap(arena, 0, PAGES(1), true, &found), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_unmap(arena, at(64), PAGES(1), true, &found), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_unmap(arena, at(63), PAGES(2), true, &found), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_unmap(arena, at(0) - PAGES(1), PAGES(2), true, &found),
                     ZX_ERR_INVALID_ARGS);
    map_pages(arena, RW, 8, vmo, 0, 2);
    struct snapshot before = take_snapshot();
    assert_int_equal(vmar_unmap(arena, at(8), PAGES(5), true, &found), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_unmap(arena, at(11), PAGES(20), true, &found), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_unmap(arena, at(11), PAGES(1), true, &found), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_unmap(arena, at(8), PAGES(8), false, &found), ZX_ERR_INVALID_ARGS);
    struct snapshot after = take_snapshot();
    assert_same_snapshot(&before, &after);
    assert_true(found);
    assert_int_equal(vmar_unmap(arena, at(20), PAGES(1), false, &found), ZX_OK);
    assert_false(found);
    assert_int_equal(vmar_unmap(arena, at(8), PAGES(8), true, &found), ZX_OK);
    assert_true(found);
    assert_int_equal(vmar_unmap(sub, at(10), PAGES(1), true, &found), ZX_ERR_BAD_STATE);
    vmar_put(sub);
    vmar_put(dead);
}

static void test_unmap_splits(void **state)
{
    (void)state;
    map_pages(arena, RW, 0, vmo, 10, 12);
    map_pages(arena, R, 14, vmo, 30, 6);
    for (uint64_t page = 0; page < 12; page++)
        assert_int_equal(user_write(at(page), (uint8_t)(page + 1)), ZX_OK);
    assert_int_equal(vmar_unmap(arena, at(4), 2 * PAGE_SIZE_BYTES - 5, false, NULL), ZX_OK);
    assert_int_equal(vmar_unmap(arena, at(10), PAGES(6), false, NULL), ZX_OK);
    assert_int_equal(vmar_unmap(arena, at(0), PAGES(1), false, NULL), ZX_OK);
    struct snapshot s = take_snapshot();
    assert_int_equal(s.count, 5);
    assert_mapping(&s, 2, at(1), 3, RW, 11);
    assert_mapping(&s, 3, at(6), 4, RW, 16);
    assert_mapping(&s, 4, at(16), 4, R, 32);
    for (uint64_t page = 0; page < 12; page++) {
        if ((page >= 1 && page < 4) || (page >= 6 && page < 10))
            assert_byte(at(page), (uint8_t)(page + 1));
        else
            assert_int_equal(user_touch(at(page)), ZX_ERR_NOT_FOUND);
    }
    assert_int_equal(vmo->count_mappings, 3);
}

/* ---- Destroy ----------------------------------------------------------------------------------
 */

static void test_destroy(void **state)
{
    (void)state;
    struct vmar *sub = make_vmar(arena, CAN_RWX | ZX_VM_SPECIFIC, PAGES(4), PAGES(20));
    struct vmar *inner = make_vmar(sub, CAN_RWX, 0, PAGES(10));
    vaddr_t addr;
    assert_int_equal(try_map(inner, RW, 0, vmo, 0, PAGES(2), &addr), ZX_OK);
    assert_int_equal(user_write(addr, 5), ZX_OK);
    assert_int_equal(vmar_destroy(space->root), ZX_ERR_NOT_SUPPORTED);
    assert_int_equal(vmar_destroy(sub), ZX_OK);
    assert_int_equal(user_touch(addr), ZX_ERR_NOT_FOUND);
    assert_int_equal(vmo->count_mappings, 0);
    struct vmar *dead[] = {sub, inner};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(vmar_destroy(dead[i]), ZX_ERR_BAD_STATE);
        assert_int_equal(allocate(dead[i], 0, 0, PAGES(1)), ZX_ERR_BAD_STATE);
        assert_int_equal(map(dead[i], R, 0, 0, PAGES(1)), ZX_ERR_BAD_STATE);
        assert_int_equal(vmar_unmap(dead[i], addr, PAGES(1), true, NULL), ZX_ERR_BAD_STATE);
        assert_int_equal(vmar_protect(dead[i], R, addr, PAGES(1), true), ZX_ERR_BAD_STATE);
        assert_int_equal(vmar_op_range(dead[i], ZX_VMAR_OP_COMMIT, addr, PAGES(1), true),
                         ZX_ERR_BAD_STATE);
        vmar_put(dead[i]);
    }
    sub = make_vmar(arena, ZX_VM_SPECIFIC, PAGES(4), PAGES(20)); /* the range is free again */
    vmar_put(sub);
}

static void test_destroy_deep(void **state)
{
    (void)state;
    enum { DEPTH = 4000 };
    struct vmar *top =
        make_vmar(space->root, CAN_RWX | ZX_VM_CAN_MAP_SPECIFIC, 0, PAGES(2 * DEPTH + 8));
    struct vmar *deep = top;
    vaddr_t addr;
    vmar_get(top);
    for (uint64_t i = 0; i < DEPTH; i++) {
        uint64_t size = PAGES(2 * (DEPTH - i));
        struct vmar *next =
            make_vmar(deep, CAN_RWX | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC, PAGES(1), size);
        if (i % 100 == 0)
            map_pages(deep, RW, 0, vmo, 0, 1);
        vmar_put(deep);
        deep = next;
    }
    assert_int_equal(try_map(deep, RW, 0, vmo, 0, PAGES(1), &addr), ZX_OK);
    assert_int_equal(user_write(addr, 9), ZX_OK);
    assert_int_equal(vmar_destroy(top), ZX_OK);
    assert_int_equal(vmar_destroy(deep), ZX_ERR_BAD_STATE);
    assert_int_equal(user_touch(addr), ZX_ERR_NOT_FOUND);
    assert_int_equal(vmo->count_mappings, 0);
    vmar_put(deep);
    vmar_put(top);
}

/* ---- Protect ----------------------------------------------------------------------------------
 */

static void test_protect_errors(void **state)
{
    (void)state;
    struct vmar *dead = make_dead();
    struct vmar *sub =
        make_vmar(arena, CAN_RWX | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_SPECIFIC, PAGES(10), PAGES(4));
    assert_int_equal(vmar_protect(dead, W, at(0), PAGES(1), true), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_protect(dead, R | ZX_VM_ALIGN_4KB, at(0), PAGES(1), true),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_protect(dead, R | ZX_VM_SPECIFIC, at(0), PAGES(1), true),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_protect(dead, R, at(0) + 8, PAGES(1), true), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_protect(dead, R, at(0), 0, true), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_protect(dead, R, 0, PAGES(1), true), ZX_ERR_BAD_STATE);
    assert_int_equal(vmar_protect(arena, R, at(64), PAGES(1), true), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_protect(arena, R, at(63), PAGES(2), true), ZX_ERR_INVALID_ARGS);

    struct vmar_map_args args = {.options = R | ZX_VM_SPECIFIC,
                                 .vmar_offset = PAGES(4),
                                 .vmo = vmo,
                                 .len_bytes = PAGES(4),
                                 .max_perms = R};
    vaddr_t addr;
    assert_int_equal(vmar_map(arena, &args, &addr), ZX_OK);
    map_pages(arena, R, 0, vmo, 0, 4);
    map_pages(arena, R, 8, vmo, 0, 1);
    struct snapshot before = take_snapshot();
    /* The leftmost problem is the one reported, and nothing happens. */
    assert_int_equal(vmar_protect(arena, RW, at(2), PAGES(12), true), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(vmar_protect(arena, R, at(2), PAGES(12), true), ZX_ERR_NOT_FOUND);
    assert_int_equal(vmar_protect(arena, 0, at(8), PAGES(2), true), ZX_ERR_NOT_FOUND);
    assert_int_equal(vmar_protect(arena, R, at(10), PAGES(4), true), ZX_ERR_NOT_FOUND);
    assert_int_equal(vmar_protect(arena, R, at(10), PAGES(4), false), ZX_ERR_NOT_FOUND);
    struct snapshot after = take_snapshot();
    assert_same_snapshot(&before, &after);

    map_pages(sub, R, 0, vmo, 0, 4);
    map_pages(arena, R, 9, vmo, 0, 1);
    before = take_snapshot();
    assert_int_equal(vmar_protect(arena, R, at(8), PAGES(3), false), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_protect(arena, RW, at(8), PAGES(3), false), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_protect(arena, RW, at(8), PAGES(3), true), ZX_ERR_ACCESS_DENIED);
    after = take_snapshot();
    assert_same_snapshot(&before, &after);
    assert_int_equal(vmar_protect(sub, RW, at(10), PAGES(4), false), ZX_OK);
    assert_int_equal(vmar_protect(arena, 0, at(8), PAGES(4), true), ZX_OK);
    struct snapshot s = take_snapshot();
    assert_int_equal(s.count, 9);
    assert_mapping(&s, 4, at(8), 1, 0, 0);
    assert_mapping(&s, 5, at(9), 1, 0, 0);
    assert_mapping(&s, 7, at(10), 2, 0, 0);
    assert_mapping(&s, 8, at(12), 2, RW, 2);
    vmar_put(sub);
    vmar_put(dead);
}

static void test_protect_splits(void **state)
{
    (void)state;
    map_pages(arena, RW, 0, vmo, 0, 10);
    map_pages(arena, RWX, 10, vmo, 10, 10);
    for (uint64_t page = 0; page < 20; page++)
        assert_int_equal(user_write(at(page), (uint8_t)(page + 1)), ZX_OK);
    assert_int_equal(vmar_protect(arena, R, at(8), PAGES(4), false), ZX_OK);
    struct snapshot s = take_snapshot();
    assert_int_equal(s.count, 6);
    assert_mapping(&s, 2, at(0), 8, RW, 0);
    assert_mapping(&s, 3, at(8), 2, R, 8);
    assert_mapping(&s, 4, at(10), 2, R, 10);
    assert_mapping(&s, 5, at(12), 8, RWX, 12);
    for (uint64_t page = 0; page < 20; page++) {
        bool narrow = page >= 8 && page < 12;
        assert_int_equal(user_write(at(page), (uint8_t)(page + 1)),
                         narrow ? ZX_ERR_ACCESS_DENIED : ZX_OK);
        assert_byte(at(page), (uint8_t)(page + 1));
    }
    /* In the middle of one: three pieces; and back again. */
    assert_int_equal(vmar_protect(arena, 0, at(2), PAGES(3), false), ZX_OK);
    assert_int_equal(user_touch(at(3)), ZX_ERR_ACCESS_DENIED);
    assert_byte(at(5), 6);
    assert_int_equal(vmar_protect(arena, RW, at(0), PAGES(20), false), ZX_OK);
    for (uint64_t page = 0; page < 20; page++)
        assert_int_equal(user_write(at(page), (uint8_t)page), ZX_OK);
    /* Setting what is there already splits nothing. */
    s = take_snapshot();
    assert_int_equal(vmar_protect(arena, RW, at(1), PAGES(1), false), ZX_OK);
    struct snapshot after = take_snapshot();
    assert_same_snapshot(&s, &after);
}

/* ---- Range operations -------------------------------------------------------------------------
 */

static void test_op_range_errors(void **state)
{
    (void)state;
    static const uint32_t through[] = {ZX_VMAR_OP_MAP_RANGE, ZX_VMAR_OP_DONT_NEED,
                                       ZX_VMAR_OP_ALWAYS_NEED};
    static const uint32_t not_through[] = {ZX_VMAR_OP_COMMIT, ZX_VMAR_OP_DECOMMIT, ZX_VMAR_OP_ZERO,
                                           ZX_VMAR_OP_PREFETCH};
    struct vmar *sub =
        make_vmar(arena, CAN_RWX | ZX_VM_SPECIFIC | ZX_VM_CAN_MAP_SPECIFIC, PAGES(4), PAGES(4));
    struct vmar_map_args read_only = {.options = R | ZX_VM_SPECIFIC,
                                      .vmar_offset = PAGES(20),
                                      .vmo = vmo,
                                      .len_bytes = PAGES(1),
                                      .max_perms = RX};
    vaddr_t addr;
    assert_int_equal(vmar_map(arena, &read_only, &addr), ZX_OK);
    map_pages(arena, R, 0, vmo, 0, 4);
    map_pages(sub, RW, 0, vmo, 0, 4);
    assert_int_equal(vmar_op_range(arena, 99, at(0), PAGES(1), true), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_op_range(arena, 6, at(0), PAGES(1), true), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_op_range(arena, ZX_VMAR_OP_COMMIT, at(0), 0, true), ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_op_range(arena, ZX_VMAR_OP_COMMIT, at(0) + 1, PAGES(1), true),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(vmar_op_range(arena, ZX_VMAR_OP_COMMIT, at(64), PAGES(1), true),
                     ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(vmar_op_range(arena, ZX_VMAR_OP_COMMIT, at(60), PAGES(9), true),
                     ZX_ERR_OUT_OF_RANGE);
    for (size_t i = 0; i < ARRAY_COUNT(not_through); i++) {
        assert_int_equal(vmar_op_range(arena, not_through[i], at(2), PAGES(3), true),
                         ZX_ERR_INVALID_ARGS);
        assert_int_equal(vmar_op_range(arena, not_through[i], at(30), PAGES(1), true),
                         ZX_ERR_BAD_STATE);
        assert_int_equal(vmar_op_range(arena, not_through[i], at(20), PAGES(1), true),
                         not_through[i] == ZX_VMAR_OP_PREFETCH ? ZX_OK : ZX_ERR_ACCESS_DENIED);
        assert_int_equal(vmar_op_range(sub, not_through[i], at(4), PAGES(4), false), ZX_OK);
    }
    for (size_t i = 0; i < ARRAY_COUNT(through); i++) {
        assert_int_equal(vmar_op_range(arena, through[i], at(2), PAGES(6), false),
                         ZX_ERR_INVALID_ARGS);
        assert_int_equal(vmar_op_range(arena, through[i], at(2), PAGES(6), true), ZX_OK);
        assert_int_equal(vmar_op_range(arena, through[i], at(2), PAGES(7), true), ZX_ERR_BAD_STATE);
    }
    vmar_put(sub);
}

static void test_op_range_effects(void **state)
{
    (void)state;
    struct vmo *other = make_vmo(4);
    map_pages(arena, RW, 0, vmo, 8, 4);
    map_pages(arena, R, 4, other, 0, 4);
    assert_int_equal(vmar_op_range(arena, ZX_VMAR_OP_COMMIT, at(2), PAGES(4), false), ZX_OK);
    assert_int_equal(vmo->pages.count_pages, 2);
    assert_int_equal(other->pages.count_pages, 2);
    assert_false(mmu_query(&space->arch, at(2), NULL, NULL));
    assert_int_equal(vmar_op_range(arena, ZX_VMAR_OP_MAP_RANGE, at(0), PAGES(8), false), ZX_OK);
    for (uint64_t page = 0; page < 8; page++)
        assert_int_equal(mmu_query(&space->arch, at(page), NULL, NULL), page >= 2 && page < 6);
    assert_int_equal(user_write(at(3), 7), ZX_OK);
    assert_int_equal(vmar_op_range(arena, ZX_VMAR_OP_DECOMMIT, at(3), PAGES(2), false), ZX_OK);
    assert_int_equal(vmo->pages.count_pages, 1);
    assert_int_equal(other->pages.count_pages, 1);
    assert_byte(at(3), 0);
    assert_int_equal(user_write(at(2), 7), ZX_OK);
    assert_int_equal(vmar_op_range(arena, ZX_VMAR_OP_ZERO, at(2), PAGES(1), false), ZX_OK);
    assert_byte(at(2), 0);
    vmo_put(other);
}

/* ---- Running out of memory --------------------------------------------------------------------
 */

/* Makes allocation n fail for n = 1, 2, ... until |operation| runs through; while it fails, it must
 * say so and leave no trace. */
static void fail_each(zx_status_t (*operation)(void))
{
    for (uint64_t n = 1;; n++) {
        struct snapshot before = take_snapshot();
        struct vm_counts counts = vm_counts_now();
        zx_status_t status;
        fake_fail_after(n);
        status = operation();
        if (!fake_fail_stop()) {
            assert_int_equal(status, ZX_OK);
            assert_true(n > 1);
            return;
        }
        assert_int_equal(status, ZX_ERR_NO_MEMORY);
        struct snapshot after = take_snapshot();
        struct vm_counts counts_after = vm_counts_now();
        assert_same_snapshot(&before, &after);
        assert_int_equal(counts.objects, counts_after.objects);
        assert_int_equal(counts.vmo_pages, counts_after.vmo_pages);
    }
}

static zx_status_t op_allocate(void)
{
    struct vmar *child;
    zx_status_t status = vmar_allocate(arena, CAN_RWX, 0, PAGES(2), &child);
    if (status == ZX_OK)
        vmar_put(child);
    return status;
}

static zx_status_t op_map(void)
{
    vaddr_t addr;
    return try_map(arena, RW, 0, vmo, 0, PAGES(2), &addr);
}

static zx_status_t op_overwrite(void)
{
    vaddr_t addr;
    return try_map(arena, R | ZX_VM_SPECIFIC_OVERWRITE, PAGES(42), vmo, 0, PAGES(2), &addr);
}

static zx_status_t op_unmap(void)
{
    return vmar_unmap(arena, at(47), PAGES(1), false, NULL);
}

static zx_status_t op_protect(void)
{
    return vmar_protect(arena, R, at(51), PAGES(2), false);
}

static zx_status_t op_protect_two(void)
{
    return vmar_protect(arena, 0, at(55), PAGES(6), false);
}

static void test_no_memory(void **state)
{
    (void)state;
    map_pages(arena, RW, 40, vmo, 0, 14);
    map_pages(arena, RW, 54, vmo, 20, 3);
    map_pages(arena, RW, 57, vmo, 30, 7);
    for (uint64_t page = 40; page < 64; page++)
        assert_int_equal(user_write(at(page), (uint8_t)page), ZX_OK);
    fail_each(op_allocate);
    fail_each(op_map);
    fail_each(op_overwrite);
    fail_each(op_unmap);
    fail_each(op_protect);
    fail_each(op_protect_two);
    for (uint64_t page = 40; page < 64; page++) {
        if (page == 42 || page == 43)
            continue;
        if (page == 47)
            assert_int_equal(user_touch(at(page)), ZX_ERR_NOT_FOUND);
        else if (page >= 55 && page < 61)
            assert_int_equal(user_touch(at(page)), ZX_ERR_ACCESS_DENIED);
        else
            assert_byte(at(page), (uint8_t)page);
    }
}

/* ---- Keepers ----------------------------------------------------------------------------------
 */

static int keeper_refs;

static void keeper_get(struct mapping_keeper *keeper)
{
    (void)keeper;
    keeper_refs++;
}

static void keeper_put(struct mapping_keeper *keeper)
{
    (void)keeper;
    assert_false(mutex_is_held(&space->lock));
    keeper_refs--;
}

static void test_keeper(void **state)
{
    (void)state;
    struct mapping_keeper keeper = {keeper_get, keeper_put};
    struct vmar_map_args args = {.options = RW | ZX_VM_SPECIFIC,
                                 .vmo = vmo,
                                 .len_bytes = PAGES(8),
                                 .max_perms = RW,
                                 .keeper = &keeper};
    vaddr_t addr;
    keeper_refs = 0;
    assert_int_equal(vmar_map(arena, &args, &addr), ZX_OK);
    assert_int_equal(keeper_refs, 1);
    assert_int_equal(vmar_map(arena, &args, &addr), ZX_ERR_ALREADY_EXISTS);
    assert_int_equal(keeper_refs, 1);
    assert_int_equal(vmar_unmap(arena, at(2), PAGES(1), false, NULL), ZX_OK);
    assert_int_equal(keeper_refs, 2);
    assert_int_equal(vmar_protect(arena, R, at(5), PAGES(1), false), ZX_OK);
    assert_int_equal(keeper_refs, 4);
    assert_int_equal(vmar_unmap(arena, at(0), PAGES(4), false, NULL), ZX_OK);
    assert_int_equal(keeper_refs, 3);
    assert_int_equal(vmar_destroy(arena), ZX_OK);
    assert_int_equal(keeper_refs, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_allocate_errors),  TEST(test_allocate_rights), TEST(test_place_alignment),
        TEST(test_place_uniform),    TEST(test_place_entropy),   TEST(test_place_in_full_region),
        TEST(test_place_compact),    TEST(test_map_errors),      TEST(test_map_max_perms),
        TEST(test_map_range),        TEST(test_overwrite),       TEST(test_unmap_errors),
        TEST(test_unmap_splits),     TEST(test_destroy),         TEST(test_destroy_deep),
        TEST(test_protect_errors),   TEST(test_protect_splits),  TEST(test_op_range_errors),
        TEST(test_op_range_effects), TEST(test_no_memory),       TEST(test_keeper),
    };
    return cmocka_run_group_tests_name("vmar", tests, vm_boot, NULL);
}
