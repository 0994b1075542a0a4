/* The fake machine's TLBs, one a hart, which forget nothing that is not fenced, and the accesses of
 * user code through them. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/panic.h"
#include "kernel/vm/pmm.h"
#include "tests/host/fake_arch.h"

#define BUCKETS 256u

struct tlb_entry {
    struct tlb_entry *next;
    vaddr_t va;
    paddr_t pa;
    uint32_t flags;
};

static struct tlb {
    /* Held while the hart uses a translation, so that a fence waits for it. */
    pthread_mutex_t lock;
    struct arch_aspace *aspace; /* current one; its entries are the only ones here */
    struct tlb_entry *buckets[BUCKETS];
} tlbs[MAX_HARTS];

static _Thread_local struct arch_aspace *user_aspace;
static fake_fault_fn fault_handler;

__attribute__((constructor)) static void tlbs_init(void)
{
    for (unsigned i = 0; i < MAX_HARTS; i++)
        pthread_mutex_init(&tlbs[i].lock, NULL);
}

static struct tlb_entry **tlb_find(struct tlb *tlb, vaddr_t va)
{
    struct tlb_entry **link = &tlb->buckets[(va >> PAGE_SHIFT) % BUCKETS];

    while (*link != NULL && (*link)->va != va)
        link = &(*link)->next;
    return link;
}

static void tlb_drop(struct tlb *tlb, vaddr_t va)
{
    struct tlb_entry **link = tlb_find(tlb, va);
    struct tlb_entry *entry = *link;

    if (entry != NULL) {
        *link = entry->next;
        free(entry);
    }
}

static void tlb_clear(struct tlb *tlb)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        while (tlb->buckets[i] != NULL)
            tlb_drop(tlb, tlb->buckets[i]->va);
    }
}

/* ---- Switching and fencing ---------------------------------------------------------------------
 */

static void hart_switch(unsigned hart, struct arch_aspace *next)
{
    struct tlb *tlb = &tlbs[hart];

    pthread_mutex_lock(&tlb->lock);
    if (tlb->aspace != next) {
        /* No ASIDs, as on the U74: leaving an address space forgets all of it. */
        tlb_clear(tlb);
        if (tlb->aspace != NULL)
            atomic_fetch_and(&tlb->aspace->active_harts, ~(1ull << hart));
        tlb->aspace = next;
        if (next != NULL)
            atomic_fetch_or(&next->active_harts, 1ull << hart);
    }
    pthread_mutex_unlock(&tlb->lock);
}

void fake_leave_aspaces(void)
{
    for (unsigned i = 0; i < MAX_HARTS; i++)
        hart_switch(i, NULL);
}

void tlb_batch_add_page(struct tlb_batch *batch, struct page *page)
{
    list_push_back(&batch->pages, &page->node);
}

static void hart_fence(unsigned hart, const struct tlb_batch *batch)
{
    struct tlb *tlb = &tlbs[hart];

    pthread_mutex_lock(&tlb->lock);
    if (tlb->aspace == batch->aspace && batch->everything)
        tlb_clear(tlb);
    for (uint32_t i = 0; i < batch->count_ranges && tlb->aspace == batch->aspace; i++) {
        for (uint64_t n = 0; n < batch->ranges[i].count_pages; n++)
            tlb_drop(tlb, batch->ranges[i].base + n * PAGE_SIZE_BYTES);
    }
    pthread_mutex_unlock(&tlb->lock);
}

void tlb_batch_finish(struct tlb_batch *batch)
{
    hart_mask_t harts = atomic_load(&batch->aspace->active_harts);

    ASSERT(arch_irq_is_enabled());
    if (batch->count_ranges != 0 || batch->everything || !list_is_empty(&batch->pages)) {
        atomic_fetch_add_relaxed(&fake_counters.fences, 1);
        atomic_fetch_add_relaxed(&fake_counters.ranges, batch->count_ranges);
        atomic_fetch_add_relaxed(&fake_counters.full_fences, batch->everything);
        for (unsigned hart = 0; hart < MAX_HARTS; hart++) {
            if ((harts >> hart & 1) != 0) {
                hart_fence(hart, batch);
                atomic_fetch_add_relaxed(&fake_counters.harts_fenced, 1);
            }
        }
    }
    pmm_put_list(&batch->pages);
    tlb_batch_init(batch, batch->aspace);
}

