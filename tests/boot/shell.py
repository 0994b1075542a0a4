"""Machines that boot to the shell: the demo passes, the prompt comes, and the shell answers."""
import time

import machine
import run

PROMPT = "beryl> "
COMMAND, ANSWER = b"help\n", "stop the machine"


def boot_to_shell(argv, limit_seconds, log_path, powers_off=True):
    """(None or what went wrong, the lines of the console). Nothing is typed before the prompt. A
    machine whose firmware cannot power off is ended by us."""
    console = machine.ProcessConsole(argv)
    reader = machine.LineReader(console, log_path)
    deadline = time.monotonic() + limit_seconds
    lines = []
    try:
        while not any(line.startswith(run.DEMO_PASS) for line in lines):
            line = reader.line(deadline - time.monotonic())
            if line is None:
                return f"no line begins with `{run.DEMO_PASS}`", lines
            lines.append(line)
        if not reader.wait_for(PROMPT, deadline - time.monotonic()):
            return "no prompt of the shell", lines
        console.write(COMMAND)
        if not reader.wait_for(ANSWER, deadline - time.monotonic()):
            return "the shell does not answer: no console input", lines
        if not powers_off:
            return None, lines
        console.write(b"poweroff\n")
        while not reader.ended and time.monotonic() < deadline:
            reader.fill(deadline - time.monotonic())
        status = console.exit_status() if reader.ended else None
        return (None if status == 0 else f"QEMU's exit status is {status}"), lines
    finally:
        reader.close()
