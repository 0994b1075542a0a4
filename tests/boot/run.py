#!/usr/bin/env python3
"""Boot matrix: each machine below boots to the demo and powers off; closes with the counts."""
import os
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
    ("virt", 2, "512M", ""),
    ("virt", 4, "64M", ""),
    ("virt", 8, "2G", ""),
    ("uboot", 4, "512M", ""),
]


def boot(build, kind, harts, mem, more):
    """None, or what went wrong, with the last lines of the console."""
    log = os.path.join(build, "log", f"boot-{kind}-{harts}-{mem}.log")
    append, _ = run.wanted_append(more, interactive=False)
    try:
        argv = machine.qemu_command(build, kind, harts, mem, append)
    except machine.SetupError as error:
        return str(error), []
    return run.run_to_end(argv, LIMIT_SECONDS, True, log, echo=False)


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    os.makedirs(os.path.join(build, "log"), exist_ok=True)
    passed = failed = 0
    for kind, harts, mem, more in MATRIX:
        begin = time.monotonic()
        problem, lines = boot(build, kind, harts, mem, more)
        took = time.monotonic() - begin
        label = f"boot {kind}, {harts} harts, {mem} {more}".rstrip()
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
