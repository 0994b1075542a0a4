/* The log's account of a process that dies of an exception. tools/symbolize.py turns the lines of
 * its backtrace into functions and source lines. */
#include <zircon/syscalls/debug.h>
#include <zircon/syscalls/exception.h>

#include "arch/arch.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/log.h"
#include "kernel/object/exception_internal.h"
#include "kernel/object/process.h"
#include "kernel/sched/mutex.h"
#include "kernel/vm/aspace.h"

/* Calls that a backtrace goes back, and bytes of the stack that are searched for more. */
#define BACKTRACE_MAX 32u
#define SEARCH_BYTES  4096u

/* One report at a time; user memory is read under it. */
static struct mutex report_lock = MUTEX_INIT(report_lock, LOCK_RANK_PROCESS);

/* Supervisor cause register values: RISC-V Privileged Architecture, table of scause. */
#define CAUSE_FETCH_PAGE_FAULT 12u
#define CAUSE_LOAD_PAGE_FAULT  13u
#define CAUSE_STORE_PAGE_FAULT 15u

static const char *type_name(uint32_t type)
{
    switch (type) {
    case ZX_EXCP_FATAL_PAGE_FAULT:
        return "page fault";
    case ZX_EXCP_UNDEFINED_INSTRUCTION:
        return "undefined instruction";
    case ZX_EXCP_SW_BREAKPOINT:
        return "breakpoint";
    case ZX_EXCP_UNALIGNED_ACCESS:
        return "unaligned access";
    default:
        return "exception";
    }
}

static const char *access_name(uint64_t cause)
{
    switch (cause) {
    case CAUSE_FETCH_PAGE_FAULT:
        return "execute";
    case CAUSE_LOAD_PAGE_FAULT:
        return "read";
    case CAUSE_STORE_PAGE_FAULT:
        return "write";
    default:
        return "-";
    }
}

static const char *status_meaning(zx_status_t status)
{
    switch (status) {
    case ZX_ERR_NOT_FOUND:
        return "nothing mapped there";
    case ZX_ERR_ACCESS_DENIED:
        return "the mapping does not allow it";
    case ZX_ERR_OUT_OF_RANGE:
        return "past the end of the VMO";
    case ZX_ERR_NO_MEMORY:
        return "out of memory";
    default:
        return "-";
    }
}

