#!/usr/bin/env python3
"""Boot matrix: each machine below boots to the demo and powers off; closes with the counts.

run.py [BUILD [PART-OF-A-NAME]]
"""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tools"))

import crash  # noqa: E402
import loaders  # noqa: E402
import machine  # noqa: E402
import run  # noqa: E402
import shell  # noqa: E402

LIMIT_SECONDS = 90
TAIL_LINES = 40
DELAY_ADDRESS = 0x90000000
# The firmware that QEMU takes by default waits for hart 0; this one starts on whatever comes first.
FW_JUMP = "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.bin"

NUMA = ["-object", "memory-backend-ram,id=low,size=512M",
        "-object", "memory-backend-ram,id=high,size=512M",
        "-numa", "node,memdev=low,cpus=0-1", "-numa", "node,memdev=high,cpus=2-3"]

# (what is special, machine, harts, memory, more bootargs, more of QEMU's options)
MATRIX = [
    ("", "virt", 1, "512M", "", []),
    ("", "virt", 2, "512M", "asids=0", []),
    ("", "virt", 4, "64M", "asids=2", []),
    ("", "virt", 8, "8G", "", []),
    ("", "virt", 4, "512M", "harts=3 seed=1", []),
    ("U54", "virt", 2, "512M", "", ["-cpu", "sifive-u54"]),
    ("ACLINT", "virt", 4, "512M", "", ["-machine", "aclint=on"]),
    ("", "uboot", 4, "512M", "", []),
]

# Machines on which the shell must answer; their harts named first come to the firmware late, so
# that another one boots: (what is special, machine, harts, memory, options, late harts, boot harts)
SHELLS = [
    ("two NUMA nodes", "virt", 4, "1G", NUMA, [], {0, 1, 2, 3}),
    ("two NUMA nodes, booted from the second", "virt", 4, "1G", NUMA, [0, 1], {2, 3}),
    ("cannot power off", "sifive_u", 4, "512M", [], [], {1, 2, 3, 4}),
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


def log_path(build, label):
    return os.path.join(build, "log", "boot-" + label.replace(" ", "-").replace(",", "") + ".log")


def boot(build, label, kind, harts, mem, more, extra=()):
    """(None or what went wrong, the lines of the console)."""
    append, _ = run.wanted_append(more, interactive=False)
    argv = machine.qemu_command(build, kind, harts, mem, append, extra=extra)
    return run.run_to_end(argv, LIMIT_SECONDS, True, log_path(build, label), echo=False)


def machine_label(special, kind, harts, mem, more=""):
    return f"{special + ', ' if special else ''}{kind}, {harts} harts, {mem} {more}".rstrip()


def boot_machine(build, special, kind, harts, mem, more, extra):
    return boot(build, machine_label(special, kind, harts, mem, more), kind, harts, mem, more,
                extra)


def late_harts(build, harts):
    """QEMU's options that send harts through a delay loop before the firmware sees them."""
    # lui t0, 0x4000; 1: addi t0, t0, -1; bnez t0, 1b; lui t0, 1; jr t0: the reset vector is 0x1000.
    code = [0x040002B7, 0xFFF28293, 0xFE029EE3, 0x000012B7, 0x00028067]
    path = os.path.join(build, "log", "delay.bin")
    with open(path, "wb") as file:
        file.write(b"".join(word.to_bytes(4, "little") for word in code))
    options = ["-bios", FW_JUMP,
               "-device", f"loader,file={path},addr={DELAY_ADDRESS:#x},force-raw=on"]
    for hart in harts:
        options += ["-device", f"loader,addr={DELAY_ADDRESS:#x},cpu-num={hart}"]
    return options


def boot_shell(build, special, kind, harts, mem, extra, late, boot_harts):
    """To the shell, whose answer shows that the console's interrupt reaches a hart."""
    extra = extra + (late_harts(build, late) if late else [])
    argv = machine.qemu_command(build, kind, harts, mem, "run=demo", extra=extra)
    problem, lines = shell.boot_to_shell(argv, LIMIT_SECONDS,
                                         log_path(build, machine_label(special, kind, harts, mem)),
                                         powers_off=kind != "sifive_u")
    wanted = [f"boot hart {hart}," for hart in boot_harts]
    if not problem and not any(text in line for text in wanted for line in lines):
        problem = f"the boot hart is none of {sorted(boot_harts)}"
    return problem, lines


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
    cases = [(machine_label(*m[:5]), boot_machine, m) for m in MATRIX]
    cases += [(machine_label(*m[:4]), boot_shell, m) for m in SHELLS]
    cases += [(f"initrd: {i[0]}", boot_initrd, i) for i in INITRDS]
    cases += [(f"report: {name}", test, args) for name, test, args in crash.CASES]
    cases += [(f"U-Boot: {name}", test, args) for name, test, args in loaders.CASES]
    if len(sys.argv) > 2:
        cases = [case for case in cases if sys.argv[2] in case[0]]
    for label, test, args in cases:
        begin = time.monotonic()
        try:
            problem, lines = test(build, *args)
        except machine.SetupError as error:
            problem, lines = str(error), []
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
