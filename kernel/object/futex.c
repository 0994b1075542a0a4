#include <zircon/syscalls/object.h>

#include "kernel/object/futex.h"

#include "kernel/object/thread.h"
#include "kernel/vm/futex_key.h"

#define BUCKET_BITS  8
#define BUCKET_COUNT (1u << BUCKET_BITS)

/* Waiters of all futexes that hash to it, in order of arrival. */
struct bucket {
    struct spinlock lock; /* no rank, since two may be held: the one at the lower address first */
    struct list_node waiters;
};

/* A thread in futex_wait, on its stack. Whoever finds it in the list, with the bucket's lock, may
 * touch it and its thread until it sets is_woken: it leaves when it sees that, or after it had the
 * lock. */
struct waiter {
    struct list_node node;
    struct futex_key key;
    struct bucket *bucket; /* where it is: atomic, written with both buckets' locks held */
    struct thread *thread;
    zx_koid_t owner_koid; /* of the futex; valid in the first waiter of its key */
    bool is_woken;        /* atomic; the last that its waker writes, under the bucket's lock */
};

static struct bucket buckets[BUCKET_COUNT] = {
    [0 ... BUCKET_COUNT - 1] = {.lock = SPINLOCK_INIT(LOCK_RANK_NONE)},
};

static struct bucket *bucket_of(const struct futex_key *key)
{
    uint64_t hash = (key->serial << 32) ^ (key->offset >> 2);
    hash *= 0x9e3779b97f4a7c15ull; /* 2^64 divided by the golden ratio spreads close keys */
    return &buckets[hash >> (64 - BUCKET_BITS)];
}

/* Lists start out as zeros. */
static void bucket_prepare_locked(struct bucket *bucket)
{
    if (UNLIKELY(!bucket->waiters.next))
        list_init(&bucket->waiters);
}

static irq_state_t bucket_lock(struct bucket *bucket)
{
    irq_state_t irq = spin_lock_irqsave(&bucket->lock);
    bucket_prepare_locked(bucket);
    return irq;
}

static struct waiter *waiter_after_locked(struct bucket *bucket, struct list_node *node,
                                          const struct futex_key *key)
{
    for (node = node->next; node != &bucket->waiters; node = node->next) {
        struct waiter *waiter = list_entry(node, struct waiter, node);
        if (futex_key_equal(&waiter->key, key))
            return waiter;
    }
    return NULL;
}

static struct waiter *waiter_first_locked(struct bucket *bucket, const struct futex_key *key)
{
    return waiter_after_locked(bucket, &bucket->waiters, key);
}

static void set_owner_locked(struct bucket *bucket, const struct futex_key *key, zx_koid_t koid)
{
    struct waiter *first = waiter_first_locked(bucket, key);
    if (first)
        first->owner_koid = koid;
}

/* A thread that ends goes through the buckets after it is over: who sees it alive with a bucket's
 * lock held comes before that. */
static zx_koid_t owner_koid_locked(const struct futex_owner *owner)
{
    return owner->thread && !user_thread_is_over(owner->thread) ? owner->koid : ZX_KOID_INVALID;
}

