// What the kernel writes into the vDSO image before it creates the first process. The structure
// lies at the start of a page of its own, at the symbol vdso_constants of the image.
#ifndef ABI_VDSO_CONSTANTS_H_
#define ABI_VDSO_CONSTANTS_H_

#define VDSO_CONSTANTS_MAGIC   0x6f736476 // "vdso"
#define VDSO_CONSTANTS_VERSION 1
#define VDSO_VERSION_MAX       64

// The vDSO's own option of zx_channel_call and zx_channel_call_etc: the message has gone out, go on
// waiting for the answer. ZX_ERR_INVALID_ARGS, as for any unknown option, without such a call.
#define CHANNEL_CALL_FINISH 0x80000000

#ifndef __ASSEMBLER__

#include <stdint.h>
#include <zircon/compiler.h>

__BEGIN_CDECLS

// Time starts at base_ticks: nanoseconds = (((counter - base_ticks) << ticks_shift) * ns_mult) >>
// 64 with a 128-bit product. The kernel computes its own clock in the same way, so that the two
// never disagree.
struct vdso_constants {
    uint32_t magic;   // VDSO_CONSTANTS_MAGIC
    uint32_t version; // VDSO_CONSTANTS_VERSION
    uint32_t page_size_bytes;
    uint32_t num_harts; // harts present at boot
    uint32_t dcache_line_bytes;
    uint32_t cpu_features; // for ZX_FEATURE_KIND_CPU
    uint32_t vm_features;  // for ZX_FEATURE_KIND_VM
    uint32_t reserved;
    uint64_t ticks_per_second;
    uint64_t ns_mult;
    uint64_t ticks_shift; // 1..63
    uint64_t base_ticks;  // the counter when time was 0
    uint64_t physmem_bytes;
    uint64_t version_len;                  // bytes of version_string without the NUL
    char version_string[VDSO_VERSION_MAX]; // NUL-terminated
};

ZX_ASSERT_SIZE(struct vdso_constants, 144);

// Fills ticks_per_second, ns_mult and ticks_shift for a counter of ticks_per_second (1 .. 2^62).
// The multiplier gets all 64 significant bits, or as many as there are; it is exact when the rate
// divides 10^9. What the shift of the ticks loses is beyond what nanoseconds can say. Plain 64-bit
// arithmetic: nothing here needs a compiler's run-time library.
__UNUSED static inline void vdso_constants_set_rate(struct vdso_constants *c,
                                                    uint64_t ticks_per_second)
{
    uint64_t mult = 1000000000 / ticks_per_second;
    uint64_t rest = 1000000000 % ticks_per_second;
    uint64_t ticks_shift = 64;

    while (ticks_shift > 1 && mult < (uint64_t)1 << 63) {
        rest *= 2;
        mult = mult * 2 + (rest >= ticks_per_second);
        rest -= rest >= ticks_per_second ? ticks_per_second : 0;
        ticks_shift--;
    }
    c->ticks_per_second = ticks_per_second;
    c->ns_mult = mult;
    c->ticks_shift = ticks_shift;
}

// Converts ticks since base_ticks into nanoseconds.
__UNUSED static inline int64_t vdso_constants_ns(const struct vdso_constants *c, uint64_t ticks)
{
    return (int64_t)(((unsigned __int128)(ticks << c->ticks_shift) * c->ns_mult) >> 64);
}

__END_CDECLS

#endif // __ASSEMBLER__

#endif // ABI_VDSO_CONSTANTS_H_
