/* Events, eventpairs, their signals. */
#include "tests/conformance/util.h"

static zx_signals_t state_of(zx_handle_t handle)
{
    zx_signals_t observed = 0;

    EXPECT_STATUS(zx_object_wait_one(handle, 0, 0, &observed), ZX_ERR_TIMED_OUT);
    return observed;
}

TEST(event, creation_checks_its_arguments)
{
    zx_handle_t a = SENTINEL_HANDLE, b = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_event_create(1, &a), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_eventpair_create(1, &a, &b), ZX_ERR_NOT_SUPPORTED);
    EXPECT_EQ(a, SENTINEL_HANDLE);
    EXPECT_EQ(b, SENTINEL_HANDLE);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        zx_handle_t *bad = (zx_handle_t *)bad_addresses[i];
        EXPECT_STATUS(zx_event_create(0, bad), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_eventpair_create(0, bad, &b), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_eventpair_create(0, &a, bad), ZX_ERR_INVALID_ARGS);
    }
}

TEST(event, signals_are_set_and_cleared)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_EQ(state_of(event), 0);
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_7));
    EXPECT_EQ(state_of(event), ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_7);
    EXPECT_OK(zx_object_signal(event, ZX_USER_SIGNAL_7, ZX_USER_SIGNAL_0));
    EXPECT_EQ(state_of(event), ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0);
    /* What is in both masks ends up set. */
    EXPECT_OK(zx_object_signal(event, ZX_EVENT_SIGNALED, ZX_EVENT_SIGNALED));
    EXPECT_EQ(state_of(event), ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0);
    EXPECT_OK(zx_object_signal(event, ZX_EVENT_SIGNAL_MASK, 0));
    EXPECT_EQ(state_of(event), 0);
    close_handle(event);
}

TEST(event, signals_that_are_not_the_users)
{
    zx_handle_t event, a, b, vmo = vmo_new(PAGE);

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    for (uint32_t bit = 0; bit < 24; bit++) {
        if ((1u << bit) == ZX_EVENT_SIGNALED)
            continue;
        EXPECT_STATUS(zx_object_signal(event, 0, 1u << bit), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_object_signal(event, 1u << bit, 0), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_object_signal(a, 0, 1u << bit), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_object_signal_peer(a, 0, 1u << bit), ZX_ERR_INVALID_ARGS);
    }
    EXPECT_STATUS(zx_object_signal(vmo, 0, ZX_VMO_ZERO_CHILDREN), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_object_signal(vmo, 0, ZX_USER_SIGNAL_3));
    close_handle(vmo);
    close_handle(event);
    close_handle(a);
    close_handle(b);
}

TEST(event, signalling_needs_rights)
{
    zx_handle_t event, a, b, weak;

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    weak = duplicate_without(event, ZX_RIGHT_SIGNAL);
    EXPECT_STATUS(zx_object_signal(weak, 0, ZX_EVENT_SIGNALED), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    weak = duplicate_without(a, ZX_RIGHT_SIGNAL_PEER);
    EXPECT_STATUS(zx_object_signal_peer(weak, 0, ZX_EVENTPAIR_SIGNALED), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_object_signal(weak, 0, ZX_EVENTPAIR_SIGNALED));
    close_handle(weak);
    EXPECT_EQ(state_of(b), 0);
    close_handle(event);
    close_handle(a);
    close_handle(b);
}

TEST(event, a_pair_signals_across)
{
    zx_handle_t a, b;

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    EXPECT_OK(zx_object_signal_peer(a, 0, ZX_EVENTPAIR_SIGNALED | ZX_USER_SIGNAL_1));
    EXPECT_EQ(state_of(a), 0);
    EXPECT_EQ(state_of(b), ZX_EVENTPAIR_SIGNALED | ZX_USER_SIGNAL_1);
    EXPECT_OK(zx_object_signal_peer(a, ZX_USER_SIGNAL_1, 0));
    EXPECT_EQ(state_of(b), ZX_EVENTPAIR_SIGNALED);
    close_handle(a);
    close_handle(b);
}

TEST(event, a_pair_sees_its_peer_close)
{
    zx_handle_t a, b, copy;

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    copy = duplicate(b, ZX_RIGHT_SAME_RIGHTS);
    close_handle(b);
    EXPECT_EQ(state_of(a), 0); /* not the last handle */
    close_handle(copy);
    EXPECT_EQ(state_of(a), ZX_EVENTPAIR_PEER_CLOSED);
    EXPECT_STATUS(zx_object_signal_peer(a, 0, ZX_USER_SIGNAL_0), ZX_ERR_PEER_CLOSED);
    EXPECT_OK(zx_object_signal(a, 0, ZX_USER_SIGNAL_0));
    close_handle(a);
}

TEST(event, objects_without_peer_or_signals)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    zx_handle_t strong = event;
    /* An event's handle never has SIGNAL_PEER. */
    EXPECT_STATUS(zx_object_signal_peer(strong, 0, ZX_USER_SIGNAL_0), ZX_ERR_ACCESS_DENIED);
    close_handle(event);
    EXPECT_STATUS(zx_object_wait_one(zx_vmar_root_self(), ZX_USER_SIGNAL_0, 0, NULL),
                  ZX_ERR_ACCESS_DENIED);
}
