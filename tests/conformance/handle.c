/* Handles: closing, duplicating, replacing, stale values, rights. */
#include "tests/conformance/util.h"

TEST(handle, closing_the_invalid_handle_is_ok)
{
    EXPECT_OK(zx_handle_close(ZX_HANDLE_INVALID));
}

TEST(handle, a_closed_value_is_stale)
{
    zx_handle_t event, out = SENTINEL_HANDLE;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_OK(zx_handle_check_valid(event));
    ASSERT_OK(zx_handle_close(event));
    EXPECT_STATUS(zx_handle_check_valid(event), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_signal(event, 0, ZX_USER_SIGNAL_0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, NULL), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &out), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_replace(event, ZX_RIGHT_SAME_RIGHTS, &out), ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(out, SENTINEL_HANDLE);
}

TEST(handle, values_that_were_never_given_are_bad)
{
    static const zx_handle_t values[] = {1,          2,          3,          7,
                                         0x7fffffff, 0x80000003, 0xfffffffc, 0xffffffff};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        EXPECT_STATUS(zx_handle_close(values[i]), ZX_ERR_BAD_HANDLE);
    /* A valid value with its fixed bits changed is another one. */
    EXPECT_STATUS(zx_handle_check_valid(zx_process_self() & ~1u), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_check_valid(zx_process_self() & ~2u), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_check_valid(ZX_HANDLE_INVALID), ZX_ERR_BAD_HANDLE);
}

/* What a closed handle's place will be known by next differs from the old value in the lowest bits
 * of a counter, as many as the step to the next count changes, and in nothing else. None of these
 * means anything before the place is used again, whatever the fixed bits say. */
TEST(handle, values_near_a_closed_one_are_bad)
{
    zx_handle_t event;

    for (int round = 0; round < 4; round++) {
        ASSERT_OK(zx_event_create(0, &event));
        ASSERT_OK(zx_handle_close(event));
        for (uint32_t from = 2; from < 32; from++) {
            for (uint32_t to = from; to < 32; to++) {
                zx_handle_t near = event ^ (uint32_t)((2ul << to) - (1ul << from));
                EXPECT_STATUS(zx_handle_check_valid(near & ~1u), ZX_ERR_BAD_HANDLE);
                EXPECT_STATUS(zx_handle_check_valid(near & ~2u), ZX_ERR_BAD_HANDLE);
                EXPECT_STATUS(zx_handle_check_valid(near & ~3u), ZX_ERR_BAD_HANDLE);
            }
        }
    }
}

TEST(handle, fixed_bits_are_set)
{
    zx_handle_t events[16];

    for (int i = 0; i < 16; i++) {
        ASSERT_OK(zx_event_create(0, &events[i]));
        EXPECT_EQ(events[i] & ZX_HANDLE_FIXED_BITS_MASK, ZX_HANDLE_FIXED_BITS_MASK);
    }
    EXPECT_OK(zx_handle_close_many(events, 16));
}

TEST(handle, a_closed_value_does_not_come_back_at_once)
{
    zx_handle_t first, next;

    ASSERT_OK(zx_event_create(0, &first));
    ASSERT_OK(zx_handle_close(first));
    for (int i = 0; i < 32; i++) {
        ASSERT_OK(zx_event_create(0, &next));
        EXPECT(next != first);
        ASSERT_OK(zx_handle_close(next));
    }
}

TEST(handle, many_at_once)
{
    enum { COUNT = 1000 };
    static zx_handle_t handles[COUNT];

    for (int i = 0; i < COUNT; i++)
        ASSERT_OK(zx_handle_duplicate(zx_process_self(), ZX_RIGHT_SAME_RIGHTS, &handles[i]));
    for (int i = 0; i < COUNT; i++) {
        ASSERT_OK(zx_handle_check_valid(handles[i]));
        ASSERT(i == 0 || handles[i] != handles[i - 1]);
    }
    ASSERT_OK(zx_handle_close_many(handles, COUNT));
    for (int i = 0; i < COUNT; i++)
        ASSERT_STATUS(zx_handle_check_valid(handles[i]), ZX_ERR_BAD_HANDLE);
}

