/* Futexes: threads that wait for a word of user memory. A futex is the place in the VMO behind the
 * address (futex_key.h), so processes that share memory share its futexes.
 *
 * Addresses are those of the current process. All functions may sleep; no lock held. Every one
 * gives ZX_ERR_INVALID_ARGS for an address that is misaligned, not mapped or (where the word is
 * read) not readable. An owner is only noted, for zx_futex_get_owner. */
#pragma once

#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/lib/compiler.h"

struct user_thread;

/* Who shall be noted as the owner of a futex. |status| is what the lookup of its handle gave: it is
 * only an error if the word has the expected value. */
struct futex_owner {
    struct user_thread *thread; /* the caller's reference, or NULL */
    zx_koid_t koid;             /* the thread's; 0 without one or if it has ended */
    zx_status_t status;
};

/* Sleeps if the word is |expected|, until woken or |deadline_ns|. ZX_ERR_BAD_STATE: it is not.
 * ZX_ERR_INVALID_ARGS: the new owner is this thread or one that waits for the futex.
 * ZX_ERR_TIMED_OUT, ZX_ERR_INTERNAL_INTR_*. */
MUST_USE zx_status_t futex_wait(vaddr_t addr, uint32_t expected, const struct futex_owner *owner,
                                zx_time_t deadline_ns);

/* Wakes up to |count| threads, the longest waiting first. |single_owner|: exactly one, which
 * becomes the owner if others still wait; otherwise there is no owner afterwards. */
MUST_USE zx_status_t futex_wake(vaddr_t addr, uint32_t count, bool single_owner);

struct futex_requeue_args {
    vaddr_t from;
    uint32_t wake_count;
    bool single_owner; /* as futex_wake */
    uint32_t expected; /* what the word at |from| must be; else ZX_ERR_BAD_STATE */
    vaddr_t to;
    uint32_t requeue_count;
    struct futex_owner new_owner; /* of |to|; must not wait on either: ZX_ERR_INVALID_ARGS */
};
/* Wakes some and makes others wait for another futex. ZX_ERR_INVALID_ARGS: |from| and |to| are the
 * same. */
MUST_USE zx_status_t futex_requeue(const struct futex_requeue_args *args);

/* No futex is owned by the thread with this koid, which user_thread_is_over. */
void futex_forget_owner(zx_koid_t koid);

/* The owner's koid, or 0. */
MUST_USE zx_status_t futex_get_owner(vaddr_t addr, zx_koid_t *out);
