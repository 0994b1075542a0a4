/* Commands to the kernel. A release build has none, whatever the arguments. */
#include <string.h>

#include "tests/conformance/util.h"
#include "userland/crt/startup.h"

static zx_status_t send(zx_handle_t handle, const char *command)
{
    return zx_debug_send_command(handle, command, strlen(command));
}

/* What a debug build answers; a release build, that it has no commands. */
static void expect_answer(zx_status_t got, zx_status_t want)
{
    static const char command[] = "check";
    zx_status_t here = zx_debug_send_command(startup_resource(), command, sizeof(command) - 1);

    EXPECT_STATUS(got, here == ZX_ERR_NOT_SUPPORTED ? ZX_ERR_NOT_SUPPORTED : want);
}

TEST(debug_command, what_is_no_command)
{
    char long_one[64];

    memset(long_one, ' ', sizeof(long_one));
    COVERS(debug_send_command, ZX_ERR_NOT_SUPPORTED);
    COVERS(debug_send_command, ZX_ERR_INVALID_ARGS);
    expect_answer(send(startup_resource(), ""), ZX_ERR_INVALID_ARGS);
    expect_answer(send(startup_resource(), "nothing"), ZX_ERR_INVALID_ARGS);
    expect_answer(send(startup_resource(), "inject"), ZX_ERR_INVALID_ARGS);
    expect_answer(send(startup_resource(), "inject nothing"), ZX_ERR_INVALID_ARGS);
    expect_answer(send(startup_resource(), "inject random"), ZX_ERR_INVALID_ARGS);
    expect_answer(send(startup_resource(), "inject random 0"), ZX_ERR_INVALID_ARGS);
    expect_answer(zx_debug_send_command(startup_resource(), long_one, sizeof(long_one)),
                  ZX_ERR_INVALID_ARGS);
    expect_answer(zx_debug_send_command(startup_resource(), (const char *)KERNEL_ADDRESS, 5),
                  ZX_ERR_INVALID_ARGS);
    expect_answer(send(startup_resource(), "check"), ZX_OK);
}

TEST(debug_command, heap_objects_by_kind)
{
    zx_handle_t event;

    COVERS(debug_send_command, ZX_ERR_BAD_STATE);
    expect_answer(send(startup_resource(), "mark"), ZX_OK);
    expect_answer(send(startup_resource(), "compare"), ZX_OK);
    ASSERT_OK(zx_event_create(0, &event));
    expect_answer(send(startup_resource(), "compare"), ZX_ERR_BAD_STATE);
    close_handle(event);
    expect_answer(send(startup_resource(), "compare"), ZX_OK);
}

TEST(debug_command, needs_the_resource)
{
    zx_handle_t vmo = vmo_new(PAGE);

    COVERS(debug_send_command, ZX_ERR_BAD_HANDLE);
    COVERS(debug_send_command, ZX_ERR_WRONG_TYPE);
    expect_answer(send(ZX_HANDLE_INVALID, "check"), ZX_ERR_BAD_HANDLE);
    expect_answer(send(vmo, "check"), ZX_ERR_WRONG_TYPE);
    close_handle(vmo);
}
