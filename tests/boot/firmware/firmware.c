/* A firmware for tests: as unhelpful as the specifications allow, and as the firmware of boards has
 * been. It knows the calls of SBI 0.1 only, or those of SBI 2.0 that boards' older OpenSBI lacks;
 * delegates what a U74 delegates; leaves the PLIC with thresholds at their maximum and enable bits
 * at random; can keep all counters from S-mode, can fill RAM with garbage first, can let every hart
 * into the kernel at once, as firmware before HSM did, or start harts badly: one is refused, one
 * comes only after the kernel has given it up. Every register but a0 and a1 holds garbage at the
 * kernel's entry, stvec leads nowhere, the FPU is on and dirty, and sie has a bit set.
 *
 * For QEMU's virt with at most 8 harts. The runner writes a struct options into memory. */
#include <stddef.h>
#include <stdint.h>

#define OPTION_COUNTERS_OFF 1u  /* no time, cycle, instret below M-mode; time is emulated */
#define OPTION_FILL         2u  /* garbage in all RAM that holds nothing */
#define OPTION_ALL_HARTS    4u  /* every hart enters the kernel */
#define OPTION_MODERN       8u  /* base, TIME, SRST and DBCN instead of the legacy calls */
#define OPTION_HSM          16u /* with OPTION_MODERN: HSM and IPI as well */

struct options {
    uint64_t flags;
    uint64_t kernel_end; /* of what was loaded: .bss lies behind */
    uint64_t ram_end;
};
#define OPTIONS ((const volatile struct options *)0x801ff000)

/* QEMU 7.2, hw/riscv/virt.c: virt_memmap. */
#define RAM_BASE    0x80000000ul
#define KERNEL_BASE 0x80200000ul
#define TEST_DEVICE ((volatile uint32_t *)0x100000)
#define UART        ((volatile uint8_t *)0x10000000)
#define CLINT_MSIP  ((volatile uint32_t *)0x2000000)
#define CLINT_CMP   ((volatile uint64_t *)0x2004000)
#define CLINT_TIME  ((volatile uint64_t *)0x200bff8)
#define PLIC        0xc000000ul

#define CONTEXTS 16u
#define HARTS    8u

/* mstatus: RISC-V Privileged specification, "Machine Status Registers". */
#define MSTATUS_SIE        0x2ul
#define MSTATUS_SPIE       0x20ul
#define MSTATUS_SPP        0x100ul
#define MSTATUS_MPP        0x1800ul
#define MSTATUS_MPP_S      0x800ul
#define MSTATUS_FS_DIRTY   0x6000ul
#define MSTATUS_MPRV       0x20000ul
#define MIP_SSIP           0x2ul
#define MIP_STIP           0x20ul
#define MIE_MSIE           0x8ul
#define MIE_MTIE           0x80ul
#define CAUSE_IRQ_SOFTWARE ((1ul << 63) | 3)
#define CAUSE_IRQ_TIMER    ((1ul << 63) | 7)
#define CAUSE_ILLEGAL      2ul
#define CAUSE_S_ECALL      9ul

/* What OpenSBI prints for the U74. */
#define U74_MEDELEG 0xb109ul
#define U74_MIDELEG 0x222ul

/* SBI specification 2.0: extension ids and errors. */
#define SBI_BASE          0x10ul
#define SBI_TIME          0x54494d45ul
#define SBI_SRST          0x53525354ul
#define SBI_DBCN          0x4442434eul
#define SBI_IPI           0x735049ul
#define SBI_HSM           0x48534dul
#define SBI_NOT_SUPPORTED (-2l)
#define SBI_FAILED        (-1l)

/* How harts start: this one is refused, this one comes when the next is started. */
#define HART_REFUSED 1u
#define HART_LATE    2u

