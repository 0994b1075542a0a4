// IOBuffers: descriptions of their regions.
#ifndef ZIRCON_SYSCALLS_IOB_H_
#define ZIRCON_SYSCALLS_IOB_H_

#include <stdint.h>
#include <zircon/compiler.h>
#include <zircon/types.h>

__BEGIN_CDECLS

#define ZX_IOB_MAX_REGIONS 64

// The layout that the kernel itself keeps to in a region's memory.
typedef uint64_t zx_iob_discipline_type_t;
#define ZX_IOB_DISCIPLINE_TYPE_NONE                       ((zx_iob_discipline_type_t)0u)
#define ZX_IOB_DISCIPLINE_TYPE_ID_ALLOCATOR               ((zx_iob_discipline_type_t)1u)
#define ZX_IOB_DISCIPLINE_TYPE_MEDIATED_WRITE_RING_BUFFER ((zx_iob_discipline_type_t)2u)

typedef struct zx_iob_discipline_mediated_write_ring_buffer {
    uint64_t tag; // put before each record written through this endpoint pair
    uint64_t reserved[7];
} zx_iob_discipline_mediated_write_ring_buffer_t;

ZX_ASSERT_SIZE(zx_iob_discipline_mediated_write_ring_buffer_t, 64);

typedef struct zx_iob_discipline {
    zx_iob_discipline_type_t type;
    union {
        zx_iob_discipline_mediated_write_ring_buffer_t ring_buffer;
        uint64_t reserved[8];
    };
} zx_iob_discipline_t;

ZX_ASSERT_SIZE(zx_iob_discipline_t, 72);

typedef uint32_t zx_iob_region_type_t;
#define ZX_IOB_REGION_TYPE_PRIVATE ((zx_iob_region_type_t)0u)
#define ZX_IOB_REGION_TYPE_SHARED  ((zx_iob_region_type_t)1u)

// What each endpoint may do. In ZX_INFO_IOB_REGIONS the asking endpoint always appears as EP0.
typedef uint32_t zx_iob_access_t;
#define ZX_IOB_ACCESS_EP0_CAN_MAP_READ       ((zx_iob_access_t)(1u << 0))
#define ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE      ((zx_iob_access_t)(1u << 1))
#define ZX_IOB_ACCESS_EP0_CAN_MEDIATED_READ  ((zx_iob_access_t)(1u << 2))
#define ZX_IOB_ACCESS_EP0_CAN_MEDIATED_WRITE ((zx_iob_access_t)(1u << 3))
#define ZX_IOB_ACCESS_EP1_CAN_MAP_READ       ((zx_iob_access_t)(1u << 4))
#define ZX_IOB_ACCESS_EP1_CAN_MAP_WRITE      ((zx_iob_access_t)(1u << 5))
#define ZX_IOB_ACCESS_EP1_CAN_MEDIATED_READ  ((zx_iob_access_t)(1u << 6))
#define ZX_IOB_ACCESS_EP1_CAN_MEDIATED_WRITE ((zx_iob_access_t)(1u << 7))

#define ZX_IOB_EP0_CAN_MAP_READ       ZX_IOB_ACCESS_EP0_CAN_MAP_READ
#define ZX_IOB_EP0_CAN_MAP_WRITE      ZX_IOB_ACCESS_EP0_CAN_MAP_WRITE
#define ZX_IOB_EP0_CAN_MEDIATED_READ  ZX_IOB_ACCESS_EP0_CAN_MEDIATED_READ
#define ZX_IOB_EP0_CAN_MEDIATED_WRITE ZX_IOB_ACCESS_EP0_CAN_MEDIATED_WRITE
#define ZX_IOB_EP1_CAN_MAP_READ       ZX_IOB_ACCESS_EP1_CAN_MAP_READ
#define ZX_IOB_EP1_CAN_MAP_WRITE      ZX_IOB_ACCESS_EP1_CAN_MAP_WRITE
#define ZX_IOB_EP1_CAN_MEDIATED_READ  ZX_IOB_ACCESS_EP1_CAN_MEDIATED_READ
#define ZX_IOB_EP1_CAN_MEDIATED_WRITE ZX_IOB_ACCESS_EP1_CAN_MEDIATED_WRITE

typedef struct zx_iob_region_private {
    uint32_t options;
    uint32_t padding1;
    uint64_t padding2[3];
} zx_iob_region_private_t;

ZX_ASSERT_SIZE(zx_iob_region_private_t, 32);

typedef struct zx_iob_region_shared {
    uint32_t options;
    zx_handle_t shared_region; // borrowed
    uint64_t padding[3];
} zx_iob_region_shared_t;

ZX_ASSERT_SIZE(zx_iob_region_shared_t, 32);

typedef struct zx_iob_region {
    zx_iob_region_type_t type;
    zx_iob_access_t access;
    uint64_t size; // bytes
    zx_iob_discipline_t discipline;
    union {
        zx_iob_region_private_t private_region;
        zx_iob_region_shared_t shared_region;
        uint8_t max_extension[32];
    };
} zx_iob_region_t;

ZX_ASSERT_SIZE(zx_iob_region_t, 120);
ZX_ASSERT_OFFSET(zx_iob_region_t, size, 8);
ZX_ASSERT_OFFSET(zx_iob_region_t, discipline, 16);
ZX_ASSERT_OFFSET(zx_iob_region_t, private_region, 88);

typedef struct zx_info_iob {
    uint64_t options;
    uint32_t region_count;
    uint8_t padding1[4];
} zx_info_iob_t;

ZX_ASSERT_SIZE(zx_info_iob_t, 16);

typedef struct zx_iob_region_info {
    zx_iob_region_t region;
    zx_koid_t koid;
} zx_iob_region_info_t;

ZX_ASSERT_SIZE(zx_iob_region_info_t, 128);

typedef uint64_t zx_iob_write_options_t;
typedef uint32_t zx_iob_allocate_id_options_t;
typedef uint64_t zx_iob_writev_options_t;

__END_CDECLS

#endif // ZIRCON_SYSCALLS_IOB_H_
