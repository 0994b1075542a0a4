#!/usr/bin/env python3
"""Runs the conformance suite on a machine and judges what it prints (TAP version 14).

TAP lines arrive over the console among the kernel's log lines, which start with `[`. Before each
test the suite prints `# start NAME`, so that a hang has a name. The last line printed here is
`N passed, N failed`; the exit status is 0 only if all passed.
"""
import argparse
import collections
import os
import re
import sys
import time

import machine

TAIL_LINES = 40
PANIC_SECONDS = 5
PROMPT = "beryl> "

RESULT = re.compile(r"^(not )?ok\b(?: +(\d+))?(?: +-)? *([^#]*?) *(?:# *(\S+) *(.*))?$")
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#.*)?$")
START = re.compile(r"^# start (\S.*?)\s*$")
PANIC = re.compile(r"^(\[[^\]]*\] *)?(kernel )?panic\b", re.I)


class TapSuite:
    """What a TAP stream says, line by line. Knows nothing of time or machines."""

    def __init__(self):
        self.begun = False
        self.plan = None
        self.seen = {}
        self.passed = self.failed = self.skipped = 0
        self.running = None
        self.problems = []
        self.failures = []
        self.in_yaml = False
        self.bailed = self.panicked = self.last_failed = False

    def complete(self):
        return self.plan is not None and len(self.seen) >= self.plan

    def feed(self, line):
        """Takes one line; True when it is progress of the suite."""
        if PANIC.match(line) and not self.panicked:
            self.panicked = True
            self.problems.append(f"kernel panic{self.during()}: {line.strip()}")
            return False
        if line.startswith("["):
            return False
        if not self.begun:
            self.begun = line.rstrip() == "TAP version 14"
            return self.begun
        if self.feed_yaml(line):
            return True
        if line.startswith("Bail out!"):
            self.bailed = True
            self.problems.append(line.rstrip())
            return True
        start, plan, result = START.match(line), PLAN.match(line), RESULT.match(line)
        if start:
            self.running = start.group(1)
        elif plan:
            self.take_plan(int(plan.group(1)))
        elif result:
            self.take_result(result)
        return bool(start or plan or result)

    def feed_yaml(self, line):
        if not self.in_yaml and line.rstrip() == "  ---" and self.seen:
            self.in_yaml = True
        elif not self.in_yaml:
            return False
        if self.failures and self.last_failed:
            self.failures[-1].append(line)
        if line.rstrip() == "  ...":
            self.in_yaml = False
        return True

    def take_plan(self, count):
        if self.plan is not None:
            self.problems.append("a second plan")
        self.plan = count

    def take_result(self, match):
        bad, number, name, directive, reason = match.groups()
        number = int(number) if number else max(self.seen, default=0) + 1
        if number in self.seen:
            self.problems.append(f"test number {number} reported twice")
        elif number != len(self.seen) + 1:
            self.problems.append(f"test number {number} reported after {len(self.seen)} tests")
        self.seen[number] = name
        self.running = None
        self.last_failed = bool(bad)
        if bad:
            self.failed += 1
            self.failures.append([f"not ok {number} - {name}"])
        elif (directive or "").upper() == "SKIP":
            self.skipped += 1
            print(f"  skipped: {name}: {reason}")
        else:
            self.passed += 1

    def during(self):
        if self.running:
            return f' in test {len(self.seen) + 1} "{self.running}"'
        return f" after {len(self.seen)} tests" if self.begun else " before the suite began"

    def finish(self, exit_status):
        """The stream has ended, or was cut off after a problem was noted."""
        if not self.problems:
            if not self.begun:
                self.problems.append("the suite never began: no line `TAP version 14`")
            elif self.plan is None:
                self.problems.append("no plan: no line `1..N`")
            elif self.plan != len(self.seen):
                self.problems.append(
                    f"{self.plan} tests planned, {len(self.seen)} reported{self.ended_in()}")
            elif self.plan == 0:
                self.problems.append("a plan of no tests")
            elif exit_status != 0 and not self.failed:
                self.problems.append(f"every test passed, but the exit status is {exit_status}")
            elif exit_status == 0 and self.failed:
                self.problems.append("tests failed, but the exit status is 0")
        self.failed += len(self.problems)

    def ended_in(self):
        return f'; it ended in "{self.running}"' if self.running else ""


