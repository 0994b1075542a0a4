/* Handles and handle tables.
 *
 * A struct handle is one reference on an object with rights. It lives in one process's table, or in
 * flight inside a message. Values are per process: obfuscated index and generation, bits 0 and 1
 * always set, so a closed value does not come back at once and 0 is never valid. */
#pragma once

#include "kernel/object/object.h"
#include "kernel/sched/thread.h"

struct handle {
    struct object *object; /* one reference, and one of count_handles */
    zx_rights_t rights;
    zx_obj_type_t type;          /* of the object */
    struct handle *next_closing; /* while it waits to be closed */
};

#define HANDLE_TABLE_MAX 65536u /* handles a process may hold */

struct handle_table;

/* ZX_ERR_NO_MEMORY as NULL. |random| obfuscates the values. */
struct handle_table *handle_table_create(uint32_t random);
/* Closes every handle, then frees the table. No lock held. */
void handle_table_destroy(struct handle_table *table);
/* Closes every handle; later lookups and inserts fail. Called when the process dies. No lock held.
 */
void handle_table_clear(struct handle_table *table);
uint32_t handle_table_count(struct handle_table *table);

/* Makes a handle in flight. Takes a reference of its own on |object|. NULL: no memory. */
struct handle *handle_create(struct object *object, zx_rights_t rights);
/* Closes a handle in flight: on_zero_handles with the last one. No lock held. NULL is allowed.
 * Inside a destroy or on_zero_handles it happens later; see object_put. */
void handle_close(struct handle *handle);

/* Puts |handle| (takes it) into the table. ZX_ERR_NO_RESOURCES: the table is full or cleared;
 * ZX_ERR_NO_MEMORY; then the handle still belongs to the caller. */
MUST_USE zx_status_t handle_table_add(struct handle_table *table, struct handle *handle,
                                      zx_handle_t *out_value);

/* Takes the handle out of the table (cancelling waits through it): the caller owns it now.
 * NULL: bad value. No spinlock held. */
struct handle *handle_table_remove(struct handle_table *table, zx_handle_t value);

/* As handle_table_remove, if the handle passes the checks of handle_get and refers to another
 * object than |not_object| (may be NULL; ZX_ERR_NOT_SUPPORTED otherwise). On failure it stays in
 * the table. */
MUST_USE zx_status_t handle_table_take(struct handle_table *table, zx_handle_t value,
                                       zx_obj_type_t type, zx_rights_t needed,
                                       const struct object *not_object, struct handle **out);

/* The way from a handle value to an object, in the current process's table. |type|:
 * ZX_OBJ_TYPE_NONE for any. Checks in Zircon's order: ZX_ERR_BAD_HANDLE, ZX_ERR_WRONG_TYPE,
 * ZX_ERR_ACCESS_DENIED (a right of |needed| is missing). Gives a reference and, if |out_rights| is
 * not NULL, the handle's rights; the table's lock is dropped on return. */
MUST_USE zx_status_t handle_get(zx_handle_t value, zx_obj_type_t type, zx_rights_t needed,
                                struct object **out, zx_rights_t *out_rights);

/* A second handle on the object of |value|, in no table, with the same rights; the caller owns it.
 * The object has a handle all the while: one that is being closed is not brought back.
 * ZX_ERR_BAD_HANDLE, ZX_ERR_ACCESS_DENIED (no ZX_RIGHT_DUPLICATE), ZX_ERR_NO_MEMORY. Takes the
 * table's lock. */
MUST_USE zx_status_t handle_table_duplicate(struct handle_table *table, zx_handle_t value,
                                            struct handle **out);

/* As handle_get in a given table; also tells the identity of the handle for observers, which
 * handle_table_has checks again after the observer was added: a handle that was closed in between
 * did not cancel it. |out_rights| and |out_identity| may be NULL. */
MUST_USE zx_status_t handle_table_get(struct handle_table *table, zx_handle_t value,
                                      zx_obj_type_t type, zx_rights_t needed, struct object **out,
                                      zx_rights_t *out_rights, const void **out_identity);

/* handle_get of any type in the current process's table, with the identity as above. */
MUST_USE zx_status_t handle_get_identity(zx_handle_t value, zx_rights_t needed, struct object **out,
                                         const void **out_identity);

/* |fn| is told whenever a lookup in the calling process's table fails, with the status. No lock is
 * held. Boot only. */
typedef void (*handle_failure_fn)(zx_handle_t value, zx_status_t status);
void handle_set_failure_hook(handle_failure_fn fn);

/* Changes whenever a handle leaves the table, before its observers are cancelled: if it is the same
 * after an observer was added as before the lookup, the handle that was waited on is still there.
 */
uint32_t handle_table_count_removals(const struct handle_table *table);

/* True if |value| is still the handle that had this identity. */
bool handle_table_has(struct handle_table *table, zx_handle_t value, const void *identity);

/* True if |value| is a handle at all. */
bool handle_table_has_value(struct handle_table *table, zx_handle_t value);

/* Calls fn for each handle under the table's lock, which is dropped from time to time: handles may
 * come and go on the way. */
void handle_table_for_each(struct handle_table *table,
                           void (*fn)(void *ctx, zx_handle_t value, const struct handle *handle),
                           void *ctx);

/* The current process's table; NULL in kernel threads. */
static inline struct handle_table *handle_table_current(void)
{
    return thread_current()->handles;
}
