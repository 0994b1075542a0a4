/* When there is no more: calls that need a handle while the process has as many as it may have, and
 * calls that need memory while there is none. What was taken is given back before a test ends. */
#include <stdlib.h>
#include <string.h>
#include <zircon/syscalls/exception.h>

#include "tests/conformance/child.h"
#include "tests/conformance/iob_discipline_util.h"
#include "userland/crt/startup.h"

#define MAX_HANDLES 65536

/* Objects made in time, to do things with. */
struct things {
    zx_handle_t event, job, vmo, channel[2], port, fifo[2], process, root, thread;
    zx_handle_t socket[2], stream, interrupt;
    zx_handle_t victim, exceptions, exception; /* a process whose thread has faulted */
    zx_vaddr_t mapped;                         /* four pages of the VMO */
};

static struct things things_new(void)
{
    struct things t;
    zx_handle_t victim_root, victim_thread;
    zx_exception_info_t info;

    ASSERT_OK(zx_event_create(0, &t.event));
    ASSERT_OK(zx_job_create(zx_job_default(), 0, &t.job));
    t.vmo = vmo_new(8 * PAGE);
    t.mapped = map_anywhere(RW, t.vmo, 4 * PAGE);
    ASSERT_OK(zx_channel_create(0, &t.channel[0], &t.channel[1]));
    zx_handle_t sent;
    for (int i = 0; i < 2; i++) {
        sent = duplicate(t.event, ZX_RIGHT_SAME_RIGHTS);
        ASSERT_OK(zx_channel_write(t.channel[1], 0, "x", 1, &sent, 1));
    }
    ASSERT_OK(zx_port_create(ZX_PORT_BIND_TO_INTERRUPT, &t.port));
    ASSERT_OK(zx_interrupt_create(0, 0, ZX_INTERRUPT_VIRTUAL, &t.interrupt));
    ASSERT_OK(zx_interrupt_bind(t.interrupt, t.port, 1, ZX_INTERRUPT_BIND));
    ASSERT_OK(zx_fifo_create(4, 4, 0, &t.fifo[0], &t.fifo[1]));
    ASSERT_OK(zx_socket_create(0, &t.socket[0], &t.socket[1]));
    ASSERT_OK(zx_stream_create(ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE, t.vmo, 0, &t.stream));
    t.process = process_new(t.job, &t.root);
    ASSERT_OK(zx_thread_create(t.process, "t", 1, 0, &t.thread));

    t.victim = process_new(t.job, &victim_root);
    ASSERT_OK(zx_task_create_exception_channel(t.victim, 0, &t.exceptions));
    ASSERT_OK(zx_thread_create(t.victim, "t", 1, 0, &victim_thread));
    ASSERT_OK(zx_event_create(0, &sent));
    ASSERT_OK(zx_process_start(t.victim, victim_thread, 0x200000, 0x200000, sent, 0));
    ASSERT_OK(
        zx_object_wait_one(t.exceptions, ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE), NULL));
    ASSERT_OK(zx_channel_read(t.exceptions, 0, &info, &t.exception, sizeof(info), 1, NULL, NULL));
    close_handle(victim_thread);
    close_handle(victim_root);
    return t;
}

static void things_drop(const struct things *t)
{
    const zx_handle_t handles[] = {
        t->event,   t->vmo,       t->channel[0], t->channel[1], t->port,      t->fifo[0],
        t->fifo[1], t->stream,    t->socket[0],  t->socket[1],  t->thread,    t->process,
        t->root,    t->exception, t->exceptions, t->victim,     t->interrupt,
    };

    ASSERT_OK(zx_task_kill(t->job));
    close_handle(t->job);
    unmap(t->mapped, 4 * PAGE);
    ASSERT_OK(zx_handle_close_many(handles, sizeof(handles) / sizeof(handles[0])));
}

