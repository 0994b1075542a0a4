/* Handle tables: values, checks, growth, lack of memory, and a random run against a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/random.h"
#include "kernel/object/event.h"
#include "kernel/object/handle.h"
#include "kernel/vm/kheap.h"
#include "tests/host/fake_arch.h"
#include "tests/host/test_random.h"

#define MIB (1ul << 20)

static struct handle_table *table;
static uint64_t heap_before;

static uint64_t heap_objects(void)
{
    struct kheap_stats stats;
    kheap_get_stats(&stats);
    return stats.count_objects;
}

static int boot(void **state)
{
    (void)state;
    fake_boot(64 * MIB);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    heap_before = heap_objects();
    table = handle_table_create(0x12345678);
    thread_current()->handles = table;
    return table ? 0 : -1;
}

/* Every test leaves nothing behind. */
static int teardown(void **state)
{
    (void)state;
    handle_table_destroy(table);
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_NONE), 0);
    assert_int_equal(heap_objects(), heap_before);
    return 0;
}

/* A handle to a new event that only the handle keeps alive. */
static zx_handle_t add_event(zx_rights_t rights)
{
    struct object *event;
    zx_handle_t value = ZX_HANDLE_INVALID;
    assert_int_equal(event_create(&event), ZX_OK);
    struct handle *handle = handle_create(event, rights);
    assert_non_null(handle);
    object_put(event);
    assert_int_equal(handle_table_add(table, handle, &value), ZX_OK);
    return value;
}

static void test_values(void **state)
{
    (void)state;
    zx_handle_t first = add_event(ZX_RIGHT_WAIT);
    assert_int_equal(first & ZX_HANDLE_FIXED_BITS_MASK, ZX_HANDLE_FIXED_BITS_MASK);
    assert_true(handle_table_has_value(table, first));
    handle_close(handle_table_remove(table, first));
    assert_false(handle_table_has_value(table, first));
    assert_null(handle_table_remove(table, first));
    for (int i = 0; i < 2000; i++) {
        zx_handle_t value = add_event(ZX_RIGHT_WAIT);
        assert_int_not_equal(value, first);
        handle_close(handle_table_remove(table, value));
    }
    /* Values that were never given out. */
    assert_false(handle_table_has_value(table, 0));
    assert_false(handle_table_has_value(table, UINT32_MAX));
    zx_handle_t value = add_event(ZX_RIGHT_WAIT);
    assert_false(handle_table_has_value(table, value & ~1u));
    assert_false(handle_table_has_value(table, value & ~2u));
    for (unsigned bit = 2; bit < 32; bit++)
        assert_false(handle_table_has_value(table, value ^ (1u << bit)));
}

static void test_checks(void **state)
{
    (void)state;
    struct object *object = NULL;
    zx_rights_t rights = 0;
    zx_handle_t value = add_event(ZX_RIGHT_WAIT | ZX_RIGHT_SIGNAL);
    assert_int_equal(handle_get(value ^ 4, ZX_OBJ_TYPE_VMO, ZX_RIGHT_MAP, &object, &rights),
                     ZX_ERR_BAD_HANDLE);
    assert_int_equal(handle_get(value, ZX_OBJ_TYPE_VMO, ZX_RIGHT_MAP, &object, &rights),
                     ZX_ERR_WRONG_TYPE);
    assert_int_equal(
        handle_get(value, ZX_OBJ_TYPE_EVENT, ZX_RIGHT_WAIT | ZX_RIGHT_MAP, &object, &rights),
        ZX_ERR_ACCESS_DENIED);
    assert_null(object);
    assert_int_equal(rights, 0);
    assert_int_equal(handle_get(value, ZX_OBJ_TYPE_EVENT, ZX_RIGHT_WAIT, &object, &rights), ZX_OK);
    assert_int_equal(rights, ZX_RIGHT_WAIT | ZX_RIGHT_SIGNAL);
    /* The reference outlives the handle. */
    handle_close(handle_table_remove(table, value));
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_EVENT), 1);
    object_put(object);
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_EVENT), 0);
}

static void test_take(void **state)
{
    (void)state;
    struct object *object;
    struct handle *handle = NULL;
    zx_handle_t value = add_event(ZX_RIGHT_WAIT);
    assert_int_equal(handle_get(value, ZX_OBJ_TYPE_NONE, 0, &object, NULL), ZX_OK);
    assert_int_equal(handle_table_take(table, value, ZX_OBJ_TYPE_JOB, 0, NULL, &handle),
                     ZX_ERR_WRONG_TYPE);
    assert_int_equal(
        handle_table_take(table, value, ZX_OBJ_TYPE_NONE, ZX_RIGHT_TRANSFER, NULL, &handle),
        ZX_ERR_ACCESS_DENIED);
    assert_int_equal(handle_table_take(table, value, ZX_OBJ_TYPE_NONE, 0, object, &handle),
                     ZX_ERR_NOT_SUPPORTED);
    assert_true(handle_table_has_value(table, value));
    assert_int_equal(handle_table_take(table, value, ZX_OBJ_TYPE_EVENT, 0, NULL, &handle), ZX_OK);
    assert_false(handle_table_has_value(table, value));
    assert_int_equal(handle_table_count(table), 0);
    handle_close(handle);
    object_put(object);
}

