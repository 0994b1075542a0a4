"""What the page tables allow, as the machine itself reads them: QEMU's monitor prints every
mapping of a hart (`info mem`) while programs run."""
import os
import re
import socket
import time

import machine

LIMIT_SECONDS = 60
HARTS = 4
STACK_BYTES, GUARD_BYTES = 16 << 10, 16 << 10
# arch/riscv/include/arch_types.h and docs/memory.md
KERNEL_HALF = 0xFFFFFFC000000000
IMAGE = 0xFFFFFFFF80000000
STACKS = (0xFFFFFFF800000000, 0xFFFFFFF900000000)
LINE = re.compile(r"([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{16}) ([r-][w-][x-][u-][g-][a-][d-])")
PROGRAMS = 'run="conformance_child spin" poweroff'


class Monitor:
    """QEMU's monitor on a socket."""

    def __init__(self, path, deadline):
        self.socket = socket.socket(socket.AF_UNIX)
        self.deadline = deadline
        self.socket.settimeout(1)
        while True:
            try:
                self.socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.read()

    def read(self):
        """Everything up to the next prompt."""
        text = b""
        while not text.rstrip().endswith(b"(qemu)") and time.monotonic() < self.deadline:
            try:
                text += self.socket.recv(1 << 20)
            except TimeoutError:
                pass
        return text.decode(errors="replace")

    def command(self, text):
        self.socket.sendall(text.encode() + b"\n")
        return self.read()

    def close(self):
        self.socket.close()


def mappings(monitor, hart):
    """[(virtual address, physical address, bytes, attributes)] of a hart."""
    monitor.command(f"cpu {hart}")
    return [(int(v, 16), int(p, 16), int(n, 16), attributes)
            for v, p, n, attributes in LINE.findall(monitor.command("info mem"))]


def overlaps(base, size, other, other_size):
    return base < other + other_size and other < base + size


def runs(found):
    """Neighbours joined: [(address, bytes)]."""
    joined = []
    for address, _, size, _ in sorted(found):
        if joined and joined[-1][0] + joined[-1][1] == address:
            joined[-1] = (joined[-1][0], joined[-1][1] + size)
        else:
            joined.append((address, size))
    return joined


def judge_stacks(found):
    stacks = runs([m for m in found if STACKS[0] <= m[0] < STACKS[1]])
    if not stacks:
        return "no kernel stacks"
    for i, (address, size) in enumerate(stacks):
        if size > STACK_BYTES:
            return f"no guard in {size:#x} bytes of kernel stacks at {address:#x}"
        below = stacks[i - 1][0] + stacks[i - 1][1] if i else STACKS[0]
        if address - below < GUARD_BYTES:
            return f"{address - below:#x} bytes of guard below the kernel stack at {address:#x}"
    return None


def judge(found):
    """None, or what is wrong with the mappings of one hart."""
    kernel = [m for m in found if m[0] >= KERNEL_HALF]
    text = [m for m in kernel if "x" in m[3]]
    for address, _, size, attributes in found:
        if "w" in attributes and "x" in attributes:
            return f"{address:#x}, {size:#x} bytes, can be written and executed"
        if ("u" in attributes) != (address < KERNEL_HALF):
            return f"{address:#x}, {size:#x} bytes, is {attributes}"
    if not text or any(m[0] < IMAGE for m in text):
        return "the kernel's text is not the one executable part of its half"
    for _, physical, size, _ in text:
        for address, other, other_size, attributes in kernel:
            if "w" in attributes and overlaps(physical, size, other, other_size):
                return f"the kernel's text can be written at {address:#x}"
    return judge_stacks(kernel)


def self_test():
    """None, or a mistake that judge does not see."""
    good = [(0x1000, 0x90000000, 0x1000, "r-xu-a-"), (0x5000, 0x90001000, 0x1000, "rw-u-ad"),
            (KERNEL_HALF, 0x80000000, 0x200000, "rw--gad"), (IMAGE, 0x80200000, 0x1000, "r-x-ga-"),
            (STACKS[0] + 0x4000, 0x90002000, 0x4000, "rw--gad"),
            (STACKS[0] + 0xC000, 0x90006000, 0x4000, "rw--gad")]
    bad = [(0x9000, 0x90002000, 0x1000, "rwxu-ad"), (IMAGE + 0x5000, 0x90002000, 0x1000, "rwx-gad"),
           (KERNEL_HALF + 0x200000, 0x80200000, 0x200000, "rw--gad"),
           (KERNEL_HALF + 0x400000, 0x80400000, 0x1000, "r--ug--"),
           (0x9000, 0x90002000, 0x1000, "rw---ad"),
           (STACKS[0] + 0x8000, 0x90010000, 0x1000, "rw--gad"),
           (KERNEL_HALF + 0x600000, 0x80600000, 0x1000, "r-x-ga-")]
    if judge(good):
        return f"a good machine is refused: {judge(good)}"
    for mapping in bad:
        if judge(good + [mapping]) is None:
            return f"not noticed: {mapping[0]:#x} {mapping[3]}"
    return None


def check(build):
    """All harts, once each of several times; some of them in a program."""
    problem = self_test()
    if problem:
        return problem, []
    path = os.path.join(build, "log", "monitor.sock")
    if os.path.exists(path):
        os.remove(path)
    argv = machine.qemu_command(build, "virt", HARTS, "512M", PROGRAMS)
    argv[argv.index("-monitor") + 1] = f"unix:{path},server=on,wait=off"
    deadline = time.monotonic() + LIMIT_SECONDS
    console = machine.ProcessConsole(argv)
    programs, lines = 0, []
    monitor = None
    try:
        monitor = Monitor(path, deadline)
        while programs < 3 and not problem and time.monotonic() < deadline:
            time.sleep(0.5)
            monitor.command("stop")
            for hart in range(HARTS):
                found = mappings(monitor, hart)
                if not any(m[0] >= IMAGE for m in found):
                    continue  # still in the firmware
                lines = [f"hart {hart}: {m[0]:#x} {m[1]:#x} {m[2]:#x} {m[3]}" for m in found]
                problem = judge(found)
                programs += any(m[0] < KERNEL_HALF for m in found)
                if problem:
                    break
            monitor.command("cont")
    finally:
        if monitor:
            monitor.close()
        console.close()
    if not problem and programs < 3:
        problem = "no hart was seen in a program"
    return problem, lines


CASES = [("page tables, as QEMU's monitor prints them", check, ())]
