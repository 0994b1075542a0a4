#!/usr/bin/env python3
"""Boot matrix: each machine below boots to the demo and powers off; closes with the counts.

run.py [BUILD [PART-OF-A-NAME]]
"""
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tools"))

import crash  # noqa: E402
import loaders  # noqa: E402
import machine  # noqa: E402
import mappings  # noqa: E402
import run  # noqa: E402
import shell  # noqa: E402

LIMIT_SECONDS = 90
TAIL_LINES = 40
DELAY_ADDRESS = 0x90000000
# tests/boot/firmware: where its options are, and the machine it is for.
RAM_BASE, TEXT_OFFSET, OPTIONS_ADDRESS = 0x80000000, 0x200000, 0x801FF000
FIRMWARE_MEM = 128 << 20
FIRMWARE_FREE_MIB = 100
FIRMWARE_OFF = "test firmware: off"
# The firmware that QEMU takes by default waits for hart 0; this one starts on whatever comes first.
FW_JUMP = "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.bin"

NUMA = ["-object", "memory-backend-ram,id=low,size=512M",
        "-object", "memory-backend-ram,id=high,size=512M",
        "-numa", "node,memdev=low,cpus=0-1", "-numa", "node,memdev=high,cpus=2-3"]

# Ids of the U74 of SiFive's Unmatched, whose fences of single addresses do not work, and of the
# JH7110's, whose do.
OLD_U74 = "rv64,mvendorid=0x489,marchid=0x8000000000000007,mimpid=0x20181004"
JH7110_U74 = "rv64,sstc=off,mvendorid=0x489,marchid=0x8000000000000007,mimpid=0x04210427"
ERRATUM = "erratum CIP-1200"

# (what is special, machine, harts, memory, more bootargs, more of QEMU's options)
MATRIX = [
    ("", "virt", 1, "512M", "", []),
    ("", "virt", 2, "512M", "asids=0", []),
    ("", "virt", 4, "64M", "asids=2", []),
    ("", "virt", 8, "8G", "", []),
    ("", "virt", 4, "512M", "harts=3 seed=1", []),
    ("U54", "virt", 2, "512M", "", ["-cpu", "sifive-u54"]),
    ("CIP-1200", "virt", 4, "512M", "", ["-cpu", OLD_U74]),
    ("no CIP-1200", "virt", 4, "512M", "", ["-cpu", JH7110_U74]),
    ("ACLINT", "virt", 4, "512M", "", ["-machine", "aclint=on"]),
    ("", "uboot", 4, "512M", "", []),
]

# Machines on which the shell must answer; their harts named first come to the firmware late, so
# that another one boots: (what is special, machine, harts, memory, options, late harts, boot harts)
SHELLS = [
    ("two NUMA nodes", "virt", 4, "1G", NUMA, [], {0, 1, 2, 3}),
    ("two NUMA nodes, booted from the second", "virt", 4, "1G", NUMA, [0, 1], {2, 3}),
    ("booted by hart 2", "virt", 4, "512M", [], [0, 1, 3], {2}),
] + [
    # Hart 0 has no S-mode, as on the VisionFive 2. This machine cannot power off, only reset.
    (f"booted by hart {hart}", "sifive_u", 4, "512M", [],
     [late for late in range(5) if late != hart], {hart}) for hart in (1, 2, 3, 4)
]

# The smallest machine, on which figures are taken as well.
SMALLEST_HARTS, SMALLEST_MEM = 4, "32M"
# Steps of the boot: (what it says, the first log line behind it holds this).
STEPS = [("device tree read", "command line"), ("page tables, allocators", "MiB free"),
         ("console and interrupts", "plic:"), ("harts running", " running")]

