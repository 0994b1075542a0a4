/* Virtual interrupts, and the packets that they put into ports. */
#include <zircon/syscalls/port.h>

#include "tests/conformance/child.h"
#include "userland/libzx/thread.h"

static zx_handle_t interrupt_new(void)
{
    zx_handle_t interrupt;

    ASSERT_OK(zx_interrupt_create(ZX_HANDLE_INVALID, 0, ZX_INTERRUPT_VIRTUAL, &interrupt));
    return interrupt;
}

static zx_handle_t port_new(void)
{
    zx_handle_t port;

    ASSERT_OK(zx_port_create(ZX_PORT_BIND_TO_INTERRUPT, &port));
    return port;
}

static bool is_quiet(zx_handle_t interrupt)
{
    return zx_object_wait_one(interrupt, ZX_VIRTUAL_INTERRUPT_UNTRIGGERED, 0, NULL) == ZX_OK;
}

static void expect_packet(zx_handle_t port, uint64_t key, zx_time_t timestamp)
{
    zx_port_packet_t packet = {0};

    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.key, key);
    EXPECT_EQ(packet.type, ZX_PKT_TYPE_INTERRUPT);
    EXPECT_EQ(packet.status, ZX_OK);
    EXPECT_EQ(packet.interrupt.timestamp, timestamp);
}

static void expect_no_packet(zx_handle_t port)
{
    zx_port_packet_t packet;

    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
}

TEST(interrupt, creation)
{
    zx_handle_t interrupt = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_interrupt_create(0, 0, 0, &interrupt), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_interrupt_create(0, 0, ZX_INTERRUPT_VIRTUAL | 1, &interrupt),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_interrupt_create(0, 1, ZX_INTERRUPT_VIRTUAL, &interrupt), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_interrupt_create(0, 0, ZX_INTERRUPT_VIRTUAL, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(interrupt, SENTINEL_HANDLE);
    interrupt = interrupt_new();
    EXPECT_EQ(rights_of(interrupt), 0xD00F);
    EXPECT_EQ(basic_info(interrupt).type, ZX_OBJ_TYPE_INTERRUPT);
    EXPECT(is_quiet(interrupt));
    close_handle(interrupt);
}

struct sleeper {
    zx_handle_t interrupt;
    zx_time_t timestamp;
    zx_status_t status;
    struct thread *thread;
};

static int wait_for_interrupt(void *arg)
{
    struct sleeper *sleeper = arg;

    sleeper->status = zx_interrupt_wait(sleeper->interrupt, &sleeper->timestamp);
    return 0;
}

static bool sleeps(const struct sleeper *sleeper)
{
    return thread_reaches_state(thread_handle(sleeper->thread), ZX_THREAD_STATE_BLOCKED_INTERRUPT);
}

static void sleeper_start(struct sleeper *sleeper, zx_handle_t interrupt)
{
    *sleeper = (struct sleeper){.interrupt = interrupt, .status = ZX_ERR_INTERNAL};
    ASSERT_OK(thread_spawn("sleeper", wait_for_interrupt, sleeper, &sleeper->thread));
    ASSERT(sleeps(sleeper));
}

TEST(interrupt, a_thread_waits)
{
    zx_handle_t interrupt = interrupt_new(), port = port_new(), token;
    struct sleeper sleeper;
    zx_time_t timestamp = 0;

    /* Raised before: the first time counts. */
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 11));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 12));
    EXPECT(!is_quiet(interrupt));
    EXPECT_OK(zx_interrupt_wait(interrupt, &timestamp));
    EXPECT_EQ(timestamp, 11);
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 13));
    EXPECT_OK(zx_interrupt_wait(interrupt, NULL));

    sleeper_start(&sleeper, interrupt);
    EXPECT(is_quiet(interrupt));
    EXPECT_STATUS(zx_interrupt_wait(interrupt, &timestamp), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_BIND), ZX_ERR_BAD_STATE);
    /* A suspension does not end the wait. */
    ASSERT_OK(zx_task_suspend_token(thread_handle(sleeper.thread), &token));
    EXPECT(thread_reaches_state(thread_handle(sleeper.thread), ZX_THREAD_STATE_SUSPENDED));
    close_handle(token);
    EXPECT(sleeps(&sleeper));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 14));
    thread_join(sleeper.thread);
    EXPECT_OK(sleeper.status);
    EXPECT_EQ(sleeper.timestamp, 14);

    sleeper_start(&sleeper, interrupt);
    EXPECT_OK(zx_interrupt_destroy(interrupt));
    thread_join(sleeper.thread);
    EXPECT_STATUS(sleeper.status, ZX_ERR_CANCELED);
    EXPECT_STATUS(zx_interrupt_wait(interrupt, NULL), ZX_ERR_CANCELED);
    EXPECT_STATUS(zx_interrupt_trigger(interrupt, 0, 1), ZX_ERR_CANCELED);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_BIND), ZX_ERR_CANCELED);
    EXPECT_STATUS(zx_interrupt_ack(interrupt), ZX_ERR_BAD_STATE);
    close_handle(interrupt);
    close_handle(port);
}

