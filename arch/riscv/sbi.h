/* Calls into the firmware. RISC-V Supervisor Binary Interface specification; chapter names below.
 */
#pragma once

#include "kernel/lib/compiler.h"

struct sbi_result {
    long error; /* SBI_SUCCESS or negative */
    long value;
};

#define SBI_SUCCESS 0

/* Extension ids, one chapter each. */
#define SBI_EXT_BASE   0x10       /* "Base Extension" */
#define SBI_EXT_TIME   0x54494d45 /* "Timer Extension" */
#define SBI_EXT_IPI    0x735049   /* "IPI Extension" */
#define SBI_EXT_RFENCE 0x52464e43 /* "RFENCE Extension" */
#define SBI_EXT_HSM    0x48534d   /* "Hart State Management Extension" */
#define SBI_EXT_SRST   0x53525354 /* "System Reset Extension" */
#define SBI_EXT_DBCN   0x4442434e /* "Debug Console Extension" */

/* Finds out what this firmware has. Once, on the boot hart. */
void sbi_init(void);

/* True if the extension is there. */
bool sbi_has(unsigned long extension);

struct sbi_result sbi_call(unsigned long extension, unsigned long function, unsigned long arg0,
                           unsigned long arg1, unsigned long arg2);

/* "Base Extension", functions 4 to 6: the ids of this hart's core; 0 if the firmware does not tell.
 */
enum sbi_machine_id { SBI_MACHINE_VENDOR = 4, SBI_MACHINE_ARCH = 5, SBI_MACHINE_IMPL = 6 };
uint64_t sbi_machine_id(enum sbi_machine_id which);

/* Next timer interrupt of this hart, absolute. */
void sbi_set_timer(uint64_t deadline_ticks);

/* Software interrupt to the harts whose firmware ids are hart_base + (bits of hart_mask). */
void sbi_send_ipi(uint64_t hart_mask, uint64_t hart_base);

/* Starts a stopped hart at a physical address with a1 = opaque. SBI_SUCCESS or an error. */
long sbi_hart_start(uint64_t hart_id, paddr_t start, uint64_t opaque);

/* "System Reset Extension", reset types. */
#define SBI_SRST_SHUTDOWN    0
#define SBI_SRST_COLD_REBOOT 1

/* Shuts down or starts again. Returns if the firmware cannot. */
void sbi_system_reset(uint32_t type);
