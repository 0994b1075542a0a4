/* Messages that the kernel itself puts into a channel. */
#include "kernel/object/kernel_message.h"

#include "kernel/lib/string.h"
#include "kernel/object/channel.h"

zx_status_t channel_write_kernel(struct object *channel, const void *bytes, uint32_t len_bytes,
                                 struct handle **handles, uint32_t count)
{
    struct message *message;
    zx_status_t status = message_create(len_bytes, count, &message);
    if (status != ZX_OK)
        return status;
    memcpy(message->bytes, bytes, len_bytes);
    for (uint32_t i = 0; i < count; i++)
        message->handles[i] = handles[i];
    status = channel_write(channel, message);
    if (status != ZX_OK) {
        for (uint32_t i = 0; i < count; i++)
            message->handles[i] = NULL; /* still the caller's */
        message_destroy(message);
    }
    return status;
}
