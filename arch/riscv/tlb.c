/* Shootdown: making harts forget translations before pages are reused.
 *
 * Who must be told? aspace->active has the harts whose satp holds the address space. Another hart
 * may still have its translations under an ASID; its bit goes into aspace->tlb_stale, and it fences
 * when it next loads the address space. The initiator and a hart that is switching agree because
 *      initiator: change tables; a1 = active; stale |= ~a1; fence; a2 = active; ask a1 | a2
 *      hart:      active |= me; fence; test and clear stale; load satp
 * a hart that is in neither a1 nor a2 set its active bit after a2 was read, and so sees stale.
 *
 * How? A request lies on the initiator's stack and in a slot of each target's inbox, and the target
 * gets an IPI. Clearing its bit in request->pending is its last access to the request. Harts that
 * spin with interrupts off serve their inbox (arch_ipi_poll), so two initiators never wait for each
 * other.
 *
 * The initiator spins for a moment, which is all that it takes between running harts, and then
 * sleeps until the last target interrupts it: under an emulator or hypervisor the target may be
 * waiting for the very processor that a spinning initiator keeps busy. */
#include "arch/riscv/tlb.h"

#include "arch/riscv/csr.h"
#include "arch/riscv/kspace.h"
#include "arch/riscv/panic_state.h"
#include "arch/riscv/sv39.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/vm/pmm.h"

/* Past this many pages one fence of everything is cheaper than a fence a page. */
#define TLB_PAGE_FENCES_MAX 64

enum tlb_request_kind { TLB_BATCH, TLB_KERNEL, TLB_FENCE_I };

/* Looks at the answers before sleeping: a few microseconds. */
#define ACK_SPINS 200

struct tlb_request {
    unsigned initiator; /* hart index */
    enum tlb_request_kind kind;
    const struct tlb_batch *batch; /* TLB_BATCH */
    hart_mask_t pending;           /* atomic: harts that have not done it yet */
};

/* ---- Batches ---- */

void tlb_batch_add_page(struct tlb_batch *batch, struct page *page)
{
    list_push_back(&batch->pages, &page->node);
    HARTS_COUNT(count_pages_freed, 1);
}

void tlb_batch_add_everything(struct tlb_batch *batch)
{
    batch->everything = true;
}

void tlb_batch_add_range(struct tlb_batch *batch, vaddr_t va, uint64_t count_pages)
{
    struct tlb_range *last = NULL;

    if (batch->everything)
        return;
    if (batch->count_ranges > 0)
        last = &batch->ranges[batch->count_ranges - 1];
    if (count_pages > TLB_PAGE_FENCES_MAX) {
        batch->everything = true;
    } else if (last != NULL && last->base + (uint64_t)last->count_pages * PAGE_SIZE_BYTES == va) {
        last->count_pages += (uint32_t)count_pages;
        if (last->count_pages > TLB_PAGE_FENCES_MAX)
            batch->everything = true;
    } else if (batch->count_ranges == TLB_BATCH_RANGES) {
        batch->everything = true;
    } else {
        batch->ranges[batch->count_ranges++] = (struct tlb_range){va, (uint32_t)count_pages};
    }
}

/* ---- This hart ---- */

static void fence_pages(struct hart *hart, const struct tlb_batch *batch, uint64_t asid)
{
    for (uint32_t i = 0; i < batch->count_ranges; i++) {
        vaddr_t va = batch->ranges[i].base;
        for (uint32_t n = 0; n < batch->ranges[i].count_pages; n++, va += PAGE_SIZE_BYTES) {
            if (hart->asid_max == 0)
                sfence_page(va);
            else
                sfence_page_asid(va, asid);
        }
        HARTS_COUNT(count_page_fences, batch->ranges[i].count_pages);
    }
}

static void fence_batch_here(struct hart *hart, const struct tlb_batch *batch)
{
    int64_t asid = asid_lookup(hart, batch->aspace);

    if (asid < 0)
        return;
    if (!batch->everything) {
        fence_pages(hart, batch, (uint64_t)asid);
        return;
    }
    if (hart->asid_max == 0)
        sfence_all();
    else
        sfence_asid((uint64_t)asid);
    HARTS_COUNT(count_full_fences, 1);
}

