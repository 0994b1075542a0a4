/* Threads: the first switch, every other switch, floating-point state, user registers. */
#include "arch/riscv/thread.h"

#include <zircon/syscalls/debug.h>

#include "arch/riscv/boot_tables.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"
#include "arch/riscv/kspace.h"
#include "arch/riscv/tlb.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

/* fp.S */
void fp_save(struct arch_fp_state *state);
void fp_load(const struct arch_fp_state *state);
void fp_zero(void);

/* What switch_stacks pops, in its order. */
struct switch_frame {
    uint64_t ra;
    uint64_t s[12];
    uint64_t gp;
};
_Static_assert(sizeof(struct switch_frame) == 112, "switch.S knows the size");

void arch_thread_init(struct arch_thread *arch, void *stack_top, void (*entry)(void *), void *arg)
{
    struct switch_frame *frame = (struct switch_frame *)stack_top - 1;

    memset(frame, 0, sizeof(*frame));
    frame->ra = (uint64_t)thread_start_entry;
    frame->s[1] = (uint64_t)entry;
    frame->s[2] = (uint64_t)arg;
    memset(arch, 0, sizeof(*arch));
    arch->kernel_sp = (uint64_t)frame;
    arch->kernel_stack_top = (uint64_t)stack_top;
    arch->user_frame = (uint64_t)((struct trap_frame *)stack_top - 1);
    arch->fp_hart = -1;
}

static bool holds_fp_of(const struct hart *hart, const struct arch_thread *thread)
{
    return hart->fp_owner == thread && thread->fp_hart == (int32_t)arch_hart_index();
}

/* What sstatus is to be in |next|'s context. The way out of a system call relies on SPP and SPIE; a
 * trap from the kernel that |next| may be in has its own sstatus in its frame. */
static uint64_t status_of(uint64_t status, const struct arch_thread *next)
{
    status = (status & ~(SSTATUS_FS | SSTATUS_SPP)) | SSTATUS_SPIE;
    return next->fp_mode == ARCH_FP_UNUSED ? status : status | SSTATUS_FS_CLEAN;
}

/* FP registers are saved when dirty and loaded when the hart does not hold them already: switching
 * through kernel threads, which leave them alone, costs nothing. */
