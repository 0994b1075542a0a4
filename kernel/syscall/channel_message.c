#include "kernel/syscall/channel_message.h"

#include "kernel/lib/string.h"
#include "kernel/syscall/user.h"

#define CHUNK 16u

/* ---- Bytes ----------------------------------------------------------------------------------- */

/* Adds up the records, or copies what they point at to |dst| of |len_bytes|, when it is not NULL.
 */
static zx_status_t iovec_walk(const struct message_source *source, uint8_t *dst, size_t len_bytes,
                              size_t *out_bytes)
{
    zx_channel_iovec_t records[CHUNK];
    const zx_channel_iovec_t __user *records_user = source->bytes_user;
    size_t total = 0;
    if (source->num_bytes > ZX_CHANNEL_MAX_MSG_IOVECS)
        return ZX_ERR_OUT_OF_RANGE;
    for (uint32_t done = 0; done < source->num_bytes;) {
        uint32_t count = MIN(source->num_bytes - done, CHUNK);
        zx_status_t status = user_copy_in(records, records_user + done, count * sizeof(records[0]));
        for (uint32_t i = 0; i < count && status == ZX_OK; i++) {
            size_t capacity = records[i].capacity;
            if (records[i].reserved != 0)
                status = ZX_ERR_INVALID_ARGS;
            else if (capacity > ZX_CHANNEL_MAX_MSG_BYTES - total)
                status = ZX_ERR_OUT_OF_RANGE;
            else if (dst && capacity > len_bytes - total)
                status = ZX_ERR_INVALID_ARGS; /* changed since they were added up */
            else if (dst)
                status = user_copy_in(dst + total, records[i].buffer, capacity);
            total += capacity;
        }
        if (status != ZX_OK)
            return status;
        done += count;
    }
    *out_bytes = total;
    return ZX_OK;
}

static zx_status_t message_fill_iovec(const struct message_source *source, struct message **out)
{
    size_t len, copied;
    struct message *message;
    zx_status_t status = iovec_walk(source, NULL, 0, &len);
    if (status == ZX_OK)
        status = message_create((uint32_t)len, source->num_handles, &message);
    if (status != ZX_OK)
        return status;
    status = iovec_walk(source, message->bytes, len, &copied);
    if (status == ZX_OK && copied != len)
        status = ZX_ERR_INVALID_ARGS;
    if (status != ZX_OK) {
        message_destroy(message);
        return status;
    }
    *out = message;
    return ZX_OK;
}

/* A message with its bytes, and room for its handles. */
static zx_status_t message_fill(const struct message_source *source, struct message **out)
{
    struct message *message;
    if ((source->options & ZX_CHANNEL_WRITE_USE_IOVEC) != 0)
        return message_fill_iovec(source, out);
    zx_status_t status = message_create(source->num_bytes, source->num_handles, &message);
    if (status != ZX_OK)
        return status;
    status = user_copy_in(message->bytes, source->bytes_user, source->num_bytes);
    if (status != ZX_OK) {
        message_destroy(message);
        return status;
    }
    *out = message;
    return ZX_OK;
}

/* ---- Handles going out ----------------------------------------------------------------------- */

static zx_status_t check_sendable(const struct handle *handle, const struct object *channel)
{
    if ((handle->rights & ZX_RIGHT_TRANSFER) == 0)
        return ZX_ERR_ACCESS_DENIED;
    return handle->object == channel ? ZX_ERR_NOT_SUPPORTED : ZX_OK;
}

/* Takes the handle out of the table whatever it is; *out is NULL only for a bad value. */
static zx_status_t take_plain(zx_handle_t value, const struct object *channel, struct handle **out)
{
    *out = handle_table_remove(handle_table_current(), value);
    return *out ? check_sendable(*out, channel) : ZX_ERR_BAD_HANDLE;
}

static zx_status_t check_disposition(struct handle *handle, const zx_handle_disposition_t *wanted,
                                     const struct object *channel)
{
    zx_status_t status = check_sendable(handle, channel);
    if (status != ZX_OK)
        return status;
    if (wanted->type != ZX_OBJ_TYPE_NONE && wanted->type != handle->object->ops->type)
        return ZX_ERR_WRONG_TYPE;
    if (wanted->rights == ZX_RIGHT_SAME_RIGHTS)
        return ZX_OK;
    if ((wanted->rights & ~handle->rights) != 0)
        return ZX_ERR_INVALID_ARGS;
    handle->rights = wanted->rights;
    return ZX_OK;
}

static zx_status_t take_disposition(const zx_handle_disposition_t *wanted,
                                    const struct object *channel, struct handle **out)
{
    *out = NULL;
    switch (wanted->operation) {
    case ZX_HANDLE_OP_MOVE:
        *out = handle_table_remove(handle_table_current(), wanted->handle);
        if (!*out)
            return ZX_ERR_BAD_HANDLE;
        break;
    case ZX_HANDLE_OP_DUPLICATE: {
        zx_status_t status = handle_table_duplicate(handle_table_current(), wanted->handle, out);
        if (status != ZX_OK)
            return status;
        break;
    }
    default:
        return ZX_ERR_INVALID_ARGS;
    }
    return check_disposition(*out, wanted, channel);
}