static void serve(struct hart *hart, struct tlb_request *request)
{
    switch (request->kind) {
    case TLB_BATCH:
        fence_batch_here(hart, request->batch);
        break;
    case TLB_KERNEL:
        sfence_all();
        HARTS_COUNT(count_full_fences, 1);
        break;
    case TLB_FENCE_I:
        fence_i();
        break;
    }
    HARTS_COUNT(count_requests_served, 1);
}

void tlb_serve_inbox(struct hart *hart)
{
    hart_mask_t self = BIT(hart - harts);

    for (unsigned i = 0; i < TLB_INBOX_SLOTS; i++) {
        struct tlb_request *request = atomic_load_relaxed(&hart->inbox[i]);
        if (request == NULL)
            continue;
        atomic_fence();
        serve(hart, request);
        unsigned initiator = request->initiator;
        atomic_store_release(&hart->inbox[i], NULL);
        /* If this was the last answer, the request is gone now. */
        if (atomic_fetch_and(&request->pending, ~self) == self &&
            atomic_load(&harts[initiator].awaits_acks) != 0)
            arch_ipi_send(BIT(initiator), IPI_TLB);
    }
}

void arch_ipi_poll(void)
{
    irq_state_t irq = arch_irq_save();
    struct hart *hart = this_hart();

    tlb_serve_inbox(hart);
    if ((atomic_load_relaxed(&hart->ipi_pending) & IPI_HALT) != 0)
        panic_halt_this_hart(NULL);
    arch_irq_restore(irq);
}

/* ---- Other harts ---- */

static void post(struct tlb_request *request, unsigned target)
{
    struct hart *hart = &harts[target];

    for (;;) {
        for (unsigned i = 0; i < TLB_INBOX_SLOTS; i++) {
            struct tlb_request *empty = NULL;
            if (atomic_load_relaxed(&hart->inbox[i]) == NULL &&
                atomic_cas(&hart->inbox[i], &empty, request))
                return;
        }
        arch_ipi_poll();
        arch_cpu_relax();
    }
}

static bool inbox_is_empty(const struct hart *hart)
{
    for (unsigned i = 0; i < TLB_INBOX_SLOTS; i++) {
        if (atomic_load(&hart->inbox[i]) != NULL)
            return false;
    }
    return true;
}

/* Interrupts off, so that the hart which answers come to stays this one. */
static void wait_for_acks(struct tlb_request *request)
{
    struct hart *hart = this_hart();

    for (unsigned spins = 0; atomic_load(&request->pending) != 0; spins++) {
        arch_ipi_poll();
        if (spins < ACK_SPINS) {
            arch_cpu_relax();
            continue;
        }
        /* The last target looks at awaits_acks after it has answered, so either it sees this or the
         * answer is seen here. */
        atomic_store(&hart->awaits_acks, 1);
        if (atomic_load(&request->pending) != 0 && inbox_is_empty(hart))
            arch_wait_for_interrupt();
        atomic_store(&hart->awaits_acks, 0);
        ipi_receive_while_waiting();
    }
}

static void ask_and_wait(struct tlb_request *request, hart_mask_t targets)
{
    irq_state_t irq = arch_irq_save();

    request->initiator = arch_hart_index();
    atomic_store(&request->pending, targets);
    for (hart_mask_t left = targets; left != 0; left &= left - 1)
        post(request, lowest_bit(left));
    arch_ipi_send(targets, IPI_TLB);
    wait_for_acks(request);
    arch_irq_restore(irq);
}

/* Marks in *stale the harts that need not act now; returns those that must. */
static hart_mask_t harts_to_ask(struct arch_aspace *aspace, hart_mask_t *stale)
{
    hart_mask_t active = atomic_load(&aspace->active);

    atomic_fetch_or(stale, ~active);
    atomic_fence();
    return active | atomic_load(&aspace->active);
}

static NOINLINE void fence_others(const struct tlb_batch *batch, hart_mask_t targets)
{
    struct tlb_request request = {.kind = TLB_BATCH, .batch = batch};

    HARTS_COUNT(count_remote_batches, 1);
    HARTS_COUNT(count_harts_asked, (uint64_t)__builtin_popcountll(targets));
    ask_and_wait(&request, targets);
}