static bool koid_waits_locked(struct bucket *bucket, const struct futex_key *key, zx_koid_t koid)
{
    if (koid == 0)
        return false;
    for (struct waiter *waiter = waiter_first_locked(bucket, key); waiter;
         waiter = waiter_after_locked(bucket, &waiter->node, key)) {
        if (waiter->thread->koid == koid)
            return true;
    }
    return false;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static zx_status_t key_get(vaddr_t addr, struct futex_key *out)
{
    struct arch_aspace *arch = thread_current()->aspace;
    if (!is_aligned(addr, sizeof(uint32_t)) || !user_range_is_valid(addr, sizeof(uint32_t)))
        return ZX_ERR_INVALID_ARGS;
    return futex_key_get(container_of(arch, struct aspace, arch), addr,
                         thread_current()->futex_hint, out);
}

/* With the locks held, compares the word. ZX_ERR_SHOULD_WAIT: it has to be made present first, by
 * word_make_present without locks. */
static zx_status_t word_check_locked(vaddr_t addr, uint32_t expected)
{
    uint32_t value;
    zx_status_t status = arch_load_user_u32_nofault(addr, &value);
    if (status != ZX_OK)
        return status;
    return value == expected ? ZX_OK : ZX_ERR_BAD_STATE;
}

static zx_status_t word_make_present(vaddr_t addr)
{
    uint32_t value;
    return arch_load_user_u32(addr, &value);
}

/* ---- Wait ------------------------------------------------------------------------------------ */

static zx_status_t wait_enqueue_locked(struct bucket *bucket, struct waiter *waiter, vaddr_t addr,
                                       uint32_t expected, const struct futex_owner *owner)
{
    zx_status_t status = word_check_locked(addr, expected);
    if (status != ZX_OK)
        return status;
    if (owner->status != ZX_OK)
        return owner->status;
    if (owner->koid != 0 && (owner->koid == waiter->thread->koid ||
                             koid_waits_locked(bucket, &waiter->key, owner->koid)))
        return ZX_ERR_INVALID_ARGS;
    waiter->bucket = bucket;
    waiter->owner_koid = owner_koid_locked(owner);
    if (!list_is_empty(&bucket->waiters))
        set_owner_locked(bucket, &waiter->key, waiter->owner_koid);
    list_push_back(&bucket->waiters, &waiter->node);
    return ZX_OK;
}

/* After a park that nobody has ended, as far as can be seen: waits for a waker that is not done
 * yet, and takes the waiter out of its list if |leave| and there is none. True: it was woken. */
static bool wait_settle(struct waiter *waiter, bool leave)
{
    struct bucket *bucket;
    irq_state_t irq;
    for (;;) {
        bucket = atomic_load(&waiter->bucket);
        irq = bucket_lock(bucket);
        if (bucket == waiter->bucket)
            break;
        spin_unlock_irqrestore(&bucket->lock, irq); /* it was requeued meanwhile */
    }
    bool was_woken = waiter->is_woken;
    if (!was_woken && leave) {
        bool was_first = waiter_first_locked(bucket, &waiter->key) == waiter;
        list_remove(&waiter->node);
        if (was_first)
            set_owner_locked(bucket, &waiter->key, waiter->owner_koid);
    }
    spin_unlock_irqrestore(&bucket->lock, irq);
    return was_woken;
}

static zx_status_t wait_park(struct waiter *waiter, zx_time_t deadline_ns)
{
    for (;;) {
        zx_status_t status = thread_park_for(ZX_THREAD_STATE_BLOCKED_FUTEX, deadline_ns);
        if (LIKELY(atomic_load_acquire(&waiter->is_woken)) || wait_settle(waiter, status != ZX_OK))
            return ZX_OK;
        if (status != ZX_OK)
            return status;
    }
}

zx_status_t futex_wait(vaddr_t addr, uint32_t expected, const struct futex_owner *owner,
                       zx_time_t deadline_ns)
{
    struct waiter waiter;
    zx_status_t status = key_get(addr, &waiter.key);
    if (status != ZX_OK)
        return status;
    waiter.thread = thread_current();
    waiter.is_woken = false;
    struct bucket *bucket = bucket_of(&waiter.key);
    do {
        irq_state_t irq = bucket_lock(bucket);
        status = wait_enqueue_locked(bucket, &waiter, addr, expected, owner);
        spin_unlock_irqrestore(&bucket->lock, irq);
    } while (status == ZX_ERR_SHOULD_WAIT && (status = word_make_present(addr)) == ZX_OK);
    return status == ZX_OK ? wait_park(&waiter, deadline_ns) : status;
}

/* ---- Wake ------------------------------------------------------------------------------------ */

/* Wakes up to |count|, of which the last may become the owner. */
static void wake_locked(struct bucket *bucket, const struct futex_key *key, uint32_t count,
                        bool single_owner)
{
    struct list_node *at = &bucket->waiters; /* there is none of the key up to here */
    zx_koid_t woken_koid = 0;
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        struct waiter *waiter = waiter_after_locked(bucket, at, key);
        if (!waiter)
            break;
        at = waiter->node.prev;
        list_remove(&waiter->node);
        woken_koid = waiter->thread->koid;
        any = true;
        thread_unpark_hand_off(waiter->thread);
        atomic_store_release(&waiter->is_woken, true); /* it may be gone from here on */
    }
    if (any && !list_is_empty(&bucket->waiters))
        set_owner_locked(bucket, key, single_owner ? woken_koid : 0);
}

zx_status_t futex_wake(vaddr_t addr, uint32_t count, bool single_owner)
{
    struct futex_key key;
    zx_status_t status = key_get(addr, &key);
    if (status != ZX_OK)
        return status;
    struct bucket *bucket = bucket_of(&key);
    irq_state_t irq = bucket_lock(bucket);
    wake_locked(bucket, &key, count, single_owner);
    spin_unlock_irqrestore(&bucket->lock, irq);
    return ZX_OK;
}

