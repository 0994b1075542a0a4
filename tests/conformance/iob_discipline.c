/* The id allocator discipline. */
#include <string.h>

#include "tests/conformance/iob_discipline_util.h"
#include "userland/libzx/thread.h"

#define EP0_READS_EP1_ALLOCATES                                                                    \
    (ZX_IOB_ACCESS_EP0_CAN_MAP_READ | ZX_IOB_ACCESS_EP1_CAN_MEDIATED_WRITE)
#define EP0_MAPS_EP1_ALLOCATES (IOB_EP0_RW | ZX_IOB_ACCESS_EP1_CAN_MEDIATED_WRITE)

zx_iob_region_t ids_region(zx_iob_access_t access, uint64_t size_bytes)
{
    zx_iob_region_t region = iob_region(access, size_bytes);

    region.discipline.type = ZX_IOB_DISCIPLINE_TYPE_ID_ALLOCATOR;
    return region;
}

zx_vaddr_t map_region0(zx_vm_option_t perms, zx_handle_t endpoint, size_t len_bytes)
{
    zx_vaddr_t addr;

    ASSERT_OK(zx_vmar_map_iob(zx_vmar_root_self(), perms, 0, endpoint, 0, 0, len_bytes, &addr));
    return addr;
}

static struct iob ids_iob(zx_iob_access_t access, uint64_t size_bytes)
{
    zx_iob_region_t regions[2] = {ids_region(access, size_bytes), iob_region(IOB_BOTH_RW, PAGE)};
    struct iob iob;

    ASSERT_OK(zx_iob_create(0, regions, 2, &iob.ep[0], &iob.ep[1]));
    return iob;
}

static uint32_t load32(zx_vaddr_t addr)
{
    return *(volatile uint32_t *)addr;
}

static void store32(zx_vaddr_t addr, uint32_t value)
{
    *(volatile uint32_t *)addr = value;
}

#define EXPECT_NO_ID(handle, options, index, blob, size, want)                                     \
    do {                                                                                           \
        uint32_t id_ = 0x5a5a5a5a;                                                                 \
        EXPECT_STATUS(zx_iob_allocate_id(handle, options, index, blob, size, &id_), want);         \
        EXPECT_EQ(id_, 0x5a5a5a5a);                                                                \
    } while (0)

TEST(iob_ids, layout)
{
    struct iob iob = ids_iob(EP0_READS_EP1_ALLOCATES, 2 * PAGE);
    zx_vaddr_t addr = map_region0(ZX_VM_PERM_READ, iob.ep[0], 2 * PAGE);
    static char blob[1500];
    uint32_t end = 2 * PAGE, id = 77;

    EXPECT_EQ(load32(addr), 0);
    EXPECT_EQ(load32(addr + 4), end);
    for (uint32_t n = 0; n < 5; n++) {
        uint32_t size = n == 1 ? 0 : n == 2 ? 10 : 1491 + n; /* by way of the stack and not */
        memset(blob, 'a' + (int)n, sizeof(blob));
        ASSERT_OK(zx_iob_allocate_id(iob.ep[1], 0, 0, n == 1 ? NULL : blob, size, &id));
        EXPECT_EQ(id, n);
        end -= size;
        EXPECT_EQ(load32(addr), n + 1);
        EXPECT_EQ(load32(addr + 4), end);
        EXPECT_EQ(load32(addr + 8 + 8 * n), size);
        EXPECT_EQ(load32(addr + 12 + 8 * n), end);
        EXPECT(memcmp((const void *)(addr + end), blob, size) == 0);
    }
    unmap(addr, 2 * PAGE);
    iob_drop(&iob);
}

