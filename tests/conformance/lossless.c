/* Calls that fail when they hand something over leave it where it was; ends of channels that nobody
 * can reach do not stay. */
#include <string.h>
#include <zircon/syscalls/port.h>

#include "tests/conformance/util.h"
#include "userland/libzx/thread.h"

#define BAD ((void *)KERNEL_ADDRESS)

static zx_signals_t signals_of(zx_handle_t handle)
{
    zx_signals_t observed = 0;
    zx_object_wait_one(handle, 0, 0, &observed);
    return observed;
}

/* ---- Messages -------------------------------------------------------------------------------- */

TEST(lossless, channel_read_into_bad_memory)
{
    zx_handle_t ends[2], event, got = 0;
    uint32_t bytes = 0, handles = 0;
    char text[8] = {0};

    ASSERT_OK(zx_channel_create(0, &ends[0], &ends[1]));
    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_channel_write(ends[0], 0, "first", 6, &event, 1));
    ASSERT_OK(zx_channel_write(ends[0], 0, "second", 7, NULL, 0));
    EXPECT_STATUS(zx_channel_read(ends[1], 0, BAD, &got, 8, 1, NULL, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_read(ends[1], 0, text, BAD, 8, 1, NULL, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_read(ends[1], 0, text, &got, 8, 1, BAD, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_read(ends[1], 0, text, &got, 8, 1, NULL, BAD), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_read_etc(ends[1], 0, text, BAD, 8, 1, NULL, NULL),
                  ZX_ERR_INVALID_ARGS);
    EXPECT(signals_of(ends[1]) & ZX_CHANNEL_READABLE);
    memset(text, 0, sizeof(text));
    ASSERT_OK(zx_channel_read(ends[1], 0, text, &got, 8, 1, &bytes, &handles));
    EXPECT(strcmp(text, "first") == 0);
    EXPECT_EQ(bytes, 6);
    EXPECT_EQ(handles, 1);
    EXPECT_OK(zx_object_signal(got, 0, ZX_EVENT_SIGNALED));
    close_handle(got);
    ASSERT_OK(zx_channel_read(ends[1], 0, text, NULL, 8, 0, NULL, NULL));
    EXPECT(strcmp(text, "second") == 0);
    EXPECT_STATUS(zx_channel_read(ends[1], 0, text, NULL, 8, 0, NULL, NULL), ZX_ERR_SHOULD_WAIT);
    close_handle(ends[0]);
    close_handle(ends[1]);
}

/* The message with the end goes back into the queue, and the end works afterwards. */
TEST(lossless, channel_read_of_an_end_into_bad_memory)
{
    zx_handle_t outer[2], inner[2], got = 0;

    ASSERT_OK(zx_channel_create(0, &outer[0], &outer[1]));
    ASSERT_OK(zx_channel_create(0, &inner[0], &inner[1]));
    ASSERT_OK(zx_channel_write(outer[0], 0, NULL, 0, &inner[1], 1));
    EXPECT_STATUS(zx_channel_read(outer[1], 0, NULL, BAD, 0, 1, NULL, NULL), ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_channel_read(outer[1], 0, NULL, &got, 0, 1, NULL, NULL));
    EXPECT_OK(zx_channel_write(got, 0, "x", 1, NULL, 0));
    EXPECT(signals_of(inner[0]) & ZX_CHANNEL_READABLE);
    close_handle(got);
    close_handle(inner[0]);
    close_handle(outer[0]);
    close_handle(outer[1]);
}

TEST(lossless, port_wait_into_bad_memory)
{
    zx_handle_t port, event;
    zx_port_packet_t packet = {.key = 1};

    ASSERT_OK(zx_port_create(0, &port));
    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_object_wait_async(event, port, 2, ZX_EVENT_SIGNALED, 0));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    ASSERT_OK(zx_port_queue(port, &packet));
    EXPECT_STATUS(zx_port_wait(port, 0, BAD), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_port_wait(port, 0, BAD), ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.key, 2);
    EXPECT_EQ(packet.type, ZX_PKT_TYPE_SIGNAL_ONE);
    EXPECT_STATUS(zx_port_wait(port, 0, BAD), ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.key, 1);
    EXPECT_EQ(packet.type, ZX_PKT_TYPE_USER);
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);

    /* What was put back can be cancelled and goes with the port. */
    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_EVENT_SIGNALED, 0));
    EXPECT_STATUS(zx_port_wait(port, 0, BAD), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_port_cancel(port, event, 3));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    ASSERT_OK(zx_object_wait_async(event, port, 4, ZX_EVENT_SIGNALED, 0));
    EXPECT_STATUS(zx_port_wait(port, 0, BAD), ZX_ERR_INVALID_ARGS);
    close_handle(port);
    close_handle(event);
}

/* ---- Ends in queues -------------------------------------------------------------------------- */

static void expect_closed(zx_handle_t end)
{
    EXPECT(signals_of(end) & ZX_CHANNEL_PEER_CLOSED);
    EXPECT_STATUS(zx_channel_write(end, 0, NULL, 0, NULL, 0), ZX_ERR_PEER_CLOSED);
}

