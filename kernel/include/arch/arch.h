/* The door to the machine, owned by the kernel and implemented by arch/riscv and by
 * tests/host/fake_arch.c. Page tables and TLBs have their own door: arch/mmu.h.
 *
 * "arch_types.h" comes from the implementation's include folder and defines, inline:
 *   typedef irq_state_t;
 *   struct arch_thread { ... uint32_t work_pending, hart_index; ... };
 *                                                  registers of a thread that is not running;
 *                                                  work_pending != 0 makes the way back to user
 *                                                  mode call upcall_user_return until it is 0 (the
 *                                                  kernel sets and clears it, atomically);
 *                                                  hart_index is where it runs
 *   irq_state_t arch_irq_save(void);               interrupts off; returns what they were
 *   void arch_irq_restore(irq_state_t);
 *   bool arch_irq_state_is_enabled(irq_state_t);  what arch_irq_save returned
 *   void arch_irq_enable(void), arch_irq_disable(void);
 *   bool arch_irq_is_enabled(void);
 *   unsigned arch_hart_index(void);                dense index of this hart, 0 is the boot hart;
 *                                                  stable only while the thread cannot migrate
 *   struct thread *arch_current_thread(void);
 *   void arch_cpu_relax(void);                     in a spin loop
 *   uint64_t arch_ticks(void);                     the timebase counter
 *   void *phys_to_virt(paddr_t), paddr_t virt_to_phys(const void *)   linear map of RAM only
 *   PAGE_ARRAY_BASE, PAGE_ARRAY_MAX_BYTES          where struct page lives: see arch_map_page_array
 *   bool arch_inject_failure(void)                 host tests make allocations fail; else false
 *   void arch_memory_poison(const void *, size_t), arch_memory_unpoison(...)  freed memory under a
 *                                                  checker; else nothing
 *   uint32_t arch_mmio_read{8,16,32}(const volatile void *), void arch_mmio_write{8,16,32}(
 *       volatile void *, uint32_t)                 device registers, ordered against each other and
 *                                                  against memory (RISC-V: fence i,ir / ow,o style)
 */
#pragma once

#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/lib/compiler.h"

struct thread;

/* Upper limit on harts; masks of harts are 64-bit words indexed by hart index. */
#define MAX_HARTS 64
typedef uint64_t hart_mask_t;

#include "arch_types.h"

/* User addresses: [USER_BASE, USER_TOP). Zircon programs rely on the base (zircon-abi, 4g). */
#define USER_BASE 0x200000ul
#define USER_TOP  (1ul << 38)

/* True if [addr, addr + len_bytes) lies inside the user half; no overflow for any arguments. */
static inline bool user_range_is_valid(uintptr_t addr, size_t len_bytes)
{
    return addr < USER_TOP && len_bytes <= USER_TOP - addr;
}

/* ---- Threads ------------------------------------------------------------------------------ */

/* Prepares |arch| so that the first switch to it calls entry(arg) on the given stack, interrupts
 * off (as they are at every switch). |stack_top| is 16-byte aligned. entry must not return. */
void arch_thread_init(struct arch_thread *arch, void *stack_top, void (*entry)(void *), void *arg);

/* Saves the running thread's registers in |prev| (FP state too when dirty), makes |aspace| the
 * address space of this hart (NULL: the kernel's own tables), loads the registers of |next| and
 * returns in next's context. Interrupts off. struct arch_thread is the first member of struct
 * thread, so the pointers are the same. */
void arch_context_switch(struct thread *prev, struct thread *next, struct arch_aspace *aspace);

/* Makes |thread| the current one of this hart without switching stacks: boot only. */
void arch_set_current_thread(struct thread *thread);

/* Enters user mode for the first time: pc, sp, a0, a1 as given, every other register zero, FP state
 * zero. Never returns. The thread's kernel stack restarts at its top at the next trap. */
NORETURN void arch_enter_user(vaddr_t pc, vaddr_t sp, uint64_t arg0, uint64_t arg1);

/* Instructions that the boot hart retired between the kernel's entry and the machine's first
 * arch_enter_user; 0 before that, or when another hart was the first. */
uint64_t arch_boot_instructions(void);

/* The current thread accepts ecall from user mode only at pc in [base, base + len_bytes). Set when
 * the vDSO is mapped into its process. */
