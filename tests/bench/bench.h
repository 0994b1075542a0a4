/* Measuring: instructions retired around one operation, as user mode sees them. The counter runs in
 * every mode, so an operation counts with all that the kernel and the firmware do for it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/types.h>

#define PAGE    ((size_t)ZX_PAGE_SIZE)
#define RW      (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)
#define SAMPLES 1024u /* of most operations */
#define WARM_UP 16u   /* runs before the first sample */

/* Instructions retired by this hart (unprivileged spec, "Zicntr"). */
static inline uint64_t instret(void)
{
    uint64_t count;

    __asm__ volatile("rdinstret %0" : "=r"(count)::"memory");
    return count;
}

/* One operation under measurement. prepare and tidy are not counted and may be NULL. */
struct operation {
    void (*prepare)(void *state);
    void (*run)(void *state);
    void (*tidy)(void *state);
};

struct result {
    uint64_t median, mean; /* instructions of one run, the measuring itself taken off */
};

/* Runs the operation WARM_UP + count_samples times, count_samples <= SAMPLES, and gives what a run
 * cost. In a profile (bench_is_profile) it only runs it as often as the command line asks. */
struct result measure(const struct operation *operation, void *state, unsigned count_samples);

/* Prints one row. |unit| is "instructions", "bytes" ... */
void report(const char *name, uint64_t value, uint64_t mean, const char *unit,
            const char *definition);

/* measure and report; the operation consists of |divisor| equal parts, of which one is reported. */
void bench(const char *name, const struct operation *operation, void *state, unsigned count_samples,
           unsigned divisor, const char *definition);

/* False: the command line asks for another figure alone. */
bool bench_is_wanted(const char *name);

/* Ends the program with a message unless status is ZX_OK. */
void must(zx_status_t status, const char *what);

/* The families, one file each. */
void bench_system(void);
void bench_memory(void);
void bench_faults(void);
void bench_ipc(void);
void bench_tasks(void);
void bench_sizes(void);

/* The second process of the IPC figures: serves what argv[1] names, until it is killed. */
int bench_peer(const char *service);
