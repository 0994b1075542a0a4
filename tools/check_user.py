#!/usr/bin/env python3
"""check_user.py CLANG-FLAGS...: pointers into user memory stay pointers into user memory.

With __CHECKER__ defined, `__user` of <zircon/compiler.h> is an address space of its own, and Clang
refuses to mix the two without a cast, or to read or write through such a pointer. Each file of
kernel/syscall must compile that way, and three mistakes must not.
"""
import subprocess
import sys

import sources

FOLDER = "kernel/syscall/"
FLAGS = ["-D__CHECKER__", "-Werror=noderef", "-fsyntax-only"]
HEAD = """
#include "kernel/syscall/user.h"
zx_status_t example(uint64_t __user *pointer_user, uint64_t *pointer);
zx_status_t example(uint64_t __user *pointer_user, uint64_t *pointer)
{
    (void)pointer;
    (void)pointer_user;
    %s
}
"""
GOOD = "return user_put_u64(pointer_user, *pointer);"
MISTAKES = [
    "return user_put_u64(pointer, 1);",
    "*pointer = *pointer_user; return ZX_OK;",
    "return user_copy_in(pointer_user, pointer_user, 8);",
]


def compile_text(flags, text):
    """None, or what the compiler says."""
    done = subprocess.run(["clang"] + flags + FLAGS + ["-x", "c", "-"], input=text, text=True,
                          capture_output=True, check=False)
    return None if done.returncode == 0 else done.stderr.strip()


def main():
    flags, bad = sys.argv[1:], 0
    said = compile_text(flags, HEAD % GOOD)
    if said is not None:
        print(f"what is right is refused:\n{said}")
        bad += 1
    for mistake in MISTAKES:
        if compile_text(flags, HEAD % mistake) is None:
            print(f"not refused: {mistake}")
            bad += 1
    paths = [path for path in sources.tracked(".c") if path.startswith(FOLDER)]
    for path in paths:
        done = subprocess.run(["clang"] + flags + FLAGS + [path], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            print(done.stderr.strip())
            bad += 1
    if not paths:
        print(f"no files in {FOLDER}")
    return 1 if bad or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
