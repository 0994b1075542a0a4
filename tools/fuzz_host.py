#!/usr/bin/env python3
"""Runs the host fuzzers (tests/host/fuzz_NAME.c, built with libFuzzer) on their corpora.

fuzz_host.py [--seconds N | --runs N] [--keep] FUZZER...

--runs: the short form, the same on each run: seed 1, N executions after the corpus. --seconds: the
long form, which starts from what earlier long forms found. --keep: afterwards, adds the inputs that
reach new code to the corpus in the repository, as small ones as there are. A finding is left in
found/ beside the fuzzer and counts as a failure. Closes with `N passed, N failed`.
"""
import argparse
import os
import re
import subprocess
import sys

CORPUS = os.path.join("tests", "host", "corpus")
# Folders with inputs that other tests have too.
SHARED = {"fdt": [os.path.join("tests", "host", "dtb")]}
# Bytes; what the input means is long before that.
MAX_LEN = {"cpio": 4096, "elf": 2048, "procargs": 1024, "bootargs": 256, "fdt": 16384}
INPUT_SECONDS = 10
KEEP_BYTES = 2048


def fixed_addresses():
    """What goes before a command so that its addresses, which the value profile takes in, are the
    same on each run; nothing where that is not allowed."""
    wrapper = ["setarch", "-R"]
    try:
        done = subprocess.run(wrapper + ["true"], check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return []
    return wrapper if done.returncode == 0 else []


def execute(path, seconds, runs):
    """(executions, problem or None, output) of one fuzzer."""
    name = os.path.basename(path).removeprefix("fuzz_")
    folder = os.path.join(os.path.dirname(path), "corpus", name)
    found = os.path.join(os.path.dirname(path), "found", "")
    for each in (folder, found):
        os.makedirs(each, exist_ok=True)
    corpora = [os.path.join(CORPUS, name)] + SHARED.get(name, [])
    argv = [path, f"-max_len={MAX_LEN[name]}", f"-timeout={INPUT_SECONDS}", "-print_final_stats=1",
            f"-artifact_prefix={found}{name}-", "-use_value_profile=1", "-rss_limit_mb=1024"]
    if seconds:
        argv += [f"-max_total_time={seconds}", folder]
    else:
        argv = fixed_addresses() + argv + ["-seed=1", f"-runs={runs}", "-reload=0"]
        # Nothing is written to the repository's corpus: libFuzzer writes to the first folder.
        scratch = folder + "-short"
        os.makedirs(scratch, exist_ok=True)
        for file in os.listdir(scratch):
            os.remove(os.path.join(scratch, file))
        argv += [scratch]
    done = subprocess.run(argv + [c for c in corpora if os.path.isdir(c)], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    output = done.stdout.decode(errors="replace")
    executed = re.search(r"stat::number_of_executed_units: +(\d+)", output)
    count = int(executed.group(1)) if executed else 0
    problem = None
    if done.returncode != 0:
        problem = f"exit status {done.returncode}"
    elif runs and count < runs:
        problem = f"{count} executions instead of {runs}"
    elif count == 0:
        problem = "no executions"
    return count, problem, output


def keep(path):
    """Merges what the long form found into the repository's corpus."""
    name = os.path.basename(path).removeprefix("fuzz_")
    folder, kept = os.path.join(os.path.dirname(path), "corpus", name), os.path.join(CORPUS, name)
    os.makedirs(kept, exist_ok=True)
    subprocess.run([path, "-merge=1", f"-max_len={min(MAX_LEN[name], KEEP_BYTES)}", kept, folder],
                   check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("fuzzers", nargs="+")
    args = parser.parse_args()
    passed = failed = 0
    for path in args.fuzzers:
        count, problem, output = execute(path, args.seconds, args.runs)
        passed, failed = passed + (not problem), failed + bool(problem)
        coverage = re.findall(r"cov: (\d+)", output)
        print(f"  {'FAIL' if problem else 'ok':4}  {os.path.basename(path):16} {count} executions, "
              f"{coverage[-1] if coverage else '?'} edges", flush=True)
        if problem:
            print(f"        {problem}\n{output[-4000:]}")
        elif args.keep:
            keep(path)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
