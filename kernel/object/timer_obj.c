#include "kernel/object/timer_obj.h"

#include "kernel/sched/mutex.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/timer.h"
#include "kernel/vm/kheap.h"

struct timer_obj {
    struct object object;
    uint32_t options;
    zx_clock_t clock_id;
    struct mutex lock; /* rank PAIR: one arming or disarming at a time */
    /* Under lock: */
    struct timer timer;
    zx_duration_t slack_ns;
    zx_time_t deadline_ns; /* atomic: the callback sets it to 0 without the lock */
};

static struct timer_obj *timer_obj_from(struct object *object)
{
    return container_of(object, struct timer_obj, object);
}

static void timer_obj_fire(struct timer *timer, void *ctx)
{
    struct timer_obj *self = ctx;
    (void)timer;
    atomic_store(&self->deadline_ns, 0);
    object_update_signals(&self->object, 0, ZX_TIMER_SIGNALED);
}

/* On return the callback is not running: what it did is overwritten by what follows. */
static void timer_obj_disarm_locked(struct timer_obj *self)
{
    timer_cancel(&self->timer);
    atomic_store(&self->deadline_ns, 0);
    object_update_signals(&self->object, ZX_TIMER_SIGNALED, 0);
}

void timer_obj_set(struct object *object, zx_time_t deadline_ns, zx_duration_t slack_ns)
{
    struct timer_obj *self = timer_obj_from(object);
    mutex_lock(&self->lock);
    timer_obj_disarm_locked(self);
    self->slack_ns = slack_ns;
    if (deadline_ns <= clock_monotonic_ns()) {
        object_update_signals(&self->object, 0, ZX_TIMER_SIGNALED);
    } else {
        atomic_store(&self->deadline_ns, deadline_ns);
        timer_set(&self->timer, deadline_ns);
    }
    mutex_unlock(&self->lock);
}

void timer_obj_cancel(struct object *object)
{
    struct timer_obj *self = timer_obj_from(object);
    mutex_lock(&self->lock);
    timer_obj_disarm_locked(self);
    mutex_unlock(&self->lock);
}

void timer_obj_get_info(struct object *object, zx_info_timer_t *out)
{
    struct timer_obj *self = timer_obj_from(object);
    mutex_lock(&self->lock);
    out->options = self->options;
    out->clock_id = self->clock_id;
    out->deadline = atomic_load(&self->deadline_ns);
    out->slack = self->slack_ns;
    mutex_unlock(&self->lock);
}

static void timer_obj_destroy(struct object *object)
{
    timer_obj_cancel(object);
    kfree(timer_obj_from(object));
}

static const struct object_ops timer_obj_ops = {
    .type = ZX_OBJ_TYPE_TIMER,
    .default_rights = ZX_DEFAULT_TIMER_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = timer_obj_destroy,
    .on_zero_handles = timer_obj_cancel,
};

zx_status_t timer_obj_create(uint32_t options, zx_clock_t clock_id, struct object **out)
{
    struct timer_obj *self = kzalloc(sizeof(*self));
    if (!self)
        return ZX_ERR_NO_MEMORY;
    object_init(&self->object, &timer_obj_ops, 0);
    self->options = options;
    self->clock_id = clock_id;
    mutex_init(&self->lock, LOCK_RANK_PAIR);
    timer_init(&self->timer, timer_obj_fire, self);
    *out = &self->object;
    return ZX_OK;
}
