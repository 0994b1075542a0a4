#include "kernel/object/event.h"

#include "kernel/object/pair.h"
#include "kernel/vm/kheap.h"

/* ---- Event ----------------------------------------------------------------------------------- */

static void event_destroy(struct object *object)
{
    kfree(object);
}

static const struct object_ops event_ops = {
    .type = ZX_OBJ_TYPE_EVENT,
    .default_rights = ZX_DEFAULT_EVENT_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL | ZX_EVENT_SIGNALED,
    .destroy = event_destroy,
};

zx_status_t event_create(struct object **out)
{
    struct object *event = kmalloc(sizeof(*event));
    if (!event)
        return ZX_ERR_NO_MEMORY;
    object_init(event, &event_ops, 0);
    *out = event;
    return ZX_OK;
}

/* ---- Event pair ------------------------------------------------------------------------------ */

struct eventpair {
    struct object object;
    struct pair_end end;
};

static struct eventpair *eventpair_from(struct object *object)
{
    return container_of(object, struct eventpair, object);
}

static void eventpair_on_zero_handles(struct object *object)
{
    pair_close(&eventpair_from(object)->end, 0, ZX_EVENTPAIR_PEER_CLOSED);
}

static void eventpair_destroy(struct object *object)
{
    struct eventpair *eventpair = eventpair_from(object);
    pair_close(&eventpair->end, 0, ZX_EVENTPAIR_PEER_CLOSED);
    pair_put(&eventpair->end);
    kfree(eventpair);
}

static zx_koid_t eventpair_related_koid(struct object *object)
{
    return eventpair_from(object)->end.peer_koid;
}

static zx_status_t eventpair_signal_peer(struct object *object, uint32_t clear, uint32_t set)
{
    return pair_signal_peer(&eventpair_from(object)->end, clear, set);
}

static const struct object_ops eventpair_ops = {
    .type = ZX_OBJ_TYPE_EVENTPAIR,
    .default_rights = ZX_DEFAULT_EVENTPAIR_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL | ZX_EVENTPAIR_SIGNALED,
    .destroy = eventpair_destroy,
    .on_zero_handles = eventpair_on_zero_handles,
    .related_koid = eventpair_related_koid,
    .signal_peer = eventpair_signal_peer,
};

zx_status_t eventpair_create(struct object **out0, struct object **out1)
{
    struct eventpair *a = kzalloc(sizeof(*a));
    struct eventpair *b = kzalloc(sizeof(*b));
    if (!a || !b)
        goto fail;
    object_init(&a->object, &eventpair_ops, 0);
    object_init(&b->object, &eventpair_ops, 0);
    if (pair_connect(&a->end, &a->object, &b->end, &b->object) != ZX_OK)
        goto fail_objects;
    *out0 = &a->object;
    *out1 = &b->object;
    return ZX_OK;

fail_objects:
    object_abandon(&a->object);
    object_abandon(&b->object);
fail:
    kfree(a);
    kfree(b);
    return ZX_ERR_NO_MEMORY;
}
