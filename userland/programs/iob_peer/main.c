// The second process of the IOB demo: it gets endpoint 1 over a channel and answers requests
// through shared memory, as init tells it to.
#include <stdbool.h>
#include <stdio.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "userland/programs/iob_peer/protocol.h"

struct peer {
    zx_handle_t channel;
    zx_handle_t endpoint;
    zx_vaddr_t region[DEMO_REGION_COUNT];
    uint32_t round;
};

static zx_status_t map_regions(struct peer *peer)
{
    static const zx_vm_option_t perms[DEMO_REGION_COUNT] = {
        [DEMO_CONTROL] = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
        [DEMO_REQUEST] = ZX_VM_PERM_READ,
        [DEMO_ANSWER] = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
    };

    for (uint32_t i = 0; i < DEMO_REGION_COUNT; i++) {
        zx_status_t status = zx_vmar_map_iob(zx_vmar_root_self(), perms[i], 0, peer->endpoint, i, 0,
                                             DEMO_REGION_BYTES, &peer->region[i]);
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

static zx_status_t wait_for_request(struct demo_control *control, uint32_t seen)
{
    zx_time_t deadline = zx_deadline_after(DEMO_PATIENCE);

    while ((uint32_t)__atomic_load_n((int *)&control->count_requests, __ATOMIC_ACQUIRE) == seen) {
        zx_status_t status =
            zx_futex_wait(&control->count_requests, (int)seen, ZX_HANDLE_INVALID, deadline);
        if (status != ZX_OK && status != ZX_ERR_BAD_STATE)
            return status;
    }
    return ZX_OK;
}

// Checks a request and writes its answer. False: the request's contents are wrong.
static bool answer_one(const struct demo_message *request, struct demo_message *answer,
                       uint32_t round)
{
    uint32_t len = request->len_bytes;
    bool ok = request->round == round && len == demo_len_bytes(round);

    for (uint32_t i = 0; ok && i < len; i++)
        ok = request->bytes[i] == demo_request_byte(round, i);
    answer->round = round;
    answer->len_bytes = len;
    for (uint32_t i = 0; ok && i < len; i++)
        answer->bytes[i] = (uint8_t)(request->bytes[len - 1 - i] + round);
    return ok;
}

static struct demo_reply echo_rounds(struct peer *peer, uint32_t count)
{
    struct demo_control *control = (struct demo_control *)peer->region[DEMO_CONTROL];
    const struct demo_message *request = (const struct demo_message *)peer->region[DEMO_REQUEST];
    struct demo_message *answer = (struct demo_message *)peer->region[DEMO_ANSWER];
    struct demo_reply reply = {ZX_OK, 0};

    if (control == NULL || request == NULL || answer == NULL) {
        reply.status = ZX_ERR_BAD_STATE;
        return reply;
    }
    for (uint32_t i = 0; i < count; i++, peer->round++) {
        reply.status = wait_for_request(control, peer->round);
        if (reply.status != ZX_OK)
            break;
        if (answer_one(request, answer, peer->round))
            reply.value++;
        __atomic_store_n((int *)&control->count_answers, (int)(peer->round + 1), __ATOMIC_RELEASE);
        zx_futex_wake(&control->count_answers, 1);
    }
    return reply;
}

static zx_status_t map_forbidden(struct peer *peer)
{
    zx_vaddr_t addr;

    return zx_vmar_map_iob(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0,
                           peer->endpoint, DEMO_REQUEST, 0, DEMO_REGION_BYTES, &addr);
}

static zx_status_t unmap_all(struct peer *peer)
{
    zx_status_t status = ZX_OK;

    for (uint32_t i = 0; status == ZX_OK && i < DEMO_REGION_COUNT; i++) {
        status = zx_vmar_unmap(zx_vmar_root_self(), peer->region[i], DEMO_REGION_BYTES);
        peer->region[i] = 0;
    }
    return status;
}

static zx_status_t receive(struct peer *peer, struct demo_request *request)
{
    zx_handle_t endpoint = ZX_HANDLE_INVALID;
    uint32_t bytes, handles;
    zx_status_t status =
        zx_object_wait_one(peer->channel, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED,
                           zx_deadline_after(DEMO_PATIENCE), NULL);

    if (status == ZX_OK)
        status = zx_channel_read(peer->channel, 0, request, &endpoint, sizeof(*request), 1, &bytes,
                                 &handles);
    if (status == ZX_OK && handles == 1) {
        peer->endpoint = endpoint;
        status = map_regions(peer);
    }
    return status;
}

int main(void)
{
    struct peer peer = {.channel = zx_take_startup_handle(DEMO_PEER_CHANNEL)};

    for (;;) {
        struct demo_request request;
        struct demo_reply reply = {ZX_OK, 0};

        zx_status_t status = receive(&peer, &request);
        if (status != ZX_OK) {
            printf("peer: no command: %s\n", zx_status_get_string(status));
            return 1;
        }
        switch (request.command) {
        case DEMO_ECHO_ROUNDS:
            reply = echo_rounds(&peer, request.value);
            break;
        case DEMO_MAP_FORBIDDEN:
            reply.status = map_forbidden(&peer);
            break;
        case DEMO_CLOSE_ENDPOINT:
            reply.status = zx_handle_close(peer.endpoint);
            break;
        case DEMO_UNMAP_ALL:
            reply.status = unmap_all(&peer);
            break;
        case DEMO_EXIT:
            return (int)request.value;
        default:
            reply.status = ZX_ERR_NOT_SUPPORTED;
            break;
        }
        status = zx_channel_write(peer.channel, 0, &reply, sizeof(reply), NULL, 0);
        if (status != ZX_OK)
            return 1;
    }
}