def follow(reader, suite, limits, wait_for_end):
    """Feeds lines to the suite until it is over or a time limit is hit. Returns the last lines."""
    tail = collections.deque(maxlen=TAIL_LINES)
    now = time.monotonic()
    overall = now + limits.overall
    deadline = now + limits.boot
    while True:
        line = reader.line(min(deadline, overall) - time.monotonic())
        now = time.monotonic()
        if line is not None:
            tail.append(line)
            if suite.feed(line):
                deadline = now + limits.per_test
            elif suite.panicked:
                deadline = min(deadline, now + PANIC_SECONDS)
        elif reader.ended:
            break
        elif now >= min(deadline, overall):
            note_silence(suite, limits, now >= overall)
            break
        if (suite.complete() or suite.bailed) and not wait_for_end and not suite.in_yaml:
            break
    return tail


def note_silence(suite, limits, overall):
    if suite.panicked:
        return
    if overall:
        suite.problems.append(f"not over after {limits.overall:g} s{suite.during()}")
    elif not suite.begun:
        suite.problems.append(f"hang: no suite within {limits.boot:g} s")
    elif suite.complete():
        suite.problems.append(f"hang: no power-off within {limits.per_test:g} s of the last test")
    else:
        suite.problems.append(f"hang: no progress for {limits.per_test:g} s{suite.during()}")


def report(suite, tail, label):
    for failure in suite.failures:
        print("  " + "\n  ".join(failure))
    for problem in suite.problems:
        print(f"  {label}: {problem}")
    if suite.problems:
        print(f"  --- last lines of the console ({label}) ---")
        for line in tail:
            print(f"  | {line}")
    skipped = f" ({suite.skipped} skipped)" if suite.skipped else ""
    print(f"  {label}: {suite.passed} passed, {suite.failed} failed{skipped}")
    print(f"{suite.passed} passed, {suite.failed} failed", flush=True)
    return 0 if suite.passed and not suite.failed else 1


def run_suite(console, limits, label, log_path=None, ask_shell=False, wait_for_end=True,
              echo=False):
    """Runs the suite on a console, which it closes. Returns the exit status for this program."""
    suite = TapSuite()
    reader = machine.LineReader(console, log_path, echo)
    try:
        if ask_shell:
            console.write(b"\n")
            if reader.wait_for(PROMPT, limits.boot):
                console.write(b"run conformance\n")
            else:
                suite.problems.append(f"no prompt `{PROMPT}` within {limits.boot:g} s")
        tail = collections.deque(maxlen=TAIL_LINES)
        if not suite.problems:
            tail = follow(reader, suite, limits, wait_for_end)
        suite.finish(console.exit_status() if reader.ended or not wait_for_end else None)
    finally:
        reader.close()
    return report(suite, tail, label)


# Some tests fill all memory: 512 MiB in the emulator, up to 8 GiB on a board.
PER_TEST_SECONDS, PER_TEST_SECONDS_BOARD = 20, 120


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--machine", default="virt")
    parser.add_argument("--harts", type=int, default=4)
    parser.add_argument("--mem", default="512M")
    parser.add_argument("--append", default="", help="more bootargs")
    parser.add_argument("--run", default="test", help="what the machine runs: test, or a program")
    parser.add_argument("--tty", help="a serial device with a board's shell on it")
    parser.add_argument("--per-test", type=float,
                        help=f"seconds without progress; {PER_TEST_SECONDS}, on a board "
                        f"{PER_TEST_SECONDS_BOARD}")
    parser.add_argument("--boot", type=float, default=60, help="seconds until the suite begins")
    parser.add_argument("--overall", type=float, default=900, help="seconds for everything")
    parser.add_argument("--echo", action="store_true", help="show the whole console")
    args = parser.parse_args()
    if args.per_test is None:
        args.per_test = PER_TEST_SECONDS_BOARD if args.tty else PER_TEST_SECONDS
    return args


def main():
    args = parse_args()
    os.makedirs(os.path.join(args.build, "log"), exist_ok=True)
    try:
        if args.tty:
            console, label = machine.TtyConsole(args.tty), args.tty
            name = "tty"
        else:
            append = f'run="{args.run}" poweroff {args.append}'.strip()
            console = machine.ProcessConsole(machine.qemu_command(
                args.build, args.machine, args.harts, args.mem, append))
            label = f"conformance, {args.machine}, {args.harts} harts {args.append}".rstrip()
            name = f"{args.machine}-{args.harts}" + re.sub(r"\W+", "-", f" {args.append}".rstrip())
    except machine.SetupError as error:
        print(f"  {error}\n0 passed, 1 failed")
        return 1
    log = os.path.join(args.build, "log", f"conformance-{name}.log")
    return run_suite(console, args, label, log, ask_shell=bool(args.tty),
                     wait_for_end=not args.tty, echo=args.echo)


if __name__ == "__main__":
    sys.exit(main())