# Under the firmware of tests/boot/firmware: (what is special, harts, options, more of QEMU's, words
# of the log).
COUNTERS_OFF, FILL, ALL_HARTS, MODERN, HSM = 1, 2, 4, 8, 16
ONE_RUNS = ["harts: 1 running"]
FIRMWARES = [
    ("SBI 0.1, RAM and registers full of garbage", 1, FILL, [], ONE_RUNS),
    ("SBI 0.1, no counters, all harts enter", 4, COUNTERS_OFF | ALL_HARTS | FILL, [], ONE_RUNS),
    ("SBI 0.1, no counters, U54", 1, COUNTERS_OFF | FILL, ["-cpu", "sifive-u54"], ONE_RUNS),
    ("SBI 2.0 with a debug console, no counters", 1, COUNTERS_OFF | MODERN, [], ONE_RUNS),
    ("one hart refused, one late", 4, FILL | MODERN | HSM, [],
     ["harts: 2 of 3 did not start", "harts: 2 running", "the late hart comes",
      "the late hart stops"]),
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


notes = []  # of the test that runs, for the reader


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
    problem, lines = boot(build, machine_label(special, kind, harts, mem, more), kind, harts, mem,
                          more, extra)
    if not problem and (special == "CIP-1200") != any(ERRATUM in line for line in lines):
        problem = "the core was not recognised"
    return problem, lines


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


def spoilt_tree(build, argv):
    """The machine's own tree, but powering off is left to the firmware, and there is an initrd that
    nobody loaded, as in the trees of StarFive's firmware."""
    path = os.path.join(build, "log", "spoilt.dtb")
    argv = argv[:argv.index("-machine") + 1] + [f"virt,dumpdtb={path}"] + \
        argv[argv.index("-machine") + 2:]
    argv[argv.index("-serial") + 1] = "null"
    machine.run_tool(argv)
    machine.run_tool(["fdtput", "-r", path, "/soc/test@100000"])
    for name, address in (("start", "82000000"), ("end", "86000000")):
        machine.run_tool(["fdtput", "-t", "x", path, "/chosen", f"linux,initrd-{name}", "0",
                          address])
    return path


def boot_firmware(build, special, harts, flags, extra, words):
    """To the shell, and its `poweroff`."""
    image, options = os.path.join(build, "Image"), os.path.join(build, "log", "options.bin")
    numbers = [flags, RAM_BASE + TEXT_OFFSET + os.path.getsize(image), RAM_BASE + FIRMWARE_MEM]
    with open(options, "wb") as file:
        file.write(b"".join(number.to_bytes(8, "little") for number in numbers))
    argv = machine.qemu_command(build, "virt", harts, f"{FIRMWARE_MEM >> 20}M", "run=demo",
                                extra=extra)
    argv[argv.index("-bios") + 1] = os.path.join(build, "firmware.bin")
    argv += ["-dtb", spoilt_tree(build, argv)]
    argv += ["-device", f"loader,file={options},addr={OPTIONS_ADDRESS:#x},force-raw=on"]
    problem, lines = shell.boot_to_shell(argv, LIMIT_SECONDS, log_path(build, special))
    if not problem and not any(FIRMWARE_OFF in line for line in lines):
        problem = "it was not the firmware that powered off"
    free = re.search(r"memory: (\d+) of \d+ MiB free", "\n".join(lines))
    if not problem and (not free or int(free.group(1)) < FIRMWARE_FREE_MIB):
        problem = "the memory of the initrd that is none is lost"
    for word in words:
        if not problem and not any(word in line for line in lines):
            problem = f"no line says `{word}`"
    return problem, lines


def boot_unnamed_memory(build, extra):
    """A tree that names half of the memory, and lies in the other half itself."""
    path = os.path.join(build, "log", "half.dtb")
    argv = machine.qemu_command(build, "virt", 2, "512M", "run=demo poweroff", extra=extra)
    dump = argv[:argv.index("-machine") + 1] + [f"virt,dumpdtb={path}"] + \
        argv[argv.index("-machine") + 2:]
    dump[dump.index("-serial") + 1] = "null"
    machine.run_tool(dump)
    argv[argv.index("-m") + 1] = "1G"
    problem, lines = run.run_to_end(argv + ["-dtb", path], LIMIT_SECONDS, True,
                                    log_path(build, "unnamed memory"), echo=False)
    if not problem and not any("outside of the memory that it names" in line for line in lines):
        problem = "the log does not say that the tree lies outside of the memory"
    return problem, lines


def figures(build, lines):
    """What the smallest machine's log says about size, memory and time."""
    image = os.path.getsize(os.path.join(build, "Image"))
    ramdisk = os.path.getsize(os.path.join(build, "ramdisk.cpio"))
    yield f"Image {image} bytes, of it ramdisk {ramdisk}, the rest {image - ramdisk}"
    at_boot = re.search(r"memory: .*MiB free", "\n".join(lines))
    yield at_boot.group(0) if at_boot else "memory at boot: unknown"
    shown = (re.match(r"\s*(total|free|wired)\b.* (\d+ KiB)", line) for line in lines)
    yield "at the shell: " + ", ".join(f"{match.group(1)} {match.group(2)}"
                                       for match in shown if match)
    last = "0"
    for what, words in STEPS:
        for line in lines:
            stamp = re.match(r"\[ *(\d+\.\d+)\]", line)
            last = stamp.group(1) if stamp else last
            if words in line:
                yield f"{float(last) * 1000:8.1f} ms after the clock was found: {what}"
                break


def boot_smallest(build):
    """To the shell, with the memory that is free there."""
    argv = machine.qemu_command(build, "virt", SMALLEST_HARTS, SMALLEST_MEM, "run=demo")
    problem, lines = shell.boot_to_shell(argv, LIMIT_SECONDS, log_path(build, "smallest"),
                                         command=b"free\n", answer="other")
    notes.extend(figures(build, lines))
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
    cases += [(f"smallest: virt, {SMALLEST_HARTS} harts, {SMALLEST_MEM}", boot_smallest, ())]
    cases += [(f"firmware: {f[0]}", boot_firmware, f) for f in FIRMWARES]
    cases += [("memory that the tree does not name", boot_unnamed_memory, ([],))]
    cases += [(f"initrd: {i[0]}", boot_initrd, i) for i in INITRDS]
    cases += [(f"report: {name}", test, args) for name, test, args in crash.CASES]
    cases += mappings.CASES
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
        for note in notes:
            print(f"        {note}")
        notes.clear()
        passed, failed = passed + (not problem), failed + bool(problem)
        if problem:
            print(f"        {problem}")
            for line in lines[-TAIL_LINES:]:
                print(f"  | {line}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