TEST(iob_ids, arguments)
{
    struct iob iob = ids_iob(EP0_MAPS_EP1_ALLOCATES, PAGE);
    zx_handle_t ep = iob.ep[1], weak = duplicate_without(ep, ZX_RIGHT_WRITE), vmo = vmo_new(PAGE);
    zx_vaddr_t addr = map_region0(RW, iob.ep[0], PAGE);
    uint32_t id = 77;

    EXPECT_NO_ID(ep, 1, 0, "x", 1, ZX_ERR_INVALID_ARGS);
    EXPECT_NO_ID(ZX_HANDLE_INVALID, 0, 0, "x", 1, ZX_ERR_BAD_HANDLE);
    EXPECT_NO_ID(vmo, 0, 0, "x", 1, ZX_ERR_WRONG_TYPE);
    EXPECT_NO_ID(weak, 0, 0, "x", 1, ZX_ERR_ACCESS_DENIED);
    EXPECT_NO_ID(ep, 0, 2, "x", 1, ZX_ERR_OUT_OF_RANGE);
    EXPECT_NO_ID(ep, 0, UINT32_MAX, "x", 1, ZX_ERR_OUT_OF_RANGE);
    EXPECT_NO_ID(ep, 0, 1, "x", 1, ZX_ERR_WRONG_TYPE);
    EXPECT_NO_ID(iob.ep[0], 0, 0, "x", 1, ZX_ERR_ACCESS_DENIED);
    EXPECT_NO_ID(ep, 0, 0, NULL, 1, ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        EXPECT_NO_ID(ep, 0, 0, (void *)bad_addresses[i], 8, ZX_ERR_INVALID_ARGS);
        EXPECT_NO_ID(ep, 0, 0, (void *)bad_addresses[i], 600, ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_iob_allocate_id(ep, 0, 0, "x", 1, (uint32_t *)bad_addresses[i]),
                      ZX_ERR_INVALID_ARGS);
    }
    EXPECT_STATUS(zx_iob_allocate_id(ep, 0, 0, "x", 1, NULL), ZX_ERR_INVALID_ARGS);
    /* None of them has used an id up. */
    EXPECT_EQ(load32(addr), 0);
    EXPECT_EQ(load32(addr + 4), PAGE);
    EXPECT_OK(zx_iob_allocate_id(ep, 0, 0, "x", 1, &id));
    EXPECT_EQ(id, 0);
    unmap(addr, PAGE);
    close_handle(vmo);
    close_handle(weak);
    iob_drop(&iob);
}

TEST(iob_ids, a_full_container)
{
    struct iob iob = ids_iob(EP0_MAPS_EP1_ALLOCATES, PAGE);
    static char blob[PAGE];
    uint32_t count = 0, id;

    EXPECT_NO_ID(iob.ep[1], 0, 0, blob, PAGE - 15, ZX_ERR_NO_MEMORY);
    EXPECT_NO_ID(iob.ep[1], 0, 0, blob, UINT64_MAX, ZX_ERR_NO_MEMORY);
    EXPECT_NO_ID(iob.ep[1], 0, 0, NULL, 1ull << 32, ZX_ERR_NO_MEMORY);
    while (zx_iob_allocate_id(iob.ep[1], 0, 0, blob, 8, &id) == ZX_OK)
        EXPECT_EQ(id, count++);
    EXPECT_EQ(count, (PAGE - 8) / 16);
    EXPECT_NO_ID(iob.ep[1], 0, 0, blob, 8, ZX_ERR_NO_MEMORY);
    iob_drop(&iob);
}

TEST(iob_ids, corrupt_containers)
{
    static const uint32_t headers[][2] = {
        {UINT32_MAX, PAGE}, {0, PAGE + 1}, {0, 0}, {0x20000000, 16}, {512, PAGE},
    };
    struct iob iob = ids_iob(EP0_MAPS_EP1_ALLOCATES, PAGE);
    zx_vaddr_t addr = map_region0(RW, iob.ep[0], PAGE);

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        store32(addr, headers[i][0]);
        store32(addr + 4, headers[i][1]);
        EXPECT_NO_ID(iob.ep[1], 0, 0, "x", 1, ZX_ERR_IO_DATA_INTEGRITY);
    }
    store32(addr, 0);
    store32(addr + 4, PAGE);
    store32(addr + 8, 1); /* an entry that nobody has made */
    EXPECT_NO_ID(iob.ep[1], 0, 0, "x", 1, ZX_ERR_IO_DATA_INTEGRITY);
    unmap(addr, PAGE);
    iob_drop(&iob);
}

/* The container is the kernel's too: its pages stay, whatever is asked of a mapping. */
TEST(iob_ids, memory_is_pinned)
{
    struct iob iob = ids_iob(EP0_MAPS_EP1_ALLOCATES, 2 * PAGE);
    zx_vaddr_t addr = map_region0(RW, iob.ep[0], 2 * PAGE);
    uint32_t id;

    EXPECT_STATUS(
        zx_vmar_op_range(zx_vmar_root_self(), ZX_VMAR_OP_DECOMMIT, addr, 2 * PAGE, NULL, 0),
        ZX_ERR_BAD_STATE);
    EXPECT_EQ(load32(addr + 4), 2 * PAGE);
    EXPECT_OK(zx_iob_allocate_id(iob.ep[1], 0, 0, "x", 1, &id));
    EXPECT_EQ(load32(addr), 1);
    unmap(addr, 2 * PAGE);
    iob_drop(&iob);
}

