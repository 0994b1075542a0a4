#!/usr/bin/env python3
"""The ABI's headers are usable: each one compiles alone, and twice, as C and as C++, with GCC and
with Clang, for this machine and for the target, as do userland's; numbers and layouts are those of
tests/headers/layouts.h; no structure has padding without a name; and from C++ every call is found
under its C name."""
import os
import re
import subprocess
import sys

import sources

LAYOUTS = "tests/headers/layouts.h"
STRICT = ["-Wall", "-Wextra", "-Werror", "-I.", "-Iabi"]
CROSS = "riscv64-linux-gnu"
# The headers that programs see: the C library's behind those of userland/include.
TARGET = ["-Iuserland/include", "-isystem", "/usr/lib/picolibc/riscv64-unknown-elf/include",
          "-mabi=lp64d", "-march=rv64imafdc"]
COMPILERS = [
    ("gcc, C", ["gcc", "-x", "c", "-std=c11"]),
    ("clang, C", ["clang", "-x", "c", "-std=c11"]),
    ("g++, C++17", ["g++", "-x", "c++", "-std=c++17"]),
    ("clang++, C++20", ["clang++", "-x", "c++", "-std=c++20"]),
    ("gcc for RISC-V, C", [f"{CROSS}-gcc", "-x", "c", "-std=gnu11"] + TARGET),
    ("clang for RISC-V, C", ["clang", "-x", "c", "-std=gnu11", f"--target={CROSS}"] + TARGET),
    ("clang++ for RISC-V, C++17", ["clang++", "-x", "c++", "-std=c++17", "-nostdinc++",
                                   f"--target={CROSS}"] + TARGET),
]
CALL = re.compile(r"^(?:SYSCALL|VDSOCALL)\w*\((?:\s*\d+\s*,)?\s*(\w+)", re.M)


def compile_text(command, text, extra=("-fsyntax-only",)):
    """None, or what the compiler says."""
    done = subprocess.run(command + STRICT + list(extra) + ["-"], input=text, text=True,
                          capture_output=True, check=False)
    return None if done.returncode == 0 else done.stderr.strip()


def check_alone(headers, compilers):
    for header in headers:
        line = f"#include <{header}>\n"
        # What comes after a header must be as it was: no open extern "C", no missing semicolon.
        text = line * 2 + "int after;\n"
        for name, command in compilers:
            said = compile_text(command, text)
            if said is not None:
                yield f"<{header}> alone, {name}:\n{said}"


def check_layouts():
    for name, command in COMPILERS:
        said = compile_text(command, f'#include "{LAYOUTS}"\n')
        if said is not None:
            yield f"{LAYOUTS}, {name}:\n{said}"


def check_padding(headers):
    """No structure has bytes without a name: those would be copied to programs as they happen to
    be. A padding field is set like any other."""
    text = "".join(f"#include <{header}>\n" for header in headers)
    command = ["gcc", "-x", "c", "-std=gnu11"]
    said = compile_text(command, text, ("-fsyntax-only", "-Wpadded"))
    if said is not None:
        yield f"padding:\n{said}"


def check_names(calls):
    """A C++ file that refers to every call refers to the C names."""
    places = "".join(f"    (void *)zx_{call},\n" for call in calls)
    text = ("#include <zircon/syscalls.h>\nextern void *places[];\n"
            f"void *places[] = {{\n{places}}};\n")
    for compiler in ("g++", "clang++"):
        command = [compiler, "-x", "c++", "-std=c++17"]
        done = subprocess.run(command + ["-Iabi", "-S", "-o", "-", "-"], input=text, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            yield f"the calls from C++, {compiler}:\n{done.stderr.strip()}"
            continue
        found = set(re.findall(r"\.quad\s+(\w+)", done.stdout))
        for call in calls:
            if f"zx_{call}" not in found:
                yield f"zx_{call} has another name in C++ ({compiler})"


def main():
    headers = [os.path.relpath(path, "abi") for path in sources.tracked(".h")
               if path.startswith("abi/zircon/")]
    calls = CALL.findall(sources.read("abi/zircon/syscalls.def"))
    own = [os.path.basename(path) for path in sources.tracked(".h")
           if path.startswith("userland/include/")]
    target = [(name, command) for name, command in COMPILERS if "RISC-V" in name]
    problems = (list(check_alone(headers, COMPILERS)) + list(check_alone(own, target)) +
                list(check_layouts()) + list(check_padding(headers)) +
                list(check_names(calls)))
    if not headers or not calls:
        problems.append("no headers or no calls found")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
