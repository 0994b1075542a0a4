/* VMOs: creation, sizes, reading and writing, stream size, op_range. */
#include "tests/conformance/util.h"

#include <string.h>

static uint64_t size_of(zx_handle_t vmo)
{
    uint64_t size = 0;

    EXPECT_OK(zx_vmo_get_size(vmo, &size));
    return size;
}

static zx_info_vmo_t info_of(zx_handle_t vmo)
{
    zx_info_vmo_t info;

    ASSERT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof(info), NULL, NULL));
    return info;
}

TEST(vmo, sizes_round_up)
{
    static const struct {
        uint64_t asked, got;
    } cases[] = {{0, 0},
                 {1, 4096},
                 {4095, 4096},
                 {4096, 4096},
                 {4097, 8192},
                 {1 << 20, 1 << 20},
                 {(1ull << 40) + 5, (1ull << 40) + 4096}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        zx_handle_t vmo = vmo_new(cases[i].asked);
        EXPECT_EQ(size_of(vmo), cases[i].got);
        EXPECT_EQ(info_of(vmo).size_bytes, cases[i].got);
        close_handle(vmo);
    }
}

TEST(vmo, creation_checks_its_arguments)
{
    static const uint32_t bad[] = {1, 32, 1u << 31, ZX_VMO_RESIZABLE | 64,
                                   ZX_VMO_UNBOUNDED | ZX_VMO_RESIZABLE};
    zx_handle_t vmo = SENTINEL_HANDLE;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT_STATUS(zx_vmo_create(PAGE, bad[i], &vmo), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create(UINT64_MAX, 0, &vmo), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_create((uint64_t)-PAGE + 1, 0, &vmo), ZX_ERR_OUT_OF_RANGE);
    EXPECT_EQ(vmo, SENTINEL_HANDLE);
    EXPECT_STATUS(zx_vmo_create(PAGE, 0, NULL), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_STATUS(zx_vmo_create(PAGE, 0, (zx_handle_t *)bad_addresses[i]), ZX_ERR_INVALID_ARGS);
}

TEST(vmo, a_huge_sparse_one)
{
    uint64_t size = (uint64_t)0 - 64 * PAGE;
    zx_handle_t vmo = vmo_new(size);

    EXPECT_EQ(size_of(vmo), size);
    vmo_store(vmo, size - 8, 1);
    vmo_store(vmo, size / 2, 2);
    vmo_store(vmo, 0, 3);
    EXPECT_EQ(vmo_load(vmo, size - 8), 1);
    EXPECT_EQ(vmo_load(vmo, size / 2), 2);
    EXPECT_EQ(vmo_load(vmo, 0), 3);
    EXPECT_EQ(vmo_load(vmo, size / 4), 0);
    EXPECT_EQ(info_of(vmo).committed_bytes, 3 * PAGE);
    close_handle(vmo);
}

TEST(vmo, info_of_a_new_one)
{
    zx_handle_t vmo = vmo_new(2 * PAGE), resizable = vmo_new_resizable(PAGE);
    zx_info_vmo_t info = info_of(vmo);

    EXPECT_EQ(info.koid, koid_of(vmo));
    EXPECT_EQ(info.size_bytes, 2 * PAGE);
    EXPECT_EQ(info.flags, ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_VIA_HANDLE);
    EXPECT_EQ(info.parent_koid, 0);
    EXPECT_EQ(info.num_children, 0);
    EXPECT_EQ(info.num_mappings, 0);
    EXPECT_EQ(info.committed_bytes, 0);
    EXPECT_EQ(info.handle_rights, ZX_DEFAULT_VMO_RIGHTS);
    EXPECT_EQ(info_of(resizable).flags,
              ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_VIA_HANDLE | ZX_INFO_VMO_RESIZABLE);
    zx_vaddr_t addr = map_anywhere(RW, vmo, PAGE);
    store(addr, 1);
    info = info_of(vmo);
    EXPECT_EQ(info.num_mappings, 1);
    EXPECT_EQ(info.share_count, 1);
    EXPECT_EQ(info.committed_bytes, PAGE);
    unmap(addr, PAGE);
    EXPECT_EQ(info_of(vmo).num_mappings, 0);
    EXPECT_OK(zx_object_wait_one(vmo, ZX_VMO_ZERO_CHILDREN, 0, NULL));
    close_handle(vmo);
    close_handle(resizable);
}

/* ---- Reading and writing ---- */

TEST(vmo, uncommitted_reads_as_zero_and_stays_so)
{
    static char buffer[3 * 4096];
    zx_handle_t vmo = vmo_new(sizeof(buffer));

    memset(buffer, 0x5a, sizeof(buffer));
    EXPECT_OK(zx_vmo_read(vmo, buffer, 0, sizeof(buffer)));
    for (size_t i = 0; i < sizeof(buffer); i++)
        ASSERT(buffer[i] == 0);
    EXPECT_EQ(info_of(vmo).committed_bytes, 0);
    close_handle(vmo);
}

TEST(vmo, reads_and_writes_of_every_shape)
{
    static unsigned char model[4 * 4096], buffer[4 * 4096];
    zx_handle_t vmo = vmo_new(sizeof(model));
    uint32_t seed = 1;

    memset(model, 0, sizeof(model));
    for (int round = 0; round < 60; round++) {
        seed = seed * 1664525 + 1013904223;
        size_t offset = seed % sizeof(model);
        size_t len = (seed >> 8) % (sizeof(model) - offset + 1);
        for (size_t i = 0; i < len; i++)
            buffer[i] = model[offset + i] = (unsigned char)(seed + i * 7);
        ASSERT_OK(zx_vmo_write(vmo, buffer, offset, len));
        ASSERT_OK(zx_vmo_read(vmo, buffer, 0, sizeof(model)));
        ASSERT(memcmp(buffer, model, sizeof(model)) == 0);
    }
    close_handle(vmo);
}

TEST(vmo, past_the_end)
{
    char byte = 1;
    zx_handle_t vmo = vmo_new(PAGE);

    EXPECT_STATUS(zx_vmo_read(vmo, &byte, PAGE, 1), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_write(vmo, &byte, PAGE, 1), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_read(vmo, &byte, 1, PAGE), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_write(vmo, &byte, UINT64_MAX, 2), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_read(vmo, &byte, 1, SIZE_MAX), ZX_ERR_OUT_OF_RANGE);
    /* Nothing at the very end is fine, beyond it is not. */
    EXPECT_OK(zx_vmo_read(vmo, &byte, PAGE, 0));
    EXPECT_OK(zx_vmo_write(vmo, &byte, PAGE, 0));
    EXPECT_STATUS(zx_vmo_read(vmo, &byte, PAGE + 1, 0), ZX_ERR_OUT_OF_RANGE);
    /* The range is checked before the buffer. */
    EXPECT_STATUS(zx_vmo_read(vmo, (void *)KERNEL_ADDRESS, PAGE, 1), ZX_ERR_OUT_OF_RANGE);
    EXPECT_EQ(byte, 1);
    close_handle(vmo);
}

TEST(vmo, bad_buffers)
{
    zx_handle_t vmo = vmo_new(2 * PAGE);

    vmo_store(vmo, 0, 0x77);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        EXPECT_STATUS(zx_vmo_read(vmo, (void *)bad_addresses[i], 0, 8), ZX_ERR_NOT_FOUND);
        EXPECT_STATUS(zx_vmo_write(vmo, (void *)bad_addresses[i], 0, 8), ZX_ERR_NOT_FOUND);
    }
    EXPECT_STATUS(zx_vmo_read(vmo, NULL, 0, 8), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_vmo_write(vmo, NULL, 0, 8), ZX_ERR_NOT_FOUND);
    EXPECT_EQ(vmo_load(vmo, 0), 0x77);
    close_handle(vmo);
}

