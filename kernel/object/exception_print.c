/* The log's account of a process that dies of an exception. */
#include <zircon/syscalls/debug.h>
#include <zircon/syscalls/exception.h>

#include "kernel/lib/log.h"
#include "kernel/object/exception_internal.h"
#include "kernel/object/process.h"

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

void exception_print(struct user_thread *thread, const struct arch_exception *exception)
{
    struct zx_riscv64_thread_state_general_regs regs;
    struct process *process = thread->process;

    kprintf("unhandled %s: process %lu \"%s\", thread %lu \"%s\"", type_name(exception->zx_type),
            process->object.koid, process->name, thread->object.koid, thread->thread.name);
    if (exception->zx_type == ZX_EXCP_FATAL_PAGE_FAULT)
        kprintf("    %s at %#lx: %s (status %d)", access_name(exception->cause), exception->tval,
                status_meaning(exception->fault_status), exception->fault_status);
    kprintf("    pc %#lx, cause %lu, value %#lx", exception->pc, exception->cause, exception->tval);
    arch_get_user_regs(&thread->thread.arch, &regs);
    print_registers(&regs);
}

void exception_print_synthetic(struct user_thread *thread, const zx_exception_report_t *report)
{
    struct process *process = thread->process;

    kprintf("unhandled policy error (code %u, data %#x): process %lu \"%s\", thread %lu \"%s\"",
            report->context.synth_code, report->context.synth_data, process->object.koid,
            process->name, thread->object.koid, thread->thread.name);
}
