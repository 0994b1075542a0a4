/* Round trips between two processes, and records into a ring. */
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls/iob.h>

#include "tests/bench/bench.h"
#include "userland/libzx/program.h"

#define PEER_CHANNEL  PA_HND(PA_USER0, 0)
#define PEER_ENDPOINT PA_HND(PA_USER0, 1)

#define MESSAGE_BYTES 16u
#define RECORD_BYTES  64u
#define RING_PAGES    4u

/* What both processes see of the IOBuffer of iob_futex_rtt. */
struct exchange {
    zx_futex_t requests;
    zx_futex_t answers;
};

struct link {
    zx_handle_t channel, process, endpoint;
    struct exchange *exchange;
    int count;
};

static zx_iob_region_t region_of(uint64_t size_bytes)
{
    return (zx_iob_region_t){
        .type = ZX_IOB_REGION_TYPE_PRIVATE,
        .access = ZX_IOB_ACCESS_EP0_CAN_MAP_READ | ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE |
                  ZX_IOB_ACCESS_EP1_CAN_MAP_READ | ZX_IOB_ACCESS_EP1_CAN_MAP_WRITE,
        .size = size_bytes,
        .discipline.type = ZX_IOB_DISCIPLINE_TYPE_NONE,
    };
}

static struct exchange *map_exchange(zx_handle_t endpoint)
{
    zx_vaddr_t addr;

    must(zx_vmar_map_iob(zx_vmar_root_self(), RW, 0, endpoint, 0, 0, PAGE, &addr), "map_iob");
    return (struct exchange *)addr;
}

/* ---- The other process ---- */

static void answer_futex(zx_handle_t endpoint)
{
    struct exchange *exchange = map_exchange(endpoint);

    for (int seen = 0;; seen++) {
        while (__atomic_load_n((int *)&exchange->requests, __ATOMIC_ACQUIRE) == seen)
            (void)zx_futex_wait(&exchange->requests, seen, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
        __atomic_store_n((int *)&exchange->answers, seen + 1, __ATOMIC_RELEASE);
        (void)zx_futex_wake(&exchange->answers, 1);
    }
}

static void answer_channel(zx_handle_t channel)
{
    char message[MESSAGE_BYTES];
    uint32_t bytes, handles;

    for (;;) {
        must(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL), "wait");
        must(zx_channel_read(channel, 0, message, NULL, sizeof(message), 0, &bytes, &handles),
             "read");
        must(zx_channel_write(channel, 0, message, bytes, NULL, 0), "write");
    }
}

int bench_peer(const char *service)
{
    if (strcmp(service, "futex") == 0)
        answer_futex(zx_take_startup_handle(PEER_ENDPOINT));
    if (strcmp(service, "channel") == 0)
        answer_channel(zx_take_startup_handle(PEER_CHANNEL));
    return 1;
}

/* ---- This process ---- */

static struct link link_new(const char *service)
{
    const char *const argv[] = {"bench", "peer", service};
    struct launch_handle handles[2] = {{.info = PEER_CHANNEL}, {.info = PEER_ENDPOINT}};
    struct program_args args = {.argv = argv, .argc = 3, .handles = handles, .num_handles = 2};
    zx_iob_region_t region = region_of(PAGE);
    struct link link = {0};

    must(zx_channel_create(0, &link.channel, &handles[0].handle), "channel_create");
    must(zx_iob_create(0, &region, 1, &link.endpoint, &handles[1].handle), "iob_create");
    link.exchange = map_exchange(link.endpoint);
    must(program_start(&args, &link.process), "starting the peer");
    return link;
}

static void link_drop(struct link *link)
{
    must(zx_task_kill(link->process), "kill");
    must(zx_object_wait_one(link->process, ZX_TASK_TERMINATED, ZX_TIME_INFINITE, NULL), "wait");
    must(zx_vmar_unmap(zx_vmar_root_self(), (zx_vaddr_t)link->exchange, PAGE), "unmap");
    zx_handle_close(link->process);
    zx_handle_close(link->endpoint);
    zx_handle_close(link->channel);
}

