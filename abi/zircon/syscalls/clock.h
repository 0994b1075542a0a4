// Clock objects.
#ifndef ZIRCON_SYSCALLS_CLOCK_H_
#define ZIRCON_SYSCALLS_CLOCK_H_

#include <zircon/types.h>

__BEGIN_CDECLS

#define ZX_CLOCK_OPT_MONOTONIC  ((uint64_t)1u << 0)
#define ZX_CLOCK_OPT_CONTINUOUS ((uint64_t)1u << 1)
#define ZX_CLOCK_OPT_AUTO_START ((uint64_t)1u << 2)
#define ZX_CLOCK_OPT_BOOT       ((uint64_t)1u << 3)
#define ZX_CLOCK_OPT_MAPPABLE   ((uint64_t)1u << 4)

#define ZX_CLOCK_ARGS_VERSION_SHIFT 58
#define ZX_CLOCK_ARGS_VERSION(n)    ((uint64_t)(n) << ZX_CLOCK_ARGS_VERSION_SHIFT)

#define ZX_CLOCK_UPDATE_OPTION_VALUE_VALID           ((uint64_t)1u << 0)
#define ZX_CLOCK_UPDATE_OPTION_SYNTHETIC_VALUE_VALID ZX_CLOCK_UPDATE_OPTION_VALUE_VALID
#define ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID     ((uint64_t)1u << 1)
#define ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID     ((uint64_t)1u << 2)
#define ZX_CLOCK_UPDATE_OPTION_REFERENCE_VALUE_VALID ((uint64_t)1u << 3)
#define ZX_CLOCK_UPDATE_OPTION_BOTH_VALUES_VALID                                                   \
    (ZX_CLOCK_UPDATE_OPTION_REFERENCE_VALUE_VALID | ZX_CLOCK_UPDATE_OPTION_SYNTHETIC_VALUE_VALID)

#define ZX_CLOCK_UNKNOWN_ERROR ((uint64_t)0xFFFFFFFFFFFFFFFF)

typedef struct zx_clock_create_args_v1 {
    zx_time_t backstop_time;
} zx_clock_create_args_v1_t;

typedef struct zx_clock_rate {
    uint32_t synthetic_ticks;
    uint32_t reference_ticks;
} zx_clock_rate_t;

typedef struct zx_clock_transformation {
    int64_t reference_offset;
    int64_t synthetic_offset;
    zx_clock_rate_t rate;
} zx_clock_transformation_t;

typedef struct zx_clock_details_v1 {
    uint64_t options;
    zx_time_t backstop_time;
    zx_clock_transformation_t reference_ticks_to_synthetic;
    zx_clock_transformation_t reference_to_synthetic;
    uint64_t error_bound;
    zx_ticks_t query_reference_ticks;
    zx_ticks_t last_value_update_reference_ticks;
    zx_ticks_t last_rate_adjust_update_reference_ticks;
    zx_ticks_t last_error_bounds_update_reference_ticks;
    uint32_t generation_counter;
    uint8_t padding1[4];
} zx_clock_details_v1_t;

ZX_ASSERT_SIZE(zx_clock_details_v1_t, 112);

typedef struct zx_clock_update_args_v1 {
    int32_t rate_adjust;
    uint8_t padding1[4];
    int64_t value;
    uint64_t error_bound;
} zx_clock_update_args_v1_t;

typedef struct zx_clock_update_args_v2 {
    int32_t rate_adjust;
    uint8_t padding1[4];
    int64_t synthetic_value;
    int64_t reference_value;
    uint64_t error_bound;
} zx_clock_update_args_v2_t;

__END_CDECLS

#endif // ZIRCON_SYSCALLS_CLOCK_H_
