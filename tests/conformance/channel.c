/* Channels: messages, limits, handles in flight, closing, calls. */
#include "tests/conformance/util.h"

#include <string.h>

#include "userland/libzx/thread.h"

struct pair {
    zx_handle_t a, b;
};

static struct pair pair_new(void)
{
    struct pair pair;

    ASSERT_OK(zx_channel_create(0, &pair.a, &pair.b));
    return pair;
}

static void pair_drop(const struct pair *pair)
{
    close_handle(pair->a);
    close_handle(pair->b);
}

static zx_signals_t state_of(zx_handle_t handle)
{
    zx_signals_t observed = 0;

    EXPECT_STATUS(zx_object_wait_one(handle, 0, 0, &observed), ZX_ERR_TIMED_OUT);
    return observed;
}

static zx_status_t read_u32(zx_handle_t channel, uint32_t *value)
{
    uint32_t bytes = 0;
    zx_status_t status = zx_channel_read(channel, 0, value, NULL, sizeof(*value), 0, &bytes, NULL);

    return status == ZX_OK && bytes != sizeof(*value) ? ZX_ERR_INTERNAL : status;
}

TEST(channel, creation_checks_its_arguments)
{
    zx_handle_t a = SENTINEL_HANDLE, b = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_channel_create(1, &a, &b), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        zx_handle_t *bad = (zx_handle_t *)bad_addresses[i];
        EXPECT_STATUS(zx_channel_create(0, bad, &b), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_channel_create(0, &a, bad), ZX_ERR_INVALID_ARGS);
    }
    EXPECT_EQ(a, SENTINEL_HANDLE);
    EXPECT_EQ(b, SENTINEL_HANDLE);
}

TEST(channel, messages_arrive_in_order)
{
    struct pair pair = pair_new();
    uint32_t value;

    EXPECT_EQ(state_of(pair.a), ZX_CHANNEL_WRITABLE);
    EXPECT_STATUS(read_u32(pair.b, &value), ZX_ERR_SHOULD_WAIT);
    for (uint32_t i = 0; i < 100; i++)
        ASSERT_OK(zx_channel_write(pair.a, 0, &i, sizeof(i), NULL, 0));
    EXPECT_EQ(state_of(pair.b), ZX_CHANNEL_WRITABLE | ZX_CHANNEL_READABLE);
    EXPECT_EQ(state_of(pair.a), ZX_CHANNEL_WRITABLE);
    for (uint32_t i = 0; i < 100; i++) {
        ASSERT_OK(read_u32(pair.b, &value));
        EXPECT_EQ(value, i);
    }
    EXPECT_EQ(state_of(pair.b), ZX_CHANNEL_WRITABLE);
    EXPECT_STATUS(read_u32(pair.b, &value), ZX_ERR_SHOULD_WAIT);
    pair_drop(&pair);
}

TEST(channel, both_directions)
{
    struct pair pair = pair_new();
    uint32_t value = 1;

    ASSERT_OK(zx_channel_write(pair.a, 0, &value, sizeof(value), NULL, 0));
    value = 2;
    ASSERT_OK(zx_channel_write(pair.b, 0, &value, sizeof(value), NULL, 0));
    ASSERT_OK(read_u32(pair.a, &value));
    EXPECT_EQ(value, 2);
    ASSERT_OK(read_u32(pair.b, &value));
    EXPECT_EQ(value, 1);
    pair_drop(&pair);
}

TEST(channel, an_empty_message_is_a_message)
{
    struct pair pair = pair_new();
    uint32_t bytes = 77, handles = 77;

    ASSERT_OK(zx_channel_write(pair.a, 0, NULL, 0, NULL, 0));
    ASSERT_OK(zx_channel_read(pair.b, 0, NULL, NULL, 0, 0, &bytes, &handles));
    EXPECT_EQ(bytes, 0);
    EXPECT_EQ(handles, 0);
    pair_drop(&pair);
}

