/* Defects of cores, recognised by the ids that the firmware tells. */
#include "arch/riscv/errata.h"

#include "arch/riscv/sbi.h"
#include "arch/riscv/sv39.h"
#include "kernel/lib/log.h"

#define VENDOR_SIFIVE 0x489 /* JEDEC id, "Machine Vendor ID Register" */

/* marchid: SiFive's open and its own core generators ("Machine Architecture ID Register"). */
#define ARCH_ROCKET   0x1
#define ARCH_SIFIVE_7 0x8000000000000007ul

bool riscv_full_fences;

/* CIP-1200: sfence.vma with an address may miss an instruction-TLB refill that is under way;
 * without one it works. Which cores: Linux 6.12, arch/riscv/errata/sifive/errata.c. */
static bool fences_miss_addresses(uint64_t arch, uint64_t implementation)
{
    return (arch == ARCH_SIFIVE_7 || arch == ARCH_ROCKET) &&
           (implementation & 0xffffff) <= 0x200630 && implementation != 0x01200626;
}

void errata_init(void)
{
    if (sbi_machine_id(SBI_MACHINE_VENDOR) != VENDOR_SIFIVE)
        return;
    if (fences_miss_addresses(sbi_machine_id(SBI_MACHINE_ARCH), sbi_machine_id(SBI_MACHINE_IMPL))) {
        riscv_full_fences = true;
        kprintf("harts: erratum CIP-1200, the TLB is always fenced as a whole");
    }
}
