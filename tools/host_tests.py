#!/usr/bin/env python3
"""host_tests.py PROGRAM...: runs cmocka programs, a line each, and closes with the counts.

A program that crashes, hangs, or reports another number of tests than it announced counts as one
more failure; what it printed is shown.
"""
import os
import re
import subprocess
import sys

LIMIT_SECONDS = int(os.environ.get("HOST_TEST_SECONDS", "120"))


def run(path):
    """(passed, failed, what to show) of one program."""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP",
               UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
    try:
        done = subprocess.run([path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=env, timeout=LIMIT_SECONDS,
                              check=False)
        output, status = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        status = f"time limit of {LIMIT_SECONDS} s"
    passed = len(re.findall(r"^ok \d+", output, re.M))
    failed = len(re.findall(r"^not ok \d+", output, re.M))
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", output, re.M))
    problem = ""
    if planned == 0 or planned != passed + failed:
        problem = f"announced {planned} tests, reported {passed + failed}; exit: {status}"
    elif status != 0 and failed == 0:
        problem = f"all tests passed, but exit: {status}"
    if problem:
        failed += 1
    return passed, failed, (f"{output}\n{problem}\n" if failed else "")


def main():
    total_passed = total_failed = 0
    for path in sys.argv[1:]:
        passed, failed, shown = run(path)
        total_passed += passed
        total_failed += failed
        verdict = "FAIL" if failed else "ok"
        print(f"  {verdict:4}  {os.path.basename(path):28} {passed} passed, {failed} failed",
              flush=True)
        if shown:
            sys.stdout.write(shown)
    print(f"{total_passed} passed, {total_failed} failed")
    sys.exit(1 if total_failed or not total_passed else 0)


if __name__ == "__main__":
    main()
