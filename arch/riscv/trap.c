/* Traps: what they are and who deals with them. */
#include "arch/riscv/trap.h"

#include <zircon/syscalls/exception.h>

#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"
#include "arch/riscv/kspace.h"
#include "arch/riscv/panic_state.h"
#include "arch/riscv/sv39.h"
#include "arch/riscv/thread.h"
#include "kernel/lib/panic.h"

/* user_copy.S */
extern char user_access_begin[], user_access_end[], user_nofault_begin[], user_nofault_end[];
extern char user_access_failed[];

static void handle_interrupt(struct trap_frame *frame)
{
    switch (frame->cause & ~CAUSE_INTERRUPT) {
    case CAUSE_SOFTWARE:
        ipi_receive(frame);
        break;
    case CAUSE_TIMER:
        /* Off until the next arch_timer_set; it may still be pending. */
        csr_clear(sie, SIE_STIE);
        upcall_timer();
        break;
    case CAUSE_EXTERNAL:
        upcall_external_interrupt();
        break;
    default:
        panic_in_trap(frame, "interrupt %lu that nobody asked for",
                      frame->cause & ~CAUSE_INTERRUPT);
    }
    upcall_interrupt_exit();
}

static bool cause_is_page_fault(uint64_t cause)
{
    return cause == CAUSE_FETCH_PAGE_FAULT || cause == CAUSE_LOAD_PAGE_FAULT ||
           cause == CAUSE_STORE_PAGE_FAULT;
}

static uint32_t access_of_cause(uint64_t cause)
{
    if (cause == CAUSE_FETCH_PAGE_FAULT)
        return MMU_PERM_EXEC;
    return cause == CAUSE_LOAD_PAGE_FAULT ? MMU_PERM_READ : MMU_PERM_WRITE;
}

/* ---- From user mode ---- */

static uint32_t exception_type(uint64_t cause)
{
    switch (cause) {
    case CAUSE_ILLEGAL:
        return ZX_EXCP_UNDEFINED_INSTRUCTION;
    case CAUSE_BREAKPOINT:
        return ZX_EXCP_SW_BREAKPOINT;
    case CAUSE_FETCH_MISALIGNED:
    case CAUSE_LOAD_MISALIGNED:
    case CAUSE_STORE_MISALIGNED:
        return ZX_EXCP_UNALIGNED_ACCESS;
    case CAUSE_FETCH_PAGE_FAULT:
    case CAUSE_LOAD_PAGE_FAULT:
    case CAUSE_STORE_PAGE_FAULT:
        return ZX_EXCP_FATAL_PAGE_FAULT;
    default:
        return ZX_EXCP_GENERAL;
    }
}

static void user_exception(struct trap_frame *frame, zx_status_t fault_status)
{
    struct arch_exception exception = {
        .pc = frame->x[REG_PC],
        .cause = frame->cause,
        .tval = frame->tval,
        .zx_type = exception_type(frame->cause),
        .fault_status = fault_status,
    };

    if (frame->cause == CAUSE_ILLEGAL && thread_enable_fp())
        return;
    arch_irq_enable();
    upcall_user_exception(&exception);
    arch_irq_disable();
}

/* The answer for a resolved fault of a thread that has work to do before it goes on. No status is
 * positive. */
#define FAULT_THEN_WORK 1

int64_t trap_user_page_fault(uint64_t cause, vaddr_t addr)
{
    zx_status_t status;

    arch_irq_enable();
    status = upcall_page_fault(addr, access_of_cause(cause));
    arch_irq_disable();
    if (status == ZX_OK && atomic_load_relaxed(&riscv_this_thread()->work_pending) != 0)
        return FAULT_THEN_WORK;
    return status;
}

void trap_user_page_fault_end(struct trap_frame *frame, int64_t answer)
{
    if (answer < 0)
        user_exception(frame, (zx_status_t)answer);
    trap_user_work();
}

