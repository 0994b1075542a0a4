// What the two sides of the IOB demo agree on. init holds endpoint 0, bin/iob_peer endpoint 1.
#ifndef USERLAND_PROGRAMS_IOB_PEER_PROTOCOL_H_
#define USERLAND_PROGRAMS_IOB_PEER_PROTOCOL_H_

#include <stdint.h>
#include <string.h>
#include <zircon/types.h>

// The regions of the IOB, by index.
enum demo_region {
    DEMO_CONTROL = 0, // both sides write
    DEMO_REQUEST = 1, // only endpoint 0 writes
    DEMO_ANSWER = 2,  // only endpoint 1 writes
    DEMO_REGION_COUNT = 3,
};
#define DEMO_REGION_BYTES 8192u

// In DEMO_CONTROL: each counter is a futex word that says how many messages were ever put into the
// other region by that side.
struct demo_control {
    zx_futex_t count_requests;
    uint8_t padding1[60]; // the two words are written by different harts
    zx_futex_t count_answers;
};

// In DEMO_REQUEST and DEMO_ANSWER.
struct demo_message {
    uint32_t round;
    uint32_t len_bytes;
    uint8_t bytes[DEMO_REGION_BYTES - 8];
};

// How long each side waits for the other before it gives up.
#define DEMO_PATIENCE ZX_SEC(20)

static inline uint32_t demo_len_bytes(uint32_t round)
{
    return 1 + round * 37 % 256;
}

static inline uint8_t demo_request_byte(uint32_t round, uint32_t i)
{
    return (uint8_t)(round * 131 + i * 7);
}

// The answer is the request backwards, each byte plus the round.
static inline uint8_t demo_answer_byte(uint32_t round, uint32_t len_bytes, uint32_t i)
{
    return (uint8_t)(demo_request_byte(round, len_bytes - 1 - i) + round);
}

// Commands that init sends over the channel; the peer answers each with a struct demo_reply.
enum demo_command {
    DEMO_ECHO_ROUNDS,    // serve |value| rounds, then reply
    DEMO_MAP_FORBIDDEN,  // try to map DEMO_REQUEST writable; reply with the status
    DEMO_CLOSE_ENDPOINT, // close the handle of endpoint 1, keep the mappings
    DEMO_UNMAP_ALL,      // remove the mappings
    DEMO_EXIT,           // end with exit code |value|
};

struct demo_request {
    uint32_t command;
    uint32_t value;
};

struct demo_reply {
    zx_status_t status;
    uint32_t value; // DEMO_ECHO_ROUNDS: rounds whose contents were right
};

// Start-up handles of the peer: its end of the channel, and endpoint 1 comes over that channel with
// the first message.
#define DEMO_PEER_CHANNEL PA_HND(PA_USER0, 0)
// Start-up handles of bin/iob_victim: an endpoint, mapped read-only and written to.
#define DEMO_VICTIM_ENDPOINT PA_HND(PA_USER0, 1)

#endif // USERLAND_PROGRAMS_IOB_PEER_PROTOCOL_H_
