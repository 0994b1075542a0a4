/* Ports: user packets, signals of objects, cancelling. */
#include "tests/conformance/util.h"

#include <string.h>
#include <zircon/syscalls/port.h>

#include "userland/libzx/thread.h"

static zx_handle_t port_new(void)
{
    zx_handle_t port;

    ASSERT_OK(zx_port_create(0, &port));
    return port;
}

TEST(port, packets_arrive_in_order)
{
    zx_handle_t port = port_new();
    zx_port_packet_t packet;

    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    for (uint64_t i = 0; i < 20; i++) {
        memset(&packet, 0, sizeof(packet));
        packet.key = i;
        packet.type = 77; /* becomes ZX_PKT_TYPE_USER */
        packet.status = -(zx_status_t)i;
        packet.user.u64[3] = i * i;
        ASSERT_OK(zx_port_queue(port, &packet));
    }
    for (uint64_t i = 0; i < 20; i++) {
        ASSERT_OK(zx_port_wait(port, 0, &packet));
        EXPECT_EQ(packet.key, i);
        EXPECT_EQ(packet.type, ZX_PKT_TYPE_USER);
        EXPECT_EQ(packet.status, -(zx_status_t)i);
        EXPECT_EQ(packet.user.u64[3], i * i);
    }
    EXPECT_STATUS(zx_port_wait(port, zx_deadline_after(ZX_MSEC(2)), &packet), ZX_ERR_TIMED_OUT);
    close_handle(port);
}

TEST(port, arguments)
{
    zx_handle_t port = port_new(), weak, event, out = SENTINEL_HANDLE;
    zx_port_packet_t packet = {0};

    EXPECT_STATUS(zx_port_create(2, &out), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    EXPECT_STATUS(zx_port_queue(port, NULL), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_STATUS(zx_port_queue(port, (const zx_port_packet_t *)bad_addresses[i]),
                      ZX_ERR_INVALID_ARGS);
    weak = duplicate_without(port, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_port_queue(weak, &packet), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    weak = duplicate_without(port, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_port_wait(weak, 0, &packet), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_port_wait(event, 0, &packet), ZX_ERR_WRONG_TYPE);
    EXPECT_EQ(rights_of(port), ZX_DEFAULT_PORT_RIGHTS);
    EXPECT_STATUS(zx_object_wait_one(port, ZX_USER_SIGNAL_0, 0, NULL), ZX_ERR_ACCESS_DENIED);
    close_handle(event);
    close_handle(port);
}

TEST(port, one_packet_for_a_signal)
{
    zx_handle_t port = port_new(), event;
    zx_port_packet_t packet;

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_object_wait_async(event, port, 42, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_ONCE));
    ASSERT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_0));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.key, 42);
    EXPECT_EQ(packet.type, ZX_PKT_TYPE_SIGNAL_ONE);
    EXPECT_OK(packet.status);
    EXPECT_EQ(packet.signal.trigger, ZX_EVENT_SIGNALED);
    EXPECT_EQ(packet.signal.observed, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0);
    EXPECT_EQ(packet.signal.count, 1);
    ASSERT_OK(zx_object_signal(event, ZX_EVENT_SIGNALED, 0));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT); /* once */
    /* A signal that is there already gives its packet at once. */
    ASSERT_OK(zx_object_wait_async(event, port, 43, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_ONCE));
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.key, 43);
    close_handle(event);
    close_handle(port);
}

TEST(port, cancelling)
{
    zx_handle_t port = port_new(), event;
    zx_port_packet_t packet;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_port_cancel(port, event, 1), ZX_ERR_NOT_FOUND);
    ASSERT_OK(zx_object_wait_async(event, port, 1, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_ONCE));
    EXPECT_STATUS(zx_port_cancel(port, event, 2), ZX_ERR_NOT_FOUND);
    EXPECT_OK(zx_port_cancel(port, event, 1));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    /* A packet that is queued already is taken back. */
    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_ONCE));
    EXPECT_OK(zx_port_cancel(port, event, 3));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    close_handle(event);
    close_handle(port);
}

TEST(port, closing_the_object_drops_its_wait)
{
    zx_handle_t port = port_new(), event;
    zx_port_packet_t packet;

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_object_wait_async(event, port, 1, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_ONCE));
    close_handle(event);
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    close_handle(port);
}

TEST(port, closing_the_port_drops_all)
{
    zx_handle_t port = port_new(), event;
    zx_port_packet_t packet = {0};

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_object_wait_async(event, port, 1, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_ONCE));
    ASSERT_OK(zx_port_queue(port, &packet));
    close_handle(port);
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    close_handle(event);
}

static int queue_later(void *arg)
{
    zx_port_packet_t packet = {.key = 5};

    zx_nanosleep(zx_deadline_after(ZX_MSEC(10)));
    return zx_port_queue(*(zx_handle_t *)arg, &packet);
}

TEST(port, a_packet_wakes_a_waiter)
{
    zx_handle_t port = port_new();
    zx_port_packet_t packet;
    struct thread *thread;

    ASSERT_OK(thread_spawn("queuer", queue_later, &port, &thread));
    ASSERT_OK(zx_port_wait(port, zx_deadline_after(PATIENCE), &packet));
    EXPECT_EQ(packet.key, 5);
    EXPECT_OK(thread_join(thread));
    close_handle(port);
}
