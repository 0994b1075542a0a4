// Reading and writing of processargs messages. Pure functions over memory.
#ifndef USERLAND_LIBZX_PROCARGS_H_
#define USERLAND_LIBZX_PROCARGS_H_

#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

// A checked message: offsets are inside it and each block of strings holds its full count of
// terminated strings.
struct procargs {
    const unsigned char *bytes; // borrowed
    uint32_t handle_info_off;
    uint32_t args_off;
    uint32_t args_num;
    uint32_t environ_off;
    uint32_t environ_num;
};

// Checks a message of size bytes that came with num_handles handles. ZX_ERR_INVALID_ARGS when it
// is malformed; out is untouched then.
zx_status_t procargs_parse(const void *bytes, size_t size, uint32_t num_handles,
                           struct procargs *out);

// The PA_HND value of handle i of a checked message; i is less than its number of handles.
uint32_t procargs_handle_info(const struct procargs *args, uint32_t i);

// Writes a message into buffer (capacity bytes, any alignment) and its length into *actual. infos
// holds num_handles PA_HND values. argv and envp may be NULL when their counts are 0.
// ZX_ERR_BUFFER_TOO_SMALL when it does not fit.
zx_status_t procargs_build(void *buffer, size_t capacity, const uint32_t *infos,
                           uint32_t num_handles, const char *const *argv, uint32_t argc,
                           const char *const *envp, uint32_t envc, size_t *actual);

#endif // USERLAND_LIBZX_PROCARGS_H_
