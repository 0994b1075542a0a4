/* The disciplines of IOBuffer regions: layouts, limits, and memory that others write to meanwhile.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/object/handle.h"
#include "kernel/object/iob.h"
#include "kernel/object/iob_ids.h"
#include "kernel/object/iob_shared.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"
#include "tests/host/fake_arch.h"
#include "tests/host/test_random.h"

#define PAGE         4096ull
#define EP0_MAP      (ZX_IOB_ACCESS_EP0_CAN_MAP_READ | ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE)
#define EP1_MEDIATED ZX_IOB_ACCESS_EP1_CAN_MEDIATED_WRITE
#define TAG          0x0123456789abcdefull

static uint64_t heap_before, vmo_pages_before;

static uint64_t heap_objects(void)
{
    struct kheap_stats stats;
    kheap_get_stats(&stats);
    return stats.count_objects;
}

static uint64_t vmo_pages(void)
{
    struct pmm_stats stats;
    pmm_get_stats(&stats);
    return stats.count_by_kind[PAGE_VMO];
}

static int boot(void **state)
{
    (void)state;
    fake_boot(64ul << 20);
    aspace_init();
    return 0;
}

static int setup(void **state)
{
    (void)state;
    heap_before = heap_objects();
    vmo_pages_before = vmo_pages();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(object_count_live(ZX_OBJ_TYPE_NONE), 0);
    assert_int_equal(heap_objects(), heap_before);
    assert_int_equal(vmo_pages(), vmo_pages_before);
    return 0;
}

/* ---- Id allocator ---- */

struct ids {
    struct vmo *vmo;
    struct iob_memory memory;
};

static struct ids ids_new(uint64_t size_bytes)
{
    struct ids ids = {0};
    assert_int_equal(vmo_create(size_bytes, 0, &ids.vmo), ZX_OK);
    assert_int_equal(iob_memory_open(&ids.memory, ids.vmo), ZX_OK);
    iob_ids_init(&ids.memory);
    return ids;
}

static void ids_drop(struct ids *ids)
{
    iob_memory_close(&ids->memory);
    vmo_put(ids->vmo);
}

static uint32_t load32(const struct iob_memory *memory, uint64_t offset)
{
    return atomic_load_relaxed((uint32_t *)iob_memory_at(memory, offset));
}

static void store32(const struct iob_memory *memory, uint64_t offset, uint32_t value)
{
    atomic_store_relaxed((uint32_t *)iob_memory_at(memory, offset), value);
}

static uint8_t load8(const struct iob_memory *memory, uint64_t offset)
{
    return *(uint8_t *)iob_memory_at(memory, offset);
}

static void ids_layout(void **state)
{
    struct ids ids = ids_new(3 * PAGE);
    uint8_t blob[1000];
    uint32_t id = 77, end = 3 * PAGE;
    (void)state;

    assert_int_equal(load32(&ids.memory, 0), 0);
    assert_int_equal(load32(&ids.memory, 4), 3 * PAGE);
    for (uint32_t n = 0; n < 10; n++) {
        uint32_t size = n == 3 ? 0 : 991 + n; /* odd sizes, across pages, and an empty one */
        memset(blob, (int)n + 1, sizeof(blob));
        assert_int_equal(iob_ids_add(&ids.memory, blob, size, &id), ZX_OK);
        assert_int_equal(id, n);
        end -= size;
        assert_int_equal(load32(&ids.memory, 0), n + 1);
        assert_int_equal(load32(&ids.memory, 4), end);
        assert_int_equal(load32(&ids.memory, 8 + 8 * n), size);
        assert_int_equal(load32(&ids.memory, 12 + 8 * n), end);
        for (uint32_t i = 0; i < size; i++)
            assert_int_equal(load8(&ids.memory, end + i), n + 1);
    }
    for (uint32_t at = 8 + 8 * 10; at < end; at++)
        assert_int_equal(load8(&ids.memory, at), 0);
    ids_drop(&ids);
}

