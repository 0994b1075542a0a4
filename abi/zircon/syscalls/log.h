// Records of the debug log.
#ifndef ZIRCON_SYSCALLS_LOG_H_
#define ZIRCON_SYSCALLS_LOG_H_

#include <zircon/types.h>

__BEGIN_CDECLS

#define ZX_LOG_RECORD_MAX      256
#define ZX_LOG_RECORD_DATA_MAX 216

typedef struct zx_log_record {
    uint64_t sequence;
    uint8_t padding1[4];
    uint16_t datalen; // bytes of data
    uint8_t severity;
    uint8_t flags;
    zx_time_t timestamp;
    uint64_t pid;
    uint64_t tid;
    char data[ZX_LOG_RECORD_DATA_MAX];
} zx_log_record_t;

ZX_ASSERT_SIZE(zx_log_record_t, ZX_LOG_RECORD_MAX);

#define ZX_LOG_FLAG_READABLE     0x40000000u
#define ZX_LOG_FLAG_OPTIONS_MASK 0xFFFFu

__END_CDECLS

#endif // ZIRCON_SYSCALLS_LOG_H_
