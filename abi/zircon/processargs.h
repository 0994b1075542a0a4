// The message that a new process finds in its bootstrap channel: this header, then the handle
// table, the argument strings, the environment strings and the names, at the given offsets.
#ifndef ZIRCON_PROCESSARGS_H_
#define ZIRCON_PROCESSARGS_H_

#include <stdint.h>
#include <zircon/compiler.h>

__BEGIN_CDECLS

#define ZX_PROCARGS_PROTOCOL ((uint32_t)0x4150585du)
#define ZX_PROCARGS_VERSION  ((uint32_t)0x0001000u)

typedef struct zx_proc_args {
    uint32_t protocol;        // ZX_PROCARGS_PROTOCOL
    uint32_t version;         // ZX_PROCARGS_VERSION
    uint32_t handle_info_off; // uint32_t[number of handles], each PA_HND(type, arg)
    uint32_t args_off;        // args_num strings, each ended by NUL
    uint32_t args_num;
    uint32_t environ_off; // environ_num strings
    uint32_t environ_num;
    uint32_t names_off; // names_num strings, indexed by the arg of PA_NS_DIR handles
    uint32_t names_num;
} zx_proc_args_t;

ZX_ASSERT_SIZE(zx_proc_args_t, 36);

// A handle's purpose: type in bits 0..7, argument in bits 16..31.
#define PA_HND(type, arg) (((type)&0xFFu) | (((arg)&0xFFFFu) << 16))
#define PA_HND_TYPE(n)    ((n)&0xFFu)
#define PA_HND_ARG(n)     (((n) >> 16) & 0xFFFFu)

#define PA_PROC_SELF   0x01u
#define PA_THREAD_SELF 0x02u
#define PA_JOB_DEFAULT 0x03u
#define PA_VMAR_ROOT   0x04u
#define PA_VMAR_LOADED 0x05u

#define PA_LDSVC_LOADER    0x10u
#define PA_VMO_VDSO        0x11u
#define PA_VMO_STACK       0x13u
#define PA_VMO_EXECUTABLE  0x14u
#define PA_VMO_BOOTDATA    0x1Au
#define PA_VMO_BOOTFS      0x1Bu
#define PA_VMO_KERNEL_FILE 0x1Cu

#define PA_NS_DIR            0x20u
#define PA_FD                0x30u
#define PA_LIFECYCLE         0x3Au
#define PA_DIRECTORY_REQUEST 0x3Bu
#define PA_RESOURCE          0x3Fu
#define PA_CLOCK_UTC         0x40u

#define PA_USER0 0xF0u
#define PA_USER1 0xF1u
#define PA_USER2 0xF2u

__END_CDECLS

#endif // ZIRCON_PROCESSARGS_H_
