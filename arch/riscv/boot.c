/* From the assembly entry to kernel_main, and what the image knows of itself. */
#include "arch/riscv/boot_tables.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/errata.h"
#include "arch/riscv/hart.h"
#include "arch/riscv/sbi.h"
#include "arch/riscv/thread.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/atomic.h"

uint64_t riscv_linear_offset;
uint64_t riscv_image_offset;
struct arch_features riscv_features;

bool riscv_probe_stimecmp(void); /* start.S */

extern char image_start[], image_end[], boot_stack_top[];
extern char vdso_blob[], vdso_blob_end[], ramdisk_blob[], ramdisk_blob_end[];

static char boot_emergency_stack[EMERGENCY_STACK_BYTES] __attribute__((aligned(16)));

/* No device tree is larger; the reader checks the tree's own size against it. */
#define DTB_BYTES_MAX (4ul << 20)

paddr_t arch_image_paddr(const void *symbol)
{
    return (vaddr_t)symbol - riscv_image_offset;
}

void hart_init_csrs(void)
{
    csr_clear(sstatus, SSTATUS_FS | SSTATUS_SUM | SSTATUS_MXR);
    csr_write(scounteren, SCOUNTEREN_TM | SCOUNTEREN_IR);
}

/* Instructions the boot hart had retired when it came to _start (0: the counter cannot be read),
 * and from there to user mode. */
static uint64_t entry_instret;
static uint64_t boot_instret; /* atomic; UINT64_MAX: another hart was there first */

void boot_note_user_entry(void)
{
    if (atomic_load(&boot_instret) != 0)
        return;
    bool counts = arch_hart_index() == 0 && entry_instret != 0;
    atomic_store(&boot_instret, counts ? csr_read(instret) - entry_instret : UINT64_MAX);
}

uint64_t arch_boot_instructions(void)
{
    uint64_t count = atomic_load(&boot_instret);

    return count == UINT64_MAX ? 0 : count;
}

void boot_main(uint64_t hart_id, paddr_t dtb_pa, uint64_t instret_at_entry)
{
    struct arch_thread *thread = riscv_this_thread();
    paddr_t window = LINEAR_BASE - riscv_linear_offset;
    size_t readable = 0;

    entry_instret = instret_at_entry;
    thread->kernel_stack_top = (uint64_t)boot_stack_top;
    thread->fp_hart = -1;
    harts[0].id = hart_id;
    harts[0].emergency_top = (uint64_t)boot_emergency_stack + EMERGENCY_STACK_BYTES;
    hart_init_csrs();
    sbi_init();
    if (dtb_pa >= window && dtb_pa - window < LINEAR_BYTES)
        readable = MIN(DTB_BYTES_MAX, LINEAR_BYTES - (dtb_pa - window));
    kernel_main(hart_id, phys_to_virt(dtb_pa), readable, dtb_pa);
}

void arch_set_features(const struct arch_features *features)
{
    errata_init();
    riscv_features = *features;
    if (features->sstc) {
        irq_state_t irq = arch_irq_save();
        riscv_features.sstc = riscv_probe_stimecmp();
        arch_irq_restore(irq);
    }
}

struct ram_range arch_image_range(void)
{
    return (struct ram_range){arch_image_paddr(image_start), (uint64_t)(image_end - image_start)};
}

const void *arch_vdso_image(size_t *out_bytes)
{
    *out_bytes = (size_t)(vdso_blob_end - vdso_blob);
    return vdso_blob;
}

struct ram_range arch_ramdisk_range(void)
{
    return (struct ram_range){arch_image_paddr(ramdisk_blob),
                              (uint64_t)(ramdisk_blob_end - ramdisk_blob)};
}