/* Registers x1..x31 in the order of the ABI's structure, four a line. */
static void print_registers(const struct zx_riscv64_thread_state_general_regs *regs)
{
    static const char names[32][4] = {"pc", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
                                      "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
                                      "a6", "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
                                      "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
    const uint64_t *values = &regs->pc;

    for (unsigned i = 0; i < ARRAY_COUNT(names); i += 4)
        kprintf("    %3s %016lx  %3s %016lx  %3s %016lx  %3s %016lx", names[i], values[i],
                names[i + 1], values[i + 1], names[i + 2], values[i + 2], names[i + 3],
                values[i + 3]);
}

/* ---- Addresses ------------------------------------------------------------------------------- */

static void print_place(struct aspace *aspace, vaddr_t addr)
{
    static const char *const relations[] = {
        [ASPACE_INSIDE] = "into", [ASPACE_ABOVE] = "above", [ASPACE_BELOW] = "below"};
    struct aspace_place place;
    enum aspace_relation relation = aspace_describe(aspace, addr, &place);

    if (relation == ASPACE_NOTHING) {
        kprintf("    no mapping at all");
        return;
    }
    vaddr_t end = place.base + place.size_bytes;
    uint64_t distance = relation == ASPACE_BELOW   ? place.base - addr
                        : relation == ASPACE_ABOVE ? addr - end
                                                   : addr - place.base;
    kprintf("    %s%lu bytes %s %#lx-%#lx %c%c%c \"%s\"",
            relation == ASPACE_INSIDE ? "" : "unmapped; nearest: ", distance, relations[relation],
            place.base, end, place.perms & ZX_VM_PERM_READ ? 'r' : '-',
            place.perms & ZX_VM_PERM_WRITE ? 'w' : '-',
            place.perms & ZX_VM_PERM_EXECUTE ? 'x' : '-', place.name);
}

/* ---- Backtrace ------------------------------------------------------------------------------- */

/* True if |pc| is code; then prints it as the next call, with its distance from the start of the
 * program or library that it belongs to. */
static bool print_call(struct aspace *aspace, unsigned index, vaddr_t pc)
{
    struct aspace_place place;

    /* A return address may be the first one behind the last function. */
    if (aspace_describe(aspace, index == 0 ? pc : pc - 1, &place) != ASPACE_INSIDE ||
        !(place.perms & ZX_VM_PERM_EXECUTE))
        return false;
    kprintf("    #%-2u %016lx %s+%#lx", index, pc, place.name, pc - place.region_base);
    return true;
}

/* What a frame pointer points behind. */
struct frame_record {
    uint64_t caller_fp, return_address;
};

static bool read_record(vaddr_t fp, struct frame_record *out)
{
    return fp > sizeof(*out) && is_aligned(fp, sizeof(fp)) &&
           arch_copy_from_user(out, fp - sizeof(*out), sizeof(*out)) == ZX_OK;
}

/* True if the instruction in front of |pc| puts |pc| into ra: jal or jalr with rd = ra, or c.jalr
 * ("RV32I Base Integer Instruction Set" and "C Extension", their listings of encodings). */
static bool follows_call(vaddr_t pc)
{
    uint16_t half[2];
    if (!is_aligned(pc, 2) || arch_copy_from_user(half, pc - sizeof(half), sizeof(half)) != ZX_OK)
        return false;
    uint32_t word = (uint32_t)half[1] << 16 | half[0];
    return (word & 0xfff) == 0x0ef || (word & 0x7fff) == 0x0e7 ||
           ((half[1] & 0xf07f) == 0x9002 && (half[1] & 0x0f80) != 0);
}

/* Programs without frame pointers: what lies on the stack and is a return address. Some of them may
 * be of calls that are over. */
static void print_stack_calls(struct aspace *aspace, vaddr_t sp, unsigned count)
{
    vaddr_t word;
    kprintf("    from the stack, perhaps:");
    for (vaddr_t at = round_up(sp, sizeof(word)); at < sp + SEARCH_BYTES && count < BACKTRACE_MAX;
         at += sizeof(word)) {
        if (arch_copy_from_user(&word, at, sizeof(word)) != ZX_OK)
            break;
        if (follows_call(word))
            count += print_call(aspace, count, word);
    }
}

/* Follows the frame pointers of GCC and Clang: the return address lies at fp - 8, the caller's
 * frame pointer at fp - 16; a function that calls nothing keeps only the latter, at fp - 8, and its
 * return address in ra. The vDSO's functions have no frames. The outermost frame pointer is 0.
 * Nothing here is believed: memory is read as any user memory is, frames must go up, and return
 * addresses must be code behind a call. */
static void print_backtrace(struct process *process,
                            const struct zx_riscv64_thread_state_general_regs *regs)
{
    struct aspace *aspace = process->aspace;
    struct frame_record record = {.caller_fp = UINT64_MAX};
    vaddr_t fp = regs->s0;
    unsigned count = 1;

    bool is_code = print_call(aspace, 0, regs->pc);
    if (!is_code)
        kprintf("    #0  %016lx no code", regs->pc);
    if (!is_code || regs->pc - process->window.base < process->window.len_bytes)
        count += print_call(aspace, count, regs->ra);
    while (count < BACKTRACE_MAX && read_record(fp, &record)) {
        if (follows_call(record.return_address) &&
            print_call(aspace, count, record.return_address)) {
            count++;
        } else if (count == 1 && record.return_address > fp &&
                   print_call(aspace, count, regs->ra)) {
            count++;
            record.caller_fp = record.return_address;
        } else {
            record.caller_fp = UINT64_MAX;
            break;
        }
        if (record.caller_fp <= fp)
            break;
        fp = record.caller_fp;
    }
    if (count < BACKTRACE_MAX && record.caller_fp != 0)
        print_stack_calls(aspace, regs->sp, count);
}

static void print_state(struct user_thread *thread)
{
    struct zx_riscv64_thread_state_general_regs regs;

    arch_get_user_regs(&thread->thread.arch, &regs);
    print_registers(&regs);
    print_backtrace(thread->process, &regs);
}

/* ---- Reports --------------------------------------------------------------------------------- */

void exception_print(struct user_thread *thread, const struct arch_exception *exception)
{
    struct process *process = thread->process;

    mutex_lock(&report_lock);
    kprintf("unhandled %s: process %lu \"%s\", thread %lu \"%s\"", type_name(exception->zx_type),
            process->object.koid, process->name, thread->object.koid, thread->thread.name);
    if (exception->zx_type == ZX_EXCP_FATAL_PAGE_FAULT) {
        kprintf("    %s at %#lx: %s (status %d)", access_name(exception->cause), exception->tval,
                status_meaning(exception->fault_status), exception->fault_status);
        print_place(process->aspace, exception->tval);
    }
    kprintf("    pc %#lx, cause %lu, value %#lx", exception->pc, exception->cause, exception->tval);
    print_state(thread);
    mutex_unlock(&report_lock);
}

void exception_print_synthetic(struct user_thread *thread, const zx_exception_report_t *report)
{
    struct process *process = thread->process;

    mutex_lock(&report_lock);
    kprintf("unhandled policy error (code %u, data %#x): process %lu \"%s\", thread %lu \"%s\"",
            report->context.synth_code, report->context.synth_data, process->object.koid,
            process->name, thread->object.koid, thread->thread.name);
    print_state(thread);
    mutex_unlock(&report_lock);
}
