#!/usr/bin/env python3
"""`make profile NAME=figure`: where the instructions of one figure of the bench go, by function.

profile.py BUILD NAME. A plugin of QEMU counts every instruction; the bench runs the operation 0
times and RUNS times, and the difference of the two counts, divided by RUNS, is the operation's.
NAME boot: the boot, up to the first instruction in user mode.
"""
import bisect
import collections
import os
import subprocess
import sys

import bench
import machine

RUNS = 64
KERNEL_HALF = 1 << 63
FIRMWARE_END = 0x80200000
SHOWN = 40


def symbols(path):
    names = subprocess.run(["riscv64-linux-gnu-nm", "-n", path], capture_output=True, text=True,
                           check=True).stdout
    table = [(int(addr, 16), name) for addr, kind, name in
             (line.split() for line in names.splitlines() if len(line.split()) == 3)
             if kind in "tTwW" and not name.startswith((".L", "$"))]
    return [addr for addr, _ in table], [name for _, name in table]


def count(build, wish, boot):
    """Instructions run, by address."""
    out = os.path.join(build, "profile.txt")
    plugin = f"{build}/host/profile.so,out={out}" + (",until=user" if boot else "")
    argv = bench.command(build, wish, extra=["-plugin", plugin])
    subprocess.run(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, check=True)
    counts = collections.Counter()
    with open(out, encoding="ascii") as file:
        for line in file:
            addr, times = line.split()
            counts[int(addr, 16)] += int(times)
    return counts


def by_function(build, counts):
    addresses, names = symbols(build + "/kernel.elf")
    totals = collections.Counter()
    for addr, times in counts.items():
        if addr >= KERNEL_HALF:
            at = bisect.bisect_right(addresses, addr) - 1
            totals[names[at] if at >= 0 else "(kernel)"] += times
        elif addr < FIRMWARE_END and addr >= 0x80000000:
            totals["(firmware)"] += times
        else:
            totals["(user mode)"] += times
    return totals


def main():
    build, name = sys.argv[1:3]
    boot = name == "boot"
    try:
        if boot:
            totals, runs = by_function(build, count(build, "bench none", True)), 1
        else:
            wish, runs = f"bench only {name}", RUNS
            base = by_function(build, count(build, f"{wish} 0", False))
            totals = by_function(build, count(build, f"{wish} {RUNS}", False))
            totals.subtract(base)
    except machine.SetupError as error:
        sys.exit(f"profile: {error}")
    print(f"{sum(totals.values()) / runs:12.1f}  {name}, instructions of one run")
    for function, times in totals.most_common(SHOWN):
        if times > 0:
            print(f"{times / runs:12.1f}  {function}")


if __name__ == "__main__":
    main()