static void futex_round_trip(void *state)
{
    struct link *link = state;
    int seen = link->count++;

    __atomic_store_n((int *)&link->exchange->requests, seen + 1, __ATOMIC_RELEASE);
    (void)zx_futex_wake(&link->exchange->requests, 1);
    while (__atomic_load_n((int *)&link->exchange->answers, __ATOMIC_ACQUIRE) == seen)
        (void)zx_futex_wait(&link->exchange->answers, seen, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
}

static void channel_round_trip(void *state)
{
    struct link *link = state;
    char message[MESSAGE_BYTES] = {0};
    uint32_t bytes, handles;

    must(zx_channel_write(link->channel, 0, message, sizeof(message), NULL, 0), "write");
    must(zx_object_wait_one(link->channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL), "wait");
    must(zx_channel_read(link->channel, 0, message, NULL, sizeof(message), 0, &bytes, &handles),
         "read");
}

static void channel_call(void *state)
{
    struct link *link = state;
    char request[MESSAGE_BYTES] = {0}, reply[MESSAGE_BYTES];
    zx_channel_call_args_t args = {
        .wr_bytes = request,
        .rd_bytes = reply,
        .wr_num_bytes = sizeof(request),
        .rd_num_bytes = sizeof(reply),
    };
    uint32_t bytes, handles;

    must(zx_channel_call(link->channel, 0, ZX_TIME_INFINITE, &args, &bytes, &handles), "call");
}

static void bench_link(const char *name, const char *service, void (*run)(void *),
                       const char *definition)
{
    if (!bench_is_wanted(name))
        return;
    struct link link = link_new(service);
    bench(name, &(struct operation){.run = run}, &link, SAMPLES, 1, definition);
    link_drop(&link);
}

/* ---- A ring ---- */

struct ring {
    zx_handle_t shared, endpoint[2];
    volatile uint64_t *control; /* head, tail */
    char *data;
};

static void ring_record(void *state)
{
    struct ring *ring = state;
    static char record[RECORD_BYTES], seen[RECORD_BYTES];
    zx_iovec_t vector = {.buffer = record, .capacity = sizeof(record)};

    must(zx_iob_writev(ring->endpoint[0], 0, 0, &vector, 1), "writev");
    uint64_t tail = ring->control[1], size = RING_PAGES * PAGE;
    uint64_t head = __atomic_load_n(&ring->control[0], __ATOMIC_ACQUIRE);
    for (size_t i = 0; i < sizeof(seen); i += sizeof(uint64_t))
        *(uint64_t *)(seen + i) = *(uint64_t *)(ring->data + (tail + 16 + i) % size);
    __atomic_store_n(&ring->control[1], head, __ATOMIC_RELEASE);
}

static void bench_ring(void)
{
    struct ring ring;
    zx_vaddr_t addr;

    if (!bench_is_wanted("iob_writev"))
        return;
    must(zx_iob_create_shared_region(0, (1 + RING_PAGES) * PAGE, &ring.shared), "shared region");
    zx_iob_region_t region = region_of((1 + RING_PAGES) * PAGE);
    region.type = ZX_IOB_REGION_TYPE_SHARED;
    region.size = 0;
    region.access |= ZX_IOB_ACCESS_EP0_CAN_MEDIATED_WRITE;
    region.discipline.type = ZX_IOB_DISCIPLINE_TYPE_MEDIATED_WRITE_RING_BUFFER;
    region.shared_region.shared_region = ring.shared;
    must(zx_iob_create(0, &region, 1, &ring.endpoint[0], &ring.endpoint[1]), "iob_create");
    must(zx_vmar_map_iob(zx_vmar_root_self(), RW, 0, ring.endpoint[1], 0, 0,
                         (1 + RING_PAGES) * PAGE, &addr),
         "map_iob");
    ring.control = (volatile uint64_t *)addr;
    ring.data = (char *)addr + PAGE;
    for (size_t i = 0; i < RING_PAGES; i++)
        *(volatile char *)(ring.data + i * PAGE) = 0;
    bench("iob_writev", &(struct operation){.run = ring_record}, &ring, SAMPLES, 1,
          "zx_iob_writev of 64 bytes into a ring and their reading from the mapping");
    must(zx_vmar_unmap(zx_vmar_root_self(), addr, (1 + RING_PAGES) * PAGE), "unmap");
    zx_handle_close(ring.endpoint[0]);
    zx_handle_close(ring.endpoint[1]);
    zx_handle_close(ring.shared);
}

void bench_ipc(void)
{
    bench_link("iob_futex_rtt", "futex", futex_round_trip,
               "request and answer between two processes through IOBuffer memory, futex wake-ups");
    bench_link("channel_rtt", "channel", channel_round_trip,
               "16 bytes to another process and back: wait, read and write on both sides");
    bench_link("channel_call_rtt", "channel", channel_call,
               "the same by zx_channel_call on this side");
    bench_ring();
}
