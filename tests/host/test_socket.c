/* Sockets against a model: random transfers, with copies and allocations that fail. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zircon/syscalls/object.h>

#include "kernel/object/socket.h"
#include "kernel/vm/kheap.h"
#include "tests/host/fake_arch.h"
#include "tests/host/test_random.h"

#define MIB       (1ul << 20)
#define MAX_PARTS 4096u
#define STEPS     60000u

static uint64_t heap_before;
static struct test_random numbers;

static uint64_t random_below(uint64_t limit)
{
    return test_random_below(&numbers, limit);
}

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
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_NONE), 0);
    assert_int_equal(heap_objects(), heap_before);
    return 0;
}

/* The n-th byte that was ever written to an end. */
static uint8_t pattern(uint64_t n)
{
    return (uint8_t)(n * 31 + n / 257);
}

struct transfer {
    uint64_t first;    /* number of the first byte */
    size_t fails_from; /* the copy fails at this many bytes */
    size_t told;       /* the last piece of a read */
    bool is_told;
};

static zx_status_t give(void *ctx, void *piece, size_t done, size_t len)
{
    const struct transfer *transfer = ctx;
    if (done + len > transfer->fails_from)
        return ZX_ERR_INVALID_ARGS;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)piece)[i] = pattern(transfer->first + done + i);
    return ZX_OK;
}

static zx_status_t take(void *ctx, void *piece, size_t done, size_t len)
{
    struct transfer *transfer = ctx;
    if (done + len > transfer->fails_from)
        return ZX_ERR_INVALID_ARGS;
    if (!piece) {
        transfer->told = done;
        transfer->is_told = true;
    }
    for (size_t i = 0; i < len; i++)
        assert_int_equal(((uint8_t *)piece)[i], pattern(transfer->first + done + i));
    return ZX_OK;
}

/* What is in the queue: datagrams, or one part for each write of a stream. */
struct model {
    bool is_datagram;
    uint64_t written; /* bytes ever */
    uint64_t lengths[MAX_PARTS];
    uint64_t first; /* number of the oldest byte */
    uint32_t head, count;
    uint64_t bytes;
};

static void model_write(struct model *model, struct object *from)
{
    size_t len = random_below(random_below(8) == 0 ? 2 * SOCKET_MAX_BYTES : 6000);
    struct transfer transfer = {.first = model->written, .fails_from = SIZE_MAX};
    size_t room = SOCKET_MAX_BYTES - model->bytes, done = 77;
    zx_status_t want = ZX_OK;
    if (model->count == MAX_PARTS)
        return;
    if (random_below(10) == 0)
        transfer.fails_from = random_below(3000);
    if (len > 0 && model->is_datagram && len > SOCKET_MAX_BYTES)
        want = ZX_ERR_OUT_OF_RANGE;
    else if (len > 0 && (room == 0 || (model->is_datagram && len > room)))
        want = ZX_ERR_SHOULD_WAIT;
    size_t most = MIN(len, room);
    if (want == ZX_OK && most > transfer.fails_from)
        want = ZX_ERR_INVALID_ARGS;
    assert_int_equal(socket_write(from, len, give, &transfer, &done), want);
    if (want != ZX_OK) {
        assert_int_equal(done, 77);
        return;
    }
    assert_int_equal(done, most);
    if (most > 0)
        model->lengths[(model->head + model->count++) % MAX_PARTS] = most;
    model->written += most;
    model->bytes += most;
}

static void model_drop(struct model *model, uint64_t len)
{
    model->first += len;
    model->bytes -= len;
    while (len > 0) {
        uint64_t *part = &model->lengths[model->head % MAX_PARTS];
        uint64_t some = MIN(len, *part);
        *part -= some;
        len -= some;
        if (*part == 0) {
            model->head = (model->head + 1) % MAX_PARTS;
            model->count--;
        }
    }
}

