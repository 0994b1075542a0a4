#!/usr/bin/env python3
"""Checks the Promela models of tests/models with spin.

models.py BUILD

Each model must hold: every state searched, no assertion violated, no process stuck. And each of
its variants must be refuted: a line ` * broken NAME ...` of its head names a macro that puts a
mistake into it. Closes with `N passed, N failed`.
"""
import glob
import os
import re
import subprocess
import sys
import time

FOLDER = os.path.join("tests", "models")
DEPTH, MEMORY_MIB, LIMIT_SECONDS = 1000000, 2048, 600
BROKEN = re.compile(r"^ \* broken (\w+)", re.M)
ERRORS = re.compile(r"errors: (\d+)")
STATES = re.compile(r"(\d+) states, stored")
# What makes a search without errors no proof.
PARTIAL = ("Search not completed", "max search depth too small", "out of memory", "truncated")


def search(folder, path, variant):
    """(errors or None when the search did not finish, states, output)."""
    os.makedirs(folder, exist_ok=True)
    output = ""
    for argv, directory in (
            (["spin"] + ([f"-D{variant}"] if variant else []) + ["-a", os.path.abspath(path)],
             folder),
            (["gcc", "-O0" if variant else "-O2", "-w", "-DSAFETY",
              f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c"], folder),
            (["./pan", f"-m{DEPTH}"], folder)):
        done = subprocess.run(argv, cwd=directory, check=False, timeout=LIMIT_SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output += done.stdout.decode(errors="replace")
        if done.returncode != 0 and argv[0] != "./pan" or "Error: syntax error" in output:
            return None, 0, output
    errors, states = ERRORS.search(output), STATES.search(output)
    finished = errors and (int(errors.group(1)) or not any(text in output for text in PARTIAL))
    return int(errors.group(1)) if finished else None, int(states.group(1)) if states else 0, output


def check(build, path):
    """[(what, problem or None, note)] of a model and its variants."""
    name = os.path.splitext(os.path.basename(path))[0]
    with open(path, encoding="ascii") as file:
        variants = BROKEN.findall(file.read())
    results = []
    if not variants:
        results.append((name, "it has no broken variant: nothing shows that it can fail", ""))
    for variant in [None] + variants:
        begin = time.monotonic()
        errors, states, output = search(os.path.join(build, "models", name), path, variant)
        problem = None
        if errors is None:
            problem = "the search did not finish\n" + output[-2000:]
        elif variant and errors == 0:
            problem = "spin finds nothing wrong with it"
        elif not variant and errors:
            problem = "\n".join(line for line in output.splitlines() if line.startswith("pan:"))
        note = f"{states} states" if not variant else "refuted"
        results.append((f"{name} {variant or ''}".strip(), problem,
                        f"{note}, {time.monotonic() - begin:.1f} s"))
    return results


def main():
    build = sys.argv[1]
    passed = failed = 0
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.pml"))):
        for what, problem, note in check(build, path):
            passed, failed = passed + (not problem), failed + bool(problem)
            print(f"  {'FAIL' if problem else 'ok':4}  {what} ({note})", flush=True)
            if problem:
                print(f"        {problem}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
