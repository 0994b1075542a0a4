/* The whole boot, from the first C function to the idle loop. */
#include "arch/arch.h"
#include "arch/mmu.h"
#include "kernel/devices.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/bootargs.h"
#include "kernel/lib/checks.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/printf.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/lib/string_copy.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/abi.h"
#include "kernel/userboot.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"
#include "kernel/vm/vmo.h"
#include "platform/boot_info.h"

static struct boot_info info;
static struct thread idle_threads[MAX_HARTS]; /* of the secondary harts; entry 0 is unused */

/* ---- Discovery ---- */

#define BOOTARGS_MAX_BYTES 4096u
#define RNG_SEED_MAX_BYTES 256u

/* What is needed of the device tree once the kernel has page tables of its own is copied: the tree
 * need not lie in memory that it names, and such memory alone is mapped then. */
static void keep_of_tree(void)
{
    static char bootargs[BOOTARGS_MAX_BYTES];
    static uint8_t seed[RNG_SEED_MAX_BYTES];

    if (strlen(info.bootargs) >= sizeof(bootargs))
        kprintf("command line: only %u bytes of it are used", BOOTARGS_MAX_BYTES - 1);
    string_copy(bootargs, info.bootargs, sizeof(bootargs));
    info.bootargs = bootargs;
    if (info.rng_seed != NULL) {
        info.rng_seed_bytes = MIN(info.rng_seed_bytes, RNG_SEED_MAX_BYTES);
        memcpy(seed, info.rng_seed, info.rng_seed_bytes);
        info.rng_seed = seed;
    }
}

static void discover(uint64_t boot_hart_id, const void *dtb, size_t dtb_bytes_max,
                     paddr_t dtb_paddr)
{
    static struct fdt fdt;
    char why[160];
    struct ram_range image = arch_image_range();

    if (dtb_paddr == 0)
        panic("device tree: the boot loader gave none");
    enum fdt_error error = fdt_open(dtb, dtb_bytes_max, &fdt);
    if (error != FDT_OK)
        panic("device tree at %#lx: %s", dtb_paddr, fdt_error_string(error));
    zx_status_t status = boot_info_from_fdt(&fdt, boot_hart_id, &info, why, sizeof(why));
    devices_start_early_power(&info);
    if (status != ZX_OK)
        panic("cannot boot: %s", why);
    if (boot_info_reserve(&info, image.base, image.len_bytes, BOOT_RESERVED_KERNEL, false) !=
            ZX_OK ||
        boot_info_reserve(&info, dtb_paddr, fdt_claimed_bytes(dtb), BOOT_RESERVED_DTB, false) !=
            ZX_OK)
        panic("device tree: too many reserved ranges");
    paddr_t cursor = 0;
    struct boot_range free_range;
    if (!boot_info_next_free(&info, &cursor, &free_range))
        panic("cannot boot: all of the memory is reserved");
    keep_of_tree();
}

/* Whether one of the tree's memory banks has the whole range. */
static bool is_in_memory(paddr_t base, uint64_t size_bytes)
{
    for (uint32_t i = 0; i < info.bank_count; i++) {
        const struct boot_range *bank = &info.banks[i];
        if (base >= bank->base && size_bytes <= bank->size_bytes &&
            base - bank->base <= bank->size_bytes - size_bytes)
            return true;
    }
    return false;
}

static void log_machine(paddr_t dtb_paddr)
{
    struct ram_range image = arch_image_range();
    unsigned usable = 0;

    kprintf("image: %#lx-%#lx, device tree at %#lx", image.base, image.base + image.len_bytes,
            dtb_paddr);
    kprintf("machine: %s", info.model[0] != '\0' ? info.model : "(no model name)");
    for (uint32_t i = 0; i < info.bank_count; i++)
        kprintf("memory: %#lx-%#lx, %lu MiB", info.banks[i].base,
                info.banks[i].base + info.banks[i].size_bytes, info.banks[i].size_bytes >> 20);
    for (uint32_t i = 0; i < info.hart_count; i++) {
        if (info.harts[i].state == BOOT_HART_USABLE)
            usable++;
        else
            kprintf("hart %lu: not used, %s", info.harts[i].id,
                    boot_hart_state_string(info.harts[i].state));
    }
    if (!is_in_memory(dtb_paddr, 1))
        kprintf("memory: the device tree lies outside of the memory that it names; "
                "is there more than it says?");
    kprintf("harts: %u usable, boot hart %lu, timebase %lu Hz", usable,
            info.harts[info.boot_hart].id, info.timebase_hz);
    for (unsigned i = 0; i < BOOT_WARN_COUNT; i++) {
        if ((info.warnings & BIT(i)) != 0)
            kprintf("device tree: %s", boot_warning_string(i));
    }
}

