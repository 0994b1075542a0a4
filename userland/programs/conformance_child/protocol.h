// What the conformance suite and its child process agree on.
#ifndef USERLAND_PROGRAMS_CONFORMANCE_CHILD_PROTOCOL_H_
#define USERLAND_PROGRAMS_CONFORMANCE_CHILD_PROTOCOL_H_

#include <stdint.h>
#include <zircon/processargs.h>

// Start-up handles: an end of a channel, and an object if the act needs one.
#define CHILD_CHANNEL PA_HND(PA_USER0, 0)
#define CHILD_OBJECT  PA_HND(PA_USER0, 1)

// The exit code of a child that could not do its act, or survived it.
#define CHILD_FAILED 99

#define CHILD_FUTEX_ROUNDS 500

// "ring": threads of the child write records through an IOB endpoint to its region 0. Payload n of
// writer w is these two numbers and ring_fill_bytes(n) bytes, each of them w + n.
#define RING_WRITERS  2
#define RING_RECORDS  1500
#define RING_MAX_FILL 1000
struct ring_record {
    uint32_t writer;
    uint32_t number;
    uint8_t fill[RING_MAX_FILL];
};

// "places": where the child's parts are, in a message.
struct child_places {
    uint64_t program, stack, heap, vdso, thread_stack;
    uint64_t handle; // value of one of the handles that it was started with
};

// "guess": the child answers a message of handle values of this process with what it found.
struct child_guesses {
    uint64_t told_hits; // of the values in the message that mean something in the child
    uint64_t tried;     // other values, none of its own
    uint64_t hits;      // that meant something
};

// Mostly short; a few go by way of the kernel's heap, and some of these are long for the ring too.
static inline uint32_t ring_fill_bytes(uint32_t number)
{
    return number % 16 == 0 ? number % RING_MAX_FILL : number % 90;
}

#endif // USERLAND_PROGRAMS_CONFORMANCE_CHILD_PROTOCOL_H_
