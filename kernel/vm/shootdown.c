/* Taking translations away, so that no hart uses them any more. See vmar_internal.h. */
#include "kernel/lib/panic.h"
#include "kernel/vm/vmar_internal.h"

/* The largest leaf that mappings make; a range whose edges are multiples of it splits none. */
#define LARGE_PAGE_BYTES (1ul << 21)

_Static_assert(USER_BASE % LARGE_PAGE_BYTES == 0 && USER_TOP % LARGE_PAGE_BYTES == 0,
               "a widened range stays in the user half");

void shootdown_begin_locked(struct shootdown *shootdown, struct aspace *aspace)
{
    shootdown->aspace = aspace;
    tlb_batch_init(&shootdown->batch, &aspace->arch);
    atomic_fetch_add(&aspace->count_shootdowns, 1);
}

void shootdown_drop(struct shootdown *shootdown, vaddr_t va, uint64_t len_bytes)
{
    struct arch_aspace *arch = &shootdown->aspace->arch;
    zx_status_t status = mmu_unmap(arch, va, len_bytes, &shootdown->batch);
    if (status != ZX_OK) {
        vaddr_t first = round_down(va, LARGE_PAGE_BYTES);
        vaddr_t end = round_up(va + len_bytes, LARGE_PAGE_BYTES);
        status = mmu_unmap(arch, first, end - first, &shootdown->batch);
    }
    ASSERT(status == ZX_OK);
}

void shootdown_narrow(struct shootdown *shootdown, vaddr_t va, uint64_t len_bytes, uint32_t flags)
{
    struct arch_aspace *arch = &shootdown->aspace->arch;
    /* An entry may have had less than its mapping allows, execute permission too. */
    if ((flags & MMU_PERM_EXEC) != 0)
        mmu_sync_icache(arch);
    if ((flags & MMU_PERM_MASK) == 0 ||
        mmu_protect(arch, va, len_bytes, flags, &shootdown->batch) != ZX_OK)
        shootdown_drop(shootdown, va, len_bytes);
}

void shootdown_finish_locked(struct shootdown *shootdown)
{
    tlb_batch_finish(&shootdown->batch);
    atomic_fetch_sub(&shootdown->aspace->count_shootdowns, 1);
}