static void test_full(void **state)
{
    (void)state;
    struct object *event;
    zx_handle_t value = 0, last = 0;
    assert_int_equal(event_create(&event), ZX_OK);
    for (uint32_t i = 0; i < HANDLE_TABLE_MAX; i++)
        assert_int_equal(handle_table_add(table, handle_create(event, 0), &last), ZX_OK);
    struct handle *one_more = handle_create(event, 0);
    assert_int_equal(handle_table_add(table, one_more, &value), ZX_ERR_NO_RESOURCES);
    assert_int_equal(value, 0);
    assert_int_equal(handle_table_count(table), HANDLE_TABLE_MAX);
    handle_close(handle_table_remove(table, last));
    assert_int_equal(handle_table_add(table, one_more, &value), ZX_OK);
    assert_int_not_equal(value, last);
    object_put(event);
}

static void test_cleared(void **state)
{
    (void)state;
    struct object *event;
    struct object *found;
    zx_handle_t value = add_event(ZX_RIGHT_WAIT), other;
    handle_table_clear(table);
    assert_int_equal(handle_table_count(table), 0);
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_EVENT), 0);
    assert_int_equal(handle_get(value, ZX_OBJ_TYPE_NONE, 0, &found, NULL), ZX_ERR_BAD_HANDLE);
    assert_int_equal(event_create(&event), ZX_OK);
    struct handle *handle = handle_create(event, 0);
    assert_int_equal(handle_table_add(table, handle, &other), ZX_ERR_NO_RESOURCES);
    handle_close(handle);
    object_put(event);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct object *event;
    zx_handle_t value;
    assert_int_equal(event_create(&event), ZX_OK);
    struct handle *handle = handle_create(event, 0);
    fake_fail_after(1);
    assert_int_equal(handle_table_add(table, handle, &value), ZX_ERR_NO_MEMORY);
    assert_true(fake_fail_stop());
    assert_int_equal(handle_table_add(table, handle, &value), ZX_OK);
    object_put(event);
}

struct visit {
    unsigned count;
    zx_rights_t rights;
};

static void visit(void *ctx, zx_handle_t value, const struct handle *handle)
{
    struct visit *seen = ctx;
    seen->count++;
    seen->rights |= handle->rights;
    assert_int_not_equal(value, 0);
}

/* Random adds and removes; every value given out and not removed is found, every other is not. */
static void test_against_list(void **state)
{
    enum { LIVE_MAX = 3000, STEPS = 100000 };
    static zx_handle_t live[LIVE_MAX], dead[LIVE_MAX];
    unsigned count_live = 0, count_dead = 0;
    struct test_random random = {7};
    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        uint64_t choice = test_random_next(&random);
        if (count_live < LIVE_MAX && (count_live == 0 || choice % 5 < 3)) {
            live[count_live++] = add_event(1u << (choice % 16));
        } else {
            unsigned at = (unsigned)((choice >> 8) % count_live);
            handle_close(handle_table_remove(table, live[at]));
            dead[count_dead++ % LIVE_MAX] = live[at];
            live[at] = live[--count_live];
        }
        assert_int_equal(handle_table_count(table), count_live);
        if (count_live > 0)
            assert_true(handle_table_has_value(table, live[(choice >> 16) % count_live]));
        /* A generation has 14 bits; a slot cannot have gone round this soon. */
        if (count_dead > 0)
            assert_false(handle_table_has_value(
                table, dead[(choice >> 24) % MIN(count_dead, (unsigned)LIVE_MAX)]));
    }
    struct visit seen = {0};
    handle_table_for_each(table, visit, &seen);
    assert_int_equal(seen.count, count_live);
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_EVENT), count_live);
}

/* RFC 8439, section 2.3.2. */
static void test_chacha20(void **state)
{
    static const uint8_t expected[16] = {0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15,
                                         0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4};
    static const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0};
    uint8_t key[32], out[64];
    (void)state;
    for (unsigned i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)i;
    chacha20_block(key, 1, nonce, out);
    assert_memory_equal(out, expected, sizeof(expected));
}

static void test_random_numbers(void **state)
{
    uint8_t a[100], b[100];
    unsigned ones = 0;
    (void)state;
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    for (unsigned i = 0; i < 10000; i++)
        ones += (unsigned)__builtin_popcountll(random_u64());
    assert_in_range(ones, 318000, 322000); /* 640000 fair coins: 5 standard deviations are 2000 */
    random_seed("seed", 4);
    random_bytes(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_values),       TEST(test_checks),   TEST(test_take),
        TEST(test_full),         TEST(test_cleared),  TEST(test_no_memory),
        TEST(test_against_list), TEST(test_chacha20), TEST(test_random_numbers),
    };

    return cmocka_run_group_tests_name("handle", tests, boot, NULL);
}
