#!/usr/bin/env python3
"""Self-test of `make probe`: test_probe.py BUILD. What it says of trees that boot and that do not,
and its exit status."""
import os
import subprocess
import sys
import tempfile

TREES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "host", "dtb")

# (tree, boot hart or None, exit status, what must be said)
BOARD = [
    "memory: 4096 MiB", "0x40000000 -    0x13fffffff", "firmware (assumed), no-map",
    "hart 0: disabled by the device tree", "hart 1 (boot): usable, sv39, PLIC 0 context 2",
    "hart 4: usable, sv39, PLIC 0 context 8", "timebase 4000000 Hz",
    "features of all usable harts: i m a f d c zba zbb",
    "PLIC 0: 0xc000000 size 0x4000000, 136 sources, 9 contexts",
    "console: DesignWare 8250 at 0x10000000 size 0x10000, reg-shift 2, reg-offset 0, io-width 4",
    "options 115200n8, irq 32 at PLIC 0", "watchdog: 0x13070000", "random numbers: 0x1600c000",
    'bootargs: ""',
]
CASES = [
    ("visionfive2-linux.dtb", None, 0, BOARD),
    ("visionfive2-vendor-2g.dtb", "3", 0, ["memory: 2048 MiB", "hart 3 (boot): usable",
                                           "initrd: 0x46100000, 99614720 bytes"]),
    ("qemu-sifive-u.dtb", None, 0, ["hart 1 (boot): usable", "hart 0: no MMU with Sv39"]),
    ("qemu-sifive-u.dtb", "0", 1, ["cannot boot: boot hart 0 cannot be used: no MMU with Sv39"]),
    ("qemu-virt-4.dtb", "9", 1, ["cannot boot: boot hart 9 is not among the 4 harts"]),
]


def probe(build, path, hart):
    argv = [os.path.join(build, "host", "probe"), path] + ([hart] if hart else [])
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def judge(build, path, hart, status, words):
    """None, or what is wrong."""
    found, text = probe(build, path, hart)
    if found != status:
        return f"exit status {found}, expected {status}: {text.strip()}"
    missing = [word for word in words if word not in text]
    return f"says nothing of `{missing[0]}`" if missing else None


def damaged(folder):
    """(name, path, exit status, words) of files that are no trees."""
    with open(os.path.join(TREES, "qemu-virt-1.dtb"), "rb") as file:
        whole = file.read()
    for name, data, words in (("a cut-off tree", whole[:-1], "is cut off"),
                              ("no tree", b"x" * 100, "wrong magic number"),
                              ("an empty file", b"", "is cut off")):
        path = os.path.join(folder, name.replace(" ", "-"))
        with open(path, "wb") as file:
            file.write(data)
        yield name, path, 1, ["cannot boot: ", words]
    path = os.path.join(folder, "reserved.dtb")
    with open(path, "wb") as file:
        file.write(whole)
    node = "/reserved-memory/everything@80000000"
    subprocess.run(["fdtput", "-p", "-c", path, node], check=True)
    for name in ("#address-cells", "#size-cells"):
        subprocess.run(["fdtput", "-t", "x", path, "/reserved-memory", name, "2"], check=True)
    subprocess.run(["fdtput", "-t", "x", path, node, "reg", "0", "80000000", "8", "0"], check=True)
    yield "memory all reserved", path, 1, ["cannot boot: all of the memory is reserved"]
    yield "no file", os.path.join(folder, "nothing"), 2, ["cannot be read"]


def main():
    build, failed, passed = sys.argv[1], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        cases = [(f"{tree}, boot hart {hart or 'not given'}", os.path.join(TREES, tree), hart,
                  status, words) for tree, hart, status, words in CASES]
        cases += [(name, path, None, status, words)
                  for name, path, status, words in damaged(folder)]
        for name, path, hart, status, words in cases:
            problem = judge(build, path, hart, status, words)
            passed, failed = passed + (not problem), failed + bool(problem)
            if problem:
                print(f"  FAIL  {name}: {problem}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