/* ---- Requeue --------------------------------------------------------------------------------- */

static irq_state_t bucket_lock_two(struct bucket *a, struct bucket *b)
{
    struct bucket *first = a < b ? a : b;
    struct bucket *second = a < b ? b : a;
    irq_state_t irq = bucket_lock(first);
    if (second != first) {
        spin_lock(&second->lock);
        bucket_prepare_locked(second);
    }
    return irq;
}

static void bucket_unlock_two(struct bucket *a, struct bucket *b, irq_state_t irq)
{
    if (a != b)
        spin_unlock(a < b ? &b->lock : &a->lock);
    spin_unlock_irqrestore(a < b ? &a->lock : &b->lock, irq);
}

static void requeue_locked(struct bucket *from_bucket, const struct futex_key *from,
                           struct bucket *to_bucket, const struct futex_key *to, uint32_t count)
{
    struct list_node *at = &from_bucket->waiters; /* there is none of the key up to here */
    for (uint32_t moved = 0; moved < count; moved++) {
        struct waiter *waiter = waiter_after_locked(from_bucket, at, from);
        if (!waiter)
            break;
        at = waiter->node.prev;
        list_remove(&waiter->node);
        waiter->key = *to;
        waiter->owner_koid = 0;
        atomic_store(&waiter->bucket, to_bucket);
        list_push_back(&to_bucket->waiters, &waiter->node);
    }
}

static zx_status_t requeue_check_locked(const struct futex_requeue_args *args,
                                        struct bucket *from_bucket, const struct futex_key *from,
                                        struct bucket *to_bucket, const struct futex_key *to)
{
    zx_status_t status = word_check_locked(args->from, args->expected);
    if (status != ZX_OK)
        return status;
    if (args->new_owner.status != ZX_OK)
        return args->new_owner.status;
    if (koid_waits_locked(from_bucket, from, args->new_owner.koid) ||
        koid_waits_locked(to_bucket, to, args->new_owner.koid))
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

static zx_status_t requeue_between(const struct futex_requeue_args *args,
                                   const struct futex_key *from, const struct futex_key *to)
{
    struct bucket *from_bucket = bucket_of(from);
    struct bucket *to_bucket = bucket_of(to);
    zx_status_t status;
    do {
        irq_state_t irq = bucket_lock_two(from_bucket, to_bucket);
        status = requeue_check_locked(args, from_bucket, from, to_bucket, to);
        if (status == ZX_OK) {
            wake_locked(from_bucket, from, args->wake_count, args->single_owner);
            requeue_locked(from_bucket, from, to_bucket, to, args->requeue_count);
            set_owner_locked(to_bucket, to, owner_koid_locked(&args->new_owner));
        }
        bucket_unlock_two(from_bucket, to_bucket, irq);
    } while (status == ZX_ERR_SHOULD_WAIT && (status = word_make_present(args->from)) == ZX_OK);
    return status;
}

zx_status_t futex_requeue(const struct futex_requeue_args *args)
{
    struct futex_key from, to;
    zx_status_t status = key_get(args->from, &from);
    if (status != ZX_OK)
        return status;
    status = key_get(args->to, &to);
    if (status != ZX_OK)
        return status;
    return futex_key_equal(&from, &to) ? ZX_ERR_INVALID_ARGS : requeue_between(args, &from, &to);
}

void futex_forget_owner(zx_koid_t koid)
{
    for (struct bucket *bucket = buckets; bucket < buckets + BUCKET_COUNT; bucket++) {
        irq_state_t irq = bucket_lock(bucket);
        list_for_each (node, &bucket->waiters) {
            struct waiter *waiter = list_entry(node, struct waiter, node);
            if (waiter->owner_koid == koid)
                waiter->owner_koid = ZX_KOID_INVALID;
        }
        spin_unlock_irqrestore(&bucket->lock, irq);
    }
}

zx_status_t futex_get_owner(vaddr_t addr, zx_koid_t *out)
{
    struct futex_key key;
    zx_status_t status = key_get(addr, &key);
    if (status != ZX_OK)
        return status;
    struct bucket *bucket = bucket_of(&key);
    irq_state_t irq = bucket_lock(bucket);
    struct waiter *first = waiter_first_locked(bucket, &key);
    *out = first ? first->owner_koid : 0;
    spin_unlock_irqrestore(&bucket->lock, irq);
    return ZX_OK;
}
