// Ends of a process, and the few system services that picolibc asks for.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zircon/syscalls.h>

void _exit(int code)
{
    fflush(stdout);
    zx_process_exit(code);
}

// picolibc runs these if they exist, around the arrays of constructors and destructors. Absent weak
// functions would look present in a position-independent program: their address is the image's
// base.
void _init(void);
void _fini(void);

void _init(void)
{
}

void _fini(void)
{
}

// For the same reason exit()'s weak reference to this one has to be satisfied always, not only in
// programs that call atexit().
void __call_exitprocs(int code, void *dso);
void (*const keep_call_exitprocs)(int, void *) __attribute__((used)) = __call_exitprocs;

// Dies of an exception, so that whoever watches the process sees where.
void abort(void)
{
    fflush(stdout);
    __builtin_trap();
}

int getentropy(void *buffer, size_t bytes)
{
    if (bytes > 256) {
        errno = EIO;
        return -1;
    }
    zx_cprng_draw(buffer, bytes);
    return 0;
}
