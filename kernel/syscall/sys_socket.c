/* Sockets. */
#include "kernel/object/policy.h"
#include "kernel/object/socket.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_socket_create(uint32_t options, zx_handle_t __user *out0_user,
                              zx_handle_t __user *out1_user)
{
    struct object *ends[2];
    if ((options & ~ZX_SOCKET_CREATE_MASK) != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = policy_check(ZX_POL_NEW_SOCKET);
    if (status != ZX_OK)
        return status;
    status = socket_create(options, &ends[0], &ends[1]);
    if (status != ZX_OK)
        return status;
    struct handle_out outs[2] = {
        {ends[0], ends[0]->ops->default_rights, out0_user},
        {ends[1], ends[1]->ops->default_rights, out1_user},
    };
    return user_put_handles(outs, ARRAY_COUNT(outs));
}

struct socket_buffer {
    uintptr_t user;
    size_t __user *actual_user; /* or NULL */
};

static zx_status_t copy_piece_in(void *ctx, void *piece, size_t done_bytes, size_t len_bytes)
{
    const struct socket_buffer *buffer = ctx;
    return user_copy_in(piece, (const void __user *)(buffer->user + done_bytes), len_bytes);
}

/* The last piece, without bytes, only says how many there were: that is told before they leave. */
static zx_status_t copy_piece_out(void *ctx, void *piece, size_t done_bytes, size_t len_bytes)
{
    const struct socket_buffer *buffer = ctx;
    if (!piece)
        return user_put_size_optional(buffer->actual_user, done_bytes);
    return user_copy_out((void __user *)(buffer->user + done_bytes), piece, len_bytes);
}

zx_status_t sys_socket_write(zx_handle_t handle, uint32_t options, const void __user *buffer_user,
                             size_t buffer_size, size_t __user *actual_user)
{
    struct socket_buffer buffer = {(uintptr_t)buffer_user, NULL};
    struct object *socket;
    size_t done;
    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_SOCKET, ZX_RIGHT_WRITE, &socket, NULL);
    if (status != ZX_OK)
        return status;
    status = socket_write(socket, buffer_size, copy_piece_in, &buffer, &done);
    object_put(socket);
    return status == ZX_OK ? user_put_size_optional(actual_user, done) : status;
}

zx_status_t sys_socket_read(zx_handle_t handle, uint32_t options, void __user *buffer_user,
                            size_t buffer_size, size_t __user *actual_user)
{
    struct socket_buffer buffer = {(uintptr_t)buffer_user, actual_user};
    struct object *socket;
    if ((options & ~ZX_SOCKET_PEEK) != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_SOCKET, ZX_RIGHT_READ, &socket, NULL);
    if (status != ZX_OK)
        return status;
    status = socket_read(socket, options != 0, buffer_size, copy_piece_out, &buffer);
    object_put(socket);
    return status;
}

zx_status_t sys_socket_set_disposition(zx_handle_t handle, uint32_t disposition,
                                       uint32_t disposition_peer)
{
    struct object *socket;
    if (disposition > ZX_SOCKET_DISPOSITION_WRITE_ENABLED ||
        disposition_peer > ZX_SOCKET_DISPOSITION_WRITE_ENABLED)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status =
        handle_get(handle, ZX_OBJ_TYPE_SOCKET, ZX_RIGHT_MANAGE_SOCKET, &socket, NULL);
    if (status != ZX_OK)
        return status;
    status = socket_set_disposition(socket, disposition, disposition_peer);
    object_put(socket);
    return status;
}
