/* Kernel objects: what a handle refers to. Every concrete object embeds struct object first. */
#pragma once

#include <zircon/errors.h>
#include <zircon/rights.h>
#include <zircon/types.h>

#include "kernel/lib/list.h"
#include "kernel/sync/refcount.h"
#include "kernel/sync/spinlock.h"

struct object;

/* Operations of a type. All are called by threads without spinlocks. */
struct object_ops {
    zx_obj_type_t type;
    zx_rights_t default_rights;
    uint32_t user_signals; /* bits that zx_object_signal may change; 0: has no signals */
    /* Last reference gone: frees the object. */
    void (*destroy)(struct object *object);
    /* Last handle closed (it may come back to life only through references held by the kernel);
     * may be NULL. */
    void (*on_zero_handles)(struct object *object);
    /* For ZX_INFO_HANDLE_BASIC: peer, parent process or parent job; NULL: 0. */
    zx_koid_t (*related_koid)(struct object *object);
    /* How many operations wait behind the object's READABLE signal, for packets of ports; NULL: 1.
     * Called with the object's lock held. */
    uint64_t (*count_readable)(struct object *object);
    /* Changes the peer's signals; NULL: no peer concept (ZX_ERR_NOT_SUPPORTED).
     * ZX_ERR_PEER_CLOSED: it has gone. */
    zx_status_t (*signal_peer)(struct object *object, uint32_t clear, uint32_t set);
    /* For ZX_PROP_NAME; NULL: ZX_ERR_WRONG_TYPE. */
    zx_status_t (*get_name)(struct object *object, char out[32]);
    zx_status_t (*set_name)(struct object *object, const char *name);
    /* The other properties (zx_object_get_property), all of them numbers; |rights| are the
     * handle's. ZX_ERR_WRONG_TYPE: one that this type does not have; NULL: it has none. */
    zx_status_t (*get_number)(struct object *object, uint32_t property, uint64_t *out);
    zx_status_t (*set_number)(struct object *object, zx_rights_t rights, uint32_t property,
                              uint64_t value);
};

struct object {
    const struct object_ops *ops;
    zx_koid_t koid;
    struct refcount refs;
    uint32_t count_handles;      /* atomic */
    struct spinlock lock;        /* rank OBJECT: signals and observers */
    uint32_t signals;            /* under lock; read atomically for a glance */
    struct list_node observers;  /* struct observer.object_node, under lock */
    uint32_t count_observers;    /* under lock */
    struct object *next_release; /* once the last reference is gone: links those to be destroyed */
};

/* First steps of every create function: one reference, no handles, a fresh koid, |signals| set. */
void object_init(struct object *object, const struct object_ops *ops, uint32_t signals);

/* Undoes object_init in a create function that fails later; the memory stays the caller's. */
void object_abandon(struct object *object);

static inline void object_get(struct object *object)
{
    refcount_get(&object->refs);
}

/* object_get for code that calls nothing. False: object_get has to do it. */
static inline bool object_try_get(struct object *object)
{
    return refcount_try_get(&object->refs);
}

/* Destroys the object with the last reference. No spinlock held; may sleep. Called from inside a
 * destroy or on_zero_handles it only queues the destruction: the outermost object_put or
 * handle_close of the thread does it before it returns, so chains of objects that own each other
 * take no stack. */
void object_put(struct object *object);

/* A new koid, never used before. */
zx_koid_t koid_generate(void);

/* Peer, parent process or parent job; 0 for objects without. */
zx_koid_t object_related_koid(struct object *object);

/* Number of live objects of a type (or of all: ZX_OBJ_TYPE_NONE), for leak tests. */
uint64_t object_count_live(zx_obj_type_t type);

/* ---- Signals --------------------------------------------------------------------------------- */

/* An observer waits for one event and is told once. It is taken off the object's list before
 * notify, and the object does not touch it afterwards.
 *
 * notify is called with the object's lock held and interrupts off: when a signal of |trigger|
 * becomes set, with the signals now observed, or when the handle that was waited on is closed or
 * moved, with ZX_SIGNAL_HANDLE_CLOSED added to them. It may unpark threads and take a port's lock.
 * If it returns true, release (not NULL then) is called later without locks; only looked at for
 * OBSERVER_HANDLE_CLOSED. */
struct observer;
enum observer_event { OBSERVER_SIGNALS, OBSERVER_HANDLE_CLOSED };
struct observer_ops {
    bool (*notify)(struct observer *observer, enum observer_event event, uint32_t observed);
    void (*release)(struct observer *observer);
};
struct observer {
    const struct observer_ops *ops;
    struct list_node object_node;
    uint32_t trigger;
    const void *handle; /* identity of the handle waited on: struct handle *, not dereferenced */
    struct observer *next_release; /* links those that release is to be called for */
};

/* Clears, then sets bits, and tells the observers of bits that were clear before. Takes the lock.
 * Any context; no lock of rank OBJECT or inner held (the lock of a pair may be). */
void object_update_signals(struct object *object, uint32_t clear, uint32_t set);
/* The same with the object's lock held. */
void object_update_signals_locked(struct object *object, uint32_t clear, uint32_t set);

static inline uint32_t object_poll_signals(const struct object *object)
{
    return atomic_load_acquire(&object->signals);
}

/* Adds an observer (ops, trigger and handle are set); the caller keeps a reference on the object as
 * long as it is there. If its trigger is satisfied already it is notified instead of added, unless
 * |only_edges|. Takes the lock. */
void object_add_observer(struct object *object, struct observer *observer, bool only_edges);

/* Observers that an object may have for those who do not sleep meanwhile: a change of its signals
 * goes through all of them with interrupts off. */
#define OBJECT_MAX_OBSERVERS 8192u

/* The same, but false if OBJECT_MAX_OBSERVERS are there already and it was not to be told at once;
 * then nothing has happened. */
bool object_try_add_observer(struct object *object, struct observer *observer, bool only_edges);

/* True if it was still in the list; on return notify is not running and will not be called. */
bool object_remove_observer(struct object *object, struct observer *observer);

/* Notifies and removes the observers that came through |handle|: it is being closed or moved. No
 * spinlock held. */
void object_cancel_observers(struct object *object, const void *handle);
