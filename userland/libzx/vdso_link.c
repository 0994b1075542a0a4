#include "userland/libzx/vdso_link.h"

#include "formats/elf_types.h"
#include <stddef.h>
#include <string.h>
#include <zircon/errors.h>

// The names as one block of bytes with offsets into it, so that no pointer needs relocation when a
// program starts.
#define SYSCALL(number, name, ...)          char name[sizeof("zx_" #name)];
#define SYSCALL_VOID(number, name, ...)     char name[sizeof("zx_" #name)];
#define SYSCALL_NORETURN(number, name, ...) char name[sizeof("zx_" #name)];
#define VDSOCALL(name, ...)                 char name[sizeof("zx_" #name)];
#define VDSOCALL_NORETURN(name, ...)        char name[sizeof("zx_" #name)];
struct name_block {
#include <zircon/syscalls.def>
};

#define SYSCALL(number, name, ...)          "zx_" #name,
#define SYSCALL_VOID(number, name, ...)     "zx_" #name,
#define SYSCALL_NORETURN(number, name, ...) "zx_" #name,
#define VDSOCALL(name, ...)                 "zx_" #name,
#define VDSOCALL_NORETURN(name, ...)        "zx_" #name,
static const struct name_block name_block = {
#include <zircon/syscalls.def>
};

#define SYSCALL(number, name, ...)          offsetof(struct name_block, name),
#define SYSCALL_VOID(number, name, ...)     offsetof(struct name_block, name),
#define SYSCALL_NORETURN(number, name, ...) offsetof(struct name_block, name),
#define VDSOCALL(name, ...)                 offsetof(struct name_block, name),
#define VDSOCALL_NORETURN(name, ...)        offsetof(struct name_block, name),
static const uint16_t name_offsets[] = {
#include <zircon/syscalls.def>
};

#define NUM_NAMES (sizeof(name_offsets) / sizeof(name_offsets[0]))

// In table order; read by the jumps in vdso_calls.S.
__attribute__((visibility("hidden"))) uintptr_t vdso_link_slots[NUM_NAMES];

static struct {
    const unsigned char *base;
    const uint32_t *hash; // nbucket, nchain, buckets, chains: System V gABI "Hash Table"
    const struct elf64_sym *symbols;
    const char *strings;
} vdso;

void vdso_link_init(const void *base)
{
    const struct elf64_ehdr *header = base;
    const struct elf64_phdr *phdr;
    const struct elf64_dyn *dynamic = NULL;

    if (base == NULL) {
        __builtin_trap();
    }
    vdso.base = base;
    phdr = (const struct elf64_phdr *)(vdso.base + header->e_phoff);
    for (size_t i = 0; i < header->e_phnum; i++) {
        if (phdr[i].p_type == ELF_PT_DYNAMIC) {
            dynamic = (const struct elf64_dyn *)(vdso.base + phdr[i].p_vaddr);
        }
    }
    for (; dynamic != NULL && dynamic->d_tag != ELF_DT_NULL; dynamic++) {
        const void *target = vdso.base + dynamic->d_val;

        if (dynamic->d_tag == ELF_DT_HASH) {
            vdso.hash = target;
        } else if (dynamic->d_tag == ELF_DT_SYMTAB) {
            vdso.symbols = target;
        } else if (dynamic->d_tag == ELF_DT_STRTAB) {
            vdso.strings = target;
        }
    }
    if (vdso.hash == NULL || vdso.symbols == NULL || vdso.strings == NULL) {
        __builtin_trap();
    }
}

const void *vdso_link_base(void)
{
    return vdso.base;
}

static uint32_t hash_name(const char *name)
{
    uint32_t h = 0;

    for (; *name != '\0'; name++) {
        h = (h << 4) + (unsigned char)*name;
        h ^= (h & 0xf0000000) >> 24;
        h &= 0x0fffffff;
    }
    return h;
}

static int64_t call_missing(void)
{
    return ZX_ERR_NOT_SUPPORTED;
}

uintptr_t vdso_link_resolve(uint64_t index)
{
    const char *name = (const char *)&name_block + name_offsets[index];
    const uint32_t *buckets = vdso.hash + 2;
    const uint32_t *chains = buckets + vdso.hash[0];
    uintptr_t target = (uintptr_t)call_missing;

    for (uint32_t i = buckets[hash_name(name) % vdso.hash[0]]; i != 0; i = chains[i]) {
        if (strcmp(vdso.strings + vdso.symbols[i].st_name, name) == 0) {
            target = (uintptr_t)(vdso.base + vdso.symbols[i].st_value);
            break;
        }
    }
    __atomic_store_n(&vdso_link_slots[index], target, __ATOMIC_RELAXED);
    return target;
}
