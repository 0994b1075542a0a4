/* Discardable VMOs: contents that may be taken away while they are not locked.
 *
 * Those that are unlocked wait in one list, longest first. The list does not keep them: who takes
 * one from it gets a reference only if there is one left. Nothing is discarded while memory is
 * there: vmo_reclaim runs when an allocation has failed, after all VMO locks were given back. */
#include "kernel/lib/panic.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo_internal.h"

/* Pages to look for when an allocation fails. */
#define RECLAIM_PAGES 64u

static struct spinlock list_lock; /* innermost but for the pmm */
static struct list_node unlocked; /* struct vmo.discard_node, under list_lock */

void vmo_discard_init(void)
{
    spinlock_init(&list_lock, LOCK_RANK_KHEAP);
    list_init(&unlocked);
}

void vmo_discard_forget(struct vmo *vmo)
{
    irq_state_t irqs;

    if (!vmo_is_discardable(vmo))
        return;
    irqs = spin_lock_irqsave(&list_lock);
    list_remove(&vmo->discard_node);
    spin_unlock_irqrestore(&list_lock, irqs);
}

static void remember(struct vmo *vmo)
{
    irq_state_t irqs = spin_lock_irqsave(&list_lock);
    list_push_back(&unlocked, &vmo->discard_node);
    spin_unlock_irqrestore(&list_lock, irqs);
}

/* ---- Locking -------------------------------------------------------------------------------- */

static zx_status_t check_whole_locked(const struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    if (!vmo_is_discardable(vmo))
        return ZX_ERR_NOT_SUPPORTED;
    return offset == 0 && len_bytes == vmo->size_bytes ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
}

static zx_status_t lock_contents(struct vmo *vmo, uint64_t offset, uint64_t len_bytes, bool try,
                                 zx_vmo_lock_state_t *out)
{
    zx_status_t status;

    vmo_lock(vmo);
    status = check_whole_locked(vmo, offset, len_bytes);
    if (status == ZX_OK && try && vmo->is_discarded)
        status = ZX_ERR_UNAVAILABLE;
    if (status == ZX_OK) {
        if (out != NULL)
            *out = (zx_vmo_lock_state_t){.size = len_bytes,
                                         .discarded_size = vmo->is_discarded ? len_bytes : 0};
        vmo->is_discarded = false;
        vmo->count_locks++;
        vmo_discard_forget(vmo);
    }
    vmo_unlock(vmo);
    return status;
}

zx_status_t vmo_lock_contents(struct vmo *vmo, uint64_t offset, uint64_t len_bytes,
                              zx_vmo_lock_state_t *out)
{
    return lock_contents(vmo, offset, len_bytes, false, out);
}

zx_status_t vmo_check_lockable(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    zx_status_t status;

    vmo_lock(vmo);
    status = check_whole_locked(vmo, offset, len_bytes);
    vmo_unlock(vmo);
    return status;
}

void vmo_undo_lock(struct vmo *vmo, const zx_vmo_lock_state_t *state)
{
    vmo_lock(vmo);
    if (vmo->count_locks > 0 && --vmo->count_locks == 0) {
        vmo->is_discarded = state->discarded_size > 0;
        remember(vmo);
    }
    vmo_unlock(vmo);
}

zx_status_t vmo_try_lock_contents(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    return lock_contents(vmo, offset, len_bytes, true, NULL);
}

zx_status_t vmo_unlock_contents(struct vmo *vmo, uint64_t offset, uint64_t len_bytes)
{
    zx_status_t status;

    vmo_lock(vmo);
    status = check_whole_locked(vmo, offset, len_bytes);
    if (status == ZX_OK && vmo->count_locks == 0)
        status = ZX_ERR_BAD_STATE;
    if (status == ZX_OK && --vmo->count_locks == 0)
        remember(vmo);
    vmo_unlock(vmo);
    return status;
}

/* ---- Discarding ----------------------------------------------------------------------------- */

/* The one that was unlocked first, out of the list, with a reference; NULL: none. */
static struct vmo *take_candidate(void)
{
    struct vmo *vmo = NULL;
    irq_state_t irqs = spin_lock_irqsave(&list_lock);

    while (vmo == NULL && !list_is_empty(&unlocked)) {
        vmo = list_entry(list_pop_front(&unlocked), struct vmo, discard_node);
        if (!refcount_get_unless_zero(&vmo->refs))
            vmo = NULL;
    }
    spin_unlock_irqrestore(&list_lock, irqs);
    return vmo;
}

static uint64_t discard(struct vmo *vmo)
{
    struct list_node freed = LIST_INIT(freed);
    uint64_t count = 0;

    vmo_lock(vmo);
    /* It may have been locked since it was taken from the list. */
    if (vmo->count_locks == 0 && !vmo->is_discarded) {
        count = vmo->pages.count_pages;
        vmo_unmap_range_locked(vmo, 0, vmo->size_bytes, NULL);
        page_tree_clear(&vmo->pages, &freed);
        vmo->is_discarded = true;
    }
    vmo_unlock(vmo);
    pmm_put_list(&freed);
    return count;
}

uint64_t vmo_reclaim(uint64_t count_pages)
{
    uint64_t done = 0;
    struct vmo *vmo;

    while (done < count_pages && (vmo = take_candidate()) != NULL) {
        done += discard(vmo);
        vmo_put(vmo);
    }
    return done;
}

bool vmo_reclaim_for_retry(zx_status_t status)
{
    return status == ZX_ERR_NO_MEMORY && vmo_reclaim(RECLAIM_PAGES) > 0;
}