TEST(vmo, a_buffer_that_ends_too_early)
{
    zx_vaddr_t base;
    zx_handle_t vmar = vmar_new(CAN_MAP_RW, 4 * PAGE, &base), vmo = vmo_new(4 * PAGE);
    zx_handle_t backing = vmo_new(PAGE);

    map_at(vmar, RW, 0, backing, 0, PAGE);
    EXPECT_STATUS(zx_vmo_read(vmo, (void *)(base + PAGE - 8), 0, 16), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_vmo_write(vmo, (void *)(base + PAGE - 8), 0, 16), ZX_ERR_NOT_FOUND);
    EXPECT_OK(zx_vmo_read(vmo, (void *)(base + PAGE - 8), 0, 8));
    vmar_drop(vmar);
    close_handle(backing);
    close_handle(vmo);
}

TEST(vmo, a_read_only_buffer)
{
    zx_handle_t vmo = vmo_new(PAGE), backing = vmo_new(PAGE);
    zx_vaddr_t addr = map_anywhere(ZX_VM_PERM_READ, backing, PAGE);

    EXPECT_STATUS(zx_vmo_read(vmo, (void *)addr, 0, 8), ZX_ERR_NOT_FOUND);
    EXPECT_OK(zx_vmo_write(vmo, (void *)addr, 0, 8));
    EXPECT_EQ(load(addr), 0);
    unmap(addr, PAGE);
    close_handle(backing);
    close_handle(vmo);
}

