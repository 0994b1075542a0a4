/* The fake machine: physical memory, harts, interrupts, failure injection. */
#define _GNU_SOURCE
#include "tests/host/fake_arch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/atomic.h"

uintptr_t fake_linear_offset;
uintptr_t fake_page_array_base;
_Thread_local bool fake_irqs_enabled = true;
_Thread_local unsigned fake_hart_index;
struct fake_counters fake_counters;

uint64_t fake_arena_bytes;

static unsigned hart_count = 4;
static uint64_t fail_countdown;
static bool fail_happened;

static void *map_or_die(void *at, size_t len_bytes, int prot, int flags)
{
    void *mem =
        mmap(at, len_bytes, prot, flags | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mem == MAP_FAILED) {
        perror("fake_arch: mmap");
        abort();
    }
    return mem;
}

static void fill_with_garbage(uint64_t *words, uint64_t len_bytes)
{
    for (uint64_t i = 0; i < len_bytes / sizeof(*words); i++)
        words[i] = 0xa5a5a5a5a5a5a5a5ull ^ i;
}

void fake_arena_create(uint64_t len_bytes)
{
    uint64_t *arena;

    if (fake_arena_bytes != 0)
        panic("fake_arena_create: second call");
    /* Private mappings: what a child process does to them does not reach its parent. */
    arena = map_or_die(NULL, len_bytes, PROT_READ | PROT_WRITE, 0);
    fake_arena_bytes = len_bytes;
    fake_linear_offset = (uintptr_t)arena - FAKE_PHYS_BASE;
    fake_page_array_base = (uintptr_t)map_or_die(NULL, PAGE_ARRAY_MAX_BYTES, PROT_NONE, 0);
    /* Memory is garbage when a machine starts: zeros would hide missing initialisation. */
    fill_with_garbage(arena, len_bytes);
}

/* ---- Threads of the machine -------------------------------------------------------------------
 */

void fake_set_hart(unsigned hart_index)
{
    fake_hart_index = hart_index;
}

void fake_set_hart_count(unsigned count)
{
    hart_count = count;
}

unsigned arch_hart_count(void)
{
    return hart_count;
}

uint64_t arch_hart_id(unsigned hart_index)
{
    return hart_index;
}

void arch_ipi_send(hart_mask_t harts, enum ipi_kind kind)
{
    (void)harts;
    (void)kind;
    atomic_fetch_add_relaxed(&fake_counters.ipis, 1);
}

void arch_ipi_poll(void)
{
}

uint64_t arch_boot_instructions(void)
{
    return 0;
}

uint64_t arch_ticks(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

void arch_timer_set(uint64_t deadline_ticks)
{
    (void)deadline_ticks;
}

void fake_get_counters(struct fake_counters *out)
{
    *out = fake_counters;
}

/* ---- Failure ----------------------------------------------------------------------------------
 */

void fake_fail_after(uint64_t nth)
{
    atomic_store(&fail_happened, false);
    atomic_store(&fail_countdown, nth);
}

bool fake_fail_stop(void)
{
    atomic_store(&fail_countdown, 0);
    return atomic_load(&fail_happened);
}

bool arch_inject_failure(void)
{
    uint64_t left = atomic_load(&fail_countdown);

    while (left != 0) {
        if (atomic_cas(&fail_countdown, &left, left - 1)) {
            if (left != 1)
                return false;
            atomic_store(&fail_happened, true);
            return true;
        }
    }
    return false;
}

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fputs("panic: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    fflush(NULL);
    va_end(args);
    _exit(FAKE_PANIC_STATUS);
}

/* Weak: a test of the kernel's own log links the real one. */
__attribute__((weak)) void kprintf(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
}

static int run_in_child(void (*fn)(void *arg), void *arg)
{
    int status = -1;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        fn(arg);
        fflush(NULL);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        abort();
    return status;
}

bool fake_panics(void (*fn)(void *arg), void *arg)
{
    int status = run_in_child(fn, arg);
    return WIFEXITED(status) && WEXITSTATUS(status) == FAKE_PANIC_STATUS;
}

bool fake_runs(void (*fn)(void *arg), void *arg)
{
    int status = run_in_child(fn, arg);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- Kernel address space ----------------------------------------------------------------------
 */

void arch_page_zero(void *page)
{
    memset(page, 0, PAGE_SIZE_BYTES);
}

static void (*page_copy_hook)(void);

void fake_set_page_copy_hook(void (*fn)(void))
{
    page_copy_hook = fn;
}

void arch_page_copy(void *dst, const void *src)
{
    memcpy(dst, src, PAGE_SIZE_BYTES);
    if (page_copy_hook != NULL)
        page_copy_hook();
}

void arch_vm_init(const struct ram_range *banks, size_t count_banks,
                  paddr_t (*carve)(void *ctx, size_t count_pages), void *ctx)
{
    (void)banks;
    (void)count_banks;
    (void)carve;
    (void)ctx;
}

void arch_map_page_array(vaddr_t va, paddr_t pa, uint64_t len_bytes,
                         paddr_t (*carve)(void *ctx, size_t count_pages), void *ctx)
{
    (void)carve;
    (void)ctx;
    if (va < PAGE_ARRAY_BASE || va + len_bytes > PAGE_ARRAY_BASE + PAGE_ARRAY_MAX_BYTES)
        panic("arch_map_page_array: %#lx is outside the range for struct page", va);
    if (pa < FAKE_PHYS_BASE || len_bytes > fake_arena_bytes - (pa - FAKE_PHYS_BASE))
        panic("arch_map_page_array: %#lx is not memory", pa);
    /* Nobody looks at the frames under the array through the linear map, so it need not alias. */
    fill_with_garbage(map_or_die((void *)va, len_bytes, PROT_READ | PROT_WRITE, MAP_FIXED),
                      len_bytes);
}

void *arch_kernel_stack_alloc(void)
{
    return malloc(KERNEL_STACK_BYTES);
}

void arch_kernel_stack_free(void *stack)
{
    free(stack);
}

__attribute__((weak)) zx_status_t upcall_page_fault(vaddr_t addr, uint32_t access)
{
    (void)addr;
    (void)access;
    return ZX_ERR_NOT_FOUND;
}