void mmu_fence_local(struct arch_aspace *aspace, vaddr_t va, uint32_t access)
{
    (void)access;
    struct tlb *tlb = &tlbs[arch_hart_index()];

    pthread_mutex_lock(&tlb->lock);
    if (tlb->aspace == aspace)
        tlb_drop(tlb, round_down(va, PAGE_SIZE_BYTES));
    pthread_mutex_unlock(&tlb->lock);
    atomic_fetch_add_relaxed(&fake_counters.local_fences, 1);
}

void mmu_sync_icache(struct arch_aspace *aspace)
{
    (void)aspace;
    atomic_fetch_add_relaxed(&fake_counters.icache_syncs, 1);
}

static bool entry_is_stale(struct arch_aspace *aspace, const struct tlb_entry *entry)
{
    paddr_t pa;
    uint32_t flags;

    return !mmu_query(aspace, entry->va, &pa, &flags) || pa != entry->pa ||
           (entry->flags & ~flags & MMU_PERM_MASK) != 0;
}

bool fake_tlb_is_consistent(const struct arch_aspace *aspace)
{
    bool consistent = true;

    for (unsigned hart = 0; hart < MAX_HARTS; hart++) {
        struct tlb *tlb = &tlbs[hart];
        pthread_mutex_lock(&tlb->lock);
        for (unsigned i = 0; tlb->aspace == aspace && i < BUCKETS; i++) {
            for (struct tlb_entry *entry = tlb->buckets[i]; entry != NULL; entry = entry->next)
                consistent = consistent && !entry_is_stale(tlb->aspace, entry);
        }
        pthread_mutex_unlock(&tlb->lock);
    }
    return consistent;
}

/* ---- Accesses ----------------------------------------------------------------------------------
 */

/* Where |pa| is on the host, if it is memory that somebody owns. */
static uint8_t *memory_at(unsigned hart, vaddr_t va, paddr_t pa)
{
    const struct ram_range *banks;
    size_t count_banks = pmm_boot_banks(&banks);

    if (pa < FAKE_PHYS_BASE || pa - FAKE_PHYS_BASE >= fake_arena_bytes)
        panic("hart %u: %#lx translates to %#lx, where nothing is", hart, va, pa);
    for (size_t i = 0; i < count_banks; i++) {
        if (pa - banks[i].base < banks[i].len_bytes && page_from_paddr(pa)->kind == PAGE_FREE)
            panic("hart %u: stale translation of %#lx leads to the free page %#lx", hart, va, pa);
    }
    return phys_to_virt(pa);
}

/* The byte that the hart reaches at |va|, or NULL: page fault. The TLB's lock is held. */
static uint8_t *tlb_translate_locked(struct tlb *tlb, vaddr_t va, uint32_t access)
{
    vaddr_t page_va = round_down(va, PAGE_SIZE_BYTES);
    struct tlb_entry **link = tlb_find(tlb, page_va);

    if (*link == NULL) {
        struct tlb_entry found = {.va = page_va};
        if (!mmu_query(tlb->aspace, page_va, &found.pa, &found.flags))
            return NULL;
        *link = malloc(sizeof(found));
        if (*link == NULL)
            abort();
        **link = found;
    }
    if ((access & ~(*link)->flags) != 0)
        return NULL;
    return memory_at((unsigned)(tlb - tlbs), va, (*link)->pa) + (va & PAGE_MASK);
}

