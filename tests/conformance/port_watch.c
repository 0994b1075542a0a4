/* What a port's packets say about the object that was watched. */
#include "tests/conformance/util.h"

#include <zircon/syscalls/port.h>

TEST(port_watch, a_packet_counts_the_messages_of_a_channel)
{
    zx_handle_t ends[2], port;
    zx_port_packet_t packet;

    ASSERT_OK(zx_port_create(0, &port));
    ASSERT_OK(zx_channel_create(0, &ends[0], &ends[1]));
    for (int i = 0; i < 3; i++)
        ASSERT_OK(zx_channel_write(ends[0], 0, "x", 1, NULL, 0));
    ASSERT_OK(zx_object_wait_async(ends[1], port, 1, ZX_CHANNEL_READABLE, 0));
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.signal.count, 3);
    ASSERT_OK(zx_object_wait_async(ends[1], port, 1, ZX_CHANNEL_WRITABLE, 0));
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.signal.count, 1);
    close_handle(ends[0]);
    close_handle(ends[1]);
    close_handle(port);
}

TEST(port_watch, wait_async_with_a_time_and_for_edges)
{
    zx_handle_t event, port;
    zx_port_packet_t packet;

    ASSERT_OK(zx_port_create(0, &port));
    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    zx_time_t before = zx_clock_get_monotonic();
    ASSERT_OK(zx_object_wait_async(event, port, 1, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_TIMESTAMP));
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT((zx_time_t)packet.signal.timestamp >= before);
    EXPECT((zx_time_t)packet.signal.timestamp <= zx_clock_get_monotonic());
    /* Only a signal that comes from now on counts. */
    ASSERT_OK(zx_object_wait_async(event, port, 2, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_EDGE));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    ASSERT_OK(zx_object_signal(event, ZX_EVENT_SIGNALED, 0));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.key, 2);
    EXPECT_EQ(packet.signal.timestamp, 0);
    EXPECT_STATUS(zx_object_wait_async(event, port, 1, ZX_EVENT_SIGNALED, 4), ZX_ERR_INVALID_ARGS);
    close_handle(event);
    close_handle(port);
}
