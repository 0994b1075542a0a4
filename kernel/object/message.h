/* Messages: what a channel carries. Bytes and handles in one allocation. */
#pragma once

#include "kernel/object/handle.h"
#include "kernel/vm/kheap.h"

struct message {
    struct list_node node; /* in a channel's queue */
    uint32_t count_bytes;
    uint32_t count_handles;
    struct handle **handles; /* in flight; owned */
    uint8_t *bytes;
};

/* A message with room for that much; the handles are NULL, the bytes undefined.
 * ZX_ERR_OUT_OF_RANGE: over ZX_CHANNEL_MAX_MSG_BYTES or _HANDLES. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t message_create(uint32_t count_bytes, uint32_t count_handles,
                                    struct message **out);

/* Closes the handles that are still there and frees the message. No lock held. NULL is allowed. */
void message_destroy(struct message *message);

/* Frees a message without handles. */
static inline void message_free(struct message *message)
{
    kfree(message);
}

/* Destroys every message of a list. */
void message_destroy_list(struct list_node *messages);

/* The transaction id: the first four bytes. Only for messages that have them. */
zx_txid_t message_txid(const struct message *message);
void message_set_txid(struct message *message, zx_txid_t txid);
