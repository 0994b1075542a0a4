/* The ring buffer discipline: zx_iob_writev. */
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/child.h"
#include "tests/conformance/iob_discipline_util.h"
#include "userland/libzx/thread.h"

#define MAX_PAYLOAD (65535 - 16)

struct ring {
    zx_handle_t shared;
    struct iob iob;
    zx_vaddr_t addr;
    size_t size_bytes; /* of the ring alone */
};

static struct ring ring_new(size_t pages)
{
    struct ring ring = {.size_bytes = pages * PAGE};

    ring.shared = shared_new((1 + pages) * PAGE);
    ring.iob = ring_iob(ring.shared, RING_TAG);
    ring.addr = map_region0(RW, ring.iob.ep[1], (1 + pages) * PAGE);
    return ring;
}

static void ring_drop(const struct ring *ring)
{
    unmap(ring->addr, ring->size_bytes + PAGE);
    iob_drop(&ring->iob);
    close_handle(ring->shared);
}

static uint64_t ring_head(const struct ring *ring)
{
    return __atomic_load_n((uint64_t *)ring->addr, __ATOMIC_ACQUIRE);
}

static void ring_set_tail(const struct ring *ring, uint64_t tail)
{
    __atomic_store_n((uint64_t *)ring->addr + 1, tail, __ATOMIC_RELEASE);
}

static uint64_t ring_u64(const struct ring *ring, uint64_t at)
{
    return load(ring->addr + PAGE + at % ring->size_bytes);
}

/* Copies out of the ring, around its end. */
static void ring_copy(const struct ring *ring, uint64_t at, void *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((char *)out)[i] = *(const char *)(ring->addr + PAGE + (at + i) % ring->size_bytes);
}

static zx_status_t write_bytes(zx_handle_t endpoint, const void *bytes, size_t len)
{
    zx_iovec_t vector = {.buffer = (void *)bytes, .capacity = len};

    return zx_iob_writev(endpoint, 0, 0, &vector, 1);
}

#define EXPECT_NOT_WRITTEN(ring, call, want)                                                       \
    do {                                                                                           \
        uint64_t head_ = ring_head(ring);                                                          \
        EXPECT_STATUS(call, want);                                                                 \
        EXPECT_EQ(ring_head(ring), head_);                                                         \
    } while (0)

TEST(iob_ring, records)
{
    struct ring ring = ring_new(1);
    static const char text[] = "the quick brown fox";
    char seen[sizeof(text)];
    zx_iovec_t pieces[8] = {
        {.buffer = (void *)text, .capacity = 3},
        {.buffer = NULL, .capacity = 0},
        {.buffer = (void *)(text + 3), .capacity = 1},
        {.buffer = (void *)(text + 4), .capacity = 9},
    };

    EXPECT_EQ(ring_head(&ring), 0);
    EXPECT_OK(write_bytes(ring.iob.ep[0], text, 10));
    EXPECT_EQ(ring_head(&ring), 32);
    EXPECT_EQ(ring_u64(&ring, 0), RING_TAG);
    EXPECT_EQ(ring_u64(&ring, 8), 10);
    ring_copy(&ring, 16, seen, 10);
    EXPECT(memcmp(seen, text, 10) == 0);
    EXPECT_OK(zx_iob_writev(ring.iob.ep[0], 0, 0, pieces, 8)); /* the last four are empty */
    EXPECT_EQ(ring_head(&ring), 64);
    EXPECT_EQ(ring_u64(&ring, 40), 13);
    ring_copy(&ring, 48, seen, 13);
    EXPECT(memcmp(seen, text, 13) == 0);
    EXPECT_OK(zx_iob_writev(ring.iob.ep[0], 0, 0, NULL, 0));
    EXPECT_EQ(ring_head(&ring), 80);
    EXPECT_EQ(ring_u64(&ring, 64), RING_TAG);
    EXPECT_EQ(ring_u64(&ring, 72), 0);
    EXPECT_EQ(load(ring.addr + 8), 0); /* the tail is the reader's */
    ring_drop(&ring);
}

/* Lengths of all remainders, through a few turns of a ring that is no power of two. */
TEST(iob_ring, records_wrap)
{
    struct ring ring = ring_new(3);
    static char payload[2000], seen[2000];
    uint64_t at = 0;

    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (char)(i * 11);
    for (size_t n = 0; n < 60; n++) {
        size_t len = n * 131 % sizeof(payload);
        ASSERT_OK(write_bytes(ring.iob.ep[0], payload + n, len < 1900 ? len : 0));
        len = len < 1900 ? len : 0;
        EXPECT_EQ(ring_u64(&ring, at), RING_TAG);
        EXPECT_EQ(ring_u64(&ring, at + 8), len);
        ring_copy(&ring, at + 16, seen, len);
        EXPECT(memcmp(seen, payload + n, len) == 0);
        at += 16 + ((len + 7) & ~(size_t)7);
        ASSERT_EQ(ring_head(&ring), at);
        ring_set_tail(&ring, at);
    }
    ring_drop(&ring);
}

