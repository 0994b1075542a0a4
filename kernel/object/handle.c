#include "kernel/object/handle.h"

#include "kernel/lib/string.h"
#include "kernel/object/object_internal.h"
#include "kernel/vm/kheap.h"

/* A value is a slot's tag, generation << 18 | index << 2, xor the table's key, whose bits 0 and 1
 * are set. Slots live in chunks of one page that are added as needed and stay. Those that were
 * never used are behind |count_used|. Free ones form a queue, so that a slot rests as long as
 * possible before it is used again; its generation moves on each time. */
#define CHUNK_SHIFT    8
#define CHUNK_SLOTS    (1u << CHUNK_SHIFT)
#define CHUNK_LIMIT    (HANDLE_TABLE_MAX / CHUNK_SLOTS)
#define TAG_INDEX      2
#define TAG_GENERATION 18
#define TAG_FREE       1u /* no handle's value has this bit in its tag, but what users make up may */
#define NO_SLOT        UINT32_MAX

struct slot {
    struct handle *handle; /* valid unless the slot is free */
    uint32_t tag;          /* what a value means this slot by; with TAG_FREE: the next one's */
    uint32_t next_free;    /* index, or NO_SLOT */
};

struct handle_table {
    struct spinlock lock;    /* everything below; nothing is taken inside it */
    uint32_t key;            /* bits 0 and 1 are those that all values have */
    uint32_t count_used;     /* slots that have a tag: those before this index */
    uint32_t count_removals; /* read without the lock */
    uint32_t count;
    uint32_t count_slots;
    uint32_t first_free, last_free; /* indexes, or NO_SLOT */
    bool is_cleared;
    struct slot *chunks[CHUNK_LIMIT];
};

static inline struct slot *slot_at(struct handle_table *table, uint32_t index)
{
    return &table->chunks[index >> CHUNK_SHIFT][index & (CHUNK_SLOTS - 1)];
}

static inline uint32_t tag_index(uint32_t tag)
{
    return tag >> TAG_INDEX & (HANDLE_TABLE_MAX - 1);
}

/* The slot that |value| means, in use; NULL: bad value. */
static inline struct slot *slot_find_locked(struct handle_table *table, zx_handle_t value)
{
    uint32_t tag = value ^ table->key;
    uint32_t index = tag_index(tag);
    if (UNLIKELY(index >= table->count_used || (tag & TAG_FREE) != 0))
        return NULL;
    struct slot *slot = slot_at(table, index);
    return LIKELY(slot->tag == tag) ? slot : NULL;
}

/* A slot for a handle, or NULL: there is none in the chunks that are there. */
static struct slot *slot_take_locked(struct handle_table *table)
{
    struct slot *slot;
    if (table->count_used < table->count_slots) {
        slot = slot_at(table, table->count_used);
        slot->tag = table->count_used << TAG_INDEX;
        table->count_used++;
        return slot;
    }
    if (table->first_free == NO_SLOT)
        return NULL;
    slot = slot_at(table, table->first_free);
    slot->tag &= ~TAG_FREE;
    table->first_free = slot->next_free;
    if (table->first_free == NO_SLOT)
        table->last_free = NO_SLOT;
    return slot;
}

