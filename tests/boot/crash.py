"""What the console says about a program that crashes and about a panic, in terms of the source."""
import os
import re

import machine
import run

LIMIT_SECONDS = 90
CHILD = "userland/programs/conformance_child/main.c"


def symbolized(build, lines):
    """The lines with what tools/symbolize.py adds."""
    # Not at the top: the folder of tools is in the path only once run.py has put it there.
    import symbolize
    symbolizer = symbolize.Symbolizer(build)
    try:
        return [text for line in lines for text in [line] + symbolizer.explain(line)]
    finally:
        symbolizer.close()


def find_in_order(lines, patterns):
    """None, or the first pattern that no line behind the match of the one before it has."""
    rest = iter(lines)
    for pattern in patterns:
        if not any(re.search(pattern, line) for line in rest):
            return f"no line (in this order) matches `{pattern}`"
    return None


def crash(build, test, patterns):
    """A test of the conformance suite in which a program crashes: the report is there, and
    everything else goes on to a good end."""
    argv = machine.qemu_command(build, "virt", 4, "512M",
                                f'run="conformance {test}" poweroff')
    log = os.path.join(build, "log", f"boot-crash-{test}.log")
    problem, lines = run.run_to_end(argv, LIMIT_SECONDS, False, log, echo=False)
    lines = symbolized(build, lines)
    return problem or find_in_order(lines, patterns), lines


def panic(build):
    """A ramdisk that is no archive of programs: the panic's backtrace leads to main."""
    path = os.path.join(build, "log", "initrd-of-a-panic")
    with open(os.path.join(build, "ramdisk.cpio"), "rb") as whole, open(path, "wb") as part:
        part.write(whole.read(1000))
    argv = machine.qemu_command(build, "virt", 2, "512M", "run=demo poweroff",
                                extra=["-initrd", path])
    log = os.path.join(build, "log", "boot-panic.log")
    problem, lines = run.run_to_end(argv, LIMIT_SECONDS, False, log, echo=False)
    if problem is None or not problem.startswith("QEMU's exit status"):
        return problem or "QEMU's exit status is 0", lines
    lines = symbolized(build, lines)
    return find_in_order(lines, [r"KERNEL PANIC on hart \d", r"backtrace of hart \d",
                                 r"#\d+ +f{6}[0-9a-f]{10} \w+\+0x",
                                 r"\w+ at kernel/userboot\.c:\d+",
                                 r"\w+ at kernel/main\.c:\d+"]), lines


REGISTERS = [r" pc [0-9a-f]{16} +ra ", r" s0 [0-9a-f]{16} +s1 ", r" t3 [0-9a-f]{16} +t4 "]
START = [r"start_program at userland/crt/start\.c:\d+", r"_start at userland/crt/start\.S:\d+"]
MAIN = [rf"main at {CHILD}:\d+"]
PASS = [r"^# \d+ tests, 0 failed"]

# (name, test, its arguments beyond the build folder)
CASES = [
    ("a write to read-only memory", crash, ("fault.without_anybody", [
        r'unhandled page fault: process \d+ "conformance_child", thread \d+ "initial-thread"',
        r"write at (0x[0-9a-f]+): the mapping does not allow it",
        r'0 bytes into 0x[0-9a-f]+-0x[0-9a-f]+ r-- "'] + REGISTERS +
        [rf"write_at at {CHILD}:\d+", rf"fault at {CHILD}:\d+"] + MAIN + START + PASS)),
    ("a read of the first page", crash, ("fault.reading_the_first_page", [
        r"read at 0x8: nothing mapped there",
        r'unmapped; nearest: \d+ bytes below 0x[0-9a-f]+-0x[0-9a-f]+ [r-][w-][x-] "'] + REGISTERS +
        [rf"read_at at {CHILD}:\d+"] + START + PASS)),
    ("a call of a place that is no code", crash, ("fault.executing_what_is_not_mapped", [
        r"execute at 0x[0-9a-f]+: nothing mapped there", r"#0 +[0-9a-f]{16} no code"]
        + MAIN + START + PASS)),
    ("a forbidden system call", crash, ("policy.an_unhandled_policy_exception", [
        r'unhandled policy error .*: process \d+ "'] + REGISTERS +
        [r"#0 +[0-9a-f]{16} vdso\+0x", r"zx_event_create at ",
         rf"{os.path.dirname(CHILD)}/policy\.c:\d+"] + MAIN + START + PASS)),
    ("a panic of the kernel", panic, ()),
]