TEST(iob_ring, arguments)
{
    struct ring ring = ring_new(1);
    zx_handle_t ep = ring.iob.ep[0], weak = duplicate_without(ep, ZX_RIGHT_WRITE);
    zx_iovec_t vectors[9] = {{.buffer = "x", .capacity = 1}};

    EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ep, 1, 0, vectors, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ZX_HANDLE_INVALID, 0, 0, vectors, 1),
                       ZX_ERR_BAD_HANDLE);
    EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ring.shared, 0, 0, vectors, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(weak, 0, 0, vectors, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ring.iob.ep[1], 0, 0, vectors, 1),
                       ZX_ERR_ACCESS_DENIED);
    EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ep, 0, 1, vectors, 1), ZX_ERR_OUT_OF_RANGE);
    EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ep, 0, 0, vectors, 9), ZX_ERR_INVALID_ARGS);
    EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ep, 0, 0, vectors, SIZE_MAX), ZX_ERR_INVALID_ARGS);
    EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ep, 0, 0, NULL, 1), ZX_ERR_INVALID_ARGS);
    for (int i = 0; i < NUM_BAD_ADDRESSES; i++)
        EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ep, 0, 0, (void *)bad_addresses[i], 1),
                           ZX_ERR_INVALID_ARGS);
    vectors[1] = vectors[0];
    vectors[0].capacity = SIZE_MAX;
    vectors[1].capacity = 2; /* the sum overflows to 1 */
    EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ep, 0, 0, vectors, 2), ZX_ERR_INVALID_ARGS);
    vectors[0].capacity = MAX_PAYLOAD;
    EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ep, 0, 0, vectors, 2), ZX_ERR_INVALID_ARGS);
    close_handle(weak);
    ring_drop(&ring);
}

TEST(iob_ring, another_discipline)
{
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);

    EXPECT_STATUS(write_bytes(iob.ep[0], "x", 1), ZX_ERR_WRONG_TYPE);
    iob_drop(&iob);
}

TEST(iob_ring, unreadable_payloads)
{
    struct ring ring = ring_new(2);
    zx_handle_t vmo = vmo_new(PAGE);
    zx_vaddr_t addr = map_anywhere(RW, vmo, PAGE); /* not touched: the copy must fault it in */
    zx_iovec_t vectors[2] = {{.buffer = "good", .capacity = 4}};

    for (int i = 0; i < NUM_BAD_ADDRESSES; i++) {
        vectors[1] = (zx_iovec_t){.buffer = (void *)bad_addresses[i], .capacity = 8};
        EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ring.iob.ep[0], 0, 0, vectors, 2),
                           ZX_ERR_NOT_FOUND);
        vectors[1].capacity = 3000;
        EXPECT_NOT_WRITTEN(&ring, zx_iob_writev(ring.iob.ep[0], 0, 0, vectors, 2),
                           ZX_ERR_NOT_FOUND);
    }
    EXPECT_OK(write_bytes(ring.iob.ep[0], (void *)addr, PAGE));
    EXPECT_EQ(ring_head(&ring), PAGE + 16);
    unmap(addr, PAGE);
    EXPECT_NOT_WRITTEN(&ring, write_bytes(ring.iob.ep[0], (void *)addr, 16), ZX_ERR_NOT_FOUND);
    close_handle(vmo);
    ring_drop(&ring);
}

TEST(iob_ring, no_space)
{
    struct ring ring = ring_new(1);
    zx_handle_t ep = ring.iob.ep[0];
    static char payload[PAGE];

    EXPECT_NOT_WRITTEN(&ring, write_bytes(ep, payload, PAGE - 15), ZX_ERR_NO_SPACE);
    EXPECT_OK(write_bytes(ep, payload, PAGE - 16)); /* exactly all of it */
    EXPECT_NOT_WRITTEN(&ring, write_bytes(ep, payload, 0), ZX_ERR_NO_SPACE);
    EXPECT_NOT_WRITTEN(&ring, write_bytes(ep, NULL, 8), ZX_ERR_NO_SPACE);
    ring_set_tail(&ring, 24);
    EXPECT_OK(write_bytes(ep, payload, 8));
    EXPECT_EQ(ring_head(&ring), PAGE + 24);
    ring_drop(&ring);
}

