#!/usr/bin/env python3
"""`make test`: runs every part one after the other and adds up their counts.

run_tests.py BUILD HOST-TEST...; each part closes with a line `N passed, N failed`. A part that
does not, or whose exit status contradicts it, counts as one more failure.
"""
import glob
import os
import re
import subprocess
import sys
import time

COUNTS = re.compile(r"^(\d+) passed, (\d+) failed$")
MODEL_SECONDS = 400
FUZZ_RUNS = 20000
TOOLS = os.path.dirname(os.path.abspath(__file__))


def parts(build, host_tests):
    """[(name, argument list)]"""
    python, conformance = sys.executable, os.path.join(TOOLS, "tap_run.py")
    return [
        ("host tests", [python, os.path.join(TOOLS, "host_tests.py")] + host_tests),
        ("host fuzzers, short", [python, os.path.join(TOOLS, "fuzz_host.py"), "--runs",
                                 str(FUZZ_RUNS)] + sorted(glob.glob(f"{build}/fuzz/fuzz_*"))),
        ("models of protocols", [python, os.path.join(TOOLS, "models.py"), build]),
        ("runner's self-test", [python, os.path.join(TOOLS, "test_tap_run.py")]),
        ("checkers' self-test", [python, os.path.join(TOOLS, "test_checks.py")]),
        ("probe's self-test", [python, os.path.join(TOOLS, "test_probe.py"), build]),
        ("card image's self-test", [python, os.path.join(TOOLS, "test_sdcard.py"), build]),
        ("conformance, 1 hart", [python, conformance, "--build", build, "--harts", "1"]),
        ("conformance, 4 harts", [python, conformance, "--build", build, "--harts", "4"]),
        ("conformance, 4 harts, abi=zircon", [python, conformance, "--build", build, "--harts", "4",
                                             "--append", "abi=zircon"]),
        ("model, 4 harts", ["env", "HARTS=4", f"RUN_SECONDS={MODEL_SECONDS}",
                            "APPEND=run=\"model 100000 1 4\"", python,
                            os.path.join(TOOLS, "run.py"), "--count", build]),
        ("demo", [python, os.path.join(TOOLS, "run.py"), "--count", build]),
        ("boot matrix", [python, os.path.join(TOOLS, "..", "tests", "boot", "run.py"), build]),
    ]


def run_part(argv):
    """(passed, failed) of one part, whose output is shown as it comes."""
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    last = ""
    for raw in child.stdout:
        line = raw.decode(errors="replace").rstrip("\n")
        if last and not COUNTS.match(last):
            print(last, flush=True)
        last = line
    status = child.wait()
    counts = COUNTS.match(last)
    if not counts:
        print(f"{last}\n  this part did not finish: exit status {status}, no counts")
        return 0, 1
    passed, failed = int(counts.group(1)), int(counts.group(2))
    if (status == 0) != (failed == 0):
        print(f"  exit status {status} contradicts `{last}`")
        failed += 1
    return passed, failed


def main():
    build, host_tests = sys.argv[1], sys.argv[2:]
    total_passed = total_failed = 0
    for name, argv in parts(build, host_tests):
        print(f"== {name}", flush=True)
        begin = time.monotonic()
        passed, failed = run_part(argv)
        print(f"   {passed} passed, {failed} failed, {time.monotonic() - begin:.1f} s", flush=True)
        total_passed, total_failed = total_passed + passed, total_failed + failed
    print(f"{total_passed} passed, {total_failed} failed")
    return 1 if total_failed or not total_passed else 0


if __name__ == "__main__":
    sys.exit(main())
