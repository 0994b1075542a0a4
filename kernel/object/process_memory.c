/* Reading and writing the memory of a process from outside. */
#include "arch/mmu.h"
#include "kernel/object/process.h"
#include "kernel/sched/inject.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/vmo.h"

/* One piece, inside one page. */
static zx_status_t copy_piece(struct aspace *aspace, vaddr_t addr, void *buffer, size_t len_bytes,
                              const struct process_access *access)
{
    struct vmo *vmo;
    uint64_t offset;
    zx_status_t status =
        aspace_get_vmo(aspace, addr, access->write ? MMU_PERM_WRITE : MMU_PERM_READ,
                       access->within_rights, &vmo, &offset);
    if (status != ZX_OK)
        return status;
    status = access->write ? vmo_write_kernel(vmo, offset, buffer, len_bytes)
                           : vmo_read_kernel(vmo, offset, buffer, len_bytes);
    vmo_put(vmo);
    /* Device memory, or memory that caches must not see. */
    return status == ZX_ERR_BAD_STATE ? ZX_ERR_NOT_SUPPORTED : status;
}

zx_status_t process_copy_memory(struct process *process, vaddr_t addr, void *buffer,
                                size_t len_bytes, const struct process_access *access,
                                size_t *out_done)
{
    size_t done = 0;
    zx_status_t status = ZX_OK;

    if (process_get_state(process) >= PROCESS_DYING)
        return ZX_ERR_BAD_STATE;
    while (done < len_bytes && status == ZX_OK) {
        vaddr_t at = addr + done;
        size_t piece = MIN(len_bytes - done, PAGE_SIZE_BYTES - (at & PAGE_MASK));
        status = user_range_is_valid(at, piece)
                     ? copy_piece(process->aspace, at, (uint8_t *)buffer + done, piece, access)
                     : ZX_ERR_NOT_FOUND;
        if (status == ZX_OK)
            done += piece;
    }
    if (done == 0 && status != ZX_OK)
        return status;
    if (access->write)
        mmu_sync_icache(&process->aspace->arch);
    *out_done = done;
    return ZX_OK;
}

#ifdef DEBUG
/* A fault of user code whose allocations are refused one after the other, until none is left. */
static zx_status_t resolve(struct aspace *aspace, vaddr_t addr, uint32_t access)
{
    for (uint64_t nth = 1;; nth++) {
        bool has_begun = inject_mode() == INJECT_EACH && inject_begin(nth);
        zx_status_t status = aspace_fault(aspace, addr, access);
        if (!has_begun || !inject_end() || status == ZX_OK)
            return status;
        ASSERT(status == ZX_ERR_NO_MEMORY);
    }
}
#else
static zx_status_t resolve(struct aspace *aspace, vaddr_t addr, uint32_t access)
{
    return aspace_fault(aspace, addr, access);
}
#endif

zx_status_t upcall_page_fault(vaddr_t addr, uint32_t access)
{
    struct arch_aspace *arch = thread_current()->aspace;
    if (arch == NULL)
        return ZX_ERR_NOT_FOUND; /* kernel threads have no user memory */
    return resolve(container_of(arch, struct aspace, arch), addr, access);
}