TEST(iob_ring, corrupt_rings)
{
    struct ring ring = ring_new(1);
    zx_handle_t ep = ring.iob.ep[0];

    ring_set_tail(&ring, 8); /* ahead of the head */
    EXPECT_NOT_WRITTEN(&ring, write_bytes(ep, "x", 1), ZX_ERR_IO_DATA_INTEGRITY);
    EXPECT_NOT_WRITTEN(&ring, write_bytes(ep, NULL, 8), ZX_ERR_IO_DATA_INTEGRITY);
    store(ring.addr, 9); /* misaligned */
    EXPECT_NOT_WRITTEN(&ring, write_bytes(ep, "x", 1), ZX_ERR_IO_DATA_INTEGRITY);
    store(ring.addr, UINT64_MAX - 31); /* 32 bytes more would wrap */
    ring_set_tail(&ring, UINT64_MAX - 31);
    EXPECT_NOT_WRITTEN(&ring, write_bytes(ep, "twelve bytes", 12), ZX_ERR_IO_DATA_INTEGRITY);
    EXPECT_OK(write_bytes(ep, "five", 5));
    EXPECT_EQ(ring_head(&ring), UINT64_MAX - 7);
    ring_drop(&ring);
}

TEST(iob_ring, the_largest_payload)
{
    struct ring ring = ring_new(17);
    char *payload = malloc(MAX_PAYLOAD), *seen = malloc(MAX_PAYLOAD);
    zx_iovec_t vectors[8];

    ASSERT(payload != NULL && seen != NULL);
    for (size_t i = 0; i < MAX_PAYLOAD; i++)
        payload[i] = (char)(i * 29);
    for (size_t i = 0; i < 8; i++)
        vectors[i] = (zx_iovec_t){.buffer = payload + i * 8191,
                                  .capacity = i < 7 ? 8191 : MAX_PAYLOAD - 7 * 8191};
    for (uint64_t n = 0; n < 2; n++) {
        EXPECT_OK(n == 0 ? write_bytes(ring.iob.ep[0], payload, MAX_PAYLOAD)
                         : zx_iob_writev(ring.iob.ep[0], 0, 0, vectors, 8));
        EXPECT_EQ(ring_u64(&ring, n * 65536 + 8), MAX_PAYLOAD);
        ring_copy(&ring, n * 65536 + 16, seen, MAX_PAYLOAD);
        EXPECT(memcmp(seen, payload, MAX_PAYLOAD) == 0);
        ring_set_tail(&ring, (n + 1) * 65536);
    }
    free(payload);
    free(seen);
    ring_drop(&ring);
}

/* Several IOBuffers write to one ring, each with its tag; without the shared region's handle too.
 */
TEST(iob_ring, tags)
{
    struct ring ring = ring_new(1);
    struct iob other = ring_iob(ring.shared, 0xbbbb);

    close_handle(ring.shared);
    EXPECT_OK(write_bytes(ring.iob.ep[0], "a", 1));
    EXPECT_OK(write_bytes(other.ep[0], "b", 1));
    EXPECT_EQ(ring_u64(&ring, 0), RING_TAG);
    EXPECT_EQ(ring_u64(&ring, 24), 0xbbbb);
    unmap(ring.addr, 2 * PAGE);
    iob_drop(&ring.iob);
    iob_drop(&other);
}

TEST(iob_ring, writers_see_the_peer_go)
{
    struct ring ring = ring_new(1);

    unmap(ring.addr, 2 * PAGE);
    close_handle(ring.iob.ep[1]);
    EXPECT(iob_peer_is_closed(ring.iob.ep[0]));
    EXPECT_OK(write_bytes(ring.iob.ep[0], "x", 1)); /* the shared region is still there */
    close_handle(ring.iob.ep[0]);
    close_handle(ring.shared);
}

/* ---- Signals ---- */