static void start_clock(void)
{
    struct arch_features features = {
        .sstc = (info.isa_all & BOOT_ISA_SSTC) != 0,
        .svpbmt = (info.isa_all & BOOT_ISA_SVPBMT) != 0,
        .timebase_hz = info.timebase_hz,
    };

    arch_set_features(&features);
    clock_init(info.timebase_hz);
}

/* Where the seeds and the shipped Zircon differ, abi= decides. */
static void select_abi(void)
{
    char name[16] = "documented";

    (void)bootargs_get(info.bootargs, "abi", name, sizeof(name));
    if (strcmp(name, "zircon") == 0)
        abi_set_mode(ABI_ZIRCON);
    else if (strcmp(name, "documented") != 0)
        kprintf("abi=%s is neither documented nor zircon; documented it is", name);
    kprintf("Beryl, command line: %s", info.bootargs);
}

/* ---- Memory ---- */

/* Trees of boards name a range in which there may be no ramdisk at all: its memory is ordinary
 * then.
 */
static void check_initrd(void)
{
    static const char magic[] = "070701"; /* cpio, newc */
    const struct boot_range *initrd = &info.initrd;
    struct ram_range window = arch_ram_window();

    if (initrd->size_bytes == 0)
        return;
    if (initrd->size_bytes > strlen(magic) && initrd->base >= window.base &&
        initrd->base - window.base <= window.len_bytes - initrd->size_bytes &&
        is_in_memory(initrd->base, initrd->size_bytes) &&
        memcmp(phys_to_virt(initrd->base), magic, strlen(magic)) == 0)
        return;
    kprintf("ramdisk: no cpio (newc) archive at %#lx, using the built-in one", initrd->base);
    boot_info_drop_initrd(&info);
}

/* The ramdisk: the boot loader's if it brought one, else the one inside the image. */
static struct ram_range find_ramdisk(void)
{
    if (info.initrd.size_bytes == 0)
        return arch_ramdisk_range();
    kprintf("ramdisk: %lu bytes at %#lx", info.initrd.size_bytes, info.initrd.base);
    return (struct ram_range){info.initrd.base, info.initrd.size_bytes};
}

/* Leaves out what the kernel's half of the address space cannot reach. */
static void add_bank(const struct boot_range *bank)
{
    struct ram_range window = arch_ram_window();
    paddr_t base = MAX(bank->base, window.base);
    paddr_t end = MIN(bank->base + bank->size_bytes, window.base + window.len_bytes);

    if (base > bank->base || end < bank->base + bank->size_bytes)
        kprintf("memory: only %#lx-%#lx can be used of the bank at %#lx", window.base,
                window.base + window.len_bytes, bank->base);
    if (base < end)
        pmm_boot_add_bank(base, end - base);
}

static void start_memory(void)
{
    const struct ram_range *banks;

    check_initrd();
    for (uint32_t i = 0; i < info.bank_count; i++)
        add_bank(&info.banks[i]);
    for (uint32_t i = 0; i < info.reserved_count; i++) {
        const struct boot_range *range = &info.reserved[i].range;
        if (pmm_boot_reserve(range->base, range->size_bytes) != ZX_OK)
            panic("memory: too many reserved ranges");
    }
    size_t count_banks = pmm_boot_banks(&banks);
    devices_stop_early_power();
    arch_vm_init(banks, count_banks, pmm_boot_carve, NULL);
    pmm_init();
    kheap_init();
    kheap_init_hart(0);
    vmo_init();
    aspace_init();
    devices_start_power(&info);
    kprintf("memory: %lu of %lu MiB free", pmm_count_free() >> 8, boot_info_ram_bytes(&info) >> 20);
}

/* ---- Randomness ---- */

