/* Memory management brought up on the fake machine, for tests that only want to use it. */
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo.h"
#include "tests/host/fake_arch.h"

void fake_boot(uint64_t len_bytes)
{
    fake_arena_create(len_bytes);
    pmm_boot_add_bank(FAKE_PHYS_BASE, len_bytes);
    pmm_init();
    kheap_init();
    vmo_init();
}
