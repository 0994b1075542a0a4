#include "tests/conformance/child.h"

#include "userland/libzx/program.h"

struct child child_start(const char *act, const char *argument, zx_handle_t object, zx_handle_t job)
{
    const char *const argv[] = {"conformance_child", act, argument};
    struct launch_handle handles[2] = {{.info = CHILD_CHANNEL},
                                       {.info = CHILD_OBJECT, .handle = object}};
    struct program_args args = {
        .argv = argv,
        .argc = argument != NULL ? 3 : 2,
        .job = job,
        .handles = handles,
        .num_handles = object != ZX_HANDLE_INVALID ? 2 : 1,
    };
    struct child child;

    ASSERT_OK(zx_channel_create(0, &child.channel, &handles[0].handle));
    ASSERT_OK(program_start(&args, &child.process));
    return child;
}

int64_t child_end(const struct child *child)
{
    int64_t code = INT64_MIN;

    EXPECT_OK(program_wait(child->process, zx_deadline_after(PATIENCE), &code));
    close_handle(child->process);
    close_handle(child->channel);
    return code;
}

zx_handle_t process_new(zx_handle_t job, zx_handle_t *root_vmar)
{
    zx_handle_t process;

    ASSERT_OK(zx_process_create(job, "empty", 5, 0, &process, root_vmar));
    return process;
}

bool thread_reaches_state(zx_handle_t thread, zx_thread_state_t state)
{
    zx_time_t deadline = zx_deadline_after(PATIENCE);
    zx_info_thread_t info;

    do {
        if (zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL) != ZX_OK)
            return false;
        if (info.state == state)
            return true;
        zx_nanosleep(zx_deadline_after(ZX_USEC(200)));
    } while (zx_clock_get_monotonic() < deadline);
    return false;
}
