#include "userland/libzx/thread_keys.h"

#include <stdbool.h>

#include "userland/libzx/lock.h"
#include "userland/libzx/thread.h"

struct key {
    bool used;
    uint32_t generation; // values set under an older one do not count
    void (*destructor)(void *value);
};

struct value {
    void *pointer;
    uint32_t generation;
};

static struct lock keys_lock;
static struct key keys[THREAD_KEYS];
static _Thread_local struct value values[THREAD_KEYS];

zx_status_t thread_key_create(void (*destructor)(void *value), uint32_t *key)
{
    zx_status_t status = ZX_ERR_NO_RESOURCES;

    lock_acquire(&keys_lock);
    for (uint32_t i = 0; i < THREAD_KEYS; i++) {
        if (!keys[i].used) {
            keys[i] = (struct key){true, keys[i].generation + 1, destructor};
            *key = i;
            status = ZX_OK;
            break;
        }
    }
    lock_release(&keys_lock);
    return status;
}

void thread_key_delete(uint32_t key)
{
    if (key >= THREAD_KEYS) {
        return;
    }
    lock_acquire(&keys_lock);
    keys[key].used = false;
    keys[key].generation++;
    lock_release(&keys_lock);
}

void *thread_key_get(uint32_t key)
{
    if (key >= THREAD_KEYS || values[key].generation != keys[key].generation) {
        return NULL;
    }
    return values[key].pointer;
}

zx_status_t thread_key_set(uint32_t key, void *value)
{
    if (key >= THREAD_KEYS || !keys[key].used) {
        return ZX_ERR_INVALID_ARGS;
    }
    values[key] = (struct value){value, keys[key].generation};
    return ZX_OK;
}

// Takes the value of a key out and says what destroys it. NULL: nothing to do.
static void (*take_value(uint32_t key, void **value))(void *)
{
    void (*destructor)(void *) = NULL;

    lock_acquire(&keys_lock);
    if (keys[key].used && values[key].generation == keys[key].generation &&
        values[key].pointer != NULL) {
        destructor = keys[key].destructor;
        *value = values[key].pointer;
        values[key].pointer = NULL;
    }
    lock_release(&keys_lock);
    return destructor;
}

void thread_keys_destroy_values(void)
{
    bool any = true;

    for (unsigned round = 0; any && round < THREAD_KEY_ROUNDS_MAX; round++) {
        any = false;
        for (uint32_t key = 0; key < THREAD_KEYS; key++) {
            void *value;
            void (*destructor)(void *) = take_value(key, &value);

            if (destructor != NULL) {
                destructor(value);
                any = true;
            }
        }
    }
}
