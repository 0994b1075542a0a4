/* The debug log. */
#include <string.h>
#include <zircon/syscalls/log.h>

#include "tests/conformance/util.h"
#include "userland/crt/startup.h"

static zx_handle_t log_open(uint32_t options)
{
    zx_handle_t log;

    ASSERT_OK(zx_debuglog_create(startup_resource(), options, &log));
    return log;
}

/* Reads what there is. */
static void drain(zx_handle_t log)
{
    zx_log_record_t record;

    while (zx_debuglog_read(log, 0, &record, sizeof(record)) > 0)
        continue;
}

TEST(debuglog, creation)
{
    zx_handle_t log = SENTINEL_HANDLE, event;

    EXPECT_STATUS(zx_debuglog_create(ZX_HANDLE_INVALID, 2, &log), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_debuglog_create(ZX_HANDLE_INVALID, 0, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_debuglog_create(0x1237, 0, &log), ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_debuglog_create(event, 0, &log), ZX_ERR_WRONG_TYPE);
    close_handle(event);
    EXPECT_EQ(log, SENTINEL_HANDLE);
    ASSERT_OK(zx_debuglog_create(ZX_HANDLE_INVALID, 0, &log));
    EXPECT_EQ(rights_of(log), 0xD00B);
    EXPECT_EQ(basic_info(log).type, ZX_OBJ_TYPE_LOG);
    EXPECT_OK(zx_object_wait_one(log, ZX_LOG_WRITABLE, 0, NULL));
    close_handle(log);
    log = log_open(ZX_LOG_FLAG_READABLE);
    EXPECT_EQ(rights_of(log), 0xD00F);
    close_handle(log);
}

TEST(debuglog, what_is_written_is_read)
{
    static const char text[] = "# in the debug log";
    zx_handle_t log = log_open(ZX_LOG_FLAG_READABLE);
    zx_log_record_t record;
    zx_time_t before = zx_clock_get_monotonic();
    zx_signals_t observed;

    drain(log);
    EXPECT_STATUS(zx_debuglog_read(log, 0, &record, sizeof(record)), ZX_ERR_SHOULD_WAIT);
    EXPECT_STATUS(zx_object_wait_one(log, ZX_LOG_READABLE, 0, &observed), ZX_ERR_TIMED_OUT);
    EXPECT_EQ(observed, ZX_LOG_WRITABLE);
    EXPECT_OK(zx_debuglog_write(log, 7, text, strlen(text)));
    EXPECT_OK(zx_debuglog_write(log, 0, "# and\n", 6));
    EXPECT_OK(zx_object_wait_one(log, ZX_LOG_READABLE, 0, NULL));
    memset(&record, 0x5a, sizeof(record));
    EXPECT_EQ(zx_debuglog_read(log, 0, &record, sizeof(record)), 40 + strlen(text));
    EXPECT_EQ(record.datalen, strlen(text));
    EXPECT(memcmp(record.data, text, strlen(text)) == 0);
    EXPECT_EQ(record.flags, 7);
    EXPECT_EQ(record.pid, koid_of(zx_process_self()));
    EXPECT_EQ(record.tid, koid_of(zx_thread_self()));
    EXPECT(record.timestamp >= before && record.timestamp <= zx_clock_get_monotonic());
    uint64_t sequence = record.sequence;
    EXPECT_EQ(zx_debuglog_read(log, 0, &record, 20), 20); /* the rest is lost */
    EXPECT_EQ(record.sequence, sequence + 1);
    EXPECT_STATUS(zx_debuglog_read(log, 0, &record, sizeof(record)), ZX_ERR_SHOULD_WAIT);
    EXPECT_STATUS(zx_object_wait_one(log, ZX_LOG_READABLE, 0, NULL), ZX_ERR_TIMED_OUT);
    close_handle(log);
}

TEST(debuglog, slow_readers_miss_the_oldest)
{
    zx_handle_t log = log_open(ZX_LOG_FLAG_READABLE), late;
    zx_log_record_t record, first;
    uint64_t count = 0;

    drain(log);
    for (int i = 0; i < 100; i++)
        EXPECT_OK(zx_debuglog_write(log, (uint32_t)i, "#", 1));
    late = log_open(ZX_LOG_FLAG_READABLE);
    EXPECT_EQ(zx_debuglog_read(late, 0, &first, sizeof(first)), 41);
    while (zx_debuglog_read(log, 0, &record, sizeof(record)) > 0) {
        EXPECT_EQ(record.sequence, first.sequence + count);
        EXPECT_EQ(record.flags, first.flags + count);
        count++;
    }
    EXPECT_EQ(count, 64);
    EXPECT_EQ(record.flags, 99);
    close_handle(late);
    close_handle(log);
}

TEST(debuglog, calls_check_their_arguments)
{
    static const char text[ZX_LOG_RECORD_DATA_MAX + 1] = "#";
    zx_handle_t log = log_open(ZX_LOG_FLAG_READABLE), blind = log_open(0), event, weak;
    zx_log_record_t record;

    drain(log);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_debuglog_write(log, 0, text, sizeof(text)), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_debuglog_write(log, 0x10000, text, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_debuglog_write(log, 0, (void *)KERNEL_ADDRESS, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_debuglog_write(event, 0, text, 1), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_debuglog_write(ZX_HANDLE_INVALID, 0, text, 1), ZX_ERR_BAD_HANDLE);
    weak = duplicate_without(log, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_debuglog_write(weak, 0, text, 1), ZX_ERR_ACCESS_DENIED);
    close_handle(weak);
    EXPECT_STATUS(zx_debuglog_read(log, 0, &record, sizeof(record)), ZX_ERR_SHOULD_WAIT);
    EXPECT_STATUS(zx_debuglog_read(log, 1, &record, sizeof(record)), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_debuglog_read(blind, 0, &record, sizeof(record)), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_debuglog_read(event, 0, &record, sizeof(record)), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_debuglog_read(ZX_HANDLE_INVALID, 0, &record, 1), ZX_ERR_BAD_HANDLE);
    EXPECT_OK(zx_debuglog_write(blind, 0, text, 1));
    EXPECT_STATUS(zx_debuglog_read(log, 0, (void *)KERNEL_ADDRESS, 256), ZX_ERR_INVALID_ARGS);
    close_handle(event);
    close_handle(blind);
    close_handle(log);
}
