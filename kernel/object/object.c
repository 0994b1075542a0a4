#include "kernel/object/object.h"

#include "kernel/object/object_internal.h"
#include "kernel/sched/thread.h"

#define OBJECT_TYPE_LIMIT ((uint32_t)ZX_OBJ_TYPE_UPPER_BOUND)

static uint64_t next_koid = ZX_KOID_FIRST;
static uint64_t count_live[OBJECT_TYPE_LIMIT];

zx_koid_t koid_generate(void)
{
    return atomic_fetch_add_relaxed(&next_koid, 1);
}

void object_init(struct object *object, const struct object_ops *ops, uint32_t signals)
{
    DEBUG_ASSERT(ops->type < OBJECT_TYPE_LIMIT);
    object->ops = ops;
    object->koid = koid_generate();
    refcount_init(&object->refs);
    object->count_handles = 0;
    spinlock_init(&object->lock, LOCK_RANK_OBJECT);
    object->signals = signals;
    list_init(&object->observers);
    object->count_observers = 0;
    object->next_release = NULL;
    atomic_fetch_add_relaxed(&count_live[ops->type], 1);
}

void object_abandon(struct object *object)
{
    atomic_fetch_sub(&count_live[object->ops->type], 1);
}

uint64_t object_count_live(zx_obj_type_t type)
{
    if (type != ZX_OBJ_TYPE_NONE)
        return type < OBJECT_TYPE_LIMIT ? atomic_load(&count_live[type]) : 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < OBJECT_TYPE_LIMIT; i++)
        sum += atomic_load(&count_live[i]);
    return sum;
}

zx_koid_t object_related_koid(struct object *object)
{
    return object->ops->related_koid ? object->ops->related_koid(object) : ZX_KOID_INVALID;
}

/* ---- Release --------------------------------------------------------------------------------- */

static void releases_add(struct object_releases *releases, struct object *object,
                         struct handle *handle)
{
    if (handle) {
        handle->next_closing = releases->handles;
        releases->handles = handle;
    } else {
        /* The list of observers stays a list: signals of an endpoint of an IOBuffer may still be
         * raised by its peer, which keeps the memory of both. */
        ASSERT(list_is_empty(&object->observers));
        object->next_release = releases->objects;
        releases->objects = object;
    }
}

static bool releases_do_one(struct object_releases *releases)
{
    struct handle *handle = releases->handles;
    if (handle) {
        releases->handles = handle->next_closing;
        handle_close_now(handle);
        return true;
    }
    struct object *object = releases->objects;
    if (!object)
        return false;
    releases->objects = object->next_release;
    atomic_fetch_sub(&count_live[object->ops->type], 1);
    object->ops->destroy(object);
    return true;
}

void object_release(struct object *object, struct handle *handle)
{
    struct thread *self = thread_current();
    if (self->releases) {
        releases_add(self->releases, object, handle);
        return;
    }
    struct object_releases releases = {NULL, NULL};
    releases_add(&releases, object, handle);
    self->releases = &releases;
    while (releases_do_one(&releases)) {
    }
    self->releases = NULL;
}

NOINLINE static void put_unusual(struct object *object, uint32_t old)
{
    if (refcount_put_is_last(&object->refs, old))
        object_release(object, NULL);
}

void object_put(struct object *object)
{
    uint32_t old = refcount_put_begin(&object->refs);
    if (UNLIKELY((int32_t)old <= 1))
        put_unusual(object, old);
}

/* ---- Signals --------------------------------------------------------------------------------- */

static void unlink_observer_locked(struct object *object, struct observer *observer)
{
    list_remove(&observer->object_node);
    object->count_observers--;
}

static void notify_locked(struct object *object, uint32_t rising, uint32_t now)
{
    list_for_each_safe (node, next, &object->observers) {
        struct observer *observer = list_entry(node, struct observer, object_node);
        if ((observer->trigger & rising) == 0)
            continue;
        unlink_observer_locked(object, observer);
        observer->ops->notify(observer, OBSERVER_SIGNALS, now);
    }
}

static inline void update_signals_locked(struct object *object, uint32_t clear, uint32_t set)
{
    uint32_t old = object->signals;
    uint32_t now = (old & ~clear) | set;
    atomic_store_release(&object->signals, now);
    if ((now & ~old) != 0 && !list_is_empty(&object->observers))
        notify_locked(object, now & ~old, now);
}

void object_update_signals_locked(struct object *object, uint32_t clear, uint32_t set)
{
    update_signals_locked(object, clear, set);
}

void object_update_signals(struct object *object, uint32_t clear, uint32_t set)
{
    irq_state_t irq = spin_lock_irqsave(&object->lock);
    update_signals_locked(object, clear, set);
    spin_unlock_irqrestore(&object->lock, irq);
}

static bool add_observer(struct object *object, struct observer *observer, bool only_edges,
                         uint32_t limit)
{
    bool is_added = true;
    list_init(&observer->object_node);
    irq_state_t irq = spin_lock_irqsave(&object->lock);
    if (!only_edges && (object->signals & observer->trigger) != 0) {
        observer->ops->notify(observer, OBSERVER_SIGNALS, object->signals);
    } else if (object->count_observers < limit) {
        list_push_back(&object->observers, &observer->object_node);
        object->count_observers++;
    } else {
        is_added = false;
    }
    spin_unlock_irqrestore(&object->lock, irq);
    return is_added;
}

void object_add_observer(struct object *object, struct observer *observer, bool only_edges)
{
    (void)add_observer(object, observer, only_edges, UINT32_MAX);
}

bool object_try_add_observer(struct object *object, struct observer *observer, bool only_edges)
{
    return add_observer(object, observer, only_edges, OBJECT_MAX_OBSERVERS);
}

bool object_remove_observer(struct object *object, struct observer *observer)
{
    irq_state_t irq = spin_lock_irqsave(&object->lock);
    bool was_there = !list_is_empty(&observer->object_node);
    if (was_there)
        unlink_observer_locked(object, observer);
    spin_unlock_irqrestore(&object->lock, irq);
    return was_there;
}

void object_cancel_observers(struct object *object, const void *handle)
{
    /* Not linked by object_node: once the lock is free somebody may still try to remove an observer
     * that is in no list of the object any more. */
    struct observer *to_release = NULL;
    irq_state_t irq = spin_lock_irqsave(&object->lock);
    uint32_t observed = object->signals | ZX_SIGNAL_HANDLE_CLOSED;
    list_for_each_safe (node, next, &object->observers) {
        struct observer *observer = list_entry(node, struct observer, object_node);
        if (observer->handle != handle)
            continue;
        unlink_observer_locked(object, observer);
        if (observer->ops->notify(observer, OBSERVER_HANDLE_CLOSED, observed)) {
            observer->next_release = to_release;
            to_release = observer;
        }
    }
    spin_unlock_irqrestore(&object->lock, irq);
    while (to_release) {
        struct observer *observer = to_release;
        to_release = observer->next_release;
        observer->ops->release(observer);
    }
}
