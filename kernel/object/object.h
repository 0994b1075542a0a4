/* Kernel objects: what a handle refers to. Every concrete object embeds struct object first. */
#pragma once

#include <zircon/errors.h>
#include <zircon/rights.h>
#include <zircon/types.h>

#include "kernel/lib/list.h"
#include "kernel/sync/refcount.h"
#include "kernel/sync/spinlock.h"

struct object;

/* Operations of a type. All are called without locks. */
struct object_ops {
    zx_obj_type_t type;
    zx_rights_t default_rights;
    uint32_t user_signals; /* bits that zx_object_signal may change; 0: has no signals */
    /* Last reference gone: frees the object. */
    void (*destroy)(struct object *object);
    /* Last handle closed (it may come back to life only through references held by the kernel);
     * may be NULL. */
    void (*on_zero_handles)(struct object *object);
    /* The other side of a pair, borrowed, or NULL; for related_koid see object_related_koid. */
    zx_koid_t (*related_koid)(struct object *object);
    /* Changes the peer's signals; NULL: no peer concept (ZX_ERR_NOT_SUPPORTED). */
    zx_status_t (*signal_peer)(struct object *object, uint32_t clear, uint32_t set);
    /* For ZX_PROP_NAME; NULL: not supported. */
    zx_status_t (*get_name)(struct object *object, char out[32]);
    zx_status_t (*set_name)(struct object *object, const char *name);
};

struct object {
    const struct object_ops *ops;
    zx_koid_t koid;
    struct refcount refs;
    uint32_t count_handles;     /* atomic */
    struct spinlock lock;       /* rank OBJECT: signals and observers */
    uint32_t signals;           /* under lock; read atomically for a glance */
    struct list_node observers; /* struct observer.object_node, under lock */
};

/* First steps of every create function: one reference, no handles, a fresh koid, |signals| set. */
void object_init(struct object *object, const struct object_ops *ops, uint32_t signals);

static inline void object_get(struct object *object)
{
    refcount_get(&object->refs);
}
/* Destroys the object with the last reference. No spinlock held. */
void object_put(struct object *object);

/* A new koid, never used before. */
zx_koid_t koid_generate(void);

/* Number of live objects of a type (or of all: ZX_OBJ_TYPE_NONE), for leak tests. */
uint64_t object_count_live(zx_obj_type_t type);

/* ---- Signals --------------------------------------------------------------------------------- */

/* Called, with the object's lock held and interrupts off, when |observed| & trigger != 0, or with
 * CANCELED when the handle that was waited on goes away. Returns true to be removed from the list.
 * May unpark threads and queue packets; takes no lock of rank OBJECT other than a port's (see
 * docs/locking.md). */
struct observer;
enum observer_event { OBSERVER_SIGNALS, OBSERVER_HANDLE_CLOSED };
struct observer_ops {
    bool (*notify)(struct observer *observer, enum observer_event event, uint32_t observed);
};
struct observer {
    const struct observer_ops *ops;
    struct list_node object_node;
    uint32_t trigger;
    const void *handle; /* identity of the handle waited on: struct handle *, not dereferenced */
};

/* Clears, then sets bits, and tells the observers. Takes the lock. Any thread context; no lock of
 * rank OBJECT or inner held. */
void object_update_signals(struct object *object, uint32_t clear, uint32_t set);
/* The same with the object's lock held. */
void object_update_signals_locked(struct object *object, uint32_t clear, uint32_t set);
uint32_t object_poll_signals(struct object *object);

/* Adds an observer; if its trigger is satisfied already it is notified at once (and not added if
 * it then wants to be removed). */
void object_add_observer(struct object *object, struct observer *observer);
/* True if it was still in the list; after return it is not being notified. */
bool object_remove_observer(struct object *object, struct observer *observer);

/* Notifies and removes the observers that came through |handle|: it is being closed or moved. */
void object_cancel_observers(struct object *object, const void *handle);
