/* Fifos: elements in order, signals, closed peers, arguments. */
#include "tests/conformance/util.h"

#include <string.h>

#include "userland/libzx/thread.h"

static void fifo_new(size_t count, size_t elem_bytes, zx_handle_t out[2])
{
    ASSERT_OK(zx_fifo_create(count, elem_bytes, 0, &out[0], &out[1]));
}

static void close_both(const zx_handle_t fifo[2])
{
    close_handle(fifo[0]);
    close_handle(fifo[1]);
}

static zx_signals_t signals_of(zx_handle_t handle)
{
    zx_signals_t observed = 0;

    EXPECT_STATUS(zx_object_wait_one(handle, 0, 0, &observed), ZX_ERR_TIMED_OUT);
    return observed;
}

TEST(fifo, rights_type_and_peers)
{
    zx_handle_t fifo[2];

    fifo_new(8, 8, fifo);
    for (int i = 0; i < 2; i++) {
        zx_info_handle_basic_t info = basic_info(fifo[i]);
        EXPECT_EQ(info.type, ZX_OBJ_TYPE_FIFO);
        EXPECT_EQ(info.rights, 0xF00F);
        EXPECT_EQ(info.related_koid, koid_of(fifo[1 - i]));
        EXPECT_EQ(signals_of(fifo[i]), ZX_FIFO_WRITABLE);
    }
    close_both(fifo);
}