TEST(iob_ids, creation)
{
    zx_iob_region_t region = ids_region(IOB_EP0_RW | ZX_IOB_ACCESS_EP1_CAN_MEDIATED_READ, PAGE);
    zx_handle_t ep0 = SENTINEL_HANDLE, ep1 = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_iob_create(0, &region, 1, &ep0, &ep1), ZX_ERR_INVALID_ARGS);
    region = ids_region(EP0_MAPS_EP1_ALLOCATES, 0);
    EXPECT_STATUS(zx_iob_create(0, &region, 1, &ep0, &ep1), ZX_ERR_INVALID_ARGS);
    region = ids_region(EP0_MAPS_EP1_ALLOCATES, 1ull << 32);
    EXPECT_STATUS(zx_iob_create(0, &region, 1, &ep0, &ep1), ZX_ERR_OUT_OF_RANGE);
    region = ids_region(EP0_MAPS_EP1_ALLOCATES, UINT32_MAX & ~(PAGE - 1));
    if (zx_system_get_physmem() <= region.size) /* all of it would be committed */
        EXPECT_STATUS(zx_iob_create(0, &region, 1, &ep0, &ep1), ZX_ERR_NO_MEMORY);
    EXPECT_EQ(ep0, SENTINEL_HANDLE);
    EXPECT_EQ(ep1, SENTINEL_HANDLE);
}

/* Without mediated access the layout is the users' business. */
TEST(iob_ids, without_mediated_access)
{
    struct iob iob = ids_iob(IOB_BOTH_RW, PAGE);
    zx_vaddr_t addr = map_region0(RW, iob.ep[0], PAGE);

    EXPECT_EQ(load(addr), 0);
    EXPECT_NO_ID(iob.ep[0], 0, 0, "x", 1, ZX_ERR_ACCESS_DENIED);
    unmap(addr, PAGE);
    iob_drop(&iob);
}

/* ---- Several at once ---- */

#define ID_THREADS 3
#define ID_ROUNDS  150

struct allocator {
    zx_handle_t endpoint; /* to allocate through the kernel, or INVALID: in the mapping */
    zx_vaddr_t addr;
    uint32_t id;
    uint32_t ids[ID_ROUNDS];
};

/* What a library in user space does: the same steps as the kernel's. */
static uint32_t allocate_mapped(zx_vaddr_t addr, const uint32_t blob[2])
{
    uint64_t *header = (uint64_t *)addr;
    uint64_t seen = __atomic_load_n(header, __ATOMIC_RELAXED), next, entry;

    do {
        next = ((uint32_t)seen + 1) | ((seen >> 32) - 8) << 32;
    } while (!__atomic_compare_exchange_n(header, &seen, next, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_RELAXED));
    memcpy((void *)(addr + (next >> 32)), blob, 8);
    entry = 8 | (next >> 32) << 32;
    __atomic_store_n(header + 1 + (uint32_t)seen, entry, __ATOMIC_RELEASE);
    return (uint32_t)seen;
}

static int allocate_all(void *arg)
{
    struct allocator *self = arg;

    for (uint32_t i = 0; i < ID_ROUNDS; i++) {
        uint32_t blob[2] = {self->id, i};
        if (self->endpoint == ZX_HANDLE_INVALID)
            self->ids[i] = allocate_mapped(self->addr, blob);
        else if (zx_iob_allocate_id(self->endpoint, 0, 0, blob, sizeof(blob), &self->ids[i]) !=
                 ZX_OK)
            return 1;
    }
    return 0;
}

TEST(iob_ids, kernel_and_mappings_allocate_together)
{
    struct iob iob = ids_iob(EP0_MAPS_EP1_ALLOCATES, 2 * PAGE);
    zx_vaddr_t addr = map_region0(RW, iob.ep[0], 2 * PAGE);
    static struct allocator allocators[ID_THREADS];
    struct thread *threads[ID_THREADS];

    for (uint32_t t = 0; t < ID_THREADS; t++) {
        allocators[t] = (struct allocator){
            .endpoint = t == 0 ? ZX_HANDLE_INVALID : iob.ep[1], .addr = addr, .id = t};
        ASSERT_OK(thread_spawn("ids", allocate_all, &allocators[t], &threads[t]));
    }
    for (uint32_t t = 0; t < ID_THREADS; t++)
        EXPECT_EQ(thread_join(threads[t]), 0);
    EXPECT_EQ(load32(addr), ID_THREADS * ID_ROUNDS);
    for (uint32_t t = 0; t < ID_THREADS; t++) {
        for (uint32_t i = 0; i < ID_ROUNDS; i++) {
            zx_vaddr_t entry = addr + 8 + 8 * allocators[t].ids[i];
            ASSERT(allocators[t].ids[i] < ID_THREADS * ID_ROUNDS);
            EXPECT_EQ(load32(entry), 8);
            ASSERT(load32(entry + 4) <= 2 * PAGE - 8);
            EXPECT_EQ(load32(addr + load32(entry + 4)), t);
            EXPECT_EQ(load32(addr + load32(entry + 4) + 4), i);
        }
    }
    unmap(addr, 2 * PAGE);
    iob_drop(&iob);
}
