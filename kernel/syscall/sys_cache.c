/* Caches, on behalf of programs that write code. */
#include "arch/mmu.h"
#include "kernel/object/process.h"
#include "kernel/syscall/abi.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/vm/aspace.h"

/* What is in the data caches is what everybody sees, devices too; only the harts' instruction
 * fetches have to be told, and that takes no addresses. */
zx_status_t sys_cache_flush(const void __user *addr, size_t size, uint32_t options)
{
    (void)addr;
    (void)size;
    switch (options) {
    case ZX_CACHE_FLUSH_DATA:
    case ZX_CACHE_FLUSH_DATA | ZX_CACHE_FLUSH_INVALIDATE:
        return ZX_OK;
    case ZX_CACHE_FLUSH_INSN:
    case ZX_CACHE_FLUSH_DATA | ZX_CACHE_FLUSH_INSN:
    case ZX_CACHE_FLUSH_DATA | ZX_CACHE_FLUSH_INSN | ZX_CACHE_FLUSH_INVALIDATE:
        if (!abi_cache_flush_knows_instructions())
            return ZX_ERR_NOT_SUPPORTED;
        mmu_sync_icache(&process_current()->aspace->arch);
        return ZX_OK;
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}
