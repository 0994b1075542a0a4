/* Several harts: starting them, interrupting them. */
#include "arch/riscv/boot_tables.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"
#include "arch/riscv/kspace.h"
#include "arch/riscv/panic_state.h"
#include "arch/riscv/sbi.h"
#include "arch/riscv/sv39.h"
#include "arch/riscv/thread.h"
#include "arch/riscv/tlb.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"

struct hart harts[MAX_HARTS];

static hart_mask_t started = 1; /* atomic */

/* One for each attempt: a hart that comes too late still reads its own. */
static struct hart_start starts[MAX_HARTS];

/* The attempt under way, for a hart that the firmware sends to _start instead: start.S. */
uint64_t hart_being_started;
paddr_t start_being_used; /* of its struct hart_start; 0: none */

void secondary_start(void); /* start.S */
NORETURN void secondary_main(void);

hart_mask_t harts_started(void)
{
    return atomic_load(&started);
}

unsigned arch_hart_count(void)
{
    return (unsigned)__builtin_popcountll(atomic_load_relaxed(&started));
}

uint64_t arch_hart_id(unsigned hart_index)
{
    return harts[hart_index].id;
}

/* ---- Interrupts between harts ---- */

/* The firmware takes hart ids, 64 of them from a base at a time. */
static void send_to(hart_mask_t targets)
{
    while (targets != 0) {
        uint64_t base = UINT64_MAX, mask = 0;

        for (hart_mask_t left = targets; left != 0; left &= left - 1)
            base = MIN(base, harts[lowest_bit(left)].id);
        for (hart_mask_t left = targets; left != 0; left &= left - 1) {
            uint64_t distance = harts[lowest_bit(left)].id - base;
            if (distance < 64) {
                mask |= BIT(distance);
                targets &= ~BIT(lowest_bit(left));
            }
        }
        sbi_send_ipi(mask, base);
    }
}

void arch_ipi_send(hart_mask_t targets, enum ipi_kind kind)
{
    irq_state_t irq = arch_irq_save();
    hart_mask_t quiet = 0;

    /* A hart whose word was not 0 has an interrupt on its way and has not looked yet. */
    for (hart_mask_t left = targets; left != 0; left &= left - 1) {
        unsigned index = lowest_bit(left);
        if (atomic_fetch_or(&harts[index].ipi_pending, (uint32_t)kind) == 0)
            quiet |= BIT(index);
    }
    send_to(quiet);
    arch_irq_restore(irq);
}

void arch_ipi_self_reschedule(void)
{
    irq_state_t irq = arch_irq_save();

    atomic_fetch_or(&this_hart()->ipi_pending, IPI_RESCHEDULE);
    csr_set(sip, SIE_SSIE);
    arch_irq_restore(irq);
}

/* |frame| is NULL without a trap. Returns what was asked for. */
static uint32_t take_ipis(struct trap_frame *frame)
{
    struct hart *hart = this_hart();
    uint32_t kinds;

    csr_clear(sip, SIE_SSIE);
    /* First forget the interrupt, then look: a sender that finds the word empty after that
     * interrupts again. Memory accesses and those of CSRs (I and O) are ordered by FENCE only. */
    __asm__ volatile("fence iorw, iorw" : : : "memory");
    kinds = atomic_exchange(&hart->ipi_pending, 0);
    if ((kinds & IPI_HALT) != 0)
        panic_halt_this_hart(frame);
    if ((kinds & IPI_TLB) != 0)
        tlb_serve_inbox(hart);
    if ((kinds & IPI_FENCE_I) != 0)
        fence_i();
    if ((kinds & IPI_RESCHEDULE) != 0)
        upcall_reschedule();
    return kinds;
}

void ipi_receive(struct trap_frame *frame)
{
    (void)take_ipis(frame);
}

void ipi_receive_while_waiting(void)
{
    if ((csr_read(sip) & SIE_SSIE) != 0 && (take_ipis(NULL) & IPI_RESCHEDULE) != 0)
        arch_ipi_self_reschedule();
}

/* ---- Starting ---- */

void secondary_main(void)
{
    struct hart *hart = this_hart();

    hart_init_csrs();
    asid_init_hart(hart);
    kspace_catch_up();
    atomic_fetch_or(&started, BIT(hart - harts));
    upcall_secondary_hart(arch_hart_index());
}

static bool wait_until_started(unsigned index)
{
    uint64_t deadline = arch_ticks() + riscv_features.timebase_hz;

    while ((harts_started() & BIT(index)) == 0) {
        if (arch_ticks() >= deadline)
            return false;
        arch_cpu_relax();
    }
    return true;
}

/* Starts one hart as |index|. False: it did not come, and will not use |start|'s stack. */
static bool start_hart(struct hart_start *start, unsigned index, uint64_t hart_id,
                       struct thread *thread, void *stack_top)
{
    struct arch_thread *arch = (struct arch_thread *)thread;
    uint32_t starting = HART_STARTING;

    arch->kernel_stack_top = (uint64_t)stack_top;
    arch->hart_index = index;
    arch->fp_hart = -1;
    harts[index].id = hart_id;
    *start = (struct hart_start){kernel_satp(), thread, stack_top, HART_STARTING};
    atomic_store(&start_being_used, 0);
    atomic_store(&hart_being_started, hart_id);
    atomic_store(&start_being_used, arch_image_paddr(start));
    atomic_fence();
    if (sbi_hart_start(hart_id, arch_image_paddr((void *)secondary_start),
                       arch_image_paddr(start)) != SBI_SUCCESS)
        return false;
    if (wait_until_started(index))
        return true;
    if (atomic_cas(&start->state, &starting, HART_CANCELLED))
        return false;
    /* It came in the last moment; only a few instructions are left for it. */
    ASSERT(wait_until_started(index));
    return true;
}

unsigned arch_start_harts(const uint64_t *hart_ids, struct thread *const *threads,
                          void *const *stacks_top, unsigned count_harts)
{
    unsigned count_up = 0;

    if (!sbi_has(SBI_EXT_HSM))
        return 0;
    for (unsigned i = 0; i < MIN(count_harts, MAX_HARTS - 1u); i++) {
        struct hart *hart = &harts[count_up + 1];

        if (hart->emergency_top == 0) {
            char *stack = arch_kernel_stack_alloc();
            if (stack == NULL)
                break;
            hart->emergency_top = (uint64_t)stack + KERNEL_STACK_BYTES;
        }
        if (start_hart(&starts[i], count_up + 1, hart_ids[i], threads[count_up],
                       stacks_top[count_up]))
            count_up++;
    }
    return count_up;
}
