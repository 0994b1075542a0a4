/* The host tests' implementation of what kernel/include/arch/arch.h asks of an architecture. The
 * controls that tests use are in tests/host/fake_arch.h. */
#pragma once

#include "kernel/lib/compiler.h"

typedef unsigned long irq_state_t;

struct arch_thread {
    void *kernel_sp;
    uint32_t work_pending;
    uint32_t hart_index;
};

/* Three levels of tables in pages of the pmm, as Sv39 has them. */
struct arch_aspace {
    uint64_t *root;
    hart_mask_t active_harts; /* atomic: harts on which it is the current address space */
    uint64_t count_tables;    /* under the tables' lock */
};

/* Physical memory is [FAKE_PHYS_BASE, + the arena's size); fake_linear_offset leads to it. */
#define FAKE_PHYS_BASE 0x80000000ul
extern uintptr_t fake_linear_offset;

/* Where struct page lives: a range of addresses that arch_map_page_array fills. */
extern uintptr_t fake_page_array_base;
#define PAGE_ARRAY_BASE      ((vaddr_t)fake_page_array_base)
#define PAGE_ARRAY_MAX_BYTES (1ul << 30)

extern _Thread_local bool fake_irqs_enabled;
extern _Thread_local unsigned fake_hart_index;

static inline irq_state_t arch_irq_save(void)
{
    irq_state_t state = fake_irqs_enabled;
    fake_irqs_enabled = false;
    return state;
}

static inline void arch_irq_restore(irq_state_t state)
{
    fake_irqs_enabled = state != 0;
}

static inline bool arch_irq_state_is_enabled(irq_state_t state)
{
    return state != 0;
}

static inline void arch_irq_enable(void)
{
    fake_irqs_enabled = true;
}

static inline void arch_irq_disable(void)
{
    fake_irqs_enabled = false;
}

static inline bool arch_irq_is_enabled(void)
{
    return fake_irqs_enabled;
}

static inline unsigned arch_hart_index(void)
{
    return fake_hart_index;
}

struct thread *arch_current_thread(void);

static inline uint32_t arch_fetch_add_u32(uint32_t *word, uint32_t value)
{
    return __atomic_fetch_add(word, value, __ATOMIC_ACQ_REL);
}

/* Lock words: 0, or one more than the holder's hart. */
static inline uintptr_t arch_lock_holder(void)
{
    return fake_hart_index + 1;
}

static inline bool arch_lock_try(uintptr_t *word)
{
    uintptr_t nobody = 0;
    return __atomic_compare_exchange_n(word, &nobody, arch_lock_holder(), false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static inline void arch_lock_release(uintptr_t *word)
{
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
}

/* Mutexes always take the slow way here, which is on pthreads. */
static inline bool arch_mutex_try(uintptr_t *word)
{
    (void)word;
    return false;
}

static inline bool arch_mutex_release(uintptr_t *word)
{
    (void)word;
    return false;
}

void arch_cpu_relax(void);

uint64_t arch_ticks(void);

static inline void *phys_to_virt(paddr_t pa)
{
    return (void *)(pa + fake_linear_offset);
}

static inline paddr_t virt_to_phys(const void *va)
{
    return (uintptr_t)va - fake_linear_offset;
}

/* Plain memory accesses in fake_mmio.c; a test with a device model defines its own. */
uint32_t arch_mmio_read8(const volatile void *reg);
uint32_t arch_mmio_read16(const volatile void *reg);
uint32_t arch_mmio_read32(const volatile void *reg);
void arch_mmio_write8(volatile void *reg, uint32_t value);
void arch_mmio_write16(volatile void *reg, uint32_t value);
void arch_mmio_write32(volatile void *reg, uint32_t value);

/* ASan learns which memory nobody may touch. */
#if defined(__SANITIZE_ADDRESS__)
#define FAKE_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FAKE_HAS_ASAN 1
#endif
#endif

#ifdef FAKE_HAS_ASAN
void __asan_poison_memory_region(const volatile void *addr, size_t len_bytes);
void __asan_unpoison_memory_region(const volatile void *addr, size_t len_bytes);

static inline void arch_memory_poison(const void *addr, size_t len_bytes)
{
    __asan_poison_memory_region(addr, len_bytes);
}

static inline void arch_memory_unpoison(const void *addr, size_t len_bytes)
{
    __asan_unpoison_memory_region(addr, len_bytes);
}
#else
static inline void arch_memory_poison(const void *addr, size_t len_bytes)
{
    (void)addr;
    (void)len_bytes;
}

static inline void arch_memory_unpoison(const void *addr, size_t len_bytes)
{
    (void)addr;
    (void)len_bytes;
}
#endif

/* True when a test wants the allocation that is being made to fail. */
bool arch_inject_failure(void);
