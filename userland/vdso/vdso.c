// Calls that the vDSO answers without a trap, from the hardware's time counter and from the
// constants that the kernel wrote into the image.
#include <vdso_constants.h>
#include <zircon/features.h>
#include <zircon/syscalls.h>

#define VDSO_EXPORT __attribute__((visibility("default")))

__attribute__((section(".vdso_constants"), visibility("hidden"), used))
const volatile struct vdso_constants vdso_constants = {
    .magic = VDSO_CONSTANTS_MAGIC,
    .version = VDSO_CONSTANTS_VERSION,
    .page_size_bytes = 4096,
};

// The counter, from the moment the kernel calls 0.
static inline uint64_t ticks_now(void)
{
    uint64_t ticks;

    __asm__ volatile("rdtime %0" : "=r"(ticks));
    return ticks - vdso_constants.base_ticks;
}

static inline zx_time_t now_ns(void)
{
    struct vdso_constants c;

    c.ns_mult = vdso_constants.ns_mult;
    c.ticks_shift = vdso_constants.ticks_shift;
    return vdso_constants_ns(&c, ticks_now());
}

VDSO_EXPORT zx_time_t zx_clock_get_monotonic(void)
{
    return now_ns();
}

VDSO_EXPORT zx_time_t zx_clock_get_boot(void)
{
    return now_ns();
}

VDSO_EXPORT zx_ticks_t zx_ticks_get(void)
{
    return (zx_ticks_t)ticks_now();
}

VDSO_EXPORT zx_ticks_t zx_ticks_get_boot(void)
{
    return (zx_ticks_t)ticks_now();
}

VDSO_EXPORT zx_ticks_t zx_ticks_per_second(void)
{
    return (zx_ticks_t)vdso_constants.ticks_per_second;
}

VDSO_EXPORT zx_time_t zx_deadline_after(zx_duration_t nanoseconds)
{
    return zx_time_add_duration(now_ns(), nanoseconds);
}

VDSO_EXPORT uint32_t zx_system_get_page_size(void)
{
    return vdso_constants.page_size_bytes;
}

VDSO_EXPORT uint32_t zx_system_get_num_cpus(void)
{
    return vdso_constants.num_harts;
}

VDSO_EXPORT uint32_t zx_system_get_dcache_line_size(void)
{
    return vdso_constants.dcache_line_bytes;
}

VDSO_EXPORT uint64_t zx_system_get_physmem(void)
{
    return vdso_constants.physmem_bytes;
}

VDSO_EXPORT zx_string_view_t zx_system_get_version_string(void)
{
    zx_string_view_t view = {
        .c_str = (const char *)vdso_constants.version_string,
        .length = vdso_constants.version_len,
    };

    return view;
}

VDSO_EXPORT zx_status_t zx_system_get_features(uint32_t kind, uint32_t *features)
{
    if (features == NULL) {
        return ZX_ERR_INVALID_ARGS;
    }
    switch (kind) {
    case ZX_FEATURE_KIND_CPU:
        *features = vdso_constants.cpu_features;
        return ZX_OK;
    case ZX_FEATURE_KIND_VM:
        *features = vdso_constants.vm_features;
        return ZX_OK;
    case ZX_FEATURE_KIND_HW_BREAKPOINT_COUNT:
    case ZX_FEATURE_KIND_HW_WATCHPOINT_COUNT:
    case ZX_FEATURE_KIND_ADDRESS_TAGGING:
        *features = 0;
        return ZX_OK;
    default:
        return ZX_ERR_NOT_SUPPORTED;
    }
}