static void ids_full(void **state)
{
    struct ids ids = ids_new(PAGE);
    uint8_t blob[PAGE] = {1};
    uint32_t id = 77;
    (void)state;

    /* The header and one entry leave this much. */
    assert_int_equal(iob_ids_add(&ids.memory, blob, PAGE - 15, &id), ZX_ERR_NO_MEMORY);
    assert_int_equal(iob_ids_add(&ids.memory, blob, UINT64_MAX, &id), ZX_ERR_NO_MEMORY);
    assert_int_equal(iob_ids_add(&ids.memory, blob, (1ull << 32) + 1, &id), ZX_ERR_NO_MEMORY);
    assert_int_equal(id, 77);
    assert_int_equal(iob_ids_add(&ids.memory, blob, PAGE - 16 - 8, &id), ZX_OK);
    assert_int_equal(iob_ids_check(&ids.memory, 1), ZX_ERR_NO_MEMORY);
    assert_int_equal(iob_ids_add(&ids.memory, blob, 0, &id), ZX_OK); /* its entry is all it needs */
    assert_int_equal(iob_ids_add(&ids.memory, blob, 0, &id), ZX_ERR_NO_MEMORY);
    assert_int_equal(id, 1);
    ids_drop(&ids);
}

static void ids_corrupt(void **state)
{
    static const uint32_t headers[][2] = {
        {UINT32_MAX, PAGE}, {0, PAGE + 1},    {0, 7},
        {0, UINT32_MAX},    {0x20000000, 32}, /* 8 + 8 n wraps in 32 bits */
        {511, PAGE - 1},    {512, PAGE},
    };
    struct ids ids = ids_new(PAGE);
    uint32_t id = 77;
    (void)state;

    for (size_t i = 0; i < ARRAY_COUNT(headers); i++) {
        store32(&ids.memory, 0, headers[i][0]);
        store32(&ids.memory, 4, headers[i][1]);
        assert_int_equal(iob_ids_check(&ids.memory, 0), ZX_ERR_IO_DATA_INTEGRITY);
        assert_int_equal(iob_ids_add(&ids.memory, "x", 1, &id), ZX_ERR_IO_DATA_INTEGRITY);
        assert_int_equal(load32(&ids.memory, 0), headers[i][0]);
        assert_int_equal(load32(&ids.memory, 4), headers[i][1]);
    }
    /* An entry that is taken already. */
    iob_ids_init(&ids.memory);
    store32(&ids.memory, 12, 1);
    assert_int_equal(iob_ids_add(&ids.memory, "x", 1, &id), ZX_ERR_IO_DATA_INTEGRITY);
    assert_int_equal(load32(&ids.memory, 8), 0);
    assert_int_equal(load32(&ids.memory, 12), 1);
    assert_int_equal(id, 77);
    ids_drop(&ids);
}

/* What an addition to a container with this header must say, in plain arithmetic. */
static zx_status_t ids_model(uint64_t next_id, uint64_t blob_head, uint64_t size, uint64_t blob)
{
    if (8 + 8 * next_id > blob_head || blob_head > size)
        return ZX_ERR_IO_DATA_INTEGRITY;
    return 8 + 8 * next_id + 8 + blob > blob_head ? ZX_ERR_NO_MEMORY : ZX_OK;
}

static uint32_t hostile32(struct test_random *random, uint32_t size)
{
    switch (test_random_below(random, 4)) {
    case 0:
        return (uint32_t)test_random_next(random);
    case 1:
        return (uint32_t)test_random_below(random, size / 8 + 2);
    case 2:
        return (uint32_t)(size - test_random_below(random, 40) + 20);
    default:
        return (uint32_t)test_random_below(random, size + 9);
    }
}

