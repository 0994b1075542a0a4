#!/usr/bin/env python3
"""Boot matrix: each machine below boots to the demo and powers off; closes with the counts."""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tools"))

import machine  # noqa: E402
import run  # noqa: E402

LIMIT_SECONDS = 90
TAIL_LINES = 40

# (machine, harts, memory, more bootargs)
MATRIX = [
    ("virt", 1, "512M", ""),
    ("virt", 2, "512M", "asids=0"),
    ("virt", 4, "64M", "asids=2"),
    ("virt", 8, "2G", ""),
    ("virt", 4, "512M", "harts=3 seed=1"),
    ("uboot", 4, "512M", ""),
]

# What the boot loader brings as initrd: (name, words of the log that must appear, does it boot?)
INITRDS = [
    ("our own ramdisk", "", True),
    ("no archive", "no cpio (newc) archive", True),
    ("an archive without init", "KERNEL PANIC", False),
    ("an init that is no program", "KERNEL PANIC", False),
    ("a cut-off archive", "KERNEL PANIC", False),
]


def make_initrd(build, name):
    """A file with the contents that `name` describes."""
    path = os.path.join(build, "log", "initrd-" + name.replace(" ", "-"))
    ramdisk = os.path.join(build, "ramdisk.cpio")
    text = os.path.join(build, "log", "text")
    with open(text, "w", encoding="ascii") as file:
        file.write("This is text.\n" * 1000)
    if name == "our own ramdisk":
        shutil.copyfile(ramdisk, path)
    elif name == "no archive":
        shutil.copyfile(text, path)
    elif name == "a cut-off archive":
        with open(ramdisk, "rb") as whole, open(path, "wb") as part:
            part.write(whole.read(1000))
    else:
        entry = "init" if "init that" in name else "hello"
        mkcpio = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "mkcpio.py")
        machine.run_tool([sys.executable, mkcpio, path, f"{entry}={text}"])
    return path


def boot(build, label, kind, harts, mem, more, extra=()):
    """(None or what went wrong, the lines of the console)."""
    log = os.path.join(build, "log", "boot-" + label.replace(" ", "-").replace(",", "") + ".log")
    append, _ = run.wanted_append(more, interactive=False)
    try:
        argv = machine.qemu_command(build, kind, harts, mem, append, extra=extra)
    except machine.SetupError as error:
        return str(error), []
    return run.run_to_end(argv, LIMIT_SECONDS, True, log, echo=False)


def boot_machine(build, kind, harts, mem, more):
    return boot(build, f"{kind}, {harts} harts, {mem} {more}".rstrip(), kind, harts, mem, more)


def boot_initrd(build, name, words, boots):
    problem, lines = boot(build, f"initrd {name}", "virt", 1, "512M", "",
                          ["-initrd", make_initrd(build, name)])
    if boots != (problem is None):
        return problem or "it booted", lines
    if not boots and not problem.startswith("QEMU's exit status"):
        return problem, lines
    if not any(words in line for line in lines):
        return f"no line says `{words}`", lines
    return None, lines


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    os.makedirs(os.path.join(build, "log"), exist_ok=True)
    passed = failed = 0
    cases = [(f"{m[0]}, {m[1]} harts, {m[2]} {m[3]}".rstrip(), boot_machine, m) for m in MATRIX]
    cases += [(f"initrd: {i[0]}", boot_initrd, i) for i in INITRDS]
    for label, test, args in cases:
        begin = time.monotonic()
        problem, lines = test(build, *args)
        took = time.monotonic() - begin
        print(f"  {'FAIL' if problem else 'ok':4}  {label} ({took:.1f} s)", flush=True)
        passed, failed = passed + (not problem), failed + bool(problem)
        if problem:
            print(f"        {problem}")
            for line in lines[-TAIL_LINES:]:
                print(f"  | {line}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
