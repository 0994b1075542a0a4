#!/usr/bin/env python3
"""The kernel's own symbol table, for backtraces.

ksyms.py --empty             an assembly file with no symbols, for the first link
ksyms.py ELF NM-OUTPUT       the assembly file for the functions of ELF
ksyms.py --same NM NM        exit 0 when both list the same functions at the same addresses

In section .rodata.ksyms, sorted by address:
    const uint64_t ksyms_base;       lowest address of the image as linked
    const uint32_t ksyms_count;
    const uint32_t ksyms_offsets[];  address minus ksyms_base; one more than ksyms_count, the last
                                     is the end of the text
    const char ksyms_names[];        the names in the same order, each ended by a zero byte
"""
import struct
import sys

PT_LOAD = 1


def link_base(path):
    """The lowest address of a loadable segment of a 64-bit ELF file."""
    with open(path, "rb") as file:
        data = file.read()
    phoff, = struct.unpack_from("<Q", data, 0x20)
    phentsize, phnum = struct.unpack_from("<HH", data, 0x36)
    bases = []
    for i in range(phnum):
        kind, _, _, vaddr, _, filesz = struct.unpack_from("<IIQQQQ", data, phoff + i * phentsize)
        if kind == PT_LOAD and filesz:
            bases.append(vaddr)
    return min(bases)


def parse_functions(lines):
    """[(address, size, name)] of the text symbols in the output of nm -nS, one an address: the one
    with a size (a function) rather than a linker script's mark."""
    found = {}
    for line in lines:
        parts = line.split()
        if len(parts) not in (3, 4) or parts[-2] not in "tTwW":
            continue
        address, name = int(parts[0], 16), parts[-1]
        size = int(parts[1], 16) if len(parts) == 4 else 0
        if not name.startswith((".L", "$")) and size >= found.get(address, (0, ""))[0]:
            found[address] = (size, name)
    return [(address, size, name) for address, (size, name) in sorted(found.items())]


def functions(nm_path):
    with open(nm_path, encoding="ascii") as file:
        return parse_functions(file)


def emit(base, symbols):
    lines = [
        ".section .rodata.ksyms, \"a\", @progbits",
        ".balign 8",
        ".global ksyms_base, ksyms_count, ksyms_offsets, ksyms_names",
        f"ksyms_base: .quad {base:#x}",
        f"ksyms_count: .word {max(len(symbols) - 1, 0)}",
        "ksyms_offsets:",
    ]
    lines += [f".word {address - base:#x}" for address, _, _ in symbols] or [".word 0"]
    lines.append("ksyms_names:")
    lines += [f".asciz \"{name}\"" for _, _, name in symbols[:-1]] or [".byte 0"]
    lines += [".section .note.GNU-stack, \"\", @progbits"]
    print("\n".join(lines))


def main():
    args = sys.argv[1:]
    if args == ["--empty"]:
        emit(0, [])
    elif len(args) == 3 and args[0] == "--same":
        sys.exit(0 if functions(args[1]) == functions(args[2]) else 1)
    elif len(args) == 2:
        base, symbols = link_base(args[0]), functions(args[1])
        if not symbols:
            sys.exit("ksyms: no functions found")
        if symbols[-1][0] - base >= 1 << 32:
            sys.exit("ksyms: the text is more than 4 GiB from the base of the image")
        address, size, _ = symbols[-1]
        symbols.append((address + max(size, 4), 0, ""))
        emit(base, symbols)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
