/* Firmware calls, with the legacy ones where firmware is old, and the early console. */
#include "arch/riscv/sbi.h"

#include "arch/riscv/hart.h"
#include "kernel/lib/string.h"

/* "Legacy Extensions" */
enum { LEGACY_SET_TIMER = 0, LEGACY_PUTCHAR = 1, LEGACY_SEND_IPI = 4, LEGACY_SHUTDOWN = 8 };

static struct {
    bool time, ipi, rfence, hsm, srst, dbcn;
} found;

struct sbi_result sbi_call(unsigned long extension, unsigned long function, unsigned long arg0,
                           unsigned long arg1, unsigned long arg2)
{
    register unsigned long a0 __asm__("a0") = arg0;
    register unsigned long a1 __asm__("a1") = arg1;
    register unsigned long a2 __asm__("a2") = arg2;
    register unsigned long a6 __asm__("a6") = function;
    register unsigned long a7 __asm__("a7") = extension;

    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
    return (struct sbi_result){(long)a0, (long)a1};
}

static bool probe(unsigned long extension)
{
    struct sbi_result result = sbi_call(SBI_EXT_BASE, 3, extension, 0, 0);
    return result.error == SBI_SUCCESS && result.value != 0;
}

void sbi_init(void)
{
    found.time = probe(SBI_EXT_TIME);
    found.ipi = probe(SBI_EXT_IPI);
    found.rfence = probe(SBI_EXT_RFENCE);
    found.hsm = probe(SBI_EXT_HSM);
    found.srst = probe(SBI_EXT_SRST);
    found.dbcn = probe(SBI_EXT_DBCN);
}

uint64_t sbi_machine_id(enum sbi_machine_id which)
{
    struct sbi_result result = sbi_call(SBI_EXT_BASE, which, 0, 0, 0);
    return result.error == SBI_SUCCESS ? (uint64_t)result.value : 0;
}

bool sbi_has(unsigned long extension)
{
    return (extension == SBI_EXT_TIME && found.time) || (extension == SBI_EXT_IPI && found.ipi) ||
           (extension == SBI_EXT_RFENCE && found.rfence) ||
           (extension == SBI_EXT_HSM && found.hsm) || (extension == SBI_EXT_SRST && found.srst) ||
           (extension == SBI_EXT_DBCN && found.dbcn);
}

void sbi_set_timer(uint64_t deadline_ticks)
{
    if (found.time)
        sbi_call(SBI_EXT_TIME, 0, deadline_ticks, 0, 0);
    else
        sbi_call(LEGACY_SET_TIMER, 0, deadline_ticks, 0, 0);
}

void sbi_send_ipi(uint64_t hart_mask, uint64_t hart_base)
{
    if (found.ipi) {
        sbi_call(SBI_EXT_IPI, 0, hart_mask, hart_base, 0);
    } else {
        /* The legacy call takes the address of the mask, as the caller's translation has it. */
        uint64_t mask = hart_mask << hart_base;
        sbi_call(LEGACY_SEND_IPI, 0, (unsigned long)&mask, 0, 0);
    }
}

long sbi_hart_start(uint64_t hart_id, paddr_t start, uint64_t opaque)
{
    return sbi_call(SBI_EXT_HSM, 0, hart_id, start, opaque).error;
}

void sbi_system_reset(uint32_t type)
{
    /* Firmware with SRST that refuses would only hang in the legacy call. */
    if (found.srst)
        sbi_call(SBI_EXT_SRST, 0, type, 0, 0);
    else if (type == SBI_SRST_SHUTDOWN)
        sbi_call(LEGACY_SHUTDOWN, 0, 0, 0, 0);
}

void arch_early_console_write(const char *text, size_t len_bytes)
{
    /* The debug console takes a physical address, and |text| may be on any kernel stack; the image
     * is contiguous. */
    static char buffer[128];

    while (len_bytes > 0) {
        size_t part = MIN(len_bytes, sizeof(buffer));
        struct sbi_result result = {-1, 0};

        if (found.dbcn) {
            memcpy(buffer, text, part);
            result = sbi_call(SBI_EXT_DBCN, 0, part, arch_image_paddr(buffer), 0);
        }
        if (result.error == SBI_SUCCESS && result.value > 0) {
            part = MIN(part, (size_t)result.value);
        } else {
            sbi_call(LEGACY_PUTCHAR, 0, (unsigned char)*text, 0, 0);
            part = 1;
        }
        text += part;
        len_bytes -= part;
    }
}
