/* Ports. */
#include "kernel/object/policy.h"
#include "kernel/object/port.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

zx_status_t sys_port_create(uint32_t options, zx_handle_t __user *out_user)
{
    struct object *port;
    if ((options & ~ZX_PORT_BIND_TO_INTERRUPT) != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = policy_check(ZX_POL_NEW_PORT);
    if (status != ZX_OK)
        return status;
    status = port_create(&port);
    if (status != ZX_OK)
        return status;
    if (options & ZX_PORT_BIND_TO_INTERRUPT)
        port_accept_interrupts(port);
    return user_put_handle(port, port->ops->default_rights, out_user);
}

zx_status_t sys_port_queue(zx_handle_t handle, const zx_port_packet_t __user *packet_user)
{
    struct object *port;
    zx_port_packet_t packet;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port, NULL);
    if (status != ZX_OK)
        return status;
    status = user_copy_in(&packet, packet_user, sizeof(packet));
    if (status == ZX_OK)
        status = port_queue(port, &packet);
    object_put(port);
    return status;
}

zx_status_t sys_port_wait(zx_handle_t handle, zx_time_t deadline,
                          zx_port_packet_t __user *packet_user)
{
    struct object *port;
    struct packet *packet;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_READ, &port, NULL);
    if (status != ZX_OK)
        return status;
    status = port_take(port, deadline, &packet);
    if (status == ZX_OK) {
        if (packet_user)
            status = user_copy_out(packet_user, packet_content(packet), sizeof(*packet_user));
        if (status == ZX_OK)
            packet_dispose(packet);
        else
            port_put_back(port, packet);
    }
    object_put(port);
    return status;
}

zx_status_t sys_port_cancel(zx_handle_t handle, zx_handle_t source_handle, uint64_t key)
{
    struct object *port;
    struct object *source;
    const void *identity;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port, NULL);
    if (status != ZX_OK)
        return status;
    status = handle_table_get(handle_table_current(), source_handle, ZX_OBJ_TYPE_NONE,
                              ZX_RIGHT_WAIT, &source, NULL, &identity);
    if (status == ZX_OK) {
        status = port_cancel(port, source, identity, key) ? ZX_OK : ZX_ERR_NOT_FOUND;
        object_put(source);
    }
    object_put(port);
    return status;
}

zx_status_t sys_port_cancel_key(zx_handle_t handle, uint32_t options, uint64_t key)
{
    struct object *port;
    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = handle_get(handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port, NULL);
    if (status != ZX_OK)
        return status;
    status = port_cancel(port, NULL, NULL, key) ? ZX_OK : ZX_ERR_NOT_FOUND;
    object_put(port);
    return status;
}