/* Often, so that a leak shows in the count of free pages. */
TEST(lossless, end_sent_to_itself)
{
    for (unsigned i = 0; i < 1000; i++) {
        zx_handle_t ends[2];
        ASSERT_OK(zx_channel_create(0, &ends[0], &ends[1]));
        ASSERT_OK(zx_channel_write(ends[0], 0, "x", 1, NULL, 0));
        ASSERT_OK(zx_channel_write(ends[0], 0, NULL, 0, &ends[1], 1));
        expect_closed(ends[0]);
        close_handle(ends[0]);
    }
}

TEST(lossless, ends_sent_round_in_a_circle)
{
    enum { LEN = 5 };
    for (unsigned i = 0; i < 300; i++) {
        zx_handle_t near[LEN], far[LEN], event;
        for (unsigned k = 0; k < LEN; k++)
            ASSERT_OK(zx_channel_create(0, &near[k], &far[k]));
        ASSERT_OK(zx_event_create(0, &event));
        ASSERT_OK(zx_channel_write(near[2], 0, "x", 1, &event, 1));
        for (unsigned k = 0; k < LEN; k++) {
            EXPECT(!(signals_of(near[0]) & ZX_CHANNEL_PEER_CLOSED));
            ASSERT_OK(zx_channel_write(near[(k + 1) % LEN], 0, NULL, 0, &far[k], 1));
        }
        for (unsigned k = 0; k < LEN; k++) {
            expect_closed(near[k]);
            close_handle(near[k]);
        }
    }
}

/* A caller would wait for ever for an answer from there. */
TEST(lossless, call_that_sends_the_end_to_itself)
{
    zx_handle_t ends[2];
    zx_txid_t txid = 0;
    zx_channel_call_args_t args = {.wr_bytes = &txid, .wr_num_bytes = 4, .wr_num_handles = 1};

    ASSERT_OK(zx_channel_create(0, &ends[0], &ends[1]));
    args.wr_handles = &ends[1];
    EXPECT_STATUS(zx_channel_call(ends[0], 0, zx_deadline_after(PATIENCE), &args, NULL, NULL),
                  ZX_ERR_PEER_CLOSED);
    close_handle(ends[0]);
}

/* Nested as deep as this, every end stays, and each can be had back. */
TEST(lossless, nested_ends_stay)
{
    enum { DEPTH = 200 };
    static zx_handle_t near[DEPTH], far[DEPTH];
    zx_handle_t reader;

    for (unsigned k = 0; k < DEPTH; k++)
        ASSERT_OK(zx_channel_create(0, &near[k], &far[k]));
    for (unsigned k = 0; k + 1 < DEPTH; k++) /* from outside, so that the way to look is longest */
        ASSERT_OK(zx_channel_write(near[k], 0, NULL, 0, &far[k + 1], 1));
    reader = far[0];
    for (unsigned k = 0; k + 1 < DEPTH; k++) {
        zx_handle_t next;
        ASSERT_OK(zx_channel_read(reader, 0, NULL, &next, 0, 1, NULL, NULL));
        close_handle(reader);
        reader = next;
    }
    close_handle(reader);
    for (unsigned k = 0; k < DEPTH; k++) {
        expect_closed(near[k]);
        close_handle(near[k]);
    }
}

/* ---- Fifos and watches ----------------------------------------------------------------------- */

TEST(lossless, fifo_read_into_bad_memory)
{
    zx_handle_t ends[2];
    uint64_t word = 17;
    size_t actual = 0;

    ASSERT_OK(zx_fifo_create(4, 8, 0, &ends[0], &ends[1]));
    ASSERT_OK(zx_fifo_write(ends[0], 8, &word, 1, NULL));
    EXPECT_STATUS(zx_fifo_read(ends[1], 8, BAD, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_fifo_read(ends[1], 8, &word, 1, BAD), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(actual, 0);
    word = 0;
    ASSERT_OK(zx_fifo_read(ends[1], 8, &word, 4, &actual));
    EXPECT_EQ(word, 17);
    EXPECT_EQ(actual, 1);
    close_handle(ends[0]);
    close_handle(ends[1]);
}

/* Their number is limited, as a change of signals looks at each; what is told at once is not. */
TEST(lossless, watches_of_one_object_are_limited)
{
    zx_handle_t port, event;
    zx_port_packet_t packet;
    zx_status_t status = ZX_OK;
    unsigned count = 0;

    ASSERT_OK(zx_port_create(0, &port));
    ASSERT_OK(zx_event_create(0, &event));
    while (status == ZX_OK && count < 100000) {
        status = zx_object_wait_async(event, port, count, ZX_EVENT_SIGNALED, 0);
        count += status == ZX_OK;
    }
    EXPECT_STATUS(status, ZX_ERR_NO_MEMORY);
    EXPECT_EQ(count, 8192);
    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, NULL), ZX_ERR_TIMED_OUT);
    EXPECT_OK(zx_port_cancel(port, event, 0));
    EXPECT_OK(zx_object_wait_async(event, port, count, ZX_EVENT_SIGNALED, 0));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_OK(zx_object_wait_async(event, port, count + 1, ZX_EVENT_SIGNALED, 0));
    for (unsigned i = 1; i <= count + 1; i++) {
        ASSERT_OK(zx_port_wait(port, 0, &packet));
        ASSERT_EQ(packet.key, i);
    }
    ASSERT_OK(zx_object_signal(event, ZX_EVENT_SIGNALED, 0));
    for (unsigned i = 0; i < 8192; i++)
        ASSERT_OK(zx_object_wait_async(event, port, i, ZX_EVENT_SIGNALED, 0));
    close_handle(event);
    close_handle(port);
}

