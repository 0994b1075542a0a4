#!/usr/bin/env python3
"""`make bench`: exact figures of one hart under QEMU, as a table and in BUILD/bench.tsv.

bench.py BUILD [--twice] [--expected FILE]. The machine counts instructions instead of time, so two
runs of the same image give the same figures; --twice proves it. With --expected it fails when a
figure is more than 3 % worse than in that file. Targets and the figures of Linux come from
tests/bench/targets.tsv: name, Linux, and a target that is a number or a multiple of another figure.
"""
import argparse
import os
import re
import subprocess
import sys
import time

import machine

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
EXACT = ["-icount", "shift=0,sleep=off", "-seed", "1", "-rtc", "base=2025-01-01,clock=vm"]
BOOT = re.compile(r"boot: (\d+) instructions")
TOLERANCE = 1.03
LIMIT_SECONDS = 600


class BenchError(Exception):
    """No figures; the text says why."""


def command(build, wish, mem="512M", extra=()):
    append = f'run="{wish}" poweroff seed=1'
    return machine.qemu_command(build, harts=1, mem=mem, append=append, extra=EXACT + list(extra))


def run_machine(argv, log_path):
    """The lines of a machine that powers itself off."""
    console = machine.ProcessConsole(argv)
    reader = machine.LineReader(console, log_path)
    deadline = time.monotonic() + LIMIT_SECONDS
    lines = []
    try:
        while not reader.ended:
            line = reader.line(deadline - time.monotonic())
            if line is not None:
                lines.append(line)
            elif time.monotonic() >= deadline:
                raise BenchError(f"not powered off after {LIMIT_SECONDS} s; see {log_path}")
        status = console.exit_status()
    finally:
        reader.close()
    if status != 0:
        raise BenchError(f"QEMU's exit status is {status}; see {log_path}")
    return lines


def boot_instructions(lines):
    for line in lines:
        match = BOOT.search(line)
        if match:
            return int(match.group(1))
    raise BenchError("the kernel did not say what the boot took")


def image_figures(build):
    """Rows that the built files tell."""
    kernel = os.path.join(build, "kernel.elf")
    names = subprocess.run(["riscv64-linux-gnu-nm", kernel], capture_output=True, text=True,
                           check=True).stdout
    symbols = {name: int(addr, 16) for addr, _, name in
               (line.split() for line in names.splitlines() if len(line.split()) == 3)}
    ramdisk = symbols["ramdisk_blob_end"] - symbols["ramdisk_blob"]
    image = os.path.getsize(os.path.join(build, "Image")) - ramdisk
    said = subprocess.run(["gdb-multiarch", "-nx", "-batch", "-ex", "print sizeof(struct page)",
                           kernel], capture_output=True, text=True, check=True).stdout
    match = re.search(r"= (\d+)", said)
    if not match:
        raise BenchError("gdb does not know struct page")
    return [("image_bytes", image, image, "bytes", "the flat image without the ramdisk"),
            ("page_meta_bytes", int(match.group(1)), int(match.group(1)), "bytes", "struct page")]


def measure(build):
    """[(name, value, mean, unit, definition)]"""
    rows = []
    lines = run_machine(command(build, "bench"), os.path.join(build, "bench.log"))
    for line in lines:
        fields = line.split("\t")
        if fields[0] == "bench":
            rows.append((fields[1], int(fields[2]), int(fields[3]), fields[4], fields[5]))
    if "bench: done" not in lines:
        raise BenchError("the bench did not reach its end")
    boot = boot_instructions(lines)
    rows.append(("boot", boot, boot, "instructions",
                 "the kernel's entry to init's first instruction, 512 MiB"))
    lines = run_machine(command(build, "bench none", "8G"), os.path.join(build, "bench_8g.log"))
    boot = boot_instructions(lines)
    rows.append(("boot_8g", boot, boot, "instructions", "the same with 8 GiB"))
    return rows + image_figures(build)


def target_value(text, values):
    factor, _, name = text.partition(" ")
    return float(factor) * values[name] if name else float(factor)


def show(rows):
    values = {row[0]: row[1] for row in rows}
    goals = {}
    with open(os.path.join(ROOT, "tests", "bench", "targets.tsv"), encoding="ascii") as file:
        for line in file:
            name, linux, target = line.rstrip("\n").split("\t")
            goals[name] = (linux, target_value(target, values))
    missing = set(goals) - set(values)
    if missing:
        raise BenchError(f"no figure for {', '.join(sorted(missing))}")
    print(f"{'name':<20}{'value':>12}{'mean':>12}{'target':>12}{'Linux 6.1':>12}")
    for name, value, mean, _, _ in rows:
        linux, target = goals.get(name, ("-", None))
        verdict = "" if target is None else "  met" if value <= target else \
            f"  {value / target:.1f} x the target"
        goal = "-" if target is None else f"{target:.0f}"
        print(f"{name:<20}{value:>12}{mean:>12}{goal:>12}{linux:>12}{verdict}")


def worse(rows, path):
    """What is more than 3 % above the committed figures."""
    with open(path, encoding="ascii") as file:
        known = {fields[0]: int(fields[1]) for fields in (line.split("\t") for line in file)}
    values = {row[0]: row[1] for row in rows}
    bad = [f"{name}: not measured" for name in known if name not in values]
    bad += [f"{name}: {value}, expected {known[name]}" for name, value in values.items()
            if name in known and value > known[name] * TOLERANCE]
    return bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--expected")
    args = parser.parse_args()
    try:
        rows = measure(args.build)
        show(rows)
        if args.twice:
            again = measure(args.build)
            if again != rows:
                changed = [a[0] for a, b in zip(rows, again) if a != b]
                raise BenchError(f"a second run differs: {', '.join(changed)}")
            print("a second run gave the same figures")
        with open(os.path.join(args.build, "bench.tsv"), "w", encoding="ascii") as file:
            for name, value, _, unit, definition in rows:
                file.write(f"{name}\t{value}\t{unit}\t{definition}\n")
        bad = worse(rows, args.expected) if args.expected else []
        for line in bad:
            print(f"worse: {line}")
    except (BenchError, machine.SetupError) as error:
        sys.exit(f"bench: {error}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
