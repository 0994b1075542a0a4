#include "userland/programs/conformance_child/ring.h"

#include <string.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/iob.h>

#include "userland/libzx/thread.h"
#include "userland/programs/conformance_child/protocol.h"

struct writer {
    zx_handle_t endpoint;
    uint32_t id;
    struct thread *thread;
};

// A full ring empties when the reader gets to run.
static zx_status_t write_record(zx_handle_t endpoint, const struct ring_record *record)
{
    // The numbers and the filling are apart, as headers and bodies of messages are.
    zx_iovec_t vectors[2] = {
        {.buffer = (void *)record, .capacity = 2 * sizeof(uint32_t)},
        {.buffer = (void *)record->fill, .capacity = ring_fill_bytes(record->number)},
    };
    zx_status_t status;

    while ((status = zx_iob_writev(endpoint, 0, 0, vectors, 2)) == ZX_ERR_NO_SPACE)
        zx_nanosleep(zx_deadline_after(ZX_USEC(50)));
    return status;
}

static int write_all(void *arg)
{
    const struct writer *writer = arg;
    struct ring_record record = {.writer = writer->id};

    for (record.number = 0; record.number < RING_RECORDS; record.number++) {
        memset(record.fill, (int)(record.writer + record.number), sizeof(record.fill));
        if (write_record(writer->endpoint, &record) != ZX_OK)
            return 1;
    }
    return 0;
}

int write_rings(zx_handle_t endpoint, uint32_t first)
{
    struct writer writers[RING_WRITERS];
    int failures = 0;

    for (uint32_t i = 0; i < RING_WRITERS; i++) {
        writers[i] = (struct writer){.endpoint = endpoint, .id = first + i};
        if (thread_spawn("writer", write_all, &writers[i], &writers[i].thread) != ZX_OK)
            return CHILD_FAILED;
    }
    for (uint32_t i = 0; i < RING_WRITERS; i++)
        failures += thread_join(writers[i].thread);
    return failures;
}