/* The rare ones: an ecall from outside the window or with an unknown number. */
static void refused_syscall(struct trap_frame *frame)
{
    const struct arch_thread *thread = riscv_this_thread();
    uint64_t pc = frame->x[REG_PC];
    uint64_t number = frame->x[5]; /* t0 */
    bool in_window = pc - thread->syscall_base < thread->syscall_bytes;

    frame->x[REG_PC] = pc + 4;
    trap_clear_caller_saved(frame);
    arch_irq_enable();
    frame->x[REG_A0] = upcall_bad_syscall(number, pc, in_window);
    arch_irq_disable();
}

void trap_clear_caller_saved(struct trap_frame *frame)
{
    for (unsigned i = 5; i <= 7; i++) /* t0-t2 */
        frame->x[i] = 0;
    for (unsigned i = REG_A0 + 1; i <= REG_A7; i++)
        frame->x[i] = 0;
    for (unsigned i = 28; i <= 31; i++) /* t3-t6 */
        frame->x[i] = 0;
}

void trap_user_work(void)
{
    struct arch_thread *thread = riscv_this_thread();

    while (UNLIKELY(atomic_load_relaxed(&thread->work_pending) != 0)) {
        arch_irq_enable();
        upcall_user_return();
        arch_irq_disable();
    }
}

void trap_from_user(struct trap_frame *frame)
{
    if ((frame->cause & CAUSE_INTERRUPT) != 0)
        handle_interrupt(frame);
    else if (frame->cause == CAUSE_USER_ECALL)
        refused_syscall(frame);
    else
        user_exception(frame, ZX_OK);
    trap_user_work();
}

/* ---- From kernel mode ---- */

static bool pc_is_between(const struct trap_frame *frame, const char *begin, const char *end)
{
    return frame->x[REG_PC] >= (uint64_t)begin && frame->x[REG_PC] < (uint64_t)end;
}

/* A user-copy routine met a page that is not there, or a device or alignment error. */
static void user_access_fault(struct trap_frame *frame, bool may_resolve)
{
    bool irqs_were_on = (frame->status & SSTATUS_SPIE) != 0;
    zx_status_t status = ZX_ERR_INVALID_ARGS;

    if (may_resolve && irqs_were_on && cause_is_page_fault(frame->cause)) {
        arch_irq_enable();
        status = upcall_page_fault(frame->tval, access_of_cause(frame->cause));
        arch_irq_disable();
    }
    if (status == ZX_OK)
        return;
    frame->x[REG_A0] = (uint64_t)(status == ZX_ERR_NO_MEMORY ? status : ZX_ERR_INVALID_ARGS);
    frame->x[REG_PC] = (uint64_t)user_access_failed;
}

/* A translation older than a mapping that the kernel has made since: forget it and try again. */
static bool is_stale_kernel_fault(const struct trap_frame *frame)
{
    if (!cause_is_page_fault(frame->cause) || frame->tval < USER_TOP ||
        !kspace_allows(frame->tval, access_of_cause(frame->cause)))
        return false;
    /* The same fault twice in a row at the same place is no stale translation. */
    struct hart *hart = this_hart();
    bool again = hart->stale_fault_pc == frame->x[REG_PC] && hart->stale_fault_va == frame->tval;
    hart->stale_fault_pc = again ? 0 : frame->x[REG_PC];
    hart->stale_fault_va = frame->tval;
    sfence_all();
    return !again;
}

void trap_from_kernel_c(struct trap_frame *frame)
{
    if ((frame->cause & CAUSE_INTERRUPT) != 0)
        handle_interrupt(frame);
    else if (frame->tval < USER_TOP && pc_is_between(frame, user_access_begin, user_access_end))
        user_access_fault(frame, true);
    else if (frame->tval < USER_TOP && pc_is_between(frame, user_nofault_begin, user_nofault_end))
        user_access_fault(frame, false);
    else if (!is_stale_kernel_fault(frame))
        panic_in_trap(frame, "unexpected trap in the kernel: %s", trap_cause_name(frame->cause));
}

void trap_stack_overflow(struct trap_frame *frame)
{
    panic_in_trap(frame, "kernel stack overflow");
}