TEST(iob_ring, each_record_pulses_the_shared_region)
{
    struct ring ring = ring_new(1);
    zx_port_packet_t packet;
    zx_handle_t port;

    ASSERT_OK(zx_port_create(0, &port));
    EXPECT_OK(write_bytes(ring.iob.ep[0], "x", 1));
    EXPECT_STATUS(zx_object_wait_one(ring.shared, ZX_IOB_SHARED_REGION_UPDATED, 0, NULL),
                  ZX_ERR_TIMED_OUT); /* it does not stay */
    ASSERT_OK(zx_object_wait_async(ring.shared, port, 5, ZX_IOB_SHARED_REGION_UPDATED, 0));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    EXPECT_STATUS(zx_iob_writev(ring.iob.ep[0], 0, 0, NULL, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    EXPECT_OK(write_bytes(ring.iob.ep[0], "x", 1));
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.key, 5);
    EXPECT_EQ(packet.type, ZX_PKT_TYPE_SIGNAL_ONE);
    EXPECT_EQ(packet.signal.trigger, ZX_IOB_SHARED_REGION_UPDATED);
    EXPECT_EQ(packet.signal.observed, ZX_IOB_SHARED_REGION_UPDATED);
    EXPECT_OK(write_bytes(ring.iob.ep[0], "x", 1));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    close_handle(port);
    ring_drop(&ring);
}

static int write_soon(void *arg)
{
    zx_nanosleep(zx_deadline_after(ZX_MSEC(20)));
    return write_bytes(*(zx_handle_t *)arg, "x", 1);
}

TEST(iob_ring, a_record_wakes_who_waits)
{
    struct ring ring = ring_new(1);
    zx_signals_t observed = 0;
    struct thread *thread;

    ASSERT_OK(thread_spawn("writer", write_soon, &ring.iob.ep[0], &thread));
    EXPECT_OK(zx_object_wait_one(ring.shared, ZX_IOB_SHARED_REGION_UPDATED,
                                 zx_deadline_after(PATIENCE), &observed));
    EXPECT_EQ(observed, ZX_IOB_SHARED_REGION_UPDATED);
    EXPECT_EQ(thread_join(thread), ZX_OK);
    ring_drop(&ring);
}

/* ---- Stress ---- */

#define STRESS_CHILDREN 2
#define STRESS_WRITERS  (STRESS_CHILDREN * RING_WRITERS)

/* Takes the record at |tail|; returns where the next one is, 0 when something is wrong. Each
 * writer's records come whole and in order, under the tag of its process. */
static uint64_t take_record(const struct ring *ring, uint64_t tail, uint32_t *next_by_writer)
{
    struct ring_record record;
    uint64_t tag = ring_u64(ring, tail), len = ring_u64(ring, tail + 8);

    if (len < 8 || len > sizeof(record))
        return 0;
    ring_copy(ring, tail + 16, &record, len);
    if (record.writer >= STRESS_WRITERS || tag != record.writer / RING_WRITERS ||
        record.number != next_by_writer[record.writer]++ ||
        len != 8 + ring_fill_bytes(record.number))
        return 0;
    for (uint64_t i = 0; i + 8 < len; i++) {
        if (record.fill[i] != (uint8_t)(record.writer + record.number))
            return 0;
    }
    return tail + 16 + ((len + 7) & ~7ull);
}

/* Waits until the head is past |tail|: registers, and looks again before it sleeps. */
static uint64_t wait_for_records(const struct ring *ring, uint64_t tail, zx_handle_t port)
{
    zx_time_t deadline = zx_deadline_after(PATIENCE);
    zx_port_packet_t packet;
    uint64_t head = ring_head(ring);

    while (head == tail) {
        ASSERT_OK(zx_object_wait_async(ring->shared, port, 1, ZX_IOB_SHARED_REGION_UPDATED, 0));
        head = ring_head(ring);
        if (head == tail)
            ASSERT_OK(zx_port_wait(port, deadline, &packet));
        else if (zx_port_cancel(port, ring->shared, 1) == ZX_ERR_NOT_FOUND)
            EXPECT_OK(zx_port_wait(port, deadline, &packet));
        head = ring_head(ring);
    }
    return head;
}

TEST(iob_ring, two_processes_write_and_a_third_reads)
{
    struct ring ring = ring_new(1);
    struct child children[STRESS_CHILDREN];
    uint32_t next_by_writer[STRESS_WRITERS] = {0};
    uint64_t tail = 0;
    uint32_t count = 0;
    zx_handle_t port;

    ASSERT_OK(zx_port_create(0, &port));
    for (uint32_t i = 0; i < STRESS_CHILDREN; i++) {
        struct iob iob = ring_iob(ring.shared, i);
        char first[12];
        snprintf(first, sizeof(first), "%u", (unsigned)(i * RING_WRITERS));
        children[i] = child_start("ring", first, iob.ep[0], ZX_HANDLE_INVALID);
        close_handle(iob.ep[1]);
    }
    while (count < STRESS_WRITERS * RING_RECORDS) {
        uint64_t head = wait_for_records(&ring, tail, port);
        for (; tail != head; count++) {
            tail = take_record(&ring, tail, next_by_writer);
            ASSERT(tail != 0 && tail <= head);
        }
        ring_set_tail(&ring, tail);
    }
    for (uint32_t i = 0; i < STRESS_CHILDREN; i++)
        EXPECT_EQ(child_end(&children[i]), 0);
    EXPECT_EQ(ring_head(&ring), tail);
    close_handle(port);
    ring_drop(&ring);
}
