/* Commands to the kernel of a debug build; a release build takes none.
 *   inject each|off        allocations fail: kernel/sched/inject.h
 *   inject random N        one in N, in all processes but the caller's
 *   check                  the kernel looks over its own books, and panics if they are wrong
 *   mark, compare          heap objects of each kind; compare logs the kinds that have grown */
#include "kernel/lib/bootargs.h"
#include "kernel/lib/string.h"
#include "kernel/object/resource.h"
#include "kernel/object/self_check.h"
#include "kernel/sched/inject.h"
#include "kernel/sched/thread.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/syscall/user.h"

#ifdef DEBUG

#define COMMAND_BYTES 64u
#define WORD_BYTES    16u

static zx_status_t command_inject(const char **cursor)
{
    char word[WORD_BYTES];
    uint32_t one_in = 0;

    if (!bootargs_next(cursor, word, sizeof(word)))
        return ZX_ERR_INVALID_ARGS;
    if (strcmp(word, "off") == 0) {
        inject_set_mode(INJECT_OFF, 0, NULL);
        return ZX_OK;
    }
    if (strcmp(word, "each") == 0) {
        inject_set_mode(INJECT_EACH, 0, NULL);
        return ZX_OK;
    }
    if (strcmp(word, "random") != 0 || !bootargs_next(cursor, word, sizeof(word)))
        return ZX_ERR_INVALID_ARGS;
    for (const char *digit = word; *digit >= '0' && *digit <= '9' && one_in < 1000000; digit++)
        one_in = one_in * 10 + (uint32_t)(*digit - '0');
    if (one_in == 0)
        return ZX_ERR_INVALID_ARGS;
    inject_set_mode(INJECT_RANDOM, one_in, thread_current()->handles);
    return ZX_OK;
}

static zx_status_t run_command(const char *command)
{
    const char *cursor = command;
    char word[WORD_BYTES];

    if (!bootargs_next(&cursor, word, sizeof(word)))
        return ZX_ERR_INVALID_ARGS;
    if (strcmp(word, "inject") == 0)
        return command_inject(&cursor);
    if (strcmp(word, "check") == 0) {
        self_check();
        return ZX_OK;
    }
    if (strcmp(word, "mark") == 0) {
        self_check_mark();
        return ZX_OK;
    }
    if (strcmp(word, "compare") == 0)
        return self_check_compare() ? ZX_OK : ZX_ERR_BAD_STATE;
    return ZX_ERR_INVALID_ARGS;
}

zx_status_t sys_debug_send_command(zx_handle_t handle, const char *buffer, size_t buffer_size)
{
    char command[COMMAND_BYTES];
    zx_status_t status = resource_check_system(handle, ZX_RSRC_SYSTEM_DEBUG_BASE);
    if (status != ZX_OK)
        return status;
    if (buffer_size >= sizeof(command))
        return ZX_ERR_INVALID_ARGS;
    status = user_copy_in(command, buffer, buffer_size);
    if (status != ZX_OK)
        return status;
    command[buffer_size] = '\0';
    return run_command(command);
}

#endif
