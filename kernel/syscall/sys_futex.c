/* Futexes. */
#include "kernel/object/futex.h"
#include "kernel/syscall/lookup.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

/* Looks the new owner up now; the futex code reports a bad handle only once the word has the
 * expected value, since a thread that lost a race may name an owner that is gone. owner_put gives
 * the reference back. */
static struct futex_owner owner_get(zx_handle_t handle)
{
    struct futex_owner owner = {.thread = NULL, .koid = 0, .status = ZX_OK};
    struct user_thread *thread;
    if (handle == ZX_HANDLE_INVALID)
        return owner;
    owner.status = lookup_thread(handle, 0, &thread, NULL);
    if (owner.status == ZX_OK) {
        owner.thread = thread;
        owner.status = user_thread_become_futex_owner(thread, &owner.koid);
    }
    return owner;
}

static void owner_put(const struct futex_owner *owner)
{
    if (owner->thread)
        object_put(&owner->thread->object);
}

zx_status_t sys_futex_wait(const zx_futex_t __user *value_ptr, zx_futex_storage_t current_value,
                           zx_handle_t new_futex_owner, zx_time_t deadline)
{
    static const struct futex_owner nobody = {.thread = NULL, .koid = 0, .status = ZX_OK};
    if (LIKELY(new_futex_owner == ZX_HANDLE_INVALID))
        return futex_wait((uintptr_t)value_ptr, (uint32_t)current_value, &nobody, deadline);
    struct futex_owner owner = owner_get(new_futex_owner);
    zx_status_t status =
        futex_wait((uintptr_t)value_ptr, (uint32_t)current_value, &owner, deadline);
    owner_put(&owner);
    return status;
}

zx_status_t sys_futex_wake(const zx_futex_t __user *value_ptr, uint32_t wake_count)
{
    return futex_wake((uintptr_t)value_ptr, wake_count, false);
}

zx_status_t sys_futex_wake_single_owner(const zx_futex_t __user *value_ptr)
{
    return futex_wake((uintptr_t)value_ptr, 1, true);
}

zx_status_t sys_futex_requeue(const zx_futex_t __user *value_ptr, uint32_t wake_count,
                              zx_futex_storage_t current_value,
                              const zx_futex_t __user *requeue_ptr, uint32_t requeue_count,
                              zx_handle_t new_requeue_owner)
{
    struct futex_requeue_args args = {
        .from = (uintptr_t)value_ptr,
        .wake_count = wake_count,
        .expected = (uint32_t)current_value,
        .to = (uintptr_t)requeue_ptr,
        .requeue_count = requeue_count,
        .new_owner = owner_get(new_requeue_owner),
    };
    zx_status_t status = futex_requeue(&args);
    owner_put(&args.new_owner);
    return status;
}

zx_status_t sys_futex_requeue_single_owner(const zx_futex_t __user *value_ptr,
                                           zx_futex_storage_t current_value,
                                           const zx_futex_t __user *requeue_ptr,
                                           uint32_t requeue_count, zx_handle_t new_requeue_owner)
{
    struct futex_requeue_args args = {
        .from = (uintptr_t)value_ptr,
        .wake_count = 1,
        .single_owner = true,
        .expected = (uint32_t)current_value,
        .to = (uintptr_t)requeue_ptr,
        .requeue_count = requeue_count,
        .new_owner = owner_get(new_requeue_owner),
    };
    zx_status_t status = futex_requeue(&args);
    owner_put(&args.new_owner);
    return status;
}

zx_status_t sys_futex_get_owner(const zx_futex_t __user *value_ptr, zx_koid_t __user *koid_user)
{
    zx_koid_t koid;
    zx_status_t status = futex_get_owner((uintptr_t)value_ptr, &koid);
    if (status != ZX_OK)
        return status;
    return user_put_u64(koid_user, koid);
}
