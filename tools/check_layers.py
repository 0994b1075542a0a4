#!/usr/bin/env python3
"""The dependency rule of docs/conventions.md: who may include whom, and what stays in arch/.

For every tracked C, header and assembly file:
  - an include names its folder from the root and reaches only where the arrows lead;
  - a header *_internal.h is included from its own folder only;
  - assembly, CSRs and linker symbols appear only in arch/ and where EXEMPT says why;
  - kernel/ and arch/ name no board, SoC or emulator: what is special there is in platform/ and
    drivers/;
  - a driver's file with register constants says where they come from.
"""
import os
import re
import sys

import sources

# Each layer and the layers it sees, itself and what its arrows reach. The longest prefix wins.
FORMATS = ["abi", "formats"]
LIB = ["abi", "kernel/lib"]
SYNC = LIB + ["kernel/sync", "kernel/include"]
SCHED = SYNC + ["kernel/sched"]
VM = SCHED + ["kernel/vm"]
OBJECT = VM + ["kernel/object", "formats"]
SYSCALL = OBJECT + ["kernel/syscall"]
DRIVERS = LIB + ["kernel/include", "drivers"]
PLATFORM = DRIVERS + ["platform"]
KERNEL = SYSCALL + PLATFORM + ["kernel", "kernel/main"]
LAYERS = {
    "abi": ["abi"],
    "formats": FORMATS,
    "kernel/lib": LIB + ["kernel/include"],
    "kernel/include": SYNC,
    "kernel/sync": SYNC,
    "kernel/sched": SCHED,
    "kernel/vm": VM,
    "kernel/object": OBJECT,
    "kernel/syscall": SYSCALL,
    "kernel": KERNEL,
    "arch": SYNC + ["arch"],
    "drivers": DRIVERS,
    "platform": PLATFORM,
    "userland": FORMATS + ["userland"],
    "tests/conformance": ["abi", "userland", "tests/conformance"],
    "tests/fuzz": ["abi", "userland", "tests/fuzz"],
    "tests/boot/firmware": ["tests/boot/firmware"],
    "tests/headers": ["abi"],
    "tests/bench": ["abi", "userland", "tests/bench"],
    "tests/model": ["abi", "tests/model"],
    "tests/model/user": ["abi", "userland", "tests/model", "tests/model/user"],
    "tests/host": KERNEL + ["userland", "tests/host", "tests/model"],
    "tools": PLATFORM + ["tools"],
}

# Single headers that a layer sees beyond its arrows: (layer, header), and why.
ALLOWED = {
    ("arch", "kernel/vm/pmm.h"): "page tables and kernel stacks are made of frames",
}

# Files outside arch/ that hold assembly or linker symbols, and why they must.
EXEMPT = {
    "userland/vdso/": "the vDSO is the way into the kernel: ecall, rdtime",
    "userland/crt/": "the first instructions of a process and its own relocation",
    "userland/libzx/": "thread entry and the thread pointer",
    "userland/programs/conformance_child/": "instructions that must not work in user mode",
    "tests/boot/firmware/": "it runs in M-mode: traps, CSRs, the hand-over to the kernel",
    "tests/bench/bench.h": "the counter of retired instructions",
    "tests/conformance/fresh_thread.S": "the first instructions of a thread",
    "tests/conformance/hold_register.S": "a thread whose registers others look at",
    "tests/conformance/registers.S": "registers before and after a call or a preemption",
    "tests/conformance/stress_counter.S": "registers that must survive any switch or suspension",
}

# Headers without a folder: supplied by each implementation of the arch interface, or generated.
SUPPLIED = {"arch_types.h", "asm_offsets.h", "vdso_layout.h"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)
ASSEMBLY = re.compile(r"\b(asm|__asm|__asm__)\b\s*(volatile|__volatile__|goto|inline)?\s*\(")
LINKER_SYMBOL = re.compile(r"\bextern\s+(?:const\s+)?(?:unsigned\s+)?(?:char|uint8_t|byte)\s+"
                           r"_*\w*(?:start|end|begin|size|base)\w*\s*\[\s*\]")


# Machines, also in comments.
BOARD = re.compile(r"visionfive|starfive|jh71\d\d|star64|unmatched|unleashed|sifive_u|\bu[57]4\b|"
                   r"\bqemu\b|icicle|polarfire|lichee|milk-?v", re.I)
REGISTERS = re.compile(r"^#define\s+\w+(?:\(\w+\))?\s+\(?(?:0x[0-9a-f]|BIT\()", re.M | re.I)
CITATION = re.compile(r"\bSources?:|\bdata sheet\b|\bdatabook\b|\bmanual\b|\bbinding", re.I)


def layer_of(path):
    """The layer a file belongs to; None when the table has no place for it."""
    parts = path.split("/")
    for length in range(len(parts) - 1, 0, -1):
        prefix = "/".join(parts[:length])
        if prefix in LAYERS:
            # A folder of kernel/ that the table does not know is no part of the layer above.
            return None if prefix == "kernel" and length < len(parts) - 1 else prefix
    return None


def resolve(target, quoted):
    """The path in the tree of an included name; None for a header of the compiler or libraries."""
    if target.startswith("zircon/") or target == "vdso_constants.h":
        return "abi/" + target
    if not quoted:
        return None
    if target.startswith("arch/") and not target.startswith("arch/riscv/"):
        return "kernel/include/" + target
    return target


def check_include(path, layer, quote, target):
    """None, or what is wrong with one include."""
    quoted = quote == '"'
    if target in SUPPLIED:
        return None
    resolved = resolve(target, quoted)
    if resolved is None:
        return None
    if "/" not in resolved or ".." in resolved.split("/"):
        return f'include "{target}" does not name its folder from the root'
    folder = os.path.dirname(resolved)
    if resolved.endswith("_internal.h") and folder != os.path.dirname(path):
        return f"includes {resolved}, which is internal to {folder}/"
    if (layer, resolved) in ALLOWED:
        return None
    wanted = layer_of(resolved)
    if wanted is None:
        return f"includes {resolved}, which is in no layer"
    if wanted not in LAYERS[layer]:
        return f"includes {resolved}: {layer} does not reach {wanted}"
    return None


def check_file(path, text):
    """Yields (line, problem)."""
    layer = layer_of(path)
    if layer is None:
        yield 1, "is in a folder that tools/check_layers.py has no layer for"
        return
    for match in BOARD.finditer(text) if layer == "arch" or layer.startswith("kernel") else ():
        yield sources.line_of(text, match.start()), f"names a machine: {match.group(0)}"
    if layer == "drivers" and REGISTERS.search(text) and not CITATION.search(text):
        yield 1, "has register constants and names no source of them"
    code = sources.without_comments(text)
    for match in INCLUDE.finditer(code):
        problem = check_include(path, layer, match.group(1), match.group(2))
        if problem:
            yield sources.line_of(code, match.start()), problem
    if layer == "arch" or any(path.startswith(prefix) for prefix in EXEMPT):
        return
    if path.endswith(".S"):
        yield 1, "is assembly outside arch/"
    bare = sources.without_strings(code)
    for match in ASSEMBLY.finditer(bare):
        yield sources.line_of(bare, match.start()), "assembly outside arch/"
    # A host test has its own program's symbols.
    for match in LINKER_SYMBOL.finditer(bare) if layer != "tests/host" else ():
        yield sources.line_of(bare, match.start()), "linker symbol outside arch/"


def main():
    bad = 0
    for path in sources.tracked(".c", ".h", ".S", ".def"):
        for line, problem in check_file(path, sources.read(path)):
            print(f"{path}:{line}: {problem}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
