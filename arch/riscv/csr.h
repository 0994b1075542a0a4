/* Control and status registers: numbers, fields, access. RISC-V Privileged specification,
 * chapter "Supervisor-Level ISA" unless noted. For C and assembly. */
#pragma once

/* sstatus */
#define SSTATUS_SIE      0x2
#define SSTATUS_SPIE     0x20
#define SSTATUS_SPP      0x100
#define SSTATUS_FS       0x6000
#define SSTATUS_FS_CLEAN 0x4000
#define SSTATUS_FS_DIRTY 0x6000
#define SSTATUS_SUM      0x40000
#define SSTATUS_MXR      0x80000

/* fcsr: flags and rounding mode ("F" extension) */
#define FCSR_MASK 0xff

/* sie and sip */
#define SIE_SSIE 0x2
#define SIE_STIE 0x20
#define SIE_SEIE 0x200

/* scause */
#define CAUSE_INTERRUPT        (1ul << 63)
#define CAUSE_SOFTWARE         1
#define CAUSE_TIMER            5
#define CAUSE_EXTERNAL         9
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS     1
#define CAUSE_ILLEGAL          2
#define CAUSE_BREAKPOINT       3
#define CAUSE_LOAD_MISALIGNED  4
#define CAUSE_LOAD_ACCESS      5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS     7
#define CAUSE_USER_ECALL       8
#define CAUSE_FETCH_PAGE_FAULT 12
#define CAUSE_LOAD_PAGE_FAULT  13
#define CAUSE_STORE_PAGE_FAULT 15

/* satp for RV64 */
#define SATP_MODE_SV39  8
#define SATP_MODE_SHIFT 60
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK  0xffff

/* scounteren: user mode may read time and instret */
#define SCOUNTEREN_TM 0x2
#define SCOUNTEREN_IR 0x4

/* stimecmp of extension Sstc, by number: assemblers of 2022 have no name for it */
#define CSR_STIMECMP 0x14d

#ifndef __ASSEMBLER__

#define csr_read(csr)                                                                              \
    ({                                                                                             \
        unsigned long csr_value_;                                                                  \
        __asm__ volatile("csrr %0, " #csr : "=r"(csr_value_) : : "memory");                        \
        csr_value_;                                                                                \
    })
#define csr_write(csr, value)                                                                      \
    __asm__ volatile("csrw " #csr ", %0" : : "rK"((unsigned long)(value)) : "memory")
#define csr_set(csr, bits)                                                                         \
    __asm__ volatile("csrs " #csr ", %0" : : "rK"((unsigned long)(bits)) : "memory")
#define csr_clear(csr, bits)                                                                       \
    __asm__ volatile("csrc " #csr ", %0" : : "rK"((unsigned long)(bits)) : "memory")

#endif
