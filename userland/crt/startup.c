#include "userland/crt/startup.h"

#include <stdatomic.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "userland/libzx/procargs.h"

static struct {
    zx_handle_t process_self;
    zx_handle_t vmar_root_self;
    zx_handle_t job_default;
    zx_handle_t resource;
} own;

// Handles that wait to be taken. A taken slot holds ZX_HANDLE_INVALID.
static _Atomic zx_handle_t startup_handles[ZX_CHANNEL_MAX_MSG_HANDLES];
static uint32_t startup_infos[ZX_CHANNEL_MAX_MSG_HANDLES];
static uint32_t num_startup_handles;

static _Thread_local zx_handle_t thread_self;

zx_handle_t zx_process_self(void)
{
    return own.process_self;
}

zx_handle_t zx_vmar_root_self(void)
{
    return own.vmar_root_self;
}

zx_handle_t zx_job_default(void)
{
    return own.job_default;
}

zx_handle_t zx_thread_self(void)
{
    return thread_self;
}

zx_handle_t startup_resource(void)
{
    return own.resource;
}

void startup_set_thread_self(zx_handle_t thread)
{
    thread_self = thread;
}

// The library keeps the resource for the console's input, so who takes it gets a duplicate, once.
static zx_handle_t take_resource(void)
{
    static atomic_int was_taken;
    zx_handle_t handle = ZX_HANDLE_INVALID;

    if (own.resource != ZX_HANDLE_INVALID && atomic_exchange(&was_taken, 1) == 0 &&
        zx_handle_duplicate(own.resource, ZX_RIGHT_SAME_RIGHTS, &handle) != ZX_OK) {
        atomic_store(&was_taken, 0);
    }
    return handle;
}

zx_handle_t zx_take_startup_handle(uint32_t hnd_info)
{
    if (hnd_info == PA_HND(PA_RESOURCE, 0)) {
        return take_resource();
    }
    for (uint32_t i = 0; i < num_startup_handles; i++) {
        if (startup_infos[i] == hnd_info) {
            zx_handle_t handle = atomic_exchange(&startup_handles[i], ZX_HANDLE_INVALID);

            if (handle != ZX_HANDLE_INVALID) {
                return handle;
            }
        }
    }
    return ZX_HANDLE_INVALID;
}

size_t startup_message_bytes(zx_handle_t bootstrap)
{
    uint32_t bytes = 0;
    uint32_t handles = 0;
    zx_status_t status;

    if (bootstrap == ZX_HANDLE_INVALID) {
        return 0;
    }
    status = zx_channel_read(bootstrap, 0, NULL, NULL, 0, 0, &bytes, &handles);
    if (status == ZX_ERR_SHOULD_WAIT) {
        zx_object_wait_one(bootstrap, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED,
                           ZX_TIME_INFINITE, NULL);
        status = zx_channel_read(bootstrap, 0, NULL, NULL, 0, 0, &bytes, &handles);
    }
    return status == ZX_ERR_BUFFER_TOO_SMALL ? bytes : 0;
}

// Puts one handle of the message where it belongs.
static void keep_handle(uint32_t info, zx_handle_t handle)
{
    zx_handle_t *place = NULL;

    switch (info) {
    case PA_HND(PA_PROC_SELF, 0):
        place = &own.process_self;
        break;
    case PA_HND(PA_VMAR_ROOT, 0):
        place = &own.vmar_root_self;
        break;
    case PA_HND(PA_JOB_DEFAULT, 0):
        place = &own.job_default;
        break;
    case PA_HND(PA_RESOURCE, 0):
        place = &own.resource;
        break;
    case PA_HND(PA_THREAD_SELF, 0):
        place = &thread_self;
        break;
    default:
        break;
    }
    if (place == NULL) {
        startup_infos[num_startup_handles] = info;
        atomic_init(&startup_handles[num_startup_handles], handle);
        num_startup_handles++;
    } else if (*place == ZX_HANDLE_INVALID) {
        *place = handle;
    } else {
        zx_handle_close(handle);
    }
}

void startup_receive(zx_handle_t bootstrap, void *buffer, size_t bytes,
                     struct startup_strings *strings)
{
    zx_handle_t handles[ZX_CHANNEL_MAX_MSG_HANDLES];
    uint32_t actual_bytes = 0;
    uint32_t actual_handles = 0;
    struct procargs message;

    memset(strings, 0, sizeof(*strings));
    if (bootstrap == ZX_HANDLE_INVALID) {
        return;
    }
    if (bytes == 0) {
        zx_handle_close(bootstrap);
        return;
    }
    if (zx_channel_read(bootstrap, 0, buffer, handles, (uint32_t)bytes, ZX_CHANNEL_MAX_MSG_HANDLES,
                        &actual_bytes, &actual_handles) != ZX_OK) {
        zx_handle_close(bootstrap);
        return;
    }
    zx_handle_close(bootstrap);
    ((char *)buffer)[actual_bytes] = '\0';
    if (procargs_parse(buffer, actual_bytes, actual_handles, &message) != ZX_OK) {
        zx_handle_close_many(handles, actual_handles);
        return;
    }
    for (uint32_t i = 0; i < actual_handles; i++) {
        keep_handle(procargs_handle_info(&message, i), handles[i]);
    }
    strings->args = (char *)buffer + message.args_off;
    strings->argc = message.args_num;
    strings->environ = (char *)buffer + message.environ_off;
    strings->envc = message.environ_num;
}

static char **fill(char *strings, size_t count, char **vector)
{
    for (size_t i = 0; i < count; i++) {
        *vector++ = strings;
        strings += strlen(strings) + 1;
    }
    *vector++ = NULL;
    return vector;
}

void startup_fill_vectors(const struct startup_strings *strings, char **vectors)
{
    vectors = fill(strings->args, strings->argc, vectors);
    fill(strings->environ, strings->envc, vectors);
}
