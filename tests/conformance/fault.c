/* What ends a process: page faults and other exceptions, with their reports. */
#include "tests/conformance/child.h"

#include <zircon/syscalls/exception.h>

#include "userland/libzx/program.h"

struct fault {
    zx_exception_report_t report;
    zx_vaddr_t told; /* the address that the child said it would use, or 0 */
    int64_t code;
};

/* Takes the exception out of the channel, reads its report and lets it end the process. */
static void read_exception(zx_handle_t channel, zx_exception_report_t *report)
{
    zx_exception_info_t info;
    zx_handle_t exception, thread;

    ASSERT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(PATIENCE), NULL));
    ASSERT_OK(zx_channel_read(channel, 0, &info, &exception, sizeof(info), 1, NULL, NULL));
    ASSERT_OK(zx_exception_get_thread(exception, &thread));
    EXPECT_EQ(info.tid, koid_of(thread));
    ASSERT_OK(zx_object_get_info(thread, ZX_INFO_THREAD_EXCEPTION_REPORT, report, sizeof(*report),
                                 NULL, NULL));
    EXPECT_EQ(info.type, report->header.type);
    close_handle(thread);
    close_handle(exception);
}

static struct fault provoke(const char *act)
{
    struct fault fault = {0};
    zx_handle_t job, exceptions;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    ASSERT_OK(zx_task_create_exception_channel(job, 0, &exceptions));
    struct child child = child_start(act, NULL, 0, job);
    read_exception(exceptions, &fault.report);
    zx_channel_read(child.channel, 0, &fault.told, NULL, sizeof(fault.told), 0, NULL, NULL);
    fault.code = child_end(&child);
    close_handle(exceptions);
    close_handle(job);
    return fault;
}

static void expect_page_fault(const char *act, zx_status_t why)
{
    struct fault fault = provoke(act);

    EXPECT_EQ(fault.report.header.type, ZX_EXCP_FATAL_PAGE_FAULT);
    EXPECT_STATUS((zx_status_t)fault.report.context.synth_code, why);
    EXPECT_EQ(fault.report.context.arch.u.riscv_64.tval, fault.told);
    EXPECT_EQ(fault.code, ZX_TASK_RETCODE_EXCEPTION_KILL);
}

TEST(fault, reading_what_is_not_mapped)
{
    expect_page_fault("read-unmapped", ZX_ERR_NOT_FOUND);
}

TEST(fault, writing_what_is_not_mapped)
{
    expect_page_fault("write-unmapped", ZX_ERR_NOT_FOUND);
}

TEST(fault, reading_the_first_page)
{
    expect_page_fault("read-null", ZX_ERR_NOT_FOUND);
}

TEST(fault, writing_what_is_read_only)
{
    expect_page_fault("write-read-only", ZX_ERR_ACCESS_DENIED);
}

TEST(fault, writing_what_was_protected)
{
    expect_page_fault("write-protected", ZX_ERR_ACCESS_DENIED);
}

TEST(fault, writing_to_code)
{
    expect_page_fault("write-text", ZX_ERR_ACCESS_DENIED);
}

TEST(fault, reading_what_has_no_access)
{
    expect_page_fault("read-no-access", ZX_ERR_ACCESS_DENIED);
}

TEST(fault, reading_past_the_vmos_end)
{
    expect_page_fault("read-past-end", ZX_ERR_OUT_OF_RANGE);
}

TEST(fault, writing_past_the_vmos_end)
{
    expect_page_fault("write-past-end", ZX_ERR_OUT_OF_RANGE);
}

TEST(fault, executing_data)
{
    expect_page_fault("jump-data", ZX_ERR_ACCESS_DENIED);
}

TEST(fault, executing_what_is_not_mapped)
{
    expect_page_fault("jump-unmapped", ZX_ERR_NOT_FOUND);
}

TEST(fault, jumping_into_the_kernel)
{
    expect_page_fault("jump-kernel", ZX_ERR_NOT_FOUND);
}

TEST(fault, reading_the_kernel)
{
    expect_page_fault("read-kernel", ZX_ERR_NOT_FOUND);
}

TEST(fault, writing_the_kernel)
{
    expect_page_fault("write-kernel", ZX_ERR_NOT_FOUND);
}

TEST(fault, reading_an_address_that_cannot_be)
{
    expect_page_fault("read-noncanonical", ZX_ERR_NOT_FOUND);
}

TEST(fault, an_undefined_instruction)
{
    struct fault fault = provoke("undefined");

    EXPECT_EQ(fault.report.header.type, ZX_EXCP_UNDEFINED_INSTRUCTION);
    EXPECT_EQ(fault.code, ZX_TASK_RETCODE_EXCEPTION_KILL);
}

TEST(fault, a_privileged_instruction)
{
    struct fault fault = provoke("read-csr");

    EXPECT_EQ(fault.report.header.type, ZX_EXCP_UNDEFINED_INSTRUCTION);
    EXPECT_EQ(fault.code, ZX_TASK_RETCODE_EXCEPTION_KILL);
}

TEST(fault, a_breakpoint)
{
    struct fault fault = provoke("breakpoint");

    EXPECT_EQ(fault.report.header.type, ZX_EXCP_SW_BREAKPOINT);
    EXPECT_EQ(fault.code, ZX_TASK_RETCODE_EXCEPTION_KILL);
}

TEST(fault, without_anybody_to_tell)
{
    struct child child = child_start("write-read-only", NULL, 0, 0);

    EXPECT_EQ(child_end(&child), ZX_TASK_RETCODE_EXCEPTION_KILL);
}
