/* Taking translations away, so that no hart uses them any more. See vmar_internal.h. */
#include "kernel/lib/panic.h"
#include "kernel/vm/vmar_internal.h"

_Static_assert(USER_BASE % LARGE_PAGE_BYTES == 0 && USER_TOP % LARGE_PAGE_BYTES == 0,
               "a widened range stays in the user half");

/* From here on whoever takes pages away fences everything. */
static void count_it(struct shootdown *shootdown)
{
    if (!shootdown->is_counted)
        atomic_fetch_add(&shootdown->aspace->count_shootdowns, 1);
    shootdown->is_counted = true;
}

void shootdown_begin_locked(struct shootdown *shootdown, struct aspace *aspace)
{
    shootdown->aspace = aspace;
    shootdown->is_counted = false;
    shootdown->keep_tables = false;
    tlb_batch_init(&shootdown->batch, &aspace->arch);
    count_it(shootdown);
}

void shootdown_begin_vmo_locked(struct shootdown *shootdown, struct aspace *aspace)
{
    shootdown->aspace = aspace;
    shootdown->is_counted = false;
    shootdown->keep_tables = true;
    tlb_batch_init(&shootdown->batch, &aspace->arch);
}

void shootdown_drop(struct shootdown *shootdown, vaddr_t va, uint64_t len_bytes)
{
    struct arch_aspace *arch = &shootdown->aspace->arch;
    bool keep_tables = shootdown->keep_tables;
    zx_status_t status = mmu_unmap(arch, va, len_bytes, keep_tables, &shootdown->batch);
    if (status != ZX_OK) {
        /* A range whose edges are multiples of the largest leaf splits none. */
        vaddr_t first = round_down(va, LARGE_PAGE_BYTES);
        vaddr_t end = round_up(va + len_bytes, LARGE_PAGE_BYTES);
        /* This may remove what other VMOs show, whose locks nobody has here. */
        count_it(shootdown);
        status = mmu_unmap(arch, first, end - first, keep_tables, &shootdown->batch);
    }
    ASSERT(status == ZX_OK);
}

void shootdown_narrow(struct shootdown *shootdown, vaddr_t va, uint64_t len_bytes, uint32_t flags)
{
    struct arch_aspace *arch = &shootdown->aspace->arch;
    if ((flags & MMU_PERM_MASK) == 0 ||
        mmu_protect(arch, va, len_bytes, flags, &shootdown->batch) != ZX_OK)
        shootdown_drop(shootdown, va, len_bytes);
}

void shootdown_finish(struct shootdown *shootdown)
{
    /* Others may have changed these translations without having told the other harts yet. */
    if (shootdown->keep_tables && atomic_load(&shootdown->aspace->count_shootdowns) != 0)
        shootdown->batch.everything = true;
    tlb_batch_finish(&shootdown->batch);
    if (shootdown->is_counted)
        atomic_fetch_sub(&shootdown->aspace->count_shootdowns, 1);
}
