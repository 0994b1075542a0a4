/* The parts of the ELF-64 format that are read here: System V gABI chapters 4 and 5, and the RISC-V
 * ELF psABI for the machine's own numbers. */
#pragma once

#include <stdint.h>

struct elf64_ehdr {
    uint8_t e_ident[16];
    uint16_t e_type;
    uint16_t e_machine;
    uint32_t e_version;
    uint64_t e_entry;
    uint64_t e_phoff;
    uint64_t e_shoff;
    uint32_t e_flags;
    uint16_t e_ehsize;
    uint16_t e_phentsize;
    uint16_t e_phnum;
    uint16_t e_shentsize;
    uint16_t e_shnum;
    uint16_t e_shstrndx;
};

struct elf64_phdr {
    uint32_t p_type;
    uint32_t p_flags;
    uint64_t p_offset;
    uint64_t p_vaddr;
    uint64_t p_paddr;
    uint64_t p_filesz;
    uint64_t p_memsz;
    uint64_t p_align;
};

struct elf64_dyn {
    int64_t d_tag;
    uint64_t d_val;
};

struct elf64_rela {
    uint64_t r_offset;
    uint64_t r_info;
    int64_t r_addend;
};

struct elf64_sym {
    uint32_t st_name;
    uint8_t st_info;
    uint8_t st_other;
    uint16_t st_shndx;
    uint64_t st_value;
    uint64_t st_size;
};

#define ELF_CLASS64      2
#define ELF_DATA_LSB     1
#define ELF_EV_CURRENT   1
#define ELF_ET_DYN       3
#define ELF_EM_RISCV     243
#define ELF_PT_LOAD      1
#define ELF_PT_DYNAMIC   2
#define ELF_PT_INTERP    3
#define ELF_PT_TLS       7
#define ELF_PT_GNU_STACK 0x6474e551u /* a GNU extension: p_memsz is the wished stack */
#define ELF_PF_X         1u
#define ELF_PF_W         2u
#define ELF_PF_R         4u
#define ELF_DT_NULL      0
#define ELF_DT_HASH      4
#define ELF_DT_STRTAB    5
#define ELF_DT_SYMTAB    6
#define ELF_DT_RELA      7
#define ELF_DT_RELASZ    8
#define ELF_R_NONE       0 /* R_RISCV_NONE */
#define ELF_R_RELATIVE   3 /* R_RISCV_RELATIVE */
