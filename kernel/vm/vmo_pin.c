/* VMOs whose pages stay where they are, for parts of the kernel that work on them directly. */
#include "arch/mmu.h"
#include "kernel/lib/panic.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo_internal.h"

/* Pages that are looked up before others get a chance at the lock. */
#define PIN_BATCH_PAGES 512u

static void fill_batch(struct vmo *vmo, void **at, uint64_t first, uint64_t end)
{
    struct vmo_page_result result;

    vmo_lock(vmo);
    for (uint64_t i = first; i < end; i++) {
        bool is_present = vmo_peek_page_locked(vmo, i << PAGE_SHIFT, &result);
        ASSERT(is_present);
        at[i] = phys_to_virt(result.pa);
    }
    vmo_unlock(vmo);
}

zx_status_t vmo_pin(struct vmo *vmo, void **at, uint64_t count_pages)
{
    ASSERT(vmo->kind == VMO_PAGED && vmo_size_bytes(vmo) == count_pages << PAGE_SHIFT);
    /* Rather than take every last page from everybody before it turns out not to be enough. */
    if (count_pages > pmm_count_free() + vmo_count_committed(vmo, NULL))
        return ZX_ERR_NO_MEMORY;
    vmo_lock(vmo);
    vmo->count_pins++;
    vmo_unlock(vmo);
    zx_status_t status = vmo_commit(vmo, 0, count_pages << PAGE_SHIFT);
    if (status != ZX_OK) {
        vmo_unpin(vmo);
        return status;
    }
    for (uint64_t first = 0; first < count_pages; first += PIN_BATCH_PAGES)
        fill_batch(vmo, at, first, first + MIN(PIN_BATCH_PAGES, count_pages - first));
    return ZX_OK;
}

void vmo_unpin(struct vmo *vmo)
{
    vmo_lock(vmo);
    ASSERT(vmo->count_pins > 0);
    vmo->count_pins--;
    vmo_unlock(vmo);
}
