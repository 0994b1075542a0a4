/* Caches. The harts' data caches are coherent with each other and with main memory. */
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscalls.h"

zx_status_t sys_cache_flush(const void *addr, size_t size, uint32_t options)
{
    const uint32_t known = ZX_CACHE_FLUSH_INSN | ZX_CACHE_FLUSH_DATA | ZX_CACHE_FLUSH_INVALIDATE;
    (void)addr;
    (void)size;
    if (options == 0 || (options & ~known) != 0)
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_CACHE_FLUSH_INVALIDATE) && !(options & ZX_CACHE_FLUSH_DATA))
        return ZX_ERR_INVALID_ARGS;
    if (options & ZX_CACHE_FLUSH_INSN)
        return ZX_ERR_NOT_SUPPORTED;
    atomic_fence();
    return ZX_OK;
}
