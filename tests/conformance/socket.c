/* Sockets: streams of bytes and datagrams between two ends. */
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/util.h"
#include "userland/libzx/thread.h"

#define SOCKET_BYTES ((size_t)256 << 10)

struct ends {
    zx_handle_t a, b;
};

static struct ends socket_pair(uint32_t options)
{
    struct ends ends;

    ASSERT_OK(zx_socket_create(options, &ends.a, &ends.b));
    return ends;
}

static void close_ends(const struct ends *ends)
{
    close_handle(ends->a);
    close_handle(ends->b);
}

static zx_signals_t signals_of(zx_handle_t handle)
{
    zx_signals_t observed = 0;

    EXPECT_STATUS(zx_object_wait_one(handle, 0, 0, &observed), ZX_ERR_TIMED_OUT);
    return observed;
}

static void write_text(zx_handle_t socket, const char *text)
{
    size_t actual = 0;

    ASSERT_OK(zx_socket_write(socket, 0, text, strlen(text), &actual));
    EXPECT_EQ(actual, strlen(text));
}

static void expect_text(zx_handle_t socket, uint32_t options, size_t room, const char *want)
{
    char in[64] = {0};
    size_t actual = 0;

    ASSERT_OK(zx_socket_read(socket, options, in, room, &actual));
    EXPECT_EQ(actual, strlen(want));
    EXPECT(memcmp(in, want, strlen(want)) == 0);
}

TEST(socket, creation)
{
    zx_handle_t a = SENTINEL_HANDLE, b = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_socket_create(2, &a, &b), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        zx_handle_t *bad = (zx_handle_t *)bad_addresses[i];
        EXPECT_STATUS(zx_socket_create(0, bad, &b), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_socket_create(0, &a, bad), ZX_ERR_INVALID_ARGS);
    }
    EXPECT_EQ(a, SENTINEL_HANDLE);
    EXPECT_EQ(b, SENTINEL_HANDLE);
    for (uint32_t options = 0; options <= ZX_SOCKET_DATAGRAM; options++) {
        struct ends ends = socket_pair(options);
        zx_info_handle_basic_t info = basic_info(ends.a);
        EXPECT_EQ(info.type, ZX_OBJ_TYPE_SOCKET);
        EXPECT_EQ(info.rights, 0x10F0CF);
        EXPECT_EQ(info.related_koid, koid_of(ends.b));
        EXPECT_EQ(signals_of(ends.a), ZX_SOCKET_WRITABLE);
        close_ends(&ends);
    }
}

TEST(socket, a_stream_has_no_boundaries)
{
    struct ends ends = socket_pair(ZX_SOCKET_STREAM);

    write_text(ends.a, "one");
    write_text(ends.a, "two");
    EXPECT_EQ(signals_of(ends.b), ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE);
    expect_text(ends.b, 0, 4, "onet");
    expect_text(ends.b, ZX_SOCKET_PEEK, 10, "wo");
    expect_text(ends.b, 0, 10, "wo");
    EXPECT_EQ(signals_of(ends.b), ZX_SOCKET_WRITABLE);
    write_text(ends.b, "back");
    expect_text(ends.a, 0, 10, "back");
    close_ends(&ends);
}