TEST(channel, the_largest_message)
{
    static unsigned char out[ZX_CHANNEL_MAX_MSG_BYTES], in[ZX_CHANNEL_MAX_MSG_BYTES];
    struct pair pair = pair_new();
    uint32_t bytes;

    for (size_t i = 0; i < sizeof(out); i++)
        out[i] = (unsigned char)(i * 31 + (i >> 8));
    ASSERT_OK(zx_channel_write(pair.a, 0, out, sizeof(out), NULL, 0));
    ASSERT_OK(zx_channel_read(pair.b, 0, in, NULL, sizeof(in), 0, &bytes, NULL));
    EXPECT_EQ(bytes, sizeof(out));
    EXPECT(memcmp(in, out, sizeof(out)) == 0);
    EXPECT_STATUS(zx_channel_write(pair.a, 0, out, sizeof(out) + 1, NULL, 0), ZX_ERR_OUT_OF_RANGE);
    pair_drop(&pair);
}

TEST(channel, the_most_handles)
{
    enum { MOST = ZX_CHANNEL_MAX_MSG_HANDLES };
    zx_handle_t handles[MOST + 1];
    zx_koid_t koids[MOST];
    struct pair pair = pair_new();
    uint32_t count;

    for (int i = 0; i < MOST; i++) {
        ASSERT_OK(zx_event_create(0, &handles[i]));
        koids[i] = koid_of(handles[i]);
    }
    ASSERT_OK(zx_channel_write(pair.a, 0, NULL, 0, handles, MOST));
    for (int i = 0; i < MOST; i++)
        EXPECT_STATUS(zx_handle_check_valid(handles[i]), ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_channel_read(pair.b, 0, NULL, handles, 0, MOST, NULL, &count));
    ASSERT_EQ(count, MOST);
    for (int i = 0; i < MOST; i++)
        EXPECT_EQ(koid_of(handles[i]), koids[i]); /* and in order */
    ASSERT_OK(zx_event_create(0, &handles[MOST]));
    EXPECT_STATUS(zx_channel_write(pair.a, 0, NULL, 0, handles, MOST + 1), ZX_ERR_OUT_OF_RANGE);
    for (int i = 0; i <= MOST; i++)
        zx_handle_close(handles[i]); /* consumed or not */
    pair_drop(&pair);
}

TEST(channel, a_short_buffer_keeps_the_message)
{
    struct pair pair = pair_new();
    zx_handle_t event, out[2];
    uint64_t value = 0x1122334455667788, in = 0;
    uint32_t bytes = 77, handles = 77;

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_channel_write(pair.a, 0, &value, sizeof(value), &event, 1));
    EXPECT_STATUS(zx_channel_read(pair.b, 0, &in, out, 7, 1, &bytes, &handles),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_EQ(bytes, 8);
    EXPECT_EQ(handles, 1);
    EXPECT_EQ(in, 0);
    EXPECT_STATUS(zx_channel_read(pair.b, 0, &in, NULL, 8, 0, &bytes, &handles),
                  ZX_ERR_BUFFER_TOO_SMALL);
    ASSERT_OK(zx_channel_read(pair.b, 0, &in, out, 8, 2, &bytes, &handles));
    EXPECT_EQ(in, value);
    EXPECT_EQ(handles, 1);
    close_handle(out[0]);
    pair_drop(&pair);
}