/* Runs |len_bytes| (inside one page) between |buffer| and user memory. */
static bool user_access(struct arch_aspace *aspace, vaddr_t va, uint32_t access, void *buffer,
                        size_t len_bytes)
{
    struct tlb *tlb = &tlbs[arch_hart_index()];
    uint8_t *at;

    hart_switch(arch_hart_index(), aspace);
    pthread_mutex_lock(&tlb->lock);
    at = tlb_translate_locked(tlb, va, access);
    if (at != NULL && (access & MMU_PERM_WRITE) != 0)
        memcpy(at, buffer, len_bytes);
    else if (at != NULL && (access & MMU_PERM_READ) != 0)
        memcpy(buffer, at, len_bytes);
    pthread_mutex_unlock(&tlb->lock);
    return at != NULL;
}

bool fake_user_read(struct arch_aspace *aspace, vaddr_t va, uint8_t *out)
{
    return user_access(aspace, va, MMU_PERM_READ, out, 1);
}

bool fake_user_write(struct arch_aspace *aspace, vaddr_t va, uint8_t value)
{
    return user_access(aspace, va, MMU_PERM_WRITE, &value, 1);
}

bool fake_user_exec(struct arch_aspace *aspace, vaddr_t va)
{
    return user_access(aspace, va, MMU_PERM_EXEC, NULL, 1);
}

/* ---- User copies -------------------------------------------------------------------------------
 */

void fake_set_user_aspace(struct arch_aspace *aspace)
{
    user_aspace = aspace;
}

void fake_set_fault_handler(fake_fault_fn fn)
{
    fault_handler = fn;
}

static zx_status_t user_copy(uintptr_t user, void *kernel, size_t len_bytes, uint32_t access)
{
    ASSERT(arch_irq_is_enabled());
    if (user_aspace == NULL) {
        if (user == 0 && len_bytes != 0)
            return ZX_ERR_INVALID_ARGS;
        if (access == MMU_PERM_WRITE)
            memcpy((void *)user, kernel, len_bytes);
        else
            memcpy(kernel, (void *)user, len_bytes);
        return ZX_OK;
    }
    if (len_bytes == 0)
        return ZX_OK;
    if (!user_range_is_valid(user, len_bytes))
        return ZX_ERR_INVALID_ARGS;
    while (len_bytes > 0) {
        size_t piece = MIN(len_bytes, PAGE_SIZE_BYTES - (user & PAGE_MASK));
        while (!user_access(user_aspace, user, access, kernel, piece)) {
            fake_fault_fn resolve = fault_handler != NULL ? fault_handler : upcall_page_fault;
            if (resolve(user, access) != ZX_OK)
                return ZX_ERR_INVALID_ARGS;
        }
        user += piece;
        kernel = (char *)kernel + piece;
        len_bytes -= piece;
    }
    return ZX_OK;
}

zx_status_t arch_copy_from_user(void *dst, uintptr_t src_user, size_t len_bytes)
{
    return user_copy(src_user, dst, len_bytes, MMU_PERM_READ);
}

zx_status_t arch_copy_to_user(uintptr_t dst_user, const void *src, size_t len_bytes)
{
    return user_copy(dst_user, (void *)(uintptr_t)src, len_bytes, MMU_PERM_WRITE);
}

zx_status_t arch_store_user_u32(uintptr_t dst_user, uint32_t value)
{
    return arch_copy_to_user(dst_user, &value, sizeof(value));
}

zx_status_t arch_load_user_u32(uintptr_t src_user, uint32_t *out)
{
    if (!is_aligned(src_user, sizeof(*out)))
        return ZX_ERR_INVALID_ARGS;
    return arch_copy_from_user(out, src_user, sizeof(*out));
}

zx_status_t arch_load_user_u32_nofault(uintptr_t src_user, uint32_t *out)
{
    if (!is_aligned(src_user, sizeof(*out)) || src_user == 0)
        return ZX_ERR_INVALID_ARGS;
    if (user_aspace == NULL) {
        *out = atomic_load((const uint32_t *)src_user);
        return ZX_OK;
    }
    return user_access(user_aspace, src_user, MMU_PERM_READ, out, sizeof(*out))
               ? ZX_OK
               : ZX_ERR_SHOULD_WAIT;
}
