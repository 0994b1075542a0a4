// Port packets and zx_object_wait_async options.
#ifndef ZIRCON_SYSCALLS_PORT_H_
#define ZIRCON_SYSCALLS_PORT_H_

#include <zircon/compiler.h>
#include <zircon/types.h>

__BEGIN_CDECLS

#define ZX_WAIT_ASYNC_ONCE      ((uint32_t)0u)
#define ZX_WAIT_ASYNC_TIMESTAMP ((uint32_t)1u)
#define ZX_WAIT_ASYNC_EDGE      ((uint32_t)2u)

#define ZX_PORT_BIND_TO_INTERRUPT ((uint32_t)(0x1u << 0))

typedef uint32_t zx_packet_type_t;
#define ZX_PKT_TYPE_USER         ((zx_packet_type_t)0x00u)
#define ZX_PKT_TYPE_SIGNAL_ONE   ((zx_packet_type_t)0x01u)
#define ZX_PKT_TYPE_GUEST_BELL   ((zx_packet_type_t)0x03u)
#define ZX_PKT_TYPE_GUEST_MEM    ((zx_packet_type_t)0x04u)
#define ZX_PKT_TYPE_GUEST_IO     ((zx_packet_type_t)0x05u)
#define ZX_PKT_TYPE_GUEST_VCPU   ((zx_packet_type_t)0x06u)
#define ZX_PKT_TYPE_INTERRUPT    ((zx_packet_type_t)0x07u)
#define ZX_PKT_TYPE_PAGE_REQUEST ((zx_packet_type_t)0x09u)

#define ZX_PKT_IS_USER(type)         ((type) == ZX_PKT_TYPE_USER)
#define ZX_PKT_IS_SIGNAL_ONE(type)   ((type) == ZX_PKT_TYPE_SIGNAL_ONE)
#define ZX_PKT_IS_INTERRUPT(type)    ((type) == ZX_PKT_TYPE_INTERRUPT)
#define ZX_PKT_IS_PAGE_REQUEST(type) ((type) == ZX_PKT_TYPE_PAGE_REQUEST)

#define ZX_PAGER_VMO_READ     ((uint16_t)0)
#define ZX_PAGER_VMO_COMPLETE ((uint16_t)1)
#define ZX_PAGER_VMO_DIRTY    ((uint16_t)2)

typedef union zx_packet_user {
    uint64_t u64[4];
    uint32_t u32[8];
    uint16_t u16[16];
    uint8_t c8[32];
} zx_packet_user_t;

typedef struct zx_packet_signal {
    zx_signals_t trigger;
    zx_signals_t observed;
    uint64_t count;
    uint64_t timestamp; // with ZX_WAIT_ASYNC_TIMESTAMP
    uint64_t reserved1;
} zx_packet_signal_t;

typedef struct zx_packet_interrupt {
    zx_time_t timestamp;
    uint64_t reserved0;
    uint64_t reserved1;
    uint64_t reserved2;
} zx_packet_interrupt_t;

typedef struct zx_packet_page_request {
    uint16_t command;
    uint16_t flags;
    uint32_t reserved0;
    uint64_t offset;
    uint64_t length;
    uint64_t reserved1;
} zx_packet_page_request_t;

typedef struct zx_port_packet {
    uint64_t key;
    zx_packet_type_t type;
    zx_status_t status;
    union {
        zx_packet_user_t user;
        zx_packet_signal_t signal;
        zx_packet_interrupt_t interrupt;
        zx_packet_page_request_t page_request;
    };
} zx_port_packet_t;

ZX_ASSERT_SIZE(zx_port_packet_t, 48);
ZX_ASSERT_OFFSET(zx_port_packet_t, user, 16);

__END_CDECLS

#endif // ZIRCON_SYSCALLS_PORT_H_