/* So is that of a port, queued packets included: they are the kernel's memory, and a cancel looks
 * at each. It takes what matches and leaves the rest, wherever in the queue. */
TEST(lossless, watches_of_one_port_are_limited)
{
    enum { EVENTS = 4, LIMIT = 16384 };
    zx_handle_t port, events[EVENTS];
    zx_port_packet_t packet;
    zx_status_t status = ZX_OK;
    unsigned count = 0;

    ASSERT_OK(zx_port_create(0, &port));
    for (unsigned i = 0; i < EVENTS; i++)
        ASSERT_OK(zx_event_create(0, &events[i]));
    while (status == ZX_OK && count < 100000) {
        status = zx_object_wait_async(events[count % EVENTS], port, count % 3, ZX_USER_SIGNAL_0, 0);
        count += status == ZX_OK;
    }
    EXPECT_STATUS(status, ZX_ERR_NO_MEMORY);
    EXPECT_EQ(count, LIMIT);
    /* A packet counts as the registration that it comes from, until it is taken. */
    ASSERT_OK(zx_object_signal(events[0], 0, ZX_USER_SIGNAL_0));
    EXPECT_STATUS(zx_object_wait_async(events[1], port, 0, ZX_USER_SIGNAL_0, 0), ZX_ERR_NO_MEMORY);
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_OK(zx_object_wait_async(events[1], port, packet.key, ZX_USER_SIGNAL_0, 0));
    EXPECT_STATUS(zx_object_wait_async(events[1], port, 0, ZX_USER_SIGNAL_0, 0), ZX_ERR_NO_MEMORY);
    /* A third of everything goes, active or queued. */
    EXPECT_OK(zx_port_cancel_key(port, 0, 1));
    EXPECT_STATUS(zx_port_cancel_key(port, 0, 1), ZX_ERR_NOT_FOUND);
    for (unsigned i = 1; i < EVENTS; i++)
        ASSERT_OK(zx_object_signal(events[i], 0, ZX_USER_SIGNAL_0));
    unsigned left = 0;
    while (zx_port_wait(port, 0, &packet) == ZX_OK) {
        left++;
        if (packet.key == 1)
            test_fail(__FILE__, __LINE__, "a cancelled packet came");
    }
    EXPECT_EQ(left, LIMIT - (LIMIT + 1) / 3);
    for (unsigned i = 0; i < EVENTS; i++)
        close_handle(events[i]);
    close_handle(port);
}

/* Cancels with other keys run beside packets and other cancels, and each finds all that is its. */
struct canceller {
    zx_handle_t port, event;
    uint64_t key;
    bool missed;
};

static int cancel_body(void *arg)
{
    struct canceller *self = arg;
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < 150; i++) {
            if (zx_object_wait_async(self->event, self->port, self->key, ZX_USER_SIGNAL_0, 0) != 0)
                self->missed = true;
        }
        if (zx_port_cancel_key(self->port, 0, self->key) != ZX_OK ||
            zx_port_cancel_key(self->port, 0, self->key) != ZX_ERR_NOT_FOUND)
            self->missed = true;
    }
    return 0;
}

TEST(lossless, cancels_beside_each_other_miss_nothing)
{
    enum { THREADS = 4 };
    struct canceller cancellers[THREADS];
    struct thread *threads[THREADS];
    zx_port_packet_t packet = {.key = 99};
    unsigned packets = 0;
    zx_handle_t port, event;

    ASSERT_OK(zx_port_create(0, &port));
    ASSERT_OK(zx_event_create(0, &event));
    for (unsigned i = 0; i < THREADS; i++) {
        cancellers[i] = (struct canceller){.port = port, .event = event, .key = i};
        ASSERT_OK(thread_spawn("cancel", cancel_body, &cancellers[i], &threads[i]));
    }
    for (unsigned i = 0; i < 2000; i++) {
        if (i % 7 == 0) { /* fires some of them, so that they change lists under the walks */
            ASSERT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_0));
            ASSERT_OK(zx_object_signal(event, ZX_USER_SIGNAL_0, 0));
        }
        packet.key = 99;
        ASSERT_OK(zx_port_queue(port, &packet));
        packets++;
    }
    for (unsigned i = 0; i < THREADS; i++) {
        EXPECT_EQ(thread_join(threads[i]), 0);
        EXPECT(!cancellers[i].missed);
    }
    while (zx_port_wait(port, 0, &packet) == ZX_OK) {
        packets--;
        EXPECT_EQ(packet.key, 99);
    }
    EXPECT_EQ(packets, 0);
    close_handle(event);
    close_handle(port);
}
