#include "kernel/syscall/inject_call.h"

#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/lib/log.h"
#include "kernel/sched/inject.h"
#include "kernel/sched/thread.h"
#include "kernel/syscall/syscalls.h"

#ifdef DEBUG

#define SYSCALL(number, name, ...)          NUMBER_##name = (number),
#define SYSCALL_VOID(number, name, ...)     NUMBER_##name = (number),
#define SYSCALL_NORETURN(number, name, ...) NUMBER_##name = (number),
enum call_number {
#include <zircon/syscalls.def>
    COUNT_CALLS
};

/* After so many refusals in a row the steps grow: a call that commits thousands of pages would be
 * made thousands of times. */
#define EVERY_ONE_UP_TO 48u

static uint64_t statuses_seen[COUNT_CALLS][2]; /* atomic: bit -status, for those above -128 */

static void note_status(uint32_t number, uint64_t nth, zx_status_t status, const uint64_t regs[8])
{
    unsigned bit = (unsigned)-status % 128;
    uint64_t mask = 1ul << bit % 64;

    if (status == ZX_ERR_NO_MEMORY ||
        (atomic_fetch_or(&statuses_seen[number][bit / 64], mask) & mask) != 0)
        return;
    kprintf("inject: %s answers %d when allocation %lu is refused (%#lx, %#lx, %#lx)",
            syscall_name(number), status, nth, regs[0], regs[1], regs[2]);
}

/* Calls that a caller cannot simply make again after a failure: they have taken his handles, or
 * end him. */
static bool may_repeat(uint32_t number, const uint64_t regs[8])
{
    switch (number) {
    case NUMBER_channel_write:
    case NUMBER_channel_write_etc:
        return (uint32_t)regs[5] == 0;
    case NUMBER_process_start:
        return (zx_handle_t)regs[4] == ZX_HANDLE_INVALID;
    case NUMBER_channel_call:
    case NUMBER_channel_call_etc:
    case NUMBER_handle_replace:
    case NUMBER_vmo_replace_as_executable:
    case NUMBER_process_read_memory: /* a part is a success */
    case NUMBER_process_write_memory:
    case NUMBER_process_exit:
    case NUMBER_thread_exit:
    case NUMBER_cprng_draw: /* a page that it cannot write ends the caller */
    case NUMBER_debug_send_command:
        return false;
    default:
        return true;
    }
}

static uint64_t repeat_call(uint32_t number, call_fn call, const uint64_t regs[8])
{
    uint64_t result, nth = 1;

    for (;; nth += nth < EVERY_ONE_UP_TO ? 1 : nth / 4) {
        bool has_begun = inject_begin(nth);
        result = call(regs);
        if (!has_begun || !inject_end())
            return result;
        /* Any other status is the call's own: it came through without, or fails for other reasons,
         * and the caller judges that. It may have slept, so it is not made again. */
        if ((zx_status_t)result != ZX_ERR_NO_MEMORY || thread_is_killed()) {
            note_status(number, nth, (zx_status_t)result, regs);
            return result;
        }
    }
}

uint64_t inject_call(uint32_t number, call_fn call, const uint64_t regs[8])
{
    uint64_t result;

    switch (inject_mode()) {
    case INJECT_EACH:
        return may_repeat(number, regs) ? repeat_call(number, call, regs) : call(regs);
    case INJECT_RANDOM: {
        bool has_begun = inject_begin(0);
        result = call(regs);
        if (has_begun)
            (void)inject_end();
        return result;
    }
    default:
        return call(regs);
    }
}

#endif
