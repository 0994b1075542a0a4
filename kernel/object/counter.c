#include "kernel/object/counter.h"

#include "kernel/vm/kheap.h"

struct counter {
    struct object object;
    struct spinlock lock; /* rank PAIR */
    int64_t value;        /* under lock */
};

static struct counter *counter_from(struct object *object)
{
    return container_of(object, struct counter, object);
}

static void counter_destroy(struct object *object)
{
    kfree(counter_from(object));
}

static const struct object_ops counter_ops = {
    .type = ZX_OBJ_TYPE_COUNTER,
    .default_rights = ZX_DEFAULT_COUNTER_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL | ZX_COUNTER_SIGNALED,
    .destroy = counter_destroy,
};

zx_status_t counter_create(struct object **out)
{
    struct counter *counter = kzalloc(sizeof(*counter));
    if (!counter)
        return ZX_ERR_NO_MEMORY;
    object_init(&counter->object, &counter_ops, ZX_COUNTER_NON_POSITIVE);
    spinlock_init(&counter->lock, LOCK_RANK_PAIR);
    *out = &counter->object;
    return ZX_OK;
}

static void set_locked(struct counter *counter, int64_t value)
{
    uint32_t set = value > 0 ? ZX_COUNTER_POSITIVE : ZX_COUNTER_NON_POSITIVE;
    counter->value = value;
    object_update_signals(&counter->object, (ZX_COUNTER_POSITIVE | ZX_COUNTER_NON_POSITIVE) & ~set,
                          set);
}

zx_status_t counter_add(struct object *object, int64_t amount)
{
    struct counter *counter = counter_from(object);
    int64_t sum;
    irq_state_t irq = spin_lock_irqsave(&counter->lock);
    bool overflows = __builtin_add_overflow(counter->value, amount, &sum);
    if (!overflows)
        set_locked(counter, sum);
    spin_unlock_irqrestore(&counter->lock, irq);
    return overflows ? ZX_ERR_OUT_OF_RANGE : ZX_OK;
}

int64_t counter_read(struct object *object)
{
    struct counter *counter = counter_from(object);
    irq_state_t irq = spin_lock_irqsave(&counter->lock);
    int64_t value = counter->value;
    spin_unlock_irqrestore(&counter->lock, irq);
    return value;
}

void counter_write(struct object *object, int64_t value)
{
    struct counter *counter = counter_from(object);
    irq_state_t irq = spin_lock_irqsave(&counter->lock);
    set_locked(counter, value);
    spin_unlock_irqrestore(&counter->lock, irq);
}
