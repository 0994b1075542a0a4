// Exceptions: types, reports, and the messages of exception channels.
#ifndef ZIRCON_SYSCALLS_EXCEPTION_H_
#define ZIRCON_SYSCALLS_EXCEPTION_H_

#include <zircon/syscalls/port.h>
#include <zircon/types.h>

__BEGIN_CDECLS

typedef uint32_t zx_excp_type_t;

#define ZX_EXCP_SYNTH ((zx_excp_type_t)0x8000u)

#define ZX_EXCP_GENERAL               ((zx_excp_type_t)0x008u)
#define ZX_EXCP_FATAL_PAGE_FAULT      ((zx_excp_type_t)0x108u)
#define ZX_EXCP_UNDEFINED_INSTRUCTION ((zx_excp_type_t)0x208u)
#define ZX_EXCP_SW_BREAKPOINT         ((zx_excp_type_t)0x308u)
#define ZX_EXCP_HW_BREAKPOINT         ((zx_excp_type_t)0x408u)
#define ZX_EXCP_UNALIGNED_ACCESS      ((zx_excp_type_t)0x508u)
#define ZX_EXCP_THREAD_STARTING       ((zx_excp_type_t)(0x008u | ZX_EXCP_SYNTH))
#define ZX_EXCP_THREAD_EXITING        ((zx_excp_type_t)(0x108u | ZX_EXCP_SYNTH))
#define ZX_EXCP_POLICY_ERROR          ((zx_excp_type_t)(0x208u | ZX_EXCP_SYNTH))
#define ZX_EXCP_PROCESS_STARTING      ((zx_excp_type_t)(0x308u | ZX_EXCP_SYNTH))
#define ZX_EXCP_USER                  ((zx_excp_type_t)(0x309u | ZX_EXCP_SYNTH))

#define ZX_EXCP_IS_ARCH(excp) (((excp)&ZX_EXCP_SYNTH) == 0)

// synth_code of ZX_EXCP_POLICY_ERROR.
typedef uint32_t zx_excp_policy_code_t;
#define ZX_EXCP_POLICY_CODE_BAD_HANDLE              ((zx_excp_policy_code_t)0u)
#define ZX_EXCP_POLICY_CODE_WRONG_OBJECT            ((zx_excp_policy_code_t)1u)
#define ZX_EXCP_POLICY_CODE_VMAR_WX                 ((zx_excp_policy_code_t)2u)
#define ZX_EXCP_POLICY_CODE_NEW_ANY                 ((zx_excp_policy_code_t)3u)
#define ZX_EXCP_POLICY_CODE_NEW_VMO                 ((zx_excp_policy_code_t)4u)
#define ZX_EXCP_POLICY_CODE_NEW_CHANNEL             ((zx_excp_policy_code_t)5u)
#define ZX_EXCP_POLICY_CODE_NEW_EVENT               ((zx_excp_policy_code_t)6u)
#define ZX_EXCP_POLICY_CODE_NEW_EVENTPAIR           ((zx_excp_policy_code_t)7u)
#define ZX_EXCP_POLICY_CODE_NEW_PORT                ((zx_excp_policy_code_t)8u)
#define ZX_EXCP_POLICY_CODE_NEW_SOCKET              ((zx_excp_policy_code_t)9u)
#define ZX_EXCP_POLICY_CODE_NEW_FIFO                ((zx_excp_policy_code_t)10u)
#define ZX_EXCP_POLICY_CODE_NEW_TIMER               ((zx_excp_policy_code_t)11u)
#define ZX_EXCP_POLICY_CODE_NEW_PROCESS             ((zx_excp_policy_code_t)12u)
#define ZX_EXCP_POLICY_CODE_NEW_PROFILE             ((zx_excp_policy_code_t)13u)
#define ZX_EXCP_POLICY_CODE_NEW_PAGER               ((zx_excp_policy_code_t)14u)
#define ZX_EXCP_POLICY_CODE_AMBIENT_MARK_VMO_EXEC   ((zx_excp_policy_code_t)15u)
#define ZX_EXCP_POLICY_CODE_CHANNEL_FULL_WRITE      ((zx_excp_policy_code_t)16u)
#define ZX_EXCP_POLICY_CODE_PORT_TOO_MANY_PACKETS   ((zx_excp_policy_code_t)17u)
#define ZX_EXCP_POLICY_CODE_BAD_SYSCALL             ((zx_excp_policy_code_t)18u)
#define ZX_EXCP_POLICY_CODE_PORT_TOO_MANY_OBSERVERS ((zx_excp_policy_code_t)19u)
#define ZX_EXCP_POLICY_CODE_HANDLE_LEAK             ((zx_excp_policy_code_t)20u)
#define ZX_EXCP_POLICY_CODE_NEW_IOB                 ((zx_excp_policy_code_t)21u)

typedef struct zx_riscv64_exc_data {
    uint64_t cause; // scause
    uint64_t tval;  // stval
    uint8_t padding1[8];
} zx_riscv64_exc_data_t;

typedef struct zx_exception_context {
    struct {
        union {
            zx_riscv64_exc_data_t riscv_64;
            uint8_t raw[24];
        } u;
    } arch;
    uint32_t synth_code; // the zx_status_t of a page fault; a policy code
    uint32_t synth_data;
} zx_exception_context_t;

ZX_ASSERT_SIZE(zx_exception_context_t, 32);

typedef struct zx_exception_header {
    uint32_t size; // bytes of the whole report
    zx_excp_type_t type;
} zx_exception_header_t;

typedef struct zx_exception_report {
    zx_exception_header_t header;
    zx_exception_context_t context;
} zx_exception_report_t;

ZX_ASSERT_SIZE(zx_exception_report_t, 40);
ZX_ASSERT_OFFSET(zx_exception_report_t, context.synth_code, 32);

// The bytes of a message in an exception channel; one exception handle comes with it.
typedef struct zx_exception_info {
    zx_koid_t pid;
    zx_koid_t tid;
    zx_excp_type_t type;
    uint8_t padding1[4];
} zx_exception_info_t;

ZX_ASSERT_SIZE(zx_exception_info_t, 24);

// zx_task_create_exception_channel
#define ZX_EXCEPTION_CHANNEL_DEBUGGER ((uint32_t)1u)

// zx_thread_raise_exception
#define ZX_EXCEPTION_TARGET_JOB_DEBUGGER ((uint32_t)1u)

#define ZX_EXCEPTION_CHANNEL_TYPE_NONE         ((uint32_t)0u)
#define ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER     ((uint32_t)1u)
#define ZX_EXCEPTION_CHANNEL_TYPE_THREAD       ((uint32_t)2u)
#define ZX_EXCEPTION_CHANNEL_TYPE_PROCESS      ((uint32_t)3u)
#define ZX_EXCEPTION_CHANNEL_TYPE_JOB          ((uint32_t)4u)
#define ZX_EXCEPTION_CHANNEL_TYPE_JOB_DEBUGGER ((uint32_t)5u)

__END_CDECLS

#endif // ZIRCON_SYSCALLS_EXCEPTION_H_