void arch_thread_set_syscall_window(struct arch_thread *arch, vaddr_t base, size_t len_bytes);

struct zx_riscv64_thread_state_general_regs;

/* User registers of a thread that is stopped inside upcall_user_return or upcall_user_exception
 * (general registers: struct zx_riscv64_thread_state_general_regs of <zircon/syscalls/debug.h>). */
void arch_get_user_regs(const struct arch_thread *arch,
                        struct zx_riscv64_thread_state_general_regs *out);
void arch_set_user_regs(struct arch_thread *arch,
                        const struct zx_riscv64_thread_state_general_regs *in);

struct zx_riscv64_thread_state_fp_regs;

/* The running thread is about to stop where others may look at its registers, or has been there:
 * its FP registers are put where arch_get_user_fp finds them, and come back as arch_set_user_fp
 * left them. Interrupts on. */
void arch_user_stop_begin(void);
void arch_user_stop_end(void);

/* FP registers of a thread between arch_user_stop_begin and _end; zeros if it has used none. */
void arch_get_user_fp(const struct arch_thread *arch, struct zx_riscv64_thread_state_fp_regs *out);
void arch_set_user_fp(struct arch_thread *arch, const struct zx_riscv64_thread_state_fp_regs *in);

/* ---- User memory --------------------------------------------------------------------------- */
/* These survive any fault: they resolve what the address space can resolve and otherwise return
 * ZX_ERR_INVALID_ARGS, with part of the bytes possibly copied. A length of 0 never fails. They may
 * sleep (no spinlock held, no VM lock held) and check that the range is in the user half. */
MUST_USE zx_status_t arch_copy_from_user(void *dst, uintptr_t src_user, size_t len_bytes);
MUST_USE zx_status_t arch_copy_to_user(uintptr_t dst_user, const void *src, size_t len_bytes);

/* arch_copy_to_user of one value, which need not be aligned. */
MUST_USE zx_status_t arch_store_user_u32(uintptr_t dst_user, uint32_t value);

/* Makes sure that the range can be written now, without changing it, for operations that cannot be
 * undone once they are done. Same errors. */
MUST_USE zx_status_t arch_probe_user_write(uintptr_t dst_user, size_t len_bytes);

/* One aligned atomic 32-bit load. ZX_ERR_INVALID_ARGS if misaligned or unreadable. */
MUST_USE zx_status_t arch_load_user_u32(uintptr_t src_user, uint32_t *out);

/* As above but never sleeps and resolves no fault: fails with ZX_ERR_SHOULD_WAIT if the word is not
 * readable right now. May be called with spinlocks held. */
MUST_USE zx_status_t arch_load_user_u32_nofault(uintptr_t src_user, uint32_t *out);

/* ---- Harts, interrupts, time --------------------------------------------------------------- */

/* What one hart may ask of another. */
enum ipi_kind {
    IPI_RESCHEDULE = 1u << 0, /* calls upcall_reschedule there */
    IPI_TLB = 1u << 1,        /* serve the shootdown inbox */
    IPI_HALT = 1u << 2,       /* panic: record state and stop */
    IPI_FENCE_I = 1u << 3,    /* instruction fetch fence */
};

/* Number of harts that are up; their indexes are 0..n-1. */
unsigned arch_hart_count(void);

/* Sends |kind| to every hart in |harts| (never to this one). Does not wait. Any context. */
void arch_ipi_send(hart_mask_t harts, enum ipi_kind kind);

/* Makes upcall_reschedule and upcall_interrupt_exit run on this hart as soon as interrupts are on.
 */
void arch_ipi_self_reschedule(void);

/* Serves this hart's shootdown inbox now; for loops that spin with interrupts off. */
void arch_ipi_poll(void);

/* Sets this hart's next timer interrupt; UINT64_MAX: none. Absolute, in ticks. */
void arch_timer_set(uint64_t deadline_ticks);

/* Sleeps until an interrupt is pending. Called with interrupts off; returns with them off. */
void arch_wait_for_interrupt(void);

/* Starts the secondary harts of |hart_ids| (count_harts of them, without the boot hart). The n-th
 * that comes up gets index n + 1 and calls upcall_secondary_hart(n + 1) on |stacks_top[n]| (of
 * KERNEL_STACK_BYTES), with |threads[n]| as its current thread, on the kernel's page tables,
 * interrupts off. Returns the number that came up within a second each; a hart that comes later
 * stops itself. Once, after arch_vm_init and pmm_init. */
