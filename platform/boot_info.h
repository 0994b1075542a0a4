// What the device tree says about the machine, in the form the kernel uses it.
//
// boot_info_from_fdt() reads everything once; nothing else in the kernel looks at the tree. The
// structure is plain data without pointers except for the few marked as borrowed from the tree.
#pragma once

#include <stdbool.h>
#include <zircon/errors.h>
#include <zircon/types.h>

#include "drivers/clock/gate.h"
#include "drivers/irq/plic.h"
#include "drivers/uart/uart.h"
#include "kernel/lib/compiler.h"
#include "platform/fdt.h"

#define BOOT_MAX_BANKS    16u
#define BOOT_MAX_RESERVED 64u
#define BOOT_MAX_HARTS    64u
#define BOOT_MAX_PLICS    8u
#define BOOT_NO_PLIC      UINT32_MAX

// ---- Memory ----

// [base, base + size_bytes), page-aligned.
struct boot_range {
    paddr_t base;
    uint64_t size_bytes;
};

enum boot_reserved_kind {
    BOOT_RESERVED_NODE,       // a child of /reserved-memory
    BOOT_RESERVED_MEMRESERVE, // the blob's /memreserve/ list
    BOOT_RESERVED_FIRMWARE,   // assumed: the tree does not say where the firmware is
    BOOT_RESERVED_INITRD,
    BOOT_RESERVED_DTB,    // added by the caller
    BOOT_RESERVED_KERNEL, // added by the caller
};

// A part of RAM that must not be handed out. no_map: not even to be mapped.
struct boot_reserved {
    struct boot_range range;
    enum boot_reserved_kind kind;
    bool no_map;
};

// ---- Harts ----

enum boot_hart_state {
    BOOT_HART_USABLE,
    BOOT_HART_DISABLED,    // status is not okay
    BOOT_HART_NO_MMU,      // no mmu-type, or none that includes Sv39
    BOOT_HART_BAD_ISA,     // not rv64 with BOOT_ISA_REQUIRED
    BOOT_HART_NO_EXTERNAL, // interrupt controllers have no S-mode context for it
    BOOT_HART_DUPLICATE,   // another node has the same id
};

// Extensions, as bits of boot_hart.isa. boot_isa_name() gives their names.
enum boot_isa {
    BOOT_ISA_I = 1u << 0,
    BOOT_ISA_M = 1u << 1,
    BOOT_ISA_A = 1u << 2,
    BOOT_ISA_F = 1u << 3,
    BOOT_ISA_D = 1u << 4,
    BOOT_ISA_C = 1u << 5,
    BOOT_ISA_H = 1u << 6,
    BOOT_ISA_V = 1u << 7,
    BOOT_ISA_SSTC = 1u << 8,
    BOOT_ISA_SVPBMT = 1u << 9,
    BOOT_ISA_SVNAPOT = 1u << 10,
    BOOT_ISA_SVINVAL = 1u << 11,
    BOOT_ISA_SVADU = 1u << 12,
    BOOT_ISA_SVADE = 1u << 13,
    BOOT_ISA_ZICBOM = 1u << 14,
    BOOT_ISA_ZICBOZ = 1u << 15,
    BOOT_ISA_ZICBOP = 1u << 16,
    BOOT_ISA_ZBA = 1u << 17,
    BOOT_ISA_ZBB = 1u << 18,
    BOOT_ISA_ZBS = 1u << 19,
    BOOT_ISA_ZAWRS = 1u << 20,
    BOOT_ISA_ZIHINTPAUSE = 1u << 21,
    BOOT_ISA_SSCOFPMF = 1u << 22,
};
#define BOOT_ISA_COUNT 23u

// What a hart needs: the kernel is built for rv64imac, programs for rv64imafdc.
#define BOOT_ISA_REQUIRED                                                                          \
    (BOOT_ISA_I | BOOT_ISA_M | BOOT_ISA_A | BOOT_ISA_F | BOOT_ISA_D | BOOT_ISA_C)

struct boot_hart {
    uint64_t id; // mhartid, what SBI calls take
    enum boot_hart_state state;
    uint32_t isa;              // enum boot_isa
    uint32_t va_bits;          // widest mode: 39, 48, 57; 0 without MMU
    uint32_t plic;             // index in boot_info.plics, or BOOT_NO_PLIC
    uint32_t plic_context;     // of its S-mode, in that PLIC
    uint32_t cbom_block_bytes; // cache block sizes, 0 when not given
    uint32_t cboz_block_bytes;
    uint32_t intc_phandle; // its local interrupt controller in the tree, 0 when none
};

// ---- Devices ----

struct boot_plic {
    struct plic_config config;
    uint32_t node;
};

struct boot_console {
    struct uart_config uart; // kind UART_KIND_NONE: use the firmware's console
    uint32_t plic;           // where uart.irq goes, or BOOT_NO_PLIC: poll
    uint32_t node;
    const char *options; // after ':' in stdout-path ("115200n8"), or null. Borrowed.
};