/* The generator is left alone with trng=0, for a machine on which touching it does harm. */
static bool seed_from_generator(void)
{
    uint8_t drawn[32];
    uint64_t wanted = 1;

    (void)bootargs_get_u64(info.bootargs, "trng", &wanted);
    if (wanted == 0 || !devices_read_random(&info, drawn, sizeof(drawn)))
        return false;
    random_seed(drawn, sizeof(drawn));
    memset(drawn, 0, sizeof(drawn));
    return true;
}

static void start_random(void)
{
    uint64_t seed;

    if (bootargs_get_u64(info.bootargs, "seed", &seed)) {
        kprintf("random: everything follows from seed=%#lx", seed);
        random_seed(&seed, sizeof(seed));
    } else {
        bool generator = seed_from_generator();
        random_seed(&info.kaslr_seed, sizeof(info.kaslr_seed));
        if (info.rng_seed != NULL)
            random_seed(info.rng_seed, info.rng_seed_bytes);
        random_seed_jitter(arch_ticks);
        kprintf("random: seeded by %s%s%sthe clock's jitter",
                info.rng_seed != NULL ? "rng-seed, " : "",
                info.kaslr_seed != 0 ? "kaslr-seed, " : "", generator ? "the generator, " : "");
    }
    aspace_seed(random_u64());
}

/* ---- Harts ---- */

static uint64_t clock_us(void)
{
    return (uint64_t)clock_monotonic_ns() / 1000;
}

static void start_harts(void)
{
    uint64_t ids[MAX_HARTS];
    struct thread *threads[MAX_HARTS];
    void *stacks_top[MAX_HARTS];
    uint64_t wanted = MAX_HARTS, asids;
    unsigned count = 0;

    if (bootargs_get_u64(info.bootargs, "asids", &asids))
        mmu_limit_asids((uint32_t)MIN(asids, (uint64_t)UINT32_MAX));
    (void)bootargs_get_u64(info.bootargs, "harts", &wanted);
    for (uint32_t i = 0; i < info.hart_count && count + 1 < MIN(wanted, (uint64_t)MAX_HARTS); i++) {
        if (info.harts[i].state != BOOT_HART_USABLE || i == info.boot_hart)
            continue;
        char *stack = arch_kernel_stack_alloc();
        if (stack == NULL)
            panic("no memory for the stack of a hart");
        threads[count] = &idle_threads[count + 1];
        kernel_snprintf(threads[count]->name, sizeof(threads[count]->name), "idle/%u", count + 1);
        threads[count]->stack = stack;
        sched_init_idle(count + 1, threads[count]);
        kheap_init_hart(count + 1);
        stacks_top[count] = stack + KERNEL_STACK_BYTES;
        ids[count++] = info.harts[i].id;
    }
    unsigned up = arch_start_harts(ids, threads, stacks_top, count);
    if (up < count)
        kprintf("harts: %u of %u did not start", count - up, count);
    kprintf("harts: %u running", arch_hart_count());
}

void upcall_secondary_hart(unsigned hart_index)
{
    arch_irq_init_hart();
    devices_init_hart(&info, arch_hart_id(hart_index));
    sched_hart_online();
    sched_idle();
}

/* ---- Userland ---- */

/* Runs as a thread of its own from here on: the boot context is the idle thread and must not sleep.
 */
static void start_userland(void *arg)
{
    struct userboot_args args = {
        .bootargs = info.bootargs,
        .ramdisk = find_ramdisk(),
    };

    (void)arg;
    userboot_start(&args);
}

static void start_boot_thread(void)
{
    static struct thread thread;

    if (thread_init(&thread, "boot", PRIORITY_DEFAULT, NULL, start_userland, NULL,
                    thread_destroy) != ZX_OK)
        panic("no memory for the boot thread");
    thread_start(&thread);
}

void kernel_main(uint64_t boot_hart_id, const void *dtb, size_t dtb_bytes_max, paddr_t dtb_paddr)
{
    sched_init_boot_hart();
    devices_start_early_console();
    discover(boot_hart_id, dtb, dtb_bytes_max, dtb_paddr);
    start_clock();
    log_set_clock(clock_us);
    select_abi();
    log_machine(dtb_paddr);
    start_memory();
    devices_start_console(&info);
    start_random();
    stack_guard_set(random_u64());
    arch_irq_init_hart();
    devices_start_interrupts(&info);
    sched_hart_online();
    start_harts();
    devices_start_watchdog(&info);
    sched_start_reaper();
    start_boot_thread();
    sched_idle();
}
