#include "kernel/object/message.h"

#include "kernel/lib/string.h"
#include "kernel/vm/kheap.h"

zx_status_t message_create(uint32_t count_bytes, uint32_t count_handles, struct message **out)
{
    if (count_bytes > ZX_CHANNEL_MAX_MSG_BYTES || count_handles > ZX_CHANNEL_MAX_MSG_HANDLES)
        return ZX_ERR_OUT_OF_RANGE;
    size_t handles_bytes = count_handles * sizeof(struct handle *);
    struct message *message = kmalloc(sizeof(*message) + handles_bytes + count_bytes);
    if (!message)
        return ZX_ERR_NO_MEMORY;
    message->count_bytes = count_bytes;
    message->count_handles = count_handles;
    message->handles = (struct handle **)(message + 1);
    message->bytes = (uint8_t *)(message->handles + count_handles);
    if (count_handles != 0)
        memset(message->handles, 0, handles_bytes);
    *out = message;
    return ZX_OK;
}

void message_destroy(struct message *message)
{
    if (!message)
        return;
    for (uint32_t i = 0; i < message->count_handles; i++)
        handle_close(message->handles[i]);
    kfree(message);
}

void message_destroy_list(struct list_node *messages)
{
    struct list_node *node;
    while ((node = list_pop_front(messages)) != NULL)
        message_destroy(list_entry(node, struct message, node));
}

zx_txid_t message_txid(const struct message *message)
{
    zx_txid_t txid;
    memcpy(&txid, message->bytes, sizeof(txid));
    return txid;
}

void message_set_txid(struct message *message, zx_txid_t txid)
{
    memcpy(message->bytes, &txid, sizeof(txid));
}