TEST(channel, may_discard_drops_it)
{
    struct pair pair = pair_new();
    zx_handle_t mine, theirs;
    uint32_t bytes = 77, handles = 77;

    ASSERT_OK(zx_eventpair_create(0, &mine, &theirs));
    ASSERT_OK(zx_channel_write(pair.a, 0, "message", 8, &theirs, 1));
    EXPECT_STATUS(
        zx_channel_read(pair.b, ZX_CHANNEL_READ_MAY_DISCARD, NULL, NULL, 0, 0, &bytes, &handles),
        ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_EQ(bytes, 8);
    EXPECT_EQ(handles, 1);
    EXPECT_EQ(state_of(pair.b), ZX_CHANNEL_WRITABLE);
    EXPECT_EQ(state_of(mine), ZX_EVENTPAIR_PEER_CLOSED);
    close_handle(mine);
    pair_drop(&pair);
}

TEST(channel, read_etc_tells_types_and_rights)
{
    struct pair pair = pair_new();
    zx_handle_t handles[2];
    zx_handle_info_t infos[2];
    uint32_t count;

    ASSERT_OK(zx_event_create(0, &handles[0]));
    ASSERT_OK(zx_handle_replace(handles[0], ZX_RIGHT_TRANSFER | ZX_RIGHT_WAIT, &handles[0]));
    handles[1] = vmo_new(PAGE);
    ASSERT_OK(zx_channel_write(pair.a, 0, NULL, 0, handles, 2));
    ASSERT_OK(zx_channel_read_etc(pair.b, 0, NULL, infos, 0, 2, NULL, &count));
    ASSERT_EQ(count, 2);
    EXPECT_EQ(infos[0].type, ZX_OBJ_TYPE_EVENT);
    EXPECT_EQ(infos[0].rights, ZX_RIGHT_TRANSFER | ZX_RIGHT_WAIT);
    EXPECT_EQ(infos[1].type, ZX_OBJ_TYPE_VMO);
    EXPECT_EQ(infos[1].rights, ZX_DEFAULT_VMO_RIGHTS);
    close_handle(infos[0].handle);
    close_handle(infos[1].handle);
    pair_drop(&pair);
}

/* ---- Errors of writing; the handles are gone whatever happens ---- */

static void expect_write_consumes(zx_handle_t channel, zx_handle_t extra, zx_status_t want)
{
    zx_handle_t handles[2] = {ZX_HANDLE_INVALID, extra};

    ASSERT_OK(zx_event_create(0, &handles[0]));
    EXPECT_STATUS(zx_channel_write(channel, 0, "x", 1, handles, extra == 0 ? 1 : 2), want);
    EXPECT_STATUS(zx_handle_check_valid(handles[0]), ZX_ERR_BAD_HANDLE);
    if (extra != 0)
        EXPECT_STATUS(zx_handle_check_valid(extra), ZX_ERR_BAD_HANDLE);
}

TEST(channel, failed_writes_consume_their_handles)
{
    struct pair pair = pair_new();
    zx_handle_t event;

    expect_write_consumes(pair.a, 3, ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_event_create(0, &event));
    zx_handle_t weak = duplicate_without(event, ZX_RIGHT_TRANSFER);
    expect_write_consumes(pair.a, weak, ZX_ERR_ACCESS_DENIED);
    close_handle(event);
    EXPECT_STATUS(read_u32(pair.b, &(uint32_t){0}), ZX_ERR_SHOULD_WAIT);
    close_handle(pair.b);
    expect_write_consumes(pair.a, 0, ZX_ERR_PEER_CLOSED);
    close_handle(pair.a);
}

TEST(channel, a_handle_twice_in_one_message)
{
    struct pair pair = pair_new();
    zx_handle_t handles[2];

    ASSERT_OK(zx_event_create(0, &handles[0]));
    handles[1] = handles[0];
    EXPECT_STATUS(zx_channel_write(pair.a, 0, NULL, 0, handles, 2), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_check_valid(handles[0]), ZX_ERR_BAD_HANDLE);
    pair_drop(&pair);
}

TEST(channel, an_end_does_not_travel_through_itself)
{
    struct pair pair = pair_new();
    zx_handle_t self = pair.a;

    EXPECT_STATUS(zx_channel_write(pair.a, 0, NULL, 0, &self, 1), ZX_ERR_NOT_SUPPORTED);
    /* Whether the end is consumed as well is seen from the other side. */
    zx_handle_close(pair.a);
    EXPECT_EQ(state_of(pair.b), ZX_CHANNEL_PEER_CLOSED);
    close_handle(pair.b);
}

TEST(channel, options_and_pointers)
{
    struct pair pair = pair_new();
    uint32_t value = 5, count;

    EXPECT_STATUS(zx_channel_write(pair.a, 8, &value, 4, NULL, 0), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        EXPECT_STATUS(zx_channel_write(pair.a, 0, bad, 8, NULL, 0), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_channel_write(pair.a, 0, NULL, 0, bad, 2), ZX_ERR_INVALID_ARGS);
    }
    EXPECT_STATUS(zx_channel_write(pair.a, 0, NULL, 8, NULL, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(read_u32(pair.b, &value), ZX_ERR_SHOULD_WAIT);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        ASSERT_OK(zx_channel_write(pair.a, 0, &value, 4, NULL, 0));
        EXPECT_STATUS(zx_channel_read(pair.b, 0, bad, NULL, 4, 0, &count, NULL),
                      ZX_ERR_INVALID_ARGS);
        while (zx_channel_read(pair.b, 0, &value, NULL, 4, 0, NULL, NULL) == ZX_OK)
            continue;
    }
    pair_drop(&pair);
}

TEST(channel, rights_and_types)
{
    struct pair pair = pair_new();
    zx_handle_t weak, event;
    uint32_t value = 0;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_channel_write(event, 0, &value, 4, NULL, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(read_u32(event, &value), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_channel_write(ZX_HANDLE_INVALID, 0, &value, 4, NULL, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(read_u32(ZX_HANDLE_INVALID, &value), ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_handle_replace(pair.a, ZX_DEFAULT_CHANNEL_RIGHTS & ~ZX_RIGHT_WRITE, &weak));
    EXPECT_STATUS(zx_channel_write(weak, 0, &value, 4, NULL, 0), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    ASSERT_OK(zx_handle_replace(pair.b, ZX_DEFAULT_CHANNEL_RIGHTS & ~ZX_RIGHT_READ, &weak));
    EXPECT_STATUS(read_u32(weak, &value), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    close_handle(event);
}

/* ---- Closing ---- */

TEST(channel, messages_outlive_their_writer)
{
    struct pair pair = pair_new();
    uint32_t value = 9;

    ASSERT_OK(zx_channel_write(pair.a, 0, &value, 4, NULL, 0));
    close_handle(pair.a);
    EXPECT_EQ(state_of(pair.b), ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED);
    value = 0;
    ASSERT_OK(read_u32(pair.b, &value));
    EXPECT_EQ(value, 9);
    EXPECT_EQ(state_of(pair.b), ZX_CHANNEL_PEER_CLOSED);
    EXPECT_STATUS(read_u32(pair.b, &value), ZX_ERR_PEER_CLOSED);
    EXPECT_STATUS(zx_channel_write(pair.b, 0, &value, 4, NULL, 0), ZX_ERR_PEER_CLOSED);
    close_handle(pair.b);
}

TEST(channel, unread_handles_are_closed)
{
    struct pair pair = pair_new();
    zx_handle_t mine, theirs;

    ASSERT_OK(zx_eventpair_create(0, &mine, &theirs));
    ASSERT_OK(zx_channel_write(pair.a, 0, NULL, 0, &theirs, 1));
    close_handle(pair.a);
    EXPECT_EQ(state_of(mine), 0);
    close_handle(pair.b);
    EXPECT_EQ(state_of(mine), ZX_EVENTPAIR_PEER_CLOSED);
    close_handle(mine);
}

TEST(channel, channels_inside_channels_are_closed_however_deep)
{
    enum { DEPTH = 2000 };
    zx_handle_t inner, outer[2], watcher, last;

    ASSERT_OK(zx_eventpair_create(0, &watcher, &last));
    inner = last;
    for (int i = 0; i < DEPTH; i++) {
        ASSERT_OK(zx_channel_create(0, &outer[0], &outer[1]));
        ASSERT_OK(zx_channel_write(outer[0], 0, NULL, 0, &inner, 1));
        close_handle(outer[0]);
        inner = outer[1];
    }
    close_handle(inner);
    EXPECT_OK(
        zx_object_wait_one(watcher, ZX_EVENTPAIR_PEER_CLOSED, zx_deadline_after(PATIENCE), NULL));
    close_handle(watcher);
}

TEST(channel, a_wait_ends_when_the_peer_closes)
{
    struct pair pair = pair_new();
    zx_signals_t observed = 0;

    close_handle(pair.b);
    EXPECT_OK(zx_object_wait_one(pair.a, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED,
                                 zx_deadline_after(PATIENCE), &observed));
    EXPECT_EQ(observed, ZX_CHANNEL_PEER_CLOSED);
    close_handle(pair.a);
}

/* ---- zx_channel_call ---- */

struct call {
    zx_txid_t txid;
    uint32_t value;
};

static zx_status_t call(zx_handle_t channel, struct call *message, zx_time_t deadline)
{
    struct call reply = {0};
    zx_channel_call_args_t args = {
        .wr_bytes = message,
        .wr_num_bytes = sizeof(*message),
        .rd_bytes = &reply,
        .rd_num_bytes = sizeof(reply),
    };
    uint32_t bytes = 0, handles = 0;
    zx_status_t status = zx_channel_call(channel, 0, deadline, &args, &bytes, &handles);

    if (status == ZX_OK)
        *message = reply;
    return status;
}

/* Answers requests with their value plus one until the channel closes. */
static int serve(void *arg)
{
    zx_handle_t channel = *(zx_handle_t *)arg;
    struct call message;

    for (;;) {
        if (zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE), NULL) !=
                ZX_OK ||
            zx_channel_read(channel, 0, &message, NULL, sizeof(message), 0, NULL, NULL) != ZX_OK)
            return 1;
        if (message.value == UINT32_MAX)
            return 0;
        if ((message.txid & 0x80000000u) == 0)
            return 2;
        message.value++;
        if (zx_channel_write(channel, 0, &message, sizeof(message), NULL, 0) != ZX_OK)
            return 3;
    }
}

TEST(channel, calls_get_their_replies)
{
    struct pair pair = pair_new();
    struct thread *thread;
    struct call message;

    ASSERT_OK(thread_spawn("server", serve, &pair.b, &thread));
    for (uint32_t i = 0; i < 200; i++) {
        message = (struct call){.txid = 1, .value = i};
        ASSERT_OK(call(pair.a, &message, zx_deadline_after(PATIENCE)));
        EXPECT_EQ(message.value, i + 1);
    }
    message.value = UINT32_MAX;
    ASSERT_OK(zx_channel_write(pair.a, 0, &message, sizeof(message), NULL, 0));
    EXPECT_EQ(thread_join(thread), 0);
    pair_drop(&pair);
}

struct caller {
    zx_handle_t channel;
    uint32_t first;
    zx_status_t status;
};

static int call_often(void *arg)
{
    struct caller *caller = arg;

    for (uint32_t i = 0; i < 100; i++) {
        struct call message = {.value = caller->first + i};
        caller->status = call(caller->channel, &message, zx_deadline_after(PATIENCE));
        if (caller->status != ZX_OK || message.value != caller->first + i + 1)
            return 1;
    }
    return 0;
}

TEST(channel, calls_of_several_threads_do_not_mix)
{
    enum { COUNT = 4 };
    struct pair pair = pair_new();
    struct thread *server, *threads[COUNT];
    struct caller callers[COUNT];
    struct call message = {.value = UINT32_MAX};

    ASSERT_OK(thread_spawn("server", serve, &pair.b, &server));
    for (uint32_t i = 0; i < COUNT; i++) {
        callers[i] = (struct caller){.channel = pair.a, .first = i * 1000};
        ASSERT_OK(thread_spawn("caller", call_often, &callers[i], &threads[i]));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        EXPECT_EQ(thread_join(threads[i]), 0);
        EXPECT_OK(callers[i].status);
    }
    ASSERT_OK(zx_channel_write(pair.a, 0, &message, sizeof(message), NULL, 0));
    EXPECT_EQ(thread_join(server), 0);
    pair_drop(&pair);
}

TEST(channel, calls_that_fail)
{
    struct pair pair = pair_new();
    struct call message = {.value = 1};
    zx_channel_call_args_t args = {.wr_bytes = &message, .wr_num_bytes = 3};
    uint32_t bytes, handles;

    EXPECT_STATUS(zx_channel_call(pair.a, 0, 0, &args, &bytes, &handles), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(call(pair.a, &message, zx_deadline_after(ZX_MSEC(5))), ZX_ERR_TIMED_OUT);
    /* The request was sent all the same, and its reply comes too late for anybody. */
    ASSERT_OK(zx_channel_read(pair.b, 0, &message, NULL, sizeof(message), 0, NULL, NULL));
    EXPECT_EQ(message.value, 1);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_STATUS(
            zx_channel_call(pair.a, 0, 0, (const void *)bad_addresses[i], &bytes, &handles),
            ZX_ERR_INVALID_ARGS);
    close_handle(pair.b);
    EXPECT_STATUS(call(pair.a, &message, zx_deadline_after(PATIENCE)), ZX_ERR_PEER_CLOSED);
    close_handle(pair.a);
}

static int close_after_request(void *arg)
{
    zx_handle_t channel = *(zx_handle_t *)arg;

    zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE), NULL);
    return zx_handle_close(channel);
}

TEST(channel, a_call_ends_when_the_peer_closes)
{
    struct pair pair = pair_new();
    struct call message = {.value = 1};
    struct thread *thread;

    ASSERT_OK(thread_spawn("closer", close_after_request, &pair.b, &thread));
    EXPECT_STATUS(call(pair.a, &message, zx_deadline_after(PATIENCE)), ZX_ERR_PEER_CLOSED);
    EXPECT_EQ(thread_join(thread), 0);
    close_handle(pair.a);
}
