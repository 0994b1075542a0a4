#!/usr/bin/env python3
"""`make check`: runs every check, shows what the failing ones say, closes with the counts."""
import shlex
import subprocess
import sys
import time

# (name, arguments for make)
CHECKS = [
    ("formatting", ["check-format"]),
    ("dependency rule", ["check-layers"]),
    ("documentation", ["check-docs"]),
    ("documented errors", ["check-errors"]),
    ("text", ["check-text"]),
    ("headers in C and C++", ["check-headers"]),
    ("build with Clang", ["kernel", "userland", "COMPILER=clang", "EXTRA="]),
    ("pointers into user memory", ["check-user", "COMPILER=clang", "EXTRA="]),
    ("locks", ["check-locks", "COMPILER=clang", "EXTRA="]),
    ("clang-tidy", ["--keep-going", "tidy", "COMPILER=clang", "EXTRA="]),
]


def main():
    make = shlex.split(sys.argv[1])
    passed = failed = 0
    for name, arguments in CHECKS:
        begin = time.monotonic()
        done = subprocess.run(make + ["--no-print-directory"] + arguments, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, close_fds=False)
        good = done.returncode == 0
        passed, failed = passed + good, failed + (not good)
        print(f"  {'ok' if good else 'FAIL':4}  {name} ({time.monotonic() - begin:.1f} s)",
              flush=True)
        if not good:
            sys.stdout.write(done.stdout.decode(errors="replace"))
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