#define csr_read(csr)                                                                              \
    ({                                                                                             \
        unsigned long value_;                                                                      \
        __asm__ volatile("csrr %0, " #csr : "=r"(value_) : : "memory");                            \
        value_;                                                                                    \
    })
#define csr_write(csr, value)                                                                      \
    __asm__ volatile("csrw " #csr ", %0" : : "r"((unsigned long)(value)) : "memory")
#define csr_set(csr, bits)                                                                         \
    __asm__ volatile("csrs " #csr ", %0" : : "r"((unsigned long)(bits)) : "memory")
#define csr_clear(csr, bits)                                                                       \
    __asm__ volatile("csrc " #csr ", %0" : : "r"((unsigned long)(bits)) : "memory")

void firmware_enter_kernel(uint64_t hart, uint64_t tree, uint64_t garbage);
void firmware_main(uint64_t hart, uint64_t tree);
void firmware_stop(void);
void firmware_wait(void);
void firmware_trap(uint64_t frame[32]);

static void put_char(char c)
{
    while ((UART[5] & 0x20) == 0) /* LSR: transmitter holding register empty */
        ;
    UART[0] = (uint8_t)c;
}

static void put_text(const char *text)
{
    while (*text != 0)
        put_char(*text++);
}

/* ---- What the kernel finds ---- */

static uint64_t next_garbage(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return *state ^ *state >> 29;
}

static void fill(uint64_t from, uint64_t to, uint64_t *state)
{
    for (volatile uint64_t *word = (volatile uint64_t *)from; (uint64_t)word + 8 <= to; word++)
        *word = next_garbage(state);
}

static uint32_t be32(const volatile uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Everything but the firmware, the kernel's file and the device tree, .bss of the kernel included.
 * The first bytes behind the file are garbage too, whatever their alignment. */
static void fill_ram(uint64_t tree)
{
    uint64_t state = 0x0bad5eed, end = OPTIONS->kernel_end;
    uint64_t tree_end = tree + be32((const volatile uint8_t *)tree + 4);

    for (; (end & 7) != 0; end++)
        *(volatile uint8_t *)end = (uint8_t)next_garbage(&state);
    fill(end, tree & ~7ul, &state);
    fill((tree_end + 7) & ~7ul, OPTIONS->ram_end, &state);
}

static void spoil_plic(void)
{
    for (uint32_t source = 1; source < 96; source++)
        *(volatile uint32_t *)(PLIC + source * 4) = 7;
    for (uint32_t context = 0; context < CONTEXTS; context++) {
        for (uint32_t word = 0; word < 3; word++)
            *(volatile uint32_t *)(PLIC + 0x2000 + context * 0x80 + word * 4) = 0xa5a5a5a5;
        *(volatile uint32_t *)(PLIC + 0x200000 + context * 0x1000) = 7;
    }
}

static void give_up_m_mode(void)
{
    csr_write(pmpaddr0, ~0ul >> 10);
    csr_write(pmpcfg0, 0x1f);
    csr_write(medeleg, U74_MEDELEG);
    csr_write(mideleg, U74_MIDELEG);
    csr_write(mcounteren, (OPTIONS->flags & OPTION_COUNTERS_OFF) != 0 ? 0 : ~0ul);
    csr_write(mie, MIE_MSIE);
    csr_write(mip, 0);
    csr_write(satp, 0);
    csr_write(stvec, 0xdeadbeef0ul);
    csr_write(sscratch, 0x123456789ul);
    csr_write(sie, MIP_SSIP);
    csr_write(scounteren, 7);
    csr_set(mstatus, MSTATUS_FS_DIRTY);
    csr_write(0x003, 0x44); /* fcsr, by number: this file is built without F */
    csr_clear(mstatus, MSTATUS_MPP | MSTATUS_SIE);
    csr_set(mstatus, MSTATUS_MPP_S);
    csr_write(mepc, KERNEL_BASE);
}

/* ---- Harts ---- */

static struct {
    uint64_t address, opaque;
    uint32_t wanted; /* atomic */
} hart_starts[HARTS];

/* A hart that nobody uses stays here until it is started. */
void firmware_wait(void)
{
    uint64_t hart = csr_read(mhartid);

    csr_write(mie, MIE_MSIE); /* wakes wfi; no interrupt is taken */
    while (__atomic_load_n(&hart_starts[hart].wanted, __ATOMIC_ACQUIRE) == 0) {
        __asm__ volatile("wfi");
        CLINT_MSIP[hart] = 0;
    }
    hart_starts[hart].wanted = 0;
    if (hart == HART_LATE)
        put_text("test firmware: the late hart comes\r\n");
    give_up_m_mode();
    csr_write(mepc, hart_starts[hart].address);
    firmware_enter_kernel(hart, hart_starts[hart].opaque, 0xbb67ae8584caa73bull * (hart + 1));
}

static void let_go(uint64_t hart)
{
    __atomic_store_n(&hart_starts[hart].wanted, 1, __ATOMIC_RELEASE);
    CLINT_MSIP[hart] = 1;
}

static long hart_call(uint64_t frame[32])
{
    uint64_t hart = frame[10];

    if (frame[16] == 1) { /* hart_stop */
        if (csr_read(mhartid) == HART_LATE)
            put_text("test firmware: the late hart stops\r\n");
        csr_write(mie, 0);
        firmware_stop();
    }
    if (frame[16] != 0)
        return SBI_NOT_SUPPORTED;
    if (hart >= HARTS || hart == HART_REFUSED)
        return SBI_FAILED;
    hart_starts[hart].address = frame[11];
    hart_starts[hart].opaque = frame[12];
    if (hart != HART_LATE)
        let_go(hart);
    if (hart == HART_LATE + 1)
        let_go(HART_LATE);
    frame[11] = 0;
    return 0;
}

void firmware_main(uint64_t hart, uint64_t tree)
{
    static volatile uint32_t ready;

    CLINT_CMP[hart] = UINT64_MAX;
    if (hart == 0) {
        put_text((OPTIONS->flags & OPTION_MODERN) != 0 ? "test firmware, SBI 2.0\r\n"
                                                       : "test firmware, SBI 0.1\r\n");
        spoil_plic();
        if ((OPTIONS->flags & OPTION_FILL) != 0)
            fill_ram(tree);
        __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
    } else if ((OPTIONS->flags & OPTION_HSM) != 0) {
        firmware_wait();
    } else if ((OPTIONS->flags & OPTION_ALL_HARTS) == 0) {
        return;
    }
    while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) == 0)
        ;
    give_up_m_mode();
    firmware_enter_kernel(hart, tree, 0x6a09e667f3bcc908ull * (hart + 1));
}

/* ---- Traps ---- */

static void set_timer(uint64_t when)
{
    CLINT_CMP[csr_read(mhartid)] = when;
    csr_clear(mip, MIP_STIP);
    csr_set(mie, MIE_MTIE);
}

/* A word at an address as the caller's translation has it. */
static uint64_t load_as_caller(uint64_t address)
{
    uint64_t value;
    __asm__ volatile("csrs mstatus, %2\n"
                     "ld %0, 0(%1)\n"
                     "csrc mstatus, %2\n"
                     : "=&r"(value)
                     : "r"(address), "r"(MSTATUS_MPRV)
                     : "memory");
    return value;
}

static void send_ipi(uint64_t mask)
{
    for (uint64_t hart = 0; hart < HARTS; hart++) {
        if ((mask >> hart & 1) != 0)
            CLINT_MSIP[hart] = 1;
    }
}

static void power_off(void)
{
    put_text("test firmware: off\r\n");
    *TEST_DEVICE = 0x5555;
}

static long legacy_call(uint64_t frame[32])
{
    switch (frame[17]) {
    case 0:
        set_timer(frame[10]);
        return 0;
    case 1:
        put_char((char)frame[10]);
        return 0;
    case 3:
        csr_clear(mip, MIP_SSIP);
        return 0;
    case 4:
        send_ipi(load_as_caller(frame[10]));
        return 0;
    case 8:
        power_off();
        return 0;
    default:
        return SBI_NOT_SUPPORTED;
    }
}

static long base_call(uint64_t frame[32])
{
    uint64_t extension = frame[10];
    switch (frame[16]) {
    case 0:
        frame[11] = 2ul << 24;
        return 0;
    case 3:
        frame[11] =
            extension == SBI_BASE || extension == SBI_TIME || extension == SBI_SRST ||
            extension == SBI_DBCN ||
            ((OPTIONS->flags & OPTION_HSM) != 0 && (extension == SBI_HSM || extension == SBI_IPI));
        return 0;
    default:
        frame[11] = 0;
        return frame[16] <= 6 ? 0 : SBI_NOT_SUPPORTED;
    }
}

static long modern_call(uint64_t frame[32])
{
    if (frame[17] == SBI_BASE)
        return base_call(frame);
    if (frame[17] == SBI_TIME) {
        set_timer(frame[10]);
        return 0;
    }
    if (frame[17] == SBI_HSM)
        return hart_call(frame);
    if (frame[17] == SBI_IPI) {
        send_ipi(frame[10] << frame[11]);
        return 0;
    }
    if (frame[17] == SBI_SRST) {
        power_off();
        return 0;
    }
    if (frame[17] == SBI_DBCN && frame[16] == 0) {
        /* At most 5 bytes a call, which the specification allows. */
        uint64_t count = frame[10] < 5 ? frame[10] : 5;
        for (uint64_t i = 0; i < count; i++)
            put_char(((const volatile char *)frame[11])[i]);
        frame[11] = count;
        return 0;
    }
    if (frame[17] == SBI_DBCN && frame[16] == 2) {
        put_char((char)frame[10]);
        frame[11] = 0;
        return 0;
    }
    return SBI_NOT_SUPPORTED;
}

/* rdtime: csrrs rd, time, x0. */
static int emulate_time(uint64_t frame[32])
{
    uint64_t instruction = csr_read(mtval);
    if ((instruction & 0xfffff07ful) != 0xc0102073ul)
        return 0;
    uint64_t rd = instruction >> 7 & 31;
    if (rd != 0)
        frame[rd] = *CLINT_TIME;
    csr_write(mepc, csr_read(mepc) + 4);
    return 1;
}

/* Hands a trap to S-mode as if it had been delegated. */
static void redirect(uint64_t cause)
{
    uint64_t status = csr_read(mstatus);
    uint64_t from_s = (status & MSTATUS_MPP) == MSTATUS_MPP_S;

    csr_write(scause, cause);
    csr_write(stval, csr_read(mtval));
    csr_write(sepc, csr_read(mepc));
    status &= ~(MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_MPP);
    status |= MSTATUS_MPP_S | (from_s ? MSTATUS_SPP : 0);
    status |= (status & MSTATUS_SIE) != 0 ? MSTATUS_SPIE : 0;
    csr_write(mstatus, status & ~MSTATUS_SIE);
    csr_write(mepc, csr_read(stvec));
}

void firmware_trap(uint64_t frame[32])
{
    uint64_t cause = csr_read(mcause);

    if (cause == CAUSE_S_ECALL) {
        int modern = (OPTIONS->flags & OPTION_MODERN) != 0;
        frame[10] = (uint64_t)(modern ? modern_call(frame) : legacy_call(frame));
        csr_write(mepc, csr_read(mepc) + 4);
    } else if (cause == CAUSE_IRQ_TIMER) {
        csr_clear(mie, MIE_MTIE);
        csr_set(mip, MIP_STIP);
    } else if (cause == CAUSE_IRQ_SOFTWARE) {
        CLINT_MSIP[csr_read(mhartid)] = 0;
        csr_set(mip, MIP_SSIP);
    } else if (cause != CAUSE_ILLEGAL || !emulate_time(frame)) {
        redirect(cause);
    }
}