static void ids_fuzz(void **state)
{
    const uint32_t size = 2 * PAGE;
    struct ids ids = ids_new(size);
    struct test_random random = (struct test_random){.state = 1};
    uint8_t blob[2 * PAGE + 100], before[2 * PAGE];
    (void)state;

    memset(blob, 0xab, sizeof(blob));
    for (int round = 0; round < 20000; round++) {
        uint32_t next_id = hostile32(&random, size), head = hostile32(&random, size), id;
        uint64_t bytes = test_random_below(&random, 4) == 0
                             ? test_random_below(&random, sizeof(blob))
                             : test_random_below(&random, 64);
        zx_status_t want = ids_model(next_id, head, size, bytes);
        for (uint32_t page = 0; page < 2; page++)
            memset(iob_memory_at(&ids.memory, page * PAGE), 0, PAGE);
        store32(&ids.memory, 0, next_id);
        store32(&ids.memory, 4, head);
        if (want == ZX_OK && test_random_below(&random, 3) == 0) {
            store32(&ids.memory, 8 + 8 * next_id, 1 + (uint32_t)test_random_next(&random) / 2);
            want = ZX_ERR_IO_DATA_INTEGRITY;
        }
        for (uint32_t page = 0; page < 2; page++)
            memcpy(before + page * PAGE, iob_memory_at(&ids.memory, page * PAGE), PAGE);
        assert_int_equal(iob_ids_add(&ids.memory, blob, bytes, &id), want);
        /* Nothing but the header, the entry and the blob's place has changed. */
        for (uint32_t at = 8; at < size; at++) {
            bool is_entry = next_id < size / 8 && at - 8 >= 8 * next_id && at - 8 < 8 * next_id + 8;
            bool is_blob = bytes <= head && at >= head - bytes && at < head;
            if (!is_entry && !is_blob)
                assert_int_equal(load8(&ids.memory, at), before[at]);
        }
        if (want == ZX_OK)
            assert_int_equal(id, next_id);
    }
    ids_drop(&ids);
}

#define ID_THREADS 4
#define ID_ROUNDS  200

struct id_thread {
    struct iob_memory *memory;
    unsigned hart;
    uint32_t ids[ID_ROUNDS];
    bool *stop;
};

static void *id_thread(void *arg)
{
    struct id_thread *self = arg;
    fake_set_hart(self->hart);
    for (uint32_t i = 0; i < ID_ROUNDS; i++) {
        uint32_t blob[3] = {self->hart, i, ~i};
        assert_int_equal(iob_ids_add(self->memory, blob, sizeof(blob), &self->ids[i]), ZX_OK);
    }
    return NULL;
}

static void ids_concurrent(void **state)
{
    struct ids ids = ids_new(ID_THREADS * ID_ROUNDS * 20 + 8 + PAGE - 8);
    static struct id_thread threads[ID_THREADS];
    pthread_t handles[ID_THREADS];
    (void)state;

    for (unsigned t = 0; t < ID_THREADS; t++) {
        threads[t] = (struct id_thread){.memory = &ids.memory, .hart = t};
        pthread_create(&handles[t], NULL, id_thread, &threads[t]);
    }
    for (unsigned t = 0; t < ID_THREADS; t++)
        pthread_join(handles[t], NULL);
    assert_int_equal(load32(&ids.memory, 0), ID_THREADS * ID_ROUNDS);
    for (unsigned t = 0; t < ID_THREADS; t++) {
        for (uint32_t i = 0; i < ID_ROUNDS; i++) {
            uint64_t entry = 8 + 8ull * threads[t].ids[i];
            uint32_t at = load32(&ids.memory, entry + 4);
            assert_int_equal(load32(&ids.memory, entry), 12);
            assert_int_equal(load32(&ids.memory, at), t);
            assert_int_equal(load32(&ids.memory, at + 4), i);
            assert_int_equal(load32(&ids.memory, at + 8), ~i);
        }
    }
    ids_drop(&ids);
}

/* Writes nonsense over the first 16 bytes of a region until told to stop. */
static void *vandal(void *arg)
{
    struct id_thread *self = arg;
    struct test_random random = (struct test_random){.state = self->hart + 1};
    fake_set_hart(self->hart);
    while (!atomic_load(self->stop)) {
        for (uint64_t at = 0; at < 16; at += 4)
            store32(self->memory, at,
                    test_random_below(&random, 2)
                        ? (uint32_t)test_random_next(&random)
                        : (uint32_t)test_random_below(&random, 9000) & ~7u);
    }
    return NULL;
}

