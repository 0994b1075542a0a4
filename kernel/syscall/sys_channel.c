/* Channels. */
#include "abi/vdso_constants.h"
#include "kernel/object/channel.h"
#include "kernel/object/policy.h"
#include "kernel/object/thread.h"
#include "kernel/syscall/channel_message.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_channel_create(uint32_t options, zx_handle_t __user *out0_user,
                               zx_handle_t __user *out1_user)
{
    struct object *ends[2];
    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = policy_check(ZX_POL_NEW_CHANNEL);
    if (status != ZX_OK)
        return status;
    status = channel_create(&ends[0], &ends[1]);
    if (status != ZX_OK)
        return status;
    struct handle_out outs[2] = {
        {ends[0], ends[0]->ops->default_rights, out0_user},
        {ends[1], ends[1]->ops->default_rights, out1_user},
    };
    return user_put_handles(outs, ARRAY_COUNT(outs));
}

/* ---- Write ----------------------------------------------------------------------------------- */

/* A message of bytes alone. */
static zx_status_t write_bytes(zx_handle_t handle, const void __user *bytes_user,
                               uint32_t num_bytes)
{
    struct object *channel;
    struct message *message;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_CHANNEL, ZX_RIGHT_WRITE, &channel, NULL);
    if (status != ZX_OK)
        return status;
    status = message_create(num_bytes, 0, &message);
    if (status == ZX_OK) {
        status = user_copy_in(message->bytes, bytes_user, num_bytes);
        if (status == ZX_OK)
            status = channel_write(channel, message);
        if (UNLIKELY(status != ZX_OK))
            message_destroy(message);
    }
    object_put(channel);
    return status;
}

static zx_status_t write_common(zx_handle_t handle, const struct message_source *source)
{
    struct object *channel = NULL;
    struct message *message;
    zx_status_t status =
        (source->options & ~ZX_CHANNEL_WRITE_USE_IOVEC) != 0
            ? ZX_ERR_INVALID_ARGS
            : handle_get(handle, ZX_OBJ_TYPE_CHANNEL, ZX_RIGHT_WRITE, &channel, NULL);
    status = message_from_user(source, channel, status, &message);
    if (status == ZX_OK) {
        status = channel_write(channel, message);
        if (status != ZX_OK)
            message_destroy(message);
    }
    if (channel)
        object_put(channel);
    return status;
}

zx_status_t sys_channel_write(zx_handle_t handle, uint32_t options, const void __user *bytes_user,
                              uint32_t num_bytes, const zx_handle_t __user *handles_user,
                              uint32_t num_handles)
{
    if (LIKELY((options | num_handles) == 0))
        return write_bytes(handle, bytes_user, num_bytes);
    struct message_source source = {options,      bytes_user,  num_bytes,
                                    handles_user, num_handles, false};
    return write_common(handle, &source);
}

zx_status_t sys_channel_write_etc(zx_handle_t handle, uint32_t options,
                                  const void __user *bytes_user, uint32_t num_bytes,
                                  zx_handle_disposition_t __user *handles_user,
                                  uint32_t num_handles)
{
    struct message_source source = {options,      bytes_user,  num_bytes,
                                    handles_user, num_handles, true};
    return write_common(handle, &source);
}

/* ---- Read ------------------------------------------------------------------------------------ */

/* The sizes of a message, given or refused. */
static zx_status_t put_actuals(uint32_t __user *bytes_user, uint32_t bytes,
                               uint32_t __user *handles_user, uint32_t handles)
{
    zx_status_t status = user_put_u32_optional(bytes_user, bytes);
    if (status == ZX_OK)
        status = user_put_u32_optional(handles_user, handles);
    return status;
}

struct read_args {
    uint32_t options;
    uint32_t num_bytes;
    uint32_t num_handles;
    struct message_sink sink;
    uint32_t __user *actual_bytes_user;
    uint32_t __user *actual_handles_user;
};

/* Hands over the message, or only its sizes when it is NULL. What cannot be handed over is put back
 * as it was, unless another thread closed one of its handles while they were in the table. */
static inline zx_status_t put_message(struct object *channel, struct message *message,
                                      zx_status_t status, const struct read_args *args,
                                      uint32_t bytes, uint32_t handles)
{
    zx_status_t put_status =
        put_actuals(args->actual_bytes_user, bytes, args->actual_handles_user, handles);
    if (LIKELY(put_status == ZX_OK && message != NULL)) {
        put_status = LIKELY(handles == 0) ? message_bytes_to_user(message, &args->sink)
                                          : message_to_user(message, &args->sink);
    }
    if (LIKELY(put_status == ZX_OK))
        return status;
    if (message != NULL && message_is_whole(message))
        channel_unread(channel, message);
    else
        message_destroy(message);
    return put_status;
}

static zx_status_t read_common(zx_handle_t handle, const struct read_args *args)
{
    struct object *channel;
    struct message *message = NULL;
    uint32_t bytes = 0;
    uint32_t handles = 0;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_CHANNEL, ZX_RIGHT_READ, &channel, NULL);
    if (status != ZX_OK)
        return status;
    if ((args->options & ~ZX_CHANNEL_READ_MAY_DISCARD) != 0)
        status = ZX_ERR_NOT_SUPPORTED;
    else
        status = channel_read(channel, args->num_bytes, args->num_handles,
                              (args->options & ZX_CHANNEL_READ_MAY_DISCARD) != 0, &bytes, &handles,
                              &message);
    if (status == ZX_OK || status == ZX_ERR_BUFFER_TOO_SMALL)
        status = put_message(channel, message, status, args, bytes, handles);
    object_put(channel);
    return status;
}