unsigned arch_start_harts(const uint64_t *hart_ids, struct thread *const *threads,
                          void *const *stacks_top, unsigned count_harts);

/* The firmware's id of a hart (mhartid). */
uint64_t arch_hart_id(unsigned hart_index);

/* Turns on software, timer and external interrupts for this hart (sie); sstatus.SIE stays off. */
void arch_irq_init_hart(void);

/* What the machine offers, filled from the device tree's harts before arch_vm_init. */
struct arch_features {
    bool sstc;   /* every usable hart has stimecmp */
    bool svpbmt; /* every usable hart has page-based memory types */
    uint64_t timebase_hz;
};
void arch_set_features(const struct arch_features *features);

/* Copies |len_bytes| bytes of page memory; whole pages, page-aligned. */
void arch_page_zero(void *page);
void arch_page_copy(void *dst, const void *src);

/* Writes to the firmware's console, from the first C instruction on. The caller serialises. */
void arch_early_console_write(const char *text, size_t len_bytes);

/* ---- End of the line ------------------------------------------------------------------------ */

enum power_action { POWER_OFF, POWER_REBOOT };

/* Powers off or reboots through the firmware (SBI SRST or legacy shutdown). Returns if it cannot.
 */
void arch_power(enum power_action action);

/* Stops the other harts, and waits for a fraction of a second until each has noted what it was
 * doing. First step of a panic, so that nobody else prints. */
void arch_halt_others(void);

/* Prints the registers and backtrace of the caller (or of the trap it is handling) and what the
 * halted harts were doing. Part of panic. */
void arch_print_state(void);

/* ---- Upcalls: implemented by the kernel, called by the trap code ---------------------------- */

/* A page fault at |addr| wanting |access| (one of ZX_VM_PERM_READ/WRITE/EXECUTE), from user mode or
 * from a user-copy routine. Interrupts on; may sleep. ZX_OK: retry the access. */
zx_status_t upcall_page_fault(vaddr_t addr, uint32_t access);

/* An exception in user mode that no page-fault resolution cured. */
struct arch_exception {
    uint64_t pc;
    uint64_t cause;           /* scause */
    uint64_t tval;            /* stval: faulting address or instruction bits */
    uint32_t zx_type;         /* ZX_EXCP_* */
    zx_status_t fault_status; /* page faults: why; else ZX_OK */
};
/* Interrupts on. On return the thread goes back to user mode with its (perhaps changed) registers;
 * a thread that must die does not come back from here. */
void upcall_user_exception(const struct arch_exception *exception);

/* Called on the way back to user mode, interrupts on, if the thread's work_pending flag (see
 * arch_thread) was set: kill, suspend, reschedule. All user registers are in the frame. */
void upcall_user_return(void);

/* A user ecall whose number is in the table is called directly through this array; entry n is the
 * function of syscall n, or one that returns ZX_ERR_BAD_SYSCALL. */
extern const uintptr_t syscall_table[]; /* SYSCALL_COUNT: arch/syscall_count.h */
/* An ecall from outside the window, or with a number out of range. Returns the status. */
uint64_t upcall_bad_syscall(uint64_t number, vaddr_t pc, bool in_window);

/* Interrupts off in all of these. */
void upcall_timer(void);
void upcall_reschedule(void); /* IPI_RESCHEDULE arrived */
void upcall_external_interrupt(void);
/* Last thing before an interrupt handler returns: switches threads if the scheduler wants to and
 * the interrupted context had interrupts on. */
void upcall_interrupt_exit(void);

NORETURN void upcall_secondary_hart(unsigned hart_index);

/* For panics: a name for people. Any context. */
const char *upcall_thread_name(const struct thread *thread);

/* First C code of the kernel, on the boot hart: image mapped W^X at its link address, linear map
 * not yet there except for what arch/riscv/boot documents; |dtb| is a pointer through which
 * |dtb_bytes_max| bytes may be read; interrupts off. */
NORETURN void kernel_main(uint64_t boot_hart_id, const void *dtb, size_t dtb_bytes_max,
                          paddr_t dtb_paddr);