TEST(vmo, a_buffer_that_is_a_mapping_of_itself)
{
    zx_handle_t vmo = vmo_new(4 * PAGE);
    zx_vaddr_t addr = map_anywhere(RW, vmo, 4 * PAGE);

    for (uint64_t i = 0; i < PAGE / 8; i++)
        store(addr + i * 8, i);
    EXPECT_OK(zx_vmo_write(vmo, (const void *)addr, 2 * PAGE, PAGE));
    EXPECT_OK(zx_vmo_read(vmo, (void *)(addr + PAGE), 0, PAGE));
    for (uint64_t i = 0; i < PAGE / 8; i++) {
        ASSERT_EQ(load(addr + 2 * PAGE + i * 8), i);
        ASSERT_EQ(load(addr + PAGE + i * 8), i);
    }
    /* Onto the very same page, which is not there yet. */
    EXPECT_OK(zx_vmo_read(vmo, (void *)(addr + 3 * PAGE), 3 * PAGE, PAGE));
    EXPECT_EQ(load(addr + 3 * PAGE), 0);
    unmap(addr, 4 * PAGE);
    close_handle(vmo);
}

TEST(vmo, rights)
{
    zx_handle_t vmo = vmo_new_resizable(PAGE);
    zx_handle_t no_read = duplicate_without(vmo, ZX_RIGHT_READ);
    zx_handle_t no_write = duplicate_without(vmo, ZX_RIGHT_WRITE);
    zx_handle_t no_resize = duplicate_without(vmo, ZX_RIGHT_RESIZE);
    zx_handle_t none = duplicate(vmo, ZX_RIGHT_NONE);
    uint64_t size;
    char byte = 0;

    EXPECT_STATUS(zx_vmo_read(no_read, &byte, 0, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmo_write(no_read, &byte, 0, 1));
    EXPECT_STATUS(zx_vmo_write(no_write, &byte, 0, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmo_read(no_write, &byte, 0, 1));
    EXPECT_STATUS(zx_vmo_set_size(no_resize, 2 * PAGE), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_vmo_get_size(none, &size));
    EXPECT_STATUS(zx_vmo_op_range(no_write, ZX_VMO_OP_COMMIT, 0, PAGE, NULL, 0),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmo_op_range(no_write, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0),
                  ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_vmo_op_range(no_write, ZX_VMO_OP_ZERO, 0, PAGE, NULL, 0),
                  ZX_ERR_ACCESS_DENIED);
    close_handle(no_read);
    close_handle(no_write);
    close_handle(no_resize);
    close_handle(none);
    close_handle(vmo);
}

TEST(vmo, bad_handles)
{
    zx_handle_t event;
    uint64_t size = 77;
    char byte = 0;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_vmo_read(0, &byte, 0, 1), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_write(event, &byte, 0, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmo_get_size(event, &size), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmo_set_size(0, 1), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_vmo_op_range(event, ZX_VMO_OP_COMMIT, 0, 0, NULL, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_EQ(size, 77);
    close_handle(event);
}

/* ---- Size ---- */

TEST(vmo, resizing)
{
    zx_handle_t vmo = vmo_new_resizable(2 * PAGE);

    vmo_store(vmo, PAGE, 5);
    ASSERT_OK(zx_vmo_set_size(vmo, 3 * PAGE + 1));
    EXPECT_EQ(size_of(vmo), 4 * PAGE);
    EXPECT_EQ(vmo_load(vmo, PAGE), 5);
    EXPECT_EQ(vmo_load(vmo, 3 * PAGE), 0);
    ASSERT_OK(zx_vmo_set_size(vmo, PAGE));
    EXPECT_EQ(size_of(vmo), PAGE);
    EXPECT_EQ(info_of(vmo).committed_bytes, 0);
    ASSERT_OK(zx_vmo_set_size(vmo, 2 * PAGE));
    EXPECT_EQ(vmo_load(vmo, PAGE), 0); /* what was cut off is gone */
    ASSERT_OK(zx_vmo_set_size(vmo, 0));
    EXPECT_EQ(size_of(vmo), 0);
    EXPECT_STATUS(zx_vmo_set_size(vmo, UINT64_MAX), ZX_ERR_OUT_OF_RANGE);
    EXPECT_EQ(size_of(vmo), 0);
    close_handle(vmo);
}

TEST(vmo, a_fixed_one_does_not_resize)
{
    zx_handle_t vmo = vmo_new(PAGE);

    EXPECT_STATUS(zx_vmo_set_size(vmo, 2 * PAGE), ZX_ERR_UNAVAILABLE);
    EXPECT_STATUS(zx_vmo_set_size(vmo, PAGE), ZX_ERR_UNAVAILABLE);
    EXPECT_EQ(size_of(vmo), PAGE);
    close_handle(vmo);
}

TEST(vmo, size_to_a_bad_pointer)
{
    zx_handle_t vmo = vmo_new(PAGE);

    EXPECT_STATUS(zx_vmo_get_size(vmo, NULL), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_STATUS(zx_vmo_get_size(vmo, (uint64_t *)bad_addresses[i]), ZX_ERR_INVALID_ARGS);
    close_handle(vmo);
}

/* ---- Stream size ---- */

TEST(vmo, stream_size)
{
    zx_handle_t vmo = vmo_new(PAGE + 100), weak = duplicate_without(vmo, ZX_RIGHT_WRITE);
    uint64_t size = 0;

    ASSERT_OK(zx_vmo_get_stream_size(vmo, &size));
    EXPECT_EQ(size, PAGE + 100);
    ASSERT_OK(zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof(size)));
    EXPECT_EQ(size, PAGE + 100);
    size = 64;
    ASSERT_OK(zx_object_set_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof(size)));
    ASSERT_OK(zx_vmo_get_stream_size(vmo, &size));
    EXPECT_EQ(size, 64);
    EXPECT_EQ(size_of(vmo), 2 * PAGE);
    EXPECT_STATUS(zx_vmo_set_stream_size(vmo, 2 * PAGE + 1), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_set_stream_size(weak, 8), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_set_property(weak, ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof(size)),
                  ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    close_handle(vmo);
}

TEST(vmo, stream_size_zeroes_what_it_cuts)
{
    zx_handle_t vmo = vmo_new(PAGE);

    vmo_store(vmo, 8, 1);
    vmo_store(vmo, 64, 2);
    ASSERT_OK(zx_vmo_set_stream_size(vmo, 16));
    ASSERT_OK(zx_vmo_set_stream_size(vmo, PAGE));
    EXPECT_EQ(vmo_load(vmo, 8), 1);
    EXPECT_EQ(vmo_load(vmo, 64), 0);
    close_handle(vmo);
}

TEST(vmo, set_size_sets_the_stream_size)
{
    zx_handle_t vmo = vmo_new_resizable(PAGE);
    uint64_t size = 0;

    ASSERT_OK(zx_vmo_set_size(vmo, PAGE + 17));
    ASSERT_OK(zx_vmo_get_stream_size(vmo, &size));
    EXPECT_EQ(size, PAGE + 17);
    close_handle(vmo);
}

/* ---- zx_vmo_op_range ---- */

static zx_status_t op(zx_handle_t vmo, uint32_t what, uint64_t offset, uint64_t size)
{
    return zx_vmo_op_range(vmo, what, offset, size, NULL, 0);
}

TEST(vmo, commit)
{
    zx_handle_t vmo = vmo_new(8 * PAGE);

    vmo_store(vmo, PAGE, 5);
    EXPECT_OK(op(vmo, ZX_VMO_OP_COMMIT, 0, 4 * PAGE));
    EXPECT_EQ(info_of(vmo).committed_bytes, 4 * PAGE);
    EXPECT_EQ(vmo_load(vmo, PAGE), 5);
    EXPECT_OK(op(vmo, ZX_VMO_OP_COMMIT, 4 * PAGE + 1, 1)); /* the page it touches */
    EXPECT_EQ(info_of(vmo).committed_bytes, 5 * PAGE);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_COMMIT, 0, 9 * PAGE), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_COMMIT, UINT64_MAX, 2), ZX_ERR_OUT_OF_RANGE);
    EXPECT_EQ(info_of(vmo).committed_bytes, 5 * PAGE);
    close_handle(vmo);
}

TEST(vmo, decommit)
{
    zx_handle_t vmo = vmo_new(4 * PAGE);
    zx_vaddr_t addr = map_anywhere(RW, vmo, 4 * PAGE);

    for (uint64_t i = 0; i < 4; i++)
        store(addr + i * PAGE, i + 1);
    EXPECT_OK(op(vmo, ZX_VMO_OP_DECOMMIT, PAGE, 2 * PAGE));
    EXPECT_EQ(info_of(vmo).committed_bytes, 2 * PAGE);
    EXPECT_EQ(load(addr), 1);
    EXPECT_EQ(load(addr + PAGE), 0);
    EXPECT_EQ(load(addr + 2 * PAGE), 0);
    EXPECT_EQ(load(addr + 3 * PAGE), 4);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_DECOMMIT, 1, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_DECOMMIT, 0, PAGE - 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_DECOMMIT, 0, 5 * PAGE), ZX_ERR_OUT_OF_RANGE);
    unmap(addr, 4 * PAGE);
    close_handle(vmo);
}