/* ---- zx_handle_close_many ---- */

TEST(handle, close_many_of_nothing)
{
    EXPECT_OK(zx_handle_close_many(NULL, 0));
}

TEST(handle, close_many_skips_invalid_entries)
{
    zx_handle_t handles[3] = {ZX_HANDLE_INVALID, 0, ZX_HANDLE_INVALID};

    ASSERT_OK(zx_event_create(0, &handles[1]));
    EXPECT_OK(zx_handle_close_many(handles, 3));
    EXPECT_STATUS(zx_handle_check_valid(handles[1]), ZX_ERR_BAD_HANDLE);
}

TEST(handle, close_many_closes_the_rest_when_one_is_bad)
{
    zx_handle_t handles[3];

    ASSERT_OK(zx_eventpair_create(0, &handles[0], &handles[2]));
    handles[1] = 3;
    EXPECT_STATUS(zx_handle_close_many(handles, 3), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_check_valid(handles[0]), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_check_valid(handles[2]), ZX_ERR_BAD_HANDLE);
}

TEST(handle, close_many_with_a_repeated_entry)
{
    zx_handle_t handles[2];

    ASSERT_OK(zx_event_create(0, &handles[0]));
    handles[1] = handles[0];
    EXPECT_STATUS(zx_handle_close_many(handles, 2), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_check_valid(handles[0]), ZX_ERR_BAD_HANDLE);
}

TEST(handle, close_many_with_a_bad_pointer)
{
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_STATUS(zx_handle_close_many((const zx_handle_t *)bad_addresses[i], 2),
                      ZX_ERR_INVALID_ARGS);
}

/* ---- zx_handle_duplicate ---- */

TEST(handle, duplicate_with_the_same_rights)
{
    zx_handle_t event, copy;

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &copy));
    EXPECT(copy != event);
    EXPECT_EQ(koid_of(copy), koid_of(event));
    EXPECT_EQ(rights_of(copy), rights_of(event));
    ASSERT_OK(zx_handle_close(event));
    EXPECT_OK(zx_object_signal(copy, 0, ZX_EVENT_SIGNALED));
    close_handle(copy);
}

TEST(handle, duplicate_with_fewer_rights)
{
    zx_handle_t event, copy, again = SENTINEL_HANDLE;

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_handle_duplicate(event, ZX_RIGHT_WAIT, &copy));
    EXPECT_EQ(rights_of(copy), ZX_RIGHT_WAIT);
    EXPECT_STATUS(zx_object_signal(copy, 0, ZX_EVENT_SIGNALED), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_handle_duplicate(copy, ZX_RIGHT_SAME_RIGHTS, &again), ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(again, SENTINEL_HANDLE);
    close_handle(copy);
    ASSERT_OK(zx_handle_duplicate(event, 0, &copy));
    EXPECT_EQ(rights_of(copy), 0);
    close_handle(copy);
    close_handle(event);
}

TEST(handle, duplicate_with_more_rights_fails)
{
    zx_handle_t event, copy = SENTINEL_HANDLE;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_handle_duplicate(event, ZX_DEFAULT_EVENT_RIGHTS | ZX_RIGHT_EXECUTE, &copy),
                  ZX_ERR_INVALID_ARGS);
    /* SAME_RIGHTS stands alone. */
    EXPECT_STATUS(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS | ZX_RIGHT_WAIT, &copy),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_handle_duplicate(event, 1u << 30, &copy), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(copy, SENTINEL_HANDLE);
    close_handle(event);
}

TEST(handle, duplicate_to_a_bad_pointer_makes_nothing)
{
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_STATUS(zx_handle_duplicate(zx_process_self(), ZX_RIGHT_SAME_RIGHTS,
                                          (zx_handle_t *)bad_addresses[i]),
                      ZX_ERR_INVALID_ARGS);
}

