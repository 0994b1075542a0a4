#include "kernel/object/handle.h"

#include "kernel/lib/string.h"
#include "kernel/object/object_internal.h"
#include "kernel/vm/kheap.h"

/* A value is ((generation << 16 | index) ^ random) << 2 | 3. Slots live in chunks of one page that
 * are added as needed and stay. Free slots form a queue, so that a slot rests as long as possible
 * before it is used again; its generation moves on each time. */
#define CHUNK_SHIFT     8
#define CHUNK_SLOTS     (1u << CHUNK_SHIFT)
#define CHUNK_LIMIT     (HANDLE_TABLE_MAX / CHUNK_SLOTS)
#define INDEX_BITS      16
#define GENERATION_MASK 0x3fffu
#define RANDOM_MASK     0x3fffffffu
#define NO_SLOT         UINT32_MAX

struct slot {
    struct handle *handle; /* NULL: free */
    uint32_t generation;   /* what a value must say to mean this slot */
    uint32_t next_free;    /* index, or NO_SLOT */
};

struct handle_table {
    struct spinlock lock; /* everything below; nothing is taken inside it */
    uint32_t random;
    uint32_t count;
    uint32_t count_slots;
    uint32_t first_free, last_free; /* indexes, or NO_SLOT */
    bool is_cleared;
    struct slot *chunks[CHUNK_LIMIT];
};

static struct slot *slot_at(struct handle_table *table, uint32_t index)
{
    return &table->chunks[index >> CHUNK_SHIFT][index & (CHUNK_SLOTS - 1)];
}

static zx_handle_t slot_value(const struct handle_table *table, const struct slot *slot,
                              uint32_t index)
{
    uint32_t raw = slot->generation << INDEX_BITS | index;
    return (raw ^ table->random) << 2 | ZX_HANDLE_FIXED_BITS_MASK;
}

/* The slot that |value| means, in use; NULL: bad value. */
static inline struct slot *slot_find_locked(struct handle_table *table, zx_handle_t value)
{
    uint32_t raw = (value >> 2) ^ table->random;
    uint32_t index = raw & (HANDLE_TABLE_MAX - 1);
    if (UNLIKELY((value & ZX_HANDLE_FIXED_BITS_MASK) != ZX_HANDLE_FIXED_BITS_MASK ||
                 index >= table->count_slots))
        return NULL;
    struct slot *slot = slot_at(table, index);
    if (UNLIKELY(slot->generation != raw >> INDEX_BITS || !slot->handle))
        return NULL;
    return slot;
}

static void slot_push_free_locked(struct handle_table *table, struct slot *slot, uint32_t index)
{
    slot->next_free = NO_SLOT;
    if (table->last_free == NO_SLOT)
        table->first_free = index;
    else
        slot_at(table, table->last_free)->next_free = index;
    table->last_free = index;
}

static struct handle *slot_vacate_locked(struct handle_table *table, struct slot *slot,
                                         uint32_t index)
{
    struct handle *handle = slot->handle;
    slot->handle = NULL;
    slot->generation = (slot->generation + 1) & GENERATION_MASK;
    slot_push_free_locked(table, slot, index);
    table->count--;
    return handle;
}

static uint32_t value_index(const struct handle_table *table, zx_handle_t value)
{
    return ((value >> 2) ^ table->random) & (HANDLE_TABLE_MAX - 1);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

struct handle_table *handle_table_create(uint32_t random)
{
    struct handle_table *table = kzalloc(sizeof(*table));
    if (!table)
        return NULL;
    spinlock_init(&table->lock, LOCK_RANK_HANDLE);
    table->random = random & RANDOM_MASK;
    table->first_free = NO_SLOT;
    table->last_free = NO_SLOT;
    return table;
}

void handle_table_clear(struct handle_table *table)
{
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    table->is_cleared = true;
    uint32_t count_slots = table->count_slots;
    spin_unlock_irqrestore(&table->lock, irq);

    for (uint32_t index = 0; index < count_slots; index++) {
        irq = spin_lock_irqsave(&table->lock);
        struct slot *slot = slot_at(table, index);
        struct handle *handle = slot->handle ? slot_vacate_locked(table, slot, index) : NULL;
        spin_unlock_irqrestore(&table->lock, irq);
        if (handle) {
            object_cancel_observers(handle->object, handle);
            handle_close(handle);
        }
    }
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
    struct slot *chunk = kzalloc(CHUNK_SLOTS * sizeof(*chunk));
    if (!chunk)
        return ZX_ERR_NO_MEMORY;
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    if (table->is_cleared) {
        status = ZX_ERR_NO_RESOURCES;
    } else if (table->first_free == NO_SLOT) {
        if (table->count_slots == HANDLE_TABLE_MAX) {
            status = ZX_ERR_NO_RESOURCES;
        } else {
            uint32_t first = table->count_slots;
            table->chunks[first >> CHUNK_SHIFT] = chunk;
            table->count_slots += CHUNK_SLOTS;
            for (uint32_t i = 0; i < CHUNK_SLOTS; i++)
                slot_push_free_locked(table, &chunk[i], first + i);
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
        uint32_t index = table->first_free;
        bool is_cleared = table->is_cleared;
        bool has_room = index != NO_SLOT && !is_cleared;
        if (has_room) {
            struct slot *slot = slot_at(table, index);
            table->first_free = slot->next_free;
            if (table->first_free == NO_SLOT)
                table->last_free = NO_SLOT;
            slot->handle = handle;
            table->count++;
            *out_value = slot_value(table, slot, index);
        }
        spin_unlock_irqrestore(&table->lock, irq);
        if (has_room)
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
        handle = slot_vacate_locked(table, slot, value_index(table, value));
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
    if (UNLIKELY(type != ZX_OBJ_TYPE_NONE && handle->object->ops->type != type))
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
            handle = slot_vacate_locked(table, slot, value_index(table, value));
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
    handle->next_closing = NULL;
}

/* ---- Lookup ---------------------------------------------------------------------------------- */

zx_status_t handle_table_get(struct handle_table *table, zx_handle_t value, zx_obj_type_t type,
                             zx_rights_t needed, struct object **out, zx_rights_t *out_rights,
                             const void **out_identity)
{
    zx_status_t status = ZX_ERR_BAD_HANDLE;
    irq_state_t irq = spin_lock_irqsave(&table->lock);
    struct slot *slot = slot_find_locked(table, value);
    if (LIKELY(slot)) {
        struct handle *handle = slot->handle;
        status = handle_check(handle, type, needed);
        if (LIKELY(status == ZX_OK)) {
            object_get(handle->object);
            *out = handle->object;
            if (out_rights)
                *out_rights = handle->rights;
            if (out_identity)
                *out_identity = handle;
        }
    }
    spin_unlock_irqrestore(&table->lock, irq);
    if (UNLIKELY(status != ZX_OK))
        note_failure(table, value, status);
    return status;
}

zx_status_t handle_get(zx_handle_t value, zx_obj_type_t type, zx_rights_t needed,
                       struct object **out, zx_rights_t *out_rights)
{
    return handle_table_get(handle_table_current(), value, type, needed, out, out_rights, NULL);
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
    for (uint32_t first = 0; !is_end; first += CHUNK_SLOTS) {
        irq_state_t irq = spin_lock_irqsave(&table->lock);
        is_end = first == table->count_slots;
        for (uint32_t index = first; !is_end && index < first + CHUNK_SLOTS; index++) {
            struct slot *slot = slot_at(table, index);
            if (slot->handle)
                fn(ctx, slot_value(table, slot, index), slot->handle);
        }
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