void tlb_batch_finish(struct tlb_batch *batch)
{
    hart_mask_t targets, self;
    irq_state_t irq;

    if (batch->everything || batch->count_ranges > 0) {
        irq = arch_irq_save();
        self = BIT(arch_hart_index());
        atomic_fence();
        targets = harts_to_ask(batch->aspace, &batch->aspace->tlb_stale);
        if ((targets & self) != 0)
            fence_batch_here(this_hart(), batch);
        targets &= ~self;
        HARTS_COUNT(count_batches, 1);
        arch_irq_restore(irq);
        if (UNLIKELY(targets != 0))
            fence_others(batch, targets);
    }
    if (!list_is_empty(&batch->pages))
        pmm_put_list(&batch->pages);
    batch->count_ranges = 0;
    batch->everything = false;
}

void tlb_fence_kernel(void)
{
    struct tlb_request request = {.kind = TLB_KERNEL};
    irq_state_t irq = arch_irq_save();
    hart_mask_t targets = harts_started() & ~BIT(arch_hart_index());

    atomic_fence();
    sfence_all();
    HARTS_COUNT(count_full_fences, 1);
    arch_irq_restore(irq);
    if (targets != 0)
        ask_and_wait(&request, targets);
}

void mmu_sync_icache(struct arch_aspace *aspace)
{
    struct tlb_request request = {.kind = TLB_FENCE_I};
    irq_state_t irq = arch_irq_save();
    hart_mask_t targets;

    /* The code is visible to all before anybody fences: "Zifencei", second paragraph. */
    atomic_fence();
    targets = harts_to_ask(aspace, &aspace->icache_stale) & ~BIT(arch_hart_index());
    fence_i();
    HARTS_COUNT(count_icache_syncs, 1);
    arch_irq_restore(irq);
    if (targets != 0)
        ask_and_wait(&request, targets);
}

/* A fence of one address covers the leaf only. If the same access faults again, a new table may be
 * what the hart has not seen. */
void mmu_fence_local(struct arch_aspace *aspace, vaddr_t va, uint32_t access)
{
    irq_state_t irq = arch_irq_save();
    struct hart *hart = this_hart();

    if (hart->aspace == aspace) {
        if (hart->resolved_fault == (va | access))
            sfence_all();
        else
            sfence_page(va);
        hart->resolved_fault = va | access;
    }
    arch_irq_restore(irq);
}

/* ---- Switching ---- */

static void load_kernel_root(struct hart *hart)
{
    csr_write(satp, kernel_satp());
    /* Without ASIDs nothing may stay of tables that are free to go from here on. */
    if (hart->asid_max == 0) {
        sfence_all();
        HARTS_COUNT(count_switch_fences, 1);
    }
}

/* The hart has been announced in aspace->active. */
static void load_and_fence(struct hart *hart, struct arch_aspace *aspace, hart_mask_t self)
{
    bool fence_everything;
    uint64_t asid = asid_for_switch(hart, aspace, &fence_everything);
    bool is_stale = (atomic_load_relaxed(&aspace->tlb_stale) & self) != 0;

    if (is_stale)
        atomic_fetch_and(&aspace->tlb_stale, ~self);
    csr_write(satp, tlb_satp(aspace, asid));
    if (fence_everything)
        sfence_all();
    else if (is_stale)
        sfence_asid(asid);
    if (fence_everything || is_stale)
        HARTS_COUNT(count_switch_fences, 1);
    if ((atomic_load_relaxed(&aspace->icache_stale) & self) != 0) {
        atomic_fetch_and(&aspace->icache_stale, ~self);
        fence_i();
    }
}

void tlb_switch_slow(struct hart *hart, struct arch_aspace *next)
{
    if (next != NULL)
        load_and_fence(hart, next, BIT(hart - harts));
    else
        load_kernel_root(hart);
    tlb_leave(hart, next, hart - harts);
}

/* ---- Statistics ---- */

void mmu_get_tlb_stats(struct mmu_tlb_stats *out)
{
    uint64_t *sum = (uint64_t *)out;

    for (unsigned field = 0; field < sizeof(*out) / sizeof(*sum); field++) {
        sum[field] = 0;
        for (unsigned i = 0; i < MAX_HARTS; i++)
            sum[field] += atomic_load_relaxed((uint64_t *)&harts[i].stats + field);
    }
}
