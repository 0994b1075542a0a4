// Acts that a job's policy may forbid. Each does one thing and ends with its status, negated.
#include "userland/programs/conformance_child/policy.h"

#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/object.h>

#define PAGE ((size_t)ZX_PAGE_SIZE)

static zx_status_t use_bad_handle(void)
{
    return zx_object_signal(0x7ffffff3, 0, 0);
}

static zx_status_t duplicate_bad_handle(void)
{
    zx_handle_t out;
    return zx_handle_duplicate(0x7ffffff3, ZX_RIGHT_SAME_RIGHTS, &out);
}

static zx_status_t ask_about_bad_handle(void)
{
    return zx_object_get_info(0x7ffffff3, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL);
}

static zx_status_t use_wrong_object(void)
{
    return zx_task_kill(zx_vmar_root_self());
}

static zx_status_t map_writable_code(void)
{
    return zx_vmar_protect(zx_vmar_root_self(),
                           ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE, 0, PAGE);
}

static zx_status_t new_vmo(void)
{
    zx_handle_t out;
    return zx_vmo_create(PAGE, 0, &out);
}

static zx_status_t new_channel(void)
{
    zx_handle_t out[2];
    return zx_channel_create(0, &out[0], &out[1]);
}

static zx_status_t new_event(void)
{
    zx_handle_t out;
    return zx_event_create(0, &out);
}

static zx_status_t new_eventpair(void)
{
    zx_handle_t out[2];
    return zx_eventpair_create(0, &out[0], &out[1]);
}

static zx_status_t new_port(void)
{
    zx_handle_t out;
    return zx_port_create(0, &out);
}

static zx_status_t new_iob(void)
{
    zx_handle_t ends[2];
    zx_iob_region_t region = {
        .access = ZX_IOB_ACCESS_EP0_CAN_MAP_READ | ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE,
        .size = ZX_PAGE_SIZE,
    };

    return zx_iob_create(0, &region, 1, &ends[0], &ends[1]);
}

static zx_status_t new_shared_region(void)
{
    zx_handle_t out;
    return zx_iob_create_shared_region(0, ZX_PAGE_SIZE, &out);
}

static zx_status_t new_fifo(void)
{
    zx_handle_t out[2];
    return zx_fifo_create(4, 4, 0, &out[0], &out[1]);
}

static zx_status_t new_socket(void)
{
    zx_handle_t out[2];
    return zx_socket_create(ZX_SOCKET_STREAM, &out[0], &out[1]);
}

static zx_status_t new_timer(void)
{
    zx_handle_t out;
    return zx_timer_create(0, ZX_CLOCK_MONOTONIC, &out);
}

static zx_status_t new_process(void)
{
    zx_handle_t out[2];
    return zx_process_create(zx_job_default(), "x", 1, 0, &out[0], &out[1]);
}

static zx_status_t set_timer_slack(void)
{
    zx_info_timer_t info;
    zx_handle_t timer;
    zx_status_t status = zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer);
    if (status == ZX_OK)
        status = zx_timer_set(timer, zx_deadline_after(ZX_SEC(60)), 1);
    if (status == ZX_OK)
        status = zx_object_get_info(timer, ZX_INFO_TIMER, &info, sizeof(info), NULL, NULL);
    return status == ZX_OK ? -(zx_status_t)info.slack : status;
}

static zx_status_t raise_user_exception(void)
{
    zx_exception_context_t context = {.synth_code = 0x1234, .synth_data = 0x5678};
    return zx_thread_raise_exception(ZX_EXCEPTION_TARGET_JOB_DEBUGGER, ZX_EXCP_USER, &context);
}

static const struct {
    const char *name;
    zx_status_t (*run)(void);
} acts[] = {
    {"bad-handle", use_bad_handle},
    {"ask-bad-handle", ask_about_bad_handle},
    {"duplicate-bad-handle", duplicate_bad_handle},
    {"wrong-object", use_wrong_object},
    {"writable-code", map_writable_code},
    {"new-vmo", new_vmo},
    {"new-channel", new_channel},
    {"new-event", new_event},
    {"new-eventpair", new_eventpair},
    {"new-port", new_port},
    {"new-fifo", new_fifo},
    {"new-iob", new_iob},
    {"new-shared-region", new_shared_region},
    {"new-socket", new_socket},
    {"new-timer", new_timer},
    {"new-process", new_process},
    {"timer-slack", set_timer_slack},
    {"raise", raise_user_exception},
};

bool policy_act(const char *name, int *code)
{
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (strcmp(name, acts[i].name) != 0)
            continue;
        *code = -acts[i].run();
        return true;
    }
    return false;
}