/* Every call that makes a handle, with nothing else to complain about. */
static void expect_no_new_handle(const struct things *t, zx_status_t want)
{
    zx_handle_t a = SENTINEL_HANDLE, b = SENTINEL_HANDLE, self = zx_process_self();
    zx_iob_region_t region = iob_region(IOB_BOTH_RW, PAGE);
    zx_vaddr_t addr = SENTINEL_ADDRESS;

    EXPECT_STATUS(zx_channel_create(0, &a, &b), want);
    EXPECT_STATUS(zx_clock_create(0, NULL, &a), want);
    EXPECT_STATUS(zx_counter_create(0, &a), want);
    EXPECT_STATUS(zx_debuglog_create(ZX_HANDLE_INVALID, 0, &a), want);
    EXPECT_STATUS(zx_event_create(0, &a), want);
    EXPECT_STATUS(zx_eventpair_create(0, &a, &b), want);
    EXPECT_STATUS(zx_exception_get_thread(t->exception, &a), want);
    EXPECT_STATUS(zx_exception_get_process(t->exception, &a), want);
    EXPECT_STATUS(zx_fifo_create(4, 4, 0, &a, &b), want);
    EXPECT_STATUS(zx_handle_duplicate(t->event, ZX_RIGHT_SAME_RIGHTS, &a), want);
    EXPECT_STATUS(zx_interrupt_create(0, 0, ZX_INTERRUPT_VIRTUAL, &a), want);
    EXPECT_STATUS(zx_iob_create(0, &region, 1, &a, &b), want);
    EXPECT_STATUS(zx_iob_create_shared_region(0, PAGE, &a), want);
    EXPECT_STATUS(zx_job_create(t->job, 0, &a), want);
    EXPECT_STATUS(zx_object_get_child(t->job, koid_of(t->process), ZX_RIGHT_SAME_RIGHTS, &a), want);
    EXPECT_STATUS(zx_port_create(0, &a), want);
    EXPECT_STATUS(zx_process_create(t->job, "p", 1, 0, &a, &b), want);
    EXPECT_STATUS(zx_socket_create(0, &a, &b), want);
    EXPECT_STATUS(zx_stream_create(ZX_STREAM_MODE_READ, t->vmo, 0, &a), want);
    EXPECT_STATUS(zx_task_create_exception_channel(t->process, 0, &a), want);
    EXPECT_STATUS(zx_task_suspend(t->victim, &a), want);
    EXPECT_STATUS(zx_task_suspend_token(t->victim, &a), want);
    EXPECT_STATUS(zx_thread_create(self, "t", 1, 0, &a), want);
    EXPECT_STATUS(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &a), want);
    EXPECT_STATUS(zx_vmar_allocate(zx_vmar_root_self(), 0, 0, PAGE, &a, &addr), want);
    EXPECT_STATUS(zx_vmo_create(PAGE, 0, &a), want);
    EXPECT_STATUS(zx_vmo_create_child(t->vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &a), want);
    EXPECT_STATUS(zx_vmo_create_contiguous(startup_resource(), PAGE, 0, &a), want);
    EXPECT_STATUS(zx_vmo_create_physical(startup_resource(), 0, PAGE, &a), want);
    EXPECT_EQ(a, SENTINEL_HANDLE);
    EXPECT_EQ(b, SENTINEL_HANDLE);
    EXPECT_EQ(addr, SENTINEL_ADDRESS);
}

/* ---- Handles ---- */

TEST(limits, handles)
{
    zx_handle_t *many = malloc(MAX_HANDLES * sizeof(many[0])), a = SENTINEL_HANDLE;
    struct things t = things_new();
    zx_handle_info_t got;
    size_t count = 0;
    char byte;
    zx_status_t status;

    ASSERT(many != NULL);
    while ((status = zx_handle_duplicate(t.event, ZX_RIGHT_SAME_RIGHTS, &many[count])) == ZX_OK)
        ASSERT(++count < MAX_HANDLES);
    EXPECT_STATUS(status, ZX_ERR_NO_RESOURCES);
    EXPECT(count > MAX_HANDLES - 256);
    expect_no_new_handle(&t, ZX_ERR_NO_RESOURCES);
    EXPECT_STATUS(zx_channel_read(t.channel[0], 0, &byte, &a, 1, 1, NULL, NULL),
                  ZX_ERR_NO_RESOURCES);
    EXPECT_STATUS(zx_channel_read_etc(t.channel[0], 0, &byte, &got, 1, 1, NULL, NULL),
                  ZX_ERR_NO_RESOURCES);
    /* One place is not enough for two handles. (What a read leaves in its buffers when it fails is
     * not defined.) */
    a = SENTINEL_HANDLE;
    close_handle(many[--count]);
    EXPECT_STATUS(zx_channel_create(0, &many[count], &a), ZX_ERR_NO_RESOURCES);
    EXPECT_EQ(a, SENTINEL_HANDLE);
    EXPECT_OK(zx_event_create(0, &many[count]));
    count++;
    for (size_t i = 0; i < count; i += 1024)
        ASSERT_OK(zx_handle_close_many(&many[i], count - i < 1024 ? count - i : 1024));
    free(many);
    things_drop(&t);
}

