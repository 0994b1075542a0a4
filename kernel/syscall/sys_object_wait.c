/* Waiting for signals of any object. */
#include <zircon/syscalls/port.h>

#include <zircon/syscalls/object.h>

#include "kernel/object/port.h"
#include "kernel/object/wait.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"
#include "kernel/vm/kheap.h"

/* Fills the caller's part of |entry|, with a reference on the object. */
static zx_status_t wait_entry_get(zx_handle_t value, uint32_t signals, struct wait_entry *entry)
{
    entry->value = value;
    entry->signals = signals;
    return handle_get_identity(value, ZX_RIGHT_WAIT, &entry->object, &entry->identity);
}

/* After these, what was observed goes to the user. */
static bool wait_tells_state(zx_status_t status)
{
    return status == ZX_OK || status == ZX_ERR_TIMED_OUT || status == ZX_ERR_CANCELED;
}

zx_status_t sys_object_wait_one(zx_handle_t handle, zx_signals_t signals, zx_time_t deadline,
                                zx_signals_t __user *observed_user)
{
    uint32_t observed;
    zx_status_t status = wait_one(handle, signals, deadline, &observed);
    if (observed_user != NULL && wait_tells_state(status)) {
        zx_status_t put_status = user_put_u32(observed_user, observed);
        if (put_status != ZX_OK)
            return put_status;
    }
    return status;
}

static void wait_entries_put(struct wait_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        object_put(entries[i].object);
}

static zx_status_t wait_many(zx_wait_item_t *items, struct wait_entry *entries, size_t count,
                             zx_time_t deadline)
{
    for (size_t i = 0; i < count; i++) {
        zx_status_t status = wait_entry_get(items[i].handle, items[i].waitfor, &entries[i]);
        if (status != ZX_OK) {
            wait_entries_put(entries, i);
            return status;
        }
    }
    zx_status_t status =
        wait_for_signals(entries, count, ZX_THREAD_STATE_BLOCKED_WAIT_MANY, deadline);
    for (size_t i = 0; i < count; i++)
        items[i].pending = entries[i].observed;
    wait_entries_put(entries, count);
    return status;
}

zx_status_t sys_object_wait_many(zx_wait_item_t __user *items_user, size_t num_items,
                                 zx_time_t deadline)
{
    if (num_items > ZX_WAIT_MANY_MAX_ITEMS)
        return ZX_ERR_OUT_OF_RANGE;
    if (num_items == 0) {
        zx_status_t status = wait_until(deadline);
        return status == ZX_OK ? ZX_ERR_TIMED_OUT : status;
    }
    size_t items_bytes = num_items * sizeof(zx_wait_item_t);
    struct wait_entry *entries = kmalloc(num_items * sizeof(*entries) + items_bytes);
    if (!entries)
        return ZX_ERR_NO_MEMORY;
    zx_wait_item_t *items = (zx_wait_item_t *)(entries + num_items);
    zx_status_t status = user_copy_in(items, items_user, items_bytes);
    if (status == ZX_OK)
        status = wait_many(items, entries, num_items, deadline);
    if (wait_tells_state(status)) {
        zx_status_t put_status = user_copy_out(items_user, items, items_bytes);
        if (put_status != ZX_OK)
            status = put_status;
    }
    kfree(entries);
    return status;
}

zx_status_t sys_object_wait_async(zx_handle_t handle, zx_handle_t port_handle, uint64_t key,
                                  zx_signals_t signals, uint32_t options)
{
    struct port_watch watch = {.value = handle, .key = key, .signals = signals, .options = options};
    if ((options & ~(ZX_WAIT_ASYNC_TIMESTAMP | ZX_WAIT_ASYNC_EDGE)) != 0)
        return ZX_ERR_INVALID_ARGS;
    struct object *port;
    zx_status_t status = handle_get(port_handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port, NULL);
    if (status != ZX_OK)
        return status;
    status = handle_table_get(handle_table_current(), handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_WAIT,
                              &watch.source, NULL, &watch.identity);
    if (status == ZX_OK) {
        status = port_watch(port, &watch);
        object_put(watch.source);
    }
    object_put(port);
    return status;
}
