// What of <unistd.h> makes sense without files: the two output streams and the process.
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

ssize_t write(int fd, const void *buffer, size_t len)
{
    if (fd != STDOUT_FILENO && fd != STDERR_FILENO) {
        errno = EBADF;
        return -1;
    }
    return (ssize_t)fwrite(buffer, 1, len, fd == STDOUT_FILENO ? stdout : stderr);
}

int isatty(int fd)
{
    if (fd >= STDIN_FILENO && fd <= STDERR_FILENO)
        return 1;
    errno = EBADF;
    return 0;
}

pid_t getpid(void)
{
    zx_info_handle_basic_t info;
    zx_status_t status = zx_object_get_info(zx_process_self(), ZX_INFO_HANDLE_BASIC, &info,
                                            sizeof(info), NULL, NULL);
    return status == ZX_OK ? (pid_t)info.koid : 1;
}
