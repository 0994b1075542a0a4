#!/usr/bin/env python3
"""check_elf.py FILE: is FILE a static PIE that the loader and the start-up code can take?

The linker option -z text would refuse text relocations, but binutils 2.40 leaves an empty
R_RISCV_NONE in the table for each local-exec TLS access of a PIE and counts those as well. So the
table is looked at here: only R_RISCV_NONE and R_RISCV_RELATIVE, the latter only in writable
segments; no segment both writable and executable; no interpreter.
"""
import struct
import sys

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
PF_X, PF_W = 1, 2
ET_DYN, EM_RISCV = 3, 243
DT_NEEDED, DT_RELA, DT_RELASZ, DT_JMPREL = 1, 7, 8, 23
R_RISCV_NONE, R_RISCV_RELATIVE = 0, 3


def check(data):
    """Yields what is wrong with the ELF file in data."""
    kind, machine = struct.unpack_from("<HH", data, 16)
    if data[:4] != b"\x7fELF" or kind != ET_DYN or machine != EM_RISCV:
        yield "no position-independent RISC-V ELF file"
        return
    phoff, = struct.unpack_from("<Q", data, 32)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQ", data, phoff + i * phentsize) for i in range(phnum)]
    loads = [h for h in headers if h[0] == PT_LOAD]
    dynamic = {}
    for ptype, flags, offset, vaddr, _, filesz in headers:
        if ptype == PT_INTERP:
            yield "has an interpreter"
        if ptype == PT_LOAD and flags & PF_W and flags & PF_X:
            yield f"segment at {vaddr:#x} is writable and executable"
        if ptype == PT_DYNAMIC:
            for at in range(offset, offset + filesz, 16):
                tag, value = struct.unpack_from("<QQ", data, at)
                if tag:
                    dynamic[tag] = value
    if DT_NEEDED in dynamic or DT_JMPREL in dynamic:
        yield "needs a dynamic linker"
    start = file_offset(loads, dynamic.get(DT_RELA, 0))
    for at in range(start, start + dynamic.get(DT_RELASZ, 0), 24):
        where, info, _ = struct.unpack_from("<QQq", data, at)
        if info == R_RISCV_NONE:
            continue
        if info != R_RISCV_RELATIVE:
            yield f"relocation of type {info & 0xffffffff} for symbol {info >> 32} at {where:#x}"
        elif not any(v <= where < v + size and flags & PF_W for _, flags, _, v, _, size in loads):
            yield f"relocation at {where:#x}, which is not writable"


def file_offset(loads, vaddr):
    for _, _, offset, start, _, filesz in loads:
        if start <= vaddr < start + filesz:
            return offset + vaddr - start
    return 0


def main():
    with open(sys.argv[1], "rb") as file:
        problems = list(check(file.read()))
    for problem in problems[:10]:
        print(f"{sys.argv[1]}: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