TEST(fifo, create_checks_its_arguments)
{
    zx_handle_t a = SENTINEL_HANDLE, b = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_fifo_create(0, 8, 0, &a, &b), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_create(8, 0, 0, &a, &b), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_create(128, 33, 0, &a, &b), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_create(1, ZX_FIFO_MAX_SIZE_BYTES + 1, 0, &a, &b), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_create((size_t)1 << 63, 2, 0, &a, &b), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_create(8, 8, 1, &a, &b), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_fifo_create(8, 8, 0, NULL, &b), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_fifo_create(8, 8, 0, &a, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(a, SENTINEL_HANDLE);
    EXPECT_EQ(b, SENTINEL_HANDLE);
    /* A count that is no power of two, and the largest ones. */
    static const size_t sizes[][2] = {{35, 32}, {4096, 1}, {1, 4096}, {3, 1365}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ASSERT_OK(zx_fifo_create(sizes[i][0], sizes[i][1], 0, &a, &b));
        close_handle(a);
        close_handle(b);
    }
}

/* Writes and reads different amounts round and round, so that the queue wraps everywhere. */
TEST(fifo, elements_keep_their_order)
{
    zx_handle_t fifo[2];
    uint32_t in = 0, out = 0, values[16];
    size_t actual;

    fifo_new(7, sizeof(values[0]), fifo);
    for (int round = 0; round < 200; round++) {
        size_t count = (size_t)round % 7 + 1;
        for (size_t i = 0; i < count; i++)
            values[i] = in + i;
        ASSERT_OK(zx_fifo_write(fifo[0], sizeof(values[0]), values, count, &actual));
        in += actual;
        memset(values, 0, sizeof(values));
        ASSERT_OK(
            zx_fifo_read(fifo[1], sizeof(values[0]), values, 16 - (size_t)round % 12, &actual));
        for (size_t i = 0; i < actual; i++)
            EXPECT_EQ(values[i], out + i);
        out += actual;
        if (in != out) {
            ASSERT_OK(zx_fifo_read(fifo[1], sizeof(values[0]), values, 16, &actual));
            EXPECT_EQ(values[0], out);
            out += actual;
        }
        ASSERT_EQ(in, out);
    }
    close_both(fifo);
}

TEST(fifo, short_writes_and_reads)
{
    zx_handle_t fifo[2];
    uint64_t values[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    size_t actual = 77;

    fifo_new(4, 8, fifo);
    EXPECT_STATUS(zx_fifo_read(fifo[0], 8, values, 8, &actual), ZX_ERR_SHOULD_WAIT);
    EXPECT_EQ(actual, 77);
    EXPECT_OK(zx_fifo_write(fifo[0], 8, values, 3, &actual));
    EXPECT_EQ(actual, 3);
    EXPECT_EQ(signals_of(fifo[0]), ZX_FIFO_WRITABLE);
    EXPECT_EQ(signals_of(fifo[1]), ZX_FIFO_WRITABLE | ZX_FIFO_READABLE);
    EXPECT_OK(zx_fifo_write(fifo[0], 8, values, 8, &actual));
    EXPECT_EQ(actual, 1);
    EXPECT_EQ(signals_of(fifo[0]), 0);
    EXPECT_STATUS(zx_fifo_write(fifo[0], 8, values, 1, &actual), ZX_ERR_SHOULD_WAIT);
    memset(values, 0, sizeof(values));
    EXPECT_OK(zx_fifo_read(fifo[1], 8, values, 8, &actual));
    EXPECT_EQ(actual, 4);
    EXPECT_EQ(values[2], 3);
    EXPECT_EQ(values[3], 1);
    EXPECT_EQ(signals_of(fifo[0]), ZX_FIFO_WRITABLE);
    EXPECT_EQ(signals_of(fifo[1]), ZX_FIFO_WRITABLE);
    /* The other direction is a queue of its own; the count may be left out. */
    EXPECT_OK(zx_fifo_write(fifo[1], 8, &values[2], 1, NULL));
    EXPECT_OK(zx_fifo_read(fifo[0], 8, &values[5], 1, NULL));
    EXPECT_EQ(values[5], 3);
    close_both(fifo);
}

TEST(fifo, transfers_check_their_arguments)
{
    zx_handle_t fifo[2], weak, event;
    uint64_t value = 5;
    size_t actual;

    fifo_new(4, 8, fifo);
    EXPECT_STATUS(zx_fifo_write(fifo[0], 8, &value, 0, &actual), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_write(fifo[0], 4, &value, 1, &actual), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_read(fifo[0], 8, &value, 0, &actual), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_read(fifo[0], 16, &value, 1, &actual), ZX_ERR_OUT_OF_RANGE);
    EXPECT_OK(zx_fifo_write(fifo[0], 8, &value, 1, NULL));
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        EXPECT_STATUS(zx_fifo_write(fifo[0], 8, bad, 1, &actual), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_fifo_read(fifo[1], 8, bad, 1, &actual), ZX_ERR_INVALID_ARGS);
    }
    /* Nothing was lost to the bad pointers. */
    value = 0;
    EXPECT_OK(zx_fifo_read(fifo[1], 8, &value, 1, &actual));
    EXPECT_EQ(value, 5);
    EXPECT_STATUS(zx_fifo_read(fifo[1], 8, &value, 1, &actual), ZX_ERR_SHOULD_WAIT);

    weak = duplicate_without(fifo[0], ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_fifo_write(weak, 8, &value, 1, NULL), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    weak = duplicate_without(fifo[0], ZX_RIGHT_READ);
    EXPECT_STATUS(zx_fifo_read(weak, 8, &value, 1, NULL), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_fifo_write(event, 8, &value, 1, NULL), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_fifo_read(event, 8, &value, 1, NULL), ZX_ERR_WRONG_TYPE);
    close_handle(event);
    EXPECT_STATUS(zx_fifo_write(event, 8, &value, 1, NULL), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_fifo_read(event, 8, &value, 1, NULL), ZX_ERR_BAD_HANDLE);
    close_both(fifo);
}

TEST(fifo, a_closed_peer)
{
    zx_handle_t fifo[2];
    uint64_t values[4] = {1, 2, 3, 4};
    size_t actual;

    fifo_new(4, 8, fifo);
    ASSERT_OK(zx_fifo_write(fifo[0], 8, values, 2, NULL));
    close_handle(fifo[0]);
    EXPECT_EQ(signals_of(fifo[1]), ZX_FIFO_READABLE | ZX_FIFO_PEER_CLOSED);
    EXPECT_STATUS(zx_fifo_write(fifo[1], 8, values, 1, NULL), ZX_ERR_PEER_CLOSED);
    EXPECT_STATUS(zx_object_signal_peer(fifo[1], 0, ZX_USER_SIGNAL_0), ZX_ERR_PEER_CLOSED);
    EXPECT_OK(zx_fifo_read(fifo[1], 8, values, 4, &actual));
    EXPECT_EQ(actual, 2);
    EXPECT_STATUS(zx_fifo_read(fifo[1], 8, values, 4, &actual), ZX_ERR_PEER_CLOSED);
    EXPECT_EQ(signals_of(fifo[1]), ZX_FIFO_PEER_CLOSED);
    close_handle(fifo[1]);
}

#define STREAM_COUNT 20000u

static int stream_writer(void *arg)
{
    zx_handle_t fifo = *(zx_handle_t *)arg;
    uint32_t values[5];

    for (uint32_t next = 0; next < STREAM_COUNT;) {
        size_t count = 5, actual = 0;
        for (uint32_t i = 0; i < count; i++)
            values[i] = next + i;
        zx_status_t status = zx_fifo_write(fifo, 4, values, count, &actual);
        if (status == ZX_ERR_SHOULD_WAIT)
            status = zx_object_wait_one(fifo, ZX_FIFO_WRITABLE | ZX_FIFO_PEER_CLOSED,
                                        zx_deadline_after(PATIENCE), NULL);
        if (status != ZX_OK)
            return status;
        next += actual;
    }
    return ZX_OK;
}

TEST(fifo, a_stream_between_threads)
{
    zx_handle_t fifo[2];
    struct thread *thread;
    uint32_t values[16];
    size_t actual;

    fifo_new(12, 4, fifo);
    ASSERT_OK(thread_spawn("writer", stream_writer, &fifo[0], &thread));
    for (uint32_t next = 0; next < STREAM_COUNT; next += actual) {
        zx_status_t status = zx_fifo_read(fifo[1], 4, values, 16, &actual);
        if (status == ZX_ERR_SHOULD_WAIT) {
            actual = 0;
            status =
                zx_object_wait_one(fifo[1], ZX_FIFO_READABLE, zx_deadline_after(PATIENCE), NULL);
        }
        if (!EXPECT_OK(status))
            break;
        for (size_t i = 0; i < actual; i++)
            EXPECT_EQ(values[i], next + i);
    }
    close_handle(fifo[1]);
    EXPECT_OK(thread_join(thread));
    close_handle(fifo[0]);
}