static struct handle *slot_vacate_locked(struct handle_table *table, struct slot *slot)
{
    uint32_t index = tag_index(slot->tag);
    slot->tag = (slot->tag + (1u << TAG_GENERATION)) | TAG_FREE;
    slot->next_free = NO_SLOT;
    if (table->last_free == NO_SLOT)
        table->first_free = index;
    else
        slot_at(table, table->last_free)->next_free = index;
    table->last_free = index;
    table->count--;
    atomic_store_relaxed(&table->count_removals, table->count_removals + 1);
    return slot->handle;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

struct handle_table *handle_table_create(uint32_t random)
{
    struct handle_table *table = kzalloc(sizeof(*table));
    if (!table)
        return NULL;
    spinlock_init(&table->lock, LOCK_RANK_HANDLE);
    table->key = random | ZX_HANDLE_FIXED_BITS_MASK;
    table->first_free = NO_SLOT;
    table->last_free = NO_SLOT;
    return table;
}

void handle_table_clear(struct handle_table *table)
{
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    table->is_cleared = true;
    for (uint32_t index = 0; table->count != 0; index++) {
        struct slot *slot = slot_at(table, index);
        if ((slot->tag & TAG_FREE) != 0)
            continue;
        struct handle *handle = slot_vacate_locked(table, slot);
        spin_unlock_irqrestore(&table->lock, irq);
        object_cancel_observers(handle->object, handle);
        handle_close(handle);
        irq = spin_lock_irqsave(&table->lock);
    }
    spin_unlock_irqrestore(&table->lock, irq);
}

void handle_table_destroy(struct handle_table *table)
{
    handle_table_clear(table);
    for (uint32_t i = 0; i < table->count_slots / CHUNK_SLOTS; i++)
        kfree(table->chunks[i]);
    kfree(table);
}

uint32_t handle_table_count(struct handle_table *table)
{
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    uint32_t count = table->count;
    spin_unlock_irqrestore(&table->lock, irq);
    return count;
}

/* Adds a chunk unless somebody else made room meanwhile. ZX_ERR_NO_MEMORY, ZX_ERR_NO_RESOURCES. */
static zx_status_t handle_table_grow(struct handle_table *table)
{
    struct slot *chunk = kmalloc(CHUNK_SLOTS * sizeof(*chunk));
    if (!chunk)
        return ZX_ERR_NO_MEMORY;
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    if (table->is_cleared) {
        status = ZX_ERR_NO_RESOURCES;
    } else if (table->first_free == NO_SLOT && table->count_used == table->count_slots) {
        if (table->count_slots == HANDLE_TABLE_MAX) {
            status = ZX_ERR_NO_RESOURCES;
        } else {
            table->chunks[table->count_slots >> CHUNK_SHIFT] = chunk;
            table->count_slots += CHUNK_SLOTS;
            chunk = NULL;
        }
    }
    spin_unlock_irqrestore(&table->lock, irq);
    kfree(chunk);
    return status;
}

zx_status_t handle_table_add(struct handle_table *table, struct handle *handle,
                             zx_handle_t *out_value)
{
    for (;;) {
        irq_state_t irq = spin_lock_irqsave(&table->lock);
        bool is_cleared = table->is_cleared;
        struct slot *slot = is_cleared ? NULL : slot_take_locked(table);
        if (slot) {
            slot->handle = handle;
            table->count++;
            *out_value = slot->tag ^ table->key;
        }
        spin_unlock_irqrestore(&table->lock, irq);
        if (slot)
            return ZX_OK;
        if (is_cleared)
            return ZX_ERR_NO_RESOURCES;
        zx_status_t status = handle_table_grow(table);
        if (status != ZX_OK)
            return status;
    }
}

static handle_failure_fn failure_hook;

void handle_set_failure_hook(handle_failure_fn fn)
{
    failure_hook = fn;
}

static void note_failure(const struct handle_table *table, zx_handle_t value, zx_status_t status)
{
    if (failure_hook && table == handle_table_current())
        failure_hook(value, status);
}

struct handle *handle_table_remove(struct handle_table *table, zx_handle_t value)
{
    struct handle *handle = NULL;
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    struct slot *slot = slot_find_locked(table, value);
    if (slot)
        handle = slot_vacate_locked(table, slot);
    spin_unlock_irqrestore(&table->lock, irq);
    if (handle)
        object_cancel_observers(handle->object, handle);
    else
        note_failure(table, value, ZX_ERR_BAD_HANDLE);
    return handle;
}

static inline zx_status_t handle_check(const struct handle *handle, zx_obj_type_t type,
                                       zx_rights_t needed)
{
    if (UNLIKELY(type != ZX_OBJ_TYPE_NONE && handle->type != type))
        return ZX_ERR_WRONG_TYPE;
    if (UNLIKELY((handle->rights & needed) != needed))
        return ZX_ERR_ACCESS_DENIED;
    return ZX_OK;
}

zx_status_t handle_table_take(struct handle_table *table, zx_handle_t value, zx_obj_type_t type,
                              zx_rights_t needed, const struct object *not_object,
                              struct handle **out)
{
    zx_status_t status = ZX_ERR_BAD_HANDLE;
    struct handle *handle = NULL;
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    struct slot *slot = slot_find_locked(table, value);
    if (slot) {
        status = handle_check(slot->handle, type, needed);
        if (status == ZX_OK && slot->handle->object == not_object)
            status = ZX_ERR_NOT_SUPPORTED;
        if (status == ZX_OK)
            handle = slot_vacate_locked(table, slot);
    }
    spin_unlock_irqrestore(&table->lock, irq);
    if (!handle) {
        note_failure(table, value, status);
        return status;
    }
    object_cancel_observers(handle->object, handle);
    *out = handle;
    return ZX_OK;
}

/* Takes a reference of its own on |object|. */
static void handle_init(struct handle *handle, struct object *object, zx_rights_t rights)
{
    object_get(object);
    atomic_fetch_add(&object->count_handles, 1);
    handle->object = object;
    handle->rights = rights;
    handle->type = object->ops->type;
    handle->next_closing = NULL;
}

/* ---- Lookup ---------------------------------------------------------------------------------- */

/* The way that all lookups can go; handle_get has a shorter one for most. */
zx_status_t handle_table_get(struct handle_table *table, zx_handle_t value, zx_obj_type_t type,
                             zx_rights_t needed, struct object **out, zx_rights_t *out_rights,
                             const void **out_identity)
{
    zx_status_t status = ZX_ERR_BAD_HANDLE;
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    struct slot *slot = slot_find_locked(table, value);
    if (slot) {
        struct handle *handle = slot->handle;
        status = handle_check(handle, type, needed);
        if (status == ZX_OK) {
            object_get(handle->object);
            *out = handle->object;
            if (out_rights)
                *out_rights = handle->rights;
            if (out_identity)
                *out_identity = handle;
        }
    }
    spin_unlock_irqrestore(&table->lock, irq);
    if (status != ZX_OK)
        note_failure(table, value, status);
    return status;
}

/* Not inlined: the caller is to get by without a stack frame. */
NOINLINE static zx_status_t get_otherwise(zx_handle_t value, zx_obj_type_t type, zx_rights_t needed,
                                          struct object **out, zx_rights_t *out_rights)
{
    return handle_table_get(handle_table_current(), value, type, needed, out, out_rights, NULL);
}

NOINLINE static zx_status_t get_identity_otherwise(zx_handle_t value, zx_rights_t needed,
                                                   struct object **out, const void **out_identity)
{
    return handle_table_get(handle_table_current(), value, ZX_OBJ_TYPE_NONE, needed, out, NULL,
                            out_identity);
}

/* A handle that passes all checks, with a reference to its object, under the table's lock for an
 * instant. NULL: the lock was not free or something is wrong. Calls nothing. */
static inline struct handle *handle_get_fast(zx_handle_t value, zx_obj_type_t type,
                                             zx_rights_t needed, struct object **out,
                                             zx_rights_t *out_rights)
{
    struct handle_table *table = handle_table_current();
    struct handle *found = NULL;
    irq_state_t irq = arch_irq_save();
    if (LIKELY(spin_trylock(&table->lock))) {
        struct slot *slot = slot_find_locked(table, value);
        if (LIKELY(slot != NULL)) {
            struct handle *handle = slot->handle;
            struct object *object = handle->object;
            if (LIKELY((type == ZX_OBJ_TYPE_NONE || handle->type == type) &&
                       (needed & ~handle->rights) == 0 && object_try_get(object))) {
                *out = object;
                if (out_rights)
                    *out_rights = handle->rights;
                found = handle;
            }
        }
        spin_unlock(&table->lock);
    }
    arch_irq_restore(irq);
    return found;
}

zx_status_t handle_get(zx_handle_t value, zx_obj_type_t type, zx_rights_t needed,
                       struct object **out, zx_rights_t *out_rights)
{
    if (UNLIKELY(!handle_get_fast(value, type, needed, out, out_rights)))
        return get_otherwise(value, type, needed, out, out_rights);
    return ZX_OK;
}

zx_status_t handle_get_identity(zx_handle_t value, zx_rights_t needed, struct object **out,
                                const void **out_identity)
{
    const struct handle *handle = handle_get_fast(value, ZX_OBJ_TYPE_NONE, needed, out, NULL);
    if (UNLIKELY(!handle))
        return get_identity_otherwise(value, needed, out, out_identity);
    *out_identity = handle;
    return ZX_OK;
}

zx_status_t handle_table_duplicate(struct handle_table *table, zx_handle_t value,
                                   struct handle **out)
{
    zx_status_t status = ZX_ERR_BAD_HANDLE;
    struct handle *copy = kmalloc(sizeof(*copy));
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    struct slot *slot = slot_find_locked(table, value);
    if (slot) {
        status = handle_check(slot->handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_DUPLICATE);
        if (status == ZX_OK && !copy)
            status = ZX_ERR_NO_MEMORY;
        if (status == ZX_OK)
            handle_init(copy, slot->handle->object, slot->handle->rights);
    }
    spin_unlock_irqrestore(&table->lock, irq);
    if (status != ZX_OK) {
        kfree(copy);
        note_failure(table, value, status);
        return status;
    }
    *out = copy;
    return ZX_OK;
}

uint32_t handle_table_count_removals(const struct handle_table *table)
{
    return atomic_load_relaxed(&table->count_removals);
}

bool handle_table_has(struct handle_table *table, zx_handle_t value, const void *identity)
{
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    struct slot *slot = slot_find_locked(table, value);
    bool has = slot && slot->handle == identity;
    spin_unlock_irqrestore(&table->lock, irq);
    return has;
}

bool handle_table_has_value(struct handle_table *table, zx_handle_t value)
{
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    bool has = slot_find_locked(table, value) != NULL;
    spin_unlock_irqrestore(&table->lock, irq);
    return has;
}

void handle_table_for_each(struct handle_table *table,
                           void (*fn)(void *ctx, zx_handle_t value, const struct handle *handle),
                           void *ctx)
{
    bool is_end = false;
    for (uint32_t index = 0; !is_end;) {
        irq_state_t irq = spin_lock_irqsave(&table->lock);
        uint32_t end = MIN(index + CHUNK_SLOTS, table->count_used);
        for (; index < end; index++) {
            struct slot *slot = slot_at(table, index);
            if ((slot->tag & TAG_FREE) == 0)
                fn(ctx, slot->tag ^ table->key, slot->handle);
        }
        is_end = index == table->count_used;
        spin_unlock_irqrestore(&table->lock, irq);
    }
}

/* ---- Handles in flight ----------------------------------------------------------------------- */

struct handle *handle_create(struct object *object, zx_rights_t rights)
{
    struct handle *handle = kmalloc(sizeof(*handle));
    if (handle)
        handle_init(handle, object, rights);
    return handle;
}

void handle_close_now(struct handle *handle)
{
    struct object *object = handle->object;
    kfree(handle);
    if (atomic_fetch_sub(&object->count_handles, 1) == 1 && object->ops->on_zero_handles)
        object->ops->on_zero_handles(object);
    object_put(object);
}

void handle_close(struct handle *handle)
{
    if (handle)
        object_release(NULL, handle);
}