/* ---- Memory ---- */

#define MAX_SPARE 4096

struct hog {
    zx_handle_t vmo, vmar;
    zx_handle_t channel[2];
    zx_handle_t handles[MAX_SPARE];
    size_t count_handles;
};

static char filler[ZX_CHANNEL_MAX_MSG_BYTES];

static struct hog hog;

/* Takes every free page, then what the kernel's heap has left: of each size, by messages that
 * nobody reads, and of handles and mappings. */
static void hog_memory(void)
{
    uint64_t offset = 0;
    zx_vaddr_t addr;

    memset(filler, 1, sizeof(filler));
    memset(&hog, 0, sizeof(hog));
    ASSERT_OK(zx_vmo_create(zx_system_get_physmem(), 0, &hog.vmo));
    ASSERT_OK(zx_channel_create(0, &hog.channel[0], &hog.channel[1]));
    ASSERT_OK(zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ, 0, 2 * MAX_SPARE * PAGE,
                               &hog.vmar, &addr));
    for (uint64_t chunk = 256 * PAGE; chunk >= PAGE; chunk /= 2) {
        while (zx_vmo_op_range(hog.vmo, ZX_VMO_OP_COMMIT, offset, chunk, NULL, 0) == ZX_OK)
            offset += chunk;
    }
    for (uint32_t size = 1024; size >= 1; size /= 2) {
        while (zx_channel_write(hog.channel[0], 0, filler, size, NULL, 0) == ZX_OK)
            continue;
    }
    for (size_t i = 0; i < MAX_SPARE; i++) {
        if (zx_vmar_map(hog.vmar, ZX_VM_PERM_READ, 0, hog.vmo, 0, PAGE, &addr) != ZX_OK)
            break;
    }
    while (hog.count_handles < MAX_SPARE &&
           zx_handle_duplicate(hog.vmo, ZX_RIGHT_SAME_RIGHTS, &hog.handles[hog.count_handles]) ==
               ZX_OK)
        hog.count_handles++;
}

static void hog_release(void)
{
    close_handle(hog.channel[0]);
    close_handle(hog.channel[1]);
    close_handle(hog.vmo);
    ASSERT_OK(zx_handle_close_many(hog.handles, hog.count_handles));
    vmar_drop(hog.vmar);
}