// A device known by address only. size_bytes 0: the machine has none.
struct boot_device {
    paddr_t base;
    uint64_t size_bytes;
    uint32_t irq; // at the first PLIC, 0 when none
};

// A register to write a value to (syscon-poweroff, syscon-reboot). addr 0: none.
struct boot_syscon {
    paddr_t addr;
    uint32_t value;
};

// ---- Everything ----

// Things worth a line on the console, bits of boot_info.warnings; boot_warning_string() says them.
enum boot_warning {
    BOOT_WARN_BANKS_CUT = 1u << 0,
    BOOT_WARN_HARTS_CUT = 1u << 1,
    BOOT_WARN_PLICS_CUT = 1u << 2,
    BOOT_WARN_PLIC_BAD = 1u << 3,
    BOOT_WARN_NO_PLIC = 1u << 4,
    BOOT_WARN_INITRD_BAD = 1u << 5,
    BOOT_WARN_STDOUT_BAD = 1u << 6,
    BOOT_WARN_NO_CONSOLE = 1u << 7,
    BOOT_WARN_CONSOLE_NO_IRQ = 1u << 8,
    BOOT_WARN_FIRMWARE_ASSUMED = 1u << 9,
    BOOT_WARN_RESERVED_BAD = 1u << 10,
    BOOT_WARN_BOOT_HART_ODD = 1u << 11,
};
#define BOOT_WARN_COUNT 12u

struct boot_info {
    const char *model; // borrowed, "" when the tree has none
    uint32_t warnings; // enum boot_warning

    // Sorted by address, disjoint, not adjacent, not empty, below 2^56.
    struct boot_range banks[BOOT_MAX_BANKS];
    uint32_t bank_count;

    // Sorted by address; each touches RAM; may overlap each other.
    struct boot_reserved reserved[BOOT_MAX_RESERVED];
    uint32_t reserved_count;

    struct boot_hart harts[BOOT_MAX_HARTS]; // in tree order
    uint32_t hart_count;
    uint32_t boot_hart; // index in harts
    uint32_t isa_all;   // extensions that every usable hart has
    uint64_t timebase_hz;

    struct boot_plic plics[BOOT_MAX_PLICS];
    uint32_t plic_count;

    struct boot_console console;

    const char *bootargs;     // borrowed, "" when none
    struct boot_range initrd; // exact bytes, not aligned; size 0 when none. Contents unchecked.
    const uint8_t *rng_seed;  // borrowed, null when none
    uint32_t rng_seed_bytes;
    uint64_t kaslr_seed; // 0 when none

    struct boot_device test;         // sifive,test1
    struct boot_device watchdog;     // SP805
    struct clock_gate watchdog_gate; // what must be on before it may be touched
    uint32_t watchdog_hz;            // its counts a second
    struct boot_device trng;         // random numbers (drivers/random/trng.h)
    struct clock_gate trng_bus;      // on the way to it and to trng_gate's controller: opened first
    struct clock_gate trng_gate;
    struct boot_syscon poweroff;
    struct boot_syscon reboot;
};

// Fills `out` from an opened tree. `boot_hart_id` is the hart this runs on. `out` borrows the
// tree's blob. When the machine cannot be booted it returns ZX_ERR_NOT_FOUND (something required is
// missing), ZX_ERR_NOT_SUPPORTED (boot hart unsuitable) or ZX_ERR_NO_RESOURCES (more reserved
// ranges than fit: leaving some out would be unsafe), writes a sentence to `err` (always
// terminated; err_bytes > 0), and `out` then holds what was found until there, for display only.
zx_status_t boot_info_from_fdt(const struct fdt *fdt, uint64_t boot_hart_id, struct boot_info *out,
                               char *err, size_t err_bytes);

// Reserves [base, base + size_bytes), rounded outwards to pages; what lies outside RAM is left out.
// ZX_ERR_NO_RESOURCES when the table is full.
zx_status_t boot_info_reserve(struct boot_info *info, paddr_t base, uint64_t size_bytes,
                              enum boot_reserved_kind kind, bool no_map);

// Forgets the initrd and its reservation: for a boot loader's initrd that turns out to be none.
void boot_info_drop_initrd(struct boot_info *info);

// Iterates over RAM that is not reserved, in address order: start with *cursor = 0. False at the
// end.
bool boot_info_next_free(const struct boot_info *info, paddr_t *cursor, struct boot_range *out);

// Bytes of all banks, reserved or not.
uint64_t boot_info_ram_bytes(const struct boot_info *info);

// Names for people.
const char *boot_hart_state_string(enum boot_hart_state state);
const char *boot_reserved_kind_string(enum boot_reserved_kind kind);
const char *boot_isa_name(uint32_t bit_index);
const char *boot_warning_string(uint32_t bit_index);