static void model_read(struct model *model, struct object *to)
{
    size_t len = random_below(random_below(8) == 0 ? 2 * SOCKET_MAX_BYTES : 7000);
    bool peek = random_below(4) == 0;
    struct transfer transfer = {.first = model->first, .fails_from = SIZE_MAX};
    uint64_t there = model->is_datagram && model->count > 0
                         ? model->lengths[model->head % MAX_PARTS]
                         : model->bytes;
    size_t want_len = MIN(len, there);
    zx_status_t want = model->bytes == 0 ? ZX_ERR_SHOULD_WAIT : ZX_OK;
    if (random_below(10) == 0)
        transfer.fails_from = random_below(3000);
    if (want == ZX_OK && want_len > transfer.fails_from)
        want = ZX_ERR_INVALID_ARGS;
    assert_int_equal(socket_read(to, peek, len, take, &transfer), want);
    assert_int_equal(transfer.is_told, want == ZX_OK);
    if (want != ZX_OK)
        return;
    assert_int_equal(transfer.told, want_len);
    if (!peek)
        model_drop(model, model->is_datagram ? there : want_len);
}

static void check_state(const struct model *model, struct object *from, struct object *to)
{
    zx_info_socket_t info;
    uint32_t room = model->bytes < SOCKET_MAX_BYTES ? ZX_SOCKET_WRITABLE : 0;
    socket_get_info(to, &info);
    assert_int_equal(info.rx_buf_size, model->bytes);
    assert_int_equal(object_poll_signals(to) & ZX_SOCKET_READABLE,
                     model->bytes > 0 ? ZX_SOCKET_READABLE : 0);
    assert_int_equal(object_poll_signals(from) & ZX_SOCKET_WRITABLE, room);
}

static void run_model(uint32_t options, uint64_t seed)
{
    static struct model model;
    struct object *a, *b;
    memset(&model, 0, sizeof(model));
    model.is_datagram = options != 0;
    numbers.state = seed * 0x9e3779b97f4a7c15ull;
    assert_int_equal(socket_create(options, &a, &b), ZX_OK);
    for (uint32_t step = 0; step < STEPS; step++) {
        /* In turns rather full and rather empty. */
        if (random_below(100) < (step / 500 % 2 ? 65 : 35))
            model_write(&model, a);
        else
            model_read(&model, b);
        check_state(&model, a, b);
    }
    object_put(a); /* with what is unread on the other side */
    object_put(b);
}

static void test_stream(void **state)
{
    (void)state;
    run_model(0, 1);
}

static void test_datagrams(void **state)
{
    (void)state;
    run_model(ZX_SOCKET_DATAGRAM, 2);
}

struct flow {
    struct object *end;
    unsigned hart;
    uint64_t total;
};

static void *flow_writer(void *arg)
{
    struct flow *flow = arg;
    uint64_t done = 0;
    fake_set_hart(flow->hart);
    for (size_t turn = 0; done < flow->total; turn++) {
        struct transfer transfer = {.first = done, .fails_from = SIZE_MAX};
        size_t len = MIN(1 + turn * 733 % 9000, flow->total - done), some;
        zx_status_t status = socket_write(flow->end, len, give, &transfer, &some);
        if (status == ZX_OK)
            done += some;
        else
            assert_int_equal(status, ZX_ERR_SHOULD_WAIT);
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    struct object *a, *b;
    pthread_t writer;
    uint64_t done = 0;
    (void)state;
    assert_int_equal(socket_create(0, &a, &b), ZX_OK);
    struct flow flow = {.end = a, .hart = 1, .total = 8 * MIB};
    pthread_create(&writer, NULL, flow_writer, &flow);
    for (size_t turn = 0; done < flow.total; turn++) {
        struct transfer transfer = {.first = done, .fails_from = SIZE_MAX};
        zx_status_t status = socket_read(b, turn % 5 == 0, 1 + turn * 389 % 9000, take, &transfer);
        if (status == ZX_OK && turn % 5 != 0)
            done += transfer.told;
        else if (status != ZX_OK)
            assert_int_equal(status, ZX_ERR_SHOULD_WAIT);
    }
    pthread_join(writer, NULL);
    object_put(a);
    object_put(b);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_stream),
        TEST(test_datagrams),
        TEST(test_two_threads),
    };

    return cmocka_run_group_tests_name("socket", tests, boot, NULL);
}
