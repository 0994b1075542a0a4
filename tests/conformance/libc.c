/* What ordinary programs expect of the C library beyond picolibc. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zircon/assert.h>
#include <zircon/processargs.h>

#include "tests/conformance/child.h"

TEST(libc, all_streams_can_be_flushed)
{
    EXPECT_EQ(fflush(NULL), 0);
    EXPECT_EQ(fflush(stdout), 0);
    EXPECT_EQ(fflush(stderr), 0);
}

TEST(libc, descriptors_of_the_console)
{
    static const char line[] = "# by descriptor\n";

    EXPECT_EQ(write(STDOUT_FILENO, line, strlen(line)), strlen(line));
    EXPECT_EQ(write(STDERR_FILENO, line, strlen(line)), strlen(line));
    errno = 0;
    EXPECT_EQ(write(7, line, strlen(line)), -1);
    EXPECT_EQ(errno, EBADF);
    EXPECT_EQ(isatty(STDOUT_FILENO), 1);
    EXPECT_EQ(isatty(7), 0);
    EXPECT_EQ(getpid(), koid_of(zx_process_self()));
}

TEST(libc, the_resource_is_taken_once)
{
    zx_handle_t resource = zx_take_startup_handle(PA_HND(PA_RESOURCE, 0));
    zx_info_kmem_stats_t stats;

    ASSERT(resource != ZX_HANDLE_INVALID);
    EXPECT_EQ(basic_info(resource).type, ZX_OBJ_TYPE_RESOURCE);
    EXPECT_OK(zx_object_get_info(resource, ZX_INFO_KMEM_STATS, &stats, sizeof(stats), NULL, NULL));
    EXPECT_EQ(zx_take_startup_handle(PA_HND(PA_RESOURCE, 0)), ZX_HANDLE_INVALID);
    close_handle(resource);
}

TEST(libc, assertions_that_hold)
{
    int count = 0;

    ZX_ASSERT(count == 0);
    ZX_ASSERT_MSG(count == 0, "count %d", count);
    ZX_DEBUG_ASSERT(count == 0);
    ZX_DEBUG_ASSERT_MSG(++count < 3, "count %d", count);
    EXPECT_EQ(count, ZX_DEBUG_ASSERT_IMPLEMENTED);
    if (count == 3)
        ZX_PANIC("count %d\n", count);
}

TEST(libc, an_assertion_that_does_not_hold)
{
    struct child child = child_start("assert", NULL, ZX_HANDLE_INVALID, ZX_HANDLE_INVALID);

    EXPECT_EQ(child_end(&child), ZX_TASK_RETCODE_EXCEPTION_KILL);
}