static void ids_against_a_vandal(void **state)
{
    struct ids ids = ids_new(2 * PAGE);
    bool stop = false;
    struct id_thread self = {.memory = &ids.memory, .hart = 1, .stop = &stop};
    uint8_t blob[100] = {0};
    pthread_t thread;
    uint32_t id;
    (void)state;

    pthread_create(&thread, NULL, vandal, &self);
    for (int i = 0; i < 100000; i++) {
        zx_status_t status = iob_ids_add(&ids.memory, blob, (uint64_t)i % sizeof(blob), &id);
        assert_true(status == ZX_OK || status == ZX_ERR_NO_MEMORY ||
                    status == ZX_ERR_IO_DATA_INTEGRITY);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    ids_drop(&ids);
}

/* ---- Ring ---- */

static struct iob_shared *ring_new(uint64_t ring_pages)
{
    struct iob_shared *shared = NULL;
    assert_int_equal(iob_shared_create((1 + ring_pages) * PAGE, &shared), ZX_OK);
    return shared;
}

/* As the system call does it. */
static zx_status_t ring_write(struct iob_shared *shared, uint64_t tag, const void *payload,
                              size_t len)
{
    struct iob_record *record = malloc(iob_record_size_bytes(len));
    record->tag = tag;
    record->payload_bytes = len;
    memcpy(record->payload, payload, len);
    zx_status_t status = iob_ring_write(shared, record);
    free(record);
    return status;
}

static uint64_t *ring_word(struct iob_shared *shared, uint64_t offset)
{
    return iob_memory_at(&shared->memory, offset);
}

static uint64_t ring_bytes(const struct iob_shared *shared)
{
    return shared->memory.size_bytes - PAGE;
}

static uint8_t ring_byte(struct iob_shared *shared, uint64_t stream_offset)
{
    return load8(&shared->memory, PAGE + stream_offset % ring_bytes(shared));
}

static uint64_t ring_u64(struct iob_shared *shared, uint64_t stream_offset)
{
    return atomic_load_relaxed(ring_word(shared, PAGE + stream_offset % ring_bytes(shared)));
}

static void expect_record(struct iob_shared *shared, uint64_t at, const uint8_t *payload,
                          uint64_t len)
{
    assert_int_equal(ring_u64(shared, at), TAG);
    assert_int_equal(ring_u64(shared, at + 8), len);
    for (uint64_t i = 0; i < len; i++)
        assert_int_equal(ring_byte(shared, at + 16 + i), payload[i]);
}

/* Records of many lengths, read one behind, through many turns of rings that are and are not a
 * power of two. */
static void ring_records_wrap(void **state)
{
    uint8_t payload[3000];
    (void)state;

    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(i * 7 + 1);
    for (uint64_t pages = 1; pages <= 3; pages++) {
        struct iob_shared *shared = ring_new(pages);
        uint64_t head = 0;
        for (uint64_t n = 0; n < 400; n++) {
            uint64_t len = n * 37 % sizeof(payload);
            assert_int_equal(ring_write(shared, TAG, payload, len), ZX_OK);
            expect_record(shared, head, payload, len);
            head += 16 + ((len + 7) & ~7ull);
            assert_int_equal(*ring_word(shared, 0), head);
            atomic_store(ring_word(shared, 8), head);
        }
        for (uint64_t at = 16; at < PAGE; at += 8)
            assert_int_equal(*ring_word(shared, at), 0);
        object_put(&shared->object);
    }
}

static void ring_no_space(void **state)
{
    struct iob_shared *shared = ring_new(1);
    uint8_t payload[PAGE] = {0};
    (void)state;

    assert_int_equal(ring_write(shared, TAG, payload, PAGE - 15), ZX_ERR_NO_SPACE);
    assert_int_equal(ring_write(shared, TAG, payload, PAGE - 16), ZX_OK); /* exactly full */
    assert_int_equal(iob_ring_check(shared, 0), ZX_ERR_NO_SPACE);
    assert_int_equal(ring_write(shared, TAG, payload, 0), ZX_ERR_NO_SPACE);
    atomic_store(ring_word(shared, 8), 16);
    assert_int_equal(ring_write(shared, TAG, payload, 1), ZX_ERR_NO_SPACE);
    assert_int_equal(ring_write(shared, TAG, payload, 0), ZX_OK);
    assert_int_equal(*ring_word(shared, 0), PAGE + 16);
    object_put(&shared->object);
}

static void ring_largest_payload(void **state)
{
    static uint8_t payload[IOB_RING_PAYLOAD_MAX_BYTES];
    struct iob_shared *shared = ring_new(17);
    (void)state;

    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(i * 13);
    for (uint64_t n = 0; n < 3; n++) {
        assert_int_equal(ring_write(shared, TAG, payload, sizeof(payload)), ZX_OK);
        expect_record(shared, n * 65536, payload, sizeof(payload));
        atomic_store(ring_word(shared, 8), (n + 1) * 65536);
    }
    object_put(&shared->object);
}

/* What a write must say, in plain arithmetic. */
static zx_status_t ring_model(uint64_t head, uint64_t tail, uint64_t size, uint64_t record)
{
    if (record > size)
        return ZX_ERR_NO_SPACE;
    if (tail > head || head % 8 != 0 || head + record < head)
        return ZX_ERR_IO_DATA_INTEGRITY;
    return head - tail + record > size ? ZX_ERR_NO_SPACE : ZX_OK;
}

static void ring_fuzz(void **state)
{
    struct iob_shared *shared = ring_new(3);
    struct test_random random = (struct test_random){.state = 2};
    uint64_t size = ring_bytes(shared);
    uint8_t payload[400];
    (void)state;

    memset(payload, 0x5a, sizeof(payload));
    for (int round = 0; round < 50000; round++) {
        uint64_t head = test_random_next(&random),
                 len = test_random_below(&random, sizeof(payload));
        if (test_random_below(&random, 2) == 0)
            head = UINT64_MAX - test_random_below(&random, 600);
        if (test_random_below(&random, 4) != 0)
            head &= ~7ull;
        uint64_t tail = head - test_random_below(&random, 2 * size) + 16;
        if (test_random_below(&random, 8) == 0)
            tail = test_random_next(&random);
        uint64_t record = 16 + ((len + 7) & ~7ull);
        atomic_store(ring_word(shared, 0), head);
        atomic_store(ring_word(shared, 8), tail);
        zx_status_t want = ring_model(head, tail, size, record);
        assert_int_equal(iob_ring_check(shared, len), want);
        assert_int_equal(ring_write(shared, TAG, payload, len), want);
        assert_int_equal(*ring_word(shared, 0), want == ZX_OK ? head + record : head);
        assert_int_equal(*ring_word(shared, 8), tail);
        if (want == ZX_OK)
            expect_record(shared, head, payload, len);
    }
    for (uint64_t at = 16; at < PAGE; at += 8)
        assert_int_equal(*ring_word(shared, at), 0);
    object_put(&shared->object);
}

#define RING_WRITERS 3
#define RING_ROUNDS  3000

struct ring_writer {
    struct iob_shared *shared;
    unsigned hart;
};

static size_t payload_of(uint64_t writer, uint64_t n, uint8_t *out)
{
    /* Short and long records take different ways. */
    size_t len = 1 + (size_t)(writer * 31 + n * 17) % (n % 16 == 0 ? 1500 : 200);
    memset(out, (int)(writer * 50 + n), len);
    return len;
}

static void *ring_writer(void *arg)
{
    struct ring_writer *self = arg;
    uint8_t payload[1600];
    fake_set_hart(self->hart);
    for (uint64_t n = 0; n < RING_ROUNDS; n++) {
        size_t len = payload_of(self->hart, n, payload);
        zx_status_t status;
        while ((status = ring_write(self->shared, self->hart, payload, len)) != ZX_OK) {
            assert_int_equal(status, ZX_ERR_NO_SPACE);
            sched_yield();
        }
    }
    return NULL;
}

/* Takes the record at |tail|; returns where the next one is. Each writer's come in order. */
static uint64_t ring_take(struct iob_shared *shared, uint64_t tail, uint64_t *count_by_writer)
{
    uint8_t want[1600];
    uint64_t writer = ring_u64(shared, tail), len = ring_u64(shared, tail + 8);
    assert_true(writer < RING_WRITERS);
    assert_int_equal(len, payload_of(writer, count_by_writer[writer]++, want));
    for (uint64_t i = 0; i < len; i++)
        assert_int_equal(ring_byte(shared, tail + 16 + i), want[i]);
    return tail + 16 + ((len + 7) & ~7ull);
}

static void ring_concurrent(void **state)
{
    struct iob_shared *shared = ring_new(1);
    struct ring_writer writers[RING_WRITERS];
    pthread_t threads[RING_WRITERS];
    uint64_t counts[RING_WRITERS] = {0}, tail = 0;
    (void)state;

    for (unsigned i = 0; i < RING_WRITERS; i++) {
        writers[i] = (struct ring_writer){.shared = shared, .hart = i};
        pthread_create(&threads[i], NULL, ring_writer, &writers[i]);
    }
    fake_set_hart(3);
    while (counts[0] + counts[1] + counts[2] < RING_WRITERS * RING_ROUNDS) {
        uint64_t head = atomic_load_acquire(ring_word(shared, 0));
        if (head == tail)
            sched_yield();
        while (tail < head)
            tail = ring_take(shared, tail, counts);
        atomic_store_release(ring_word(shared, 8), tail);
    }
    for (unsigned i = 0; i < RING_WRITERS; i++)
        pthread_join(threads[i], NULL);
    fake_set_hart(0);
    object_put(&shared->object);
}

static void ring_against_a_vandal(void **state)
{
    struct iob_shared *shared = ring_new(2);
    bool stop = false;
    struct id_thread self = {.memory = &shared->memory, .hart = 1, .stop = &stop};
    uint8_t payload[900] = {0};
    pthread_t thread;
    (void)state;

    pthread_create(&thread, NULL, vandal, &self);
    for (int i = 0; i < 100000; i++) {
        zx_status_t status = ring_write(shared, TAG, payload, (size_t)i % sizeof(payload));
        assert_true(status == ZX_OK || status == ZX_ERR_NO_SPACE ||
                    status == ZX_ERR_IO_DATA_INTEGRITY);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    for (uint64_t at = 16; at < PAGE; at += 8)
        assert_int_equal(*ring_word(shared, at), 0);
    object_put(&shared->object);
}

static uint32_t count_notified, seen_signals;

static bool note_signals(struct observer *observer, enum observer_event event, uint32_t observed)
{
    (void)observer;
    assert_int_equal(event, OBSERVER_SIGNALS);
    count_notified++;
    seen_signals = observed;
    return false;
}

static void ring_announces(void **state)
{
    static const struct observer_ops ops = {.notify = note_signals};
    struct iob_shared *shared = ring_new(1);
    struct observer watch = {.ops = &ops, .trigger = ZX_IOB_SHARED_REGION_UPDATED};
    struct observer other = {.ops = &ops, .trigger = ZX_USER_SIGNAL_0};
    (void)state;

    count_notified = 0;
    assert_int_equal(ring_write(shared, TAG, "a", 1), ZX_OK);
    object_add_observer(&shared->object, &watch, false);
    object_add_observer(&shared->object, &other, false);
    assert_int_equal(count_notified, 0); /* it does not stay set */
    assert_int_equal(ring_write(shared, TAG, "b", 1), ZX_OK);
    assert_int_equal(count_notified, 1);
    assert_int_equal(seen_signals, ZX_IOB_SHARED_REGION_UPDATED);
    assert_int_equal(object_poll_signals(&shared->object), 0);
    atomic_store(ring_word(shared, 8), UINT64_MAX);
    object_add_observer(&shared->object, &watch, false);
    assert_int_equal(ring_write(shared, TAG, "c", 1), ZX_ERR_IO_DATA_INTEGRITY);
    assert_int_equal(count_notified, 1); /* nothing was written */
    object_remove_observer(&shared->object, &watch);
    object_remove_observer(&shared->object, &other);
    object_put(&shared->object);
}

/* ---- Regions ---- */

static zx_iob_region_t ids_region(uint32_t access, uint64_t size)
{
    return (zx_iob_region_t){
        .type = ZX_IOB_REGION_TYPE_PRIVATE,
        .access = access,
        .size = size,
        .discipline = {.type = ZX_IOB_DISCIPLINE_TYPE_ID_ALLOCATOR},
    };
}

static zx_iob_region_t ring_region(uint32_t access, uint64_t tag)
{
    return (zx_iob_region_t){
        .type = ZX_IOB_REGION_TYPE_SHARED,
        .access = access,
        .discipline = {.type = ZX_IOB_DISCIPLINE_TYPE_MEDIATED_WRITE_RING_BUFFER,
                       .ring_buffer = {.tag = tag}},
    };
}

static void check_region(zx_iob_region_t region, zx_status_t want)
{
    uint64_t size_bytes;
    assert_int_equal(iob_check_region(&region, &size_bytes), want);
}

static void bad_regions(void **state)
{
    zx_iob_region_t bad;
    (void)state;

    check_region(ids_region(EP0_MAP | EP1_MEDIATED, PAGE), ZX_OK);
    check_region(ids_region(EP0_MAP, 0), ZX_OK); /* the kernel has no part in it */
    check_region(ids_region(EP0_MAP, 1ull << 40), ZX_OK);
    check_region(ids_region(EP0_MAP | EP1_MEDIATED, 0), ZX_ERR_INVALID_ARGS);
    check_region(ids_region(EP0_MAP | EP1_MEDIATED, 1ull << 32), ZX_ERR_OUT_OF_RANGE);
    check_region(ids_region(ZX_IOB_ACCESS_EP1_CAN_MEDIATED_READ | EP1_MEDIATED, PAGE), ZX_OK);
    check_region(ids_region(EP0_MAP | ZX_IOB_ACCESS_EP1_CAN_MEDIATED_READ, PAGE),
                 ZX_ERR_INVALID_ARGS);
    bad = ids_region(EP0_MAP | EP1_MEDIATED, 0);
    bad.type = ZX_IOB_REGION_TYPE_SHARED;
    check_region(bad, ZX_ERR_INVALID_ARGS);

    check_region(ring_region(EP0_MAP | EP1_MEDIATED, 1), ZX_OK);
    bad = ring_region(EP0_MAP | EP1_MEDIATED, 1);
    bad.size = PAGE;
    check_region(bad, ZX_ERR_INVALID_ARGS);
    bad.type = ZX_IOB_REGION_TYPE_PRIVATE;
    check_region(bad, ZX_ERR_INVALID_ARGS);
    bad = ring_region(EP0_MAP | EP1_MEDIATED, 1);
    bad.shared_region.options = 1;
    check_region(bad, ZX_ERR_INVALID_ARGS);
    bad = ring_region(EP0_MAP, 1);
    bad.discipline.type = ZX_IOB_DISCIPLINE_TYPE_NONE;
    check_region(bad, ZX_ERR_INVALID_ARGS);
}

static void mediated_access(void **state)
{
    struct iob_shared *shared = ring_new(1), *found = NULL, *small = ring_new(0);
    zx_iob_region_t regions[] = {
        ids_region(EP0_MAP | EP1_MEDIATED, 2 * PAGE),
        ring_region(ZX_IOB_ACCESS_EP0_CAN_MEDIATED_WRITE | EP0_MAP, TAG),
    };
    struct iob_shared *with[] = {NULL, shared}, *with_small[] = {NULL, small};
    const struct iob_memory *memory = NULL;
    struct iob_endpoint *ep0, *ep1;
    uint64_t tag = 0;
    (void)state;

    assert_int_equal(iob_create(regions, with_small, 2, &ep0, &ep1), ZX_ERR_INVALID_ARGS);
    assert_int_equal(iob_create(regions, with, 2, &ep0, &ep1), ZX_OK);
    assert_int_equal(iob_get_ids(ep1, 0, &memory), ZX_OK);
    assert_int_equal(iob_get_ids(ep0, 0, &memory), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(iob_get_ids(ep1, 1, &memory), ZX_ERR_WRONG_TYPE);
    assert_int_equal(iob_get_ids(ep1, 2, &memory), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(iob_get_ring(ep0, 1, &found, &tag), ZX_OK);
    assert_ptr_equal(found, shared);
    assert_int_equal(tag, TAG);
    assert_int_equal(iob_get_ring(ep1, 1, &found, &tag), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(iob_get_ring(ep0, 0, &found, &tag), ZX_ERR_WRONG_TYPE);
    assert_int_equal(iob_get_ring(ep0, 2, &found, &tag), ZX_ERR_OUT_OF_RANGE);

    assert_int_equal(iob_get_region(ep0, 1)->vmo->koid, shared->object.koid);
    assert_int_equal(iob_get_region(ep0, 1)->description.size, 0); /* as it was given */
    assert_int_equal(load32(memory, 4), 2 * PAGE);
    /* Pinned: the pages stay, zeroing clears them where they are. */
    assert_int_equal(vmo_decommit(iob_get_region(ep0, 0)->vmo, 0, PAGE), ZX_ERR_BAD_STATE);
    store32(memory, PAGE + 4, 9);
    assert_int_equal(vmo_zero(iob_get_region(ep0, 0)->vmo, 4, 2 * PAGE - 4), ZX_OK);
    assert_int_equal(load32(memory, 4) | load32(memory, PAGE + 4), 0);
    object_put(&shared->object); /* the IOBuffer keeps it */
    assert_int_equal(ring_write(found, tag, "x", 1), ZX_OK);
    object_put(&ep0->object);
    object_put(&ep1->object);
    object_put(&small->object);
}

static void without_memory(void **state)
{
    zx_iob_region_t regions[] = {ids_region(EP0_MAP | EP1_MEDIATED, 2 * PAGE),
                                 ring_region(EP0_MAP | EP1_MEDIATED, TAG)};
    uint64_t nth = 0;
    bool failed;
    (void)state;
    do {
        struct iob_shared *with[] = {NULL, NULL};
        struct iob_endpoint *ep0, *ep1;
        fake_fail_after(++nth);
        zx_status_t status = iob_shared_create(3 * PAGE, &with[1]);
        if (status == ZX_OK) {
            status = iob_create(regions, with, 2, &ep0, &ep1);
            object_put(&with[1]->object);
        }
        failed = fake_fail_stop();
        assert_int_equal(status, failed ? ZX_ERR_NO_MEMORY : ZX_OK);
        if (status == ZX_OK) {
            object_put(&ep0->object);
            object_put(&ep1->object);
        }
        assert_int_equal(heap_objects(), heap_before);
        assert_int_equal(vmo_pages(), vmo_pages_before);
    } while (failed);
    assert_true(nth > 10);
}

static void too_large(void **state)
{
    struct iob_shared *shared;
    (void)state;
    assert_int_equal(iob_shared_create(UINT64_MAX & ~(PAGE - 1), &shared), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(iob_shared_create(1ull << 50, &shared), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(iob_shared_create(1ull << 37, &shared), ZX_ERR_NO_MEMORY);
    assert_int_equal(iob_shared_create(fake_arena_bytes, &shared), ZX_ERR_NO_MEMORY);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(ids_layout),        CASE(ids_full),        CASE(ids_corrupt),
        CASE(ids_fuzz),          CASE(ids_concurrent),  CASE(ids_against_a_vandal),
        CASE(ring_records_wrap), CASE(ring_no_space),   CASE(ring_largest_payload),
        CASE(ring_fuzz),         CASE(ring_concurrent), CASE(ring_against_a_vandal),
        CASE(ring_announces),    CASE(bad_regions),     CASE(mediated_access),
        CASE(without_memory),    CASE(too_large),
    };
    return cmocka_run_group_tests(tests, boot, NULL);
}
