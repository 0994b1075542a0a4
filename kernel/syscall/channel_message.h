/* Messages between user memory and channels. Whatever handles a message was to take are gone from
 * the caller's table afterwards, also on failure. */
#pragma once

#include "kernel/object/message.h"
#include "kernel/syscall/user.h"

/* What a user wants to send. */
struct message_source {
    uint32_t options; /* 0 or ZX_CHANNEL_WRITE_USE_IOVEC */
    const void __user *bytes_user;
    uint32_t num_bytes; /* with USE_IOVEC: records at bytes_user */
    const void __user *handles_user;
    uint32_t num_handles;
    bool is_etc; /* the handles are zx_handle_disposition_t */
};

/* Makes the message; the handles are moved last. |channel|: the end that it is written to, which it
 * may not carry; NULL with |status| != ZX_OK when the call has failed already and only the handles
 * are to be consumed; |status| is returned then. The errors are those of zx_channel_write and
 * zx_channel_write_etc. */
MUST_USE zx_status_t message_from_user(const struct message_source *source,
                                       const struct object *channel, zx_status_t status,
                                       struct message **out);

/* Where a user wants to have it; the sizes were checked. */
struct message_sink {
    void __user *bytes_user;
    void __user *handles_user;
    bool is_etc; /* zx_handle_info_t */
};

/* Copies the message out, with new handles in the current process, and destroys it. On failure no
 * new handle stays in the process and the message is the caller's, with all its handles but those
 * that another thread has closed meanwhile. ZX_ERR_INVALID_ARGS, ZX_ERR_NO_MEMORY,
 * ZX_ERR_NO_RESOURCES. */
MUST_USE zx_status_t message_to_user(struct message *message, const struct message_sink *sink);

/* message_to_user of a message without handles. */
MUST_USE static inline zx_status_t message_bytes_to_user(struct message *message,
                                                         const struct message_sink *sink)
{
    zx_status_t status = user_copy_out(sink->bytes_user, message->bytes, message->count_bytes);
    if (status == ZX_OK)
        message_free(message);
    return status;
}

/* Whether all handles are there still. */
bool message_is_whole(const struct message *message);
