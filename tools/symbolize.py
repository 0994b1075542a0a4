#!/usr/bin/env python3
"""Functions and source lines for the addresses in a console's log.

symbolize.py [BUILD] < LOG

Repeats the log. Each line of a backtrace, a program's (`#1  ADDRESS NAME+0xOFFSET` in the report of
an unhandled exception) or the kernel's own (in a panic), is followed by what stands there in the
source: `FUNCTION at FILE:LINE`, with the functions that were inlined first. A program is looked for
as BUILD/bin/NAME, where NAME ends at the first dot, or is the name of the process that the report
is about, if that memory is named otherwise (the ramdisk's is); `vdso` is BUILD/vdso.debug.so.
"""
import os
import re
import subprocess
import sys

ADDR2LINE = "riscv64-linux-gnu-addr2line"
KERNEL_BASE = 1 << 63
PROCESS = re.compile(r'^\[[^\]]*\] unhandled .*: process \d+ "([^"]*)"')
CALL = re.compile(r"#(\d+) +([0-9a-f]{16})(?: ([^ +]+)\+(0x[0-9a-f]+))?\s*$")


class Image:
    """One ELF file with debug information; addr2line stays open and answers line by line."""

    def __init__(self, path):
        self.process = subprocess.Popen([ADDR2LINE, "-f", "-i", "-a", "-e", path], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def places(self, address):
        """[(function, "file:line")], innermost first; unknown ones have a `?`."""
        # An address in between answers with itself, which shows where the answer has ended.
        self.process.stdin.write(f"{address:#x}\n0x1\n")
        self.process.stdin.flush()
        lines = []
        self.process.stdout.readline()
        while True:
            line = self.process.stdout.readline().rstrip("\n")
            if re.fullmatch(r"0x0*1", line) or not line:
                break
            lines.append(line)
        self.process.stdout.readline()
        self.process.stdout.readline()
        return [(name, re.sub(r" \(discriminator \d+\)$", "", place).removeprefix("./"))
                for name, place in zip(lines[::2], lines[1::2])]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Symbolizer:
    def __init__(self, build):
        self.build = build
        self.images = {}
        self.program = ""

    def image(self, name):
        """The image that a line's NAME means, or None."""
        if name not in self.images:
            stem = name.split(".")[0]
            path = {"kernel ": "kernel.elf", "vdso": "vdso.debug.so"}.get(
                name, os.path.join("bin", os.path.basename(stem)))
            path = os.path.join(self.build, path)
            self.images[name] = Image(path) if os.path.isfile(path) else None
        return self.images[name]

    def explain(self, line):
        """Lines to print below `line`: where its address is in the source."""
        process, match = PROCESS.search(line), CALL.search(line)
        if process:
            self.program = process.group(1)
        if not match:
            return []
        index, address = int(match.group(1)), int(match.group(2), 16)
        in_kernel = address >= KERNEL_BASE
        if not in_kernel and not match.group(3):
            return []
        image = self.image("kernel " if in_kernel else match.group(3))
        if image is None:
            image = self.image(self.program)
        if image is None:
            return []
        where = address if in_kernel else int(match.group(4), 16)
        # A return address belongs to the call in front of it.
        places = image.places(where if index == 0 else where - 1)
        indent = " " * match.start()
        return [f"{indent}    {name} at {place}" for name, place in places if name != "??"]

    def close(self):
        for image in self.images.values():
            if image:
                image.close()


def main():
    symbolizer = Symbolizer(sys.argv[1] if len(sys.argv) > 1 else "build")
    try:
        for line in sys.stdin:
            print(line.rstrip("\r\n"))
            for text in symbolizer.explain(line.rstrip("\r\n")):
                print(text)
    finally:
        symbolizer.close()


if __name__ == "__main__":
    main()