static void switch_fp(struct hart *hart, struct arch_thread *prev, struct arch_thread *next)
{
    if ((csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS_DIRTY)
        fp_save(&prev->fp);
    if (next->fp_mode == ARCH_FP_UNUSED || holds_fp_of(hart, next))
        return;
    csr_set(sstatus, SSTATUS_FS_CLEAN);
    fp_load(&next->fp);
    hart->fp_owner = next;
    next->fp_hart = (int32_t)arch_hart_index();
}

/* With everything that may be to do besides. */
NOINLINE static void context_switch_slow(struct thread *prev, struct thread *next,
                                         struct arch_aspace *aspace)
{
    struct arch_thread *next_arch = (struct arch_thread *)next;
    struct hart *hart = this_hart();

    if (hart->aspace != aspace && !tlb_switch_fast(hart, aspace, arch_hart_index()))
        tlb_switch_slow(hart, aspace);
    kspace_catch_up();
    switch_fp(hart, (struct arch_thread *)prev, next_arch);
    next_arch->hart_index = arch_hart_index();
    csr_write(sstatus, status_of(csr_read(sstatus), next_arch));
    switch_stacks(prev, next);
}

void arch_context_switch(struct thread *prev, struct thread *next, struct arch_aspace *aspace)
{
    struct arch_thread *next_arch = (struct arch_thread *)next;
    unsigned hart_index = arch_hart_index();
    struct hart *hart = &harts[hart_index];
    uint64_t status = csr_read(sstatus);

    if (LIKELY(hart->kernel_map_generation == atomic_load_relaxed(&kernel_map_generation) &&
               (status & SSTATUS_FS) != SSTATUS_FS_DIRTY &&
               (next_arch->fp_mode == ARCH_FP_UNUSED || holds_fp_of(hart, next_arch)) &&
               (hart->aspace == aspace || tlb_switch_fast(hart, aspace, hart_index)))) {
        next_arch->hart_index = hart_index;
        csr_write(sstatus, status_of(status, next_arch));
        switch_stacks(prev, next);
    } else {
        context_switch_slow(prev, next, aspace);
    }
}

void arch_set_current_thread(struct thread *thread)
{
    struct arch_thread *old = riscv_this_thread();
    struct arch_thread *arch = (struct arch_thread *)thread;

    arch->kernel_stack_top = old->kernel_stack_top;
    arch->hart_index = old->hart_index;
    arch->fp_hart = -1;
    riscv_tp = thread;
}

bool thread_enable_fp(void)
{
    struct arch_thread *thread = riscv_this_thread();

    if (thread->fp_mode != ARCH_FP_UNUSED)
        return false;
    csr_set(sstatus, SSTATUS_FS_DIRTY);
    fp_zero();
    thread->fp_mode = ARCH_FP_LIVE;
    thread->fp_hart = (int32_t)arch_hart_index();
    this_hart()->fp_owner = thread;
    return true;
}

void arch_enter_user(vaddr_t pc, vaddr_t sp, uint64_t arg0, uint64_t arg1)
{
    arch_irq_disable();
    boot_note_user_entry();
    enter_user_registers(thread_user_frame(riscv_this_thread()), pc, sp, arg0, arg1);
}

/* ---- FP registers of a stopped thread -------------------------------------------------------- */

void arch_user_stop_begin(void)
{
    irq_state_t irq = arch_irq_save();
    if ((csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS_DIRTY) {
        fp_save(&riscv_this_thread()->fp);
        csr_clear(sstatus, SSTATUS_FS);
        csr_set(sstatus, SSTATUS_FS_CLEAN);
    }
    arch_irq_restore(irq);
}

void arch_user_stop_end(void)
{
    irq_state_t irq = arch_irq_save();
    struct arch_thread *thread = riscv_this_thread();
    if (thread->fp_mode != ARCH_FP_UNUSED) {
        csr_set(sstatus, SSTATUS_FS_CLEAN);
        fp_load(&thread->fp);
        csr_clear(sstatus, SSTATUS_FS);
        csr_set(sstatus, SSTATUS_FS_CLEAN);
        this_hart()->fp_owner = thread;
        thread->fp_hart = (int32_t)arch_hart_index();
    }
    arch_irq_restore(irq);
}

void arch_get_user_fp(const struct arch_thread *arch, struct zx_riscv64_thread_state_fp_regs *out)
{
    memset(out, 0, sizeof(*out));
    if (arch->fp_mode == ARCH_FP_UNUSED)
        return;
    for (unsigned i = 0; i < ARRAY_COUNT(arch->fp.f); i++) {
        out->q[i].low = arch->fp.f[i];
        out->q[i].high = UINT64_MAX; /* NaN-boxed */
    }
    out->fcsr = arch->fp.fcsr;
}

void arch_set_user_fp(struct arch_thread *arch, const struct zx_riscv64_thread_state_fp_regs *in)
{
    for (unsigned i = 0; i < ARRAY_COUNT(arch->fp.f); i++)
        arch->fp.f[i] = in->q[i].low;
    arch->fp.fcsr = in->fcsr & FCSR_MASK;
    arch->fp_mode = ARCH_FP_LIVE;
}

void arch_thread_set_syscall_window(struct arch_thread *arch, vaddr_t base, size_t len_bytes)
{
    arch->syscall_base = base;
    arch->syscall_bytes = len_bytes;
}

_Static_assert(sizeof(struct zx_riscv64_thread_state_general_regs) ==
                   sizeof(((struct trap_frame *)0)->x),
               "a frame holds the registers in the ABI's order");

void arch_get_user_regs(const struct arch_thread *arch,
                        struct zx_riscv64_thread_state_general_regs *out)
{
    memcpy(out, thread_user_frame(arch)->x, sizeof(*out));
}

void arch_set_user_regs(struct arch_thread *arch,
                        const struct zx_riscv64_thread_state_general_regs *in)
{
    memcpy(thread_user_frame(arch)->x, in, sizeof(*in));
}