static void note_failure(zx_status_t *result, zx_status_t status)
{
    if (*result == ZX_OK)
        *result = status;
}

/* Takes the handles [first, first + count) out of the table; into |message| at the same places, or
 * closes them when it is NULL. *result keeps the first failure. False: they cannot be read. */
static bool take_chunk(const struct message_source *source, const struct object *channel,
                       uint32_t first, uint32_t count, struct message *message, zx_status_t *result)
{
    union {
        zx_handle_t values[CHUNK];
        zx_handle_disposition_t dispositions[CHUNK];
    } in;
    size_t size = source->is_etc ? sizeof(in.dispositions[0]) : sizeof(in.values[0]);
    uintptr_t at_user = (uintptr_t)source->handles_user + first * size;
    zx_status_t status = user_copy_in(&in, (const void __user *)at_user, count * size);
    if (status != ZX_OK) {
        note_failure(result, status);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct handle *handle;
        if (source->is_etc) {
            status = take_disposition(&in.dispositions[i], channel, &handle);
            in.dispositions[i].result = status;
        } else {
            status = take_plain(in.values[i], channel, &handle);
        }
        note_failure(result, status);
        if (message)
            message->handles[first + i] = handle;
        else
            handle_close(handle);
    }
    if (source->is_etc)
        note_failure(result, user_copy_out((void __user *)at_user, &in, count * size));
    return true;
}

static zx_status_t take_all(const struct message_source *source, const struct object *channel,
                            struct message *message)
{
    /* More than a table holds cannot all be handles. */
    uint32_t total = MIN(source->num_handles, HANDLE_TABLE_MAX);
    zx_status_t result = ZX_OK;
    bool is_readable = true;
    /* A fault is dear, and what follows unreadable memory seldom is handles: it ends there. */
    for (uint32_t first = 0; first < total && is_readable; first += CHUNK) {
        uint32_t count = MIN(total - first, CHUNK);
        is_readable = take_chunk(source, channel, first, count, message, &result);
    }
    return result;
}

zx_status_t message_from_user(const struct message_source *source, const struct object *channel,
                              zx_status_t status, struct message **out)
{
    struct message *message = NULL;
    if (status == ZX_OK)
        status = message_fill(source, &message);
    zx_status_t handles_status = take_all(source, channel, message);
    if (status == ZX_OK)
        status = handles_status;
    if (status != ZX_OK) {
        message_destroy(message);
        return status;
    }
    *out = message;
    return ZX_OK;
}

/* ---- Going in -------------------------------------------------------------------------------- */

/* Writes record |index|; |info| is zeros or that of the handle. */
static zx_status_t put_handle(const struct message_sink *sink, uint32_t index,
                              const zx_handle_info_t *info)
{
    if (!sink->is_etc)
        return user_put_u32((zx_handle_t __user *)sink->handles_user + index, info->handle);
    return user_copy_out((zx_handle_info_t __user *)sink->handles_user + index, info,
                         sizeof(*info));
}

/* Everything that can be written before there are handles: afterwards it is seldom that anything
 * has to be taken back. */
static zx_status_t put_bytes_and_no_handles(const struct message *message,
                                            const struct message_sink *sink)
{
    static const zx_handle_info_t none;
    zx_status_t status = user_copy_out(sink->bytes_user, message->bytes, message->count_bytes);
    for (uint32_t i = 0; i < message->count_handles && status == ZX_OK; i++)
        status = put_handle(sink, i, &none);
    return status;
}

/* Installs handle |index|; it stays the message's if there is no room for it. */
static zx_status_t install_handle(struct message *message, uint32_t index,
                                  const struct message_sink *sink, zx_handle_t *out_value)
{
    struct handle *handle = message->handles[index];
    zx_handle_info_t info = {.type = handle->object->ops->type, .rights = handle->rights};
    zx_status_t status = handle_table_add(handle_table_current(), handle, out_value);
    if (status != ZX_OK)
        return status;
    message->handles[index] = NULL;
    info.handle = *out_value;
    return put_handle(sink, index, &info);
}

zx_status_t message_to_user(struct message *message, const struct message_sink *sink)
{
    zx_handle_t values[ZX_CHANNEL_MAX_MSG_HANDLES];
    zx_status_t status = put_bytes_and_no_handles(message, sink);
    uint32_t done = 0;
    while (status == ZX_OK && done < message->count_handles) {
        status = install_handle(message, done, sink, &values[done]);
        done++;
    }
    if (status == ZX_OK) {
        message_destroy(message);
        return ZX_OK;
    }
    for (uint32_t i = 0; i < done; i++) {
        if (message->handles[i] == NULL)
            message->handles[i] = handle_table_remove(handle_table_current(), values[i]);
    }
    return status;
}

bool message_is_whole(const struct message *message)
{
    for (uint32_t i = 0; i < message->count_handles; i++) {
        if (message->handles[i] == NULL)
            return false;
    }
    return true;
}