TEST(socket, datagrams_stay_whole)
{
    struct ends ends = socket_pair(ZX_SOCKET_DATAGRAM);
    static uint8_t large[5000], in[5000];
    zx_info_socket_t info;
    size_t actual;

    write_text(ends.a, "one");
    write_text(ends.a, "two");
    memset(large, 0x5a, sizeof(large));
    ASSERT_OK(zx_socket_write(ends.a, 0, large, sizeof(large), &actual));
    EXPECT_EQ(actual, sizeof(large));
    ASSERT_OK(zx_object_get_info(ends.b, ZX_INFO_SOCKET, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.rx_buf_size, 5006);
    EXPECT_EQ(info.rx_buf_available, 3);
    expect_text(ends.b, ZX_SOCKET_PEEK, 10, "one");
    expect_text(ends.b, 0, 2, "on"); /* what is not read of it is lost */
    expect_text(ends.b, 0, 10, "two");
    ASSERT_OK(zx_socket_read(ends.b, 0, in, sizeof(in), &actual));
    EXPECT_EQ(actual, sizeof(large));
    EXPECT(memcmp(in, large, sizeof(large)) == 0);
    EXPECT_STATUS(zx_socket_read(ends.b, 0, in, 1, &actual), ZX_ERR_SHOULD_WAIT);
    close_ends(&ends);
}

TEST(socket, full_and_empty)
{
    struct ends ends = socket_pair(ZX_SOCKET_STREAM);
    uint8_t *data = malloc(2 * SOCKET_BYTES), *back = malloc(2 * SOCKET_BYTES);
    size_t actual = 7;

    ASSERT(data != NULL && back != NULL);
    for (size_t i = 0; i < 2 * SOCKET_BYTES; i++)
        data[i] = (uint8_t)(i * 31 + i / 251);
    EXPECT_STATUS(zx_socket_read(ends.b, 0, back, 1, &actual), ZX_ERR_SHOULD_WAIT);
    EXPECT_EQ(actual, 7);
    ASSERT_OK(zx_socket_write(ends.a, 0, data, 2 * SOCKET_BYTES, &actual));
    EXPECT_EQ(actual, SOCKET_BYTES);
    EXPECT_EQ(signals_of(ends.a), 0);
    EXPECT_STATUS(zx_socket_write(ends.a, 0, data, 1, &actual), ZX_ERR_SHOULD_WAIT);
    EXPECT_EQ(actual, SOCKET_BYTES);
    EXPECT_OK(zx_socket_write(ends.a, 0, NULL, 0, &actual));
    EXPECT_EQ(actual, 0);
    ASSERT_OK(zx_socket_read(ends.b, 0, back, 10, &actual));
    EXPECT_EQ(signals_of(ends.a), ZX_SOCKET_WRITABLE);
    ASSERT_OK(zx_socket_write(ends.a, 0, data + SOCKET_BYTES, 50, &actual));
    EXPECT_EQ(actual, 10);
    ASSERT_OK(zx_socket_read(ends.b, 0, back + 10, 2 * SOCKET_BYTES, &actual));
    EXPECT_EQ(actual, SOCKET_BYTES);
    EXPECT(memcmp(data, back, SOCKET_BYTES + 10) == 0);
    EXPECT_EQ(signals_of(ends.b), ZX_SOCKET_WRITABLE);
    free(data);
    free(back);
    close_ends(&ends);
}

TEST(socket, datagrams_that_do_not_fit)
{
    struct ends ends = socket_pair(ZX_SOCKET_DATAGRAM);
    uint8_t *data = calloc(1, SOCKET_BYTES + 1);
    size_t actual = 7;

    ASSERT(data != NULL);
    EXPECT_STATUS(zx_socket_write(ends.a, 0, data, SOCKET_BYTES + 1, &actual), ZX_ERR_OUT_OF_RANGE);
    write_text(ends.a, "x");
    EXPECT_STATUS(zx_socket_write(ends.a, 0, data, SOCKET_BYTES, &actual), ZX_ERR_SHOULD_WAIT);
    EXPECT_EQ(actual, 7);
    EXPECT_EQ(signals_of(ends.a), ZX_SOCKET_WRITABLE);
    ASSERT_OK(zx_socket_write(ends.a, 0, data, SOCKET_BYTES - 1, &actual));
    EXPECT_EQ(actual, SOCKET_BYTES - 1);
    EXPECT_EQ(signals_of(ends.a), 0);
    free(data);
    close_ends(&ends);
}

TEST(socket, a_closed_peer)
{
    struct ends ends = socket_pair(ZX_SOCKET_STREAM);
    zx_info_socket_t info;
    uint64_t threshold = 5;
    char in[8];

    write_text(ends.a, "last");
    EXPECT_OK(zx_object_set_property(ends.b, ZX_PROP_SOCKET_TX_THRESHOLD, &threshold, 8));
    close_handle(ends.a);
    EXPECT_EQ(signals_of(ends.b), ZX_SOCKET_READABLE | ZX_SOCKET_PEER_CLOSED);
    EXPECT_STATUS(zx_socket_write(ends.b, 0, "x", 1, NULL), ZX_ERR_PEER_CLOSED);
    EXPECT_STATUS(zx_socket_set_disposition(ends.b, 0, ZX_SOCKET_DISPOSITION_WRITE_DISABLED),
                  ZX_ERR_PEER_CLOSED);
    EXPECT_STATUS(zx_object_set_property(ends.b, ZX_PROP_SOCKET_TX_THRESHOLD, &threshold, 8),
                  ZX_ERR_PEER_CLOSED);
    expect_text(ends.b, 0, sizeof(in), "last");
    EXPECT_STATUS(zx_socket_read(ends.b, 0, in, sizeof(in), NULL), ZX_ERR_PEER_CLOSED);
    EXPECT_EQ(signals_of(ends.b), ZX_SOCKET_PEER_CLOSED);
    ASSERT_OK(zx_object_get_info(ends.b, ZX_INFO_SOCKET, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.tx_buf_max, 0);
    EXPECT_EQ(info.rx_buf_max, SOCKET_BYTES);
    close_handle(ends.b);
}

TEST(socket, writing_is_disabled_and_enabled)
{
    const uint32_t disabled = ZX_SOCKET_DISPOSITION_WRITE_DISABLED;
    const uint32_t enabled = ZX_SOCKET_DISPOSITION_WRITE_ENABLED;
    struct ends ends = socket_pair(ZX_SOCKET_STREAM);
    char in[8];

    write_text(ends.a, "x");
    EXPECT_STATUS(zx_socket_set_disposition(ends.a, 3, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_socket_set_disposition(ends.a, 0, 4), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_socket_set_disposition(ends.a, 0, 0));
    EXPECT_OK(zx_socket_set_disposition(ends.a, disabled, 0));
    EXPECT_EQ(signals_of(ends.a), ZX_SOCKET_WRITE_DISABLED);
    EXPECT_EQ(signals_of(ends.b),
              ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE | ZX_SOCKET_PEER_WRITE_DISABLED);
    EXPECT_STATUS(zx_socket_write(ends.a, 0, "x", 1, NULL), ZX_ERR_BAD_STATE);
    expect_text(ends.b, 0, sizeof(in), "x");
    EXPECT_STATUS(zx_socket_read(ends.b, 0, in, sizeof(in), NULL), ZX_ERR_BAD_STATE);
    EXPECT_EQ(signals_of(ends.a), ZX_SOCKET_WRITE_DISABLED); /* room alone does not count */
    EXPECT_OK(zx_socket_set_disposition(ends.b, disabled, enabled));
    EXPECT_EQ(signals_of(ends.a), ZX_SOCKET_WRITABLE | ZX_SOCKET_PEER_WRITE_DISABLED);
    EXPECT_EQ(signals_of(ends.b), ZX_SOCKET_WRITE_DISABLED);
    write_text(ends.a, "y");
    expect_text(ends.b, 0, sizeof(in), "y");
    EXPECT_STATUS(zx_socket_read(ends.b, 0, in, sizeof(in), NULL), ZX_ERR_SHOULD_WAIT);
    zx_handle_t weak = duplicate_without(ends.a, ZX_RIGHT_MANAGE_SOCKET);
    EXPECT_STATUS(zx_socket_set_disposition(weak, 0, 0), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    close_ends(&ends);
}

TEST(socket, thresholds)
{
    struct ends ends = socket_pair(ZX_SOCKET_STREAM);
    uint64_t value = 4, got = 0;
    char in[8];

    EXPECT_OK(zx_object_get_property(ends.a, ZX_PROP_SOCKET_RX_THRESHOLD, &got, sizeof(got)));
    EXPECT_EQ(got, 0);
    EXPECT_OK(zx_object_set_property(ends.b, ZX_PROP_SOCKET_RX_THRESHOLD, &value, sizeof(value)));
    EXPECT_OK(zx_object_get_property(ends.b, ZX_PROP_SOCKET_RX_THRESHOLD, &got, sizeof(got)));
    EXPECT_EQ(got, 4);
    write_text(ends.a, "123");
    EXPECT_EQ(signals_of(ends.b), ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE);
    write_text(ends.a, "4");
    EXPECT_EQ(signals_of(ends.b),
              ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE | ZX_SOCKET_READ_THRESHOLD);
    expect_text(ends.b, 0, 1, "1");
    EXPECT_EQ(signals_of(ends.b), ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE);
    value = 3;
    EXPECT_OK(zx_object_set_property(ends.b, ZX_PROP_SOCKET_RX_THRESHOLD, &value, sizeof(value)));
    EXPECT_EQ(signals_of(ends.b) & ZX_SOCKET_READ_THRESHOLD, ZX_SOCKET_READ_THRESHOLD);
    value = 0;
    EXPECT_OK(zx_object_set_property(ends.b, ZX_PROP_SOCKET_RX_THRESHOLD, &value, sizeof(value)));
    EXPECT_EQ(signals_of(ends.b) & ZX_SOCKET_READ_THRESHOLD, 0);

    value = SOCKET_BYTES - 3;
    EXPECT_OK(zx_object_set_property(ends.a, ZX_PROP_SOCKET_TX_THRESHOLD, &value, sizeof(value)));
    EXPECT_EQ(signals_of(ends.a), ZX_SOCKET_WRITABLE | ZX_SOCKET_WRITE_THRESHOLD);
    write_text(ends.a, "5");
    EXPECT_EQ(signals_of(ends.a), ZX_SOCKET_WRITABLE);
    expect_text(ends.b, 0, 1, "2");
    EXPECT_EQ(signals_of(ends.a), ZX_SOCKET_WRITABLE | ZX_SOCKET_WRITE_THRESHOLD);
    value = SOCKET_BYTES + 1;
    EXPECT_STATUS(zx_object_set_property(ends.a, ZX_PROP_SOCKET_TX_THRESHOLD, &value, 8),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_set_property(ends.a, ZX_PROP_SOCKET_RX_THRESHOLD, &value, 8),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_get_property(ends.a, ZX_PROP_STREAM_MODE_APPEND, in, 1),
                  ZX_ERR_WRONG_TYPE);
    close_ends(&ends);
}

TEST(socket, transfers_check_their_arguments)
{
    struct ends ends = socket_pair(ZX_SOCKET_STREAM);
    zx_handle_t event, weak;
    char in[8] = {0};
    size_t actual;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_socket_write(ZX_HANDLE_INVALID, 0, "x", 1, NULL), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_socket_read(ZX_HANDLE_INVALID, 0, in, 1, NULL), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_socket_set_disposition(ZX_HANDLE_INVALID, 0, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_socket_write(event, 0, "x", 1, NULL), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_socket_read(event, 0, in, 1, NULL), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_socket_set_disposition(event, 0, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_get_info(event, ZX_INFO_SOCKET, NULL, 0, NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    close_handle(event);
    EXPECT_STATUS(zx_socket_write(ends.a, 1, "x", 1, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_socket_read(ends.a, 1, in, 1, NULL), ZX_ERR_INVALID_ARGS);
    weak = duplicate_without(ends.a, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_socket_write(weak, 0, "x", 1, NULL), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    weak = duplicate_without(ends.a, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_socket_read(weak, 0, in, 1, NULL), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    write_text(ends.a, "kept");
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        EXPECT_STATUS(zx_socket_write(ends.a, 0, bad, 8, NULL), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_socket_read(ends.b, 0, bad, 8, NULL), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_socket_read(ends.b, 0, in, 8, bad_addresses[i] ? bad : &actual),
                      bad_addresses[i] ? ZX_ERR_INVALID_ARGS : ZX_OK);
        if (bad_addresses[i] == 0)
            write_text(ends.a, "kept");
    }
    expect_text(ends.b, 0, 8, "kept");
    close_ends(&ends);
}

/* Bytes in many sizes from one thread to another, across the point where the queue is full. */
#define FLOW_BYTES ((size_t)3 << 20)

static int write_flow(void *arg)
{
    zx_handle_t socket = *(zx_handle_t *)arg;
    static uint8_t data[9000];
    size_t done = 0;

    for (size_t turn = 0; done < FLOW_BYTES; turn++) {
        size_t len = 1 + turn * 977 % sizeof(data), actual;
        if (len > FLOW_BYTES - done)
            len = FLOW_BYTES - done;
        for (size_t i = 0; i < len; i++)
            data[i] = (uint8_t)((done + i) * 7 / 5);
        zx_status_t status = zx_socket_write(socket, 0, data, len, &actual);
        if (status == ZX_OK)
            done += actual;
        else if (status != ZX_ERR_SHOULD_WAIT ||
                 zx_object_wait_one(socket, ZX_SOCKET_WRITABLE, zx_deadline_after(PATIENCE),
                                    NULL) != ZX_OK)
            return 1;
    }
    return 0;
}

TEST(socket, a_flow_between_threads)
{
    struct ends ends = socket_pair(ZX_SOCKET_STREAM);
    static uint8_t in[7000];
    struct thread *thread;
    size_t done = 0, wrong = 0, actual;

    ASSERT_OK(thread_spawn("writer", write_flow, &ends.a, &thread));
    for (size_t turn = 0; done < FLOW_BYTES; turn++) {
        zx_status_t status = zx_socket_read(ends.b, 0, in, 1 + turn * 389 % sizeof(in), &actual);
        if (status == ZX_ERR_SHOULD_WAIT) {
            ASSERT_OK(
                zx_object_wait_one(ends.b, ZX_SOCKET_READABLE, zx_deadline_after(PATIENCE), NULL));
            continue;
        }
        ASSERT_OK(status);
        for (size_t i = 0; i < actual; i++)
            wrong += in[i] != (uint8_t)((done + i) * 7 / 5);
        done += actual;
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(thread_join(thread), 0);
    close_ends(&ends);
}
