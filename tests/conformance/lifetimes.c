/* Objects that end together, in orders that only messages, races and half-closed pairs produce. */
#include <string.h>

#include "tests/conformance/iob_util.h"

/* A channel whose unread message carries |handles|, closed with everything in it. */
static void drown(zx_handle_t *handles, uint32_t count_handles)
{
    zx_handle_t ends[2];

    ASSERT_OK(zx_channel_create(0, &ends[0], &ends[1]));
    ASSERT_OK(zx_channel_write(ends[0], 0, NULL, 0, handles, count_handles));
    close_handle(ends[0]);
    close_handle(ends[1]);
}

/* Both endpoints are closed from inside one release: the second one still tells the first one,
 * which waits to be destroyed by then. */
TEST(lifetimes, iob_endpoints_in_one_message)
{
    for (unsigned i = 0; i < 50; i++) {
        struct iob a = iob_new(IOB_BOTH_RW, PAGE), b = iob_new(IOB_BOTH_RW, PAGE);
        zx_handle_t handles[] = {a.ep[0], b.ep[1], a.ep[1], b.ep[0]};
        drown(handles, 4);
    }
}

/* Leaves memory on the heap that is all ones where a message's bytes were. */
static void litter_heap(void)
{
    zx_handle_t ends[2];
    uint8_t ones[24];

    memset(ones, 0xff, sizeof(ones));
    ASSERT_OK(zx_channel_create(0, &ends[0], &ends[1]));
    for (unsigned i = 0; i < 64; i++)
        ASSERT_OK(zx_channel_write(ends[0], 0, ones, sizeof(ones), NULL, 0));
    close_handle(ends[0]);
    close_handle(ends[1]);
}

/* As above, with objects in between that wait for their destruction too. */
TEST(lifetimes, iob_endpoints_among_events)
{
    zx_handle_t handles[34];

    litter_heap();
    for (unsigned i = 0; i < 32; i++)
        ASSERT_OK(zx_event_create(0, &handles[i + 1]));
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    handles[0] = iob.ep[0];
    handles[33] = iob.ep[1];
    drown(handles, 34);
}

TEST(lifetimes, iob_endpoints_in_nested_messages)
{
    for (unsigned i = 0; i < 50; i++) {
        struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
        zx_handle_t inner[2], handles[3];

        ASSERT_OK(zx_channel_create(0, &inner[0], &inner[1]));
        ASSERT_OK(zx_channel_write(inner[0], 0, NULL, 0, &iob.ep[0], 1));
        handles[0] = inner[1];
        handles[1] = iob.ep[1];
        handles[2] = inner[0];
        drown(handles, 3);
    }
}

TEST(lifetimes, pairs_in_one_message)
{
    for (unsigned i = 0; i < 50; i++) {
        zx_handle_t handles[4];

        ASSERT_OK(zx_channel_create(0, &handles[0], &handles[2]));
        ASSERT_OK(zx_eventpair_create(0, &handles[1], &handles[3]));
        drown(handles, 4);
    }
}