/* ---- zx_handle_replace ---- */

TEST(handle, replace_gives_another_value_with_fewer_rights)
{
    zx_handle_t event, out;

    ASSERT_OK(zx_event_create(0, &event));
    zx_koid_t koid = koid_of(event);
    ASSERT_OK(zx_handle_replace(event, ZX_RIGHT_WAIT, &out));
    EXPECT(out != event);
    EXPECT_STATUS(zx_handle_check_valid(event), ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(koid_of(out), koid);
    EXPECT_EQ(rights_of(out), ZX_RIGHT_WAIT);
    /* Neither DUPLICATE nor TRANSFER is needed. */
    ASSERT_OK(zx_handle_replace(out, ZX_RIGHT_NONE, &out));
    EXPECT_EQ(rights_of(out), 0);
    close_handle(out);
}

TEST(handle, replace_with_more_rights_consumes_the_source)
{
    zx_handle_t event, out = SENTINEL_HANDLE;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_handle_replace(event, ZX_DEFAULT_EVENT_RIGHTS | ZX_RIGHT_EXECUTE, &out),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    EXPECT_STATUS(zx_handle_check_valid(event), ZX_ERR_BAD_HANDLE);
}

TEST(handle, replace_of_the_invalid_handle)
{
    zx_handle_t out = SENTINEL_HANDLE;

    EXPECT_STATUS(zx_handle_replace(ZX_HANDLE_INVALID, ZX_RIGHT_SAME_RIGHTS, &out),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(out, SENTINEL_HANDLE);
}

/* ---- Rights ---- */

TEST(handle, default_rights)
{
    zx_handle_t a, b;

    ASSERT_OK(zx_event_create(0, &a));
    EXPECT_EQ(rights_of(a), ZX_DEFAULT_EVENT_RIGHTS);
    close_handle(a);
    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    EXPECT_EQ(rights_of(a), ZX_DEFAULT_EVENTPAIR_RIGHTS);
    EXPECT_EQ(rights_of(b), ZX_DEFAULT_EVENTPAIR_RIGHTS);
    close_handle(a);
    close_handle(b);
    ASSERT_OK(zx_channel_create(0, &a, &b));
    EXPECT_EQ(rights_of(a), ZX_DEFAULT_CHANNEL_RIGHTS);
    EXPECT_EQ(rights_of(b), ZX_DEFAULT_CHANNEL_RIGHTS);
    close_handle(a);
    close_handle(b);
    a = vmo_new(PAGE);
    EXPECT_EQ(rights_of(a), ZX_DEFAULT_VMO_RIGHTS);
    close_handle(a);
    a = vmo_new_resizable(PAGE);
    EXPECT_EQ(rights_of(a), ZX_DEFAULT_VMO_RIGHTS | ZX_RIGHT_RESIZE);
    close_handle(a);
    ASSERT_OK(zx_job_create(zx_job_default(), 0, &a));
    EXPECT_EQ(rights_of(a), ZX_DEFAULT_JOB_RIGHTS);
    close_handle(a);
}

TEST(handle, a_channel_end_is_not_duplicable)
{
    zx_handle_t a, b, out = SENTINEL_HANDLE;

    ASSERT_OK(zx_channel_create(0, &a, &b));
    EXPECT_STATUS(zx_handle_duplicate(a, ZX_RIGHT_SAME_RIGHTS, &out), ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    close_handle(a);
    close_handle(b);
}

TEST(handle, the_wrong_type_is_found_before_missing_rights)
{
    zx_handle_t event, weak;
    uint64_t size = 0;
    char byte = 0;

    ASSERT_OK(zx_event_create(0, &event));
    weak = duplicate(event, ZX_RIGHT_NONE);
    EXPECT_STATUS(zx_vmo_read(weak, &byte, 0, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmo_set_size(weak, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmo_get_size(weak, &size), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_vmar_destroy(weak), ZX_ERR_WRONG_TYPE);
    close_handle(weak);
    close_handle(event);
}
