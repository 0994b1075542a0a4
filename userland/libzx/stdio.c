// picolibc's standard streams on the kernel's debug console. Each thread gathers its own line, so
// that lines of different threads stay whole.
#include <stdio.h>
#include <zircon/syscalls.h>

#include "userland/crt/startup.h"

// What zx_debug_write takes in one call.
#define LINE_MAX_BYTES 256

static _Thread_local struct {
    char bytes[LINE_MAX_BYTES];
    size_t used;
} line;

static int console_flush(FILE *stream)
{
    (void)stream;
    if (line.used > 0) {
        zx_debug_write(line.bytes, line.used);
        line.used = 0;
    }
    return 0;
}

static int console_put(char c, FILE *stream)
{
    line.bytes[line.used++] = c;
    if (c == '\n' || line.used == LINE_MAX_BYTES) {
        console_flush(stream);
    }
    return (unsigned char)c;
}

// Waits for a character. Without a resource there is no input.
static int console_get(FILE *stream)
{
    zx_handle_t resource = startup_resource();

    console_flush(stream);
    if (resource == ZX_HANDLE_INVALID) {
        return _FDEV_EOF;
    }
    for (;;) {
        char c;
        size_t actual = 0;
        zx_status_t status = zx_debug_read(resource, &c, 1, &actual);

        if (status == ZX_OK && actual == 1) {
            return (unsigned char)c;
        }
        if (status != ZX_OK && status != ZX_ERR_SHOULD_WAIT) {
            return _FDEV_ERR;
        }
        // The console has no signal to wait on; look again soon.
        zx_nanosleep(zx_deadline_after(ZX_MSEC(10)));
    }
}

static FILE console = FDEV_SETUP_STREAM(console_put, console_get, console_flush, _FDEV_SETUP_RW);

// picolibc's own takes no NULL for all streams; here there is one, and those that snprintf and its
// like make, which have nothing to flush.
int fflush(FILE *stream)
{
    return stream == NULL || stream == &console ? console_flush(&console) : 0;
}

FILE *const stdin = &console;
FILE *const stdout = &console;
FILE *const stderr = &console;
