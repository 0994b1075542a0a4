#!/usr/bin/env python3
"""`make stress`: the conformance suite's races on 2, 4 and 8 harts, each for many times as long as
in the suite. stress.py BUILD SECONDS, where SECONDS is about what one number of harts takes."""
import os
import re
import subprocess
import sys

HARTS = (2, 4, 8)
TOOLS = os.path.dirname(os.path.abspath(__file__))
CONFORMANCE = os.path.join(TOOLS, "..", "tests", "conformance")


def count_tests():
    count = 0
    for name in os.listdir(CONFORMANCE):
        if name.endswith(".c"):
            with open(os.path.join(CONFORMANCE, name), encoding="utf-8") as file:
                count += len(re.findall(r"^TEST\(stress,", file.read(), re.M))
    return count


def main():
    build, seconds = sys.argv[1], int(sys.argv[2])
    each = max(seconds // count_tests(), 1)
    failed = 0
    for harts in HARTS:
        done = subprocess.run(
            [sys.executable, os.path.join(TOOLS, "tap_run.py"), "--build", build, "--harts",
             str(harts), "--run", "conformance stress", "--append", f"stress_seconds={each}",
             "--per-test", str(each * 10 + 60), "--overall", str(seconds * 10 + 300)],
            check=False)
        failed += done.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