TEST(interrupt, packets_in_a_port)
{
    zx_handle_t interrupt = interrupt_new(), port = port_new();
    zx_port_packet_t packet = {.key = 5};

    EXPECT_STATUS(zx_interrupt_ack(interrupt), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_interrupt_bind(interrupt, port, 77, ZX_INTERRUPT_BIND));
    EXPECT_STATUS(zx_interrupt_bind(interrupt, port, 78, ZX_INTERRUPT_BIND), ZX_ERR_ALREADY_BOUND);
    EXPECT_STATUS(zx_interrupt_wait(interrupt, NULL), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_interrupt_ack(interrupt));
    /* It overtakes what is there. */
    EXPECT_OK(zx_port_queue(port, &packet));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 1));
    EXPECT(!is_quiet(interrupt));
    expect_packet(port, 77, 1);
    EXPECT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.type, ZX_PKT_TYPE_USER);
    /* The next one waits for the acknowledgement. */
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 2));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 3));
    expect_no_packet(port);
    EXPECT_OK(zx_interrupt_ack(interrupt));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 4));
    EXPECT_STATUS(zx_interrupt_ack(interrupt), ZX_ERR_BAD_STATE); /* its packet is there still */
    expect_packet(port, 77, 2);
    EXPECT_OK(zx_interrupt_ack(interrupt));
    expect_packet(port, 77, 4);
    EXPECT_OK(zx_interrupt_ack(interrupt));
    EXPECT(is_quiet(interrupt));
    expect_no_packet(port);

    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 5));
    EXPECT_OK(zx_interrupt_bind(interrupt, port, 0, ZX_INTERRUPT_UNBIND));
    expect_no_packet(port);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, port, 0, ZX_INTERRUPT_UNBIND), ZX_ERR_NOT_FOUND);
    /* What was raised before comes when it is bound. */
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 6));
    EXPECT_OK(zx_interrupt_bind(interrupt, port, 79, ZX_INTERRUPT_BIND));
    expect_packet(port, 79, 6);
    EXPECT_STATUS(zx_interrupt_destroy(interrupt), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_interrupt_ack(interrupt), ZX_ERR_CANCELED);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, port, 0, ZX_INTERRUPT_UNBIND), ZX_ERR_CANCELED);
    close_handle(interrupt);
    close_handle(port);
}

TEST(interrupt, closing_either_side)
{
    zx_handle_t interrupt = interrupt_new(), port = port_new(), other = port_new();

    EXPECT_OK(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 1));
    close_handle(interrupt);
    expect_no_packet(port);

    interrupt = interrupt_new();
    EXPECT_OK(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 1));
    EXPECT_OK(zx_interrupt_destroy(interrupt));
    expect_no_packet(port);
    close_handle(interrupt);

    interrupt = interrupt_new();
    EXPECT_OK(zx_interrupt_bind(interrupt, port, 1, ZX_INTERRUPT_BIND));
    EXPECT_STATUS(zx_interrupt_bind(interrupt, other, 1, ZX_INTERRUPT_UNBIND), ZX_ERR_NOT_FOUND);
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 1));
    close_handle(port);
    EXPECT_OK(zx_interrupt_ack(interrupt));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 1));
    close_handle(interrupt);
    close_handle(other);
}

TEST(interrupt, a_packet_survives_bad_memory)
{
    zx_handle_t interrupt = interrupt_new(), port = port_new();

    EXPECT_OK(zx_interrupt_bind(interrupt, port, 3, ZX_INTERRUPT_BIND));
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 9));
    EXPECT_STATUS(zx_port_wait(port, 0, (zx_port_packet_t *)KERNEL_ADDRESS), ZX_ERR_INVALID_ARGS);
    expect_packet(port, 3, 9);
    close_handle(interrupt);
    close_handle(port);
}

TEST(interrupt, calls_check_their_arguments)
{
    zx_handle_t interrupt = interrupt_new(), port = port_new(), plain, event, weak;

    ASSERT_OK(zx_port_create(0, &plain));
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_interrupt_trigger(ZX_HANDLE_INVALID, 0, 1), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_interrupt_wait(ZX_HANDLE_INVALID, NULL), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_interrupt_ack(ZX_HANDLE_INVALID), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_interrupt_destroy(ZX_HANDLE_INVALID), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_interrupt_bind(ZX_HANDLE_INVALID, port, 0, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, ZX_HANDLE_INVALID, 0, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_interrupt_trigger(event, 0, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_interrupt_wait(event, NULL), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_interrupt_ack(event), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_interrupt_destroy(event), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_interrupt_bind(event, port, 0, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, event, 0, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, plain, 0, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_interrupt_trigger(interrupt, 1, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, port, 0, 2), ZX_ERR_INVALID_ARGS);
    weak = duplicate(interrupt, ZX_RIGHT_NONE);
    EXPECT_STATUS(zx_interrupt_trigger(weak, 0, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_interrupt_wait(weak, NULL), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_interrupt_ack(weak), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_interrupt_bind(weak, port, 0, 0), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    weak = duplicate_without(port, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_interrupt_bind(interrupt, weak, 0, 0), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    EXPECT_OK(zx_interrupt_trigger(interrupt, 0, 1));
    EXPECT_STATUS(zx_interrupt_wait(interrupt, (zx_time_t *)KERNEL_ADDRESS), ZX_ERR_INVALID_ARGS);
    close_handle(event);
    close_handle(plain);
    close_handle(port);
    close_handle(interrupt);
}