zx_status_t sys_channel_read(zx_handle_t handle, uint32_t options, void __user *bytes_user,
                             zx_handle_t __user *handles_user, uint32_t num_bytes,
                             uint32_t num_handles, uint32_t __user *actual_bytes_user,
                             uint32_t __user *actual_handles_user)
{
    struct read_args args = {
        .options = options,
        .num_bytes = num_bytes,
        .num_handles = num_handles,
        .sink = {bytes_user, handles_user, false},
        .actual_bytes_user = actual_bytes_user,
        .actual_handles_user = actual_handles_user,
    };
    return read_common(handle, &args);
}

zx_status_t sys_channel_read_etc(zx_handle_t handle, uint32_t options, void __user *bytes_user,
                                 zx_handle_info_t __user *handles_user, uint32_t num_bytes,
                                 uint32_t num_handles, uint32_t __user *actual_bytes_user,
                                 uint32_t __user *actual_handles_user)
{
    struct read_args args = {
        .options = options,
        .num_bytes = num_bytes,
        .num_handles = num_handles,
        .sink = {bytes_user, handles_user, true},
        .actual_bytes_user = actual_bytes_user,
        .actual_handles_user = actual_handles_user,
    };
    return read_common(handle, &args);
}

/* ---- Call ------------------------------------------------------------------------------------ */

struct call_args {
    struct message_source source;
    zx_time_t deadline;
    uint32_t max_bytes;
    uint32_t max_handles;
    struct message_sink sink;
    uint32_t __user *actual_bytes_user;
    uint32_t __user *actual_handles_user;
};

/* Sends and sleeps; the reply is the caller's. */
static zx_status_t call_exchange(struct object *channel, zx_status_t status,
                                 const struct call_args *args, struct message **out)
{
    struct message *message;
    bool sent = false;
    status = message_from_user(&args->source, channel, status, &message);
    if (status != ZX_OK)
        return status;
    if (message->count_bytes < sizeof(zx_txid_t))
        status = ZX_ERR_INVALID_ARGS;
    else
        status = channel_call(channel, &user_thread_current()->call, message, args->deadline, &sent,
                              out);
    if (!sent)
        message_destroy(message);
    return status;
}

static zx_status_t call_begin(zx_handle_t handle, const struct call_args *args,
                              struct message **out)
{
    struct object *channel = NULL;
    zx_status_t status = (args->source.options & ~ZX_CHANNEL_WRITE_USE_IOVEC) != 0
                             ? ZX_ERR_INVALID_ARGS
                             : handle_get(handle, ZX_OBJ_TYPE_CHANNEL,
                                          ZX_RIGHT_READ | ZX_RIGHT_WRITE, &channel, NULL);
    status = call_exchange(channel, status, args, out);
    if (channel)
        object_put(channel);
    return status;
}

/* The message of a call that is finished has gone out before its thread was suspended. */
static zx_status_t call_common(zx_handle_t handle, const struct call_args *args)
{
    struct message *reply;
    zx_status_t status =
        args->source.options == CHANNEL_CALL_FINISH
            ? channel_call_finish(&user_thread_current()->call, args->deadline, &reply)
            : call_begin(handle, args, &reply);
    if (status != ZX_OK)
        return status;
    status = put_actuals(args->actual_bytes_user, reply->count_bytes, args->actual_handles_user,
                         reply->count_handles);
    if (status == ZX_OK &&
        (reply->count_bytes > args->max_bytes || reply->count_handles > args->max_handles))
        status = ZX_ERR_BUFFER_TOO_SMALL;
    if (status == ZX_OK)
        status = message_to_user(reply, &args->sink);
    if (status != ZX_OK)
        message_destroy(reply);
    return status;
}

zx_status_t sys_channel_call(zx_handle_t handle, uint32_t options, zx_time_t deadline,
                             const zx_channel_call_args_t __user *args_user,
                             uint32_t __user *actual_bytes_user,
                             uint32_t __user *actual_handles_user)
{
    zx_channel_call_args_t in;
    zx_status_t status = user_copy_in(&in, args_user, sizeof(in));
    if (status != ZX_OK)
        return status;
    struct call_args args = {
        .source = {options, in.wr_bytes, in.wr_num_bytes, in.wr_handles, in.wr_num_handles, false},
        .deadline = deadline,
        .max_bytes = in.rd_num_bytes,
        .max_handles = in.rd_num_handles,
        .sink = {in.rd_bytes, in.rd_handles, false},
        .actual_bytes_user = actual_bytes_user,
        .actual_handles_user = actual_handles_user,
    };
    return call_common(handle, &args);
}

zx_status_t sys_channel_call_etc(zx_handle_t handle, uint32_t options, zx_time_t deadline,
                                 zx_channel_call_etc_args_t __user *args_user,
                                 uint32_t __user *actual_bytes_user,
                                 uint32_t __user *actual_handles_user)
{
    zx_channel_call_etc_args_t in;
    zx_status_t status = user_copy_in(&in, args_user, sizeof(in));
    if (status != ZX_OK)
        return status;
    struct call_args args = {
        .source = {options, in.wr_bytes, in.wr_num_bytes, in.wr_handles, in.wr_num_handles, true},
        .deadline = deadline,
        .max_bytes = in.rd_num_bytes,
        .max_handles = in.rd_num_handles,
        .sink = {in.rd_bytes, in.rd_handles, true},
        .actual_bytes_user = actual_bytes_user,
        .actual_handles_user = actual_handles_user,
    };
    return call_common(handle, &args);
}