TEST(limits, memory_for_handles)
{
    struct things t = things_new();
    zx_handle_t vmo = duplicate(t.vmo, ZX_RIGHT_SAME_RIGHTS), out = SENTINEL_HANDLE;

    hog_memory();

    expect_no_new_handle(&t, ZX_ERR_NO_MEMORY);
    /* The source is closed all the same. */
    EXPECT_STATUS(zx_vmo_replace_as_executable(vmo, ZX_HANDLE_INVALID, &out), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_handle_check_valid(vmo), ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(out, SENTINEL_HANDLE);
    hog_release();
    things_drop(&t);
}

TEST(limits, memory_for_messages)
{
    struct things t = things_new();
    zx_channel_call_args_t args = {.wr_bytes = filler, .wr_num_bytes = 64};
    zx_channel_call_etc_args_t args_etc = {.wr_bytes = filler, .wr_num_bytes = 64};
    zx_port_packet_t packet = {.key = 1};
    zx_wait_item_t items[ZX_WAIT_MANY_MAX_ITEMS];
    zx_handle_t shared = shared_new(3 * PAGE);
    struct iob ring = ring_iob(shared, RING_TAG);
    zx_iovec_t vector = {.buffer = filler, .capacity = 4096};
    enum { MANY = 512 };
    static zx_iovec_t vectors[MANY];

    hog_memory();

    for (size_t i = 0; i < ZX_WAIT_MANY_MAX_ITEMS; i++)
        items[i] = (zx_wait_item_t){.handle = t.event, .waitfor = ZX_USER_SIGNAL_0};
    EXPECT_STATUS(zx_channel_write(t.channel[0], 0, filler, 64, NULL, 0), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_channel_write_etc(t.channel[0], 0, filler, 64, NULL, 0), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_channel_call(t.channel[0], 0, 0, &args, NULL, NULL), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_channel_call_etc(t.channel[0], 0, 0, &args_etc, NULL, NULL), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_port_queue(t.port, &packet), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_object_wait_async(t.event, t.port, 1, ZX_USER_SIGNAL_0, 0), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_object_wait_many(items, ZX_WAIT_MANY_MAX_ITEMS, 0), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_iob_writev(ring.ep[0], 0, 0, &vector, 1), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_fifo_write(t.fifo[0], 4, filler, 1000, NULL), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_socket_write(t.socket[0], 0, filler, 4096, NULL), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_interrupt_trigger(t.interrupt, 0, 1), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_stream_readv(t.stream, 0, vectors, MANY, NULL), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_stream_readv_at(t.stream, 0, 0, vectors, MANY, NULL), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_stream_writev(t.stream, 0, vectors, MANY, NULL), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_stream_writev_at(t.stream, 0, 0, vectors, MANY, NULL), ZX_ERR_NO_MEMORY);
    hog_release();
    iob_drop(&ring);
    close_handle(shared);
    things_drop(&t);
}

TEST(limits, memory_for_vmos)
{
    struct things t = things_new();
    zx_handle_t root = zx_vmar_root_self(), snapshot;
    zx_handle_t resizable = vmo_new_resizable(PAGE);
    zx_vaddr_t addr = SENTINEL_ADDRESS;
    struct iob iob = iob_new(IOB_BOTH_RW, PAGE);
    uint64_t word = 1;

    ASSERT_OK(zx_vmo_write(t.vmo, &word, 5 * PAGE, sizeof(word)));
    /* A page that a snapshot shares must be copied before a part of it is zeroed. */
    ASSERT_OK(zx_vmo_write(resizable, &word, 0, sizeof(word)));
    ASSERT_OK(zx_vmo_create_child(resizable, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &snapshot));

    hog_memory();
    EXPECT_STATUS(zx_vmo_write(t.vmo, &word, 0, sizeof(word)), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_vmo_op_range(t.vmo, ZX_VMO_OP_COMMIT, 0, PAGE, NULL, 0), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_vmo_set_size(resizable, 8), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_vmo_set_stream_size(resizable, 8), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_vmo_transfer_data(resizable, 0, 0, PAGE, t.vmo, 5 * PAGE), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_vmar_map(root, RW, 0, t.vmo, 0, PAGE, &addr), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_vmar_map_iob(root, RW, 0, iob.ep[0], 0, 0, PAGE, &addr), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_vmar_op_range(root, ZX_VMAR_OP_COMMIT, t.mapped, PAGE, NULL, 0),
                  ZX_ERR_NO_MEMORY);
    /* The middle of a mapping makes two or three of it. */
    EXPECT_STATUS(zx_vmar_protect(root, ZX_VM_PERM_READ, t.mapped + PAGE, PAGE), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_vmar_unmap(root, t.mapped + PAGE, PAGE), ZX_ERR_NO_MEMORY);
    hog_release();
    EXPECT_EQ(addr, SENTINEL_ADDRESS);
    iob_drop(&iob);
    close_handle(snapshot);
    close_handle(resizable);
    things_drop(&t);
}

TEST(limits, memory_for_processes)
{
    struct things t = things_new();
    zx_info_maps_t maps[4];
    uint64_t word = 0;
    size_t actual;

    hog_memory();
    zx_handle_t self = zx_process_self();

    EXPECT_STATUS(zx_process_start(t.process, t.thread, 0x200000, 0x200000, t.port, 0),
                  ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_process_read_memory(self, t.mapped, &word, 8, &actual), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_process_write_memory(self, t.mapped, &word, 8, &actual), ZX_ERR_NO_MEMORY);
    EXPECT_STATUS(zx_object_get_info(self, ZX_INFO_PROCESS_MAPS, maps, sizeof(maps), NULL, NULL),
                  ZX_ERR_NO_MEMORY);
    hog_release();
    t.port = ZX_HANDLE_INVALID; /* the start took it */
    things_drop(&t);
}