TEST(vmo, zero)
{
    zx_handle_t vmo = vmo_new(4 * PAGE);
    zx_vaddr_t addr = map_anywhere(RW, vmo, 4 * PAGE);

    for (size_t i = 0; i < 4 * PAGE / 8; i++)
        store(addr + i * 8, ~0ull);
    EXPECT_OK(op(vmo, ZX_VMO_OP_ZERO, PAGE - 16, PAGE + 32));
    for (size_t i = 0; i < 4 * PAGE; i += 8)
        ASSERT_EQ(load(addr + i), i >= PAGE - 16 && i < 2 * PAGE + 16 ? 0 : ~0ull);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_ZERO, 3 * PAGE, PAGE + 1), ZX_ERR_OUT_OF_RANGE);
    unmap(addr, 4 * PAGE);
    close_handle(vmo);
}

TEST(vmo, unknown_ops)
{
    zx_handle_t vmo = vmo_new(PAGE);

    EXPECT_STATUS(op(vmo, 0, 0, PAGE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(op(vmo, 99, 0, PAGE), ZX_ERR_INVALID_ARGS);
    close_handle(vmo);
}

TEST(vmo, locking_is_for_discardable_ones)
{
    zx_handle_t vmo = vmo_new(PAGE);
    zx_vmo_lock_state_t state;

    EXPECT_STATUS(zx_vmo_op_range(vmo, ZX_VMO_OP_LOCK, 0, PAGE, &state, sizeof(state)),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_TRY_LOCK, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(op(vmo, ZX_VMO_OP_UNLOCK, 0, PAGE), ZX_ERR_NOT_SUPPORTED);
    close_handle(vmo);
}

TEST(vmo, replace_as_executable)
{
    zx_handle_t vmo = vmo_new(PAGE), out;
    zx_koid_t koid = koid_of(vmo);

    ASSERT_OK(zx_vmo_replace_as_executable(vmo, ZX_HANDLE_INVALID, &out));
    EXPECT_STATUS(zx_handle_check_valid(vmo), ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(koid_of(out), koid);
    EXPECT_EQ(rights_of(out), ZX_DEFAULT_VMO_RIGHTS | ZX_RIGHT_EXECUTE);
    close_handle(out);
}
