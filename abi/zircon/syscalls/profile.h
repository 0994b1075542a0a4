// Scheduling profiles.
#ifndef ZIRCON_SYSCALLS_PROFILE_H_
#define ZIRCON_SYSCALLS_PROFILE_H_

#include <zircon/types.h>

__BEGIN_CDECLS

#define ZX_PRIORITY_LOWEST  0
#define ZX_PRIORITY_LOW     8
#define ZX_PRIORITY_DEFAULT 16
#define ZX_PRIORITY_HIGH    24
#define ZX_PRIORITY_HIGHEST 31

#define ZX_PROFILE_INFO_FLAG_PRIORITY ((uint32_t)1u << 0)
#define ZX_PROFILE_INFO_FLAG_CPU_MASK ((uint32_t)1u << 1)
#define ZX_PROFILE_INFO_FLAG_DEADLINE ((uint32_t)1u << 2)

typedef struct zx_sched_deadline_params {
    zx_duration_t capacity;
    zx_duration_t relative_deadline;
    zx_duration_t period;
} zx_sched_deadline_params_t;

typedef struct zx_profile_info {
    uint32_t flags;
    uint8_t padding1[4];
    union {
        struct {
            int32_t priority;
            uint8_t padding2[20];
        };
        zx_sched_deadline_params_t deadline_params;
    };
    zx_cpu_set_t cpu_affinity_mask;
} zx_profile_info_t;

ZX_ASSERT_SIZE(zx_profile_info_t, 96);

__END_CDECLS

#endif // ZIRCON_SYSCALLS_PROFILE_H_
