#!/usr/bin/env python3
"""`make run`: boots Beryl in QEMU.

At a terminal the console is yours (Ctrl-A x ends QEMU). Otherwise the demo runs, the machine
powers off, and the exit status is 0 only if QEMU's is and the demo said that it passed. HARTS,
MEM, MACHINE and APPEND come from the environment; --count adds the line that `make test` counts.
"""
import os
import sys
import time

import machine

DEMO_PASS = "iob demo: PASS"
CANNOT_POWER_OFF = "power: neither a device nor the firmware can do that"


def wanted_append(append, interactive):
    """(bootargs, whether the demo must pass)."""
    words = append.split()
    if interactive:
        return append, False
    runs = [word for word in words if word.startswith("run=")]
    if not runs:
        words.append("run=demo")
    if "poweroff" not in words:
        words.append("poweroff")
    return " ".join(words), not runs or runs[-1] == "run=demo"


def run_to_end(argv, limit_seconds, must_pass, log_path=None, echo=True):
    """(None or what went wrong, the lines) of a machine that runs until it powers off, or until it
    says that it cannot: then the demo's own word has to do."""
    console = machine.ProcessConsole(argv)
    reader = machine.LineReader(console, log_path, echo)
    deadline = time.monotonic() + limit_seconds
    lines = []
    try:
        while not reader.ended:
            line = reader.line(deadline - time.monotonic())
            if line is not None:
                lines.append(line)
                if CANNOT_POWER_OFF in line:
                    break
            elif not reader.ended and time.monotonic() >= deadline:
                return f"not powered off after {limit_seconds:g} s", lines
        status = console.exit_status() if reader.ended else 0
        if not reader.ended and not must_pass:
            return "this machine cannot power off, so nothing tells how it went", lines
    finally:
        reader.close()
    if status != 0:
        return f"QEMU's exit status is {status}", lines
    if must_pass and not any(line.startswith(DEMO_PASS) for line in lines):
        return f"no line begins with `{DEMO_PASS}`", lines
    return None, lines


def main():
    args = sys.argv[1:]
    count = args[:1] == ["--count"]
    build = (args[1:] if count else args or ["build"])[0]
    interactive = sys.stdin.isatty()
    env = os.environ.get
    append, must_pass = wanted_append(env("APPEND", ""), interactive)
    try:
        argv = machine.qemu_command(build, env("MACHINE", "virt"), int(env("HARTS", "4")),
                                    env("MEM", "512M"), append, interactive)
    except (machine.SetupError, ValueError) as error:
        sys.exit(f"run: {error}")
    if interactive:
        print("  (Ctrl-A x ends QEMU, Ctrl-A h lists its keys)", flush=True)
        os.execvp(argv[0], argv)
    problem, _ = run_to_end(argv, float(env("RUN_SECONDS", "120")), must_pass)
    if problem:
        print(f"run: {problem}", file=sys.stderr, flush=True)
    if count:
        print(f"{int(not problem)} passed, {int(bool(problem))} failed")
    sys.exit(1 if problem else 0)


if __name__ == "__main__":
    main()
