/* Traps that look like system calls and are none. */
#include "kernel/lib/log.h"
#include "kernel/object/process.h"
#include "kernel/object/thread.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/abi.h"
#include "kernel/syscall/syscalls.h"

uint64_t upcall_bad_syscall(uint64_t number, vaddr_t pc, bool in_window)
{
    static uint32_t count_seen;
    struct process *process = process_current();

    if (atomic_fetch_add_relaxed(&count_seen, 1) == 0)
        kprintf("system call %lu (%s) %s at pc %#lx refused: process %lu (further ones not shown)",
                number, syscall_name(number),
                in_window ? "of unknown number" : "from outside the vDSO", pc,
                process != NULL ? process->object.koid : 0);
    if (process != NULL && abi_bad_syscall_raises_exception())
        user_thread_raise_later(ZX_EXCP_POLICY_ERROR, ZX_EXCP_POLICY_CODE_BAD_SYSCALL,
                                (uint32_t)number);
    return (uint64_t)(int64_t)ZX_ERR_BAD_SYSCALL;
}
